"""585 small workbooks (65 communes, 9 quarters) from the inbox to published, beside bare reading with openpyxl.

``python -m tests.benchmarks.small [--json] [--repeat N] [--profile]``
"""

from __future__ import annotations

import argparse
import shutil
from typing import Any

from .measure import bench, child, goal, median, report

PERIODS = tuple(f"{year}-Q{quarter}" for year in (2023, 2024, 2025, 2026) for quarter in (1, 2, 3, 4))[2:11]


def measure(repeat: int, profile: bool) -> dict[str, Any]:
    """Both in turn, ``repeat`` times."""
    with bench() as (folder, server):
        home = folder / "home"
        files = child("make_small", str(home)).said["files"]
        ours, bare, phases = [], [], {}
        for _ in range(repeat):
            shutil.rmtree(home / "archive", ignore_errors=True)
            server.settle()
            run = child("pipeline", server.fresh(), str(home), "-", "-")
            assert run.said["staged"] == files, run.said
            ours.append(run)
            bare.append(child("openpyxl", str(home)))
        through = child("dagster", server.fresh(), str(home))
        if profile:
            phases = child("pipeline", server.fresh(), str(home), "-", "profile").said["phases"]
    product, reading = median(ours), median(bare)
    return {
        "goals": [
            goal("inbox to published / bare reading with openpyxl", product["seconds"] / reading["seconds"], most=1.5),
            goal("peak memory in MB", product["peak_mb"], most=600),
        ],
        "figures": {
            f"{files} files, inbox to published": product,
            "the same through the Dagster job": median([through]),
            "bare reading with openpyxl": reading,
        },
        **({"phases": {"small": phases}} if phases else {}),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--repeat", type=int, default=2)
    parser.add_argument("--profile", action="store_true")
    asked = parser.parse_args()
    report("585 small workbooks", measure(asked.repeat, asked.profile), asked.json)


if __name__ == "__main__":
    main()
