"""The change feed: what a publish pays for it, what reading it costs, and eight readers during a thousand publishes.

``python -m tests.benchmarks.feed [--json] [--publishes N] [--rows N]``. All is measured side by side on one server: recording the
same changes with little and with much held; recording against also keeping what each row says as JSON; a page of the feed
against the same rows from a plain table under their primary key, and from a feed that is derived of the versions at each reading.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

import psycopg

from assets.marts.changes import record
from assets.marts.publish import Prepared, publish, publishing
from pipelines.flow import Pipeline
from pipelines.settings import Settings
from schemas.feed import function
from schemas.tables import ensure_indexes
from tests.faults.test_torn_reads import eight_readers, prepared_for_readers

from .measure import bench, goal, report

CHANGED = 1000
ROUNDS = 7
_VILLAGE = (
    "insert into core.villages (entity_id, valid_from, publish_from, value_hash, village_name, commune_code, village_type, "
    "households, population) select i, '2026-03-31', %(n)s, %(n)s, 'Thôn ' || i, '22366', 'THON', %(n)s, 100 "
    "from generate_series(1, %(rows)s) i"
)
_DERIVED = (
    "select row_number() over (order by e, f), e, f, to_jsonb(v) from (select coalesce(o._entity, n._entity) as e, "
    "coalesce(o._from, n._from) as f, n.* from {touched}({before}, {after}) t left join {at}({before}) o on (o._entity, o._from) = "
    "(t.entity_id, t.since) left join {at}({after}) n on (n._entity, n._from) = (t.entity_id, t.since) "
    "where row(o.*) is distinct from row(n.*)) v order by 1 limit 1000"
)


def _seconds(work: Callable[[], Any]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _change(connection: psycopg.Connection, rows: int) -> tuple[float, int]:
    """A publish that changes so many villages; seconds of recording it, and its number."""
    with publishing(connection), connection.transaction():
        row = connection.execute(
            "insert into core.publish (number, kind, state, shows) "
            "select max(number) + 1, 'publish', 'open', max(number) + 1 from core.publish returning number"
        ).fetchone()
        assert row is not None
        given = {"n": row[0], "rows": rows}
        connection.execute(
            "update core.villages set publish_to = %(n)s where publish_to is null and entity_id <= %(rows)s", given
        )
        connection.execute(_VILLAGE, given)
        seconds = _seconds(lambda: record(connection, row[0], row[0], ["villages"]))
        publish(connection, Prepared(row[0]))
    return seconds, row[0]


def costs(url: str, held: int, pipeline: Pipeline) -> dict[str, float]:
    """Milliseconds of recording and reading, with so many villages held."""
    with pipeline.connection() as connection:
        first, _ = _change(connection, held)
        with connection.transaction():
            ensure_indexes(connection, pipeline.contracts["villages"], floor="core")
        connection.execute("analyze")
        recorded = [_change(connection, CHANGED) for _ in range(ROUNDS)]
        number = recorded[-1][1]
        connection.execute("create table plain as select * from mart_v1.change_feed where publish > 1")
        connection.execute("alter table plain add primary key (publish, sequence)")
        connection.execute("vacuum analyze plain")
        connection.execute("vacuum analyze core.change")
        connection.execute("vacuum analyze core.villages")
        connection.execute("set plan_cache_mode = force_generic_plan")  # as our reader has it
        page = "select * from {} where (publish, sequence) > (%s, 0) order by publish, sequence limit 1000"
        names = {"at": function("villages", "at"), "touched": function("villages", "touched")}
        derived = _DERIVED.format(**names, before=number - 1, after=number)
        kept = (
            "insert into kept select %s, c.sequence, c.dataset, c.entity_id, c.operation, c.valid_from, c.valid_to, to_jsonb(v) "
            f"from core.change c join {names['at']}(%s) v on (v._entity, v._from) = (c.entity_id, c.valid_from) "
            "where c.publish = %s"
        )
        connection.execute("create table kept (like core.change including all, data jsonb)")
        times: dict[str, list[float]] = {"feed": [], "plain": [], "derived": [], "keeping the JSON too": []}
        for n in range(3 * ROUNDS):
            times["feed"].append(
                _seconds(
                    lambda: connection.execute(page.format("mart_v1.change_feed"), [number], prepare=True).fetchall()
                )  # type: ignore[arg-type]
            )
            times["plain"].append(_seconds(lambda: connection.execute(page.format("plain"), [number]).fetchall()))  # type: ignore[arg-type]
            times["derived"].append(_seconds(lambda: connection.execute(derived).fetchall()))  # type: ignore[arg-type]
            times["keeping the JSON too"].append(
                _seconds(lambda n=n: connection.execute(kept, [10_000 + n, number, number]))  # type: ignore[arg-type, misc]
            )
        sizes = connection.execute(
            "select pg_total_relation_size('core.change')::float / (select count(*) from core.change), "
            "pg_total_relation_size('plain')::float / (select count(*) from plain)"
        ).fetchone()
        assert sizes is not None
        connection.execute("drop table plain, kept")
    found = {name: statistics.median(seconds) * 1000 for name, seconds in times.items()}
    return {
        "recording the first": first * 1000, "recording": statistics.median(s for s, _ in recorded) * 1000, **found,
        "bytes a change": sizes[0], "bytes a change with its JSON": sizes[1],
    }  # fmt: skip


def measure(publishes: int, rows: int) -> dict[str, Any]:
    """Everything."""
    with bench() as (folder, server):
        found = {}
        for held in (rows // 20, rows):
            url = server.fresh()
            settings = Settings(
                home=folder / f"h{held}", database_url=url, inbox=str(folder / "inbox"), archive=str(folder / "archive")
            )
            found[held] = costs(url, held, Pipeline(settings))
        few, many = found.values()
        runs = {}
        for readers in (0, 8):
            url = server.fresh()
            prepared_for_readers(url)
            eight = eight_readers(url, publishes, readers)
            runs[f"{publishes} publishes, {readers} readers"] = {
                "switch, ms, median and most": [round(f(eight.switches) * 1000, 1) for f in (statistics.median, max)],
                "looks": eight.looks,
                **(
                    {"look, ms, median and most": [round(f(eight.took) * 1000, 1) for f in (statistics.median, max)]}
                    if readers
                    else {}
                ),
            }
    return {
        "goals": [
            goal(
                "recording 1,000 changes, much held / a twentieth of it", many["recording"] / few["recording"], most=1.5
            ),
            goal("a page of 1,000 changes / the same rows from a plain table", many["feed"] / many["plain"], most=2),
        ],
        "figures": {
            **{f"ms, {held:,} rows held": {k: round(v, 1) for k, v in one.items()} for held, one in found.items()},
            **runs,
        },
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--publishes", type=int, default=1000)
    parser.add_argument("--rows", type=int, default=400_000)
    asked = parser.parse_args()
    report("The change feed", measure(asked.publishes, asked.rows), asked.json)


if __name__ == "__main__":
    main()
