"""Stage: pending deliveries become submissions with observations, verdicts and quarantine, each with its ledger state.

A batch of deliveries is one transaction: submissions, assessments, observations, verdicts and the deliveries' states
become true together or not at all, so a crash loses a batch's work and nothing else, and the next run reads it again
from the archive. A delivery that cannot be read, or that the database refuses, is answered with a rejection and stops no
other.
"""

from __future__ import annotations

import hashlib
import logging
import traceback
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import polars as pl
import psycopg
from psycopg.types.json import Jsonb

from assets.intake.archive import Archive, Damaged, Destroyed
from assets.intake.inbox import content_id
from assets.intake.ledger import Delivery, kept, withheld
from assets.intake.limits import Limits
from assets.intake.reader import warm as warm_reader
from assets.intake.sniff import HEAD, sniff
from assets.intake.submissions import Found, Refusal, SenderInfo, speaks_alone, submissions_in
from assets.reference.resolver import Resolver
from expectations.run import Outcome, validate, warm
from expectations.suite import Check, checks_of
from schemas.contract import Contract
from schemas.grid import Problem, Unreadable
from schemas.mask import masked, without_numbers
from schemas.tables import ensure_indexes, sync

from .ahead import ReadAhead
from .controls import differing_totals
from .copy import copy_frame, without_nul
from .observe import Observed, Pending, Seal, Sender, observe

log = logging.getLogger(__name__)

_HERE = Path(__file__).parent
_PLACE = ("_sub", "_sheet", "_row")


def _sql(name: str) -> str:
    return (_HERE / f"{name}.sql").read_text(encoding="utf-8")


@dataclass
class Tools:
    """What staging works with; the same for a whole run."""

    connection: psycopg.Connection
    archive: Archive
    contracts: Mapping[str, Contract]
    senders: Mapping[str, SenderInfo]
    resolver: Resolver
    reference_version: str
    seal: Seal | None = None
    """Where values of the vault are left; without it, no dataset that has such columns can be staged."""
    batch_rows: int = 200_000
    batch_deliveries: int = 400
    large_bytes: int = 16 << 20
    """CSVs from this size on are read in blocks by this process (:mod:`.large`): nothing of a file but a block is in memory,
    and what parses a block is Python's :mod:`csv` and Polars with a width and a separator told."""
    limits: Limits = field(default_factory=Limits)
    """Bounds on all other files, which are parsed in a process of its own (:mod:`assets.intake.reader`)."""
    again: bool = False
    """Whether deliveries that were staged before are staged again (replay)."""
    checks: dict[str, tuple[Check, ...]] = field(default_factory=dict)

    def checks_for(self, contract: Contract) -> tuple[Check, ...]:
        """The contract's checks, derived once."""
        if contract.dataset not in self.checks:
            self.checks[contract.dataset] = checks_of(contract)
        return self.checks[contract.dataset]

    def sender(self, info: SenderInfo) -> Sender:
        """The sender with the communes in its authority."""
        scope = frozenset({info.commune_code}) if info.commune_code else None
        return Sender(info.code, info.commune_code, scope)


@dataclass
class Staged:
    """What one run of staging did: ids of the submissions that it wrote."""

    staged: list[str] = field(default_factory=list)
    rejected: list[str] = field(default_factory=list)


def warm_up() -> None:
    """Have the reader's and the engine's process start (seconds) while the caller does other things."""
    warm_reader()
    warm()


def read_ahead(tools: Tools) -> ReadAhead:
    """What reads the deliveries that it is told to expect, while this process does something else: those that have their bytes
    and are read whole."""
    return ReadAhead(
        tools.archive, tools.senders, tools.limits, lambda delivery: kept(delivery) and not _streams(tools, delivery)
    )


