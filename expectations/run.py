"""Runs checks on a batch of typed rows with Great Expectations and says which rows fail which check.

Belongs here: the engine's context, the two passes, reading its results, and what to do where a rule could not run. Does
not belong here: what must hold (:mod:`expectations.suite`), how values are encoded (:mod:`expectations.plan`), verdicts
and their storage (``assets.staging``).

No value of a row leaves this module: results hold ids and counts, reasons hold names of columns and types. The engine's
own log is silenced, because its messages quote values.
"""

from __future__ import annotations

import logging
import os
import threading
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import polars as pl

from schemas.contract import Contract

from .plan import CannotRun, Plan, gx_suite, plan_of
from .suite import Check

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd
    from great_expectations import ExpectationSuite

    Ids = npt.NDArray[np.int64]

MAX_RERUNS = 64
"""How often one rule is run again at most to find the submissions on which it cannot run."""

_EXACT = 2**53
_BOOLEAN_ONLY = {"result_format": "BOOLEAN_ONLY"}
_COMPLETE = {
    "result_format": "COMPLETE",
    "partial_unexpected_count": 0,
    "return_unexpected_index_query": False,  # would be the ids once more, as text
}
_FAILURES = pl.Schema({"_id": pl.Int64, "check": pl.String, "severity": pl.String})
_RESULTS = pl.Schema(
    {"_sub": pl.Int64, "check": pl.String, "status": pl.String, "evaluated": pl.Int64, "unexpected": pl.Int64}
)
_lock = threading.RLock()
_engine: _Engine | None = None


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
    try:
        batch = _to_pandas(frame, plans)
    except pl.exceptions.PolarsError as problem:
        if len(plans) > 1:  # one derived column cannot be computed: only its own check is lost
            return {name: answer for plan in plans for name, answer in _attempt(frame, [plan]).items()}
        return {plans[0].check.id: f"its columns cannot be prepared ({type(problem).__name__})"}
    with _lock:
        return _run(_started(), batch, plans)


def _run(engine: _Engine, batch: pd.DataFrame, plans: Sequence[Plan]) -> dict[str, Ids | str]:
    import numpy as np

    suite, refused = gx_suite(plans)
    answers: dict[str, Ids | str] = {plan.check.id: "the engine gave no answer" for plan in plans}
    answers.update(refused)
    try:
        validator = engine.validator(batch, suite)
        failed = set()
        for name, result in _by_check(validator.validate(suite, result_format=_BOOLEAN_ONLY)):
            if result.success:
                answers[name] = np.empty(0, np.int64)
            elif _ran(result):
                failed.add(name)
            else:
                answers[name] = "the engine could not evaluate it"
        if failed:
            again, _ = gx_suite([plan for plan in plans if plan.check.id in failed])
            for name, result in _by_check(validator.validate(again, result_format=_COMPLETE)):
                answers[name] = _failing_ids(result)
    except Exception as problem:  # its text may hold values: the type's name only
        reason = f"the engine stopped ({type(problem).__name__})"
        return {name: reason if isinstance(answer, str) else answer for name, answer in answers.items()}
    finally:
        engine.forget()
    return answers


def _by_check(results: Any) -> list[tuple[str, Any]]:
    # the order of results is not the order of the suite
    return [(result.expectation_config.meta["check"], result) for result in results.results]


def _ran(result: Any) -> bool:
    # without an exception: {"raised_exception": False, ...}; with one also a dict keyed by metric id
    info = result.exception_info
    return not info or info.get("raised_exception") is False


def _failing_ids(result: Any) -> Ids | str:
    import numpy as np

    if not _ran(result):
        return "the engine could not evaluate it"
    # unexpected_list stops at 200 values; the index list is complete on the pandas engine
    labels, count = result.result.get("unexpected_index_list"), result.result.get("unexpected_count")
    if labels is None or not count or len(labels) != count:
        return "the engine's rows and count differ"
    ids = np.asarray(labels, dtype=np.int64)
    return ids if len(np.unique(ids)) == count else "the engine's rows and count differ"


def _to_pandas(frame: pl.DataFrame, plans: Sequence[Plan]) -> pd.DataFrame:
    """Exactly the columns that the plans read, encoded, with ``_id`` as index; numbers without nulls are not copied.

    Narrow on purpose: the engine copies all columns of its frame for each rule on a column with nulls.
    """
    import pandas as pd

    inputs = {name: expression for plan in plans for name, expression in plan.inputs.items()}
    encoded = frame.select(expression.alias(name) for name, expression in inputs.items())
    columns: dict[str, Any] = {}
    for series in encoded:
        if series.dtype == pl.String:
            columns[series.name] = pd.StringDtype(na_value=float("nan")).__from_arrow__(series.to_arrow())
        elif series.dtype == pl.Int64 and not series.is_between(-_EXACT, _EXACT, closed="none").all():
            columns[series.name] = pd.Int64Dtype().__from_arrow__(series.cast(pl.Int64).to_arrow())
        else:
            columns[series.name] = series.to_numpy()  # nulls become NaN; integers below 2**53 stay exact as floats
    return pd.DataFrame(columns, index=pd.Index(frame["_id"].to_numpy()), copy=False)


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


class _Engine:
    """Great Expectations, imported and set up once in a process: one context, one source, one batch at a time."""

    def __init__(self) -> None:
        os.environ["GX_ANALYTICS_ENABLED"] = "false"  # read at import; nothing leaves the machine
        shown = warnings.showwarning
        import great_expectations as gx

        if warnings.showwarning is not shown:  # its import diverts the warnings of the whole process to its log
            logging.captureWarnings(False)
        logging.getLogger("great_expectations").setLevel(logging.CRITICAL + 1)
        self._context = gx.get_context(mode="ephemeral")
        self._context.variables.progress_bars = {"globally": False, "metric_calculations": False}  # type: ignore[assignment]
        self._source = self._context.data_sources.add_pandas("frames")
        asset = self._source.add_dataframe_asset("batch")
        self._batches = asset.add_batch_definition_whole_dataframe("rows")

    def validator(self, batch: pd.DataFrame, suite: ExpectationSuite) -> Any:
        """A validator over the frame. Two passes share it: the engine hashes every frame anew for each new one."""
        request = self._batches.build_batch_request({"dataframe": batch})
        return self._context.get_validator(batch_request=request, expectation_suite=suite)

    def forget(self) -> None:
        """Lets go of the last frame."""
        self._source.get_execution_engine().batch_manager.reset_batch_cache()


def _started() -> _Engine:
    global _engine
    with _lock:
        if _engine is None:
            _engine = _Engine()
        return _engine


def warm() -> threading.Thread:
    """Imports and sets up the engine in the background (seconds) while the caller reads files; joining is optional."""
    thread = threading.Thread(target=_started, name="great-expectations", daemon=True)
    thread.start()
    return thread
