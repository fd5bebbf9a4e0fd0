"""The benchmark counts what ``link`` finds: no test of times, but of the counting, on a small province."""

from __future__ import annotations

from tests.benchmarks.linkage import measure


def test_it_measures_a_small_province() -> None:
    found = measure(people=400, repeat=1, seeds=1)
    assert found["precision"] >= 0.99 and found["recall"] >= 0.9
    assert found["queue_share"] < 0.05 and found["time_ratio"] > 0
