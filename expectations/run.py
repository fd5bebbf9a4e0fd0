"""Runs checks on a batch of typed rows with Great Expectations and says which rows fail which check.

Belongs here: what to do where a rule could not run, and what a run says of each submission. Does not belong here: what
must hold (:mod:`expectations.suite`), how values are encoded (:mod:`expectations.plan`), the engine itself
(:mod:`expectations.engine`, :mod:`expectations.worker`), verdicts and their storage (``assets.staging``).

No value of a row leaves this module: results hold ids and counts, reasons hold names of columns and types.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import polars as pl

from schemas.contract import Contract

from .engine import ID, Asked, Engine
from .plan import CannotRun, Plan, plan_of
from .suite import Check
from .worker import Worker

if TYPE_CHECKING:
    import pyarrow as pa

    from .engine import Ids

MAX_RERUNS = 64
"""How often one rule is run again at most to find the submissions on which it cannot run."""

_FAILURES = pl.Schema({"_id": pl.Int64, "check": pl.String, "severity": pl.String})
_RESULTS = pl.Schema(
    {"_sub": pl.Int64, "check": pl.String, "status": pl.String, "evaluated": pl.Int64, "unexpected": pl.Int64}
)
_lock = threading.RLock()
_engine: Engine | Worker | None = None


@dataclass
class Outcome:
    """What a run found.

    ``failures``: one line per failing row and check (``_id``, ``check``, ``severity``). ``results``: one line per
    submission of the batch and check (``_sub``, ``check``, ``status``, ``evaluated``, ``unexpected``: numbers of rows).
    Status: *passed* (at least one row was evaluated, none failed), *failed*, *could_not_run* (says nothing about any
    row of that submission: it must not be accepted), *not_evaluated* (no row for the rule to speak about; not a pass).
    ``reasons``: check -> why it could not run, without values.
    """

    failures: pl.DataFrame
    results: pl.DataFrame
    reasons: dict[str, str] = field(default_factory=dict)

    @property
    def not_evaluated(self) -> bool:
        """Nothing at all was evaluated: no row, no check, or no row for any check to speak about. Never a pass."""
        return not self.results["status"].is_in(["passed", "failed"]).any()

    @property
    def could_not_run(self) -> pl.DataFrame:
        """The lines of ``results`` whose check could not run; their submissions are blocked, and no others."""
        return self.results.filter(pl.col("status") == "could_not_run")


def validate(
    frame: pl.DataFrame, contract: Contract, checks: Sequence[Check], *, bad: pl.DataFrame | None = None
) -> Outcome:
    """Runs the checks on a batch of rows of one dataset.

    ``frame``: ``_id`` (Int64, unique, not null), ``_sub`` (Int64, the submission) and the contract's columns in their
    types; whole submissions, or a slice of a single huge one (:func:`combine` joins the outcomes of slices).
    ``bad``: cells that cleaning has already refused, as ``_id`` and ``column``: such a cell is null and reported; the
    rule that the column is not null does not count it again.

    Never raises for what the data or a rule hold: such a rule *could not run*. Raises :class:`ValueError` for a frame
    that breaks the terms above.
    """
    for name in ("_id", "_sub"):
        if frame.schema.get(name) != pl.Int64 or frame[name].null_count():
            raise ValueError(f"{name} must be Int64 without nulls")
    if frame["_id"].n_unique() != frame.height:
        raise ValueError("_id is not unique")
    if frame.is_empty() or not checks:
        return Outcome(_FAILURES.to_frame(), _RESULTS.to_frame())

    logical_types = {column.name: column.logical_type for column in contract.columns}
    plans, state = [], _State(frame["_sub"].unique().sort().to_list())
    for check in checks:
        try:
            plans.append(plan_of(check, frame.schema, logical_types))
        except CannotRun as problem:
            state.give_up(check.id, str(problem))
    _find_nan(frame, plans, state)
    if plans:
        _find(frame, plans, state)
    return _outcome(frame, checks, plans, state, bad)


@dataclass
class _State:
    """What is known so far: the submissions of the batch, ids of failing rows, where a check could not run and why."""

    subs: list[int]
    failing: dict[str, list[Ids]] = field(default_factory=dict)
    broken: dict[str, set[int]] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)

    def give_up(self, check: str, reason: str, subs: Iterable[int] | None = None) -> None:
        self.broken.setdefault(check, set()).update(self.subs if subs is None else subs)
        self.reasons.setdefault(check, reason)


def _find_nan(frame: pl.DataFrame, plans: Sequence[Plan], state: _State) -> None:
    """NaN is no number and no missing value; the engine would take it for missing, and every rule would pass it."""
    floats = [name for name, dtype in frame.schema.items() if dtype.is_float()]
    for name in floats:
        subs = frame.filter(pl.col(name).is_nan())["_sub"].unique().to_list()
        for plan in plans:
            if subs and name in plan.reads:
                state.give_up(plan.check.id, f"column {name} holds NaN", subs)


def _find(frame: pl.DataFrame, plans: Sequence[Plan], state: _State) -> None:
    """Runs the plans on the whole batch; where one cannot run, on parts of it, down to single submissions."""
    by_id = {plan.check.id: plan for plan in plans}
    for name, answer in _attempt(frame, plans).items():
        if not isinstance(answer, str):
            state.failing[name] = [answer]
            continue

        def again(subs: list[int], plan: Plan = by_id[name]) -> Ids | None:
            found = _attempt(frame.filter(pl.col("_sub").is_in(subs)), [plan])[plan.check.id]
            return None if isinstance(found, str) else found

        state.failing[name], broken = locate(again, state.subs, MAX_RERUNS)
        state.give_up(name, answer, broken)


def locate(attempt: Callable[[list[int]], Ids | None], subs: list[int], reruns: int) -> tuple[list[Ids], set[int]]:
    """Finds the submissions on which a rule cannot run, given that it could not run on all of them together.

    ``attempt``: ids of failing rows of those submissions, or None where the rule could not run. Halves the list again
    and again; after ``reruns`` attempts what is still unclear counts as could not run. Returns what was found and them.
    """
    found: list[Ids] = []
    broken: set[int] = set()
    pending = [subs]
    while pending:
        group = pending.pop()
        if len(group) == 1:
            broken.update(group)
            continue
        for half in (group[: len(group) // 2], group[len(group) // 2 :]):
            if reruns == 0:
                broken.update(half)
                continue
            reruns -= 1
            ids = attempt(half)
            if ids is None:
                pending.append(half)
            else:
                found.append(ids)
    return found, broken


def _attempt(frame: pl.DataFrame, plans: Sequence[Plan]) -> dict[str, Ids | str]:
    """One run of the engine: check -> ids of its failing rows, or why it could not run. Never raises for the data."""
    inputs = {name: expression for plan in plans for name, expression in plan.inputs.items()}
    try:
        batch = frame.select(ID, *(expression.alias(name) for name, expression in inputs.items()))
    except pl.exceptions.PolarsError as problem:
        if len(plans) > 1:  # one derived column cannot be computed: only its own check is lost
            return {name: answer for plan in plans for name, answer in _attempt(frame, [plan]).items()}
        return {plans[0].check.id: f"its columns cannot be prepared ({type(problem).__name__})"}
    asked = [Asked(plan.check.id, plan.kind, dict(plan.kwargs)) for plan in plans]
    with _lock:
        engine = _started()
        return engine.run(batch, asked) if isinstance(engine, Worker) else engine.run(_table(batch), asked)


def _table(batch: pl.DataFrame) -> pa.Table:
    return batch.to_arrow(compat_level=pl.CompatLevel.oldest())


def _outcome(
    frame: pl.DataFrame, checks: Sequence[Check], plans: Sequence[Plan], state: _State, bad: pl.DataFrame | None
) -> Outcome:
    excused = {
        plan.check.id: bad.filter(pl.col("column") == plan.check.columns[0])["_id"].unique()
        for plan in plans
        if bad is not None and plan.check.kind == "expect_column_values_to_not_be_null"
    }
    evaluated = [
        (plan.evaluated & ~pl.col("_id").is_in(excused[plan.check.id].implode())).sum().cast(pl.Int64)
        if plan.check.id in excused
        else plan.evaluated.sum().cast(pl.Int64)
        for plan in plans
    ]
    evaluated = [expression.alias(plan.check.id) for expression, plan in zip(evaluated, plans, strict=True)]
    counts = frame.group_by("_sub").agg(evaluated).unpivot(index="_sub", variable_name="check", value_name="evaluated")
    failures = pl.concat(
        [
            _FAILURES.to_frame().select("_id", "check"),
            *(
                pl.DataFrame({"_id": ids}, schema={"_id": pl.Int64}).with_columns(pl.lit(name).alias("check"))
                for name, parts in state.failing.items()
                for ids in parts
            ),
        ]
    )
    if excused:
        pairs = [pl.DataFrame({"_id": ids}).with_columns(pl.lit(name).alias("check")) for name, ids in excused.items()]
        failures = failures.join(pl.concat(pairs), on=["_id", "check"], how="anti")
    broken = pl.DataFrame(
        [(sub, name) for name, subs in state.broken.items() for sub in subs],
        schema={"_sub": pl.Int64, "check": pl.String},
        orient="row",
    )
    named = failures.join(frame.select("_id", "_sub"), on="_id").join(broken, on=["_sub", "check"], how="anti")
    about = pl.DataFrame({"check": [c.id for c in checks], "severity": [c.severity for c in checks]})
    lines = (
        pl.DataFrame({"_sub": state.subs}, schema={"_sub": pl.Int64})
        .join(about.select("check"), how="cross")
        .join(counts, on=["_sub", "check"], how="left", maintain_order="left")
        .join(
            named.group_by("_sub", "check").agg(pl.len().cast(pl.Int64).alias("unexpected")),
            on=["_sub", "check"],
            how="left",
            maintain_order="left",
        )
        .join(
            broken.with_columns(pl.lit(True).alias("broken")), on=["_sub", "check"], how="left", maintain_order="left"
        )
        .with_columns(
            pl.when(pl.col("broken").is_null()).then(pl.col(name)).fill_null(0).alias(name)
            for name in ("evaluated", "unexpected")
        )
    )
    status = (
        pl.when(pl.col("broken").is_not_null()).then(pl.lit("could_not_run"))
        .when(pl.col("unexpected") > 0).then(pl.lit("failed"))
        .when(pl.col("evaluated") > 0).then(pl.lit("passed"))
        .otherwise(pl.lit("not_evaluated"))
    )  # fmt: skip
    return Outcome(
        named.join(about, on="check").select(_FAILURES.names()),
        lines.with_columns(status.alias("status")).select(_RESULTS.names()),
        state.reasons,
    )


def combine(outcomes: Iterable[Outcome]) -> Outcome:
    """Joins the outcomes of slices of the same submissions: counts are added, the worst status holds."""
    parts = list(outcomes)
    status = pl.col("status")
    results = pl.concat([_RESULTS.to_frame(), *(part.results for part in parts)])
    joined = results.group_by("_sub", "check", maintain_order=True).agg(
        pl.when((status == "could_not_run").any()).then(pl.lit("could_not_run"))
        .when((status == "failed").any()).then(pl.lit("failed"))
        .when((status == "passed").any()).then(pl.lit("passed"))
        .otherwise(pl.lit("not_evaluated")).alias("status"),
        pl.col("evaluated", "unexpected").sum(),
    )  # fmt: skip
    return Outcome(
        pl.concat([_FAILURES.to_frame(), *(part.failures for part in parts)]),
        joined.select(_RESULTS.names()),
        {name: reason for part in parts for name, reason in part.reasons.items()},
    )


def _started() -> Engine | Worker:
    """The engine of this process: in a process of its own, except where the library is loaded here anyway."""
    global _engine
    with _lock:
        if isinstance(_engine, Worker) and not _engine.mine:
            _engine = None
        if _engine is None:
            _engine = Engine() if "great_expectations" in sys.modules else Worker()
        return _engine


def warm() -> None:
    """Have the engine import and set itself up (seconds) while the caller reads files."""
    _started()
