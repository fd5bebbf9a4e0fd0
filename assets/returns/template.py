"""A workbook for one sender, dataset and period, for a person to fill in and send through the inbox.

Here: the sheets of it, with lists to choose from, checks of what is typed, help, a tick for "nothing to report", and the rows with
which it begins. All of it follows from the contract. Not here: how a filled-in workbook is read (the intake, which takes it for
any other file), the words (:mod:`schemas.messages`).

What it begins with (:func:`filled_in`) depends on how the dataset is delivered. A *snapshot* is the whole list, so the sender's
last one is filled in: to mend it is less work than to write it again, and nothing is forgotten. Figures *of a period* begin with
their keys and no values, for the same units report again, while a value of last period that is left standing would be a false one.
Anything else (changes, events, lists with dates of their own) begins empty: what stands need not be sent again.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import psycopg
from openpyxl import Workbook
from openpyxl.cell.cell import Cell
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter, quote_sheetname
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from assets.intake.submissions import SenderInfo
from assets.intake.tables import OWN_SHEETS
from assets.reference.due import due_on
from assets.reference.store import stored_workdays
from assets.staging.vault import Vault
from schemas import messages
from schemas.codes import CODES
from schemas.contract import Column, Contract
from schemas.migrate import quote
from schemas.periods import Period
from schemas.semantic.dates import FIRST_DAY, LAST_DAY
from schemas.semantic.explain import bounds_of, limits_of
from schemas.semantic.texts import longest, width_of

from .cells import write_text

HELP, LISTS = OWN_SHEETS
_SHEET = "Số liệu"
_TICK = "CÓ"
_FREE_ROWS = 1000
"""Rows below the filled-in ones that have lists and checks."""
_SHORT_LIST = 500
"""Entries of a reference list up to which it is offered to choose from."""
_SHOWN = 12
"""Values of a list that the help names."""
_HEAD, _NEEDED, _ASKED = (PatternFill("solid", fgColor=c) for c in ("DDE6F0", "F6D9C9", "FFF6D6"))
_HERE = Path(__file__).parent

Choice = tuple[str, str]
"""What is written into a cell, and what it means ('' where that is plain)."""


@dataclass(frozen=True)
class Start:
    """What a workbook begins with. ``rows``: column -> value as it is stored, clear; ``choices``: column -> the entries of the
    reference list that it points to; ``mistakes``: column and code or rule of what is wrong most often, that first; ``due``: the
    last day for sending it."""

    rows: Sequence[Mapping[str, Any]] = ()
    choices: Mapping[str, Sequence[Choice]] = field(default_factory=dict)
    mistakes: Sequence[tuple[str, str]] = ()
    due: date | None = None


def asked(contract: Contract, sender: SenderInfo) -> list[Column]:
    """The columns that the sender fills in: not what is read from another column's cells, nor what sender and period say."""
    known = {"senderCode", "asOf"} | ({"sender"} if sender.commune_code else set())
    return [c for c in contract.columns if c.source == c.name and c.default_from not in known]


def filled_in(contract: Contract) -> tuple[Column, ...]:
    """The columns in which the sender's own last rows are filled in; none: it begins empty."""
    if contract.delivery == "snapshot":
        return contract.columns
    if contract.valid_time != "period":
        return ()
    keys = [contract.column(name) for name in contract.key]
    named = {c.source for c in keys} | {str(c.options.get(area)) for c in keys for area in ("province", "district")}
    return tuple(c for c in contract.columns if c.name in named)


# --- from the warehouse ------------------------------------------------------------------------------------------------


