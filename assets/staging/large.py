"""Stage one huge CSV: in slices of bounded rows, the database writing one while the next is observed.

What a slice cannot know is settled at the end, in the same transaction: keys that are met in two slices, check results,
counts. Where the sender's last file about the same day shares most rows with this one, only the rows that differ are
cleaned, judged and written; the rest is the base assessment's, less its ``staging.dropped`` rows (docs/decisions/0004).
"""

from __future__ import annotations

import hashlib
import io
import json
import logging
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import polars_hash as plh
import psycopg

from assets.intake.csvfile import iter_csv
from assets.intake.ledger import Delivery
from assets.intake.rows import HeaderMatch
from assets.intake.submissions import Found, Refusal, check_sender, submission_of, wanted_contracts
from assets.intake.tables import find_header, table_of
from expectations.run import Outcome, combine
from schemas.contract import Contract
from schemas.grid import KIND, FoundTable, Grid, Problem, Unreadable
from schemas.migrate import quote
from schemas.tables import index_statements, sync

from .controls import differing_totals
from .copy import as_json, copy_frame
from .observe import Observed, Pending, duplicates, observe, with_address
from .stage import (
    Staged,
    Tools,
    close_delivery,
    finish,
    insert_assessment,
    insert_submission,
    judge,
    reject,
    rule_set,
    write_observed,
)

log = logging.getLogger(__name__)

SLICE = 125_000
"""Rows observed at once: the memory of a run is a few times this."""
_SHARED_AT_LEAST = 0.5
_SHIFTS_AT_MOST = 50_000

Numbers = npt.NDArray[Any]


class _ReadWhole(Exception):
    """The rows cannot be shared with the base after all: read the file as if there were none."""


@dataclass
class _Base:
    """Rows of an earlier assessment by the hash of their raw cells (sorted), those that were accepted only."""

    assessment_no: int
    hashes: Numbers
    rows: Numbers
    keys: Numbers
    every_row: Numbers


@dataclass
class _Sum:
    """What slices add up to."""

    rows_read: int = 0
    places: list[pl.DataFrame] = field(default_factory=list)
    prints: list[pl.DataFrame] = field(default_factory=list)
    observed: list[Observed] = field(default_factory=list)
    results: list[pl.DataFrame] = field(default_factory=list)
    carried: list[pl.DataFrame] = field(default_factory=list)
    controls: list[Any] = field(default_factory=list)


def stage_large(tools: Tools, delivery: Delivery, done: Staged) -> None:
    """Read and stage a huge CSV in one transaction; a refusal or a fault becomes a rejection of this delivery alone."""
    try:
        found, head = _open(tools, delivery)
        if isinstance(found, Refusal):
            raise _Refused(found)
        for base in (_base(tools, found), None):
            try:
                with tools.connection.transaction():
                    done.staged.append(_stage(tools, found, head, base))
                return
            except _ReadWhole:
                found, head = _reopened(tools, delivery)
    except _Refused as refused:
        refusal = refused.refusal
    except Unreadable as unreadable:
        refusal = Refusal(delivery, unreadable.problem.params.get("dataset"), [unreadable.problem])
    except (
        psycopg.DataError,
        psycopg.IntegrityError,
        pl.exceptions.PolarsError,
        ValueError,
        TypeError,
        KeyError,
    ) as error:
        log.error("delivery %s could not be staged: %s", delivery.delivery_id, type(error).__name__)
        log.debug("", exc_info=True)
        refusal = Refusal(delivery, None, [Problem("INTERNAL", {"fault": type(error).__name__})])
    with tools.connection.transaction():
        done.rejected.append(reject(tools.connection, refusal))
        close_delivery(tools.connection, delivery, [refusal], "rejected" if refusal.dataset is None else "read")


class _Refused(Exception):
    def __init__(self, refusal: Refusal) -> None:
        super().__init__()
        self.refusal = refusal


def _open(tools: Tools, delivery: Delivery) -> tuple[Found | Refusal, HeaderMatch]:
    """Whose it is and what it is, from its first records."""
    sender = check_sender(delivery, tools.senders)
    contracts = list(wanted_contracts(delivery, tools.contracts).values())
    first = next(_grids(tools, delivery, 500), None)
    if first is None:
        raise Unreadable("NO_DATA_ROWS")
    head = find_header(first, contracts, delivery.sidecar.get("dataset"))
    table = table_of(first, head)
    return submission_of(delivery, sender, tools.contracts[table.dataset], table, []), find_header(
        first, contracts, delivery.sidecar.get("dataset")
    )


def _reopened(tools: Tools, delivery: Delivery) -> tuple[Found, HeaderMatch]:
    found, head = _open(tools, delivery)
    if isinstance(found, Refusal):
        raise _Refused(found)
    return found, head


