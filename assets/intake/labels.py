"""Ragged row labels: pivot exports that name a province and a district on their first row only, with totals in between.

Here: filling outer labels down, telling total rows ('<name> (Tổng số)', 'Tổng số') from data, and noticing where labels
contradict the totals. Not here: which columns hold labels (:mod:`assets.intake.tables`), any other kind of row.

A lost or altered label would move wards into the district before, unseen. But a total row names its district a second time:
where the two differ, the labels of the rows below are in doubt and name nobody (law 7).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from schemas.grid import KIND, Control, Kind
from schemas.text import clean_text, match_key

_TOTAL = r"(?i)^(.*?)\s*\((?:tổng số|tổng cộng|tổng)\)$"
_DISTRICT = r"(?i)^(?:huyện|quận|thị xã|thành phố)\s"
_GRAND = r"(?i)^(?:tổng số|tổng cộng|cả nước|toàn quốc|toàn tỉnh)$"


@dataclass
class LabelState:
    """What must be remembered from one batch of rows to the next: per outer level the label in force (None: none yet) and
    the name in the last total row of that level."""

    labels: dict[int, str | None] = field(default_factory=dict)
    announced: dict[int, str | None] = field(default_factory=dict)
    undecoded: set[str] = field(default_factory=set)
    """Labels whose own cell is of kind UNDECODED: so are the cells that they are filled into."""


@dataclass
class Labelled:
    """The data rows with their labels filled in, the total rows (row number, text) and what they state."""

    body: pl.DataFrame
    totals: list[tuple[int, str]]
    controls: list[Control]


def fill_labels(
    body: pl.DataFrame, letters: Sequence[str], measures: Mapping[str, str], sheet: int, state: LabelState
) -> Labelled:
    """Fill labels down in ``body`` (_row, and per letter text and kind), whose label columns are ``letters``, outer first.

    ``measures``: letter -> column of the figures that total rows state. The innermost label is never filled. A label in
    doubt gets the kind DOUBTFUL_LABEL, and so does the innermost one of its row; a label in no certain encoding stays
    UNDECODED wherever it is filled in. ``state`` is brought up to date.
    """
    if not body.height:
        return Labelled(body, [], [])
    texts = [clean_text(body[x]) for x in letters]
    rows = _read(body["_row"], texts)
    level, name, total = rows["_level"], rows["_name"], rows["_total"]
    data = ~total
    controls = _span(rows, sheet, measures, body, pl.Series([True]).new_from_index(0, body.height), -1)
    changed = pl.Series([False]).new_from_index(0, body.height)
    doubtful = changed
    columns: list[pl.Series] = []
    for n, (letter, text) in enumerate(zip(letters[:-1], texts[:-1], strict=True)):
        own = pl.select(
            pl.when(text.ne("") & ~text.str.contains(_TOTAL) & ~text.str.contains(_GRAND)).then(text)
        ).to_series()
        state.undecoded.update(text.filter(body[letter + KIND] == int(Kind.UNDECODED)))
        label = _filled(own, changed, state.labels.get(n))
        undecoded = label.is_in(list(state.undecoded)).fill_null(False)
        announced = _filled(
            pl.select(pl.when(total & (level == n)).then(name)).to_series(), pl.Series([False]).new_from_index(0, body.height),
            state.announced.get(n),
        )  # fmt: skip
        fits = (match_key(label) == match_key(announced)).fill_null(False)
        alone = (match_key(label) == match_key(texts[-1])).fill_null(False)  # a district without communes is its own
        doubt = announced.is_not_null() & ~fits & ~alone
        if n == len(letters) - 2:  # a district that stands as a commune has its label beside it, unless that was lost
            doubt = doubt | (texts[-1].str.contains(_DISTRICT) & own.is_null())
        doubtful = doubtful | doubt
        controls += _span(rows, sheet, measures, body, fits, n)
        state.labels[n], state.announced[n] = label[-1], announced[-1]
        kind = pl.select(
            pl.when(doubt)
            .then(int(Kind.DOUBTFUL_LABEL))
            .when(undecoded)
            .then(int(Kind.UNDECODED))
            .when(label.is_not_null())
            .then(int(Kind.TEXT))
            .otherwise(0)
        ).to_series()
        columns += [label.fill_null("").alias(letter), kind.cast(pl.UInt8).alias(letter + KIND)]
        changed = changed | own.is_not_null()
    inmost = letters[-1] + KIND
    kind = body[inmost].zip_with(~doubtful, pl.Series([int(Kind.DOUBTFUL_LABEL)], dtype=pl.UInt8))
    cells = [pl.col(x).str.strip_chars() for x in body.columns if x != "_row" and not x.endswith(KIND)]
    said = body.select(pl.concat_str([pl.when(c != "").then(c) for c in cells], separator=" | ", ignore_nulls=True))
    return Labelled(
        body.with_columns(*columns, kind.alias(inmost)).filter(data),
        list(zip(body["_row"].filter(total).to_list(), said.to_series().filter(total).to_list(), strict=True)),
        controls,
    )


def _read(row: pl.Series, texts: Sequence[pl.Series]) -> pl.DataFrame:
    """_row; _level: of the innermost label that is filled; _total: is it a total row; _name: of what (null: of all)."""
    frame = pl.DataFrame([row, *(t.alias(str(n)) for n, t in enumerate(texts))])
    inner = list(enumerate(texts))[::-1]
    frame = frame.with_columns(
        _last=pl.coalesce(pl.when(pl.col(str(n)) != "").then(pl.col(str(n))) for n, _ in inner),
        _level=pl.coalesce(pl.when(pl.col(str(n)) != "").then(pl.lit(n)) for n, _ in inner),
    )
    frame = frame.with_columns(
        _name=pl.col("_last").str.extract(_TOTAL, 1), _grand=pl.col("_last").str.contains(_GRAND).fill_null(False)
    )
    # the innermost label names a unit, whatever it looks like
    part = (pl.col("_name").is_not_null() & (pl.col("_level") < len(texts) - 1)).fill_null(False)
    return frame.select("_row", "_level", "_name", "_grand", _total=part | pl.col("_grand"))


def _filled(own: pl.Series, changed: pl.Series, before: str | None) -> pl.Series:
    """Values filled down within each run that a change of an outer label begins; ``before`` fills the first run."""
    run = changed.cast(pl.UInt32).cum_sum()
    filled = pl.DataFrame({"own": own, "run": run}).select(pl.col("own").forward_fill().over("run")).to_series()
    return filled.zip_with(~(filled.is_null() & (run == 0)), pl.Series([before], dtype=pl.String))


def _span(
    rows: pl.DataFrame, sheet: int, measures: Mapping[str, str], body: pl.DataFrame, fits: pl.Series, level: int
) -> list[Control]:
    """The figures of the total rows of a level (-1: of all) with the first and last data row that they cover: down to the
    next total of that level or an outer one, as far as labels ``fits``."""
    mine = rows["_grand"] if level < 0 else rows["_total"] & ~rows["_grand"] & (rows["_level"] == level)
    if not mine.any():
        return []
    ends = rows["_grand"] if level < 0 else rows["_total"] & (rows["_level"] <= level)
    frame = pl.DataFrame(
        {"_row": rows["_row"], "block": ends.cast(pl.UInt32).cum_sum(), "data": ~rows["_total"] & fits, "mine": mine}
    )
    spans = frame.filter("data").group_by("block").agg(first=pl.col("_row").min(), last=pl.col("_row").max())
    stated = pl.concat([frame, body.select(list(measures))], how="horizontal").filter("mine").join(spans, on="block")
    return [
        Control(sheet, row["_row"], column, row[letter], row["first"], row["last"])
        for row in stated.sort("_row").iter_rows(named=True)
        for letter, column in measures.items()
        if row[letter].strip()
    ]