def start(
    connection: psycopg.Connection,
    contract: Contract,
    sender: SenderInfo,
    period: Period,
    *,
    province: str,
    personal: Vault | None = None,
    by: str = "",
) -> Start:
    """What the workbook of a sender begins with.

    Values of persons are filled in only where the vault is given (``personal``), from the sender's own rows, and ``by`` is then
    noted in the audit log (Luật Bảo vệ dữ liệu cá nhân 91/2025/QH15). Without it a list of persons begins empty: a row that
    does not say who it is about helps nobody.
    """
    place = {"dataset": contract.dataset, "sender": sender.code, "first": period.first}
    wanted = filled_in(contract)
    hidden = personal is None and any(c.personal for c in wanted if c.name in contract.key)
    rows: list[dict[str, Any]] = []
    if wanted and not hidden:
        shown = [c for c in wanted if personal is not None or not c.personal]
        columns = ", ".join(quote(c.name) for c in shown)
        query = _sql("template_rows").format(rows=quote(contract.dataset + "_rows"), columns=columns)
        with connection.cursor(row_factory=dict_row) as cursor:
            rows = cursor.execute(query, place).fetchall()
        if personal is not None and any(c.personal for c in shown):
            rows = _clear(rows, [c.name for c in shown if c.vaulted], personal)
            connection.execute(
                "insert into ops.audit (who, action, dataset, reason, details) values (%s, 'export', %s, %s, %s)",
                [
                    by, contract.dataset, f"template of {sender.code} for {period.label}",
                    Jsonb({"sender": sender.code, "period": period.label, "rows": len(rows)}),
                ],
            )  # fmt: skip
    mistakes = connection.execute(_sql("template_mistakes"), place).fetchall()
    lists = {
        c.name: found
        for c in asked(contract, sender)
        if (found := _listed(connection, c, sender, period, province)) and len(found) <= _SHORT_LIST
    }
    due = None if contract.due_day is None else due_on(contract, period, stored_workdays(connection))
    return Start(rows, lists, mistakes, due)


def _sql(name: str) -> str:
    return (_HERE / f"{name}.sql").read_text(encoding="utf-8")


def _clear(rows: list[dict[str, Any]], names: Sequence[str], vault: Vault) -> list[dict[str, Any]]:
    """The rows with the identifiers for which their subjects stand."""
    for name in names:
        clear = vault.reveal(pl.Series([row[name] for row in rows], dtype=pl.Int64))
        rows = [{**row, name: value} for row, value in zip(rows, clear, strict=True)]
    return rows


def _listed(
    connection: psycopg.Connection, column: Column, sender: SenderInfo, period: Period, province: str
) -> list[Choice]:
    """The entries of the reference list that a column points to, as far as they are the sender's."""
    if column.references not in ("units.code", "organizations.organization_code"):
        return []
    which = "units" if column.references == "units.code" else "organizations"
    about = {"day": period.last, "province": province, "commune": sender.commune_code}
    return [(text, meaning or "") for text, meaning in connection.execute(_sql(f"template_{which}"), about)]


# --- the workbook ------------------------------------------------------------------------------------------------------


def template_book(contract: Contract, sender: SenderInfo, period: Period, begin: Start) -> bytes:
    """The workbook: figures, help, and the lists to choose from (hidden)."""
    book = Workbook()
    page = book.active
    assert isinstance(page, Worksheet)
    page.title = contract.sheets[0] if contract.sheets else _SHEET
    columns = asked(contract, sender)
    lists = book.create_sheet(LISTS)
    choices = {c.name: _choices(c, begin) for c in columns}
    _write_lists(lists, [c for c in columns if choices[c.name]], choices)
    first = _write_figures(page, contract, sender, period, columns, begin.rows)
    _check(page, first, len(begin.rows), contract, columns, choices)
    _write_help(book.create_sheet(HELP, 1), contract, sender, period, columns, choices, begin, page, first)
    lists.sheet_state = "hidden"
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _said(key: str, **params: Any) -> str:
    return messages.text("template", key, **params)


def _title(key: str, **params: Any) -> str:
    return messages.text("sheet", key, **params)


def _choices(column: Column, begin: Start) -> Sequence[Choice]:
    if column.enum:
        return [(entry.label or entry.value, "") for entry in column.enum]
    return [("x", "")] if column.logical_type == "boolean" else begin.choices.get(column.name, ())


