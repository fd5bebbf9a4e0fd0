"""Stage one huge CSV: in slices of bounded rows, the database writing one while the next is observed.

What a slice cannot know is settled at the end, in the same transaction: keys that are met in two slices, check results,
counts. Where the sender's last file about the same day shares most rows with this one, only the rows that differ are
cleaned, judged and written; the rest is the base assessment's, less its ``staging.dropped`` rows (docs/decisions/0004).
"""

from __future__ import annotations

import hashlib
import io
import json
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import polars_hash as plh
import psycopg

from assets.intake.archive import Damaged, Destroyed
from assets.intake.csvfile import iter_csv
from assets.intake.decoding import merged
from assets.intake.ledger import Delivery
from assets.intake.rows import HeaderMatch
from assets.intake.sniff import HEAD, sniff
from assets.intake.submissions import Found, Refusal, check_sender, submission_of, wanted_contracts, why_refused
from assets.intake.tables import find_header, table_of
from expectations.run import Outcome, combine
from schemas.contract import Contract
from schemas.grid import KIND, Control, Grid, Kind, Problem, Unreadable
from schemas.migrate import quote
from schemas.tables import ensure_indexes, sync

from .controls import differing_totals
from .copy import as_json, copy_frame
from .observe import Observed, Pending, duplicates, observe, with_address
from .stage import (
    Staged,
    Tools,
    close_deliveries,
    finish,
    insert_assessments,
    insert_submissions,
    judge,
    not_kept,
    our_fault,
    reject,
    rule_set,
    take,
    write_observed,
)

SLICE = 40_000
"""Rows observed at once: the memory of a run is some times this."""
_SHARED_AT_LEAST = 0.5
_SHIFTS_AT_MOST = 50_000
_SHARED_REPAIRS = (Path(__file__).parent / "shared_repairs.sql").read_text(encoding="utf-8")

Numbers = npt.NDArray[Any]


class _ReadWhole(Exception):
    """The rows cannot be shared with the base after all: read the file as if there were none."""


@dataclass
class _Base:
    """Rows of an earlier assessment by the hash of their raw cells (sorted), those only of which nothing was said."""

    assessment_no: int
    hashes: Numbers
    rows: Numbers
    keys: Numbers
    every_row: Numbers
    taken: Numbers
    """Which of them have been met in the new file."""


@dataclass
class _Piece:
    """Rows to observe at once: raw with their hashes, and what was set aside among them (_sub, _sheet, _row, reason, text)."""

    raw: pl.DataFrame
    prints: pl.Series
    aside: pl.DataFrame


@dataclass
class _Sum:
    """What pieces add up to; of the observations themselves, which are in the database, some numbers only."""

    rows_read: int = 0
    controls: list[Control] = field(default_factory=list)
    notes: list[Problem] = field(default_factory=list)
    carried: list[pl.DataFrame] = field(default_factory=list)
    places: list[pl.DataFrame] = field(default_factory=list)
    """_row, _key, _value, _ok, hash."""
    verdicts: list[pl.DataFrame] = field(default_factory=list)
    aside: list[pl.DataFrame] = field(default_factory=list)
    results: list[pl.DataFrame] = field(default_factory=list)
    said: list[pl.Series] = field(default_factory=list)
    """Rows of which something was said that a later file must say again, or that depends on the day of receipt."""
    empty: Observed = field(init=False)
    """The shape of what a piece says."""


def stage_large(tools: Tools, delivery: Delivery, done: Staged) -> None:
    """Read and stage a huge CSV in one transaction; a refusal or a fault becomes a rejection of this delivery alone."""
    try:
        found, head = _open(tools, delivery)
        if isinstance(found, Refusal):
            raise _Refused(found)
        for base in (_base(tools, found), None):
            try:
                with tools.connection.transaction():
                    if take(tools, [delivery]):
                        done.staged.append(_stage(tools, found, head, base))
                return
            except _ReadWhole:
                found, head = _reopened(tools, delivery)
    except _Refused as refused:
        refusal = refused.refusal
    except Unreadable as unreadable:
        refusal = Refusal(delivery, unreadable.problem.params.get("dataset"), [unreadable.problem])
    except (Damaged, Destroyed, FileNotFoundError) as error:
        lost = not_kept(tools, delivery, error)
        if lost is None:
            return
        refusal = lost
    except (
        psycopg.DataError,
        psycopg.IntegrityError,
        pl.exceptions.PolarsError,
        ValueError,
        TypeError,
        KeyError,
    ) as error:
        refusal = our_fault(delivery, "staged", error)
    with tools.connection.transaction():
        if take(tools, [delivery]):
            done.rejected.append(reject(tools.connection, refusal))
            close_deliveries(tools.connection, [(delivery, [refusal])])


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
    try:
        head = find_header(first, contracts, delivery.sidecar.get("dataset"))
    except Unreadable as refused:
        dataset = refused.problem.params.get("dataset")
        raise _Refused(Refusal(delivery, dataset, why_refused(refused.problem, first.notes))) from refused
    table = table_of(first, head)
    with tools.archive.open(delivery.sha256) as source:
        problems = sniff(source.read(HEAD), delivery.file_name).problems
    return submission_of(delivery, sender, tools.contracts[table.dataset], table, problems), find_header(
        first, contracts, delivery.sidecar.get("dataset")
    )