def _grids(tools: Tools, delivery: Delivery, rows: int) -> Iterator[Grid]:
    with tools.archive.open(delivery.sha256) as source:
        yield from iter_csv(source, batch_rows=rows)


def _stage(tools: Tools, found: Found, head: HeaderMatch, base: _Base | None) -> str:
    connection, contract = tools.connection, found.contract
    sync(connection, contract)
    name, submission_no = insert_submission(connection, found)
    layout = [asdict(lay) for lay in found.table.layouts]
    number = insert_assessment(tools, contract, submission_no, layout, base.assessment_no if base else None)
    pending = [Pending(0, tools.sender(found.sender), found.as_of, found.delivery.received_at, found.table.layouts)]
    run, blamed = judge(tools, contract)
    total = _Sum()
    writing: Future[None] | None = None
    with ThreadPoolExecutor(1) as pool:
        try:
            for grid in _grids(tools, found.delivery, SLICE):
                table = table_of(grid, head)
                total.rows_read += table.rows_read
                total.controls += table.controls
                raw = table.rows.with_columns(_sub=pl.lit(0, dtype=pl.Int64))
                prints = raw_hashes(raw)
                raw, prints = _carry(raw, prints, base, total)
                observed = observe(contract, raw, pending, tools.resolver.resolve, run, blamed)
                _remember(total, raw, prints, observed, table)
                if writing is not None:
                    writing.result()
                writing = pool.submit(write_observed, connection, contract, observed, {0: number})
        finally:
            if writing is not None:
                writing.result()
    _settle(tools, found, total, head, pending, number)
    for statement in index_statements(contract, floor="staging"):
        connection.execute(statement)
    if base is not None:
        _share(connection, number, base, total)
    summary = _summary(total)
    counted = sum(c.height for c in total.carried)
    stated = [(0, c) for c in total.controls] if base is None else []
    totals = differing_totals(
        contract, stated, _columns_of(connection, contract, number, stated), {0: found.table.layouts}
    )
    finish(connection, contract, summary, {0: number}, {0: total.rows_read}, totals, {0: counted})
    if base is None:
        _write_fingerprints(tools, found, total, number)
    close_delivery(connection, found.delivery, [found], "read")
    return name


def _remember(total: _Sum, raw: pl.DataFrame, prints: pl.Series, observed: Observed, table: FoundTable) -> None:
    aside = table.set_aside.with_columns(_sub=pl.lit(0, dtype=pl.Int64))
    observed.set_aside = pl.concat(
        [aside.select("_sub", "_sheet", "_row", "reason", "text"), observed.set_aside], how="vertical_relaxed"
    )
    total.places.append(observed.observations.select("_sheet", "_row", "_key", "_value", "_ok"))
    total.prints.append(raw.select("_row").with_columns(hash=prints))
    total.results.append(observed.results)
    # the observations themselves are in the database: what is kept is what finish() counts
    light = observed.observations.select("_sub", "_sheet", "_row", "_key", "_ok")
    total.observed.append(
        Observed(
            light,
            observed.verdicts,
            observed.quarantine.head(0),
            observed.repairs.head(0),
            observed.set_aside.drop("text"),
            observed.results,
        )
    )


def raw_hashes(raw: pl.DataFrame) -> pl.Series:
    """A hash of the raw cells of each row, over the columns that a contract reads."""
    names = sorted(c for c in raw.columns if not c.startswith("_") and not c.endswith(KIND))
    text = plh.concat_str(*[pl.col(n).fill_null("") for n in names], separator="\x1f")
    return raw.select(text.nchash.xxh3_64()).to_series()


def _carry(raw: pl.DataFrame, prints: pl.Series, base: _Base | None, total: _Sum) -> tuple[pl.DataFrame, pl.Series]:
    """Take out the rows that the base has with the same raw cells; what is left must be observed."""
    if base is None or raw.is_empty():
        return raw, prints
    wanted = prints.to_numpy()
    at = np.minimum(np.searchsorted(base.hashes, wanted), base.hashes.size - 1)
    same = base.hashes[at] == wanted
    # the same row twice in this file: the first is carried, the others are repeats for observe() to find
    same &= prints.is_first_distinct().to_numpy()
    carried = pl.DataFrame(
        {"row": raw["_row"].to_numpy()[same], "base_row": base.rows[at[same]], "key": base.keys[at[same]]}
    )
    total.carried.append(carried)
    left = pl.Series(~same)
    return raw.filter(left), prints.filter(left)


