"""Names of persons: titles and marks around them, names in capitals.

Rules N6 and N27 of the domain brief. Nothing else of a name is touched: no order of its words, no i for y, no initials.
"""

from __future__ import annotations

import re
from datetime import date

import polars as pl

from schemas.contract import Column
from schemas.grid import Kind
from schemas.semantic.base import Cell, ReadCell, SemanticType, without
from schemas.semantic.texts import FORMULA_SIGNS, LENGTH, LETTERS, no_name
from schemas.text import fold_one, match_key

_TITLE = re.compile(
    r"(?:(?:ông|bà)(?:[.:/] ?| )|(?:đ/c|đ\.c|đc|đồng chí)[.:]? |(?:đ/c|đ\.c)[.:]?|(?:ô|b)[.:] ?"
    r"|(?:(?:gs|pgs|ts|ths|bs|ks|cn|ls|ncs|ds|đd|cki|ckii)[.] ?)+)(?=\S)",
    re.IGNORECASE,
)
_MARK = re.compile(r" ?(?:\((?:nữ|nam|\*+)\)|\*+)$", re.IGNORECASE)
_AFTER_SURNAME = ("thi", "van", "ich", "the")
"""After 'Ông' these may be the rest of a name whose surname is Ông (Ông Ích Khiêm), as any two words may (Ông Cao Thắng)."""
_LETTER = f"A-Za-z{LETTERS}"
_PLAIN = f"^[{_LETTER}][{_LETTER}'’.-]*(?: [{_LETTER}][{_LETTER}'’.-]*)*$"
_QUICK_TITLE = r"(?i)^(?:ông|bà|đồng|đc|đ|ô|b|gs|pgs|ts|ths|bs|ks|cn|ls|ncs|ds|đd|cki|ckii)\b"


def _without_title(text: str) -> str | None:
    """The name behind its titles; None where 'Ông' may be the surname."""
    while found := _TITLE.match(text):
        rest = text[found.end() :]
        if found[0].lower() == "ông ":
            words = fold_one(rest).split()
            if len(words) < 3 or words[0] in _AFTER_SURNAME:
                return None
        text = rest
    return text


def _capitalised(text: str) -> str:
    """'NGUYỄN T. H'LAN' -> 'Nguyễn T. H'Lan': the first letter of each syllable, also after an apostrophe or hyphen."""
    return re.sub(r"[^\W\d_]+", lambda m: m[0][0] + m[0][1:].lower(), text)


def _person_cell(column: Column) -> ReadCell:
    def read(text: str, kind: int, received: date) -> Cell:
        if kind == Kind.DATE:
            return Cell(issue="DATE_CELL")
        if text.startswith(FORMULA_SIGNS):
            return Cell(issue="FORMULA_TEXT")
        if "?" in text or not fold_one(text):
            return Cell(issue="UNREADABLE_TEXT")
        bare = text
        while mark := _MARK.search(bare):
            bare = bare[: mark.start()]
        name = _without_title(bare)
        if name is None:
            return Cell(issue="AMBIGUOUS_NAME")
        if re.search(r"\d", name):
            return Cell(issue="TWO_FACTS")
        if not fold_one(name) or name.startswith(FORMULA_SIGNS):
            return Cell(issue="UNREADABLE_TEXT")
        shown = _capitalised(name) if name.isupper() else name
        return Cell(shown, None, "TITLE" if name != text else "CAPITALS" if shown != name else None)

    return read


def _quick_person(column: Column, raw: pl.Series, kind: pl.Series) -> pl.Series:
    """Letters, of which one at least is small, and no word in front that may be a title."""
    plain = raw.str.contains(_PLAIN) & raw.str.contains(r"\p{Ll}") & ~raw.str.contains(_QUICK_TITLE)
    return without(raw, ~plain.fill_null(False))


PERSON_NAME = SemanticType(
    name="person_name",
    doc="A person's name without titles and marks; a name all in capitals gets capital initials.",
    logical_types=("string",),
    options=LENGTH,
    cell=_person_cell,
    quick=_quick_person,
    check=no_name,
    key=match_key,
    keeps_text=True,
)
