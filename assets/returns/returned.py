"""The returned workbook: the sender's own file with what is said about it in its cells, after the sheet "Kết quả tiếp nhận".

Here: which cells are coloured and what their comments say, the rows of the sheet, which files are patched and which are made anew
or left out, and where the workbooks are kept. All of it follows from the ledger (:mod:`.answers`) and the sender's own bytes; no
value of the vault is asked for. Not here: how a package is patched (:mod:`.package`), how one is made anew (:mod:`.made`), the
words (:mod:`schemas.messages`).

A delivery has one workbook, whatever number of submissions are in it: all are spoken of, so that mending it once mends all.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import psycopg

from assets.intake.archive import Archive, Damaged, Destroyed
from assets.intake.limits import MIB, Limits
from assets.intake.sniff import sniff
from assets.intake.stores import open_store
from assets.intake.tables import ANSWER_SHEET, is_our_answer
from assets.intake.workbook import DIGITS, column_number
from assets.reference.due import due_on
from assets.reference.store import stored_workdays
from schemas import messages
from schemas.codes import CODES
from schemas.contract import Column, Contract
from schemas.grid import Grid, Problem, Unreadable
from schemas.migrate import quote
from schemas.periods import parse_period
from schemas.vietnam import VIETNAM

from .answers import NoSuchSubmission, answer, place_of
from .made import ROWS, made
from .package import Book, Mark, quoted
from .page import Item, Page
from .sheet_patch import Unpatchable

Grids = tuple[list[Grid], list[Problem]]
Read = Callable[[bytes, str, Limits], Grids]
"""Reads the sheets of a file apart from this process (:func:`assets.intake.reader.read_apart`)."""

MADE_BYTES = 16 * MIB
"""A file beyond it that cannot be patched is not made anew: its answer is the sheet alone."""
_NOTES = 2_000
"""Comments of a delivery; further cells are coloured only."""
_LISTED = 2_000
"""Lines of the list of cells."""
_REMOVED = 30
_WIDTHS = (6, 18, 11, 12, 24, 24, 50, 46)
_TONES = {"error": "error", "warning": "warning", "info": "repaired"}
_ORDER = ("error", "warning", "repaired")


@dataclass
class Told:
    """What there is to say about one submission. ``layout``: where its tables lie; ``taken``: (sheet, row, column) of a repaired
    cell -> the value that was taken, in words."""

    answer: Mapping[str, Any]
    contract: Contract | None
    sender: str
    layout: Sequence[Mapping[str, Any]] = ()
    taken: Mapping[tuple[int, int, str], str] = field(default_factory=dict)
    due: date | None = None


@dataclass
class Delivered:
    """A delivery: what is said of its submissions, and its bytes (None: nothing of the file is returned)."""

    told: list[Told]
    data: bytes | None
    file: str
    too_large: bool = False
    """Whether nothing of it is returned for its size alone."""


# --- from the ledger ----------------------------------------------------------------------------------------------------


def delivered(
    connection: psycopg.Connection,
    contracts: Mapping[str, Contract],
    archive: Archive,
    submission_id: str,
    *,
    strict: bool = False,
) -> Delivered:
    """Everything about the delivery that a submission came in, that submission first.

    Nothing of a file is returned that was refused before it was read, bears a secret marking or was destroyed, or that the archive
    has lost: where ``strict`` the last two raise what the archive raises. Raises :class:`NoSuchSubmission`.
    """
    found = connection.execute(
        "select d.delivery_id, d.sha256, d.file_name, d.withheld, d.size from intake.submission u "
        "join intake.delivery d using (delivery_id) where u.submission_id = %s",
        [submission_id],
    ).fetchone()
    if found is None:
        raise NoSuchSubmission(f"there is no submission {submission_id}")
    delivery, sha256, file, withheld, size = found
    ids = connection.execute(
        "select submission_id from intake.submission where delivery_id = %s order by submission_id <> %s, submission_no",
        [delivery, submission_id],
    ).fetchall()
    told = [_told(connection, contracts, name) for (name,) in ids]
    problems = [p for t in told for p in t.answer["problems"]]
    refused = any(CODES[p["code"]].level == "delivery" and p["severity"] == "error" for p in problems)
    if withheld or refused or file.lower().endswith((".yaml", ".yml")):
        return Delivered(told, None, file)
    try:
        with archive.open(sha256) as source:
            too_large = size > MADE_BYTES and source.read(2) != b"PK"
        return Delivered(told, None if too_large else archive.read(sha256), file, too_large)
    except (Destroyed, Damaged, FileNotFoundError) as error:
        if strict:
            raise
        if isinstance(error, FileNotFoundError):
            archive.must_be_there()
        return Delivered(told, None, file)


def _told(connection: psycopg.Connection, contracts: Mapping[str, Contract], name: str) -> Told:
    said = answer(connection, contracts, name)
    contract = contracts.get(said["dataset"] or "")
    row = connection.execute(
        "select a.assessment_no, a.layout, u.sender, coalesce(s.name, '') from intake.submission u "
        "left join intake.assessment a using (assessment_no) left join core.sender s on s.code = u.sender "
        "where u.submission_id = %s",
        [name],
    ).fetchone()
    assert row is not None
    assessment, layout, sender, sender_name = row
    told = Told(said, contract, f"{sender} {sender_name}".strip(), layout or ())
    if contract is not None:
        if said["repairs"]:
            told.taken = _taken(connection, contract, assessment, said["repairs"])
        if contract.due_day is not None and said["period"]:
            try:
                told.due = due_on(
                    contract, parse_period(said["period"], contract.calendar), stored_workdays(connection)
                )
            except ValueError:
                told.due = None
    return told


def _taken(
    connection: psycopg.Connection, contract: Contract, assessment: int, repairs: Sequence[Mapping[str, Any]]
) -> dict[tuple[int, int, str], str]:
    """The values of repaired cells in words; none of those that the vault keeps."""
    mended = {r["column"] for r in repairs}
    columns = [c for c in contract.columns if c.name in mended and not c.vaulted]
    if not columns:
        return {}
    names = ", ".join(f"o.{quote(c.name)}" for c in columns)
    found = connection.execute(
        f"select o._sheet, o._row, {names} from staging.{quote(contract.dataset + '_rows')} o "
        "where o._assessment = %(a)s and exists (select from staging.repair r where r.assessment_no = %(a)s "
        "and r.sheet = o._sheet and r.row = o._row)",
        {"a": assessment},
    )
    return {
        (sheet, row, column.name): shown(column, value)
        for sheet, row, *values in found
        for column, value in zip(columns, values, strict=True)
    }


def shown(column: Column, value: Any) -> str:
    """A stored value as officers write it: day first, a comma before decimals, the word of a list; '' for none."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return messages.text("fact", "yes" if value else "no")
    if isinstance(value, datetime):
        return f"{value.astimezone(VIETNAM) if value.tzinfo else value:%d/%m/%Y %H:%M}"
    if isinstance(value, date):
        return f"{value:%d/%m/%Y}"
    if isinstance(value, (float, Decimal)):
        return f"{value:f}".rstrip("0").rstrip(".").replace(".", ",") if value != int(value) else str(int(value))
    return next((v.label for v in column.enum if v.value == value), str(value))


