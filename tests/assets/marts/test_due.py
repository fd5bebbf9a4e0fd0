"""Until when a period is to be sent, and by whom: as the contracts of the reporting system say (domain brief, 2, 3 and 8)."""

from __future__ import annotations

from datetime import date

import pytest

from assets.reference.due import due_on
from assets.reference.workdays import known_workdays
from schemas.contract import Contract, builtin_folder, load_contracts
from schemas.periods import parse_period


@pytest.fixture(scope="module")
def contracts() -> dict[str, Contract]:
    return load_contracts([builtin_folder()])


@pytest.mark.parametrize(
    ("dataset", "period", "day", "who"),
    [
        ("villages", "2026-Q2", date(2026, 7, 6), ("communes",)),  # the 5th is a Sunday
        ("villages", "2026-Q1", date(2026, 4, 6), ("communes",)),
        ("villages", "2026-Q3", date(2026, 10, 5), ("communes",)),
        ("organizations", "2026-08", date(2026, 9, 7), ("SNV", "BTC")),  # a Saturday
        ("kpi_evaluations", "2026-09", date(2026, 10, 24), ("communes", "departments")),  # a Saturday, and yet that day
        ("kpi_evaluations", "2026-06", date(2026, 7, 24), ("communes", "departments")),  # before the 25th
        (
            "service_statistics",
            "2026-06",
            date(2026, 6, 22),
            ("VP_UBND",),
        ),  # the month ends on the 14th; the 20th is a Saturday
        ("digital_transformation", "2026-Q2", date(2026, 6, 22), ("communes",)),
        ("annual_quotas", "2026", date(2027, 2, 1), ("SNV", "BTC")),  # a Sunday
        ("public_service_units", "2026", date(2027, 6, 30), ("STC",)),  # the result of a year, by mid-year
        ("specialist_needs", "2026", date(2027, 2, 1), ("communes",)),
    ],
)
def test_due(dataset: str, period: str, day: date, who: tuple[str, ...], contracts: dict[str, Contract]) -> None:
    contract = contracts[dataset]
    assert (due_on(contract, parse_period(period, contract.calendar), known_workdays()), contract.due_from) == (
        day,
        who,
    )
