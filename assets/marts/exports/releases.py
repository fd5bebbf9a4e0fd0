"""What releases of the open-data set told, kept in ``ops.open_release``, ``open_cell`` and ``open_sum``.

Every export of the open-data set counts as a release: whoever has its files may hand them on. It is written down before the files
are in their place, so that none is out that the next one does not know of; one that was written down and never came out makes the
next one only more careful. Here: reading and writing. Not here: what follows from it (:mod:`.together`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import polars as pl
import psycopg

from .known import Moment
from .together import CELLS, SUMS, Past
from .views import ExportRefused

_HERE = Path(__file__).parent
_LOCK = "hashtextextended('lienthong.open_release', 0)"


@contextmanager
def one_at_a_time(connection: psycopg.Connection) -> Iterator[None]:
    """Nobody else releases meanwhile; two at once would not know of each other.

    Raises :class:`ExportRefused` where the user may not keep what a release tells."""
    may = connection.execute((_HERE / "may_release.sql").read_text(encoding="utf-8")).fetchone()
    if may is None or not may[0]:
        raise ExportRefused(
            "the open-data set is exported by the user of the pipeline alone: what each release told is kept, so that no two of "
            "them together give hidden counts away, and this database user may not read it"
        )
    connection.execute(f"select pg_advisory_lock({_LOCK})")
    try:
        yield
    finally:
        if not connection.broken:
            connection.execute(f"select pg_advisory_unlock({_LOCK})")


def past(connection: psycopg.Connection, relation: str) -> Past:
    """What releases so far told of a table."""
    columns = ", ".join(CELLS.names())
    cells = connection.execute(f"select {columns} from ops.open_cell where relation = %s", [relation]).fetchall()
    sums = connection.execute("select terms from ops.open_sum where relation = %s", [relation]).fetchall()
    return Past(pl.DataFrame(cells, schema=CELLS, orient="row"), pl.DataFrame(sums, schema=SUMS, orient="row"))


def write_down(
    connection: psycopg.Connection, moment: Moment, made_at: datetime, by: str, told: Mapping[str, Past]
) -> None:
    """Keep a release and what it told of each table that nobody knew before."""
    with connection.transaction():
        row = connection.execute(
            "insert into ops.open_release (publish, shows, valid_at, released_by) values (%s, %s, %s, %s) returning release",
            [moment.number, moment.shows, moment.read_at or made_at, by],
        ).fetchone()
        release = row[0] if row is not None else 0
        for relation, added in told.items():
            terms = pl.concat_str(pl.lit("{"), pl.col("terms").cast(pl.List(pl.String)).list.join(","), pl.lit("}"))
            for statement, frame in (
                ("tell_cells.sql", added.cells),
                ("tell_sums.sql", added.sums.select(terms.alias("terms"))),
            ):
                if frame.height:
                    columns = frame.to_dict(as_series=False)
                    connection.execute(
                        (_HERE / statement).read_text(encoding="utf-8"),
                        {"release": release, "relation": relation, **columns},
                    )
