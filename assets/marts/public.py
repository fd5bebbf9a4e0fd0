"""What the public role reads of the indicators: those that follow from open data alone and count no people.

So it holds no small count of people that would have to be hidden, nor what it could be found from. Those that count people are
in the open-data set, where small counts are hidden with their complements (:mod:`assets.marts.exports.open_data`): that
looks at all cells at once, and cannot be a view. Here: the view. Which indicators are open: ``open_indicators``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import psycopg

from schemas.contract import Contract
from schemas.roles import EVERYBODY, grant

from .indicators.catalogue import Indicator
from .opened import open_indicators

VIEW = "mart_v1.public_indicator_value"


def sync_public(
    connection: psycopg.Connection, contracts: Mapping[str, Contract], indicators: Mapping[str, Indicator]
) -> bool:
    """Make the view follow contracts and indicators, in the caller's transaction; whether it had to."""
    codes = sorted(o.indicator.code for o in open_indicators(contracts, indicators) if not o.people)
    listed = ", ".join(f"'{code}'" for code in codes) or "null"
    text = (
        f"create or replace view {VIEW} as select v.indicator, v.variant, v.unit_kind, v.unit, v.unit_name, v.period_kind, "
        "v.period, v.as_of, v.value, v.numerator, v.denominator, v.unknown, v.target, v.target_due, v.status "
        f"from mart_v1.indicator_value v where v.indicator in ({listed})"
    )
    mark = hashlib.sha256(text.encode()).hexdigest()
    row = connection.execute("select obj_description(to_regclass(%s), 'pg_class')", [VIEW]).fetchone()
    if row is not None and row[0] == mark:
        return False
    connection.execute("select pg_advisory_xact_lock(hashtext('lienthong.contract'))")
    connection.execute(text)
    connection.execute(f"comment on view {VIEW} is '{mark}'")
    grant(connection, [(role, f"select on {VIEW}") for role in EVERYBODY])
    return True