def stage(
    tools: Tools,
    deliveries: Sequence[Delivery],
    progress: Callable[[Delivery], None] | None = None,
    ahead: ReadAhead | None = None,
) -> Staged:
    """Read and stage deliveries in batches of bounded rows; what was written. ``ahead``: what has read some of them already."""
    if ahead is None:
        with read_ahead(tools) as ahead:
            return stage(tools, deliveries, progress, ahead)
    done = Staged()
    if deliveries:
        warm_up()
    batch: list[tuple[Delivery, list[Found | Refusal]]] = []
    rows = 0
    ahead.expect(deliveries)
    for delivery in deliveries:
        if kept(delivery) and not ahead.reads(delivery):
            from .large import stage_large

            _flush(tools, batch, done)
            batch, rows = [], 0
            stage_large(tools, delivery, done)
        else:
            found = _read(tools, delivery, ahead)
            if found:
                batch.append((delivery, found))
            rows += sum(f.table.rows.height for f in found if isinstance(f, Found))
            if rows >= tools.batch_rows or len(batch) >= tools.batch_deliveries:
                _flush(tools, batch, done)
                batch, rows = [], 0
        if progress is not None:
            progress(delivery)
    _flush(tools, batch, done)
    return done


def _streams(tools: Tools, delivery: Delivery) -> bool:
    """Whether it is a large CSV, by its first bytes: the only format that can be read in slices."""
    if delivery.size < tools.large_bytes or not kept(delivery) or speaks_alone(delivery):
        return False
    try:
        with tools.archive.open(delivery.sha256) as source:
            return sniff(source.read(HEAD), delivery.file_name).kind == "csv"
    except (Unreadable, FileNotFoundError, Damaged, Destroyed):
        return False  # the reading of the whole says why, for a part of a package is none


def _read(tools: Tools, delivery: Delivery, ahead: ReadAhead) -> list[Found | Refusal]:
    """What is in a delivery; nothing where it is to be left as it is."""
    if withheld(delivery):
        return [Refusal(delivery, None, list(delivery.problems))]
    try:
        if delivery.destroyed_at is not None:
            raise Destroyed(delivery.sha256, delivery.destroyed_at, delivery.destroyed_why or "")
        content = ahead.take(delivery)
    except (Damaged, Destroyed, FileNotFoundError) as error:
        lost = not_kept(tools, delivery, error)
        return [lost] if lost else []
    try:
        return submissions_in(delivery, content, tools.contracts, tools.senders)
    except Exception as error:  # a fault of ours in reading one file must not stop the others
        return [our_fault(delivery, "read", error)]


def not_kept(tools: Tools, delivery: Delivery, error: Exception) -> Refusal | None:
    """The archive has not the bytes: a rejection, or nothing in a replay, for what was read in time stands. Raises
    :class:`assets.intake.stores.StoreFailed` where it is the archive that is not there."""
    if isinstance(error, FileNotFoundError):
        tools.archive.must_be_there()
    if isinstance(error, Destroyed):
        log.info("delivery %s was destroyed on %s", delivery.delivery_id, error.at.date().isoformat())
        said = Problem("DESTROYED", {"at": error.at.date().isoformat()})
        return None if tools.again else Refusal(delivery, None, [said])
    log.error("delivery %s is not in the archive as it was stored: %s", delivery.delivery_id, type(error).__name__)
    return None if tools.again else Refusal(delivery, None, [Problem("NOT_IN_ARCHIVE")])


def our_fault(delivery: Delivery, what: str, error: Exception) -> Refusal:
    """The rejection of a delivery that we failed on. What is logged holds no text of the error: that may quote a cell."""
    log.error("delivery %s could not be %s: %s", delivery.delivery_id, what, type(error).__name__)
    log.debug("%s", "".join(traceback.format_tb(error.__traceback__)))
    return Refusal(delivery, None, [Problem("INTERNAL", {"fault": type(error).__name__})])


def _flush(tools: Tools, batch: list[tuple[Delivery, list[Found | Refusal]]], done: Staged) -> None:
    """Write a batch in one transaction; where that fails, each delivery in one of its own, to find the culprit."""
    if not batch:
        return
    try:
        with tools.connection.transaction():
            written = _write(tools, batch)
    except (
        psycopg.DataError,
        psycopg.IntegrityError,
        pl.exceptions.PolarsError,
        ValueError,
        TypeError,
        KeyError,
    ) as error:
        if len(batch) > 1:
            for item in batch:
                _flush(tools, [item], done)
            return
        delivery = batch[0][0]
        refusal = our_fault(delivery, "staged", error)
        with tools.connection.transaction():
            written = _write(tools, [(delivery, [refusal])])
    done.staged.extend(written.staged)
    done.rejected.extend(written.rejected)


