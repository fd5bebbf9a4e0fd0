"""What is published of the indicators: their newest values with how they came about, by unit and period, and from one value back to
the rows that it is made of (law 3).

Here: questions to ``mart_v1`` and, for the way back, the indicator's own SELECT once more, as of the publish that readers see. Not
here: computing values (:mod:`.compute`), the layout on the screen (:mod:`pipelines.cli_indicators`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row

from assets.core.trace import NotFound, Version, shown_at, trace
from schemas.contract import Contract
from schemas.periods import Period

from . import relations
from .catalogue import Indicator
from .compute import make_parts, province_code

_HERE = Path(__file__).parent


def _rows(connection: psycopg.Connection, query: str, parameters: Mapping[str, Any]) -> list[dict[str, Any]]:
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query, parameters).fetchall()


def newest(
    connection: psycopg.Connection, code: str | None = None, unit: str | None = None, period: str | None = None
) -> list[dict[str, Any]]:
    """The newest value of every figure (of one indicator, of one period) for the province, or for the unit of a code
    (with its kind before it, as BLOC:MTTQ, where there are two).

    Keys: those of ``mart_v1.indicator_value`` and of ``mart_v1.indicators``; a figure without a value has ``status`` NO_DATA and
    nulls.
    """
    return _rows(
        connection,
        (_HERE / "newest.sql").read_text(encoding="utf-8"),
        {"code": code, "unit": unit, "period": period},
    )


def series(
    connection: psycopg.Connection, values: Sequence[Mapping[str, Any]]
) -> dict[tuple[Any, ...], list[dict[str, Any]]]:
    """(indicator, variant, unit_kind, unit, period_kind) of values -> their periods, oldest first: period, as_of, value, target,
    status."""
    keys = [
        tuple(v[k] for k in ("indicator", "variant", "unit_kind", "unit", "period_kind")) for v in values if v["unit"]
    ]
    found: dict[tuple[Any, ...], list[dict[str, Any]]] = {k: [] for k in keys}
    rows = _rows(
        connection,
        "select v.indicator, v.variant, v.unit_kind, v.unit, v.period_kind, v.period, v.as_of, v.value, v.target, v.status "
        "from mart_v1.indicator_value v join unnest(%(i)s::text[], %(v)s::text[], %(k)s::text[], %(u)s::text[], %(p)s::text[]) "
        "w (indicator, variant, unit_kind, unit, period_kind) using (indicator, variant, unit_kind, unit, period_kind) "
        "order by v.as_of",
        dict(zip("ivkup", map(list, zip(*keys, strict=True)), strict=True)) if keys else dict.fromkeys("ivkup", []),
    )
    for row in rows:
        key = tuple(row.pop(k) for k in ("indicator", "variant", "unit_kind", "unit", "period_kind"))
        found[key].append(row)
    return found


def by_unit(connection: psycopg.Connection, value: Mapping[str, Any]) -> list[dict[str, Any]]:
    """All units of a value's figure and period: unit_kind, unit, unit_name, value, numerator, denominator, unknown, target and
    status."""
    return _rows(
        connection,
        "select unit_kind, unit, unit_name, value, numerator, denominator, unknown, target, status from mart_v1.indicator_value "
        "where indicator = %(indicator)s and variant = %(variant)s and period_kind = %(period_kind)s and period = %(period)s "
        "order by array_position(array['PROVINCE', 'BLOC', 'FIELD', 'COMMUNE', 'ORGANIZATION'], unit_kind), unit",
        value,
    )


def missing(connection: psycopg.Connection, value: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Who was due for a value's period and has not reported: dataset, unit_kind, unit, unit_name, sent_period, due_on, reason."""
    return _rows(
        connection,
        "select dataset, unit_kind, unit, unit_name, sent_period, due_on, reason from mart_v1.indicator_missing "
        "where indicator = %(indicator)s and period_kind = %(period_kind)s and period = %(period)s order by dataset, unit",
        value,
    )


