"""From grids to recognised tables: where the header is, which dataset it speaks, what was said above it.

Here: the search for header rows (one to three, after any number of title rows), sheets of one dataset put together, dates stated
in titles, the tick that there is nothing to report, hidden and unread sheets. Not here: reading files
(:mod:`assets.intake.workbook`), comparing header texts (:mod:`assets.intake.headers`), telling data rows from the rest
(:mod:`assets.intake.rows`).
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from functools import cache, cached_property, partial
from itertools import count

import polars as pl

from assets.intake.blocks import blocks
from assets.intake.headers import ContractMatch, Vocabulary, choose, fold_header, match_headers, vocabulary
from assets.intake.rows import HeaderMatch, SheetRows, rows_of
from assets.intake.sheet_periods import is_coarser, period_of_name, period_of_titles
from assets.intake.units import units_of
from assets.intake.workbook import column_number
from schemas import messages
from schemas.contract import Contract
from schemas.grid import KIND, FoundTable, Grid, Kind, Problem, SheetLayout, Unreadable
from schemas.text import clean_one, match_key_one

__all__ = ["HeaderMatch", "SheetRows", "find_header", "find_tables", "rows_of"]

HEAD_ROWS = 80
"""Rows in which a header is looked for."""
_COUNTERS = {"stt", "tt", "so tt", "so thu tu", "thu tu", "no"}
_REMARKS = {"ghi chu"}
OWN_SHEETS = ("Hướng dẫn", "Danh mục")
"""Names of the sheets of our templates that hold no figures: not read, and not spoken of, while their first cell says so."""
ANSWER_SHEET = "Kết quả tiếp nhận"
"""Name of our sheet in a workbook that we returned: not read, and not spoken of, while its first cell says so."""
OWN_ANSWER = re.compile(re.escape(ANSWER_SHEET) + r"(?: \(\d+\))?")
_NOTHING = re.compile(r"khong phat sinh(?: (?P<mark>.+))?")
_TICKED = frozenset({"co", "x", "v", "1", "true"})


class _Head:
    """The first rows of a sheet as lists: only here are cells looked at one by one."""

    def __init__(self, grid: Grid) -> None:
        self.name = grid.name
        self.letters = [c for c in grid.frame.columns if c != "_row" and not c.endswith(KIND)]
        top = grid.frame.head(HEAD_ROWS)
        self.rows: list[int] = top["_row"].to_list()
        texts = [top[x].to_list() for x in self.letters]
        kinds = [top[x + KIND].to_list() for x in self.letters]
        size = range(len(self.rows))
        self.cells = [[texts[j][i] if texts[j][i].strip() else "" for j in range(len(self.letters))] for i in size]
        """Texts as printed, '' for blank."""
        self.words = [[c if kinds[j][i] == Kind.TEXT else "" for j, c in enumerate(self.cells[i])] for i in size]
        """Texts of text cells only, merged cells repeated over their whole range."""
        at = {row: i for i, row in enumerate(self.rows)}
        numbers = [column_number(x) for x in self.letters]
        column = {number: j for j, number in enumerate(numbers)}
        left = len(self.rows) * len(numbers)  # merged cells that share none cannot be more
        self.tall: list[tuple[int, int]] = []
        """First and last row of text cells that are merged over several rows."""
        for r1, c1, r2, c2 in grid.merged:
            word = self.words[at[r1]][column[c1]] if r1 in at and c1 in column else ""
            if not word:
                continue
            if r2 > r1:
                self.tall.append((r1, r2))
            for i in range(at[r1], bisect_right(self.rows, r2)):
                for j in range(column[c1], bisect_right(numbers, c2)):
                    self.words[i][j] = word
                    left -= 1
            if left <= 0:
                break

    def stacks(self, first: int, last: int) -> dict[str, tuple[str, ...]]:
        """Letter -> header texts of rows ``first`` to ``last`` (indices), parents spread over unmerged blanks."""
        block = [list(row) for row in self.words[first : last + 1]]
        bottom = block[-1]
        for row in block[:-1]:
            for j in range(1, len(row)):
                if not row[j] and bottom[j] and row[j - 1] and bottom[j - 1]:
                    row[j] = row[j - 1]
        stacks = {x: tuple(row[j] for row in block if row[j]) for j, x in enumerate(self.letters)}
        return {x: texts for x, texts in stacks.items() if texts}

    def matched(self, first: int, last: int, known: Vocabulary) -> list[ContractMatch]:
        """Rows ``first`` to ``last`` (indices) as a header, with what else its place says where a contract asks for it."""
        unheaded = self._unheaded(first, last) if known.labelled else ()
        about = self._about(last) if known.named_by_sheet else ()
        return match_headers(self.stacks(first, last), known, unheaded, about)

    def _about(self, last: int) -> list[str]:
        """The sheet's name and the texts down to row ``last`` (index), for a title may stand right above the header."""
        return [self.name, *(c for row in self.words[: last + 1] for c in dict.fromkeys(row) if c)]

    def _unheaded(self, first: int, last: int) -> list[str]:
        """Letters left of the first header text of rows ``first`` to ``last`` that hold something further down."""
        block = self.cells[first : last + 1]
        head = next((j for j in range(len(self.letters)) if any(row[j] for row in block)), 0)
        return [x for x, lowest in zip(self.letters[:head], self._lowest, strict=False) if lowest > last]

    @cached_property
    def _lowest(self) -> list[int]:
        """Per column the last row (index) that holds something; -1 where none does."""
        rows = range(len(self.rows) - 1, -1, -1)
        return [next((i for i in rows if self.cells[i][j]), -1) for j in range(len(self.letters))]


