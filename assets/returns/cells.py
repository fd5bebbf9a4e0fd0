"""Cells that hold a text whatever it begins with: what a sender wrote must not run as a formula, nor lose its digits."""

from __future__ import annotations

from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE, Cell

SIGNS = ("=", "+", "-", "@", "\t", "\r", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""With these a cell begins that a spreadsheet would run once somebody edits it; some take their full-width forms for them."""
_LONGEST = 32_000
"""Characters of a cell (Excel's bound is 32,767)."""


def write_text(cell: Cell, text: str) -> None:
    """Write a text as a text, whatever it begins with and however many digits it has."""
    safe = ILLEGAL_CHARACTERS_RE.sub("\N{REPLACEMENT CHARACTER}", text)[:_LONGEST]
    cell.value = safe
    cell.data_type = "s"
    cell.number_format = "@"
    if safe.startswith(SIGNS):
        cell.quotePrefix = True
