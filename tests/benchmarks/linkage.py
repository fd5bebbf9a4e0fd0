"""The linkage of persons: what it finds of an invented province's truth, and its time beside Splink alone.

``python -m tests.benchmarks.linkage [--json] [--repeat N] [--people N] [--seeds N] [--picture FILE]``
``python -m tests.benchmarks.linkage --units [--json] [--seeds N]`` for organisations and villages.

Pairs of reports are compared: those that come into one cluster with those that are of one person. The model has been
trained on another seed. Splink alone is linker and prediction on the same pairs with the columns that it compares made
beforehand (``ratio_with_columns``: it makes them, of the records in these pairs); both run in one process, in turn, after a
first round that imports and warms up.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl

from assets.core.linkage import Linked, link
from assets.core.linkage.compile import predict
from assets.core.linkage.joining import looked_at
from assets.core.linkage.keys import for_blocking, for_levels
from assets.core.linkage.model import Model, person
from assets.core.linkage.units import link_units
from assets.reference.units import load_reference
from pipelines.sample.people import People, communes_of, generate_people
from pipelines.sample.units import Units, generate_organizations, generate_villages
from pipelines.training import invented_communes

from .measure import goal, report

SEEDS = (8, 9, 10, 11, 12)
"""Neither the one that the model was trained on nor the one (7) that was looked at when the threshold was chosen."""
THRESHOLDS = tuple(float(weight) for weight in range(-6, 31, 2))


def province(people: int, seed: int, slips: float = 1.0, namesakes: float = 0.01) -> People:
    """An invented province with the communes of a real one."""
    reference = load_reference()
    communes = communes_of(reference.units, reference.province)
    return generate_people(seed, people=people, communes=communes, slips=slips, namesakes=namesakes)


def pairs(frame: pl.DataFrame, by: str) -> pl.DataFrame:
    """Pairs of records with the same value."""
    placed = frame.select("record", by)
    both = placed.join(placed, on=by, suffix="_right").filter(pl.col("record") < pl.col("record_right"))
    return both.select("record", "record_right")


def tally(sample: People, linked: Linked) -> dict[str, int]:
    """Pairs that are of one person, that were put into one cluster, both, and those put before people."""
    true = pairs(sample.truth, "person")
    found = pairs(pl.concat([f.select("record", "root") for f in (linked.members, linked.links)]), "root")
    # a root that only records without ID were linked to is in its own cluster as well
    lonely = linked.links.join(linked.members, on="root", how="anti")
    found = pl.concat(
        [found, lonely.select(pl.min_horizontal("record", "root"), record_right=pl.max_horizontal("record", "root"))]
    )
    on = ["record", "record_right"]
    asked = linked.queue.select(record="left", record_right="right")
    return {
        "true": true.height,
        "found": found.height,
        "right": found.join(true, on=on, how="semi").height,
        "asked": asked.height,
        "asked_right": asked.join(true, on=on, how="semi").height,
    }


def shares(sums: dict[str, int]) -> dict[str, float]:
    """precision, recall; pairs put before people beside all true ones, and how many of these are of one person."""
    return {
        "precision": round(sums["right"] / max(sums["found"], 1), 5),
        "recall": round(sums["right"] / sums["true"], 5),
        "queue_share": round(sums["asked"] / sums["true"], 5),
        "queue_precision": round(sums["asked_right"] / max(sums["asked"], 1), 5),
    }


def over(samples: list[People], model: Model) -> dict[str, float]:
    """The shares over several provinces together."""
    tallies = [tally(sample, link(sample.records, model=model)) for sample in samples]
    return shares({what: sum(one[what] for one in tallies) for what in tallies[0]})


def seconds(work: Callable[[], object]) -> float:
    """Once."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def times(sample: People, repeat: int) -> dict[str, Any]:
    """``link`` and Splink alone, in turn."""
    model = person()
    asked = looked_at(for_blocking(sample.records)).scored()
    involved = sample.records.filter(
        pl.col("record").is_in(pl.concat([asked["left"], asked["right"]]).unique().implode())
    )
    prepared = for_levels(involved)
    runs: list[tuple[float, float, float]] = []
    for _ in range(repeat + 1):
        runs.append(
            (
                seconds(lambda: link(sample.records)),
                seconds(lambda: predict(asked, prepared, model)),
                seconds(lambda: for_levels(involved)),
            )
        )
    ours, splink, columns = (statistics.median(column) for column in zip(*runs[1:], strict=True))
    return {
        "pairs": asked.height,
        "link": round(ours, 3),
        "splink_alone": round(splink, 3),
        "columns": round(columns, 3),
        "ratio": round(ours / splink, 2),
        "ratio_with_columns": round(ours / (splink + columns), 2),
        "range": [round(min(a / b for a, b, _ in runs[1:]), 2), round(max(a / b for a, b, _ in runs[1:]), 2)],
    }


