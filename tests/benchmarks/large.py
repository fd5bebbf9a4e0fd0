"""A CSV of a million dossiers from the inbox to published, first and again with 1 % changed, beside COPY and dlt's merge.

``python -m tests.benchmarks.large [--json] [--repeat N] [--rows N] [--profile]``. COPY and dlt get the twin without bad rows, since
one bad row would stop them; they neither clean nor validate nor keep history.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path
from typing import Any

import psycopg

from .dossiers import CHANGED_NOTE, CONTRACTS, Expected, Files, deliver
from .measure import Server, bench, child, goal, median, report


def _check(url: str, expected: Expected, changed: bool) -> None:
    """The warehouse holds what it must: a fast wrong answer is no answer."""
    with psycopg.connect(url) as connection:
        rows, noted = connection.execute(
            "select count(*), count(*) filter (where note = %s) from mart_v1.bench_dossiers", [CHANGED_NOTE]
        ).fetchone() or (0, 0)
        counts = connection.execute(
            "select rows_accepted, rows_quarantined from intake.submission order by received_at desc limit 1"
        ).fetchone()
    assert (rows, noted) == (expected.accepted, expected.changed if changed else 0), (rows, noted, expected)
    assert counts == (expected.accepted, expected.quarantined), (counts, expected)


def _ours(folder: Path, server: Server, files: Files, expected: Expected, profile: str) -> list[Any]:
    home = folder / "home"
    shutil.rmtree(home, ignore_errors=True)
    url = server.fresh()
    runs = []
    for again, file in enumerate((files.first, files.second)):
        deliver(file, home / "inbox", hours=24 * again)
        server.settle()
        runs.append(child("pipeline", url, str(home), str(CONTRACTS), profile))
        _check(url, expected, changed=bool(again))
    return runs


def _dlt(folder: Path, server: Server, files: Files, expected: Expected) -> list[Any]:
    home = folder / "dlt"
    shutil.rmtree(home, ignore_errors=True)
    url = server.fresh()
    runs = []
    for file in (files.clean, files.clean_second):
        server.settle()
        runs.append(child("dlt", url, str(file), str(home)))
        assert runs[-1].said["rows"] == expected.rows, runs[-1].said
    return runs


def measure(rows: int, repeat: int, profile: bool) -> dict[str, Any]:
    """All in turn, ``repeat`` times."""
    with bench() as (folder, server):
        expected = Expected(**child("make_large", str(folder / "data"), str(rows)).said)
        files = Files(folder / "data")
        ours, copies, peers = [], [], []
        for _ in range(repeat):
            ours.append(_ours(folder, server, files, expected, "-"))
            server.settle()
            copies.append(child("copy", server.fresh(), str(files.clean)))
            peers.append(_dlt(folder, server, files, expected))
        profiled = _ours(folder, server, files, expected, "profile") if profile else []
    first, again = (median([runs[n] for runs in ours]) for n in (0, 1))
    dlt_first, dlt_again = (median([runs[n] for runs in peers]) for n in (0, 1))
    copy = median(copies)
    return {
        "goals": [
            goal("first load / COPY with primary key", first["seconds"] / copy["seconds"], most=2.5),
            goal("first load / dlt merge", first["seconds"] / dlt_first["seconds"], most=1.0),
            goal("dlt merge again / again with 1 % changed", dlt_again["seconds"] / again["seconds"], least=3.0),
            goal("peak memory in MB", max(first["peak_mb"], again["peak_mb"]), most=600),
        ],
        "figures": {
            f"first load, {rows:,} rows, {expected.first_bytes / 1e6:.0f} MB": first,
            "again, 1 % changed": again,
            "COPY with primary key": copy,
            "dlt merge, first": dlt_first,
            "dlt merge, again": dlt_again,
        },
        **(
            {"phases": {n: r.said["phases"] for n, r in zip(("first", "again"), profiled, strict=True)}}
            if profiled
            else {}
        ),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--repeat", type=int, default=2)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--profile", action="store_true")
    asked = parser.parse_args()
    report("A million dossiers", measure(asked.rows, asked.repeat, asked.profile), asked.json)


if __name__ == "__main__":
    main()
