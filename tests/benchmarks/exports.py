"""Exports beside a bare COPY, and the point reads of apps beside reads of a bare primary key.

``python -m tests.benchmarks.exports [--json] [--rounds N] [--rows N]``. The view is exported to Parquet by the product's own
function, and copied by psql, which throws the bytes away: both as processes of their own, in turn. Each point read is compared with
a plain table that holds the rows of its view under a primary key that begins with what is asked for: the same rows come back.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import tuple_row

from pipelines.flow import Pipeline
from pipelines.settings import Settings
from schemas.tables import ensure_indexes

from .measure import bench, child, goal, median, report

_HERE = Path(__file__).parent
VIEW = "dossiers_history"


@dataclass(frozen=True)
class Read:
    """A read that apps make. ``asked``: the query on the view; ``keys``: a query for what may be asked for; ``plain``: the primary
    key of the plain table; ``bare``: the same read there, ``{}`` being the table."""

    asked: str
    keys: str
    plain: str
    bare: str


READS: Mapping[str, Read] = {
    "one unit's indicators": Read(
        "select * from mart_v1.indicator_value where unit_kind = 'COMMUNE' and unit = %s and period = %s",
        "select distinct unit, period from mart_v1.indicator_value limit 300",
        "unit, period, unit_kind, indicator, variant, period_kind",
        "select * from {} where unit_kind = 'COMMUNE' and unit = %s and period = %s",
    ),
    "one entity's history": Read(
        "select * from mart_v1.villages_history where village_id = %s order by valid_from",
        "select distinct village_id from mart_v1.villages_history limit 300",
        "village_id, valid_from",
        "select * from {} where village_id = %s order by valid_from",
    ),
    "one of two million": Read(
        "select * from mart_v1.dossiers_history where dossier_id = %s",
        "select dossier_id from mart_v1.dossiers_history limit 300",
        "dossier_id, valid_from",
        "select * from {} where dossier_id = %s",
    ),
    "a page of a list": Read(
        "select * from mart_v1.dossiers_history where dossier_id > %s order by dossier_id limit 50",
        "select dossier_id from mart_v1.dossiers_history limit 300",
        "dossier_id, valid_from",
        "select * from {} where dossier_id > %s order by dossier_id limit 50",
    ),
    "a day's changes": Read(
        "select * from mart_v1.dossiers_history where valid_from = %s",
        "select distinct valid_from from mart_v1.dossiers_history limit 300",
        "valid_from, dossier_id",
        "select * from {} where valid_from = %s",
    ),
    "one person's posts": Read(
        "select * from mart_v1.assignments_history where person_id = %s",
        "select distinct person_id from mart_v1.assignments_history limit 300",
        "person_id, assignment_id, valid_from",
        "select * from {} where person_id = %s",
    ),
    "one post's history": Read(
        "select * from mart_v1.assignments_history where assignment_id = %s",
        "select distinct assignment_id from mart_v1.assignments_history limit 300",
        "assignment_id, valid_from",
        "select * from {} where assignment_id = %s",
    ),
    "one person's evaluations": Read(
        "select * from mart_v1.kpi_evaluations_history where person_id = %s",
        "select distinct person_id from mart_v1.kpi_evaluations_history limit 300",
        "person_id, valid_from, organization_code",
        "select * from {} where person_id = %s",
    ),
}


def fill(url: str, rows: int, home: Path) -> None:
    """A database at ``url`` with the product's tables, views and indexes, and so many dossiers."""
    pipeline = Pipeline(Settings(home=home, database_url=url, inbox=str(home / "inbox"), archive=str(home / "archive")))
    with pipeline.connection() as connection:
        connection.execute("set session_replication_role = 'replica'")
        cursor = psycopg.ClientCursor(connection)
        cursor.execute((_HERE / "exports_fill.sql").read_text(encoding="utf-8"), {"rows": rows})
        for name in ("dossiers", "villages", "assignments", "kpi_evaluations"):
            with connection.transaction():
                ensure_indexes(connection, pipeline.contracts[name], floor="core")
        for table in (
            "core.dossiers", "core.villages", "core.assignments", "core.kpi_evaluations", "core.member", "core.indicator_value",
            "core.submission_log", "core.sender",
        ):  # fmt: skip
            connection.execute(f"vacuum (analyze) {table}")