def measure(people: int, repeat: int, seeds: int, picture: Path | None = None) -> dict[str, Any]:
    """Everything."""
    samples = [province(people, seed) for seed in SEEDS[:seeds]]
    found = over(samples, person())
    timed = times(samples[0], repeat)
    figures: dict[str, Any] = {
        "people": people,
        "reports": sum(sample.records.height for sample in samples) // len(samples),
        "without a valid ID": round(1 - float(samples[0].records["keyed"].mean() or 0), 4),  # type: ignore[arg-type]
        "twice as many slips": over([province(people, seed, slips=2.0) for seed in SEEDS[:seeds]], person()),
        "twice as many namesakes": over([province(people, seed, namesakes=0.02) for seed in SEEDS[:seeds]], person()),
        "times": timed,
    }
    if picture is not None:
        curve = {w: over(samples, replace(person(), link=w, clerical=min(w, 0.0))) for w in THRESHOLDS}
        picture.write_text(_drawn(curve, person().link), encoding="utf-8")
        figures["by threshold"] = curve
    return {
        **found,
        "time_ratio": timed["ratio"],
        "goals": [
            goal("precision", found["precision"], least=0.999, digits=4),
            goal("recall", found["recall"], least=0.98, digits=4),
            goal("linkage / Splink alone on the same pairs", timed["ratio"], most=1.5),
        ],
        "figures": figures,
    }


# --- organisations and villages ---------------------------------------------------------------------------------------

UNIT_SEEDS = (31, 32, 33, 34, 35, 36)
"""None of those that the model or its threshold was chosen by."""


def of_units(sample: Units, communes: list[tuple[str, str]]) -> dict[str, int]:
    """Records beside the first of their unit, those that were put to a unit, to their own one, and pairs put before people."""
    names = pl.DataFrame(communes, {"code": pl.String, "name": pl.String}, orient="row")
    linked = link_units(sample.records, communes=names, types=sample.types, joining=sample.joining)
    truth = sample.truth.select("record", "unit")
    found = (
        pl.concat([linked.links, linked.members]).filter(pl.col("record") != pl.col("root")).select("record", "root")
    )
    right = found.join(truth, on="record").join(truth.rename({"record": "root"}), on=["root", "unit"])
    return {
        "true": sample.records.height - truth["unit"].n_unique(),
        "found": found.height,
        "right": right.height,
        "asked": linked.queue.height,
    }


def measure_units(seeds: int) -> dict[str, Any]:
    """Precision and recall of organisations and of villages, with slips as usual and twice as many."""
    communes = invented_communes()
    figures: dict[str, Any] = {}
    for slips in (1.0, 2.0):
        for what, make in (("organizations", generate_organizations), ("villages", generate_villages)):
            tallies = [of_units(make(seed, communes=communes, slips=slips), communes) for seed in UNIT_SEEDS[:seeds]]
            sums = {key: sum(one[key] for one in tallies) for key in tallies[0]}
            figures[what if slips == 1.0 else f"{what}, twice as many slips"] = {
                "pairs": sums["true"],
                "precision": round(sums["right"] / max(sums["found"], 1), 5),
                "recall": round(sums["right"] / sums["true"], 5),
                "queue_share": round(sums["asked"] / sums["true"], 5),
            }
    goals = [
        goal(f"{what} of {whose}", figures[whose][what], least=least, digits=4)
        for whose in ("organizations", "villages")
        for what, least in (("precision", 0.999), ("recall", 0.98))
    ]
    return {"goals": goals, "figures": figures}


# --- the picture ------------------------------------------------------------------------------------------------------


def _drawn(curve: dict[float, dict[str, float]], chosen: float) -> str:
    """Precision and recall over the threshold, as SVG."""
    low, wide, high = 0.94, 560, 260

    def x(weight: float) -> float:
        return 60 + wide * (weight - THRESHOLDS[0]) / (THRESHOLDS[-1] - THRESHOLDS[0])

    def y(share: float) -> float:
        return 20 + high * (1 - (max(share, low) - low) / (1 - low))

    lines = [
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 720 340" font-family="sans-serif" font-size="12">',
        '<rect width="720" height="340" fill="white"/>',
    ]
    for share in (0.94, 0.95, 0.96, 0.97, 0.98, 0.99, 1.0):
        lines.append(f'<path d="M60 {y(share):.1f}h{wide}" stroke="#ddd"/>')
        lines.append(f'<text x="52" y="{y(share) + 4:.1f}" text-anchor="end">{share:.2f}</text>')
    for weight in THRESHOLDS[::2]:
        lines.append(f'<text x="{x(weight):.1f}" y="{high + 38}" text-anchor="middle">{weight:g}</text>')
    lines.append(f'<text x="{60 + wide / 2}" y="{high + 58}" text-anchor="middle">threshold (log2 of odds)</text>')
    lines.append(f'<path d="M{x(chosen):.1f} 20v{high}" stroke="#888" stroke-dasharray="4 3"/>')
    for what, colour in (("precision", "#1a6"), ("recall", "#26c")):
        points = " ".join(f"{x(weight):.1f},{y(shares_[what]):.1f}" for weight, shares_ in curve.items())
        last = curve[THRESHOLDS[-1]][what]
        lines.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>')
        lines.append(f'<text x="{66 + wide}" y="{y(last) + 4:.1f}" fill="{colour}">{what}</text>')
    return "\n".join([*lines, "</svg>"]) + "\n"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--repeat", type=int, default=9)
    parser.add_argument("--people", type=int, default=20_000)
    parser.add_argument("--seeds", type=int, default=len(SEEDS))
    parser.add_argument("--picture", type=Path)
    parser.add_argument("--units", action="store_true")
    asked = parser.parse_args()
    if asked.units:
        report("Linkage of organisations and villages", measure_units(asked.seeds), asked.json)
        return
    report("Linkage of persons", measure(asked.people, asked.repeat, asked.seeds, asked.picture), asked.json)


if __name__ == "__main__":
    main()