def take(tools: Tools, deliveries: Sequence[Delivery]) -> set[str]:
    """Lock deliveries for the transaction that stages them; ids of those that are still to be staged.

    Of two runs at once the second waits here and then finds them done. A replay takes up what was done before."""
    rows = tools.connection.execute(
        "select delivery_id from intake.delivery where delivery_id = any (%s) and (state = 'received' or %s) "
        "order by delivery_id for update",
        [[d.delivery_id for d in deliveries], tools.again],
    )
    return {r[0] for r in rows}


def _write(tools: Tools, batch: list[tuple[Delivery, list[Found | Refusal]]]) -> Staged:
    done = Staged()
    ours = take(tools, [delivery for delivery, _ in batch])
    batch = [item for item in batch if item[0].delivery_id in ours]
    by_dataset: dict[str, list[Found]] = defaultdict(list)
    for _, items in batch:
        for item in items:
            if isinstance(item, Found):
                by_dataset[item.contract.dataset].append(item)
            else:
                done.rejected.append(reject(tools.connection, item))
    close_deliveries(tools.connection, batch)
    for dataset, found in by_dataset.items():
        contract = tools.contracts[dataset]
        sync(tools.connection, contract)
        ensure_indexes(tools.connection, contract, floor="staging")
        done.staged.extend(_write_dataset(tools, contract, found))
    return done


def _returned(connection: psycopg.Connection, query: str, rows: Sequence[Any]) -> list[Any]:
    """The first column of what a statement returns for each of ``rows``, sent to the server in one go."""
    with connection.cursor() as cursor:
        cursor.executemany(query, rows, returning=True)
        found: list[Any] = []
        while len(found) < len(rows):
            one = cursor.fetchone()
            found.append(one[0] if one else None)
            cursor.nextset()
    return found


def close_deliveries(connection: psycopg.Connection, batch: Sequence[tuple[Delivery, list[Found | Refusal]]]) -> None:
    """Write the end states of deliveries in the transaction in which their submissions appear.

    A replay may find other datasets in one than before: then a rejection that named nothing, or another one, is void.
    """
    ends = []
    for delivery, items in batch:
        refused = all(isinstance(i, Refusal) and i.dataset is None for i in items)
        ends.append(("rejected" if refused else "read", delivery.delivery_id))
    # its problems stay those of its place and sidecar: what reading found belongs to its submissions
    states = _returned(
        connection,
        "update intake.delivery d set state = %s from intake.delivery b "
        "where d.delivery_id = %s and b.delivery_id = d.delivery_id returning b.state",
        ends,
    )
    for before, (delivery, items) in zip(states, batch, strict=True):
        if before is not None and before != "received":
            connection.execute(
                "delete from intake.submission where delivery_id = %s and state = 'rejected' and assessment_no is null "
                "and not submission_id = any (%s)",
                [delivery.delivery_id, [i.submission_id for i in items]],
            )


def reject(connection: psycopg.Connection, refusal: Refusal) -> str:
    """Write a rejected submission; its id. What could be counted of its rows is kept."""
    delivery, table = refusal.delivery, refusal.table
    name = refusal.submission_id
    aside = _counts(table.set_aside["reason"]) if table is not None and table.rows.is_empty() else {}
    period = refusal.period
    connection.execute(
        _sql("submission_rejected"),
        _said(delivery, name, refusal.dataset, delivery.sender, refusal.problems)
        | {
            "period": period.label if period else delivery.period,
            "period_first": period.first if period else None,
            "period_last": period.last if period else None,
            "rows": sum(aside.values()),
            "set_aside": Jsonb(aside),
        },
    )
    return name


def _said(
    delivery: Delivery, name: str, dataset: str | None, sender: str, problems: Sequence[Problem]
) -> dict[str, Any]:
    """What a row of ``intake.submission`` takes from its delivery."""
    return {
        "submission_id": name,
        "delivery_id": delivery.delivery_id,
        "dataset": dataset,
        "sender": sender,
        "received_at": delivery.received_at,
        "sha256": delivery.sha256,
        "content": content_id(delivery.sha256, delivery.sidecar),
        "file_name": delivery.file_name,
        "problems": Jsonb(without_numbers([asdict(p) for p in problems])),
        "withdraws": delivery.sidecar.get("withdraws"),
    }


