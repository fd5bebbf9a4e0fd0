"""Cells that hold a text whatever it begins with: what a sender wrote must not run as a formula, nor lose its digits."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any

from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE, Cell

from schemas.text import FORMULA_SIGNS, inert_one

_LONGEST = 32_000
"""Characters of a cell (Excel's bound is 32,767)."""


def write_text(cell: Cell, text: str) -> None:
    """Write a text as a text, whatever it begins with and however many digits it has."""
    safe = ILLEGAL_CHARACTERS_RE.sub("\N{REPLACEMENT CHARACTER}", text)[:_LONGEST]
    cell.value = safe
    cell.data_type = "s"
    cell.number_format = "@"
    if safe.startswith(FORMULA_SIGNS):
        cell.quotePrefix = True


def csv_bytes(rows: Iterable[Sequence[Any]]) -> bytes:
    """A CSV with a byte order mark, as spreadsheets want it. A text that would run as a formula has an apostrophe before it."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    for row in rows:
        writer.writerow([inert_one(cell) if isinstance(cell, str) else cell for cell in row])
    return out.getvalue().encode("utf-8-sig")