def _share(connection: psycopg.Connection, number: int, base: _Base, total: _Sum) -> None:
    """Write what the assessment does not share with its base, and by how much rows moved; or give sharing up."""
    carried = (
        pl.concat(total.carried)
        if total.carried
        else pl.DataFrame(schema={"row": pl.Int32, "base_row": pl.Int32, "key": pl.Int64})
    )
    observed = pl.concat(total.places)
    if carried["base_row"].is_duplicated().any() or carried.height < _SHARED_AT_LEAST * base.every_row.size:
        raise _ReadWhole
    if observed.filter(pl.col("_key").is_not_null()).join(carried, left_on="_key", right_on="key", how="semi").height:
        raise _ReadWhole  # a changed row contradicts one that did not change: both must be seen together
    by_base = carried.sort("base_row").with_columns(shift=pl.col("row") - pl.col("base_row"))
    moved = by_base.filter(pl.col("shift") != pl.col("shift").shift(1, fill_value=0))
    if moved.height > _SHIFTS_AT_MOST:
        raise _ReadWhole
    dropped = np.setdiff1d(base.every_row, carried["base_row"].to_numpy(), assume_unique=True)
    sheet = pl.lit(0, dtype=pl.Int16).alias("sheet")
    no = pl.lit(number, dtype=pl.Int64).alias("assessment_no")
    copy_frame(connection, ("staging", "dropped"), pl.DataFrame({"row": dropped}).select(no, sheet, "row"))
    copy_frame(connection, ("staging", "shift"), moved.select(no, sheet, pl.col("base_row").alias("first"), "shift"))


def _settle(
    tools: Tools, found: Found, total: _Sum, head: HeaderMatch, pending: Sequence[Pending], number: int
) -> None:
    """Mend what slices could not know: keys met in two of them. Rare, so the rows concerned are read a second time."""
    everything = (
        pl.concat(total.places)
        .with_row_index("_id")
        .with_columns(pl.col("_id").cast(pl.Int64), _sub=pl.lit(0, dtype=pl.Int64))
    )
    repeated, differing = duplicates(everything)
    if repeated.is_empty() and differing.is_empty():
        return
    connection, contract = tools.connection, found.contract
    gone = everything[repeated].select("_sub", "_sheet", "_row")
    wrong = differing.join(everything.select("_id", "_sub", "_sheet", "_row", "_key", "_ok"), on="_id")
    # rows of one slice that contradict each other have been found there already
    known = pl.concat([o.verdicts.filter(rule="DUPLICATE_KEY").select("_row") for o in total.observed])
    wrong = wrong.join(known, on="_row", how="anti")
    raw = _raw_rows(tools, found, {*gone["_row"].to_list(), *wrong["_row"].to_list()})
    table = quote(contract.dataset)
    place: dict[str, Any] = {"number": number, "gone": gone["_row"].to_list(), "wrong": wrong["_row"].to_list()}
    connection.execute(f"delete from staging.{table} where _assessment = %(number)s and _row = any (%(gone)s)", place)
    for name in ("verdict", "quarantine", "repair"):
        connection.execute(
            f"delete from staging.{name} where assessment_no = %(number)s and row = any (%(gone)s)", place
        )
    connection.execute(
        f"update staging.{table} set _ok = false where _assessment = %(number)s and _row = any (%(wrong)s)", place
    )
    verdicts = with_address(
        wrong.select(
            "_sub",
            "_sheet",
            "_row",
            rule=pl.lit("DUPLICATE_KEY"),
            column_name=pl.lit(contract.key[-1]),
            severity=pl.lit("error"),
            params=pl.struct("rows").struct.json_encode(),
        ),
        pending,
    )
    fresh = wrong.filter("_ok").select("_sub", "_sheet", "_row", key="_key")
    quarantine = fresh.join(raw, on="_row", how="left", maintain_order="left")
    aside = (
        gone.with_columns(reason=pl.lit("REPEAT"))
        .join(raw, on="_row", how="left", maintain_order="left")
        .rename({"raw": "text"})
    )
    empty = total.observed[0]
    mended = Observed(
        empty.observations.head(0),
        verdicts.select(empty.verdicts.columns),
        quarantine,
        empty.repairs,
        aside,
        empty.results.head(0),
    )
    write_observed(connection, contract, mended, {0: number}, observations=False)
    lost, bad = set(place["gone"]), set(place["wrong"])
    for part in total.observed:
        part.observations = part.observations.filter(pl.col("_row").is_in(lost).not_()).with_columns(
            _ok=pl.col("_ok") & pl.col("_row").is_in(bad).not_()
        )
        part.verdicts = part.verdicts.filter(pl.col("_row").is_in(lost).not_())
    mended.set_aside = mended.set_aside.drop("text")
    total.observed.append(mended)
    total.places = [
        everything.filter(pl.col("_id").is_in(repeated.implode()).not_())
        .with_columns(_ok=pl.col("_ok") & pl.col("_row").is_in(bad).not_())
        .drop("_id", "_sub")
    ]