# --- the workbook -------------------------------------------------------------------------------------------------------


def returned(delivery: Delivered, read: Read, limits: Limits | None = None) -> bytes:
    """The workbook of a delivery: its own file patched, else one made from its data, else our sheet alone."""
    limits = limits or Limits()
    data, told = delivery.data, delivery.told
    if data is not None and _is_package(data, delivery.file):
        try:
            book = Book(data, limits)
            return _filled(book, told, {n: n for n in book.names}, book.names)
        except Unpatchable:
            pass
    notes: list[str] = []
    grids: list[Grid] = []
    if delivery.too_large or (data is not None and len(data) > MADE_BYTES):
        notes.append(messages.text("returned", "too_large"))
    elif data is not None:
        with contextlib.suppress(Unreadable):
            grids = [g for g in read(data, delivery.file, limits)[0] if not is_our_answer(g)]
    if any(g.frame.height > ROWS for g in grids):
        grids = []
        notes.append(messages.text("returned", "too_large"))
    if grids:
        notes.append(messages.text("returned", "made"))
    elif not notes and any(t.answer["state"] != "accepted" for t in told):
        notes.append(messages.text("returned", "alone"))
    places = {g.index: n for n, g in enumerate(grids)}
    book = Book(made(grids), limits)
    return _filled(book, told, places, {g.index: g.name for g in grids}, notes)