def path(connection: psycopg.Connection, value: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Planned against actual, quarter by quarter, to the day of the target; none where there is no such day."""
    return _rows(
        connection,
        "select quarter, as_of, planned, actual, target, target_due from mart_v1.indicator_path where indicator = %(indicator)s "
        "and variant = %(variant)s and unit_kind = %(unit_kind)s and unit = %(unit)s order by as_of",
        value,
    )


@dataclass(frozen=True)
class Part:
    """An entity or submission that a value is made of, with what it adds, and the versions of the entity that said so."""

    dataset: str
    entity_id: int | None
    submission_id: str | None
    numerator: Any
    denominator: Any
    unknown: Any
    versions: tuple[Version, ...]


def value_of(
    connection: psycopg.Connection, indicator: Indicator, variant: str, unit: str | None, period: str | None
) -> dict[str, Any]:
    """The value that is meant (the newest, of the province, unless said otherwise); :class:`NotFound`, also where it is hidden."""
    found = [v for v in newest(connection, indicator.code, unit, period) if v["variant"] == variant and v["unit"]]
    if not found:
        raise NotFound(
            f"{indicator.code} has no such value; `lienthong indicators {indicator.code}` lists those that there are"
        )
    if found[0]["status"] == "HIDDEN":
        raise NotFound(
            f"{indicator.code}: this count is of so few people that it is hidden, and so is what it is made of"
        )
    return found[0]


def parts(
    connection: psycopg.Connection,
    indicator: Indicator,
    contracts: Mapping[str, Contract],
    value: Mapping[str, Any],
    limit: int | None = None,
) -> list[Part]:
    """What a published value is made of, those that add something first: the sums of the parts are its numerator and denominator
    (but for the measures pace, whose denominator is the same in all, and most, which takes the greatest).

    ``limit``: of how many the versions, with their cells, are looked up; of all where it is None.
    """
    shows = shown_at(connection, None)
    found = _facts(connection, indicator, contracts, value, shows)
    made = []
    for n, row in enumerate(found):
        versions: tuple[Version, ...] = ()
        if row["entity_id"] is not None and (limit is None or n < limit):
            versions = _versions(connection, contracts[row["dataset"]], row["entity_id"], indicator, value)
        made.append(Part(**row, versions=versions))
    return made


def _facts(
    connection: psycopg.Connection,
    indicator: Indicator,
    contracts: Mapping[str, Contract],
    value: Mapping[str, Any],
    shows: int,
) -> list[dict[str, Any]]:
    province = province_code(connection)
    period = Period(value["first_day"], value["as_of"], value["period_kind"], value["period"])
    given = relations.with_clause(
        indicator,
        "select 1 as no, %(first)s::date as first_day, %(day)s::date as last_day, %(day)s::date as day",
        province,
        contracts,
        relations.shown(shows),
    )
    with connection.transaction(force_rollback=True):
        make_parts(connection, [(1, indicator, period)], contracts)
        return _rows(
            connection,
            # the facts hold no parameters of their own: their percent signs are doubled
            f"{_doubled(given)} select f.dataset, f.entity_id, f.submission_id, "
            "trim_scale(sum(f.numerator) filter (where f.unknown is not null and (f.denominator is not null or %(alone)s))) "
            "as numerator, trim_scale(sum(f.denominator) filter (where f.unknown is not null and f.numerator is not null)) "
            "as denominator, sum(f.unknown) + count(*) filter (where f.unknown is not null and (f.numerator is null "
            "or (f.denominator is null and not %(alone)s))) as unknown "
            f"from ({relations.facts(indicator).replace('%', '%%')}) f "
            f"cross join lateral (values {relations.units(indicator, province)}) u (unit_kind, unit) "
            "where u.unit_kind = %(kind)s and u.unit = %(unit)s and f.variant = %(variant)s "
            "group by 1, 2, 3 order by sum(f.unknown) is null, coalesce(sum(f.numerator), 0) = 0, 1, 2, 3",
            {
                "first": value["first_day"],
                "day": value["as_of"],
                "kind": value["unit_kind"],
                "unit": value["unit"],
                "variant": value["variant"],
                "alone": indicator.variant(value["variant"]).measure in ("count", "most"),
            },
        )


def _doubled(text: str) -> str:
    return text.replace("%", "%%").replace("%%(first)s", "%(first)s").replace("%%(day)s", "%(day)s")


def _versions(
    connection: psycopg.Connection, contract: Contract, entity: int, indicator: Indicator, value: Mapping[str, Any]
) -> tuple[Version, ...]:
    """The versions that count: those of the day, of the period where its parts add up, else the last before."""
    try:
        every = trace(connection, contract, entity)
    except NotFound:  # erased since
        return ()
    first: date = value["first_day"] if f"{contract.dataset}_in" in indicator.facts else value["as_of"]
    after = value["as_of"] + timedelta(days=1)
    held = [v for v in every if v.valid_from < after and (v.valid_to is None or v.valid_to > first)]
    return tuple(held or [v for v in every if v.valid_from < after][-1:])


def norms_of(
    connection: psycopg.Connection, indicator: Indicator, contracts: Mapping[str, Contract], value: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """The norms that a value was computed with: norm_code, applies_to, value, legal_source, entity_id."""
    if not indicator.norms or "norms" not in contracts:
        return []
    seen = relations.shown(shown_at(connection, None))
    return _rows(
        connection,
        "with period as (select 1 as no, %(day)s::date as day), "
        f"norm as ({relations.norms(seen).replace('%', '%%')}) "
        "select n.norm_code, n.applies_to, trim_scale(n.value) as value, h.legal_source, n.entity_id from norm n "
        f"join core.norms h on h.entity_id = n.entity_id and {seen.format('h')} "
        "and h.valid_from <= %(day)s and (h.valid_to is null or h.valid_to > %(day)s) "
        "where n.norm_code = any (%(codes)s) order by 1, 2",
        {"day": value["as_of"], "codes": list(indicator.norms)},
    )
