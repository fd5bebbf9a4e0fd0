"""The indicators of the sample province, quarter by quarter, against a second computation from the truth that it was made of."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import pandas as pd
import polars as pl
import pytest

from pipelines.sample import SMALL, Truth, generate
from tests.e2e.conftest import Make
from tests.e2e.flows import World
from tests.e2e.indicator_truth import Truth as Figures

COMMUNES = [("22333", "Phường Bắc Nha Trang"), ("22651", "Xã Diên Khánh"), ("22852", "Xã Ninh Hải")]
PERIODS = ("2025-Q4", "2026-Q1", "2026-Q2")
WORDS = {"gender": {"NU": "Nữ", "NAM": "Nam"}, "employment_type": {"CAN_BO": "Cán bộ", "CONG_CHUC": "CC"}}
"""Values as the second computation reads them: as they were sent."""
FLOWS = ("I32", "I33", "I34", "I35", "I36")
"""Of months in the calendar of reports."""
YEARLY = ("I29", "I30", "I31", "I47", "I48", "I49")
LEDGER = ("I42", "I43", "I44", "I45")


@pytest.fixture(scope="module")
def province(make_world: Make) -> tuple[World, Truth]:
    """The sample province of three communes after one run."""
    world = make_world()
    truth = generate(world.home / "inbox", communes=COMMUNES, periods=PERIODS, defects=False, province=SMALL)
    world.run()
    return world, truth


def _text(value: Any) -> str:
    if value is None or value != value:
        return ""
    if isinstance(value, bool):
        return "có" if value else "không"
    if isinstance(value, date):
        return f"{value:%d/%m/%Y}"
    return str(int(value)) if value == int(value) else str(value).replace(".", ",")


def _texts(rows: list[dict[str, Any]]) -> pd.DataFrame:
    return pd.DataFrame([
        {k: WORDS.get(k, {}).get(v) or (v if isinstance(v, str) else _text(v)) for k, v in row.items()} for row in rows
    ])  # fmt: skip


def _at(truth: Truth, dataset: str, day: date) -> list[dict[str, Any]]:
    rows = getattr(truth.frames, dataset).iter_rows(named=True)
    return [r for r in rows if r["valid_from"] <= day and (r["valid_to"] is None or r["valid_to"] > day)]


def _figures(world: World, truth: Truth, day: date, months: Sequence[date] = ()) -> Figures:
    """The second computation for a day that is the last of a month and quarter; flows are of the reporting months that end on the
    days ``months``, where there are any, else of that day's."""
    reported = day.replace(day=14)  # the last day of the month and quarter in the calendar of reports
    days = dict.fromkeys(
        ("staff", "assignments", "annual_quotas", "specialist_needs", "villages", "kpi_evaluations"), day
    )
    days |= dict.fromkeys(("service_statistics", "digital_transformation"), reported)
    days["public_service_units"] = day
    frames = {name: _texts(_at(truth, name, on)) for name, on in days.items()}
    told = _at(truth, "villages", reported)
    frames["villages_reported"] = _texts(told) if told else frames["villages"].iloc[:0]
    if months:
        frames["service_statistics"] = _texts([r for m in months for r in _at(truth, "service_statistics", m)])
    frames["organizations"] = _texts([
        {**r, "effective_from": r["valid_from"], "effective_to": r["valid_to"] and r["valid_to"] - timedelta(1)}
        for r in truth.frames.organizations.iter_rows(named=True)
    ])  # fmt: skip
    villages = truth.frames.villages
    first = dict(villages.group_by("commune_code").agg(pl.col("valid_from").min()).iter_rows())
    base = [r for r in villages.iter_rows(named=True) if r["valid_from"] <= first[r["commune_code"]]]
    frames["villages_base"] = _texts(
        [r for r in base if r["valid_to"] is None or r["valid_to"] > first[r["commune_code"]]]
    )
    norms = [
        (r["norm_code"], r["applies_to"] or "", str(r["value"]))
        for r in _at(
            truth, "norms", date(2026, 3, 31) if months else day
        )  # there are none before, and no flow needs one
        if r["value"] is not None
    ]
    return Figures(frames, world.communes, day=day, norms=norms)


@pytest.mark.parametrize(
    ("month", "quarter", "day"),
    [("2026-03", "2026-Q1", date(2026, 3, 31)), ("2026-06", "2026-Q2", date(2026, 6, 30))],
)
def test_quarter_by_quarter(month: str, quarter: str, day: date, province: tuple[World, Truth]) -> None:
    world, truth = province
    figures = _figures(world, truth, day)
    found: dict[Any, set[Any]] = {}
    for *key, period, numerator, denominator, value in world.rows(
        "select indicator, variant, unit_kind, unit, period, numerator, denominator, value from core.indicator_value "
        "where publish_to is null and period in (%s, %s)",
        [month, quarter],
    ):
        # flows are compared by month
        if key[0] not in LEDGER and not (key[0] in FLOWS and period == quarter) and tuple(key[:2]) not in {
            ("I46", "LATE"), ("I01", "FIELD"),
        }:  # fmt: skip
            found.setdefault(tuple(key), set()).add((numerator, denominator, value))
    wanted = {
        k: {(*sums, figures.value(k))}
        for k, sums in figures.sums.items()
        if k[0] not in YEARLY and k[:2] != ("I01", "FIELD")
    }
    silent = [{(None, None, None)}, {(0, None, 0)}]
    assert {k: v for k, v in found.items() if k not in wanted and v not in silent} == {}
    assert {k: (found.get(k), v) for k, v in wanted.items() if found.get(k) != v} == {}
    assert len(wanted) > 500


def test_the_year(province: tuple[World, Truth]) -> None:
    world, truth = province
    # of the year the sample has three months; its last ends on 14 December
    figures = _figures(world, truth, date(2025, 12, 31), [date(2025, month, 14) for month in (10, 11, 12)])
    asked = {*YEARLY, *FLOWS} - {"I36"}  # a stock, which does not add up over months
    found: dict[Any, set[Any]] = {}
    for *key, numerator, denominator, value in world.rows(
        "select indicator, variant, unit_kind, unit, numerator, denominator, value from core.indicator_value "
        "where publish_to is null and period = '2025' and indicator = any (%s)",
        [sorted(asked)],
    ):
        found.setdefault(tuple(key), set()).add((numerator, denominator, value))
    wanted = {k: {(*sums, figures.value(k))} for k, sums in figures.sums.items() if k[0] in asked}
    silent = [{(None, None, None)}, {(0, None, 0)}]
    assert {k: v for k, v in found.items() if k not in wanted and v not in silent} == {}
    assert {k: (found.get(k), v) for k, v in wanted.items() if found.get(k) != v} == {}
    assert {k[0] for k in wanted} == asked and len(wanted) > 100
