"""Which unit a sheet states for a column: in the brackets of its header, else in a line 'ĐVT: triệu đồng' (domain.md N15).

Here: telling units from other remarks in brackets, and for which columns a line speaks that stands for all of a table.
Not here: what a unit does to a number (:mod:`schemas.semantic.numbers`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from schemas.contract import Column, Contract
from schemas.semantic.numbers import unit_of
from schemas.text import clean_one

_BRACKETS = re.compile(r"\(([^()]*)\)|\[([^\[\]]*)\]")
_SAID = r"(?:đvt|dvt|đ\.v\.t|đơn vị tính|don vi tinh)\b\s*[:.\-–]?\s*"
_LINE = re.compile(
    rf"(?i)(?:(?<!\w){_SAID}|(?:^|[(\[])\W*(?P<loose>đơn vị|don vi)\s*:\s*)(?P<unit>[^()\[\]]*)(?:[)\]]|$)"
)
"""'ĐVT: người', '(Đơn vị tính: 1.000 đồng)', 'Dân số … (ĐVT: Người)'; 'Đơn vị: …' may as well name an office."""
_PREFIX = re.compile(rf"(?i)^\W*(?:{_SAID}|(?:đơn vị|don vi|tính bằng|tinh bang)\s*:?\s*)")
_PARTS = re.compile(r"\s*[,;]\s*|\s+(?:và|/|-|–)\s+")
_NAMES = frozenset(
    (
        "nguoi", "ho", "dong", "phan tram", "usd", "km2", "m2", "m3", "ha", "km", "m", "kg", "ta", "tan", "lit", "kwh", "mbps",
        "luot", "luot nguoi", "ho so", "may", "chiec", "don vi", "van ban", "truong hop", "co so", "hoc sinh", "lao dong",
        "gio", "nguoi km2",
    )
)  # fmt: skip
"""What a text in brackets may name besides the units of the contract; 'năm', 'tháng', 'thôn' are remarks as often."""
_READ = 1000
"""Characters of a title or header that are read; patterns take squared time on prose without end."""


def units_of(
    contract: Contract,
    columns: Mapping[str, str],
    texts: Mapping[str, Sequence[str]],
    lines: Iterable[str],
) -> dict[str, str]:
    """Contract column -> the unit that is stated for it, as sent; columns of which nothing is said are absent.

    ``columns``: contract column -> letter; ``texts``: letter -> header texts from top to bottom; ``lines``: the cells above
    the rows. Brackets win, the innermost first. A line speaks of the columns whose own unit it is a multiple of; where
    there is none, of all figures, so that cleaning says that it is another. Units that contradict each other are
    returned together, as no unit that anything can be scaled by.
    """
    figures = [c for c in contract.columns if c.logical_type in ("integer", "number") and c.name in columns]
    own = {unit_of(c.unit)[1] for c in contract.columns if c.unit}
    found: dict[str, str] = {}
    for column in figures:
        for text in reversed(texts.get(columns[column.name], ())):
            stated = {t for t in _bracketed(text) if _is_unit(t, own)}
            if stated:
                found[column.name] = " / ".join(sorted(stated))
                break
    said = sorted({part for line in lines for part in _line(line, own)})
    meant = {c.name: [s for s in said if _speaks_of(c, s)] for c in figures}
    if said and not any(meant.values()):
        meant = {c.name: said for c in figures if c.semantic_type != "percent"}
    return {name: " / ".join(units) for name, units in meant.items() if units} | found


def _line(cell: str, own: set[str]) -> list[str]:
    """The units that a cell states for the table."""
    match = _LINE.search(clean_one(cell[:_READ]))
    text = match["unit"].strip(" .:") if match else ""
    if not match or not re.search(r"[\w%]", text):
        return []
    parts = [text] if _is_unit(text, own) else [p for p in _PARTS.split(text) if p]
    return parts if not match["loose"] or all(_is_unit(p, own) for p in parts) else []


def _bracketed(text: str) -> list[str]:
    return [_PREFIX.sub("", a or b).strip(" .:") for a, b in _BRACKETS.findall(clean_one(text[:_READ]))]


def _is_unit(text: str, own: set[str]) -> bool:
    factor, name = unit_of(text)
    return name in own or name in _NAMES or (not name and factor > 1)


def _speaks_of(column: Column, text: str) -> bool:
    factor, name = unit_of(text)
    mine = unit_of(column.unit or {"money": "đồng", "percent": "%"}.get(column.semantic_type, ""))[1]
    if not name:
        return factor > 1 and bool(mine) and column.semantic_type != "percent"
    return name == mine
