"""The raw forms that reading hands to cleaning: grids of cells with kinds, and the tables found in them.

A cell is a text and a kind. Kinds keep apart what a single text cannot: an empty cell, an error such as ``#REF!``, a
formula whose result was never stored, a number, a date cell (text in ISO form), a text.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from enum import IntEnum
from typing import Any

import polars as pl

KIND = "__k"
"""Suffix of the column that holds the kinds of a column: ``households`` and ``households__k``."""


class Kind(IntEnum):
    """What sort of cell a text came from (stored as UInt8 beside the text)."""

    BLANK = 0
    TEXT = 1
    NUMBER = 2  # text = shortest repr without '.0'; with a zeros-only format ('00000') the padded display form
    DATE = 3  # text = 'YYYY-MM-DD' or 'YYYY-MM-DDTHH:MM:SS'
    BOOLEAN = 4  # text = 'true' or 'false'
    ERROR = 5  # text = '#REF!', '#DIV/0!', '#N/A', ...
    UNCALCULATED = 6  # a formula without a stored result; text = '' (the formula itself is not kept)
    MISPLACED = (
        7  # a text of a CSV record that has more or fewer cells than its header: it may belong to another column
    )
    UNDECODED = 8  # a text in an encoding that could not be told; as it arrived, by code points
    DOUBTFUL_LABEL = 9  # a row label that contradicts the total row above it: the row may belong to another unit
    SEVERAL_MARKED = 10  # a value that stands in one of several columns, of which more than one is marked


@dataclass
class Problem:
    """Something said about a submission as a whole: a code of :mod:`schemas.codes` and its parameters."""

    code: str
    params: dict[str, Any] = field(default_factory=dict)


@dataclass
class Grid:
    """One sheet (or CSV file) as columns of text and kinds.

    ``frame`` has ``_row`` (Int32, the sheet's own row number, or the record number of a CSV counting from 1), then per
    sheet column its letter ('A', 'B', ...) as String and '<letter>__k' as UInt8. Rows that the file leaves out are absent.
    """

    name: str
    index: int
    frame: pl.DataFrame
    hidden: bool = False
    hidden_rows: tuple[int, ...] = ()
    merged: tuple[tuple[int, int, int, int], ...] = ()
    """Merged ranges as (first row, first column, last row, last column), 1-based."""
    bold_rows: frozenset[int] = frozenset()
    cells: pl.Series | None = None
    """How many cells each record of a CSV has (UInt32); the rest of its row is filled with blanks. None for a workbook."""
    notes: list[Problem] = field(default_factory=list)
    """What the sender is told of how the cells were read: encodings that were found, cells in none."""


class Unreadable(Exception):
    """A delivery, or a table in it, that cannot be read: becomes a rejection with a code, never a crash."""

    def __init__(self, code: str, **params: Any) -> None:
        super().__init__(code)
        self.problem = Problem(code, params)


def address_of(letters: str, row: int) -> str:
    """'B' and 17 -> 'B17'; 'E:F' and 17 -> 'E17:F17'; the row alone where there is no column."""
    return ":".join(f"{letter}{row}" for letter in letters.split(":"))


@dataclass
class Control:
    """A total stated by the sender: the value of a column in a total row and the data rows that it covers."""

    sheet: int
    row: int
    column: str
    text: str
    first_row: int
    last_row: int


@dataclass
class SheetLayout:
    """Where a table was found: enough to turn (row, column name) into an address such as ``B17``."""

    sheet: int
    name: str
    hidden: bool
    header_rows: tuple[int, int]
    columns: dict[str, str]
    """Contract column -> sheet column letter, or first and last of those that its value is spread over ('E:F')."""
    headers: dict[str, str]
    """Contract column -> header text as sent."""
    unmatched: dict[str, str] = field(default_factory=dict)
    """Sheet column letter -> header text that no contract column answers to."""
    rows_below_header: int = 0
    units: dict[str, str] = field(default_factory=dict)
    """Contract column -> unit as stated in the brackets of its header, else in the sheet's line 'ĐVT: ...'."""
    given: dict[str, str] = field(default_factory=dict)
    """Contract column without a header -> its value for all rows, from the sheet's name or title."""


@dataclass
class FoundTable:
    """All rows of one dataset in one delivery, over one or several sheets.

    ``rows``: ``_sheet`` (Int16), ``_row`` (Int32), then per matched contract column its name (String) and '<name>__k'
    (UInt8); of a CSV also ``_uneven`` (Boolean: the record has another number of cells than the header).
    ``set_aside``: ``_sheet``, ``_row``, ``reason`` (TITLE, HEADER, SECTION, TOTAL, NOTE, BLANK), ``text``.
    Conservation: ``rows_read == rows.height + set_aside.height``.
    """

    dataset: str
    rows: pl.DataFrame
    set_aside: pl.DataFrame
    layouts: list[SheetLayout]
    rows_read: int
    controls: list[Control] = field(default_factory=list)
    stated_as_of: date | None = None
    stated_as_of_address: str | None = None
    period: str | None = None
    """Label of the period that its sheets say by their names or titles; None: they say none."""
    problems: list[Problem] = field(default_factory=list)
    """Warnings: hidden sheets, hidden rows, unknown columns, several sheets."""
