"""Until when a period is to be sent, and by whom: as the contracts of the reporting system say (domain brief, 2, 3 and 8)."""

from __future__ import annotations

from datetime import date

import pytest

from assets.marts.indicators.submission_log import due_on
from schemas.contract import Contract, builtin_folder, load_contracts
from schemas.periods import parse_period


@pytest.fixture(scope="module")
def contracts() -> dict[str, Contract]:
    return load_contracts([builtin_folder()])


@pytest.mark.parametrize(
    ("dataset", "period", "day", "who"),
    [
        ("villages", "2026-Q2", date(2026, 7, 5), ("communes",)),
        ("kpi_evaluations", "2026-06", date(2026, 7, 24), ("communes", "departments")),  # before the 25th
        ("service_statistics", "2026-06", date(2026, 6, 20), ("VP_UBND",)),  # a reporting month ends on the 14th
        ("digital_transformation", "2026-Q2", date(2026, 6, 20), ("communes",)),
        ("annual_quotas", "2026", date(2027, 1, 31), ("SNV", "BTC")),
        ("public_service_units", "2026", date(2027, 6, 30), ("STC",)),  # the result of a year, by mid-year
        ("specialist_needs", "2026", date(2027, 1, 31), ("communes",)),
    ],
)
def test_due(dataset: str, period: str, day: date, who: tuple[str, ...], contracts: dict[str, Contract]) -> None:
    contract = contracts[dataset]
    assert (due_on(contract, parse_period(period, contract.calendar)), contract.due_from) == (day, who)
