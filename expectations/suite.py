"""Contract -> checks: a neutral list that names no engine, and its rendering as a Great Expectations suite.

Belongs here: what must hold for a row of a dataset, derived from the contract alone. Does not belong here: running the
checks (:mod:`expectations.run`), what a cleaner finds in a cell (``schemas.semantic``; not repeated here), rules
across rows, submissions or datasets (staging and publish).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from schemas import messages
from schemas.contract import Column, Contract, Rule, Severity
from schemas.semantic.explain import bounds_of


@dataclass(frozen=True)
class Check:
    """One thing that must hold for every row.

    ``id`` is stable: ``<dataset>.<column>.<what>`` for derived checks, the rule's own id for the contract's rules; it
    is the name of the Dagster asset check and the key of verdicts. ``code``: the entry of :mod:`schemas.codes` under
    which a failing cell or row is reported. ``message`` and ``remedy`` are Vietnamese and hold no value and no address.
    """

    id: str
    kind: str
    columns: tuple[str, ...]
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    severity: Severity = "error"
    code: str = "RULE"
    message: str = ""
    remedy: str = ""

    def as_rule(self) -> Rule:
        """The same as a rule of a contract, for :func:`schemas.expectation_types.problems_of`."""
        return Rule(self.id, self.kind, self.columns, self.kwargs, self.severity, self.message, self.remedy)


_LIMITS: Mapping[str, Mapping[str, bool | None]] = {
    "minimum": {"min_value": None},
    "exclusiveMinimum": {"min_value": None, "strict_min": True},
    "maximum": {"max_value": None},
    "exclusiveMaximum": {"max_value": None, "strict_max": True},
}
"""Options of ODCS ``logicalTypeOptions`` -> arguments of a between rule; None stands for the option's value."""


def _range(column: Column) -> dict[str, Any]:
    kwargs: dict[str, Any] = {}
    for option, arguments in _LIMITS.items():
        if (limit := column.options.get(option)) is not None:
            kwargs |= {name: limit if value is None else value for name, value in arguments.items()}
    return kwargs


def _derived(contract: Contract, column: Column) -> Iterator[Check]:
    def check(what: str, kind: str, code: str, words: Mapping[str, Any], **kwargs: Any) -> Check:
        name = f"{contract.dataset}.{column.name}.{what}"
        said = {"label": column.label, **words}
        message, remedy = messages.text("check", what, **said), messages.text("check remedy", what, **said)
        return Check(name, kind, (column.name,), kwargs, "error", code, message, remedy)

    if (column.required and not column.options.get("headerOptional")) or column.key_position is not None:
        yield check("not_null", "expect_column_values_to_not_be_null", "MISSING", {})
    if column.enum:
        values = [entry.value for entry in column.enum]
        yield check("in_set", "expect_column_values_to_be_in_set", "NOT_IN_LIST", {}, value_set=values)
    if limits := _range(column):
        bounds = {"bounds": bounds_of(column.options)}
        yield check("between", "expect_column_values_to_be_between", "OUT_OF_RANGE", bounds, **limits)
    if (longest := column.options.get("maxLength")) is not None and column.logical_type == "string":
        yield check("max_length", "expect_column_value_lengths_to_be_between", "TOO_LONG", {"limit": longest},
                    max_value=longest)  # fmt: skip


def _range_of_validity(contract: Contract) -> Iterator[Check]:
    """A row that ends before it begins is valid on no day: it would be accepted and never seen."""
    if contract.valid_from_column is None or contract.valid_to_column is None:
        return
    begin, end = contract.column(contract.valid_from_column), contract.column(contract.valid_to_column)
    yield Check(
        f"{contract.dataset}.{end.name}.after_{begin.name}",
        "expect_column_pair_values_a_to_be_greater_than_b",
        (end.name, begin.name),
        {"or_equal": False, "ignore_row_if": "either_value_is_missing"},
        message=messages.text("check", "after", begin=begin.label, end=end.label),
        remedy=messages.text("check remedy", "after", begin=begin.label, end=end.label),
    )


def checks_of(contract: Contract) -> tuple[Check, ...]:
    """Everything that must hold for a row of the dataset: derived checks in the order of the columns, then the rules.

    A required or key column is not null; a column with a code list holds one of its values; declared limits
    (``minimum``, ``maximum`` and their exclusive forms, ``maxLength``) hold; a row's validity ends after
    it began. Pure. Raises :class:`ValueError` where two checks have one id.
    """
    checks = [check for column in contract.columns for check in _derived(contract, column)]
    checks += _range_of_validity(contract)
    for rule in contract.rules:
        given = (rule.id, rule.kind, rule.columns, rule.kwargs, rule.severity)
        checks.append(Check(*given, message=rule.message, remedy=rule.remedy))
    ids = [check.id for check in checks]
    if twice := sorted({name for name in ids if ids.count(name) > 1}):
        raise ValueError(f"checks of {contract.dataset} with one id: {', '.join(twice)}")
    return tuple(checks)


def check_of(contract: Contract, id_: str) -> Check | None:
    """The check of an id, where the dataset has it."""
    return next((check for check in checks_of(contract) if check.id == id_), None)