def _reopened(tools: Tools, delivery: Delivery) -> tuple[Found, HeaderMatch]:
    found, head = _open(tools, delivery)
    if isinstance(found, Refusal):
        raise _Refused(found)
    return found, head


def _grids(tools: Tools, delivery: Delivery, rows: int) -> Iterator[Grid]:
    with tools.archive.open(delivery.sha256) as source:
        yield from iter_csv(source, batch_rows=rows, limits=tools.limits)


def _stage(tools: Tools, found: Found, head: HeaderMatch, base: _Base | None) -> str:
    connection, contract = tools.connection, found.contract
    sync(connection, contract)
    submissions = insert_submissions(connection, [found])
    (number,) = insert_assessments(tools, contract, [found], submissions, base.assessment_no if base else None)
    pending = Pending(0, tools.sender(found.sender), found.as_of, found.delivery.received_at, found.table.layouts)
    run, blamed = judge(tools, contract)
    total = _Sum()
    pieces = _pieces(_grids(tools, found.delivery, SLICE), head, base, total)

    def observed(piece: _Piece) -> tuple[pl.DataFrame, Observed]:
        said = observe(
            contract, piece.raw, [pending], tools.resolver.resolve, run, blamed, tools.resolver.listed,
            whole=False, seal=tools.seal,
        )  # fmt: skip
        said.set_aside = pl.concat([piece.aside, said.set_aside], how="diagonal_relaxed")
        return piece.raw.select("_row", hash=piece.prints), said

    # one piece is read ahead, one cleaned while the engine has another, one written; the connection is the writer's
    with ThreadPoolExecutor(1) as reader, ThreadPoolExecutor(2) as observers, ThreadPoolExecutor(1) as writer:
        reading, writing = reader.submit(next, pieces, None), writer.submit(_nothing)
        observing: deque[Future[tuple[pl.DataFrame, Observed]]] = deque()
        while True:
            piece = reading.result()
            more = piece is not None
            if piece is not None:
                observing.append(observers.submit(observed, piece))
                reading = reader.submit(next, pieces, None)
            del piece  # its memory is the observer's
            if observing and (not more or len(observing) > 1):
                prints, said = observing.popleft().result()
                _remember(total, prints, said)
                writing.result()
                writing = writer.submit(write_observed, connection, contract, said, {0: number})
            elif not more:
                break
        writing.result()
    _settle(tools, found, total, pending, number)
    ensure_indexes(connection, contract, floor="staging")
    if base is not None:
        _share(connection, number, base, total)
    summary = _summary(total)
    counted = sum(c.height for c in total.carried)
    # a total above the rows covers all of them, and its slice knew only its own
    stated = [
        (0, replace(c, last_row=head.data_last or c.last_row) if c.row < c.first_row else c) for c in total.controls
    ]
    totals = differing_totals(
        contract, stated, _columns_of(connection, contract, number, stated), {0: found.table.layouts}
    )
    told = {0: [*totals.get(0, []), *merged(total.notes)]}
    finish(connection, contract, summary, {0: number}, {0: total.rows_read}, told, {0: counted})
    if base is None and _fingerprinted(contract):
        _write_fingerprints(tools, found, total, number)
    close_deliveries(connection, [(found.delivery, [found])])
    return found.submission_id


def _nothing() -> None:
    return None