def _is_package(data: bytes, file: str) -> bool:
    try:
        return sniff(data, file).kind == "xlsx"
    except Unreadable:
        return False


def _filled(
    book: Book, told: Sequence[Told], places: Mapping[int, int], names: Mapping[int, str], notes: Sequence[str] = ()
) -> bytes:
    marks, numbers = _marks(told, places, names)
    book.mark(marks)
    titles = book.names

    def link(sheet: int, address: str) -> str:
        number = numbers.get(sheet)
        return f"{quoted(titles[number])}!{address}" if number is not None and number in titles and address else ""

    return book.finished(page_of(told, link, book.removed, notes))


def _marks(
    told: Sequence[Told], places: Mapping[int, int], names: Mapping[int, str]
) -> tuple[dict[int, list[Mark]], dict[int, int]]:
    """The cells to colour by worksheet, worst first, and the worksheet of each sheet number of the ledger.

    ``places``: number of a sheet as it was read -> that of the worksheet; a part of a sheet has another number, and its name.
    """
    by_name = {name: places[n] for n, name in names.items() if n in places}
    numbers = dict(places)
    for one in told:
        by_name |= {lay["name"]: places[lay["sheet"]] for lay in one.layout if lay["sheet"] in places}
    for one in told:
        for lay in one.layout:
            if lay["sheet"] not in numbers and lay["name"] in by_name:
                numbers[lay["sheet"]] = by_name[lay["name"]]
    said: dict[tuple[int, int, int], list[tuple[str, str]]] = defaultdict(list)
    for one in told:
        for sheet, address, tone, words in _remarks(one):
            if sheet not in numbers:
                continue
            for n, (row, column) in enumerate(cells_of(address, _first_column(one, sheet))):
                said[numbers[sheet], row, column].append((tone, words if not n else ""))
    marks: dict[int, list[Mark]] = defaultdict(list)
    notes = 0
    for tone in _ORDER:
        for (number, row, column), remarks in said.items():
            worst = min((t for t, _ in remarks), key=_ORDER.index)
            if worst != tone:
                continue
            words = "\n".join(dict.fromkeys(w for _, w in remarks if w))
            notes += bool(words)
            marks[number].append(Mark(row, column, tone, words if notes <= _NOTES else ""))
    return dict(marks), numbers


def _first_column(told: Told, sheet: int) -> int:
    letters = [x.partition(":")[0] for lay in told.layout if lay["sheet"] == sheet for x in lay["columns"].values()]
    return min(map(column_number, letters), default=1)


def cells_of(address: str, first_column: int) -> list[tuple[int, int]]:
    """'B17' -> [(17, 2)]; 'E17:F17' -> both; a row alone -> its cell in the first column of the table."""
    cells = []
    for part in address.split(":"):
        letters = part.rstrip(DIGITS)
        number = part[len(letters) :]
        if number and re.fullmatch("[A-Z]{0,3}", letters) and 1 <= int(number) <= 1_048_576:
            cells.append((int(number), column_number(letters) if letters else first_column))
    return cells


def _remarks(told: Told) -> list[tuple[int, str, str, str]]:
    """(sheet, address, tone, words) of everything that is said of a cell."""
    found = []
    for r in told.answer["rows"]:
        if not r["waived"]:
            found.append((r["sheet_no"], r["address"], _TONES[r["severity"]], _said(r)))
    for r in told.answer["repairs"]:
        taken = told.taken.get((r["sheet_no"], r["row"], r["column"]), "")
        if r["address"] and taken.casefold() != (r["raw"] or "").casefold():
            how = messages.text("repair", r["rule"]) if messages.known("repair", r["rule"]) else r["rule"]
            words = messages.text(
                "returned", "mended" if taken else "mended_blank", label=r["label"], how=how, taken=taken
            )
            found.append((r["sheet_no"], r["address"], "repaired", words))
    if len(told.layout) == 1:
        for p in told.answer["problems"]:
            if p["code"] == "TOTAL_DIFFERS":
                found.append((told.layout[0]["sheet"], p["params"]["address"], "warning", _said(p)))
    return found


def _said(remark: Mapping[str, Any]) -> str:
    severity, remedy = messages.text("severity", remark["severity"]), messages.text("fact", "remedy")
    return f"{severity}: {remark['message']}\n{remedy}: {remark['remedy']}"


