"""Which pairs of records are looked at at all: vectorised blocking.

Belongs here: the joins that find pairs worth a score. Does not belong here: any judgement of a pair. A pass must be narrow:
what it joins on is rarer than a name, and the passes between keyed records (each of them has an ID of its own) ask for
IDs that are near besides.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

_HEAD, _MIDDLE, _TAIL, _END = (
    pl.col("whole") // 10**8,
    pl.col("whole") // 10**4 % 10**4,
    pl.col("whole") % 10**4,
    pl.col("whole") % 10**6,
)
"""The thirds of an ID, and its last half. Of an ID with one wrong digit two thirds are whole."""
_BAG, _FIRST, _LAST, _DAY, _SWAPPED = (pl.col(name) for name in ("bag", "first", "last", "day", "swapped"))

_DOUBTFUL = (
    (_BAG, _DAY),
    (_BAG, _SWAPPED),
    (_BAG, pl.col("year")),
    (_BAG, pl.col("place")),
    (_FIRST, _DAY),
    (_LAST, _DAY),
    (_LAST, _SWAPPED),
    (_HEAD, _TAIL),
    (_MIDDLE, _TAIL),
    (_HEAD, _MIDDLE),
    (_LAST, _END),
    (pl.col("card"),),
)
"""What a record without a valid ID has in common with one that has; of the latter the day stands for the swapped one."""
_MISTYPED = ((_BAG, _DAY), (_BAG, _TAIL), (_BAG, _HEAD, _MIDDLE), (_DAY, _TAIL), (_DAY, _HEAD, _MIDDLE))
"""What two keyed records have in common of which one has a mistyped ID: the last third is whole or the two others are."""
_PAIR = {"left": pl.Int64, "right": pl.Int64}


def doubtful(blocked: pl.DataFrame) -> pl.DataFrame:
    """left, right: pairs of a record that is not keyed with one that is, in no order."""
    asking, keyed = blocked.filter(~pl.col("keyed")), blocked.filter("keyed")
    if asking.is_empty() or keyed.is_empty():
        return pl.DataFrame(schema=_PAIR)
    one = _numbered(asking, _DOUBTFUL)
    other = _numbered(keyed.with_columns(swapped="day"), _DOUBTFUL)
    return _pairs(one.join(other, on="key", suffix="_right"))


def same_id(blocked: pl.DataFrame) -> pl.DataFrame:
    """left, right: pairs of keyed records with one and the same ID."""
    return _pairs(_beside(blocked.filter("keyed").select("record", key="whole").lazy()))


def mistyped(blocked: pl.DataFrame) -> pl.DataFrame:
    """left, right: pairs of keyed records whose IDs differ in one digit or two, and that share the name or the day."""
    beside = _beside(_numbered(blocked.filter("keyed"), _MISTYPED, "whole"))
    # most that share so much have one ID: they go before anything is asked of each pair
    near = beside.filter(pl.col("whole") != pl.col("whole_right")).filter(
        _differing_digits("whole", "whole_right") <= 2
    )
    return _pairs(near)


def _numbered(records: pl.DataFrame, passes: Sequence[Sequence[pl.Expr]], *beside: str) -> pl.LazyFrame:
    """record, what is to stand ``beside`` and key, for each pass in which nothing is missing: equal keys are equal values
    of one pass, so that all passes are one join. The factors are large odd numbers; what overflows wraps."""
    factors = (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9)
    frames = []
    for number, columns in enumerate(passes, 1):
        parts = [column.cast(pl.UInt64) * pl.lit(f, pl.UInt64) for column, f in zip(columns, factors, strict=False)]
        key = sum(parts[1:], parts[0]) + pl.lit(number * 0xD6E8FEB86659FD93 % 2**64, pl.UInt64)
        frames.append(records.lazy().select("record", *beside, key=key).drop_nulls())
    return pl.concat(frames)


def _beside(numbered: pl.LazyFrame) -> pl.LazyFrame:
    """Records that share a key, side by side, as often as they share one."""
    shared = numbered.filter(pl.col("key").is_duplicated())
    return shared.join(shared, on="key", suffix="_right").filter(pl.col("record") < pl.col("record_right"))


def _pairs(found: pl.LazyFrame) -> pl.DataFrame:
    one, other = "record", "record_right"
    return found.select(left=pl.min_horizontal(one, other), right=pl.max_horizontal(one, other)).unique().collect()


def _differing_digits(one: str, other: str) -> pl.Expr:
    """In how many places two columns of twelve digits, as numbers, differ."""
    places = (pl.col(one) // 10**at % 10 != pl.col(other) // 10**at % 10 for at in range(12))
    return pl.sum_horizontal(place.cast(pl.Int8) for place in places)