def _pieces(grids: Iterator[Grid], head: HeaderMatch, base: _Base | None, total: _Sum) -> Iterator[_Piece]:
    """What must be observed of a file: slice by slice, or where the base has most of it, what is left of many at once."""
    waiting: list[_Piece] = []
    for grid in grids:
        table = table_of(grid, head)
        total.rows_read += table.rows_read
        total.notes += grid.notes
        total.controls += table.controls
        raw = table.rows.with_columns(_sub=pl.lit(0, dtype=pl.Int64))
        aside = table.set_aside.select(pl.lit(0, dtype=pl.Int64).alias("_sub"), "_sheet", "_row", "reason", "text")
        piece = _Piece(raw, raw_hashes(raw), aside)
        if base is None:
            yield piece
            continue
        waiting.append(_carry(piece, base, total))
        if sum(p.raw.height for p in waiting) >= SLICE:
            yield _joined(waiting)
            waiting = []
    if waiting:
        yield _joined(waiting)


def _joined(pieces: Sequence[_Piece]) -> _Piece:
    return _Piece(
        pl.concat([p.raw for p in pieces], how="diagonal"),
        pl.concat([p.prints for p in pieces]),
        pl.concat([p.aside for p in pieces]),
    )


def _remember(total: _Sum, prints: pl.DataFrame, observed: Observed) -> None:
    """``prints``: _row, hash of every row of the piece."""
    total.empty = Observed(**{name: frame.clear() for name, frame in vars(observed).items()})
    places = observed.observations.select("_row", "_key", "_value", "_ok")
    total.places.append(places.join(prints, on="_row", how="left", maintain_order="left"))
    total.verdicts.append(observed.verdicts)
    total.aside.append(observed.set_aside.select("_sub", "_sheet", "_row", "reason"))
    total.results.append(observed.results)
    total.said += [observed.verdicts["_row"], observed.repairs.filter(rule="TWO_DIGIT_YEAR")["_row"]]


def raw_hashes(raw: pl.DataFrame) -> pl.Series:
    """A hash of the raw cells of each row, over the columns that a contract reads."""
    names = sorted(_cells(raw))
    text = plh.concat_str(*[pl.col(n).fill_null("") for n in names], separator="\x1f")
    return raw.select(text.nchash.xxh3_64()).to_series()


def _carry(piece: _Piece, base: _Base, total: _Sum) -> _Piece:
    """Take out the rows that the base has with the same raw cells, and set exact repeats of them aside."""
    wanted = piece.prints.to_numpy()
    at = np.minimum(np.searchsorted(base.hashes, wanted), base.hashes.size - 1)
    # a record with a cell of a kind that is kept back may look like a sound one of the base
    kinds = [pl.col(c) >= int(Kind.MISPLACED) for c in piece.raw.columns if c.endswith(KIND)]
    even = piece.raw.select(pl.any_horizontal(kinds).not_()).to_series().to_numpy()
    same = (base.hashes[at] == wanted) & even
    first = same & piece.prints.is_first_distinct().to_numpy() & ~base.taken[at]
    base.taken[at[first]] = True
    rows = piece.raw["_row"].to_numpy()[first]
    total.carried.append(pl.DataFrame({"row": rows, "base_row": base.rows[at[first]], "key": base.keys[at[first]]}))
    left, again = pl.Series(~same), pl.Series(same & ~first)
    # a filtered column keeps all the text that it was filtered from, unless it is written anew
    rest = piece.raw.filter(left).with_columns(pl.col(pl.String) + "")
    return _Piece(rest, piece.prints.filter(left), pl.concat([piece.aside, _repeats(piece.raw.filter(again))]))


def _repeats(raw: pl.DataFrame) -> pl.DataFrame:
    told = as_json(raw.select(_cells(raw)), "text")
    return raw.select("_sub", "_sheet", "_row", reason=pl.lit("REPEAT")).with_columns(told)


def _share(connection: psycopg.Connection, number: int, base: _Base, total: _Sum) -> None:
    """Write what the assessment does not share with its base, and by how much rows moved; or give sharing up."""
    carried, observed = pl.concat(total.carried), pl.concat(total.places)
    if carried.height < _SHARED_AT_LEAST * base.every_row.size:
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
    connection.execute(_SHARED_REPAIRS, {"number": number, "base": base.assessment_no})