def period_words(period: Period) -> str:
    """A period as a title says it."""
    year, _, part = period.label.partition("-")
    key = {"H1": "half_1", "H2": "half_2"}.get(part, period.kind)
    return messages.text("period", key, year=year, part=part.lstrip("Q0"))


def _write_figures(
    page: Worksheet,
    contract: Contract,
    sender: SenderInfo,
    period: Period,
    columns: Sequence[Column],
    rows: Sequence[Mapping[str, Any]],
) -> int:
    """Titles, the tick, the header and the rows to begin with; the number of the first row of figures."""
    titles = [
        contract.title,
        _title("sender", name=sender.name, code=sender.code),
        _title("period", period=period_words(period), label=period.label),
        _title("as_of", day=f"{period.last:%d/%m/%Y}"),
        _said("legend"),
    ]
    for n, text in enumerate(titles, 1):
        write_text(page.cell(n, 1), text)
    page.cell(1, 1).font = Font(bold=True, size=14)
    tick = len(titles) + 1
    write_text(page.cell(tick, 1), _title("nothing"))
    page.cell(tick, 2).fill = _ASKED
    _validate(page, f"B{tick}", DataValidation(type="list", formula1=f'"{_TICK}"'), _title("nothing"), _said("tick"))
    head = tick + 2
    for n, column in enumerate(columns, 1):
        cell, letter = page.cell(head, n), get_column_letter(n)
        needed = column.required
        write_text(cell, f"{column.label} *" if needed else column.label)
        cell.font, cell.fill = Font(bold=True), _NEEDED if needed else _HEAD
        cell.alignment = Alignment(wrap_text=True, vertical="top")
        page.column_dimensions[letter].width = min(max(14, len(column.label) + 3), 40)
        page.column_dimensions[letter].number_format = _format(column)
        for at, row in enumerate(rows, head + 1):
            _write_value(page.cell(at, n), column, row.get(column.name))
    page.freeze_panes = page.cell(head + 1, 1)
    page.print_title_rows = f"{head}:{head}"
    page.page_setup.orientation, page.page_setup.fitToHeight = "landscape", 0
    page.sheet_properties.pageSetUpPr.fitToPage = True
    return head + 1


def _format(column: Column) -> str:
    """Texts stay texts (codes keep their zeros, 'Tổ 3/2' is no date); days are written as offices do."""
    if column.logical_type in ("date", "timestamp"):
        return "dd/mm/yyyy"
    return "General" if column.logical_type in ("integer", "number") else "@"


def _write_value(cell: Cell, column: Column, value: Any) -> None:
    """A stored value as its sender would write it."""
    if value is None or value is False:
        return
    if isinstance(value, date) and column.options.get("inclusiveEnd"):
        value -= timedelta(days=1)
    if column.semantic_type == "percent":  # a number cell up to 1 reads two ways
        return write_text(cell, f"{Decimal(value).normalize():f}%".replace(".", ","))
    if value is True:
        return write_text(cell, "x")
    if isinstance(value, date | int | Decimal):
        cell.value, cell.number_format = value, _format(column)
        return None
    labels = {entry.value: entry.label for entry in column.enum}
    return write_text(cell, labels.get(value) or str(value))


def _write_lists(page: Worksheet, columns: Sequence[Column], choices: Mapping[str, Sequence[Choice]]) -> None:
    """A column of the sheet for each list; the lists begin in its third row."""
    write_text(page["A1"], _said("own_sheet"))
    for n, column in enumerate(columns, 1):
        write_text(page.cell(2, n), column.label)
        for at, (text, _) in enumerate(choices[column.name], 3):
            write_text(page.cell(at, n), text)


# --- checks of what is typed -------------------------------------------------------------------------------------------