def _plain_tables(connection: psycopg.Connection) -> dict[str, str]:
    """A plain table for each read."""
    found = {}
    connection.execute("create schema if not exists plain")
    for number, (name, read) in enumerate(READS.items()):
        table = f"plain.t{number}"
        view = read.asked.split(" from ")[1].split()[0]
        connection.execute(f"create table {table} as select * from {view}")
        connection.execute(f"alter table {table} add primary key ({read.plain})")
        connection.execute(f"vacuum (analyze) {table}")
        found[name] = table
    return found


def _timed(cursor: psycopg.Cursor, query: str, key: tuple[Any, ...]) -> float:
    start = time.perf_counter()
    cursor.execute(query, key, prepare=True).fetchall()
    return time.perf_counter() - start


def point_reads(url: str, rounds: int) -> dict[str, dict[str, float]]:
    """Median milliseconds of each read on its view and on the plain table, by prepared statements, in turn."""
    found: dict[str, dict[str, float]] = {}
    with psycopg.connect(url, autocommit=True) as connection:
        tables = _plain_tables(connection)
        for name, read in READS.items():
            keys = connection.execute(read.keys).fetchall()
            bare = read.bare.format(tables[name])
            rows = []
            for key in keys[:20]:
                ours, plain = (connection.execute(q, key).fetchall() for q in (read.asked, bare))
                assert sorted(map(repr, ours)) == sorted(map(repr, plain)), (name, key)
                rows.append(len(ours))
            times: dict[str, list[float]] = {read.asked: [], bare: []}
            with connection.cursor(row_factory=tuple_row) as cursor:
                for _ in range(rounds):
                    for number, key in enumerate(keys):  # in turn, and by turns each first
                        for query in (read.asked, bare) if number % 2 else (bare, read.asked):
                            times[query].append(_timed(cursor, query, key))
            view, plain_time = (1000 * statistics.median(times[query]) for query in (read.asked, bare))
            found[name] = {
                "view_ms": round(view, 3), "bare_ms": round(plain_time, 3), "ratio": round(view / plain_time, 2),
                "rows": round(statistics.mean(rows), 1),
            }  # fmt: skip
    return found


def measure(rows: int, rounds: int) -> dict[str, Any]:
    """Exports and bare copies in turn, then the point reads."""
    with bench() as (folder, server):
        url, small = server.fresh(), server.fresh()
        fill(url, rows, folder / "home")
        fill(small, rows // 10, folder / "home")
        out = folder / "out"

        def exported(which: str) -> Any:
            shutil.rmtree(out, ignore_errors=True)
            return child("export", which, str(out), VIEW)

        ours, copies, little = [], [], []
        for _ in range(rounds):
            server.settle()
            ours.append(exported(url))
            assert ours[-1].said["rows"] > rows * 0.9, ours[-1].said
            copies.append(child("copy_out", url, VIEW))
            little.append(exported(small))
        reads = point_reads(url, rounds)
    peak, less = median(ours)["peak_mb"], median(little)["peak_mb"]
    return {
        "goals": [
            goal("speed of Parquet / bare COPY TO STDOUT", _seconds(copies) / _seconds(ours), least=0.5),
            goal("peak memory in MB", peak, most=500, digits=0),
            goal("peak memory / that of a tenth of the rows", peak / less, most=1.25),
            *(goal(f"{name} / bare primary key", read["ratio"], most=2.0) for name, read in reads.items()),
        ],
        "figures": {
            f"export of {ours[0].said['rows']:,} rows": {
                "seconds": [round(r.said["seconds"], 2) for r in ours], "with start": median(ours), "bytes": ours[0].said["bytes"]
            },
            "bare COPY": {"seconds": [round(r.said["seconds"], 2) for r in copies]},
            "export of a tenth": {"peak_mb": less},
            **{name: dict(read) for name, read in reads.items()},
        },
    }  # fmt: skip


def _seconds(runs: Sequence[Any]) -> float:
    return statistics.median(r.said["seconds"] for r in runs)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rows", type=int, default=2_000_000)
    asked = parser.parse_args()
    report("Exports and point reads", measure(asked.rows, asked.rounds), asked.json)


if __name__ == "__main__":
    main()
