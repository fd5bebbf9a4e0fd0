"""One value over several columns: ticks under 'Nam' | 'Nữ', a year under the column of the person's sex (domain.md N19, N26).

Here: which columns of a table hold such a value, and putting it together as one column of text and kind, so that cleaning
sees a column like any other. Not here: what the text means.

Exactly one of the columns may say something: where several do, or one of them cannot be read, the value has the kind
SEVERAL_MARKED, so that no damage to one cell turns one value into another (law 7).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from schemas.contract import Column, Contract
from schemas.grid import KIND, Kind
from schemas.semantic.lists import ticks

Parents = Callable[[tuple[str, ...]], str | None]
"""Header texts above a sub-header -> the contract column that they name."""


@dataclass(frozen=True)
class Spread:
    """Where a value is: letter -> the value that a mark in it means, None where the cell's own text is the value.

    ``ticks``: the cells hold ticks; otherwise whatever is filled counts as a mark.
    """

    letters: Mapping[str, str | None]
    ticks: bool = True

    @property
    def place(self) -> str:
        """Its columns as one, 'E:F'."""
        letters = list(self.letters)
        return f"{letters[0]}:{letters[-1]}"


def sub_headers(column: Column) -> dict[str, str | None]:
    """Sub-header as written -> value (None: the cell's own text) of a column with the option ``spread``; else empty."""
    option: Any = column.options.get("spread", ())
    if isinstance(option, Mapping):
        return {text: value for value, texts in option.items() for text in texts}
    return dict.fromkeys(option)


def find_spread(
    contract: Contract, texts: Mapping[str, tuple[str, ...]], taken: Mapping[str, Any], fold: Callable[[str], str], parents: Parents
) -> dict[str, Spread]:  # fmt: skip
    """The columns of a contract that stand spread over several columns of a table, and have none of their own (``taken``).

    ``texts``: letter -> header texts from top to bottom. Sub-headers stand under a header of the column; ticks also
    without one, if all of them are there; and ticks are read from the sub-columns of another column's value too, since
    a year under 'Nữ' says the sex as well.
    """
    found: dict[str, Spread] = {}
    spread = {c.name: {fold(t): v for t, v in sub_headers(c).items()} for c in contract.columns if c.name not in taken}
    own = {name: values for name, values in spread.items() if values}
    if not own:
        return found
    children = {x: (fold(stack[-1]), parents(stack[:-1]) if len(stack) > 1 else None) for x, stack in texts.items()}
    for name, values in own.items():
        under = {x: values[child] for x, (child, parent) in children.items() if parent == name and child in values}
        if len(under) > 1:
            found[name] = Spread(under, ticks=None not in under.values())
    for name, values in own.items():
        if name in found or None in values.values():
            continue
        alone = {x: values[c] for x, (c, _) in children.items() if c in values and len(texts[x]) == 1}
        if set(alone.values()) == set(values.values()):
            found[name] = Spread(alone)
            continue
        for other in list(found.values()):
            shared = {x: values.get(children[x][0]) for x in other.letters}
            if None in other.letters.values() and None not in shared.values():
                found[name] = Spread(shared, ticks=False)
    return found


def doubled(spread: Spread) -> tuple[str, ...]:
    """Letters of sub-columns that mean the same value: nobody knows which of them is meant."""
    values = [v for v in spread.letters.values() if v is not None]
    return tuple(x for x, v in spread.letters.items() if values.count(v or "") > 1)


def put_together(frame: pl.DataFrame, column: Column, spread: Spread) -> list[pl.Series]:
    """The value of each row of ``frame`` (per letter text and kind) as text and kind, named for the column."""
    letters = [x for x in spread.letters if x in frame.columns]
    kinds = {x: pl.col(x + KIND) for x in letters}
    said = frame.with_columns(_tick_of(frame[x], frame[x + KIND], spread).alias(x + "?") for x in letters)
    count = pl.sum_horizontal(
        pl.lit(0, pl.UInt32), *(pl.col(x + "?").fill_null(False).cast(pl.UInt32) for x in letters)
    )
    unread = pl.any_horizontal(pl.lit(False), *(pl.col(x + "?").is_null() for x in letters))
    broken = pl.coalesce(
        *(pl.when(kinds[x].is_in([int(Kind.ERROR), int(Kind.UNCALCULATED)])).then(kinds[x]) for x in letters),
        pl.lit(None, pl.UInt8),
    )
    marked = {x: pl.col(x + "?").fill_null(False) for x in letters}
    texts = {x: pl.col(x) if spread.letters[x] is None else pl.lit(spread.letters[x]) for x in letters}
    sent = pl.concat_str(
        [pl.when(pl.col(x).str.contains(r"\S")).then(x) for x in letters], separator=" | ", ignore_nulls=True
    )
    several = pl.concat_str([pl.when(marked[x]).then(texts[x]) for x in letters], separator="/", ignore_nulls=True)
    highest = bool(column.options.get("highest")) and None not in spread.letters.values()
    one = pl.coalesce(*(pl.when(marked[x]).then(texts[x]) for x in letters), pl.lit(""))
    kind_of_one = pl.coalesce(
        *(pl.when(marked[x]).then(kinds[x] if spread.letters[x] is None else pl.lit(int(Kind.TEXT), pl.UInt8)) for x in letters),
        pl.lit(int(Kind.BLANK), pl.UInt8),
    )  # fmt: skip
    clear = broken.is_null() & ~unread
    return said.select(
        pl.when(clear & (count <= 1)).then(one).when(clear & highest).then(several).otherwise(sent).alias(column.name),
        pl.when(broken.is_not_null()).then(broken)
        .when(clear & (count <= 1)).then(kind_of_one)
        .when(clear & highest).then(pl.lit(int(Kind.TEXT), pl.UInt8))
        .otherwise(pl.lit(int(Kind.SEVERAL_MARKED), pl.UInt8))
        .cast(pl.UInt8).alias(column.name + KIND),
    ).get_columns()  # fmt: skip


def _tick_of(text: pl.Series, kind: pl.Series, spread: Spread) -> pl.Series:
    """Whether each cell is marked; null where that cannot be read."""
    blank = (kind == int(Kind.BLANK)) | ~text.str.contains(r"\S")
    marks = ticks(text) if spread.ticks else ~text.str.contains(r"^\s*[-–—]\s*$")
    return marks.zip_with(~blank, pl.Series([False]))