def insert_submissions(connection: psycopg.Connection, found: Sequence[Found]) -> list[int]:
    """Write submissions as 'staged', their counts still open; their numbers. Existing ones are taken up again (replay)."""
    return _returned(
        connection,
        _sql("submission_staged"),
        [
            _said(f.delivery, f.submission_id, f.contract.dataset, f.sender.code, f.problems)
            | {
                "period": f.period.label,
                "period_first": f.period.first,
                "period_last": f.period.last,
                "as_of": f.as_of,
                "as_of_source": f.as_of_source,
            }
            for f in found
        ],
    )


def insert_assessments(
    tools: Tools, contract: Contract, found: Sequence[Found], submissions: Sequence[int], base: int | None = None
) -> list[int]:
    """Write a new assessment of each submission; their numbers."""
    rules = rule_set(tools.checks_for(contract))
    # headers and names of sheets: of a list of people they may name one
    safe = without_numbers if contract.vaulted else list
    return _returned(
        tools.connection,
        "insert into intake.assessment (submission_no, contract_version, rule_set, reference_version, layout, base_assessment) "
        "values (%s, %s, %s, %s, %s, %s) returning assessment_no",
        [
            (
                no,
                contract.version,
                rules,
                tools.reference_version,
                Jsonb(safe([asdict(lay) for lay in f.table.layouts])),
                base,
            )
            for f, no in zip(found, submissions, strict=True)
        ],
    )


def rule_set(checks: Sequence[Check]) -> str:
    """A hash of all that is checked: other rules, other rule set."""
    return hashlib.sha256(repr(checks).encode()).hexdigest()[:16]


def judge(
    tools: Tools, contract: Contract
) -> tuple[Callable[[pl.DataFrame, pl.DataFrame], Outcome], dict[str, tuple[str, str | None]]]:
    """The contract's validation as :func:`observe` wants it, and what each check blames."""
    checks = tools.checks_for(contract)

    def run(frame: pl.DataFrame, bad: pl.DataFrame) -> Outcome:
        return validate(frame, contract, checks, bad=bad)

    return run, {c.id: (c.severity, c.columns[0] if c.columns else None) for c in checks}


def _write_dataset(tools: Tools, contract: Contract, found: Sequence[Found]) -> list[str]:
    pending = [
        Pending(n, tools.sender(f.sender), f.as_of, f.delivery.received_at, f.table.layouts)
        for n, f in enumerate(found)
    ]
    raw = pl.concat(
        [f.table.rows.with_columns(_sub=pl.lit(n, dtype=pl.Int64)) for n, f in enumerate(found)], how="diagonal"
    )
    run, blamed = judge(tools, contract)
    observed = observe(
        contract, raw, pending, tools.resolver.resolve, run, blamed, tools.resolver.listed, seal=tools.seal
    )
    submissions = insert_submissions(tools.connection, found)
    numbers = dict(enumerate(insert_assessments(tools, contract, found, submissions)))
    structural = [f.table.set_aside.with_columns(_sub=pl.lit(n, dtype=pl.Int64)) for n, f in enumerate(found)]
    observed.set_aside = pl.concat(
        [*(s.select(*_PLACE, "reason", "text") for s in structural), observed.set_aside], how="diagonal_relaxed"
    )
    write_observed(tools.connection, contract, observed, numbers)
    controls = [(n, c) for n, f in enumerate(found) for c in f.table.controls]
    totals = differing_totals(
        contract, controls, observed.observations, {n: f.table.layouts for n, f in enumerate(found)}
    )
    finish(tools.connection, contract, observed, numbers, {n: f.table.rows_read for n, f in enumerate(found)}, totals)
    return [f.submission_id for f in found]


