"""Work lists as a workbook that people fill in and send back through the inbox.

Here: sheets with a drop-down for the decision and the keys locked, as the contracts ``identity_decisions`` and ``hold_decisions``
read them, and sheets only to read for lists that are cleared elsewhere. Not here: what stands in the lists
(:mod:`assets.core.worklists`), how decisions are read (the contracts, the intake). Every cell is a text: keys have 19 digits, of
which a spreadsheet's number keeps 15, and what a sender wrote must not run as a formula.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font, PatternFill, Protection
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from assets.core.decided import HOLDS, IDENTITY
from assets.core.worklists import LISTS, Row
from schemas import messages
from schemas.contract import Contract

from .cells import write_text

NO_PREDECESSOR = "KHONG_CO"
"""The key of a hold that has nothing before it (``hold_decisions.predecessor``)."""

_OPEN, _LOCKED = Protection(locked=False), Protection(locked=True)
_HEAD, _ASKED = PatternFill("solid", fgColor="DDE6F0"), PatternFill("solid", fgColor="FFF6D6")


@dataclass(frozen=True)
class Sheet:
    """One sheet. ``asked``: headers of the columns to fill in; ``choices``: of the first of them."""

    name: str
    title: str
    headers: Sequence[str]
    rows: Sequence[Sequence[Any]]
    asked: Sequence[str] = ()
    choices: Sequence[str] = ()


def worklist_book(lists: Mapping[str, Sequence[Row]], contracts: Mapping[str, Contract]) -> bytes:
    """The workbook of lists by name (rows as :meth:`assets.core.worklists.WorkList.rows` gives them)."""
    book = Workbook()
    assert book.active is not None
    book.remove(book.active)
    for sheet in sheets_of(lists, contracts):
        _write(book.create_sheet(sheet.name), sheet)
    if not book.worksheets:
        write_text(book.create_sheet(_tab("empty"))["A1"], messages.text("worklist", "nothing"))
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def sheets_of(lists: Mapping[str, Sequence[Row]], contracts: Mapping[str, Contract]) -> list[Sheet]:
    """The sheets of the lists that are not empty: those to fill in first."""
    filled = [name for name in LISTS if lists.get(name)]
    sheets: list[Sheet] = []
    if "held_submissions" in filled and HOLDS in contracts:
        sheets.append(_holds(lists["held_submissions"], contracts))
    if "clerical_pairs" in filled and IDENTITY in contracts:
        for dataset in sorted({r["dataset"] for r in lists["clerical_pairs"]}):
            rows = [r for r in lists["clerical_pairs"] if r["dataset"] == dataset]
            sheets.append(_pairs(dataset, rows, contracts))
    told = {
        "unmatched_rows": _unmatched, "conflicts": _conflicts, "statistics_differences": _statistics, "unknown_codes": _unknown,
    }  # fmt: skip
    sheets += [told[name](lists[name], contracts) for name in told if name in filled]
    if "crosswalk_differences" in filled:
        sheets.append(_crosswalk(lists["crosswalk_differences"]))
    return sheets


# --- sheets to fill in ----------------------------------------------------------------------------------------------


def _asked(contract: Contract, names: Sequence[str] = ("decision", "reason", "decided_by")) -> list[str]:
    return [contract.column(name).label for name in names]


def _holds(rows: Sequence[Row], contracts: Mapping[str, Contract]) -> Sheet:
    contract = contracts[HOLDS]
    keys, asked = [contract.column(n).label for n in ("submission", "predecessor")], _asked(contract)
    # no header here may be one of another contract's keys
    beside = _heads("list", "sender", "period", "file", "why_held", "held_since", "mended")
    told = [
        [
            r["submission_id"], r["predecessor"] or NO_PREDECESSOR, None, None, None, _title(r["dataset"], contracts),
            f"{r['sender']} {r['sender_name'] or ''}".strip(), r["period"], r["file_name"], " ".join(r["why"]),
            _shown(r["held_since"]), messages.text("sheet", "yes") if r["mended"] else "",
        ]
        for r in rows
    ]  # fmt: skip
    choices = [v.label for v in contract.column("decision").enum]
    return Sheet(
        _tab("held_submissions"), LISTS["held_submissions"].title, [*keys, *asked, *beside], told, asked, choices
    )


def _pairs(dataset: str, rows: Sequence[Row], contracts: Mapping[str, Contract]) -> Sheet:
    contract, about = contracts[IDENTITY], contracts.get(dataset)
    keys, asked = [contract.column(n).label for n in ("dataset", "left_record", "right_record")], _asked(contract)
    persons = about is not None and bool(about.identity) and about.identity_kind == "person"
    choices = [v.label if persons else messages.text("same", v.value) for v in contract.column("decision").enum]
    labels = [c.label for c in about.columns] if about is not None else []
    seen = {label for r in rows for side in ("left", "right") for label in r[side].get("said", ())}
    labels = [label for label in labels if label in seen]
    # side by side, and without a sign by which the intake would take a header apart
    beside = [f"{side}, {label}" for label in (*_heads("side_place"), *labels) for side in _heads("first", "second")]
    told = [
        [
            dataset, str(r["left_record"]), str(r["right_record"]), None, None, None, _known("doubt", r["why"]),
            None if r["weight"] is None else f"{r['weight']:.2f}",
            *(_shown(text) for label in ("", *labels) for text in (_side(r["left"], label), _side(r["right"], label))),
        ]
        for r in rows
    ]  # fmt: skip
    headers = [*keys, *asked, *_heads("why_asked", "weight"), *beside]
    title = f"{LISTS['clerical_pairs'].title}: {_title(dataset, contracts)}"
    return Sheet(_tab("clerical_pairs", dataset=dataset), title, headers, told, asked, choices)


def _side(record: Row, label: str) -> Any:
    if not record:
        return None
    return record["said"].get(label) if label else f"{record['sender']}, {record['period']}"


# --- sheets to read -------------------------------------------------------------------------------------------------


def _unmatched(rows: Sequence[Row], contracts: Mapping[str, Contract]) -> Sheet:
    headers = _heads("list", "place", "period", "file", "sheet", "address", "wrong", "row", "record")
    told = [
        [
            _title(r["dataset"], contracts), f"{r['sender']} {r['sender_name'] or ''}".strip(), r["period"], r["file_name"],
            r["sheet"], r["address"], " ".join(r["why"]), "; ".join(f"{k}: {v}" for k, v in r["said"].items()),
            None if r.get("record") is None else str(r["record"]),
        ]
        for r in rows
    ]  # fmt: skip
    return Sheet(_tab("unmatched_rows"), LISTS["unmatched_rows"].title, headers, told)


def _conflicts(rows: Sequence[Row], contracts: Mapping[str, Contract]) -> Sheet:
    headers = _heads("list", "entity", "attribute", "from", "to", "chosen", "chosen_of", "others", "since")
    told = [
        [
            _title(r["dataset"], contracts), str(r["entity_id"]), _label(r["dataset"], r["attribute"], contracts),
            _shown(r["valid_from"]), _shown(r["valid_to"]), _shown(r["chosen"]["value"]), r["chosen"]["sender"],
            "; ".join(f"{o['sender']}: {_shown(o['value'])}" for o in r["others"]), _shown(r["since"]),
        ]
        for r in rows
    ]  # fmt: skip
    return Sheet(_tab("conflicts"), LISTS["conflicts"].title, headers, told)


def _statistics(rows: Sequence[Row], contracts: Mapping[str, Contract]) -> Sheet:
    headers = _heads("agency", "procedure", "from", "to", "differences")
    told = [
        [r["organization_code"], r["procedure_code"], _shown(r["valid_from"]), _shown(r["valid_to"]), r["differences"]]
        for r in rows
    ]
    return Sheet(_tab("statistics_differences"), LISTS["statistics_differences"].title, headers, told)


def _unknown(rows: Sequence[Row], contracts: Mapping[str, Contract]) -> Sheet:
    headers = _heads("list", "attribute", "unknown", "rows", "senders", "example", "address")
    told = [
        [
            _title(r["dataset"], contracts), r["label"], r["value"], str(r["rows"]), ", ".join(r["senders"]),
            r["submission_id"], r["address"],
        ]
        for r in rows
    ]  # fmt: skip
    return Sheet(_tab("unknown_codes"), LISTS["unknown_codes"].title, headers, told)


def _crosswalk(rows: Sequence[Row]) -> Sheet:
    headers = _heads("old_code", "old_name", "new_code", "new_name", "difference", "kind_in_file", "kind_in_reference")
    parts = ("old_code", "old_name", "new_code", "new_name", "difference", "kind_in_file", "kind_in_reference")
    told = [[_known("difference", r[p]) if p == "difference" else r[p] for p in parts] for r in rows]
    return Sheet(_tab("crosswalk_differences"), LISTS["crosswalk_differences"].title, headers, told)


def _heads(*keys: str) -> tuple[str, ...]:
    return tuple(messages.text("header", key) for key in keys)


def _tab(name: str, **params: str) -> str:
    """The name of a sheet (31 characters is Excel's bound)."""
    return messages.text("tab", name, **params)[:31]


def _title(dataset: str, contracts: Mapping[str, Contract]) -> str:
    return contracts[dataset].title if dataset in contracts else dataset


def _label(dataset: str, column: str, contracts: Mapping[str, Contract]) -> str:
    known = contracts[dataset].columns if dataset in contracts else ()
    return next((c.label for c in known if c.name == column), column)


def _known(context: str, key: str) -> str:
    return messages.text(context, key) if messages.known(context, key) else key


def _shown(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, datetime):
        return f"{value:%d/%m/%Y %H:%M}"
    return f"{value:%d/%m/%Y}" if isinstance(value, date) else str(value)


# --- cells ----------------------------------------------------------------------------------------------------------


def _write(page: Worksheet, sheet: Sheet) -> None:
    lines = ("decide", "send") if sheet.asked else ("read_only",)
    how = [messages.text("worklist", line, decision=next(iter(sheet.asked), "")) for line in lines]
    for n, line in enumerate([sheet.title, *how], 1):
        write_text(page.cell(n, 1), line)
    page.cell(1, 1).font = Font(bold=True, size=14)
    head = len(how) + 3
    for n, header in enumerate(sheet.headers, 1):
        cell = page.cell(head, n)
        write_text(cell, header)
        cell.font, cell.fill, cell.alignment = Font(bold=True), _HEAD, Alignment(wrap_text=True, vertical="top")
        longest = max((len(row[n - 1] or "") for row in sheet.rows), default=0)
        page.column_dimensions[get_column_letter(n)].width = min(max(12, longest + 2), 60)
        _fill_column(page, sheet, head, n)
    # the keys stay in sight; the head is under the instruction
    page.freeze_panes = page.cell(head + 1, (sheet.headers.index(sheet.asked[0]) if sheet.asked else 0) + 1)
    last = f"{get_column_letter(len(sheet.headers))}{head + len(sheet.rows)}"
    page.auto_filter.ref = f"A{head}:{last}"
    if sheet.asked:
        _protect(page, sheet, head)


def _fill_column(page: Worksheet, sheet: Sheet, head: int, column: int) -> None:
    asked = sheet.headers[column - 1] in sheet.asked
    for n, row in enumerate(sheet.rows, head + 1):
        cell = page.cell(n, column)
        cell.number_format = "@"
        cell.protection = _OPEN if asked else _LOCKED
        cell.alignment = Alignment(wrap_text=True, vertical="top")
        if asked:
            cell.fill = _ASKED
        elif row[column - 1]:
            write_text(cell, str(row[column - 1]))


def _protect(page: Worksheet, sheet: Sheet, head: int) -> None:
    """A drop-down for the decision, and a lock without a password on all that is no answer: against slips, not against malice."""
    letter = get_column_letter(sheet.headers.index(sheet.asked[0]) + 1)
    choice = DataValidation(
        type="list", formula1=f'"{",".join(sheet.choices)}"', allow_blank=True, showErrorMessage=True
    )
    choice.errorTitle, choice.error = (
        "Quyết định",
        messages.text("worklist", "choose", choices=", ".join(sheet.choices)),
    )
    choice.add(f"{letter}{head + 1}:{letter}{head + len(sheet.rows)}")
    page.add_data_validation(choice)
    page.protection.sheet = True
    # these are flags of what is forbidden
    page.protection.autoFilter = page.protection.sort = page.protection.formatColumns = page.protection.formatRows = (
        False
    )