def _settle(tools: Tools, found: Found, total: _Sum, pending: Pending, number: int) -> None:
    """Mend what slices could not know: keys met in two of them. Rare, so the rows concerned are read a second time."""
    keys = np.sort(np.concatenate([p["_key"].drop_nulls().to_numpy() for p in total.places]))
    twice = pl.Series(np.unique(keys[1:][keys[1:] == keys[:-1]]))
    if not twice.len():
        return
    met = (
        p.with_columns(_part=pl.lit(n)).filter(pl.col("_key").is_in(twice.implode()))
        for n, p in enumerate(total.places)
    )
    suspects = pl.concat(met)
    suspects = suspects.with_columns(
        _id=pl.int_range(pl.len(), dtype=pl.Int64),
        _sub=pl.lit(0, dtype=pl.Int64),
        _sheet=pl.lit(0, dtype=pl.Int16),
    )
    repeated, differing = duplicates(suspects)
    wrong = differing.join(suspects, on="_id", maintain_order="left")
    wrong = wrong.filter(pl.col("_part").n_unique().over("_key") > 1)  # those within one piece have been found there
    if repeated.is_empty() and wrong.is_empty():
        return
    connection, contract = tools.connection, found.contract
    gone = suspects[repeated]
    raw = _raw_rows(tools, found, pl.concat([gone["_row"], wrong.filter("_ok")["_row"]]))
    if gone.height:
        total.results.append(_less(tools, found, raw, gone, pending))
    _unsay(connection, contract, number, gone["_row"].to_list(), wrong["_row"].to_list())
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
        [pending],
    )
    quarantine = _with_raw(wrong.filter("_ok").select("_sub", "_sheet", "_row", key="_key"), raw, "raw")
    aside = _with_raw(gone.select("_sub", "_sheet", "_row", reason=pl.lit("REPEAT"), key="_key"), raw, "text")
    verdicts = verdicts.select(total.verdicts[0].columns)
    mended = replace(total.empty, verdicts=verdicts, quarantine=quarantine, set_aside=aside)
    write_observed(connection, contract, mended, {0: number}, observations=False)
    lost = pl.col("_row").is_in(gone["_row"].implode())
    bad = pl.col("_row").is_in(wrong["_row"].implode())
    again = (pl.col("rule") == "DUPLICATE_KEY") & bad
    total.places = [p.filter(~lost).with_columns(_ok=pl.col("_ok") & ~bad) for p in total.places]
    total.verdicts = [*(v.filter(~lost & ~again) for v in total.verdicts), verdicts]
    total.aside.append(aside.select("_sub", "_sheet", "_row", "reason"))
    total.said.append(wrong["_row"])


def _unsay(connection: psycopg.Connection, contract: Contract, number: int, gone: list[int], wrong: list[int]) -> None:
    """Take back what slices wrote of rows that are set aside now, and the acceptance of those that are in quarantine."""
    at: dict[str, Any] = {"number": number, "gone": gone, "wrong": wrong}
    table = f"staging.{quote(contract.dataset)}"
    connection.execute(f"delete from {table} where _assessment = %(number)s and _row = any (%(gone)s)", at)
    for name in ("verdict", "quarantine", "repair"):
        connection.execute(f"delete from staging.{name} where assessment_no = %(number)s and row = any (%(gone)s)", at)
    connection.execute(
        "delete from staging.verdict where assessment_no = %(number)s and row = any (%(wrong)s) and rule = 'DUPLICATE_KEY'",
        at,
    )
    connection.execute(f"update {table} set _ok = false where _assessment = %(number)s and _row = any (%(wrong)s)", at)


def _raw_rows(tools: Tools, found: Found, rows: pl.Series) -> pl.DataFrame:
    """The raw cells of some rows, by a second reading."""
    head = _open(tools, found.delivery)[1]
    tables = (table_of(grid, head).rows for grid in _grids(tools, found.delivery, SLICE))
    return pl.concat([table.filter(pl.col("_row").is_in(rows.implode())) for table in tables])


def _with_raw(places: pl.DataFrame, raw: pl.DataFrame, name: str) -> pl.DataFrame:
    """Add the raw cells of each row as JSON."""
    told = raw.select("_row").with_columns(as_json(raw.select(_cells(raw)), name))
    return places.join(told, on="_row", how="left", maintain_order="left")


def _cells(raw: pl.DataFrame) -> list[str]:
    return [c for c in raw.columns if not c.startswith("_") and not c.endswith(KIND)]


