"""A small app of a commune with SQLAlchemy: pages of its own villages, and one village's history. Role: ``commune``.

Usage: python sqlalchemy_app.py postgresql+psycopg://LOGIN:PASSWORD@HOST/DATABASE
"""

import sys
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

from sqlalchemy import BigInteger, Date, Integer, Row, Text, column, create_engine, select, table, tuple_
from sqlalchemy.orm import Session

# what is read, named: columns that are added to the view later change nothing here
OWN = table(
    "own_villages_history",
    column("village_id", BigInteger), column("village_name", Text), column("households", Integer),
    column("population", Integer), column("valid_from", Date), column("valid_to", Date),
    schema="mart_v1",
)  # fmt: skip


def pages(session: Session, size: int = 100) -> Iterator[Sequence[Row[Any]]]:
    """The villages of today, page by page. By the key of the last row and not by offset: no row is missed or seen twice."""
    today = select(OWN).where(
        OWN.c.valid_from <= date.today(), (OWN.c.valid_to.is_(None)) | (OWN.c.valid_to > date.today())
    )
    last: tuple[str, int] = ("", 0)
    while True:
        wanted = today.where(tuple_(OWN.c.village_name, OWN.c.village_id) > last)
        page = session.execute(wanted.order_by(OWN.c.village_name, OWN.c.village_id).limit(size)).all()
        if not page:
            return
        yield page
        last = (page[-1].village_name, page[-1].village_id)


def history(session: Session, village_id: int) -> Sequence[Row[Any]]:
    """What was true of a village, and from when until when (the day after the last)."""
    return session.execute(select(OWN).where(OWN.c.village_id == village_id).order_by(OWN.c.valid_from)).all()


if __name__ == "__main__":
    engine = create_engine(sys.argv[1], isolation_level="REPEATABLE READ")
    with Session(engine) as opened:
        for n, rows in enumerate(pages(opened, size=2), 1):
            for row in rows:
                versions = history(opened, row.village_id)
                print(f"page {n}: {row.village_name}, {row.households} households, {len(versions)} versions")
