"""``lienthong feed``: lines for programs, each as soon as it is known, and a position that can be stored."""

from __future__ import annotations

import json
import re
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg

from assets.marts import feed
from schemas.roles import APP

from .conftest import House, Script


def _lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_a_snapshot_then_what_came_after(house: House) -> None:
    *rows, end = _lines(house("feed", "--snapshot", "--dataset", "villages", "--json").out)
    assert len(rows) == house.query("select count(*) from mart_v1.villages_history")[0][0] > 20
    assert set(rows[0]) == {"dataset", "entity_id", "valid_from", "valid_to", "key", "data"}
    assert set(rows[0]["key"]) == {"village_name", "commune_code"}
    assert _lines(house("feed", "--since", end["position"], "--json").out) == [end]

    house("publish", "--back-to", "0")
    *changes, after = _lines(house("feed", "--since", end["position"], "--dataset", "villages", "--json").out)
    assert [c["operation"] for c in changes] == ["delete"] * len(rows)
    assert {(c["entity_id"], c["valid_from"]) for c in changes} == {(r["entity_id"], r["valid_from"]) for r in rows}
    assert changes[0]["key"] and changes[0]["data"] is None
    assert after["position"] == end["position"].rpartition(":")[0] + ":2"
    # a publish number serves as well, and an older publish can be asked for
    assert _lines(house("feed", "--since", "1", "--dataset", "villages", "--json").out) == [*changes, after]
    *old, at = _lines(house("feed", "--snapshot", "--at", "1", "--dataset", "villages", "--json").out)
    assert at == end and {json.dumps(r) for r in old} == {json.dumps(r) for r in rows}
    said = house("feed", "--since", "1")
    assert said.code == 0 and f"delete villages {rows[0]['entity_id']} from" in said.out
    assert said.out.splitlines()[-1] == f"position {after['position']}"


def test_what_cannot_be_read_says_why(house: House) -> None:
    for arguments, why in (
        ((), "say where to begin"),
        (("--since", "1", "--snapshot"), "say where to begin"),
        (("--since", "1", "--at", "1"), "--at goes with --snapshot"),
        (("--since", "nowhere"), "'nowhere' is no position; one looks like"),
        (("--since", "99"), "nothing can be read after publish 99: the newest publish is 1; take a snapshot"),
        (("--since", "00000000-0000-0000-0000-000000000000:1"), "the warehouse was restored since"),
        (("--snapshot", "--dataset", "people"), "the feed has no people; it has administrative_units"),
        (("--snapshot", "--own"), "this login was granted no rows of its own"),
        (("--since", "1", "--own"), "this login was granted no rows of its own"),
        (("--snapshot", "--at", "77"), "there is no publish 77; the newest is 1"),
    ):
        said = house("feed", *arguments)
        assert said.code == 2 and why in said.err, (arguments, said.err)


def test_a_commune_reads_its_own_by_its_login(house: House, login: str) -> None:
    (commune,) = house.query(
        "select commune_code from mart_v1.villages_history group by 1 order by count(*) desc limit 1"
    )[0]
    said = ("--purpose", "theo dõi", "--ground", "NĐ 278/2025/NĐ-CP", "--until", "2027-06-30")
    assert house("access", "grant", login, "commune", "--unit", commune, *said).code == 0
    own = {"LIENTHONG_DATABASE_URL": house.url.replace("postgres@", f"{login}@")}
    *rows, end = _lines(house("feed", "--snapshot", "--own", "--dataset", "villages", "--json", **own).out)
    assert {r["key"]["commune_code"] for r in rows} == {commune}
    ((count,),) = house.query(f"select count(*) from mart_v1.villages_history where commune_code = '{commune}'")
    assert len(rows) == count > 0
    house("publish", "--back-to", "0")
    *changes, _ = _lines(
        house("feed", "--since", end["position"], "--own", "--dataset", "villages", "--json", **own).out
    )
    assert [c["operation"] for c in changes] == ["delete"] * count


def test_following_goes_on_with_what_is_published(house: House, script: Script) -> None:
    process = script("feed", "--since", "1", "--follow", "--dataset", "villages", "--json")
    assert process.stdout is not None
    house("publish", "--back-to", "0")
    first = json.loads(process.stdout.readline())
    assert first["operation"] == "delete" and first["publish"] == 2
    while "position" not in json.loads(process.stdout.readline()):
        pass
    house("publish", "--back-to", "1")
    again = json.loads(process.stdout.readline())
    assert again["operation"] == "insert" and again["publish"] == 3
    process.terminate()
    process.communicate()


def test_the_sql_of_the_docs(house: House) -> None:
    house("publish", "--back-to", "0")
    text = (Path(__file__).parents[3] / "docs" / "feed.md").read_text(encoding="utf-8")
    (sql,) = re.findall(r"```sql\n(.*?)```", text, re.DOTALL)
    with closing(psycopg.connect(house.url, autocommit=True)) as source:
        source.execute(f"set role {APP}")  # type: ignore[arg-type]
        position = feed.position(source)
        for statement in sql.replace("'F'", f"'{position.feed}'").replace("17", "1").split(";"):
            if statement.strip():
                found = source.execute(statement)
                rows = found.fetchall() if found.description else []
                if "can_follow" in statement:
                    assert rows == [(True, 2)]
                if "limit" in statement:
                    assert len(rows) == 1000