def find_header(grid: Grid, contracts: Sequence[Contract], dataset: str | None = None) -> HeaderMatch:
    """Find the header in the first rows of a sheet (or in the first batch of a CSV).

    ``dataset``: named by the sender, then only that contract is tried. Raises :class:`schemas.grid.Unreadable` with
    UNKNOWN_DATASET, AMBIGUOUS_DATASET, DUPLICATE_HEADER or MISSING_HEADER.
    """
    if dataset is not None:
        contracts = [c for c in contracts if c.dataset == dataset]
    known = vocabulary(contracts)
    head = _Head(grid)
    found: tuple[tuple[float, ...], int, int, list[ContractMatch]] | None = None
    for first, last in _blocks(head, known):
        if found is not None and not found[3][0].problem() and last > found[2] + 2:
            break
        ranked = head.matched(first, last, known)
        if not ranked or not ranked[0].columns:
            continue
        score, looseness = ranked[0].rank
        rank = (score, float(first - last), float(looseness))
        if found is None or rank > found[0]:
            found = (rank, first, last, ranked)
    if found is None:
        raise Unreadable("UNKNOWN_DATASET")
    _, first, last, ranked = found
    wider = _whole_cells(head, first, last)
    if wider != (first, last):
        again = head.matched(*wider, known)
        if again[0].score >= ranked[0].score:
            (first, last), ranked = wider, again
    match = choose(ranked, stated=dataset is not None)
    header = _header_match(head, first, last, match)
    if grid.cells is not None:
        header.cells = max(grid.cells[first : last + 1])
    return header


def _blocks(head: _Head, known: Vocabulary) -> Iterator[tuple[int, int]]:
    """Candidate blocks of header rows (first, last index) from the top; rows without a known word are passed over."""

    def blocks(hit: Callable[[int], bool]) -> Iterator[tuple[int, int]]:
        for last in range(len(head.rows)):
            for first in range(last, max(last - 3, -1), -1):
                if head.rows[last] - head.rows[first] != last - first or not any(head.words[first]):
                    break
                if any(hit(i) for i in range(first, last + 1)):
                    yield first, last

    # rows are looked at as far as the search goes: mostly it ends a few rows below the title
    known_word = cache(lambda i: any(w and known.lookup((w,)).claims for w in head.words[i]))
    found = False
    for block in blocks(known_word):
        found = True
        yield block
    if not found:  # a header broken over rows word by word ('Số' above 'hộ') shows only when joined
        yield from blocks(lambda i: sum(map(bool, head.words[i])) >= 2)


def _whole_cells(head: _Head, first: int, last: int) -> tuple[int, int]:
    """The block with the vertically merged cells that it cuts through, as long as it stays a header of four rows."""
    top, bottom = head.rows[first], head.rows[last]
    for r1, r2 in head.tall:
        if r1 <= bottom and r2 >= top and max(bottom, r2) - min(top, r1) < 4:
            top, bottom = min(top, r1), max(bottom, r2)
    if top not in head.rows or bottom not in head.rows:
        return first, last
    return head.rows.index(top), head.rows.index(bottom)


