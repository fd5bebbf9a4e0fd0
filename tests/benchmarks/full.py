"""The sample province quarter by quarter: what a later quarter costs beside an earlier one that brings as much, and peak memory.

``python -m tests.benchmarks.full [--json] [--communes N] [--quarters N] [--dossiers N] [--staff N] [--keep DIR]
[--profile]``. Each quarter is a
process of its own over what arrived in it, as a nightly run would be. At the end the warehouse is compared with the truth: a fast
wrong answer is no answer. The whole (65 communes, 8 quarters, 2,000,000 dossiers, 44,700 staff) takes about half an hour.
"""

from __future__ import annotations

import argparse
import shutil
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from pipelines.demo import whole
from pipelines.sample import Size, Truth, arrived_by
from schemas.contract import builtin_folder, load_contracts

from .measure import Server, bench, child, goal, report

_SAME = 0.15
"""Two quarters bring as much where their rows differ by less than this share."""


def measure(communes: int, quarters: int, size: Size, keep: Path | None, profile: bool) -> dict[str, Any]:
    """One run over all quarters."""
    where: AbstractContextManager[tuple[Path, Server]] = (
        nullcontext((keep, Server(keep / "server"))) if keep else bench()
    )
    with where as (folder, server):
        home = folder / "home"
        written = child("make_full", str(home), str(communes), str(quarters), str(size.staff), str(size.dossiers))
        truth = Truth.load(home / "demo-truth")
        url = server.fresh()
        rows: list[dict[str, Any]] = []
        phases: dict[str, Any] = {}
        for number, period in enumerate(truth.periods):
            files = _arrive(home, truth, None if number == len(truth.periods) - 1 else period)
            server.settle()
            run = child("pipeline", url, str(home), "-", "profile" if profile else "-")
            phases |= {period: run.said["phases"]} if profile else {}
            rows.append({"quarter": period, "files": files, "seconds": round(run.seconds, 1), "peak_mb": round(run.peak_mb)}
                        | _counts(url))  # fmt: skip
        found = child("compare_full", url, str(home)).said
        assert not any(found.values()), found
    for before, row in zip([{"rows": 0, "versions": 0}, *rows], list(rows), strict=False):
        row["new_rows"], row["new_versions"] = row["rows"] - before["rows"], row["versions"] - before["versions"]
    last = rows[-1]
    alike = next(
        (r for r in rows[1:-1] if abs(r["new_rows"] / last["new_rows"] - 1) < _SAME), rows[min(1, len(rows) - 1)]
    )
    return {
        "goals": [
            goal(
                f"last quarter / {alike['quarter']}, which brought as much",
                last["seconds"] / alike["seconds"],
                most=1.3,
            ),
            goal("peak memory in MB", max(r["peak_mb"] for r in rows), most=600, digits=0),
            goal("peak memory of the generator in MB", written.peak_mb, most=1500, digits=0),
        ],
        "figures": {
            "generator": {"seconds": round(written.seconds, 1), "peak_mb": round(written.peak_mb)},
            **{r["quarter"]: {k: v for k, v in r.items() if k != "quarter"} for r in rows},
        },
        **({"phases": phases} if profile else {}),
    }


def _arrive(home: Path, truth: Truth, period: str | None) -> int:
    """Move what has arrived by the end of a quarter from the outbox to the inbox; how many files."""
    moved = 0
    for path in arrived_by(truth, period):
        waiting, there = home / "outbox" / path, home / "inbox" / path
        if waiting.exists():
            there.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(waiting, there)
            moved += 1
    return moved


def _counts(url: str) -> dict[str, int]:
    """Rows staged and versions published so far, and how large the database is."""
    with psycopg.connect(url) as connection:
        found = connection.execute(
            "select (select coalesce(sum(rows_accepted + rows_quarantined), 0)::bigint from intake.submission), "
            "pg_database_size(current_database()) / 1000000"
        ).fetchone()
        assert found is not None
        versions = 0
        for dataset in load_contracts([builtin_folder()]):
            counted = connection.execute(
                sql.SQL("select count(*) from core.{}").format(sql.Identifier(dataset))
            ).fetchone()
            assert counted is not None
            versions += counted[0]
    return {"rows": int(found[0]), "versions": versions, "database_mb": int(found[1])}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--communes", type=int, default=65)
    parser.add_argument("--quarters", type=int, default=8)
    parser.add_argument("--dossiers", type=int, default=Size.dossiers)
    parser.add_argument("--staff", type=int, default=Size.staff)
    parser.add_argument("--keep", type=Path, help="a folder for home and server, which stay there")
    parser.add_argument("--profile", action="store_true")
    asked = parser.parse_args()
    size = replace(whole().size, dossiers=asked.dossiers, staff=asked.staff)
    report(
        "The province, quarter by quarter",
        measure(asked.communes, asked.quarters, size, asked.keep, asked.profile),
        asked.json,
    )


if __name__ == "__main__":
    main()
