"""What the public role reads of the indicators: those that follow from open data alone and count no people.

So it holds no small count of people that would have to be hidden, nor what it could be found from. Those that count people are
in the open-data set, where small counts are hidden with their complements (:mod:`assets.marts.exports.open_data`): that
looks at all cells at once, and cannot be a view. Here: the view. Which indicators are open: ``open_indicators``.
"""

from __future__ import annotations

from collections.abc import Mapping

import psycopg

from schemas.contract import Contract
from schemas.migrate import literal
from schemas.roles import EVERYBODY
from schemas.tables import sync_view

from .indicators.catalogue import Indicator
from .opened import open_indicators

VIEW = "mart_v1.public_indicator_value"


def sync_public(
    connection: psycopg.Connection, contracts: Mapping[str, Contract], indicators: Mapping[str, Indicator]
) -> bool:
    """Make the view follow contracts and indicators, in the caller's transaction; whether it had to."""
    codes = sorted(o.indicator.code for o in open_indicators(contracts, indicators) if not o.people)
    listed = ", ".join(map(literal, codes)) or "null"
    text = (
        "select v.indicator, v.variant, v.unit_kind, v.unit, v.unit_name, v.period_kind, v.period, v.as_of, v.value, v.numerator, "
        f"v.denominator, v.unknown, v.target, v.target_due, v.status from mart_v1.indicator_value v where v.indicator in ({listed})"
    )
    return sync_view(connection, VIEW, text, EVERYBODY)