def _header_match(head: _Head, first: int, last: int, match: ContractMatch) -> HeaderMatch:
    shown = list(range(first, last + 1))
    numbering = next((i for i in range(last + 1, len(head.rows)) if any(head.cells[i])), None)
    if numbering is not None and _is_numbering(head.cells[numbering], len(head.stacks(first, last))):
        shown.append(numbering)
    else:
        numbering = None
    sent = [{x: t for x, t in zip(head.letters, head.cells[i], strict=True) if t} for i in shown]
    sent = [row for row in sent if len(row) >= 2]
    matched = match.taken
    marks = [next(((x, t) for x, t in row.items() if x in matched), None) for row in sent]
    stated = _stated_date(head, last)
    return HeaderMatch(
        match=match,
        first_row=head.rows[first],
        last_row=head.rows[last],
        printed=[{x: clean_one(t) for x, t in row.items()} for row in sent],
        marks=[mark for mark in marks if mark is not None],
        numbering_row=None if numbering is None else head.rows[numbering],
        counter=_counter(head, last, match),
        stated_as_of=stated[0] if stated else None,
        stated_as_of_address=stated[1] if stated else None,
        nothing=_ticked_nothing(head, first),
        units=units_of(match.contract, match.columns, match.texts, (c for r in head.cells[: last + 1] for c in r if c)),
    )


def _ticked_nothing(head: _Head, first: int) -> bool:
    """Whether a cell above the header says 'Không phát sinh' and it, or the next one in its row, ticks that: 'CÓ', 'x'."""
    for row in head.cells[:first]:
        texts = [c for c in row if c]
        for at, text in enumerate(texts):
            found = _NOTHING.fullmatch(fold_header(text[:_TITLE_LENGTH]))
            if found and (found["mark"] or fold_header(next(iter(texts[at + 1 :]), "")[:_TITLE_LENGTH])) in _TICKED:
                return True
    return False


def _counter(head: _Head, last: int, match: ContractMatch) -> str | None:
    """The letter of the STT column: by its header, or left of the table without one but with running numbers."""
    for letter, text in (*match.unmatched.items(), *((x, match.headers[n]) for n, x in match.columns.items())):
        if fold_header(text.split(" / ")[-1]) in _COUNTERS:
            return letter
    for j, letter in enumerate(head.letters):
        if letter in match.taken or letter in match.unmatched:
            return None
        numbers = [row[j] for row in head.cells[last + 1 :] if row[j]]
        if numbers and sum(bool(re.fullmatch(r"\d+\.?", n.strip())) for n in numbers) * 2 >= len(numbers):
            return letter
    return None


def _is_numbering(cells: Sequence[str], columns: int) -> bool:
    """'(1) (2) (3)', '1 2 3', 'A B 1 2', '(5)=(3)+(4)': the row that numbers the ``columns`` of a header."""
    marks = [c.strip() for c in cells if c.strip()]
    if all(re.fullmatch(r"-\d{1,2}|\[.*\]|[A-E]", m) for m in marks):  # '(1)' that was typed is -1 in a workbook
        marks = [re.sub(r"^(?:-(\d+)|\[(.*)\])$", lambda m: f"({m[1] or m[2]})", m) for m in marks]
    heads = [re.fullmatch(r"(\()?\s*(\d{1,2}|[A-E])\s*(?(1)\))(?:\s*=.*)?", m) for m in marks]
    found = [h for h in heads if h is not None]
    if len(marks) < 2 or len(found) < len(marks):
        return False
    numbers = [int(h[2]) for h in found if h[2].isdigit()]
    ordinals = [h[2] for h in found if not h[2].isdigit()]
    start = numbers[0] if numbers else 1
    running = numbers == list(range(start, start + len(numbers))) and ordinals == list("ABCDE"[: len(ordinals)])
    # without brackets, only a row that numbers all columns is told from a row of small figures
    return running and start <= 3 and (all(h[1] for h in found) or len(marks) >= max(3, columns))


