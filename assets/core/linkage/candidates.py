"""Which pairs of records are looked at at all: vectorised blocking.

Belongs here: the joins that find pairs worth a score. Does not belong here: any judgement of a pair. A pass must be narrow:
what it joins on is rarer than a name, and the passes between keyed records (each of them has an ID of its own) ask for
IDs that are near besides.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

_DOUBTFUL: tuple[tuple[tuple[str, str], ...], ...] = (
    # what a record without a valid ID has in common with one that has: (own column, column of the keyed record)
    (("tokens", "tokens"), ("day", "day")),
    (("tokens", "tokens"), ("swapped", "day")),
    (("tokens", "tokens"), ("year", "year")),
    (("tokens", "tokens"), ("commune", "commune")),
    (("first", "first"), ("day", "day")),
    (("last", "last"), ("day", "day")),
    (("last", "last"), ("swapped", "day")),
    (("head", "head"), ("tail", "tail")),
    (("middle", "middle"), ("tail", "tail")),
    (("head", "head"), ("middle", "middle")),
    (("last", "last"), ("end", "end")),
    (("card", "card"),),
)
_MISTYPED: tuple[tuple[str, ...], ...] = (
    ("tokens", "day"),
    ("tokens", "head", "tail"),
    ("tokens", "middle", "tail"),
    ("tokens", "head", "middle"),
    ("day", "head", "tail"),
    ("day", "middle", "tail"),
    ("day", "head", "middle"),
)
_PAIR = {"left": pl.Int64, "right": pl.Int64}


def doubtful(blocked: pl.DataFrame) -> pl.DataFrame:
    """left, right: pairs of a record that is not keyed with one that is, in no order."""
    blocked = blocked.with_columns(end=pl.col("whole").str.slice(6))
    asking, keyed = blocked.filter(~pl.col("keyed")), blocked.filter(pl.col("keyed"))
    found = []
    for columns in _DOUBTFUL:
        own, other = [a for a, _ in columns], [b for _, b in columns]
        one = asking.select("record", *own).drop_nulls()
        if one.is_empty():
            continue
        many = keyed.select(right="record", **{f"_{b}": pl.col(b) for b in other}).drop_nulls()
        found.append(
            one.join(many, left_on=own, right_on=[f"_{b}" for b in other]).select(left="record", right="right")
        )
    return _pairs(found)


def same_id(blocked: pl.DataFrame) -> pl.DataFrame:
    """left, right: pairs of keyed records with one and the same ID."""
    keyed = blocked.filter(pl.col("keyed"))
    return _pairs([_within(keyed, ["personal_id"])])


def mistyped(blocked: pl.DataFrame) -> pl.DataFrame:
    """left, right: pairs of keyed records whose IDs differ in one digit or two, and that share the name or the day."""
    keyed = blocked.filter(pl.col("keyed"))
    pairs = _pairs([_within(keyed, list(columns)) for columns in _MISTYPED])
    if pairs.is_empty():
        return pairs
    ids = keyed.select("record", "personal_id")
    beside = pairs.join(ids, left_on="left", right_on="record", maintain_order="left").join(
        ids, left_on="right", right_on="record", suffix="_right", maintain_order="left"
    )
    return beside.filter(differing_digits("personal_id", "personal_id_right").is_between(1, 2)).select("left", "right")


def differing_digits(one: str, other: str) -> pl.Expr:
    """In how many places two columns of twelve digits differ."""
    return pl.sum_horizontal(
        pl.col(one).str.slice(at, 1).ne(pl.col(other).str.slice(at, 1)).cast(pl.Int8) for at in range(12)
    )


def _within(records: pl.DataFrame, columns: list[str]) -> pl.DataFrame:
    """Pairs of records that agree in all the columns."""
    keys = records.select("record", *columns).drop_nulls()
    keys = keys.filter(keys.select(pl.struct(columns).is_duplicated()).to_series())
    return (
        keys.join(keys, on=columns, suffix="_right")
        .filter(pl.col("record") < pl.col("record_right"))
        .select(left="record", right="record_right")
    )


def _pairs(found: Sequence[pl.DataFrame]) -> pl.DataFrame:
    if not found:
        return pl.DataFrame(schema=_PAIR)
    pairs = pl.concat(found)
    return pairs.select(left=pl.min_horizontal("left", "right"), right=pl.max_horizontal("left", "right")).unique()
