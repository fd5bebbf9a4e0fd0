"""Read indicators into pandas, all of one publish. Role: ``public``.

Usage: python read_with_pandas.py postgresql://LOGIN:PASSWORD@HOST/DATABASE
"""

import sys

import pandas as pd
import psycopg


def figures(url: str, indicator: str) -> tuple[int, pd.DataFrame]:
    """The publish that is shown, and the indicator's figures of the province by period, the newest last."""
    # one transaction: what is published meanwhile shows in the next one, never in half of this
    with psycopg.connect(url) as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        publish = connection.execute("select max(publish) from mart_v1.publishes").fetchone()[0]
        cursor = connection.execute(
            "select period, value, target, status from mart_v1.public_indicator_value "
            "where indicator = %s and variant = '' and unit_kind = 'PROVINCE' and period_kind = 'quarter' order by period",
            [indicator],
        )
        frame = pd.DataFrame(cursor.fetchall(), columns=[c.name for c in cursor.description])
    # numeric is exact in the database; a float is enough for a chart
    return publish, frame.astype({"value": "Float64", "target": "Float64"})


if __name__ == "__main__":
    number, found = figures(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "I26")
    print(f"publish {number}")
    print(found.to_string(index=False))