_TITLE_LENGTH = 1000
"""Characters of a title that are read; patterns take squared time on prose without end."""
_DATE = re.compile(
    r"(?<!\d)(\d{1,2})\s*[/.\-]\s*(\d{1,2})\s*[/.\-]\s*(\d{4})(?!\d)"
    r"|(?<!\d)(\d{1,2})\s+tháng\s+(\d{1,2})\s+năm\s+(\d{4})(?!\d)"
)
_UNTIL = re.compile(r"(?:tính đến|có đến|đến|tại|thời điểm)(?: hết)?(?: thời điểm)?(?: ngày)?\s*:?\s*$")
_CITED = re.compile(r"\bsố\s*:?\s*[\w.]*\s*/|(?:thông tư|nghị định|nghị quyết|quyết định|công văn|kế hoạch|luật)\b")
_LETTERHEAD = re.compile(r"^[^,:()]{2,40},\s*ngày\s*$")
_BEFORE = re.compile(r"trước(?: ngày)?\s*$")


def _stated_date(head: _Head, last: int) -> tuple[date, str] | None:
    """The as-of date that titles state, with its address; None where there is none or it can be read two ways.

    A date after 'tính đến', 'đến ngày' counts before any other; the date of a cited law ('Thông tư số … ngày …') and
    the date of signing ('Pác Thông, ngày …') do not count.
    """
    until: dict[date, str] = {}
    other: dict[date, str] = {}
    for i in range(last + 1):
        for j, cell in enumerate(head.cells[i]):
            text = match_key_one(cell[:_TITLE_LENGTH]) if cell else ""
            for found in _DATE.finditer(text):
                day, month, year = (int(g) for g in found.groups() if g is not None)
                try:
                    value = date(year, month, day)
                except ValueError:
                    continue
                lead = text[: found.start()]
                address = f"{head.letters[j]}{head.rows[i]}"
                if _UNTIL.search(lead):
                    until.setdefault(value, address)
                elif not (_CITED.search(lead) or _LETTERHEAD.search(lead) or _BEFORE.search(lead)):
                    other.setdefault(value, address)
    for dates in (until, other):
        if dates:
            return next(iter(dates.items())) if len(dates) == 1 else None
    return None


def find_tables(
    grids: Sequence[Grid], contracts: Sequence[Contract], dataset: str | None = None, folder: str = ""
) -> list[FoundTable]:
    """The tables of a delivery: one per dataset and period, over all sheets that speak it.

    ``folder``: the period of the delivery as its place says it; sheets whose names give no year are of its year.
    A table without data rows comes back with 0 rows. Hidden sheets are not read, but reported. A sheet that is not
    recognised is reported if another one is, except one that plainly holds more of the same dataset under a damaged
    header: that rejects the delivery, since its rows would vanish. Raises :class:`schemas.grid.Unreadable` with the
    codes of :func:`find_header`, or NO_DATA_ROWS where no visible sheet holds anything.
    """
    grids = [g for g in grids if not _is_ours(g)]
    visible = [g for g in grids if not g.hidden and g.frame.height]
    if not visible:
        raise Unreadable("NO_DATA_ROWS")
    chosen = [c for c in contracts if dataset in (None, c.dataset)]
    heads, failures = _heads(visible, chosen, None)
    if not heads and dataset is not None:  # named by the sender: now say what is missing, however little is there
        heads, failures = _heads(visible, chosen, dataset)
    spoken = {head.match.contract.dataset for _, head in heads}
    telling = [f for _, f in failures if f.problem.code != "UNKNOWN_DATASET"]
    if not heads:
        raise telling[0] if telling else failures[0][1]
    for failed in telling:
        if failed.problem.params.get("dataset") in spoken:
            raise failed
    general = [Problem("HIDDEN_SHEET", {"sheet": g.name}) for g in grids if g.hidden and g.frame.height]
    general += [Problem("SHEET_NOT_READ", {"sheet": g.name}) for g, _ in failures]
    parts: dict[tuple[str, str | None], list[tuple[Grid, HeaderMatch]]] = {}
    for g, h in heads:
        parts.setdefault((h.match.contract.dataset, _said_period(g, h, folder)), []).append((g, h))
    tables = [_table(sheets, general, len(visible) > 1) for sheets in parts.values()]
    return [replace(table, period=period) for table, (_, period) in zip(tables, parts, strict=True)]


def _is_ours(grid: Grid) -> bool:
    """Whether it is a sheet of a template or of an answer that says itself that no figures are on it."""
    return (grid.name in OWN_SHEETS and _begins(grid, "template")) or is_our_answer(grid)