def write_observed(
    connection: psycopg.Connection,
    contract: Contract,
    observed: Observed,
    numbers: Mapping[int, int],
    observations: bool = True,
) -> None:
    """COPY all that a batch says; ``numbers``: submission number within the batch -> assessment number."""
    columns = [c.name for c in contract.columns]
    # whatever wrote it down, no number of a card stands in what is kept of cells
    safe = masked if contract.vaulted else _as_it_is

    def placed(frame: pl.DataFrame, *rest: str | pl.Expr) -> pl.DataFrame:
        number = pl.col("_sub").replace_strict(numbers, return_dtype=pl.Int64).alias("assessment_no")
        return frame.select(number, pl.col("_sheet").alias("sheet"), pl.col("_row").alias("row"), *rest)

    if observations:
        copy_frame(
            connection,
            ("staging", contract.dataset),
            placed(observed.observations, "_key", "_value", "_ok", *columns),
            ["_assessment", "_sheet", "_row", "_key", "_value", "_ok", *columns],
            typed=True,
        )
    copy_frame(
        connection,
        ("staging", "verdict"),
        placed(observed.verdicts, "rule", "column_name", "severity", "address", "params"),
    )
    copy_frame(connection, ("staging", "quarantine"), placed(observed.quarantine, "key", safe(pl.col("raw"))))
    copy_frame(
        connection, ("staging", "repair"), placed(observed.repairs, "column_name", "rule", safe(without_nul("raw")))
    )
    copy_frame(
        connection, ("staging", "set_aside"), placed(observed.set_aside, "reason", safe(without_nul("text")), "key")
    )


def finish(
    connection: psycopg.Connection,
    contract: Contract,
    observed: Observed,
    numbers: Mapping[int, int],
    rows_read: Mapping[int, int],
    totals: Mapping[int, list[Problem]],
    carried: Mapping[int, int] | None = None,
) -> None:
    """Write check results and the counts of every submission of a batch; conservation is checked by the table itself.

    ``carried``: accepted rows that a submission shares with its base and that are not among the observations.
    """
    number = pl.col("_sub").replace_strict(numbers, return_dtype=pl.Int64)
    failing = observed.verdicts.group_by("_sub", check="rule", maintain_order=True).agg(pl.col("address").head(20))
    results = observed.results.join(failing, on=["_sub", "check"], how="left").with_columns(
        addresses=pl.lit("{") + pl.col("address").list.join(",").fill_null("") + pl.lit("}")
    )
    copy_frame(
        connection,
        ("staging", "check_result"),
        results.select(number, "check", "severity", "status", "evaluated", "unexpected", "addresses"),
        ["assessment_no", "check_id", "severity", "status", "evaluated", "unexpected", "addresses"],
    )
    counted = observed.observations.group_by("_sub").agg(
        ok=pl.col("_ok").sum(),
        bad=pl.col("_ok").not_().sum(),
        unkeyed=(pl.col("_key").is_null() & pl.col("_ok").not_()).sum(),
    )
    flagged = (
        observed.verdicts.filter(pl.col("severity") == "warning")
        .group_by("_sub")
        .agg(flagged=pl.struct("_sheet", "_row").n_unique())
    )
    aside: dict[int, dict[str, int]] = defaultdict(dict)
    for n, reason, count in observed.set_aside.group_by("_sub", "reason").len().sort("_sub", "reason").iter_rows():
        aside[n][reason] = count
    by_no = {r["_sub"]: r for r in counted.iter_rows(named=True)}
    flags = dict(flagged.iter_rows())
    with connection.cursor() as cursor:
        cursor.executemany(
            "update intake.assessment set rows_accepted = %s, rows_quarantined = %s, unkeyed = %s where assessment_no = %s",
            [
                (c["ok"] + (carried or {}).get(n, 0), c["bad"], c["unkeyed"], numbers[n])
                for n in numbers
                if (c := by_no.get(n, {"ok": 0, "bad": 0, "unkeyed": 0}))
            ],
        )
        cursor.executemany(
            _sql("submission_counted"),
            [
                (
                    rows_read[n],
                    sum(aside[n].values()),
                    Jsonb(aside[n]),
                    flags.get(n, 0),
                    Jsonb([asdict(p) for p in totals.get(n, [])]),
                    no,
                )
                for n, no in numbers.items()
            ],
        )


def _as_it_is(text: pl.Expr) -> pl.Expr:
    return text


def _counts(reasons: pl.Series) -> dict[str, int]:
    return dict(reasons.value_counts().sort("reason").iter_rows())
