"""The open-data set: aggregates that everybody may have, with small counts of people hidden, as a data package.

Here: which datasets, columns, indicators and units belong to it, and what adds up in them. All of it follows from the
contracts: a dataset is open where its sharing class is MO (Luật Dữ liệu 60/2024/QH15), every column is P0 and apps may read its
view; an indicator where all that it reads is P0 and of no person. Not here: how cells are hidden (:mod:`.small_cells`), also after
earlier releases (:mod:`.together`). To export is not to publish: the domain brief asks for a named approval.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import reduce
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import psycopg
import pyarrow as pa

from assets.marts.indicators.catalogue import Indicator
from assets.marts.opened import OpenIndicator, open_datasets, open_indicators, people_columns
from schemas.contract import Contract
from schemas.expectation_types import SUMS
from schemas.migrate import quote

from .describe import OPEN_LICENCE, Hidden, Licence, Written
from .export import Exported, finish, note, snapshot
from .folder import Folder, exporting
from .forms import CsvFile
from .known import Moment, choose, shown_at
from .releases import one_at_a_time, past, write_down
from .room import Flags
from .small_cells import BELOW, Sums
from .stream import arrow_schema, stream
from .together import NOTHING, Outcome, Past, hide_after
from .views import Field, View, find_views

HIDDEN = "hidden"
"""Column that names, row by row, the columns whose value is hidden: an empty cell besides is one that nobody knows."""
_ELSEWHERE = frozenset((("population", "households"),))
"""(view, column) of counts that another table of the set has for the same units (here household_sizes): hidden in one, they could
be found in the other."""
_PAIR = "expect_column_pair_values_a_to_be_greater_than_b"
_AT_MOST = "expect_row_sum_to_be_at_most"
_CELL = {"row": pl.String, "name": pl.String}
_PERIODS = ("month", "quarter", "half", "year")


def export_open(
    connection: psycopg.Connection,
    contracts: Mapping[str, Contract],
    indicators: Mapping[str, Indicator],
    folder: Path,
    *,
    number: int | None = None,
    at: datetime | None = None,
    licence: Licence = OPEN_LICENCE,
    by: str = "",
    now: datetime | None = None,
) -> Exported:
    """Write the open-data set into a folder, as of a publish, and keep what it told and hid for the next one.

    Raises what :func:`assets.marts.exports.export.export` raises, also where the user may not keep it."""
    chosen = open_datasets(contracts)
    figures = open_indicators(contracts, indicators)
    names = [c.dataset for c in chosen]
    views = find_views(connection, [*names, "indicators", "indicator_value"], contracts, indicators)
    assert not any(v.personal for v in views)
    made_at = now or datetime.now(UTC)
    with exporting(folder) as target, one_at_a_time(connection):
        note(connection, views, {"form": "open", "publish": number, "at": at and at.isoformat()}, by=by)
        with snapshot(connection):
            moment = choose(connection, number, at)
            made = [_file(connection, target, view, moment, figures) for view in views]
        told = {written.view.name: outcome.added for written, outcome in made if outcome is not None}
        write_down(connection, moment, made_at, by, told)
        files = [written for written, _ in made]
        return finish(
            target, files, moment, "package", licence, made_at, name="lienthong-open", title="Dữ liệu mở của tỉnh"
        )


def _file(
    connection: psycopg.Connection, target: Folder, view: View, moment: Moment, figures: Sequence[OpenIndicator]
) -> tuple[Written, Outcome | None]:
    name = f"{view.name}.csv"
    view = replace(view, fields=tuple(f for f in view.fields if (view.name, f.name) not in _ELSEWHERE))
    with shown_at(connection, view, moment) as relation, target.writing(name) as sink:
        if view.contract is None:
            relation = f"(select * from {relation} where {_told(figures)}) v"
        schema = arrow_schema(connection, relation, view.fields, lists=False)
        key = (*view.contract.key, "valid_from") if view.contract is not None else ()
        keys = [f.name for f in view.fields if f.name in key] or [f.name for f in view.fields[:7]]
        order = f" order by {', '.join(map(quote, keys))}"
        people = people_columns(view.contract) if view.contract is not None else []
        if not people and view.name != "indicator_value":
            with CsvFile(sink, schema, mark=False) as writer:
                rows = stream(connection, relation, view.fields, schema, writer.write, order)
            return Written(name, view, view.fields, schema, rows, sink.size, sink.sha256), None
        parts: list[pa.Table] = []
        stream(connection, relation, view.fields, schema, parts.append, order)
        whole: Any = pl.from_arrow(pa.concat_tables(parts) if parts else schema.empty_table())
        earlier = past(connection, view.name)
        frame, outcome = (
            without_small_counts(whole, view.contract, earlier)
            if view.contract is not None
            else _indicators(whole, figures, earlier)
        )
        fields = (*view.fields, Field(HIDDEN, "text"))
        schema = schema.append(pa.field(HIDDEN, pa.string()))
        with CsvFile(sink, schema, mark=False) as writer:
            writer.write(frame.to_arrow().cast(schema))
    return Written(name, view, fields, schema, frame.height, sink.size, sink.sha256, _counted(outcome)), outcome


def _counted(outcome: Outcome) -> Hidden:
    gone, small, before = outcome.gone, outcome.small, outcome.before
    return Hidden(
        int((gone & small).sum()),
        int((gone & ~small & ~before).sum()),
        int((gone & ~small & before).sum()),
        outcome.exposed,
    )


def _told(figures: Sequence[OpenIndicator]) -> str:
    codes = ", ".join(f"'{f.indicator.code}'" for f in figures)
    return f"indicator in ({codes})" if codes else "false"


# --- tables of a dataset -----------------------------------------------------------------------------------------------


def without_small_counts(
    frame: pl.DataFrame, contract: Contract, earlier: Past = NOTHING
) -> tuple[pl.DataFrame, Outcome]:
    """Rows of a dataset's view with small counts of people and their complements null, a column :data:`HIDDEN` that names them;
    and which they are, of the counts of people column by column. ``earlier``: what releases so far told of this view.

    What adds up: the sums and parts that the contract's rules name, and every column over the rows that share all of their key but
    one column, or an area, whose total a reader is taken to know."""
    names = [c.name for c in people_columns(contract) if c.name in frame.columns]
    rows = frame.height
    place = {name: at * rows + np.arange(rows) for at, name in enumerate(names)}
    values = np.concatenate([_numbers(frame[name]) for name in names])
    sums = Sums()
    rests: list[Any] = []
    keys = [k for k in (*contract.key, "valid_from") if k in frame.columns]
    row = _named(frame, keys)
    named = [pl.DataFrame({"row": row, "name": [name] * rows}, _CELL) for name in names]
    for rule in contract.rules:
        if rule.kind not in (*SUMS, _PAIR) or not set(rule.columns) <= set(names):
            continue
        left = int(rule.kwargs.get("left", 1))
        cells = [place[c] for c in rule.columns]
        signs = [-1] * left + [1] * (len(cells) - left)
        if rule.kind != "expect_row_sums_to_be_equal":  # what is over counts people too, and is never negative
            over = -1 if rule.kind == _AT_MOST else 1
            rest = sum(
                (-s * over * np.nan_to_num(values[c]) for s, c in zip(signs, cells, strict=True)), np.zeros(rows)
            )
            known = np.flatnonzero(reduce(np.logical_and, (~np.isnan(values[c]) for c in cells)))
            number = len(values) + sum(map(len, rests)) + np.arange(len(known))
            rests.append(rest[known])
            named.append(
                pl.DataFrame({"row": row[known], "name": [f"{rule.kind} {' '.join(rule.columns)}"] * len(known)}, _CELL)
            )
            cells, signs = [*(c[known] for c in cells), number], [*signs, over]
        size = len(cells[0])
        sums.add(np.tile(np.arange(size), len(cells)), np.concatenate(cells).astype(np.int64), np.repeat(signs, size))
    areas = [
        c.name
        for c in contract.columns
        if c.logical_type == "string" and c.key_position is None and c.name in frame.columns
    ]
    others = [[k for k in keys if k != one] for one in keys if one != "valid_from"]
    unit = contract.key[0]
    for margin in [*others, *([*(k for k in keys if k != unit), area] for area in areas)]:
        _margin(sums, frame, margin, [place[n] for n in names])
    rest = np.concatenate([np.empty(0), *rests])
    shown = np.r_[np.ones(len(values), bool), np.zeros(len(rest), bool)]
    slack = np.r_[np.zeros(len(values), bool), ~_small(rest)]
    found = _published(
        hide_after(earlier, pl.concat(named), np.concatenate([values, rest]), sums, shown=shown, slack=slack),
        np.arange(len(values)),
    )
    return _marked(frame, {n: found.gone[place[n]] for n in names}), found


def _published(outcome: Outcome, cells: Any) -> Outcome:
    """What is said of some of the cells."""
    return replace(outcome, gone=outcome.gone[cells], small=outcome.small[cells], before=outcome.before[cells])


def _named(frame: pl.DataFrame, keys: Sequence[str]) -> pl.Series:
    """What a row is called in every release."""
    return frame.select(
        pl.struct(pl.col(k).cast(pl.String) for k in keys).struct.json_encode().alias("row")
    ).to_series()


def _margin(sums: Sums, frame: pl.DataFrame, keys: Sequence[str], cells: Sequence[Any]) -> None:
    if frame.height == 0:
        return
    group = _group(frame, keys)
    for one in cells:
        sums.add(group, one, np.ones(frame.height, np.int64))


def _group(frame: pl.DataFrame, keys: Sequence[str]) -> Any:
    if not keys:
        return np.zeros(frame.height, np.int64)
    return frame.select(pl.struct(keys).rank("dense")).to_series().to_numpy().astype(np.int64)


def _small(values: Any) -> Any:
    return (values >= 1) & (values < BELOW)


def _numbers(column: pl.Series) -> Any:
    return column.cast(pl.Float64).fill_null(float("nan")).to_numpy()


def _marked(frame: pl.DataFrame, gone: Mapping[str, Flags]) -> pl.DataFrame:
    marks = {name: pl.Series(name, flags) for name, flags in gone.items()}
    named = pl.concat_str(
        [pl.when(flags).then(pl.lit(name)) for name, flags in marks.items()], separator=" ", ignore_nulls=True
    )
    return frame.with_columns(
        named.alias(HIDDEN).replace("", None),
        *(pl.when(~flags).then(pl.col(name)).alias(name) for name, flags in marks.items()),
    )


# --- indicators --------------------------------------------------------------------------------------------------------


def _indicators(frame: pl.DataFrame, figures: Sequence[OpenIndicator], earlier: Past) -> tuple[pl.DataFrame, Outcome]:
    """Values of indicators as far as they are told; of those that count people with small counts hidden, line by line."""
    told = reduce(
        lambda a, b: a | b,
        (
            (pl.col("indicator") == f.indicator.code)
            & (pl.lit(True) if f.kinds is None else pl.col("unit_kind").is_in(list(f.kinds)))
            for f in figures
        ),
        pl.lit(False),
    )
    frame = frame.filter(told)
    people = frame["indicator"].is_in([f.indicator.code for f in figures if f.people])
    shares = {
        (f.indicator.code, v.variant): v.measure == "share" for f in figures if f.people for v in f.indicator.variants
    }
    gone = np.zeros(frame.height, bool)
    where = people.arg_true().to_numpy()
    outcome = _small_indicators(frame.filter(people), shares, earlier)
    gone[where] = outcome.gone
    hidden = pl.Series(gone)
    figures_ = ("value", "numerator", "denominator", "unknown")
    return (
        frame.with_columns(
            pl.when(hidden).then(pl.lit(" ".join(figures_))).alias(HIDDEN),
            *(pl.when(~hidden).then(pl.col(c)).alias(c) for c in figures_),
            pl.when(hidden).then(pl.lit("HIDDEN")).otherwise(pl.col("status")).alias("status"),
        ),
        outcome,
    )


def _small_indicators(frame: pl.DataFrame, shares: Mapping[tuple[str, str], bool], earlier: Past) -> Outcome:
    """Lines to hide as a whole: a value tells its numerator by its denominator. What adds up: units under the province, variants
    of one figure, and the periods of a longer one."""
    rows = frame.height
    top, bottom = _numbers(frame["numerator"]), _numbers(frame["denominator"])
    is_share = np.array([shares.get(k, True) for k in frame.select("indicator", "variant").iter_rows()], bool)
    with np.errstate(invalid="ignore"):
        rest = np.where(is_share, bottom - top, np.nan)
    over = np.flatnonzero(~np.isnan(rest))
    values = np.concatenate([top, bottom, rest])
    at = np.arange(rows)
    sums = Sums()
    sums.add(
        np.tile(over, 3), np.concatenate([over + rows, over, over + 2 * rows]), np.repeat([-1, 1, 1], len(over)),
    )  # fmt: skip
    figure = ["indicator", "variant", "period_kind", "period"]
    province = (frame["unit_kind"] == "PROVINCE").to_numpy()
    for cells in (at, at + rows):
        for kind in frame["unit_kind"].unique().sort():
            if kind == "PROVINCE":
                continue
            some = (frame["unit_kind"] == kind).to_numpy() | province
            sums.add(_group(frame, figure)[some], cells[some], np.where(province[some], -1, 1))
        sums.add(
            _group(frame, ["indicator", "unit_kind", "unit", "period_kind", "period"]), cells, np.ones(rows, np.int64)
        )
        for shorter, longer in pairwise(_PERIODS):
            _periods(sums, frame, cells, shorter, longer)
    gone = np.zeros(len(values), bool)
    already = (frame["status"] == "HIDDEN").to_numpy()
    gone[np.r_[already, already, np.zeros(rows, bool)]] = True
    shown = np.r_[np.ones(2 * rows, bool), np.isnan(rest)]
    slack = np.r_[np.zeros(2 * rows, bool), ~_small(rest)]
    groups = np.tile(at, 3) + rows * np.repeat([0, 0, 1], rows)
    row = _named(frame, ["indicator", "variant", "unit_kind", "unit", "period_kind", "period"])
    names = ("numerator", "denominator", "rest")
    named = pl.concat([pl.DataFrame({"row": row, "name": [name] * rows}, _CELL) for name in names])
    found = hide_after(earlier, named, values, sums, groups=groups, hidden=gone, shown=shown, slack=slack)

    def of_line(flags: Flags) -> Flags:
        return np.asarray(flags.reshape(3, rows).any(axis=0), bool)

    return replace(found, gone=of_line(found.gone), small=of_line(found.small | gone), before=of_line(found.before))


def _periods(sums: Sums, frame: pl.DataFrame, cells: Any, shorter: str, longer: str) -> None:
    """The periods of one length in those of the next: their sum is the longer one's, where there is one."""
    length = {"quarter": "1q", "half": "6mo", "year": "1y"}[longer]
    some = frame["period_kind"].is_in([shorter, longer]).to_numpy()
    part = frame.with_columns(pl.col("as_of").dt.truncate(length).alias("_in"))
    group = _group(part, ["indicator", "variant", "unit_kind", "unit", "_in"])
    sign = np.where((frame["period_kind"] == longer).to_numpy(), -1, 1)
    sums.add(group[some], cells[some], sign[some])