def is_our_answer(grid: Grid) -> bool:
    """Whether it is the sheet of an answer, in a workbook that is sent back; a sheet of that name alone is the sender's own."""
    return OWN_ANSWER.fullmatch(grid.name.rpartition("/")[2]) is not None and _begins(grid, "returned")


def _begins(grid: Grid, context: str) -> bool:
    if not grid.frame.height or "A" not in grid.frame.columns:
        return False
    return fold_header(grid.frame["A"][0]) == fold_header(messages.text(context, "own_sheet"))


def _said_period(grid: Grid, head: HeaderMatch, folder: str) -> str | None:
    """The period that a sheet says: by its name or, where the folder's is too coarse for the dataset, in its titles."""
    contract = head.match.contract
    year = int(folder[:4]) if re.match(r"20\d\d", folder) else None
    found = period_of_name(grid.name, year, contract.period_type == "month")
    if found is None and is_coarser(folder, contract):
        above = grid.frame.filter(pl.col("_row") < head.first_row)
        found = period_of_titles(t for x in above.columns if x != "_row" and not x.endswith(KIND) for t in above[x])
    return found.label if found else None


def table_of(grid: Grid, head: HeaderMatch) -> FoundTable:
    """The table of one grid whose header is known: for a CSV that comes in batches, called in their order."""
    return _table([(grid, head)], [], False)


def _heads(
    grids: Sequence[Grid], contracts: Sequence[Contract], dataset: str | None
) -> tuple[list[tuple[Grid, HeaderMatch]], list[tuple[Grid, Unreadable]]]:
    """The tables of the sheets with their headers, and sheets (or parts of them) without one with the reason."""
    names = {g.index: fold_header(g.name) for g in grids}
    free = count(10_000)  # no workbook has so many sheets; both fit into a smallint
    heads: list[tuple[Grid, HeaderMatch]] = []
    failures: list[tuple[Grid, Unreadable]] = []
    for grid in grids:
        speakers = _speakers(contracts, names, grid)
        for part, head in blocks(
            grid, partial(find_header, contracts=speakers, dataset=dataset), vocabulary(speakers), free
        ):
            if isinstance(head, HeaderMatch):
                heads.append((part, head))
            else:
                head.problem.params["sheet"] = grid.name
                failures.append((part, head))
    return heads, failures


def _speakers(contracts: Sequence[Contract], names: Mapping[int, str], grid: Grid) -> list[Contract]:
    """The contracts that the sheet may speak: one that names its sheets is read from no other where it is there."""
    named = ((c, {fold_header(s) for s in c.sheets}) for c in contracts)
    return [c for c, sheets in named if names[grid.index] in sheets or sheets.isdisjoint(names.values())]


def _of_sheet(grid: Grid, columns: list[pl.Series]) -> pl.DataFrame:
    sheet = pl.Series("_sheet", [grid.index], pl.Int16).new_from_index(0, columns[0].len())
    return pl.DataFrame([sheet, *columns])


def _table(sheets: list[tuple[Grid, HeaderMatch]], general: list[Problem], many: bool) -> FoundTable:
    parts = [(grid, head, rows_of(grid, head)) for grid, head in sheets]
    contract = parts[0][1].match.contract
    problems = [*general]
    stated: dict[date, str] = {}
    layouts, rows, aside = [], [], []
    _check_given(parts)
    names = [
        c.name
        for c in contract.columns
        if any(c.name in h.match.places or c.name in h.match.given for _, h, _ in parts)
    ]
    for grid, head, part in parts:
        if head.stated_as_of is not None and head.stated_as_of_address is not None:
            address = head.stated_as_of_address
            stated.setdefault(head.stated_as_of, f"{grid.name}!{address}" if many else address)
        hidden = part.rows.filter(pl.col("_row").is_in(list(grid.hidden_rows))).height if grid.hidden_rows else 0
        if hidden:
            problems.append(Problem("HIDDEN_ROWS", {"sheet": grid.name, "count": hidden}))
        for letter, text in head.match.unmatched.items():
            if letter != head.counter and fold_header(text) not in _REMARKS:
                problems.append(Problem("UNKNOWN_COLUMN", {"sheet": grid.name, "header": text, "letter": letter}))
        layouts.append(
            SheetLayout(
                sheet=grid.index,
                name=grid.name,
                hidden=grid.hidden,
                header_rows=(head.first_row, head.last_row),
                columns=head.match.places,
                headers=dict(head.match.headers),
                unmatched=dict(head.match.unmatched),
                rows_below_header=part.below_header,
                units=dict(head.units),
                given=dict(head.match.given),
            )
        )
        absent = [n for n in names if n + KIND not in part.rows.columns]
        blanks = [e for n in absent for e in (pl.lit("").alias(n), pl.lit(Kind.BLANK, pl.UInt8).alias(n + KIND))]
        found = part.rows.with_columns(*blanks) if blanks else part.rows
        columns = ["_row", *(n + suffix for n in names for suffix in ("", KIND))]
        columns += ["_uneven"] if "_uneven" in found.columns else []
        rows.append(_of_sheet(grid, found.get_columns() if columns == found.columns else [found[c] for c in columns]))
        aside.append(_of_sheet(grid, part.set_aside.get_columns()))
    table = FoundTable(
        dataset=contract.dataset,
        rows=pl.concat(rows, how="diagonal"),  # a zip may hold CSVs, whose records can be uneven, beside workbooks
        set_aside=pl.concat(aside),
        layouts=layouts,
        rows_read=sum(grid.frame.height for grid, _, _ in parts),
        controls=[control for _, _, part in parts for control in part.controls],
        problems=problems,
    )
    if len(stated) == 1:
        table.stated_as_of, table.stated_as_of_address = next(iter(stated.items()))
    return _with_nothing(table, contract) if any(head.nothing for _, head, _ in parts) else table


