"""Numbers and days as Vietnamese offices write them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

from schemas.vietnam import local_day, written_day, written_number


def test_numbers_and_days() -> None:
    numbers = [Decimal("1234.50"), Decimal("-0.2"), Decimal("93.28"), Decimal(0), 1_234_567, 2**53 + 1, Decimal("1E+3")]
    assert [written_number(n) for n in numbers] == [
        "1.234,5", "-0,2", "93,28", "0", "1.234.567", "9.007.199.254.740.993", "1.000",
    ]  # fmt: skip
    assert written_day(date(2026, 1, 5)) == "05/01/2026"
    assert local_day(datetime(2026, 6, 30, 18, tzinfo=UTC)) == date(2026, 7, 1)
