"""The closed list of expectation types that a contract's ``quality`` rules may use, and what each accepts.

Belongs here: names, arguments, numbers of columns and logical types, for the lint of contracts and for the floor
``expectations``. Does not belong here: running them (``expectations.run``).

A type is listed for a logical type only where a test shows that Great Expectations answers rightly on our frames for
passing, failing and missing values (``tests/expectations/test_run.py``). Left out on purpose: ``mostly`` (a rule that
passes with failing rows would hide them), uniqueness (staging finds duplicate keys), rules about a table as a whole
(its verdict names no row), ``expect_multicolumn_sum_to_equal`` on decimals (0.1 + 0.2 is not 0.3 in floats; use
``expect_row_sums_to_be_equal``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from .contract import LogicalType, Rule

_TEXT: frozenset[LogicalType] = frozenset({"string"})
_WHOLE: frozenset[LogicalType] = frozenset({"integer"})
_NUMBERS: frozenset[LogicalType] = frozenset({"integer", "number"})
_DAYS: frozenset[LogicalType] = frozenset({"date", "timestamp"})
_FLAGS: frozenset[LogicalType] = frozenset({"boolean"})
_LISTED = _TEXT | _NUMBERS | _FLAGS
_RANGED = _NUMBERS | _DAYS
_ANY = _TEXT | _RANGED | _FLAGS


_IGNORE_PAIR = ("either_value_is_missing", "both_values_are_missing", "neither")
_IGNORE_SEVERAL = ("any_value_is_missing", "all_values_are_missing", "never")


@dataclass(frozen=True)
class ExpectationType:
    """One allowed type. ``columns``: least and greatest number of columns. ``needs``: one of these must be given."""

    columns: tuple[int, int]
    logical_types: frozenset[LogicalType]
    kwargs: frozenset[str] = frozenset()
    needs: frozenset[str] = frozenset()


def _type(
    columns: tuple[int, int], logical_types: frozenset[LogicalType], *kwargs: str, needs: tuple[str, ...] = ()
) -> ExpectationType:
    return ExpectationType(columns, logical_types, frozenset({*kwargs, *needs, "when"}), frozenset(needs))


_LIMITS = ("min_value", "max_value")
_STRICT = ("strict_min", "strict_max")

TYPES: Mapping[str, ExpectationType] = {
    "expect_column_values_to_not_be_null": _type((1, 1), _ANY),
    "expect_column_values_to_be_null": _type((1, 1), _ANY),
    "expect_column_values_to_be_in_set": _type((1, 1), _LISTED, needs=("value_set",)),
    "expect_column_values_to_not_be_in_set": _type((1, 1), _LISTED, needs=("value_set",)),
    "expect_column_values_to_be_between": _type((1, 1), _RANGED, *_STRICT, needs=_LIMITS),
    "expect_column_value_lengths_to_be_between": _type((1, 1), _TEXT, *_STRICT, needs=_LIMITS),
    "expect_column_value_lengths_to_equal": _type((1, 1), _TEXT, needs=("value",)),
    "expect_column_values_to_match_regex": _type((1, 1), _TEXT, needs=("regex",)),
    "expect_column_values_to_not_match_regex": _type((1, 1), _TEXT, needs=("regex",)),
    "expect_column_pair_values_a_to_be_greater_than_b": _type((2, 2), _RANGED, "or_equal", "ignore_row_if"),
    "expect_column_pair_values_to_be_equal": _type((2, 2), _ANY, "ignore_row_if"),
    "expect_multicolumn_sum_to_equal": _type((2, 50), _WHOLE, "ignore_row_if", needs=("sum_total",)),
    "expect_row_sums_to_be_equal": _type((2, 50), _NUMBERS, "left", "optional", "tolerance", "ignore_row_if"),
    "expect_row_sum_to_be_at_most": _type((2, 50), _NUMBERS, "left", "optional", "tolerance", "ignore_row_if"),
}
"""Type in snake case -> what it accepts.

