"""Values of indicators under an open publish number: for the indicators whose data changed, and the periods that it touches.

Here: which periods there are, which of them must be computed again, and writing what comes out otherwise than in the last publish,
so that values have a history like the rows that they are made of and a publish that is taken back takes its values back. Not here:
what an indicator is made of (its ``.sql`` file), the log of submissions (:mod:`.submission_log`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import psycopg

from assets.marts.touched import touched_days
from schemas.contract import Contract
from schemas.migrate import quote
from schemas.periods import Calendar, Period, periods_between

from . import relations, submission_log
from .catalogue import LOG, Indicator

_HERE = Path(__file__).parent
_TEMPORARY = ("_period", "_part", "_value", "_wanted", "_label")


@dataclass(frozen=True)
class Computed:
    """What was computed again for one indicator."""

    indicator: str
    periods: int


@dataclass
class Indicated:
    """What a publish did to the indicators: those that were computed again, values that ended and that began."""

    computed: list[Computed] = field(default_factory=list)
    closed: int = 0
    opened: int = 0
    log_changed: bool = False

    @property
    def changed(self) -> bool:
        """Whether anything is different from the last publish."""
        return bool(self.closed or self.opened or self.log_changed)


Range = tuple[date, date] | None


@dataclass(frozen=True)
class _Task:
    indicator: Indicator
    fingerprint: str
    days: Range
    again: tuple[Period, ...]
    """Periods to compute, those that there are no longer included."""
    gone: tuple[Period, ...]


def compute(
    connection: psycopg.Connection,
    indicators: Mapping[str, Indicator],
    contracts: Mapping[str, Contract],
    publish: int,
    changed: Collection[str],
    since: Mapping[str, date],
) -> Indicated:
    """Compute, in the caller's transaction, what the ``changed`` datasets touch, which say anything else ``since`` a day
    (:mod:`assets.marts.touched`); indicators that read a dataset without a contract have no values."""
    log_changed = submission_log.derive(connection, contracts, publish)
    touched = {**since, **(_log_since(connection, publish) if log_changed else {})}
    tasks = _tasks(connection, indicators, contracts, publish, touched)
    done = Indicated(log_changed=log_changed)
    if not tasks:
        return done
    connection.execute("set local client_min_messages = warning")
    _prepare(connection, contracts, tasks)
    province = province_code(connection)
    # a day joined to a history is estimated at one row: that must not become a loop over all pairs
    connection.execute("set local enable_nestloop = off")
    for task in tasks:
        if len(task.again) > len(task.gone):
            connection.execute(statement(task.indicator, province, contracts), {"code": task.indicator.code})
    connection.execute("set local enable_nestloop to default")
    _name(connection, contracts, [t.indicator for t in tasks])
    for task in tasks:
        if task.indicator.hidden_below is not None:
            _hide(connection, contracts, task.indicator)
    parameters = {"publish": publish}
    done.closed = connection.execute(_text("close"), parameters).rowcount
    done.opened = connection.execute(_text("open"), parameters).rowcount
    for table in _TEMPORARY:
        connection.execute(f"drop table {table}")
    # where nothing came of it there may be no such publish
    _remember(connection, tasks, publish if changed or done.changed else 0)
    done.computed = [Computed(t.indicator.code, len(t.again)) for t in tasks]
    return done


def statement(indicator: Indicator, province: str, contracts: Mapping[str, Contract]) -> str:
    """SQL that adds the values of an indicator for the periods in ``_period`` to ``_value``; its parameter is ``code``."""
    periods = f"select no, first_day, last_day, day from _period where indicator = '{indicator.code}' and not gone"
    given = relations.with_clause(indicator, periods, province, contracts).replace("%", "%%")
    rolled = _text("rollup").format(
        facts=relations.facts(indicator).replace("%", "%%"),
        units=relations.units(indicator, province),
        variants=", ".join(f"('{v.variant}', '{v.measure}')" for v in indicator.variants),
    )
    return f"{given} {rolled}"


def _text(file: str) -> str:
    return (_HERE / f"{file}.sql").read_text(encoding="utf-8")


_ENGINE = tuple(_text(f) for f in ("rollup", "named", "hide", "hide_complement")) + (
    relations.norms(""),
    relations.targets(""),
)


def province_code(connection: psycopg.Connection) -> str:
    """The province whose communes send; '' where no commune is a sender."""
    row = connection.execute(
        "select u.province_code from core.sender s join core.unit u on u.code = s.commune_code and u.level = 'commune' "
        "order by u.valid_to is null desc, u.valid_from desc, u.province_code limit 1"
    ).fetchone()
    return "" if row is None else str(row[0])


# ------------------------------------------------------------------------------------------------ what must be done


def _tasks(
    connection: psycopg.Connection,
    indicators: Mapping[str, Indicator],
    contracts: Mapping[str, Contract],
    publish: int,
    touched: Mapping[str, date],
) -> list[_Task]:
    ran = {
        r[0]: (r[1], (r[2], r[3]) if r[2] is not None else None)
        for r in connection.execute(
            "select indicator, fingerprint, first, last from core.indicator_run where publish_to is null"
        )
    }
    days = _days(connection, contracts)
    by_code = _touched_codes(connection, contracts, publish, touched)
    version = connection.execute("select version from core.reference_version").fetchone()
    tasks = []
    for indicator in indicators.values():
        if not set(indicator.reads) <= {*contracts, LOG}:
            continue
        own = repr((indicator.fingerprint, _ENGINE, version, _calendar(indicator, contracts)))
        mark = hashlib.sha256(own.encode()).hexdigest()[:16]
        before = ran.get(indicator.code)
        now = days.get(indicator.reads[0])
        named = ("organizations",) if "ORGANIZATION" in indicator.grain else ()  # its units have their names of these
        since = min((touched[d] for d in (*indicator.reads, *named) if d in touched), default=date.max)
        for code in (indicator.code, *indicator.norms):
            since = min(since, by_code.get(code, date.max))
        if before is None or before[0] != mark:
            since = date.min
        task = _task(indicator, mark, before[1] if before else None, now, since, contracts)
        if task.again or before != (mark, now):
            tasks.append(task)
    return tasks


def _task(
    indicator: Indicator,
    mark: str,
    before: Range,
    now: Range,
    since: date,
    contracts: Mapping[str, Contract],
) -> _Task:
    calendar = _calendar(indicator, contracts)
    old, new = periods_of(indicator, before, calendar), periods_of(indicator, now, calendar)
    gone = tuple(p for p in old if p not in new)
    had = set(old)
    again = [p for p in new if p not in had or p.last >= since]
    return _Task(indicator, mark, now, (*again, *gone), gone)


def _calendar(indicator: Indicator, contracts: Mapping[str, Contract]) -> Calendar:
    return contracts[indicator.reads[0]].calendar if indicator.reads[0] in contracts else "civil"


def periods_of(indicator: Indicator, days: Range, calendar: Calendar) -> list[Period]:
    """The periods of an indicator that ended between two days."""
    if days is None:
        return []
    return [p for kind in indicator.periods for p in periods_between(kind, *days, calendar) if p.last <= days[1]]  # type: ignore[arg-type]


def _days(connection: psycopg.Connection, contracts: Mapping[str, Contract]) -> dict[str, tuple[date, date]]:
    """Dataset -> first and last day of the periods for which it was sent, or was due (the log knows both)."""
    rows = connection.execute(
        "select dataset, min(period_first) filter (where state in ('DAT', 'DAT_MOT_PHAN')), "
        "max(period_last) filter (where due or state in ('DAT', 'DAT_MOT_PHAN')) "
        "from core.submission_log where publish_to is null group by dataset"
    ).fetchall()
    found = {r[0]: (r[1], r[2]) for r in rows if r[1] is not None and r[0] in contracts}
    # of what is not due yet, only what was sent after its period
    log = connection.execute(
        "select min(period_first), max(period_last) from core.submission_log where publish_to is null "
        "and (due or (received_at at time zone 'Asia/Ho_Chi_Minh')::date >= period_last)"
    ).fetchone()
    if log is not None and log[0] is not None:
        found[LOG] = (log[0], log[1])
    return found


def _log_since(connection: psycopg.Connection, publish: int) -> dict[str, date]:
    row = connection.execute(
        "select min(period_last) from core.submission_log where publish_from = %(p)s or publish_to = %(p)s",
        {"p": publish},
    ).fetchone()
    return {LOG: row[0]} if row is not None and row[0] is not None else {}


def _touched_codes(
    connection: psycopg.Connection, contracts: Mapping[str, Contract], publish: int, touched: Collection[str]
) -> dict[str, date]:
    """Codes of norms, and of indicators with a target, that are others now -> since when."""
    found: dict[str, date] = {}
    for dataset, code in (("norms", "norm_code"), ("targets", "split_part(indicator_code, '/', 1)")):
        if dataset in touched and dataset in contracts:
            found |= touched_days(connection, contracts[dataset], code, publish)
    return found


# ---------------------------------------------------------------------------------------------- doing and writing it


def _prepare(connection: psycopg.Connection, contracts: Mapping[str, Contract], tasks: Sequence[_Task]) -> None:
    connection.execute(
        "create temporary table _period (no integer, indicator text, kind text, label text, first_day date, last_day date, "
        "day date, gone boolean) on commit drop"
    )
    wanted = [(no, t, p) for no, (t, p) in enumerate((t, p) for t in tasks for p in t.again)]
    with connection.cursor() as cursor, cursor.copy("copy _period from stdin") as copy:
        for no, task, p in wanted:
            copy.write_row((no, task.indicator.code, p.kind, p.label, p.first, p.last, p.last, p in task.gone))
    make_parts(connection, [(no, task.indicator, p) for no, task, p in wanted], contracts)
    connection.execute(
        "create temporary table _value (indicator text, variant text, unit_kind text, unit text, period_no integer, measure text, "
        "numerator numeric, denominator numeric, unknown numeric, value numeric) on commit drop"
    )
    connection.execute("create temporary table _label (kind text, code text, label text) on commit drop")
    labels = {
        (kind, value.value): value.label
        for dataset, column, kind in (("organizations", "bloc", "BLOC"), ("public_service_units", "field", "FIELD"))
        if dataset in contracts
        for value in contracts[dataset].column(column).enum
    }
    with connection.cursor() as cursor:
        cursor.executemany("insert into _label values (%s, %s, %s)", [(*key, label) for key, label in labels.items()])
    for dataset in sorted({d for t in tasks for d in t.indicator.reads if d != LOG}):
        connection.execute(f"analyze core.{quote(dataset)}")


def make_parts(
    connection: psycopg.Connection, periods: Sequence[tuple[int, Indicator, Period]], contracts: Mapping[str, Contract]
) -> None:
    """Make ``_part``: the last days of the periods of each dataset that end in each numbered period."""
    connection.execute("create temporary table _part (no integer, dataset text, day date) on commit drop")
    with connection.cursor() as cursor, cursor.copy("copy _part from stdin") as copy:
        for no, indicator, period in periods:
            for dataset in indicator.reads:
                if dataset in contracts and f"{dataset}_in" in indicator.facts:
                    contract = contracts[dataset]
                    for part in periods_between(contract.period_type, period.first, period.last, contract.calendar):
                        if period.contains(part.last):
                            copy.write_row((no, dataset, part.last))


def _name(connection: psycopg.Connection, contracts: Mapping[str, Contract], indicators: Sequence[Indicator]) -> None:
    not_for = [
        f"('{i.code}', '{kind}')" for i in indicators if i.target_for for kind in i.grain if kind not in i.target_for
    ]
    targets = "(select * from core.targets where publish_to is null)" if "targets" in contracts else _NO_TARGETS
    connection.execute(
        _text("named").format(
            organizations=_organizations(contracts),
            targets=targets,
            not_for=f"values {', '.join(not_for or [_NO_KIND])}",
        )
    )
    connection.execute("analyze _wanted")


_NO_KIND = "('', '')"
_NO_ORGANIZATIONS = (
    "(select null::text as organization_code, null::text as organization_name, null::text as bloc, null::date as valid_from, "
    "null::date as valid_to where false)"
)
_NO_TARGETS = (
    "(select null::text as indicator_code, null::text as bloc_or_unit, null::numeric as value, null::text as direction, "
    "null::date as due_on, null::date as valid_from, null::date as valid_to where false)"
)


def _hide(connection: psycopg.Connection, contracts: Mapping[str, Contract], indicator: Indicator) -> None:
    parameters = {"code": indicator.code, "below": indicator.hidden_below}
    connection.execute(_text("hide"), parameters)
    complement = _text("hide_complement").format(organizations=_organizations(contracts))
    while connection.execute(complement, parameters).rowcount:
        pass


def _organizations(contracts: Mapping[str, Contract]) -> str:
    return (
        "(select * from core.organizations where publish_to is null)"
        if "organizations" in contracts
        else _NO_ORGANIZATIONS
    )


def _remember(connection: psycopg.Connection, tasks: Sequence[_Task], publish: int) -> None:
    codes = [t.indicator.code for t in tasks]
    if publish:
        connection.execute(
            "update core.indicator_run set publish_to = %s where indicator = any (%s) and publish_to is null",
            [publish, codes],
        )
    else:
        connection.execute("delete from core.indicator_run where indicator = any (%s) and publish_to is null", [codes])
    with connection.cursor() as cursor:
        cursor.executemany(
            "insert into core.indicator_run (indicator, fingerprint, first, last, publish_from) values (%s, %s, %s, %s, %s)",
            [(t.indicator.code, t.fingerprint, *(t.days or (None, None)), publish) for t in tasks],
        )