# --- the sheet ----------------------------------------------------------------------------------------------------------


def page_of(
    told: Sequence[Told],
    link: Callable[[int, str], str],
    removed: Collection[tuple[str, str]],
    notes: Sequence[str] = (),
) -> Page:
    """The sheet. ``link``: (sheet number, address) -> the place in the workbook, '' where it is not there."""
    page = Page(ANSWER_SHEET, _WIDTHS)
    across = len(_WIDTHS)
    rows = page.rows
    rows.append([Item(messages.text("returned", "own_sheet"), "text", across)])
    first = told[0].answer
    states = ", ".join(dict.fromkeys(t.answer["state_label"] for t in told))
    rows.append([Item(f"{ANSWER_SHEET.upper()}: {states.upper()}", "title", across)])
    page.frozen = 2
    _facts(rows, [("file", first["file"]), ("sha", f"{first['sha256']}")])
    for one in told:
        _about(rows, one)
    for note in notes:
        rows.append([Item(note, "text", across)])
    if removed:
        listed = list(dict.fromkeys(f"{messages.text('removed', kind)}: {which}" for kind, which in removed))
        more = [messages.text("returned", "more", n=len(listed) - _REMOVED)] if len(listed) > _REMOVED else []
        rows.append([Item(messages.text("returned", "removed"), "label", across)])
        rows.extend([Item(line, "text", across)] for line in [*listed[:_REMOVED], *more])
    rows.append([Item("", "text", across)])
    _problems(rows, told)
    _cells(page, told, link)
    return page


def _facts(rows: list[list[Item]], facts: Sequence[tuple[str, str]]) -> None:
    rows.extend(
        [Item(messages.text("fact", key), "label", 3), Item(value, "text", len(_WIDTHS) - 3)]
        for key, value in facts
        if value
    )


def _about(rows: list[list[Item]], told: Told) -> None:
    a, counts = told.answer, told.answer["counts"]
    received = datetime.fromisoformat(a["received_at"]).astimezone(VIETNAM)
    rows.append([Item("", "text", len(_WIDTHS))])
    facts = [
        ("submission", a["submission_id"]),
        ("result", a["state_label"]),
        ("dataset", told.contract.title if told.contract else a["dataset"] or messages.text("fact", "unknown")),
        ("sender", told.sender),
        ("period", a["period"] or ""),
        ("as_of", f"{date.fromisoformat(a['as_of']):%d/%m/%Y}" if a["as_of"] else ""),
        ("received", f"{received:%d/%m/%Y %H:%M}"),
    ]
    if a["state"] != "rejected" or counts["read"]:
        facts += [
            ("rows_read", str(counts["read"])),
            ("rows_accepted", str(counts["accepted"])),
            ("rows_quarantined", str(counts["quarantined"])),
            ("rows_aside", "; ".join([str(counts["set_aside"]), *_reasons(a["set_aside"])])),
        ]
        if counts["flagged"]:
            facts.append(("rows_flagged", str(counts["flagged"])))
        facts.append(("totals", _totals(a)))
    facts.append(("next", messages.text("next", a["state"])))
    if told.due is not None:
        facts.append(("due", f"{told.due:%d/%m/%Y}"))
    if gone := a["destroyed"]:
        facts.append(("archived", messages.text("fact", "destroyed", **gone)))
    _facts(rows, facts)


def _reasons(reasons: Mapping[str, int]) -> list[str]:
    return [f"{messages.text('aside', reason)} {n}" for reason, n in sorted(reasons.items())]


def _totals(a: Mapping[str, Any]) -> str:
    """The sender's own totals against the sums of the rows."""
    stated = a["set_aside"].get("TOTAL", 0)
    if not stated:
        return messages.text("returned", "no_totals")
    off = [p["params"] for p in a["problems"] if p["code"] == "TOTAL_DIFFERS"]
    if not off:
        return messages.text("returned", "totals_agree", n=stated)
    told = [messages.text("returned", "total_differs", **p) for p in off[:_REMOVED]]
    return "\n".join([messages.text("returned", "totals_differ", n=stated, off=len(off)), *told])