def _less(tools: Tools, found: Found, raw: pl.DataFrame, gone: pl.DataFrame, pending: Pending) -> pl.DataFrame:
    """What checks counted of rows that are set aside now, with a minus: each is equal to a row that stays and counts."""
    # rows that are equal among themselves would be set aside again within one submission
    apart = gone.select("_row", _sub=pl.int_range(pl.len(), dtype=pl.Int64).over("_key"))
    rows = raw.join(apart, on="_row", maintain_order="left")
    alone = [replace(pending, no=n) for n in apart["_sub"].unique().sort().to_list()]
    run, blamed = judge(tools, found.contract)
    observed = observe(
        found.contract, rows, alone, tools.resolver.resolve, run, blamed, tools.resolver.listed,
        whole=False, seal=tools.seal,
    )  # fmt: skip
    return observed.results.with_columns(
        -pl.col("evaluated", "unexpected"), _sub=pl.lit(0, dtype=pl.Int64), status=pl.lit("not_evaluated")
    )


def _summary(total: _Sum) -> Observed:
    """The whole as :func:`finish` counts it."""
    said = pl.DataFrame(schema={"_id": pl.Int64, "check": pl.String, "severity": pl.String})
    results = combine([Outcome(said, r.drop("severity")) for r in total.results]).results
    severity = dict(pl.concat(total.results).select("check", "severity").unique().iter_rows())
    sub, sheet = pl.lit(0, dtype=pl.Int64).alias("_sub"), pl.lit(0, dtype=pl.Int16).alias("_sheet")
    return replace(
        total.empty,
        observations=pl.concat(p.select(sub, sheet, "_row", "_key", "_ok") for p in total.places),
        verdicts=pl.concat(total.verdicts),
        set_aside=pl.concat(total.aside),
        results=results.with_columns(severity=pl.col("check").replace_strict(severity, return_dtype=pl.String)),
    )


def _columns_of(connection: psycopg.Connection, contract: Contract, number: int, stated: Sequence[Any]) -> pl.DataFrame:
    """The stored columns that stated totals speak of, for their comparison; empty where none is stated."""
    names = sorted({c.column for _, c in stated})
    schema = {"_sub": pl.Int64, "_sheet": pl.Int16, "_row": pl.Int32, **dict.fromkeys(names, pl.Float64)}
    if not names:
        return pl.DataFrame(schema=schema)
    numbers = ", ".join(f"{quote(n)}::float8" for n in names)
    rows = connection.execute(
        f"select 0, _sheet, _row, {numbers} from staging.{quote(contract.dataset + '_rows')} where _assessment = %s",
        [number],
    ).fetchall()
    return pl.DataFrame(rows, schema=schema, orient="row")


def _fingerprinted(contract: Contract) -> bool:
    """Whether hashes of rows are kept: not of personal numbers, which a hash without a key does not hide."""
    return contract.valid_time != "columns" and not contract.vaulted


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
            sorted(found.table.layouts[0].units.items()),
        ]
    )
    return (
        f"{tools.archive.root.rstrip('/')}/fingerprints/{sha256}-{hashlib.sha256(said.encode()).hexdigest()[:16]}.arrow"
    )


def _write_fingerprints(tools: Tools, found: Found, total: _Sum, number: int) -> None:
    """Keep the rows' hashes beside the archive, for the next file of this sender. A cache: losing it costs time only."""
    frame = pl.concat(total.places)
    silent = pl.col("_ok") & pl.col("_row").is_in(pl.concat(total.said).unique().implode()).not_()
    path = _fingerprint_path(tools, found, found.delivery.sha256)
    tools.archive.fs.makedirs(path.rsplit("/", 1)[0], exist_ok=True)
    with tools.archive.fs.open(f"{path}.partial", "wb") as target:
        frame.select("hash", row="_row", key="_key", ok=silent).write_ipc(target, compression="uncompressed")
    tools.archive.fs.mv(f"{path}.partial", path)


def _base(tools: Tools, found: Found) -> _Base | None:
    """The sender's latest whole assessment about the same day under the same contract and reference, if its hashes are kept."""
    if not _fingerprinted(found.contract):
        return None
    rows = tools.connection.execute(
        "select a.assessment_no, u.sha256 from intake.submission u join intake.assessment a using (assessment_no) "
        "where u.dataset = %s and u.sender = %s and u.period = %s and u.as_of = %s and a.contract_version = %s and a.rule_set = %s "
        "and a.reference_version = %s and a.base_assessment is null and u.state not in ('received', 'rejected') "
        "and not exists (select from staging.check_result c where c.assessment_no = a.assessment_no "
        "and c.status = 'could_not_run') "
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
                    np.zeros(good.height, dtype=bool),
                )
    return None
