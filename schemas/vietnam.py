"""How Vietnamese offices write numbers and days, and whose day it is.

Belongs here: what several floors write alike. Does not belong here: reading what others wrote (:mod:`schemas.semantic`).
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

VIETNAM = ZoneInfo("Asia/Ho_Chi_Minh")


def local_day(moment: datetime) -> date:
    """The day in Vietnam of a moment with a time zone."""
    return moment.astimezone(VIETNAM).date()


def written_day(day: date | datetime) -> str:
    """31/12/2026; of a moment as it stands."""
    return f"{day:%d/%m/%Y}"


def written_number(number: Decimal | int) -> str:
    """'.' groups thousands, ',' marks decimals, of which those that say nothing are left out: 1.234,5."""
    whole, _, fraction = f"{Decimal(number):,f}".partition(".")
    return ",".join(part for part in (whole.replace(",", "."), fraction.rstrip("0")) if part)