def _limits(contract: Contract, column: Column) -> dict[str, Any]:
    """The limits of a column: its own, else those that a rule of the contract sets, else the lowest that its type allows."""
    options = ("minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum")
    own = {o: column.options[o] for o in options if o in column.options}
    for rule in contract.rules:
        if (
            rule.kind == "expect_column_values_to_be_between"
            and rule.columns == (column.name,)
            and "when" not in rule.kwargs
        ):
            found = {"minimum": rule.kwargs.get("min_value"), "maximum": rule.kwargs.get("max_value")}
            own = {**{o: v for o, v in found.items() if v is not None}, **own}
    whole = limits_of(column)
    least = {} if "exclusiveMinimum" in own else {"minimum": whole.get("minimum")}
    most = {"maximum": whole["maximum"]} if column.semantic_type == "percent" and "exclusiveMaximum" not in own else {}
    return {**least, **most, **own}


def _hint(contract: Contract, column: Column) -> str:
    """How a column is filled in, in a sentence."""
    kind, width = column.semantic_type, width_of(column) if "pattern" not in column.options else None
    bounds = "" if column.logical_type in ("date", "timestamp") else bounds_of(_limits(contract, column))
    if kind == "date" and column.options.get("notFuture"):
        kind = "past_date"
    elif kind == "decimal" and not bounds:
        kind = "number"
    elif kind == "code" and width:
        kind = "digits"
    return messages.text("hint", kind, limit=longest(column), width=width, bounds=bounds)


def _check(
    page: Worksheet,
    first: int,
    rows: int,
    contract: Contract,
    columns: Sequence[Column],
    choices: Mapping[str, Sequence[Choice]],
) -> None:
    """A list or a check for each column, with what to write beside the cell. Excel only asks back where our reading is wider."""
    listed = 0
    for n, column in enumerate(columns, 1):
        cells = f"{get_column_letter(n)}{first}:{get_column_letter(n)}{first + rows + _FREE_ROWS}"
        if found := choices[column.name]:
            listed += 1
            letter = get_column_letter(listed)
            check = DataValidation(
                type="list", formula1=f"{quote_sheetname(LISTS)}!${letter}$3:${letter}${len(found) + 2}"
            )
            strict = bool(column.enum) and not {"keywords", "highest", "followedBy"} & set(column.options)
        else:
            check = _bounds(column, _limits(contract, column))
            strict = check.type == "whole" and column.semantic_type == "integer"
        check.errorStyle = "stop" if strict else "warning"
        _validate(page, cells, check, column.label, _hint(contract, column))


def _bounds(column: Column, limits: Mapping[str, Any]) -> DataValidation:
    low = next((limits[o] for o in ("minimum", "exclusiveMinimum") if limits.get(o) is not None), None)
    high = next((limits[o] for o in ("maximum", "exclusiveMaximum") if limits.get(o) is not None), None)
    if column.logical_type in ("date", "timestamp"):
        last = "TODAY()" if column.options.get("notFuture") else _day(high or LAST_DAY)
        return DataValidation(type="date", operator="between", formula1=_day(low or FIRST_DAY), formula2=last)
    if column.logical_type in ("integer", "number"):
        kind, most = "whole" if column.logical_type == "integer" else "decimal", 10**15  # Excel keeps 15 digits
        bounds = [str(default if limit is None else limit) for limit, default in ((low, -most), (high, most))]
        return DataValidation(type=kind, operator="between", formula1=bounds[0], formula2=bounds[1])
    width = 12 if column.semantic_type == "citizen_id" else None if "pattern" in column.options else width_of(column)
    if width and column.semantic_type not in ("commune_code", "province_code"):
        return DataValidation(type="textLength", operator="equal", formula1=str(width))
    most = 200 if column.semantic_type == "commune_code" else longest(column)
    return DataValidation(type="textLength", operator="lessThanOrEqual", formula1=str(most))


def _day(value: Any) -> str:
    day = value if isinstance(value, date) else date.fromisoformat(str(value))
    return f"DATE({day.year},{day.month},{day.day})"


