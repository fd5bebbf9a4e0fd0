"""What the SELECT of an indicator reads: datasets as they were on the days that are asked for, under one publish.

Pure functions of contracts and names to SQL text. ``<dataset>_at`` has the rows that hold on the day, ``<dataset>_in`` those of
each period of the dataset's own that ends in the period,
``<dataset>_begun`` those that begin in it: all with ``period_no``, ``first_day``, ``last_day`` and ``day``. ``<dataset>_ever`` has
all versions. Not here: running it (:mod:`.compute`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from schemas.contract import Contract
from schemas.migrate import quote

from .catalogue import LOG, UNITS, Indicator

OPEN = "{0}.publish_to is null"
"""Condition on rows of the publish that is being prepared; ``{0}`` is their table."""


def shown(publish: int) -> str:
    """Condition on rows that a publish shows."""
    return f"{{0}}.publish_from <= {publish} and ({{0}}.publish_to is null or {{0}}.publish_to > {publish})"


_AT = "h.valid_from <= p.day and (h.valid_to is null or h.valid_to > p.day)"
_DAYS = "p.no as period_no, p.first_day, p.last_day, p.day"


def with_clause(
    indicator: Indicator, periods: str, province: str, contracts: Mapping[str, Contract], seen: str = OPEN
) -> str:
    """``with …`` that defines what the facts of the indicator read.

    ``periods``: SQL of the rows (no, first_day, last_day, day) that are asked for; the table ``_part`` (no, dataset, day) has the
    last days of the datasets' own periods in each. ``contracts``: the datasets that there are; norms
    and targets of which there is none are empty. ``seen``: condition on rows, with ``{0}`` for their table.
    """
    text = indicator.facts
    parts = [f"period as materialized ({periods})"]
    for dataset in indicator.reads:
        rows = f"select {_DAYS}, h.* from period p "
        # figures of a period have its last day for their own
        own = dataset in contracts and contracts[dataset].valid_time == "period"
        on = "h.valid_to = t.day + 1" if own else "h.valid_from <= t.day and (h.valid_to is null or h.valid_to > t.day)"
        forms = {
            "at": f"{rows}join core.{quote(dataset)} h on {_AT} and {seen.format('h')}",
            "in": (
                f"{rows}join _part t on t.no = p.no and t.dataset = '{dataset}' join core.{quote(dataset)} h "
                f"on {on} and {seen.format('h')}"
            ),
            "begun": (
                f"{rows}join core.{quote(dataset)} h on h.valid_from between p.first_day and p.last_day and {seen.format('h')}"
            ),
            "ever": f"select h.* from core.{quote(dataset)} h where {seen.format('h')}",
        }
        if dataset == LOG:
            forms = {
                "at": f"{rows}join core.{LOG} h on h.period_last <= p.day and {seen.format('h')}",
                "in": f"{rows}join core.{LOG} h on h.period_last between p.first_day and p.last_day and {seen.format('h')}",
            }
        parts += [
            f"{dataset}_{form} as not materialized ({body})"
            for form, body in forms.items()
            if re.search(rf"\b{dataset}_{form}\b", text)
        ]
    made = {
        "norm": norms(seen) if "norms" in contracts else _NO_NORM,
        "target": targets(seen) if "targets" in contracts else _NO_TARGET,
        "member": f"select record, entity_id from core.member h where dataset = 'staff' and {seen.format('h')}",
        # when somebody first told of a post: the first receipt of a submission that stands
        "received": (
            "select r._key as entity_id, min(u.received_at) as received_at from staging.assignments_rows r "
            "join core.standing h on h.assessment_no = r._assessment and h.standing in ('in_force', 'superseded') "
            f"and {seen.format('h')} join intake.submission u on u.submission_no = h.submission_no group by 1"
        ),
        "reform": "select max(effective_date) as day from core.unit_change",
        "commune": (
            "select p.no as period_no, u.code, u.name from period p join core.unit u on u.level = 'commune' "
            f"and u.province_code = '{province}' and u.valid_from <= p.day and (u.valid_to is null or u.valid_to > p.day)"
        ),
    }
    parts += [f"{name} as ({made[name]})" for name in made if re.search(rf"\b(?:from|join)\s+{name}\b", text)]
    return "with " + ", ".join(parts)


_NO_NORM = (
    "select null::bigint as period_no, null::text as norm_code, null::text as applies_to, null::numeric as value, "
    "null::integer as low, null::integer as high, null::bigint as entity_id where false"
)
_NO_TARGET = (
    "select null::bigint as period_no, null::text as indicator_code, null::text as bloc_or_unit, null::numeric as value, "
    "null::date as due_on, null::bigint as entity_id where false"
)


def norms(seen: str) -> str:
    """Norms in force on the day, the youngest of each. ``low`` and ``high``: whole numbers between which it holds, where it is
    said for a band ('<10', '10-14', '>=15')."""
    return (
        "select distinct on (p.no, h.norm_code, coalesce(h.applies_to, '')) p.no as period_no, h.norm_code, "
        "coalesce(h.applies_to, '') as applies_to, h.value, "
        "coalesce(substring(h.applies_to from '^>= ?(\\d+)$'), "
        "substring(h.applies_to from '^(\\d+) ?[-–] ?\\d+$'))::integer as low, "
        "coalesce(substring(h.applies_to from '^< ?(\\d+)$')::integer - 1, "
        "substring(h.applies_to from '^\\d+ ?[-–] ?(\\d+)$')::integer) as high, h.entity_id "
        f"from period p join core.norms h on {_AT} and {seen.format('h')} "
        "order by p.no, h.norm_code, coalesce(h.applies_to, ''), h.valid_from desc"
    )


def targets(seen: str) -> str:
    """Targets in force on the day, the youngest of each."""
    return (
        "select distinct on (p.no, h.indicator_code, coalesce(h.bloc_or_unit, '')) p.no as period_no, h.indicator_code, "
        "coalesce(h.bloc_or_unit, '') as bloc_or_unit, h.value, h.due_on, h.entity_id "
        f"from period p join core.targets h on {_AT} and {seen.format('h')} "
        "order by p.no, h.indicator_code, coalesce(h.bloc_or_unit, ''), h.valid_from desc"
    )


def facts(indicator: Indicator) -> str:
    """The facts with all their columns: period_no, organization, commune, bloc, field, variant, dataset, entity_id,
    submission_id, numerator, denominator, unknown. Those that the indicator's grain or variants do not ask for are null."""
    units = [
        f"f.{column}" if kind in indicator.grain else f"null::text as {column}"
        for kind, column in UNITS.items()
        if column
    ]
    variant = "f.variant" if len(indicator.variants) > 1 else "'' as variant"
    submission = "f.submission_id" if LOG in indicator.reads else "null::text as submission_id"
    return (
        f"select f.period_no, {', '.join(units)}, {variant}, f.dataset, f.entity_id, {submission}, "
        f"f.numerator::numeric, f.denominator::numeric, f.unknown::numeric from (\n{indicator.facts}\n) f"
    )


def units(indicator: Indicator, province: str) -> str:
    """The units of a fact ``f``, as rows of VALUES."""
    named = {kind: f"f.{column}" if column else f"'{province}'" for kind, column in UNITS.items()}
    return ", ".join(f"('{kind}', {named[kind]})" for kind in indicator.grain)
