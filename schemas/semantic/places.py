"""Places beyond a single code: the path of a unit's name, and the entry of a list of units.

A name of a commune means something only within its district and province (domain.md §3: twins, names used again). Both
types here read what other columns of the row say. Not here: the lists of units and the search in them
(``assets.reference``).
"""

from __future__ import annotations

import polars as pl

from schemas.contract import Column
from schemas.semantic.base import COMMON_OPTIONS, Cleaned, Context, SemanticType, nulls, without
from schemas.semantic.texts import CODE, NAME
from schemas.text import place_key

_AREAS = ("province", "district")
_SEPARATOR = "/"


def _path(column: Column, cleaned: Cleaned, raw: pl.Series, context: Context) -> Cleaned:
    """Province, district and unit in comparison form: 'tỉnh khánh hoà/thành phố nha trang/phường vĩnh hải'.

    A row whose form has no column for the unit speaks of the area itself. Where there is such a column, a blank in it names
    nobody, unless the contract says ``partial``; and so does a cell that cannot be read.
    """
    height = raw.len()
    absent = context.absent if context.absent is not None else pl.Series([False]).new_from_index(0, height)
    blank = cleaned.value.is_null() & (cleaned.issue.is_null() | (cleaned.issue == "MISSING"))
    stands = blank & (absent | pl.Series([bool(column.options.get("partial"))]).new_from_index(0, height))
    pieces = [context.sibling(column, name) for name in _AREAS if name in column.options]
    texts = [p if p is not None else nulls(height, pl.String) for p in (*pieces, cleaned.value)]
    keys = [place_key(t.cast(pl.String)).str.replace_all(_SEPARATOR, " ", literal=True).fill_null("") for t in texts]
    frame = pl.DataFrame([k.alias(str(n)) for n, k in enumerate(keys)])
    joined = frame.select(pl.concat_str(pl.all(), separator=_SEPARATOR).str.strip_chars_end(_SEPARATOR)).to_series()
    nobody = (cleaned.value.is_null() & ~stands) | (joined.str.len_bytes() == 0)
    value = without(joined, nobody)
    return Cleaned(value.rename(column.name), without(cleaned.issue, value.is_not_null()), nulls(height, pl.String))


def _listed(column: Column, cleaned: Cleaned, raw: pl.Series, context: Context) -> Cleaned:
    """A code is one of a list only together with the name that it has on the row's day: codes are used again."""
    names = context.sibling(column, "unitName")
    if context.listed_unit is None or names is None:
        return cleaned
    asked = cleaned.value.is_not_null() & names.is_not_null()
    if not asked.any():
        return cleaned
    rows = pl.DataFrame({"code": cleaned.value, "name": names, "as_of": context.as_of}).filter(asked)
    answers = context.listed_unit(rows)
    at = asked.arg_true()
    issue = cleaned.issue.scatter(at, answers["issue"])
    detail = nulls(raw.len(), pl.String).scatter(at, answers["detail"])
    wrong = issue.is_not_null()
    return Cleaned(without(cleaned.value, wrong), issue, without(cleaned.repair, wrong), detail)


PLACE_PATH = SemanticType(
    name="place_path",
    doc="The name of a unit within its district and province, in comparison form: a key where there is no code.",
    logical_types=("string",),
    options={
        **COMMON_OPTIONS,
        "province": "column with the name of the province",
        "district": "column with the name of the district",
        "partial": "true: a blank name means the district, or the province",
    },
    siblings={"province": ("name",), "district": ("name",)},
    cell=NAME.cell,
    quick=NAME.quick,
    check=NAME.check,
    finish=_path,
)
LISTED_UNIT = SemanticType(
    name="listed_unit",
    doc="The five-digit code of an entry in a list of units; it must have the entry's name on the row's day.",
    logical_types=("string",),
    options={**COMMON_OPTIONS, "unitName": "column with the name of the unit", "width": "number of digits"},
    siblings={"unitName": ("name",)},
    cell=CODE.cell,
    quick=CODE.quick,
    finish=_listed,
)