def _validate(page: Worksheet, cells: str, check: DataValidation, label: str, hint: str) -> None:
    check.allow_blank = check.showErrorMessage = check.showInputMessage = True
    title = label.rstrip(":")
    # bounds of the format: 32 characters for a title, 255 for a text
    check.promptTitle = check.errorTitle = title if len(title) <= 32 else title[:31] + "…"
    check.prompt, check.error = hint[:255], hint[:255]
    check.add(cells)
    page.add_data_validation(check)


# --- help --------------------------------------------------------------------------------------------------------------


def _write_help(
    page: Worksheet,
    contract: Contract,
    sender: SenderInfo,
    period: Period,
    columns: Sequence[Column],
    choices: Mapping[str, Sequence[Choice]],
    begin: Start,
    figures: Worksheet,
    first: int,
) -> None:
    lines = [
        _said("own_sheet"),
        f"{contract.title}. {contract.description}",
        _said("fill", sheet=figures.title, row=first),
    ]
    if begin.rows:
        lines.append(_said("begins_whole" if contract.delivery == "snapshot" else "begins_keys"))
    if contract.delivery == "snapshot":
        lines.append(_said("whole"))
    lines.append(_said("if_nothing", cell=f"B{first - 3}"))
    if begin.due is not None:
        lines.append(_said("due", day=f"{begin.due:%d/%m/%Y}"))
    lines.append(_said("send", period=period.label, sender=sender.code))
    if any(c.personal for c in columns):
        lines.append(_said("personal"))
    for n, line in enumerate(lines, 1):
        write_text(page.cell(n, 1), line)
    page.cell(2, 1).font = Font(bold=True)
    table = [[_title(part) for part in ("head_column", "head_needed", "head_how", "head_values", "head_example")]]
    table += [_help_of(contract, column, choices[column.name]) for column in columns]
    _write_table(page, len(lines) + 2, table)
    row = len(lines) + len(table) + 3
    if begin.mistakes:
        write_text(page.cell(row, 1), _title("mistakes"))
        page.cell(row, 1).font = Font(bold=True)
    for n, (name, rule) in enumerate(begin.mistakes, row + 1):
        write_text(page.cell(n, 1), _mistake(contract, name, rule))
    meant = [(c.label, text, meaning) for c in columns for text, meaning in choices[c.name] if meaning]
    if meant:
        at = row + len(begin.mistakes) + 2
        _write_table(page, at, [[_title("head_column"), _title("head_values"), _title("head_meaning")], *meant])


def _mistake(contract: Contract, name: str, rule: str) -> str:
    """What is often wrong with a column and what to do about it: a code, or a rule of the contract."""
    column = contract.find(name)
    label = column.label if column else name
    if rule not in CODES:
        return next((f"{label}: {r.message} {r.remedy}" for r in contract.rules if r.id == rule), label)
    cell, rows = _title("in_column", label=label), _title("same_rows")
    limit = longest(column) if column else ""
    return f"{label}: {CODES[rule].advice(label=label, address=cell, limit=limit, rows=rows)}"


def _help_of(contract: Contract, column: Column, choices: Sequence[Choice]) -> list[str]:
    values = "; ".join(text for text, _ in choices[:_SHOWN]) + ("; …" if len(choices) > _SHOWN else "")
    example = choices[0][0] if choices else messages.text("example", column.semantic_type)
    unit = _said("unit", unit=column.unit) if column.unit else ""
    how = " ".join(part for part in (column.description, _hint(contract, column), unit) if part)
    return [column.label, _title("yes") if column.required else "", how, values, example]


def _write_table(page: Worksheet, top: int, rows: Sequence[Sequence[str]]) -> None:
    for at, row in enumerate(rows, top):
        for n, text in enumerate(row, 1):
            cell = page.cell(at, n)
            write_text(cell, text)
            cell.alignment = Alignment(wrap_text=True, vertical="top")
            if at == top:
                cell.font, cell.fill = Font(bold=True), _HEAD
    for n, width in enumerate((32, 10, 60, 40, 24), 1):
        page.column_dimensions[get_column_letter(n)].width = width