``when`` (all types): ``{column: value or list of values}``; the rule counts only for rows where every named column has
one of its values. ``ignore_row_if``: the engine's own words; left out, a row is ignored where any column is null
(the engine's default would count it as bad). Two are our own: the sum of the first ``left`` columns (default 1) equals the sum
of the others (``expect_row_sums_to_be_equal``), or is not above it (``expect_row_sum_to_be_at_most``), to within ``tolerance``
(default 0); a blank in a column of ``optional`` adds nothing, so that a form without it is judged too. Regular expressions are
Python's and match anywhere: anchor them with ``^`` and ``$``."""

SUMS = frozenset({"expect_row_sums_to_be_equal", "expect_row_sum_to_be_at_most"})
"""Our own types about sums within a row."""

ALLOWED: Mapping[str, frozenset[str]] = {kind: entry.kwargs for kind, entry in TYPES.items()}
"""Type in snake case -> the arguments that a contract may give it (the columns are not among them)."""


@dataclass(frozen=True)
class AcrossType:
    """A rule that looks across submissions or datasets, run on PostgreSQL when a publish is prepared. It flags rows and
    never quarantines them (design, law 2). ``datasets``: others that it reads beside the contract's own, with the columns that it
    needs of each; ``columns``: columns of the contract that it rests on; ``kwargs``: its arguments with their types, all of them
    needed; ``unsaid``: further columns of the contract that it reads and of which its findings hold no value, so that they may
    be personal; ``dated``: what it says of a period hangs on nothing that is said of later ones, so that of a dataset with a
    value for each period only those since the first that a publish touches are judged again."""

    datasets: Mapping[str, frozenset[str]] = field(default_factory=dict)
    columns: frozenset[str] = frozenset()
    kwargs: Mapping[str, tuple[type, ...]] = field(default_factory=dict)
    unsaid: frozenset[str] = frozenset()
    dated: bool = False


def _across(
    columns: str = "",
    unsaid: str = "",
    *,
    kwargs: Mapping[str, tuple[type, ...]] | None = None,
    dated: bool = False,
    **datasets: str,
) -> AcrossType:
    others = {name: frozenset(said.split()) for name, said in datasets.items()}
    return AcrossType(others, frozenset(columns.split()), kwargs or {}, frozenset(unsaid.split()), dated)


_NUMBER = (int, float)
_LAW = "norm_code applies_to value"
_FLOW = (
    "organization_code procedure_code service_level opening_stock received_online received_in_person received_by_post withdrawn "
    "resolved_early resolved_on_time resolved_late pending_in_time pending_overdue digitised results_digital"
)

ACROSS: Mapping[str, AcrossType] = {
    "population_against_earlier": _across(
        "unit_key unit_code unit_name as_of source total",
        kwargs={"min_ratio": _NUMBER},
        unit_comparisons="old_key new_key new_code",
    ),
    "population_parts_against_whole": _across("unit_key unit_name as_of source total"),
    "main_posts_overlap": _across("organization_code is_main", "citizen_id", staff="citizen_id"),
    "post_held_twice": _across("organization_code post", "citizen_id", kwargs={"posts": (list,)}, staff="citizen_id"),
    "person_unknown": _across("organization_code", staff="citizen_id"),
    "organization_unknown": _across(dated=True, organizations="organization_code"),
    "office_unknown": _across(organizations="organization_code"),
    "agency_code_twice": _across("organization_code agency_code"),
    "predecessor_unknown": _across(),
    "predecessor_goes_on": _across(),
    "validity_overlaps": _across(),
    "local_origin_doubtful": _across(
        "organization_code",
        "citizen_id local_origin",
        staff="citizen_id home_commune_code",
        organizations="organization_code commune_code",
    ),
    "quota_part_above_parent": _across("organization_code year", organizations="organization_code parent_code"),
    "staff_above_quota": _across(
        "organization_code civil_servant_posts public_employee_posts",
        staff="organization_code employment_type started_on left_on",
    ),
    "appointments_below_list": _across(
        "organization_code appointments appointments_published",
        assignments="organization_code appointment published started_on",
    ),
    "village_type_of_other_unit": _across("commune_code village_type"),
    "households_against_population": _across(
        "commune_code households", kwargs={"tolerance": _NUMBER}, population="unit_code as_of source households"
    ),
    "kpi_scores_differ": _across("", "common_score result_score total_score", dated=True, norms=_LAW),
    "kpi_rating_out_of_band": _across("", "total_score rating failing_reason", dated=True, norms=_LAW),
    "kpi_result_out_of_parts": _across(
        "",
        "quantity_pct quality_pct progress_pct unit_result_pct organising_pct uniting_pct result_score",
        dated=True,
        norms=_LAW,
    ),
    "kpi_excellent_above_cap": _across("organization_code task_group", "rating", dated=True, norms=_LAW),
    "stock_not_carried_over": _across("opening_stock pending_in_time pending_overdue", dated=True),
    "statistics_against_dossiers": _across(
        _FLOW,
        dated=True,
        dossiers=(
            "organization_code procedure_code service_level received_on due_on finished_on withdrawn_on channel digitised "
            "result_digital"
        ),
    ),
    "unit_share_unfit": _across("old_code new_code effective_date share"),
}
"""Type -> what it needs. The SQL of each stands in ``expectations/across/<type>.sql``."""


def problems_of(rule: Rule, logical_types: Mapping[str, LogicalType]) -> tuple[str, ...]:
    """What is wrong with a rule, in short English phrases without values; empty where it can be run.

    ``logical_types``: the contract's columns and their logical types. Used by the lint, and again before a run: a rule
    with a problem is never given to the engine, whose answer could be wrong in silence.
    """
    entry = TYPES.get(rule.kind)
    if entry is None:
        return (f"expectation type {rule.kind} is not allowed",)
    found = [f"argument {name} is not allowed for {rule.kind}" for name in sorted(set(rule.kwargs) - entry.kwargs)]
    if entry.needs and not any(rule.kwargs.get(name) is not None for name in entry.needs):
        found.append(f"{rule.kind} needs {' or '.join(sorted(entry.needs))}")
    least, most = entry.columns
    if not least <= len(rule.columns) <= most:
        found.append(f"{rule.kind} takes {least if least == most else f'{least} to {most}'} columns")
    when = rule.kwargs.get("when", {})
    if not isinstance(when, Mapping):
        found.append("when is not a mapping of column to value or values")
        when = {}
    found += [f"column {name} is not declared" for name in (*rule.columns, *when) if name not in logical_types]
    types = {logical_types[name] for name in rule.columns if name in logical_types}
    found += [f"{rule.kind} does not take columns of type {name}" for name in sorted(types - entry.logical_types)]
    if len(types) > 1 and not (types <= _NUMBERS or types <= _DAYS):
        found.append(f"{rule.kind} compares columns of different types")
    ignore, several = rule.kwargs.get("ignore_row_if"), most > 2
    words = _IGNORE_SEVERAL if several else _IGNORE_PAIR
    if ignore is not None and ignore not in words:
        found.append(f"ignore_row_if is none of {', '.join(words)}")
    left, optional = rule.kwargs.get("left", 1), rule.kwargs.get("optional", [])
    if rule.kind in SUMS and not (isinstance(left, int) and 1 <= left < len(rule.columns)):
        found.append("left must leave at least one column on each side")
    if not isinstance(optional, list | tuple) or not set(optional) < set(rule.columns):
        found.append("optional must name some of the rule's columns, and not all")
    return tuple(found)