def _problems(rows: list[list[Item]], told: Sequence[Told]) -> None:
    found = [p for t in told for p in t.answer["problems"]]
    if not found:
        return
    rows.append([Item(messages.text("fact", "whole_file"), "label", len(_WIDTHS))])
    head = ("severity", "message", "remedy")
    spans = (3, 4, 1)
    rows.append([Item(messages.text("fact", key), "head", span) for key, span in zip(head, spans, strict=True)])
    for p in found:
        texts = (messages.text("severity", p["severity"]), p["message"], p["remedy"])
        styles = (_TONES[p["severity"]], "cell", "cell")
        rows.append([Item(*item) for item in zip(texts, styles, spans, strict=True)])
    rows.append([Item("", "text", len(_WIDTHS))])


def _cells(page: Page, told: Sequence[Told], link: Callable[[int, str], str]) -> None:
    found = [r for t in told for r in t.answer["rows"]]
    mended = sum(tone == "repaired" for t in told for *_, tone, _ in _remarks(t))
    rows, across = page.rows, len(_WIDTHS)
    if found or mended:
        legend = [("error", 3), ("warning", 2), ("repaired", 3)]
        rows.append([Item(messages.text("legend", tone), tone, span) for tone, span in legend])
    if mended:
        rows.append([Item(messages.text("returned", "mended_cells", n=mended), "text", across)])
    if not found:
        if not any(p["severity"] == "error" for t in told for p in t.answer["problems"]):
            rows.append([Item(messages.text("returned", "no_cells"), "text", across)])
        return
    rows.append([Item(messages.text("fact", "cells"), "label", across)])
    head = ("number", "tab", "cell", "severity", "column", "value", "message", "remedy")
    rows.append([Item(messages.text("fact", key), "head") for key in head])
    page.head = len(rows)
    found = list({(r["sheet_no"], r["address"], r["rule"], r["message"]): r for r in found}.values())
    found.sort(key=lambda r: (r["waived"], r["severity"] != "error"))
    for n, r in enumerate(found[:_LISTED], 1):
        place = link(r["sheet_no"], r["address"] if not r["address"].isdecimal() else f"A{r['address']}")
        severity = messages.text("fact", "waived") if r["waived"] else messages.text("severity", r["severity"])
        rows.append([
            Item(str(n)), Item(r["sheet"]), Item(r["address"], "link" if place else "cell", link=place),
            Item(severity, "cell" if r["waived"] else _TONES[r["severity"]]), Item(r["label"] or ""), Item(r["value"] or ""),
            Item(r["message"]), Item(r["remedy"]),
        ])  # fmt: skip
    if len(found) > _LISTED:
        rows.append([Item(messages.text("returned", "more", n=len(found) - _LISTED), "text", across)])


# --- where they are kept ------------------------------------------------------------------------------------------------


def write_returned(
    connection: psycopg.Connection,
    contracts: Mapping[str, Contract],
    root: str,
    archive: Archive,
    read: Read,
    names: Collection[str],
    limits: Limits | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> int:
    """Write the workbooks of the deliveries of submissions, ``<root>/<period>/<sender>/<submission>.xlsx``; how many files.

    ``root``: any fsspec URL. A file appears whole or not at all, and replaces the one before it. Of a delivery with several
    submissions each has the workbook, all of them anew. Writing again gives the same file.
    """
    fs, base = open_store(root)
    groups: dict[str, list[tuple[str, str | None, str]]] = defaultdict(list)
    for delivery, *place in connection.execute(
        "select delivery_id, submission_id, period, sender from intake.submission where delivery_id in "
        "(select delivery_id from intake.submission where submission_id = any (%s)) order by submission_no",
        [list(names)],
    ):
        groups[delivery].append((place[0], place[1], place[2]))
    written = 0
    for done, places in enumerate(groups.values(), 1):
        workbook = returned(delivered(connection, contracts, archive, places[0][0]), read, limits)
        for name, period, sender in places:
            _keep(fs, f"{base.rstrip('/')}/{place_of(period, sender, name)}.xlsx", workbook)
            written += 1
        progress(done, len(groups))
    return written


def _keep(fs: Any, path: str, workbook: bytes) -> None:
    folder, _, name = path.rpartition("/")
    fs.makedirs(folder, exist_ok=True)
    partial = f"{folder}/.{name}.partial"
    with fs.open(partial, "wb") as target:
        if "file" in fs.protocol:  # it holds what the sender sent, persons too
            os.chmod(partial, 0o600)
        target.write(workbook)
    fs.mv(partial, path)
