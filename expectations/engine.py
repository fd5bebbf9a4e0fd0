"""Great Expectations itself: one context, one source, one batch at a time. Runs where the library is loaded.

Belongs here: the engine's context, a batch in its own form, the two passes, reading its results. Does not belong here: how
values are encoded (:mod:`expectations.plan`), in which process this runs (:mod:`expectations.worker`), what is done where a
rule could not run (:mod:`expectations.run`). This module imports nothing heavy before an :class:`Engine` is made.

No value of a row leaves this module: answers hold row ids, or reasons with names of types. The engine's own log is
silenced, because its messages quote values.
"""

from __future__ import annotations

import importlib.util
import logging
import os
import sys
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.machinery import ModuleSpec
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd
    import pyarrow as pa
    from great_expectations import ExpectationSuite

    Ids = npt.NDArray[np.int64]

ID = "_id"
"""Column of a batch that holds the row ids; all others are named by the plans."""
_EXACT = 2**53
_BOOLEAN_ONLY = {"result_format": "BOOLEAN_ONLY"}
_COMPLETE = {
    "result_format": "COMPLETE",
    "partial_unexpected_count": 0,
    "return_unexpected_index_query": False,  # would be the ids once more, as text
}
_UNUSED = ("scipy.stats", "altair")
"""What the library imports for a divergence and for charts in notebooks: a third of its import and 80 MB."""


@dataclass(frozen=True)
class Asked:
    """One expectation as the engine takes it; ``check`` names it in the answer."""

    check: str
    kind: str
    kwargs: Mapping[str, Any]


class Engine:
    """Great Expectations, imported and set up. Not safe for threads."""

    def __init__(self) -> None:
        os.environ["GX_ANALYTICS_ENABLED"] = "false"  # read at import; nothing leaves the machine
        shown = warnings.showwarning
        _import_when_used(_UNUSED)
        import great_expectations as gx

        if warnings.showwarning is not shown:  # its import diverts the warnings of the whole process to its log
            logging.captureWarnings(False)
        logging.getLogger("great_expectations").setLevel(logging.CRITICAL + 1)
        self._configurations = _keep_configurations()
        self._context = gx.get_context(mode="ephemeral")
        self._context.variables.progress_bars = {"globally": False, "metric_calculations": False}  # type: ignore[assignment]
        self._source = self._context.data_sources.add_pandas("frames")
        asset = self._source.add_dataframe_asset("batch")
        self._batches = asset.add_batch_definition_whole_dataframe("rows")

    def run(self, table: pa.Table, asked: Sequence[Asked]) -> dict[str, Ids | str]:
        """Check -> ids of its failing rows, or why it could not run. Never raises for the data or a rule."""
        import numpy as np

        suite, refused = _suite(asked)
        answers: dict[str, Ids | str] = {one.check: "the engine gave no answer" for one in asked}
        answers.update(refused)
        try:
            validator = self._validator(_to_pandas(table), suite)
            failed = set()
            for name, result in _by_check(validator.validate(suite, result_format=_BOOLEAN_ONLY)):
                if result.success:
                    answers[name] = np.empty(0, np.int64)
                elif _ran(result):
                    failed.add(name)
                else:
                    answers[name] = "the engine could not evaluate it"
            if failed:
                again, _ = _suite([one for one in asked if one.check in failed])
                for name, result in _by_check(validator.validate(again, result_format=_COMPLETE)):
                    answers[name] = _failing_ids(result)
        except Exception as problem:  # its text may hold values: the type's name only
            reason = f"the engine stopped ({type(problem).__name__})"
            return {name: reason if isinstance(answer, str) else answer for name, answer in answers.items()}
        finally:
            self._source.get_execution_engine().batch_manager.reset_batch_cache()
            self._configurations.clear()
        return answers

    def _validator(self, batch: pd.DataFrame, suite: ExpectationSuite) -> Any:
        """A validator over the frame. Two passes share it: the engine hashes every frame anew for each new one."""
        request = self._batches.build_batch_request({"dataframe": batch})
        return self._context.get_validator(batch_request=request, expectation_suite=suite)


def _keep_configurations() -> dict[int, tuple[Any, Any]]:
    """Let an expectation be put into words once: the library asks each for its configuration a hundred times a run and makes it
    anew, a third of what a small batch takes. What is returned fills, and must be emptied after each run."""
    from great_expectations.expectations.expectation import Expectation

    kept: dict[int, tuple[Any, Any]] = {}
    made: Any = Expectation.configuration
    if isinstance(made, _Kept):  # there is an engine already
        return made.kept
    Expectation.configuration = _Kept(made.fget, kept)  # type: ignore[assignment, method-assign]
    return kept


class _Kept(property):
    """A property that is computed once for each object, which is kept with its value so that no other takes its id."""

    def __init__(self, make: Callable[[Any], Any], kept: dict[int, tuple[Any, Any]]) -> None:
        super().__init__(self._of)
        self.make, self.kept = make, kept

    def _of(self, one: Any) -> Any:
        if id(one) not in self.kept:
            self.kept[id(one)] = one, self.make(one)
        return self.kept[id(one)][1]


class _WhenUsed:
    """Finds the named modules so that their code runs when something of them is first asked for."""

    def __init__(self, names: Iterable[str]) -> None:
        self._names = set(names)

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        if name not in self._names:
            return None
        self._names.discard(name)
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.loader is not None:
            spec.loader = importlib.util.LazyLoader(spec.loader)
        return spec


def _import_when_used(names: Iterable[str]) -> None:
    """Put off the import of modules that the process may never use."""
    finder: Any = _WhenUsed(name for name in names if name not in sys.modules)
    sys.meta_path.insert(0, finder)


def _suite(asked: Sequence[Asked]) -> tuple[ExpectationSuite, dict[str, str]]:
    """The suite (``meta`` = ``{"check": id}``), and the checks that the engine refuses: id -> reason."""
    import great_expectations as gx
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration

    expectations, refused = [], {}
    for one in asked:
        try:
            configuration = ExpectationConfiguration(type=one.kind, kwargs=dict(one.kwargs), meta={"check": one.check})
            expectations.append(configuration.to_domain_obj())
        except Exception as problem:  # its text may hold values: the type's name only
            refused[one.check] = f"the engine refuses it ({type(problem).__name__})"
    return gx.ExpectationSuite(name="checks", expectations=expectations), refused


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


def _to_pandas(table: pa.Table) -> pd.DataFrame:
    """The batch with its ids as index; numbers without nulls are not copied.

    Narrow on purpose: the engine copies all columns of its frame for each rule on a column with nulls.
    """
    import pandas as pd
    import pyarrow as pa
    import pyarrow.compute as pc

    columns: dict[str, Any] = {}
    for name, column in zip(table.column_names, table.columns, strict=True):
        if pa.types.is_large_string(column.type):
            columns[name] = pd.StringDtype(na_value=float("nan")).__from_arrow__(column)
        elif pa.types.is_int64(column.type) and name != ID and not _exact(pc.min_max(column)):
            columns[name] = pd.Int64Dtype().__from_arrow__(column)
        else:
            columns[name] = column.to_numpy()  # nulls become NaN; integers below 2**53 stay exact as floats
    return pd.DataFrame(columns, index=pd.Index(columns.pop(ID)), copy=False)


def _exact(ends: Any) -> bool:
    least, most = ends["min"].as_py(), ends["max"].as_py()
    return least is None or (least > -_EXACT and most < _EXACT)
