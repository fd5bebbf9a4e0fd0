"""What each row below a header is: data, or set aside as a repeated header, section, total, note, signature or blank.

Here: the rules for rows. A vectorised sieve finds the few rows of a sheet (or batch of a large CSV) that may not be
data, and only those are looked at one by one. Not here: finding the header (:mod:`assets.intake.tables`), checking
stated totals against the rows (after cleaning), judging a value.

The rule above all: a row that may be data is data. It is set aside only where several cells agree that it is not, so
that no damage to one cell can make a row vanish (law 7); what is taken for data wrongly is quarantined and seen.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

import numpy as np
import numpy.typing as npt
import polars as pl

from assets.intake.headers import ContractMatch
from assets.intake.labels import LabelState, fill_labels
from assets.intake.spread import put_together
from assets.intake.workbook import column_number
from schemas.grid import KIND, Control, Grid, Kind
from schemas.text import clean_one, fold_one, match_key_one

NUMERIC = ("integer", "number")
TAIL_ROWS = 80
"""How far from the end of a sheet a signature block may begin."""

_TOTAL_WORDS = (
    "tổng cộng|tổng số|tổng|cộng|toàn xã|toàn phường|toàn đặc khu|toàn tỉnh|toàn huyện|toàn thôn"
    "|tong cong|tong so|toan xa|toan phuong|toan dac khu|toan tinh|toan huyen"
)
_SCOPE = (
    "chung|cộng|số|toàn|bộ|mục|phần|khu vực|nhóm|thôn|tổ dân phố|tdp|xã|phường|đặc khu|tỉnh|huyện|hộ|khẩu|người"
    r"|và|từ|đến|các|dòng|trang|này|[ivxlc]+|[a-eđ]|\d+"
)
_TOTAL = re.compile(
    rf"(?:{_TOTAL_WORDS})(?: (?:{_SCOPE}))*"
    r"|(?:(?:tổng cộng|tổng số|tổng|cộng)(?: (?:số|toàn|của|các thôn))*|toàn) (?:xã|phường|đặc khu|tỉnh) \D+"
)
"""A label that is a total word, or one with its scope ('Cộng mục I', 'Tổng số (4 thôn)', 'Tổng cộng xã Pác Thông').
Accents count where they are written: 'Cống' and 'Tống' are names of villages."""
_SHORT = {"cong", "tong", "tc", "t cộng", "t cong"}
"""Total words only in a table whose data rows are numbered, this one not: elsewhere they may be names."""
_GRAND = re.compile(r"(?:tổng|tong|toàn|toan|tc)\b")
_PART = re.compile(r"\b(?:mục|phần|nhóm|trang)\b|(?<!\b[ivxlc] và)(?<!\b[ivxlc]) [ivxlc]+$")
_CERTAIN = re.compile(r"(?:tổng cộng|tổng số|toàn (?:xã|phường|đặc khu|tỉnh)|cộng (?:chung|toàn \w+))\b")
"""Total words of which no part is a name: their row is a total even under a running number, if its figures are the sums."""
_RUNNING = re.compile(r"(?:cộng dồn|luỹ kế|luy ke)\b")
"""A total of more than this sheet: no control of its rows."""
_OF_WHICH = re.compile(r"trong (?:đó|do)\b")
_DASH = re.compile(r"[-–—+•*]\s*\w")
_UNITS = r"\d+ (?:thôn|tổ|tdp|tổ dân phố|xã|phường|đơn vị|khu phố|hộ|người)"
_COUNT_OF_UNITS = re.compile(rf"{_UNITS}(?:(?: và)? {_UNITS})*")
_NOTE = re.compile(r"\(?\*+\)?|(?:ghi chú|ghi chu|nguồn(?: số liệu| tài liệu)?|nguon|lưu ý|luu y|chú thích)\s*[:.]")
_SIGNATURE = re.compile(
    r"^(?:nguoi (?:lap|tong hop|bao cao|ky)|lap bieu|noi nhan|(?:tm|t m|kt|k t|tl|t l|tuq)\b|(?:pho )?chu tich"
    r"|thu truong|truong phong|(?:pho )?giam doc|(?:pho )?chanh van phong|ke toan|cong chuc|can bo thong ke|xac nhan"
    r"|ky\b|da ky|uy ban nhan dan|dang uy|(?:pho )?bi thu)"
    r"|\bngay (?:\d{1,2} )?thang (?:\d{1,2} )?nam(?: \d{2,4})?$"
)
"""Folded first words of a signature block; they count only below the last row that looks like data."""
_ARABIC = r"^\(?\d+(?:[.,]\d+)*[.)]?$"
_ORDINAL = r"^\(?(?:[IVXLC]+|[A-ZĐa-eđ])[.)]?$"
_HEADED = re.compile(r"(?:[IVXLC]+|[A-ZĐ])\s*[.)/:–-]\s*[^\W\d_]")
_NUMBER_LIKE = re.compile(r"[~≈<>=]*\s*-?\d[\d.,\s]*%?(?:\s*[^\W\d_]{1,10})?")
_HINT = r"(?i)^\P{L}*(?:l[uũ]\p{M}*[yỹ]|t(?:[oổô]\p{M}*ng|o[aà]\p{M}*n|rong|\.?\s?c(?:\P{L}|$|\p{L}))|c[oộô]\p{M}*ng)|^\s*[-–—+•*(]"
"""Whatever a total, an 'of which' row or a note may begin with; wider than the rules, and cheap."""


@dataclass
class HeaderMatch:
    """A header found in a sheet, and what must be remembered from one batch of its rows to the next.

    ``printed``: the cleaned texts (letter -> text) of the header rows and of the numbering row, which come again after
    a page break; ``marks``: of each such row the first matched letter with its text as sent. ``counter``: letter of
    the STT column.
    """

    match: ContractMatch
    first_row: int
    last_row: int
    printed: list[dict[str, str]] = field(default_factory=list)
    marks: list[tuple[str, str]] = field(default_factory=list)
    numbering_row: int | None = None
    counter: str | None = None
    stated_as_of: date | None = None
    stated_as_of_address: str | None = None
    nothing: bool = False
    """Whether the sheet ticks that there is nothing to report."""
    units: dict[str, str] = field(default_factory=dict)
    """Contract column -> the unit that its header or the sheet states (:mod:`assets.intake.units`)."""
    open_first: int | None = None
    """First data row since the last section or sub-total, over all batches so far; None where there is none yet."""
    data_first: int | None = None
    data_last: int | None = None
    cells: int | None = None
    """How many cells the header has in a CSV; None for a workbook, where nothing can shift."""
    labels: LabelState = field(default_factory=LabelState)
    """Row labels in force, of a pivot export."""
    padded: bool = False
    """Whether most records of the CSV, as far as its first batch, have more cells than the header."""


@dataclass
class SheetRows:
    """The rows of one sheet (or batch): ``rows`` with ``_row``, per matched contract column its text and kind, and of a
    CSV ``_uneven`` (the record has another number of cells than the header); ``set_aside`` with ``_row``, ``reason``,
    ``text``; together they are every row of the grid."""

    rows: pl.DataFrame
    set_aside: pl.DataFrame
    controls: list[Control]
    below_header: int


def rows_of(grid: Grid, head: HeaderMatch) -> SheetRows:
    """Split the rows of ``grid`` by the header ``head``; for the batches of a CSV call it in their order.

    Rows above and in the header are TITLE and HEADER. ``head`` is updated with what later batches need.
    """
    absent = [x for x in sorted(head.match.taken) if x not in grid.frame.columns]
    blank = {x + s: v for x in absent for s, v in (("", pl.lit("")), (KIND, pl.lit(Kind.BLANK, pl.UInt8)))}
    frame = grid.frame.with_columns(**blank) if blank else grid.frame  # a batch may hold nothing in a column
    frame = _join_parts(frame, head.match.joined)
    above = int(np.searchsorted(frame["_row"].to_numpy(), head.last_row, side="right"))
    layout = _Layout(frame, head)
    body = _fill_merged(frame.slice(above), grid, layout)
    aside = _titles(frame.head(above), head, layout)
    stated: list[Control] = []
    if layout.labels:
        filled = fill_labels(
            body, layout.labels, {x: layout.names[x] for x in layout.measures}, grid.index, head.labels
        )
        body, stated = filled.body, filled.controls
        aside += [(row, "TOTAL", text) for row, text in filled.totals]
    odd = _Sieve(body, grid, head, layout).judged()
    aside += [(row.row, row.reason, row.text) for row in odd]
    cells = grid.cells.filter(frame["_row"].is_in(body["_row"].implode())) if grid.cells is not None else None
    if odd:
        keep = np.ones(body.height, dtype=bool)
        keep[[row.at for row in odd]] = False
        body = body.filter(pl.Series(keep))
        cells = cells.filter(pl.Series(keep)) if cells is not None else None
    rows = pl.DataFrame(
        [body["_row"], *(body[x + s].alias(name + s) for name, x in head.match.columns.items() for s in ("", KIND))]
    )
    for name, spread in head.match.spread.items():
        rows = rows.with_columns(*put_together(body, head.match.contract.column(name), spread))
    for name, text in head.match.given.items():
        rows = rows.with_columns(pl.lit(text).alias(name), pl.lit(int(Kind.TEXT), pl.UInt8).alias(name + KIND))
    if cells is not None:
        rows = _misplaced(rows, body, cells, head, layout)
    set_aside = pl.DataFrame(aside, {"_row": pl.Int32, "reason": pl.String, "text": pl.String}, orient="row")
    return SheetRows(
        rows, set_aside, [*stated, *_controls(grid, body["_row"], odd, head, layout)], frame.height - above
    )


def _join_parts(frame: pl.DataFrame, joined: Mapping[str, tuple[str, ...]]) -> pl.DataFrame:
    """The parts of a joined column put together, with a space, under the letter of the first (domain.md N6). A part that is
    no text (an error, a number) keeps its kind, so that cleaning sees it."""
    for letters in joined.values():
        there = [x for x in letters if x in frame.columns]
        texts = [pl.when(pl.col(x).str.contains(r"\S")).then(pl.col(x)) for x in there]
        frame = frame.with_columns(
            pl.concat_str(texts, separator=" ", ignore_nulls=True).alias(letters[0]),
            pl.max_horizontal(pl.col(x + KIND) for x in there).alias(letters[0] + KIND),
        )
    return frame


class _Layout:
    """The letters of a sheet by the part that they play."""

    def __init__(self, frame: pl.DataFrame, head: HeaderMatch) -> None:
        contract, columns = head.match.contract, head.match.columns
        self.letters = [c for c in frame.columns if c != "_row" and not c.endswith(KIND)]
        self.names = {x: name for name, x in columns.items()}
        self.known = head.match.taken
        self.key = {columns[n] for n in contract.key if n in columns}
        self.measures = [columns[c.name] for c in contract.columns if c.logical_type in NUMERIC and c.name in columns]
        self.attributes = [x for x in columns.values() if x not in self.measures]
        """Matched columns that are no figures: in a total row they are empty but for the label."""
        labels = [columns.get(n) for n in contract.row_labels]
        unheaded = all(x is not None and not any(head.match.texts.get(x, ("",))) for x in labels)
        self.labels = [x for x in labels if x is not None] if unheaded else []
        """Letters of the row labels of a pivot export, outer first."""
        self.counter = head.counter if head.counter in self.letters else None


def _fill_merged(body: pl.DataFrame, grid: Grid, layout: _Layout) -> pl.DataFrame:
    """Fill the non-numeric matched columns down inside real merged ranges of the data area (domain.md N10)."""
    if not grid.merged or not body.height:
        return body
    position = {column_number(x): x for x in layout.attributes}
    first = int(body["_row"][0])
    tall: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for r1, c1, r2, _ in grid.merged:
        if r1 >= first and r2 > r1 and c1 in position:
            tall[position[c1]].append((r1, r2))
    rows = body["_row"].to_numpy()
    filled: list[pl.Expr | pl.Series] = []
    for letter, ranges in tall.items():
        anchors, ends = np.array(sorted(ranges), dtype=np.int64).T
        # each row's range is the last that begins above it; nothing is spelled out row by row, for a range may be a sheet
        of = np.searchsorted(anchors, rows, side="left") - 1
        inside = (of >= 0) & (rows <= ends[of])
        anchor = np.minimum(np.searchsorted(rows, anchors[of]), body.height - 1)
        inside &= (rows[anchor] == anchors[of]) & (body[letter + KIND].to_numpy() == Kind.BLANK)
        source = np.where(inside, anchor, np.arange(body.height))
        filled += [body[letter][source], body[letter + KIND][source]]
    return body.with_columns(filled) if filled else body


def _misplaced(
    rows: pl.DataFrame, body: pl.DataFrame, cells: pl.Series, head: HeaderMatch, layout: _Layout
) -> pl.DataFrame:
    """Say of each record of a CSV whether it is ``_uneven``, and mark the keys of those that are too wide.

    A separator too many (a comma in a name without quotes) makes a record longer than the header: then nobody knows which
    cell is whose. It shifts nothing where a program has put blanks at the end of all records. Of a record that is too short
    only the values can tell (:mod:`assets.staging.observe`).
    """
    width = head.cells or 0
    longer = cells > width
    if head.data_first is None and longer.len():
        head.padded = bool(longer.sum() * 2 > longer.len())
    rows = rows.with_columns(_uneven=cells != width)
    if not longer.any():
        return rows
    if head.padded:
        beyond = [x for x in layout.letters if column_number(x) > width]
        longer = body.select(_any(pl.col(x).str.contains(r"\S") for x in beyond)).to_series()
    keys = [layout.names[x] + KIND for x in sorted(layout.key)]
    misplaced = pl.lit(int(Kind.MISPLACED), pl.UInt8)
    return rows.with_columns(pl.when(longer).then(misplaced).otherwise(key).alias(key) for key in keys)


def _titles(top: pl.DataFrame, head: HeaderMatch, layout: _Layout) -> list[tuple[int, str, str]]:
    rows = []
    for row, *cells in zip(*(top[x].to_list() for x in ("_row", *layout.letters)), strict=True):
        text = " | ".join(t for t in (c.strip() for c in cells) if t)
        reason = "HEADER" if row >= head.first_row else "TITLE" if text else "BLANK"
        rows.append((row, reason, text))
    return rows


class _Row:
    """One row that may not be data, its texts cleaned. ``reason`` is '' as long as it counts as data."""

    def __init__(self, at: int, row: int, cells: Sequence[str], kinds: Sequence[int], layout: _Layout) -> None:
        self.at, self.row, self.reason, self.layout = at, row, "", layout
        self.kind = dict(zip(layout.letters, kinds, strict=True))
        self.cell = {
            x: clean_one(t) if k == Kind.TEXT else t for x, t, k in zip(layout.letters, cells, kinds, strict=True)
        }
        # a formula without a stored result has no text, and yet the cell is not empty
        self.full = {x for x, t in self.cell.items() if t or self.kind[x] == Kind.UNCALCULATED}
        self.stt = self.cell[layout.counter] if layout.counter else ""
        self.counted = bool(re.search(_ARABIC, self.stt))
        self.ordinal = bool(re.search(_ORDINAL, self.stt))
        places = [x for x in layout.letters if self._may_label(x)]
        if len(places) > 1 and places[0] == layout.counter and _TOTAL.fullmatch(_words(self.cell[places[1]])):
            del places[0]  # a scribble in the counter column does not hide the total beside it
        self.place = places[0] if places else ""
        """Letter of the label: the leftmost text that is no ordinal of the counter column."""
        self.raw = self.cell[self.place] if self.place else ""
        self.others = [x for x in layout.attributes if x in self.full and x != self.place]
        self.figures = [x for x in layout.measures if x in self.full]
        self.at_counter = self.place != "" and self.place == layout.counter

    def _may_label(self, letter: str) -> bool:
        if letter not in self.full or self.kind[letter] != Kind.TEXT:
            return False
        return letter != self.layout.counter or not (self.counted or self.ordinal)

    @property
    def text(self) -> str:
        return " | ".join(t for t in self.cell.values() if t)

    @cached_property
    def label(self) -> str:
        """The words of the label in lower case, accents kept."""
        return _words(self.raw)

    @property
    def numbers(self) -> bool:
        """Does any figure look like one (an error or an uncalculated formula stands for one)?"""
        return any(self.kind[x] != Kind.TEXT or _NUMBER_LIKE.fullmatch(self.cell[x]) for x in self.figures)

    def looks_like_data(self) -> bool:
        """Strong enough to say that no signature block has begun above it."""
        if self.counted and len(self.full) >= 2:
            return True
        if self.numbers and (self.raw or self.others):
            return True
        filled = len(self.others) + (self.place in self.layout.attributes)
        # somebody whose figures are blank: the number that is the key, or more texts than a signature block has in a row
        if self.layout.measures and filled >= 2 and self.keyed:
            return True
        return filled >= max(4 if self.layout.measures else 2, (len(self.layout.attributes) + 1) // 2)

    @property
    def keyed(self) -> bool:
        """Are all columns of the key filled, one of them with a number or code (one word that has a digit)?"""
        cells = [self.cell[x] for x in self.layout.key if x in self.full]
        return len(cells) == len(self.layout.key) and any(re.fullmatch(r"\S*\d\S*", cell) for cell in cells)

    def signs(self) -> bool:
        """Does a cell hold a token of a signature block? Not if it alone stands for the figure of a named row."""
        named = self.place in self.layout.attributes or bool(self.others)
        cells = [x for x in self.full if self.kind[x] == Kind.TEXT and not (named and x in self.layout.measures)]
        return any(_SIGNATURE.search(fold_one(self.cell[x])) for x in cells)


class _Sieve:
    """Finds and judges the rows of a body (below the header, merged keys filled) that are not data."""

    def __init__(self, body: pl.DataFrame, grid: Grid, head: HeaderMatch, layout: _Layout) -> None:
        self.body, self.grid, self.head, self.layout = body, grid, head, layout
        self.across = {r1 for r1, c1, r2, c2 in grid.merged if r1 == r2 and c2 > c1}

    def judged(self) -> list[_Row]:
        """The rows to set aside, in order, each with its reason."""
        if not self.body.height:
            return []
        rows = {row.at: row for row in self._rows(*self._suspicious())}
        for row in rows.values():
            row.reason = self._reason(row)
        self._of_which(rows)
        self._sections_with_sums(rows)
        self._numbered_totals(rows)
        self._signatures(rows)
        return [row for _, row in sorted(rows.items()) if row.reason]

    def _suspicious(self) -> tuple[pl.DataFrame, list[int]]:
        """The sieve: nearly no data row of a table with two text columns passes, few of others. The rows and their places."""
        layout, body = self.layout, self.body
        # two filled texts make a row data, but for an unnumbered total: mostly the first two columns settle it
        first = layout.attributes[:2]
        clear = np.full(body.height, len(first) > 1)
        for x, words in zip(first, _matching(body, first, r"\S"), strict=True):
            clear &= _filled(body, x, words)
        passes = ~clear
        for x, text in self.head.marks:
            passes |= (body[x] == text).to_numpy()
        if layout.counter:
            passes |= body[layout.counter + KIND].to_numpy() == Kind.BLANK
        at = np.flatnonzero(passes)
        if not at.size:
            return body.clear(), []
        passed = body[at]
        odd = self._odd(passed)
        return passed.filter(odd), at[odd].tolist()

    def _odd(self, passed: pl.DataFrame) -> _Mask:
        """Which of the rows that passed are a header again, or may be a section, total, note or blank."""
        layout = self.layout
        unnumbered = np.zeros(passed.height, dtype=bool)
        hint = unnumbered.copy()
        for found in _matching(passed, [x for x in layout.letters if x not in layout.measures], _HINT):
            hint |= found
        if layout.counter:
            unnumbered = passed[layout.counter + KIND].to_numpy() == Kind.BLANK
            hint |= (
                passed.select_seq(pl.col(layout.counter).str.strip_chars().str.contains(_ORDINAL))
                .to_series()
                .to_numpy()
            )
        filled = np.zeros(passed.height, dtype=np.int32)
        for x, words in zip(layout.attributes, _matching(passed, layout.attributes, r"\S"), strict=True):
            filled += _filled(passed, x, words)
        figure = np.zeros(passed.height, dtype=bool)
        for x in layout.measures:
            figure |= (passed[x + KIND].to_numpy() != Kind.BLANK) & (passed[x] != "").to_numpy()
        odd = (unnumbered & hint) | ((filled <= 1) & (hint | ~figure))
        for x, text in self.head.marks:
            odd |= (passed[x] == text).to_numpy()
        return odd

    def _rows(self, frame: pl.DataFrame, places: Iterable[int]) -> Iterator[_Row]:
        """The rows of a part of the body, whose indices in it are ``places``."""
        letters = self.layout.letters
        width = len(letters)
        columns = (frame[x].to_list() for x in ("_row", *letters, *(x + KIND for x in letters)))
        for at, (row, *cells) in zip(places, zip(*columns, strict=True), strict=True):
            yield _Row(at, row, cells[:width], cells[width:], self.layout)

    def _from_the_end(self) -> Iterator[_Row]:
        """The last rows of the body upwards; mostly the first few are enough."""
        end = self.body.height
        first = max(end - TAIL_ROWS, 0)
        size = 4
        while end > first:
            start = max(end - size, first)
            yield from reversed(list(self._rows(self.body[start:end], range(start, end))))
            end, size = start, size * 4

    @cached_property
    def wide(self) -> bool:
        """Does a data row fill three cells or more? In a narrower table damage to one cell could make it look odd."""
        filled = self._filled
        looks = filled.filter(pl.col("figure") | pl.col("counted")) if self.layout.measures else filled
        median = looks.filter(pl.col("n") > 1)["n"].median()
        return isinstance(median, float) and median >= 3

    @cached_property
    def numbered(self) -> bool:
        """Do most data rows with something in the counter column have an arabic number there?"""
        marked = self._filled.filter(pl.col("marked") & (pl.col("n") > 1))
        share = marked.filter(pl.col("figure"))["counted"].mean()
        if share is None:  # nothing but texts: then one number is enough to tell rows from sections
            return bool(marked["counted"].any())
        return isinstance(share, float) and share >= 0.5

    @cached_property
    def _filled(self) -> pl.DataFrame:
        """Per row: how many cells are filled, is there a figure, is the counter filled, and with an arabic number?"""
        layout = self.layout
        stt = pl.col(layout.counter).str.strip_chars() if layout.counter else pl.lit("")
        return self.body.select(
            pl.sum_horizontal((pl.col(x + KIND) != Kind.BLANK).cast(pl.UInt32) for x in layout.letters).alias("n"),
            _any(pl.col(x).str.contains(r"^\s*[~<>=-]?\d") for x in layout.measures).alias("figure"),
            (stt != "").alias("marked"),
            stt.str.contains(_ARABIC).alias("counted"),
        )

    def _reason(self, row: _Row) -> str:
        """What a row says of itself; '' for data."""
        layout = self.layout
        if not row.full or (len(row.full) == 1 and row.counted and self.wide):
            return "BLANK"
        if any(all(row.cell.get(x, "") == t for x, t in printed.items()) for printed in self.head.printed):
            return "HEADER"
        if self._is_total(row):
            return "TOTAL"
        lone = not row.others and (not row.stt or row.at_counter)
        if lone and not row.numbers and _NOTE.match(row.raw.lower()) and (self.wide or row.raw[0].isalpha()):
            return "NOTE"
        if self.wide and row.counted and self._is_numbered_section(row):
            return "SECTION"
        if not self.wide or row.counted:
            return ""
        if not row.figures and self._is_section(row):
            return "SECTION"
        # nothing under any column of the contract, and no number of its own: a remark in the margin
        if len(layout.names) >= 2 and row.full.isdisjoint(layout.known):
            return "NOTE"
        return ""

    def _is_total(self, row: _Row) -> bool:
        if row.counted and not row.at_counter:
            return False
        # 'Tổng cộng' may stand beside '4 thôn' in a column of names or types
        if not row.raw or not all(_COUNT_OF_UNITS.fullmatch(_words(row.cell[x])) for x in row.others):
            return False
        if _TOTAL.fullmatch(row.label) or _OF_WHICH.match(row.label) or _RUNNING.match(row.label):
            return True
        return row.label in _SHORT and self.numbered

    def _is_numbered_section(self, row: _Row) -> bool:
        """'1.' in bold with a name and no figures above rows '1.1', '1.2' (domain.md N13)."""
        bold = row.row in self.grid.bold_rows or row.row in self.across
        return bold and self.dotted and len(self.layout.measures) > 1 and len(row.full) == 2 and "." not in row.stt[:-1]

    @cached_property
    def dotted(self) -> bool:
        """Are most rows with figures numbered in two parts ('1.1')?"""
        stt = pl.col(self.layout.counter or self.layout.letters[0]).str.strip_chars()
        figures = _any(pl.col(x).str.contains(r"\d") for x in self.layout.measures)
        share = self.body.filter(figures).select(stt.str.contains(r"^\d+[.,]\d").mean()).item()
        return bool(self.layout.counter) and share is not None and share > 0.5

    def _is_section(self, row: _Row) -> bool:
        n = len(row.full)
        if row.ordinal and n <= 2 and (row.raw or n == 1):
            return self.numbered
        if n != 1 or not row.raw:
            return False
        capital = row.raw == row.raw.upper() and sum(c.isalpha() for c in row.raw) >= 4
        return (
            row.place not in self.layout.key
            or capital
            or bool(_HEADED.match(row.raw))
            or row.row in self.across
            or row.row in self.grid.bold_rows
            or self.numbered
        )

    def _of_which(self, rows: Mapping[int, _Row]) -> None:
        """Rows '- Nữ' straight under a row 'Trong đó' are parts of a total, not data."""
        open_at = -2
        for at, row in rows.items():
            if row.reason == "TOTAL" and _OF_WHICH.match(row.label):
                open_at = at
            elif at == open_at + 1 and not row.reason and not row.others and not row.stt and _DASH.match(row.raw):
                row.reason, open_at = "TOTAL", at

    def _sections_with_sums(self, rows: Mapping[int, _Row]) -> None:
        """A row under an ordinal ('I', 'A') whose figures are the sums of the rows below it is a total, else data."""
        found = [r for r in rows.values() if not r.reason and r.ordinal and r.figures and r.raw and not r.others]
        if not found or not self.numbered:
            return
        ends = sorted({*(r.at for r in found), *(r.at for r in rows.values() if r.reason in ("SECTION", "TOTAL"))})
        ends.append(self.body.height)
        whole = pl.col(self.layout.measures).str.replace_all(r"[.\s]", "").cast(pl.Int64, strict=False)
        figures = self.body.select(whole)
        for row in found:
            below = figures.slice(row.at + 1, ends[bisect_right(ends, row.at)] - row.at - 1)
            stated = {x: v for x, v in zip(self.layout.measures, figures.row(row.at), strict=True) if v is not None}
            if stated and below.height and all(below[x].sum() == v for x, v in stated.items()):
                row.reason = "TOTAL"

    def _numbered_totals(self, rows: Mapping[int, _Row]) -> None:
        """A row 'Tổng cộng' under a running number is a total where all of its figures are the sums of the rows above it."""
        for row in rows.values():
            if row.reason or not row.counted or row.others or not row.figures or not _CERTAIN.match(row.label):
                continue
            above = pl.Series([at not in rows or not rows[at].reason for at in range(row.at)], dtype=pl.Boolean)
            whole = pl.col(row.figures).str.replace_all(r"[.\s]", "").cast(pl.Int64, strict=False)
            sums = self.body.head(row.at).filter(above).select(whole.sum())
            stated = self.body.slice(row.at, 1).select(whole)
            if row.at and sums.row(0) == stated.row(0):
                row.reason = "TOTAL"

    def _signatures(self, rows: dict[int, _Row]) -> None:
        """Cut at the first signature token below the last row that looks like data or a total (domain.md N16)."""
        below: list[_Row] = []
        for read in self._from_the_end():
            row = rows.get(read.at, read)
            if row.reason == "TOTAL" or (not row.reason and row.looks_like_data()):
                break
            below.append(row)
        signed = [row.at for row in below if row.signs()]
        for row in below:
            if signed and row.at >= min(signed) and row.reason != "BLANK":
                row.reason = "NOTE"
                rows[row.at] = row


def _controls(grid: Grid, data: pl.Series, odd: Sequence[_Row], head: HeaderMatch, layout: _Layout) -> list[Control]:
    """The figures of total rows with the data rows that they cover.

    A sub-total ('Cộng', 'Cộng mục I') covers the data rows since the section began or the sub-total before it; a grand
    total ('Tổng cộng', 'Toàn xã') all data rows, also if it stands above them. 'Trong đó' states parts: no control.
    """
    marks = [row for row in odd if row.reason in ("SECTION", "TOTAL")]
    rows = data.to_list() if marks else [*data.head(1), *data.tail(1)]
    first = head.data_first if head.data_first is not None or not rows else rows[0]
    grands = [m.row for m in marks if m.reason == "TOTAL" and _GRAND.match(m.label) and not _PART.search(m.label)]
    controls: list[Control] = []
    start = 0
    for mark in marks:
        at = bisect_left(rows, mark.row)
        if mark.reason == "TOTAL":
            if not _TOTAL.fullmatch(mark.label) and mark.label not in _SHORT:
                continue  # 'Trong đó' and its parts; a section with its sum
            since = head.open_first if head.open_first is not None else (rows[start] if start < at else None)
            past = rows[at - 1] if at else head.data_last
            span: tuple[int, int] | None = None
            if past is None:  # above all data
                span = (rows[at], rows[-1]) if mark.row in grands and at < len(rows) else None
            elif first is not None and (mark.row in grands[-1:] or since is None):
                span = (first, past)
            elif since is not None:
                span = (since, past)
            if span is not None:
                controls += [
                    Control(grid.index, mark.row, layout.names[x], mark.cell[x], *span)
                    for x in layout.measures if mark.cell[x]
                ]  # fmt: skip
        head.open_first, start = None, at
    if head.open_first is None and start < len(rows):
        head.open_first = rows[start]
    head.data_first = first
    if rows:
        head.data_last = rows[-1]
    return controls


def _words(text: str) -> str:
    """Words in lower case, accents kept, without punctuation."""
    return re.sub(r"[\W_]+", " ", match_key_one(text)).strip(" ")


_Mask = npt.NDArray[np.bool_]


def _matching(frame: pl.DataFrame, letters: Sequence[str], pattern: str) -> Iterable[_Mask]:
    """Per column whether its texts match, as arrays: on a small sheet each expression costs more than its work."""
    if not letters:
        return ()
    return (m.to_numpy() for m in frame.select_seq(pl.col(letters).str.contains(pattern)).get_columns())


def _filled(frame: pl.DataFrame, letter: str, words: _Mask) -> _Mask:
    """Which cells of a column hold something; ``words``: which texts are not blank."""
    kind = frame[letter + KIND].to_numpy()
    filled: _Mask = (kind == Kind.UNCALCULATED) | ((kind != Kind.BLANK) & words)
    return filled


def _any(masks: Iterable[pl.Expr]) -> pl.Expr:
    return pl.any_horizontal([pl.lit(False), *masks])
