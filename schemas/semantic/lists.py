"""Code lists and tick marks: cells that hold one of a few values, spelled in many ways.

Rule N19 of the domain brief for ticks. A list matches by its own values and labels first, then by synonyms and without
diacritics, unless two entries would then be the same (N5). By option also with abbreviations written out (N7), with the
name of a body or place behind it, by keywords, the highest of several (N25), the post of someone who acts in it (N28).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date

import polars as pl

from schemas.contract import Column
from schemas.grid import Kind
from schemas.semantic.base import COMMON_OPTIONS, Cell, ReadCell, SemanticType, is_missing, is_pending
from schemas.text import clean_one, clean_text, fold_one, match_key, match_key_one

_TRUE = ("x", "v", "có", "true", "đúng", "1", "+", "✓", "✔", "☑", "☒", "√", "yes", "y")
_FALSE = ("không", "ko", "false", "sai", "0", "-", "–", "—", "☐", "□", "no", "n")
_TICKS = {**{match_key_one(t): True for t in _TRUE}, **{match_key_one(t): False for t in _FALSE}}
_QUICK_TICKS = {"x": True, "X": True, "1": True, "true": True, "0": False, "false": False}


def ticks(texts: pl.Series) -> pl.Series:
    """Whether each text is a tick (true) or a word or sign for none (false); null for any other text."""
    words = match_key(clean_text(texts))
    return words.replace_strict(list(_TICKS), list(_TICKS.values()), default=None, return_dtype=pl.Boolean())


def _boolean_cell(column: Column) -> ReadCell:
    def read(text: str, kind: int, received: date) -> Cell:
        tick = _TICKS.get(match_key_one(text))
        return Cell(issue="BAD_BOOLEAN") if tick is None else Cell(tick)

    return read


def _quick_boolean(column: Column, raw: pl.Series, kind: pl.Series) -> pl.Series:
    return _look_up(raw, _QUICK_TICKS, pl.Boolean())


def _exact(column: Column) -> dict[str, str]:
    """Values and labels as they are written; a value wins over a label of another entry."""
    return {**{clean_one(e.label): e.value for e in column.enum if e.label}, **{e.value: e.value for e in column.enum}}


def _unique_keys(column: Column, key: Callable[[str], str]) -> dict[str, str]:
    """Spelling -> value for spellings that belong to one value only.

    A value of several words is a code and none of its spellings: 'Bí thư' is not all that BI_THU means."""
    owners: dict[str, set[str]] = {}
    for entry in column.enum:
        code = () if "_" in entry.value and key is not match_key_one else (entry.value,)
        for spelling in (*code, entry.label, *entry.synonyms):
            owners.setdefault(key(spelling), set()).add(entry.value)
    return {spelling: min(values) for spelling, values in owners.items() if spelling and len(values) == 1}


ABBREVIATIONS = {
    "bt": "bi thu", "pbt": "pho bi thu", "ct": "chu tich", "pct": "pho chu tich", "gd": "giam doc", "pgd": "pho giam doc",
    "tp": "truong phong", "ptp": "pho truong phong", "vp": "van phong", "tt": "trung tam", "cn": "chu nhiem",
    "ubnd": "uy ban nhan dan", "hdnd": "hoi dong nhan dan", "ubkt": "uy ban kiem tra", "du": "dang uy",
    "mttq": "mat tran to quoc", "mttqvn": "mat tran to quoc viet nam",
}  # fmt: skip
"""Tokens of posts and offices, folded; written out for comparison only, never in what is stored."""
_ACTING = re.compile(r"(?:(?:quyền|phụ trách|phó phụ trách) |(?:q|pt)\. ?)(?=\S)", re.IGNORECASE)
_SEVERAL = re.compile(r" ?[/,;+&] ?| và | - ")


def _written_out(text: str) -> str:
    return " ".join(ABBREVIATIONS.get(word, word) for word in fold_one(text).split())


_NOT_A_NAME = re.compile(r"[/;,+&()]| và |\bkiêm\b", re.IGNORECASE)
"""What stands in no name of a body or place, but between two facts."""


def _with_name_behind(column: Column, one: Callable[[str], Cell]) -> Callable[[str], Cell]:
    """'Chủ tịch UBND xã Cam Lâm': a spelling of the list, and behind it the name of the body or place, which begins with a
    word of ``followedBy``. Not where anything behind it is of the list too: that would be two facts."""
    starts = {fold_one(word) for word in column.options.get("followedBy", ())}
    if not starts:
        return one

    def read(text: str) -> Cell:
        got = one(text)
        if got.issue is None or _NOT_A_NAME.search(text):
            return got
        words = re.split(r" - | – | — | ", text)
        for n in range(len(words) - 1, 0, -1):
            head, tail = one(" ".join(words[:n])), words[n:]
            if head.issue is not None or not any(fold_one(" ".join(tail[:m])) in starts for m in (1, 2)):
                continue
            listed = any(
                one(" ".join(tail[i:j])).issue is None for i in range(len(tail)) for j in range(i + 2, len(tail) + 1)
            )
            return got if listed else Cell(head.value, None, "NAME_BEHIND")
        return got

    return read


_NOTHING = frozenset({"khong", "khong co", "chua co"})


def _by_keyword(column: Column, one: Callable[[str], Cell]) -> Callable[[str], Cell]:
    """With ``keywords`` a spelling anywhere in the text counts, if the text has those of one value only: of spellings within
    each other the longer one ('kế toán xây dựng' has two). ``otherwise``: the value of texts that have none."""
    if not column.options.get("keywords"):
        return one
    keys = _unique_keys(column, fold_one)
    pattern = re.compile(r"\b(?:" + "|".join(sorted(map(re.escape, keys), key=len, reverse=True)) + r")\b")
    otherwise = column.options.get("otherwise")

    def read(text: str) -> Cell:
        got = one(text)
        folded = fold_one(text)
        if got.issue is None or not folded or is_missing(text):
            return got
        if folded in _NOTHING and not column.required:
            return Cell()
        if is_pending(text):
            return got
        found = {keys[m] for m in pattern.findall(folded)}
        if len(found) == 1:
            return Cell(found.pop(), None, "KEYWORD")
        return got if found or otherwise is None else Cell(otherwise, None, "OTHERWISE")

    return read


def _category_cell(column: Column) -> ReadCell:
    one = _by_keyword(column, _with_name_behind(column, _one_of_list(column)))
    ranks = {e.value: n for n, e in enumerate(column.enum)}
    acting, highest = bool(column.options.get("acting")), bool(column.options.get("highest"))

    def read(text: str, kind: int, received: date) -> Cell:
        got = one(text)
        if got.issue is None or kind != Kind.TEXT:
            return got
        if acting and re.search(r"\bkiêm\b", text, re.IGNORECASE):
            return Cell(issue="TWO_FACTS")
        if acting and (found := _ACTING.match(text)):
            post = one(text[found.end() :])
            return post._replace(repair="ACTING") if post.issue is None else post
        parts = [one(part) for part in _SEVERAL.split(text)] if highest else [got]
        if len(parts) > 1 and all(part.issue is None for part in parts):
            return Cell(min((str(part.value) for part in parts), key=ranks.__getitem__), None, "HIGHEST")
        return got

    return read


def _one_of_list(column: Column) -> Callable[[str], Cell]:
    exact, accented, folded = _exact(column), _unique_keys(column, match_key_one), _unique_keys(column, fold_one)
    full = _unique_keys(column, _written_out) if column.options.get("abbreviations") else {}
    width = int(column.options.get("width", 0))

    def read(text: str) -> Cell:
        if text in exact:
            return Cell(exact[text])
        padded = text.zfill(width) if text.isascii() and text.isdigit() else text
        if padded in exact:
            return Cell(exact[padded], None, "LEADING_ZERO")
        value = accented.get(match_key_one(text)) or folded.get(fold_one(text))
        value = value or (full.get(_written_out(text)) if full else None)
        return Cell(value, None, "CODE_LIST") if value else Cell(issue="NOT_IN_LIST")

    return read


def _quick_category(column: Column, raw: pl.Series, kind: pl.Series) -> pl.Series:
    return _look_up(raw, _exact(column), pl.String())


def _look_up(raw: pl.Series, table: dict[str, str] | dict[str, bool], dtype: pl.DataType) -> pl.Series:
    return raw.replace_strict(list(table), list(table.values()), default=None, return_dtype=dtype)


BOOLEAN = SemanticType(
    name="boolean",
    doc="A tick: x, ✓, có, 1, + are true; không, 0, - are false; a blank is neither, unless blank is false.",
    logical_types=("boolean",),
    options={**COMMON_OPTIONS, "blank": "false: an empty cell means no"},
    dtype=lambda column: pl.Boolean(),
    sql=lambda column: "boolean",
    cell=_boolean_cell,
    quick=_quick_boolean,
    quick_kinds=Kind.BOOLEAN,
)
CATEGORY = SemanticType(
    name="category",
    doc="One value of the column's code list ('enum'), by value, label or synonym.",
    logical_types=("string",),
    options={
        **COMMON_OPTIONS,
        "width": "number of digits; shorter ones are padded with zeros",
        "abbreviations": "true: PCT, UBND, ... are compared written out (N7)",
        "highest": "true: of several in a cell ('ĐH/ThS') the one that the list names first (N25)",
        "acting": "true: 'Quyền', 'Phụ trách' before a post count as its holder; 'kiêm' is two posts (N28)",
        "followedBy": "words with which the name of a body or place may begin behind a spelling ('Chủ tịch UBND xã Cam Lâm')",
        "keywords": "true: a spelling anywhere in the text counts, where the text has those of one value only",
        "otherwise": "with keywords: the value of texts that have none",
    },
    cell=_category_cell,
    quick=_quick_category,
)