def _with_nothing(table: FoundTable, contract: Contract) -> FoundTable:
    """The table of a sender who ticks that there is nothing to report.

    Rows that only say of whom they would speak, as a template has them, are set aside; any other contradicts the tick."""
    named = {contract.column(name).source for name in contract.key} | {
        c.name for c in contract.columns if c.default_from
    }
    named |= {
        str(contract.column(name).options.get(area)) for name in contract.key for area in ("province", "district")
    }
    kinds = [c for c in table.rows.columns if c.endswith(KIND) and c.removesuffix(KIND) not in named]
    says = table.rows.select(pl.any_horizontal(pl.lit(False), pl.col(kinds) != int(Kind.BLANK))).to_series()
    if says.any():
        return replace(table, problems=[Problem("NOTHING_BUT_ROWS", {"rows": int(says.sum())}), *table.problems])
    blank = table.rows.select("_sheet", "_row", reason=pl.lit("BLANK"), text=pl.lit(""))
    return replace(
        table,
        rows=table.rows.clear(),
        set_aside=pl.concat([table.set_aside, blank], how="vertical_relaxed"),
        problems=[Problem("NOTHING_TO_REPORT"), *table.problems],
    )


def _check_given(parts: Sequence[tuple[Grid, HeaderMatch, SheetRows]]) -> None:
    """Refuse a value taken from a sheet's name or title where the sheet may have a column for it whose header was lost.

    A lost header must not turn a list into rows of one name (law 7): so where no key column has a header, the sheet holds
    one row; nothing without a header stands in it; and texts under a header that nobody knows are believed to be something
    else only where another sheet has that header too. Raises :class:`schemas.grid.Unreadable` with MISSING_HEADER.
    """
    given = [(g, h, p) for g, h, p in parts if h.match.given]
    known = Counter(t for _, h, _ in given for t in {fold_header(u) for u in h.match.unmatched.values()})
    for grid, head, part in given:
        contract, match = head.match.contract, head.match
        keyed = any(name in match.places for name in contract.key)
        rows = grid.frame.filter(pl.col("_row").is_in(part.rows["_row"].implode()))
        others = [
            x for x in rows.columns
            if x != "_row" and not x.endswith(KIND) and x not in match.taken and x != head.counter
            and known[fold_header(match.unmatched.get(x, ""))] < 2
            and fold_header(match.unmatched.get(x, "")) not in _REMARKS
        ]  # fmt: skip
        texts = [(pl.col(x + KIND) == int(Kind.TEXT)) & pl.col(x).str.contains(r"\p{L}") for x in others]
        if (not keyed and rows.height > 1) or rows.select(pl.any_horizontal(pl.lit(False), *texts).any()).item():
            column = contract.column(next(iter(match.given)))
            raise Unreadable(
                "MISSING_HEADER", dataset=contract.dataset, label=column.label, nearest=match.nearest(column),
                sheet=grid.name,
            )  # fmt: skip
