"""Worlds that can be copied and compared: what a run leaves behind, told without the numbers that luck gives.

Here: copying a world (database and home) so that one beginning serves many tests, and the picture of its outcome. Not
here: breaking things (:mod:`tests.faults.driver`), the world itself (:mod:`tests.e2e.flows`).
"""

from __future__ import annotations

import hashlib
import shutil
from collections import Counter
from collections.abc import Iterable
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
from psycopg import sql

from tests.e2e.flows import World, let_go

_numbers = count(1)

_PICTURE = {
    "deliveries": "select delivery_id, sha256, size, sender, period, file_name, origin, received_at, sidecar, state, problems "
    "from intake.delivery",
    "submissions": "select submission_id, delivery_id, dataset, sender, period, period_first, period_last, as_of, as_of_source, "
    "received_at, sha256, content, file_name, state, problems, withdraws, rows_read, rows_accepted, rows_quarantined, "
    "rows_set_aside, rows_flagged, set_aside from intake.submission",
    "standings": "select u.submission_id, s.standing, s.reasons, p.submission_id, s.ends_nobody, s.waivers from core.standing s "
    "join intake.submission u using (submission_no) left join intake.submission p on p.submission_no = s.predecessor_no "
    "where s.publish_to is null",
    "quarantine": "select u.submission_id, q.sheet, q.row, q.key, q.raw from staging.quarantine q "
    "join intake.assessment a using (assessment_no) join intake.submission u using (submission_no)",
    "verdicts": "select u.submission_id, v.sheet, v.row, v.rule, v.column_name, v.severity, v.address, v.params "
    "from staging.verdict v join intake.assessment a using (assessment_no) join intake.submission u using (submission_no)",
    "repairs": "select u.submission_id, r.sheet, r.row, r.column_name, r.rule, r.raw from staging.repair r "
    "join intake.assessment a using (assessment_no) join intake.submission u using (submission_no)",
    "set aside": "select u.submission_id, s.sheet, s.row, s.reason, s.text from staging.set_aside s "
    "join intake.assessment a using (assessment_no) join intake.submission u using (submission_no)",
    "villages": "select * from mart_v1.villages",
    "history": "select * from mart_v1.villages_history",
    "unit changes": "select * from mart_v1.unit_changes",
    "conflicts": "select dataset, entity_id, attribute, valid_from, valid_to, chosen, others, senders, rule, since "
    "from core.conflict where publish_to is null",
}
_MUST_BE_EMPTY = {
    "an open publish": "select number from core.publish where state = 'open'",
    "rows of a swept publish": "select publish_from from core.villages join core.publish p on p.state = 'swept' "
    "and p.number in (publish_from, publish_to) union all select publish_from from core.unit_changes join core.publish p "
    "on p.state = 'swept' and p.number in (publish_from, publish_to) union all select publish_from from core.standing "
    "join core.publish p on p.state = 'swept' and p.number in (publish_from, publish_to)",
    "two versions at once": "select a.entity_id from core.villages a join core.villages b on a.entity_id = b.entity_id "
    "and a.ctid <> b.ctid and a.publish_to is null and b.publish_to is null and a.valid_from <= b.valid_from "
    "and (a.valid_to is null or a.valid_to > b.valid_from)",
    "a submission assessed twice": "select submission_no from intake.assessment group by 1 having count(*) > 1",
    "observations without an assessment": "select _assessment from staging.villages "
    "where _assessment not in (select assessment_no from intake.assessment)",
    "a delivery unread": "select delivery_id from intake.delivery where state = 'received'",
    "a state that no publish has written": "select submission_id from intake.submission "
    "where state in ('received', 'staged')",
    "what is derived, unpublished": "select entity_id from core.villages, core.pointer where publish_from > shows",
}


def picture(world: World) -> dict[str, list[Any]]:
    """All that readers, senders and the ledger can see of the outcome, in an order of its own."""
    with psycopg.connect(world.url, autocommit=True) as connection:
        return {
            name: sorted(connection.execute(query).fetchall(), key=repr)  # type: ignore[arg-type]
            for name, query in _PICTURE.items()
        }


def whole(world: World) -> None:
    """Nothing doubled, nothing left over of what was abandoned, and every delivery's bytes in the archive."""
    with psycopg.connect(world.url, autocommit=True) as connection:
        for what, query in _MUST_BE_EMPTY.items():
            found = connection.execute(query).fetchall()  # type: ignore[arg-type]
            assert not found, f"{what}: {found[:5]}"
        pipeline = world.pipeline
        for sha256, size in connection.execute("select distinct sha256, size from intake.delivery"):
            data = pipeline.archive.read(sha256)
            assert (hashlib.sha256(data).hexdigest(), len(data)) == (sha256, size)
        pipeline.close()
    world.conserved()


def same(one: dict[str, list[Any]], other: dict[str, list[Any]], only: Iterable[str] = _PICTURE) -> None:
    """Two pictures are alike; the first that is not is shown by what each has alone."""
    for name in only:
        if one[name] != other[name]:
            mine, others = Counter(map(repr, one[name])), Counter(map(repr, other[name]))
            alone = [sorted((a - b).elements())[:3] for a, b in ((mine, others), (others, mine))]
            raise AssertionError(f"{name}: {alone[0]} is not {alone[1]}")


class Copies:
    """Makes copies of worlds on one server."""

    def __init__(self, server_url: str, folder: Path) -> None:
        self.server_url, self.folder = server_url, folder
        with psycopg.connect(server_url) as connection:
            self.host = quote(connection.info.host, safe="/")

    def new(self, template: str | None = None, **settings: Any) -> World:
        """A world on a copy of a database, or on an empty one."""
        name = f"faults_{next(_numbers)}"
        statement = sql.SQL("create database {} template {} strategy file_copy").format(
            sql.Identifier(name), sql.Identifier(template or "template0")
        )
        if template is None:
            statement += sql.SQL(" encoding 'UTF8' locale_provider builtin builtin_locale 'C.UTF-8'")
        with psycopg.connect(self.server_url, autocommit=True) as connection:
            connection.execute(statement)
        home = self.folder / name
        home.mkdir()
        return World(f"postgresql://postgres@/{name}?host={self.host}", home, **settings)

    def of(self, world: World) -> World:
        """A world like this one; nobody may be connected to it."""
        given = {name: getattr(world.settings, name) for name in ("reference", "contracts", "province")}
        let_go()
        copy = self.new(_database(world), **given)
        shutil.copytree(world.home, copy.home, dirs_exist_ok=True)
        copy.arrivals = world.arrivals
        return copy

    def drop(self, world: World) -> None:
        """Remove a world that is no longer wanted."""
        with psycopg.connect(self.server_url, autocommit=True) as connection:
            connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(_database(world))))
        shutil.rmtree(world.home)


def _database(world: World) -> str:
    return str(psycopg.conninfo.conninfo_to_dict(world.url)["dbname"])
