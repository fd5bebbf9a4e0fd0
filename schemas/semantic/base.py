"""The machinery that all semantic types share: three tiers from a raw column to typed values.

Speed comes from doing little: ``quick`` decides the canonical spellings of a whole column in a few polars expressions;
``bulk`` does the same for the spellings that may be frequent and varied ('1.234.567', text in NFD); ``cell`` is plain
Python, the full rule of the type, called once per distinct remaining cell. The upper tiers may only decide what
``cell`` would decide in the same way. Not here: any rule of a single type.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from types import MappingProxyType
from typing import Any, NamedTuple

import polars as pl

from schemas.contract import Column
from schemas.grid import Kind
from schemas.text import clean_one, fold_one


@dataclass(frozen=True)
class Context:
    """What cleaning may know beyond the column. Series have one entry per row of the column."""

    as_of: pl.Series
    """Date: for which day the row speaks."""
    received_on: pl.Series
    """Date: nothing that has happened lies after it."""
    sender: pl.Series
    """String: code of the sender."""
    resolve_unit: Callable[[pl.DataFrame], pl.DataFrame] | None
    """Frame (text, as_of, sender) -> frame of the same rows in the same order (code, issue, detail)."""
    today: date | None
    """Stands in where ``received_on`` is null; without either, nothing counts as the future."""
    siblings: Mapping[str, pl.Series] = field(default_factory=dict)
    """Typed columns of the same rows by name: at least those that options of the column name (``SemanticType.siblings``)."""
    unit: pl.Series | None = None
    """String: the unit that the row's header or title states for this column; null where none."""
    submission: pl.Series | None = None
    """Int64: whose cells may vote together on how numbers are written (N18); None where they cannot all be seen."""
    absent: pl.Series | None = None
    """Boolean: the row's form has no such column (a blank in it is something else); None where all have it."""
    listed_unit: Callable[[pl.DataFrame], pl.DataFrame] | None = None
    """Frame (code, name, as_of) of entries of a list of units -> frame of the same rows in the same order (issue, detail)."""

    def rows(self, at: pl.Series) -> Context:
        """The context of some rows of the column."""

        def some(series: pl.Series | None) -> pl.Series | None:
            return None if series is None else series[at]

        return replace(
            self,
            as_of=self.as_of[at],
            received_on=self.received_on[at],
            sender=self.sender[at],
            siblings={name: series[at] for name, series in self.siblings.items()},
            absent=some(self.absent),
            unit=some(self.unit),
            submission=some(self.submission),
        )

    def sibling(self, column: Column, option: str) -> pl.Series | None:
        """The typed column that an option of ``column`` names; None where the contract names none."""
        named = column.options.get(option)
        return self.siblings.get(named) if named else None

    @property
    def received(self) -> pl.Series:
        """``received_on`` without nulls."""
        return self.received_on.fill_null(self.today or date.max)


@dataclass
class Cleaned:
    """A cleaned column. A null ``value`` without ``issue`` is a blank that the contract allows."""

    value: pl.Series
    issue: pl.Series
    """String: code of :mod:`schemas.codes` (cell level), or null."""
    repair: pl.Series
    """String: rule id of what was repaired, or null."""
    detail: pl.Series | None = None
    """String: more for the message, such as the candidates of an ambiguous unit."""


class Cell(NamedTuple):
    """The answer for one cell: a value, or an issue, or neither (blank)."""

    value: Any = None
    issue: str | None = None
    repair: str | None = None
    detail: str | None = None
    """A value to propose beside an issue."""


ReadCell = Callable[[str, int, date], Cell]
"""(cleaned text, kind, received on) -> answer; never sees blanks, error cells or control characters."""
Checks = list[tuple[pl.Series, str]]
"""Rows that fail (Boolean) and the issue that they get."""


def _nothing_quick(column: Column, raw: pl.Series, kind: pl.Series) -> pl.Series:
    return nulls(raw.len(), dtype=pl.String)


def _no_checks(column: Column, value: pl.Series, context: Context) -> Checks:
    return []