def _raw_rows(tools: Tools, found: Found, rows: set[int]) -> pl.DataFrame:
    """The raw cells of some rows as JSON, by a second reading: _row, raw."""
    head = _open(tools, found.delivery)[1]
    parts = []
    for grid in _grids(tools, found.delivery, SLICE):
        frame = table_of(grid, head).rows.filter(pl.col("_row").is_in(rows))
        cells = [c for c in frame.columns if not c.startswith("_") and not c.endswith(KIND)]
        parts.append(frame.select("_row").with_columns(raw=as_json(frame.select(cells))))
    return pl.concat(parts)


def _summary(total: _Sum) -> Observed:
    parts = total.observed
    nothing = pl.DataFrame(schema={"_id": pl.Int64, "check": pl.String, "severity": pl.String})
    results = combine([Outcome(nothing, r.drop("severity")) for r in total.results]).results
    severity = dict(pl.concat(total.results).select("check", "severity").unique().iter_rows())
    return Observed(
        pl.concat([p.observations for p in parts if p.observations.width == 5]),
        pl.concat([p.verdicts for p in parts]),
        parts[0].quarantine,
        parts[0].repairs,
        pl.concat([p.set_aside for p in parts]),
        results.with_columns(severity=pl.col("check").replace_strict(severity, return_dtype=pl.String)),
    )


def _columns_of(connection: psycopg.Connection, contract: Contract, number: int, stated: Sequence[Any]) -> pl.DataFrame:
    """The stored columns that stated totals speak of, for their comparison; empty where none is stated."""
    names = sorted({c.column for _, c in stated})
    schema = {"_sub": pl.Int64, "_sheet": pl.Int16, "_row": pl.Int32, **dict.fromkeys(names, pl.Float64)}
    if not names:
        return pl.DataFrame(schema=schema)
    rows = connection.execute(
        f"select 0, _sheet, _row, {', '.join(quote(n) + '::float8' for n in names)} from staging.{quote(contract.dataset)} "
        "where _assessment = %s",
        [number],
    ).fetchall()
    return pl.DataFrame(rows, schema=schema, orient="row")


def _fingerprint_path(tools: Tools, found: Found, sha256: str) -> str:
    """Named by all that the outcome of a row depends on, so that another contract or reference never finds it."""
    said = json.dumps(
        [
            found.contract.dataset,
            found.contract.version,
            rule_set(tools.checks_for(found.contract)),
            tools.reference_version,
            found.sender.code,
            found.as_of.isoformat(),
            sorted(found.table.layouts[0].columns),
        ]
    )
    return (
        f"{tools.archive.root.rstrip('/')}/fingerprints/{sha256}-{hashlib.sha256(said.encode()).hexdigest()[:16]}.arrow"
    )


def _write_fingerprints(tools: Tools, found: Found, total: _Sum, number: int) -> None:
    """Keep the rows' hashes beside the archive, for the next file of this sender. A cache: losing it costs time only."""
    frame = pl.concat(total.places).join(pl.concat(total.prints), on="_row", how="left", maintain_order="left")
    buffer = io.BytesIO()
    frame.select("hash", row="_row", key="_key", ok="_ok").write_ipc(buffer, compression="uncompressed")
    path = _fingerprint_path(tools, found, found.delivery.sha256)
    tools.archive.fs.makedirs(path.rsplit("/", 1)[0], exist_ok=True)
    with tools.archive.fs.open(f"{path}.partial", "wb") as target:
        target.write(buffer.getbuffer())
    tools.archive.fs.mv(f"{path}.partial", path)


def _base(tools: Tools, found: Found) -> _Base | None:
    """The sender's latest whole assessment about the same day under the same contract and reference, if its hashes are kept."""
    if found.contract.valid_time == "columns":
        return None
    rows = tools.connection.execute(
        "select a.assessment_no, u.sha256 from intake.submission u join intake.assessment a using (assessment_no) "
        "where u.dataset = %s and u.sender = %s and u.period = %s and u.as_of = %s and a.contract_version = %s and a.rule_set = %s "
        "and a.reference_version = %s and a.base_assessment is null and u.state not in ('received', 'rejected') "
        "order by u.received_at desc, u.submission_no desc limit 1",
        [
            found.contract.dataset,
            found.sender.code,
            found.period.label,
            found.as_of,
            found.contract.version,
            rule_set(tools.checks_for(found.contract)),
            tools.reference_version,
        ],
    ).fetchall()
    for assessment_no, sha256 in rows:
        path = _fingerprint_path(tools, found, sha256)
        if tools.archive.fs.exists(path):
            with tools.archive.fs.open(path, "rb") as source:
                frame = pl.read_ipc(io.BytesIO(source.read()))
            good = frame.filter("ok").sort("hash")
            if good.height:
                return _Base(
                    assessment_no,
                    good["hash"].to_numpy(),
                    good["row"].to_numpy(),
                    good["key"].to_numpy(),
                    frame["row"].to_numpy(),
                )
    return None
