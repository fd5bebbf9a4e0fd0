"""Keep a copy of the villages in step with the warehouse, in a SQLite file of one's own. Role: ``app``, as a whole.

Usage: python follow_the_feed.py postgresql://LOGIN:PASSWORD@HOST/DATABASE copy.sqlite
Each call catches up, however long ago the last one was; killed in the middle, the next one goes on.
"""

import sqlite3
import sys
from contextlib import closing

import psycopg

from assets.marts import feed  # one file that needs psycopg alone: copy it into your app

DATASETS = ["villages"]
PUT = "insert or replace into village values (?, ?, ?, ?, ?)"


def begin(source: psycopg.Connection, own: sqlite3.Connection) -> None:
    """Take everything of one publish, with the position from which the feed goes on."""
    with own, feed.snapshot(source, DATASETS) as (position, rows):
        own.execute("delete from village")
        own.executemany(PUT, (_values(row) for row in rows))
        own.execute("insert or replace into followed values (1, ?)", [str(position)])


def catch_up(source: psycopg.Connection, own: sqlite3.Connection) -> int:
    """Apply what came since, page by page; how many changes. A page and its position are one transaction of our own."""
    (known,) = own.execute("select position from followed").fetchone()
    position, done, more = feed.Position.parse(known), 0, True
    while more:
        page = feed.changes(source, position, datasets=DATASETS)
        with own:
            for change in page.changes:
                if change.operation == "erase":
                    own.execute("delete from village where id = ?", [change.entity_id])
                elif change.operation == "delete":
                    own.execute(
                        "delete from village where id = ? and since = ?", [change.entity_id, str(change.valid_from)]
                    )
                else:
                    own.execute(PUT, _values(change))
            own.execute("update followed set position = ?", [str(page.position)])
        position, more, done = page.position, page.more, done + len(page.changes)
    return done


def _values(row: "feed.Row | feed.Change") -> tuple:
    until = None if row.valid_to is None else str(row.valid_to)
    return row.entity_id, str(row.valid_from), until, row.data["village_name"], row.data["households"]


if __name__ == "__main__":
    with psycopg.connect(sys.argv[1], autocommit=True) as source, closing(sqlite3.connect(sys.argv[2])) as own:
        own.execute("create table if not exists village (id, since, until, name, households, primary key (id, since))")
        own.execute("create table if not exists followed (one integer primary key, position text not null)")
        if own.execute("select 1 from followed").fetchone() is None:
            begin(source, own)
        try:
            changed = catch_up(source, own)
        except feed.CannotFollow as late:  # away for more than the feed goes back, or the warehouse was restored
            print(f"beginning anew: {late}", file=sys.stderr)
            begin(source, own)
            changed = catch_up(source, own)
        count = own.execute("select count(*) from village").fetchone()[0]
        print(f"{changed} changes; {count} rows")
