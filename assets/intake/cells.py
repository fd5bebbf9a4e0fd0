"""Cells put one by one, in any order -> a grid; shared by the readers of all formats but .xlsx and CSV, which have
quicker ways of their own.

Here: the shape of a grid, the bounds on what one sheet may grow to, and that its texts are in Unicode in the end
(:mod:`.decoding`). Not here: what a stored cell means.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable

import numpy as np
import polars as pl

from schemas import messages
from schemas.grid import KIND, Grid, Kind, Problem, Unreadable

from .decoding import CellFont, decode_fonts, decode_names, decode_sheet, suspicious
from .limits import MIB, Limits
from .workbook import letters

_BLANK, _UNCALCULATED = int(Kind.BLANK), int(Kind.UNCALCULATED)


class Cells:
    """Collects the cells of one sheet. Rows and columns count from 1; a cell put twice has what it was given last.

    ``met``: where given, the legacy encodings that are found in the sheet are added to it.
    """

    def __init__(self, limits: Limits, met: set[str] | None = None) -> None:
        self.limits = limits
        self.met: set[str] = set() if met is None else met
        self.merged: list[tuple[int, int, int, int]] = []
        self.hidden: set[int] = set()
        self._columns: dict[int, tuple[array[int], list[str], bytearray]] = {}
        self._fonts: dict[int, dict[int, CellFont]] = {}
        self._bold: set[int] = set()
        self._not_bold: set[int] = set()
        self._count = 0
        self._bytes = 0

    def expect(self, count: int) -> None:
        """So many cells are about to be put: refuse them before they take any memory."""
        if self._count + count > self.limits.cells:
            raise Unreadable("TOO_LARGE", limit=messages.text("limit", "cells", n=self.limits.cells))

    def put(
        self,
        row: int,
        column: int,
        text: str,
        kind: int,
        bold: bool = False,
        times: int = 1,
        font: CellFont | None = None,
    ) -> None:
        """One cell, or the same one in ``times`` rows one below the other. A blank one, or an empty text, is no cell.

        ``font``: the legacy encoding that the cell's font shows, or its runs.
        """
        if kind == _BLANK or not (text or kind == _UNCALCULATED):
            return
        self._count += times
        self._bytes += times * len(text)
        held = self._columns.get(column)
        if held is None:
            held = self._column(column)
        if self._count > self.limits.cells or self._bytes > self.limits.text_bytes:
            self._too_many()
        if row < 1 or row + times - 1 > self.limits.rows:
            raise Unreadable("TOO_LARGE", limit=messages.text("limit", "rows", n=self.limits.rows))
        rows, texts, kinds = held
        if font is not None:
            self._fonts.setdefault(column, {}).update(dict.fromkeys(range(len(rows), len(rows) + times), font))
        if times == 1:
            rows.append(row)
            texts.append(text)
            kinds.append(kind)
            (self._bold if bold else self._not_bold).add(row)
        else:
            rows.extend(range(row, row + times))
            texts.extend([text] * times)
            kinds.extend(bytes([kind]) * times)
            (self._bold if bold else self._not_bold).update(range(row, row + times))

    def _column(self, column: int) -> tuple[array[int], list[str], bytearray]:
        if len(self._columns) >= self.limits.columns or not 1 <= column <= 16_384:
            raise Unreadable("TOO_LARGE", limit=messages.text("limit", "columns", n=self.limits.columns))
        return self._columns.setdefault(column, (array("i"), [], bytearray()))

    def _too_many(self) -> None:
        if self._count > self.limits.cells:
            raise Unreadable("TOO_LARGE", limit=messages.text("limit", "cells", n=self.limits.cells))
        raise Unreadable("TOO_LARGE", limit=messages.text("limit", "text_mb", n=self.limits.text_bytes // MIB))

    def merge(self, ranges: Iterable[tuple[int, int, int, int]]) -> None:
        """Merged ranges (first row, first column, last row, last column); a single cell is none."""
        for top, left, bottom, right in ranges:
            bottom, right = min(bottom, self.limits.rows), min(right, 16_384)
            if (bottom, right) > (top, left) and bottom >= top and right >= left:
                self.merged.append((top, left, bottom, right))

    def grid(self, name: str, index: int, hidden: bool = False) -> Grid:
        """The grid; rows and columns without content are absent, a bold row is bold in all its cells with content."""
        where = messages.text("where", "sheet", name=name) if name else messages.text("where", "file")
        notes: list[Problem] = []
        if self._fonts:
            columns = {letters(column): (texts, kinds) for column, (_, texts, kinds) in self._columns.items()}
            encodings, notes = decode_fonts(columns, {letters(c): fonts for c, fonts in self._fonts.items()}, where)
            self.met |= encodings
        numbers = [np.array(rows, dtype=np.int32) for rows, _, _ in self._columns.values()]
        every = np.unique(np.concatenate(numbers)) if numbers else np.zeros(0, dtype=np.int32)
        height = len(every)
        if height * len(self._columns) > self.limits.cells:
            raise Unreadable("TOO_LARGE", limit=messages.text("limit", "cells", n=self.limits.cells))
        series = [pl.Series("_row", every)]
        for column in sorted(self._columns):
            rows, texts, codes = self._columns[column]
            letter = letters(column)
            own, kinds = np.array(rows, dtype=np.int32), np.frombuffer(codes, dtype=np.uint8)
            if len(own) != height or not np.array_equal(own, every):
                at = np.searchsorted(every, own)
                spread, known = np.full(height, "", dtype=object), np.zeros(height, dtype=np.uint8)
                spread[at], known[at] = texts, kinds
                texts, kinds = spread.tolist(), known
            series += [pl.Series(letter, texts, dtype=pl.String), pl.Series(letter + KIND, kinds)]
        present = set(every.tolist())
        frame, more = in_unicode(pl.DataFrame(series), where, self.met)
        return Grid(
            name=name,
            index=index,
            frame=frame,
            notes=[*notes, *more],
            hidden=hidden,
            hidden_rows=tuple(sorted(self.hidden & present)),
            merged=tuple(self.merged),
            bold_rows=frozenset(self._bold - self._not_bold),
        )


def in_unicode(frame: pl.DataFrame, where: str, met: set[str]) -> tuple[pl.DataFrame, list[Problem]]:
    """A grid's frame with the texts that arrived in a legacy encoding decoded, and notes; ``met`` gets the encodings."""
    if not any(suspicious(frame[c].to_list()) for c in frame.columns if c != "_row" and not c.endswith(KIND)):
        return frame, []
    frame, encodings, notes = decode_sheet(frame, where)
    met |= encodings
    return frame, notes


def with_names_in_unicode(grids: list[Grid], met: set[str]) -> list[Grid]:
    """The grids of a workbook with their names decoded as its cells were: names have no font."""
    if not all(grid.name.isascii() for grid in grids):
        for grid, name in zip(grids, decode_names([grid.name for grid in grids], met), strict=True):
            grid.name = name
    return grids