@dataclass(frozen=True)
class SemanticType:
    """One semantic type: what the lint may ask of it, and how it cleans."""

    name: str
    doc: str
    logical_types: tuple[str, ...]
    options: Mapping[str, str]
    """Options that a contract may set for it, with what they mean."""
    cell: Callable[[Column], ReadCell]
    quick: Callable[[Column, pl.Series, pl.Series], pl.Series]
    """(column, raw, kind) -> values of ``dtype``, null where not decided."""
    dtype: Callable[[Column], pl.DataType] = lambda column: pl.String()
    sql: Callable[[Column], str] = lambda column: "text"
    """Most values are texts."""
    bulk: Callable[[Column, pl.Series, pl.Series], tuple[pl.Series, pl.Series | None]] | None = None
    """As ``quick``, for the remaining rows only, with the repairs made."""
    check: Callable[[Column, pl.Series, Context], Checks] = _no_checks
    """Limits on typed values, the same however they were read."""
    finish: Callable[[Column, Cleaned, pl.Series, Context], Cleaned] | None = None
    key: Callable[[pl.Series], pl.Series] = lambda value: value.cast(pl.String)
    quick_kinds: int = Kind.NUMBER
    """Kinds above this one are left to ``cell``."""
    siblings: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Options that name another column of the contract, which is cleaned before: option -> semantic types that it may have."""
    keeps_text: bool = False
    """Whether the value is the text itself, so that a change of its letters or inner spaces is a repair."""


COMMON_OPTIONS: Mapping[str, str] = MappingProxyType(
    {
        "extract": "regular expression with one group: the part of the cell that is meant, where it matches (N25)",
        "missingCode": "the code said instead of MISSING",
        "join": "headers of the parts of the column, part by part (done before cleaning)",
        "sameAs": "the column whose cells are read (done before cleaning)",
        "ditto": "true: '\"', 'nt', 'như trên' repeat the cell above (done before cleaning)",
    }
)
"""Options that every type takes."""

BULK_FROM = 500
"""Remaining rows from which ``bulk`` costs less than calling ``cell`` for each distinct one."""
DISTINCT_FROM = 100
"""Remaining rows from which finding the distinct ones costs less than calling ``cell`` for each."""

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_UNREADABLE = re.compile("[\x80-\x84\x86-\x9f\ufdd0-\ufdef\ufffd-\uffff\ue000-\uf8ff]")
"""The replacement character, C1 controls, private use and no characters at all: text that some program has already
decoded wrongly."""
_EXCEL_ERROR = re.compile(r"#(N/A|REF!|DIV/0!|VALUE!|NAME\?|NULL!|NUM!|SPILL!|CALC!|GETTING_DATA)", re.IGNORECASE)
_MARKS = re.compile(r"[-\u2010-\u2015\u2212]+|\.{2,}|\u2026+")
"""Signs for 'nothing here': dashes and ellipses."""
_MISSING_WORDS = frozenset({"n/a", "na", "n.a.", "null", "none", "nan"})
"""Words for 'nothing here'; only where the type finds no value in them, so never in names and free text."""
_EDGES = "\t\n\x0b\x0c\r \x85\xa0\u2007\u202f\u3000\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"
_PENDING_WORDS = ("chua ", "dang ", "cho ")


def nulls(height: int, dtype: pl.DataType | type[pl.DataType]) -> pl.Series:
    """A series of nothing."""
    return pl.Series([None], dtype=dtype).new_from_index(0, height)


def without(values: pl.Series, mask: pl.Series) -> pl.Series:
    """``values`` with null where ``mask``."""
    return values.zip_with(~mask, nulls(1, values.dtype))


def is_pending(text: str) -> bool:
    """'chưa thống kê', 'đang cập nhật', 'chờ số liệu': a promise of a value (N20)."""
    return fold_one(text).startswith(_PENDING_WORDS)


def is_mark(text: str) -> bool:
    """'-', '–', '…': a sign for 'nothing here' (N20)."""
    return _MARKS.fullmatch(text) is not None


def is_missing(text: str) -> bool:
    """'n/a', 'null', …: a word for 'nothing here', where the type finds no value in it."""
    return text.lower() in _MISSING_WORDS


def text_repairs(raw: pl.Series, cleaned: pl.Series) -> pl.Series:
    """Rule ids of what cleaning changed inside a text: NFC, else LOOK_ALIKE, else SPACES; trimming is none."""
    return pl.select(
        pl.when(raw.str.normalize("NFC") != raw)
        .then(pl.lit("NFC"))
        .when(raw.str.contains("[ÐƉðɖ]"))
        .then(pl.lit("LOOK_ALIKE"))
        .when(raw.str.strip_chars(_EDGES) != cleaned)
        .then(pl.lit("SPACES"))
    ).to_series()


def pending(column: Column) -> Cell:
    """The answer to a promise of a value: a blank where the contract allows it, else an issue."""
    return Cell(repair="PENDING") if column.options.get("allowPending") else Cell(issue="PENDING_VALUE")


def blank(column: Column) -> Cell:
    """The answer to an empty cell."""
    if "blank" in column.options:
        return Cell(value=column.options["blank"])
    return Cell(issue=column.options.get("missingCode", "MISSING")) if column.required else Cell()


def guarded(kind_of: SemanticType, column: Column) -> ReadCell:
    """``cell`` of a type behind what holds for every type: errors, blanks, characters that nobody can read."""
    read = kind_of.cell(column)
    empty = blank(column)

    def answer(raw: str | None, kind: int, received: date) -> Cell:
        if kind == Kind.ERROR:
            return Cell(issue="EXCEL_ERROR")
        if kind == Kind.UNCALCULATED:
            return Cell(issue="UNCALCULATED")
        if kind == Kind.MISPLACED:
            return Cell(issue="MISPLACED")
        if kind == Kind.DOUBTFUL_LABEL:
            return Cell(issue="DOUBTFUL_LABEL")
        if kind == Kind.SEVERAL_MARKED:
            return Cell(issue="SEVERAL_MARKED")
        if kind == Kind.UNDECODED:
            return Cell(issue="UNDECODED")
        if raw is None:
            return empty
        if kind == Kind.BLANK:
            kind = Kind.TEXT  # a default filled in by the caller
        if _CONTROL.search(raw):
            return Cell(issue="CONTROL_CHARACTER")
        if _UNREADABLE.search(raw):
            return Cell(issue="UNREADABLE_TEXT")
        text = clean_one(raw)
        if not text:
            return empty
        if _EXCEL_ERROR.fullmatch(text):
            return Cell(issue="EXCEL_ERROR")
        got = read(text, kind, received)
        if got.value is None and got.issue not in (None, "PENDING_VALUE") and kind == Kind.TEXT:
            return empty if is_mark(text) or is_missing(text) else got
        return got

    return answer


def run(kind_of: SemanticType, column: Column, raw: pl.Series, kind: pl.Series, context: Context) -> Cleaned:
    """Clean one column: ``raw`` (String) and ``kind`` (UInt8, :class:`schemas.grid.Kind`) row by row."""
    height, dtype = raw.len(), kind_of.dtype(column)
    extract = column.options.get("extract")
    if extract:
        raw = pl.select(pl.coalesce(raw.str.extract(extract, 1), raw)).to_series()
    value = kind_of.quick(column, raw, kind)
    foreign = kind > kind_of.quick_kinds
    if foreign.any():
        value = without(value, foreign)
    issue, repair = nulls(height, pl.String), nulls(height, pl.String)
    detail = None
    if value.null_count():
        undecided = value.is_null()
        empty = undecided & (raw.is_null() | (raw == "")) & (kind <= Kind.TEXT)
        if empty.any():
            for_blank = blank(column)
            value = value.zip_with(~empty, pl.Series([for_blank.value], dtype=dtype))
            issue = issue.zip_with(~empty, pl.Series([for_blank.issue], dtype=pl.String))
            undecided = undecided & ~empty
        if undecided.any():
            rows = undecided.arg_true()
            rest = _read_rest(kind_of, column, raw, kind, context, undecided)
            value = value.scatter(rows, rest.value)
            issue = issue.scatter(rows, rest.issue)
            repair = repair.scatter(rows, rest.repair)
            if rest.detail is not None:
                detail = nulls(height, pl.String).scatter(rows, rest.detail)
    for mask, code in kind_of.check(column, value, context):
        failed = mask.fill_null(False)
        if failed.any():
            value = without(value, failed)
            repair = without(repair, failed)
            issue = issue.zip_with(~failed, pl.Series([code]))
    cleaned = Cleaned(value.rename(column.name), issue.rename("issue"), repair.rename("repair"), detail)
    return kind_of.finish(column, cleaned, raw, context) if kind_of.finish else cleaned


def _read_rest(
    kind_of: SemanticType, column: Column, raw: pl.Series, kind: pl.Series, context: Context, undecided: pl.Series
) -> Cleaned:
    """The rows that ``quick`` left open, in their order."""
    rest = pl.DataFrame({"text": raw, "kind": kind, "received": context.received}).filter(undecided)
    if kind_of.bulk is None or rest.height < BULK_FROM:
        return _read_cells(kind_of, column, rest)
    value, repair = kind_of.bulk(column, rest["text"], rest["kind"])
    foreign = rest["kind"] > kind_of.quick_kinds
    value = without(value, foreign)
    issue = nulls(rest.height, pl.String)
    repair = nulls(rest.height, pl.String) if repair is None else without(repair, value.is_null())
    detail = None
    still = value.is_null()
    if still.any():
        rows = still.arg_true()
        last = _read_cells(kind_of, column, rest.filter(still))
        value, issue = value.scatter(rows, last.value), issue.scatter(rows, last.issue)
        repair = repair.scatter(rows, last.repair)
        if last.detail is not None:
            detail = nulls(rest.height, pl.String).scatter(rows, last.detail)
    return Cleaned(value, issue, repair, detail)


def _read_cells(kind_of: SemanticType, column: Column, rest: pl.DataFrame) -> Cleaned:
    """``cell`` once per distinct (text, kind, day of receipt)."""
    distinct = rest if rest.height < DISTINCT_FROM else rest.unique()
    read = guarded(kind_of, column)
    answers = [read(*row) for row in distinct.iter_rows()]
    read_values = distinct.with_columns(
        pl.Series("value", [a.value for a in answers], dtype=kind_of.dtype(column), strict=True),
        pl.Series("issue", [a.issue for a in answers], dtype=pl.String),
        pl.Series("repair", [a.repair for a in answers], dtype=pl.String),
        pl.Series("detail", [a.detail for a in answers], dtype=pl.String),
    )
    if distinct is not rest:
        on = ["text", "kind", "received"]
        read_values = rest.join(read_values, on=on, how="left", nulls_equal=True, maintain_order="left")
    repair = read_values["repair"]
    if kind_of.keeps_text:
        values = read_values["value"]
        own = repair.is_not_null() | values.is_null()
        repair = repair.zip_with(own, text_repairs(rest["text"], values))
    detail = read_values["detail"]
    told = None if detail.null_count() == detail.len() else detail
    return Cleaned(read_values["value"], read_values["issue"], repair, told)
