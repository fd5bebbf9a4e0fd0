"""People whom several senders report: one entity each, whatever is wrong with the number in a row, and never two in one."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

import pytest

from tests.e2e.flows import World, text_csv

HEAD = ("Số CCCD", "Số CMND", "Họ và tên", "Ngày sinh", "Giới tính", "Chức vụ", "Đơn vị")
NHAN = ("056185001234", "", "Trần Thị Nhàn", "14/03/1985", "Nữ", "Công chức", "Văn phòng HĐND và UBND")
LONG = ("056090004321", "225999888", "Nguyễn Hữu Long", "05/03/1990", "Nam", "Chuyên viên", "Phòng Kinh tế")
HOA = ("058195007777", "", "Lê Thị Hòa", "21/11/1995", "Nữ", "Văn thư", "Phòng Văn hóa - Xã hội")
BAO = ("056080002222", "", "Phạm Quốc Bảo", "01/12/1980", "Nam", "Chủ tịch", "UBND xã")


def people(*rows: Sequence[Any]) -> bytes:
    return text_csv([HEAD, *rows])


def changed(person: Sequence[Any], **what: Any) -> tuple[Any, ...]:
    names = ("id", "card", "name", "born", "sex", "post", "agency")
    return tuple(what.get(n, v) for n, v in zip(names, person, strict=True))


class House:
    """A world with two communes and the department of home affairs, and questions to it."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.a, self.b = world.communes[:2]
        self.dropped = 0

    def send(self, sender: str, *rows: Sequence[Any], period: str = "2026-Q2", **options: Any) -> str:
        self.dropped += 1
        return self.world.drop(sender, people(*rows), f"cb{self.dropped}.csv", period=period, **options)

    def entities(self) -> dict[str, int]:
        """Names as published -> how many entities have them now."""
        rows = self.world.rows(
            "select full_name, count(*)::int from core.staff where publish_to is null and valid_to is null group by 1"
        )
        return dict(rows)

    def people(self) -> list[tuple[Any, ...]]:
        """(clear ID, name, position) of everybody now."""
        return self.world.rows(
            "select i.value, full_name, position from core.staff s left join vault.identifier i on i.subject = s.citizen_id "
            "where publish_to is null and valid_to is null order by 1, 2"
        )

    def counts(self, origin: str) -> tuple[int, int]:
        told = self.world.submission(origin)["counts"]
        return told["accepted"], told["quarantined"]

    def links(self) -> list[tuple[str, bool]]:
        return self.world.rows("select rule, cured from core.link where publish_to is null order by 1")

    def doubts(self) -> list[str]:
        return [r[0] for r in self.world.rows("select why from core.doubt where publish_to is null order by 1")]


@pytest.fixture
def house(world: World) -> House:
    return House(world)


def test_one_person_of_two_senders_is_one_entity(house: House) -> None:
    house.send(house.a, NHAN, LONG)
    house.send("SNV", NHAN, BAO)
    house.world.run()
    assert house.entities() == {NHAN[2]: 1, LONG[2]: 1, BAO[2]: 1}
    assert house.links() == [] and house.doubts() == []


def test_a_missing_number_is_found_by_name_and_birth(house: House) -> None:
    house.send("SNV", NHAN, LONG, HOA, BAO)
    mine = house.send(house.a, changed(NHAN, id="", post="Phó Chủ tịch"), changed(LONG, id="225999888", card=""))
    house.world.run()
    assert house.counts(mine) == (2, 0)
    assert house.entities() == {p[2]: 1 for p in (NHAN, LONG, HOA, BAO)}
    assert {rule for rule, _ in house.links()} == {"old_card", "model:person.v1"}
    assert {p[0] for p in house.people()} == {NHAN[0], LONG[0], HOA[0], BAO[0]}
    assert house.world.submission(mine)["state"] == "accepted"


def test_a_row_that_nobody_answers_to_waits(house: House) -> None:
    house.send("SNV", NHAN)
    mine = house.send(house.a, changed(LONG, id=""))
    house.world.run()
    assert house.counts(mine) == (0, 1)
    assert house.doubts() == ["unmatched"]
    # the one who knows the number comes later: then the row speaks
    house.send("SNV", NHAN, LONG, period="2026-Q3")
    house.world.run()
    assert house.counts(mine) == (1, 0) and house.doubts() == []


def test_a_number_that_contradicts_the_birth_date_is_present_and_says_nothing(house: House) -> None:
    house.send(house.a, NHAN, LONG, period="2026-Q1")
    mine = house.send(house.a, NHAN, changed(LONG, born="05/03/1991", post="Trưởng phòng"))
    house.world.run()
    assert house.counts(mine) == (1, 1)
    assert house.people() == sorted((p[0], p[2], p[5]) for p in (NHAN, LONG))


def test_namesakes_born_on_one_day_stay_two(house: House) -> None:
    other = changed(NHAN, id="056185009876")
    house.send(house.a, NHAN)
    house.send(house.b, other)
    house.send("SNV", NHAN, other)
    house.world.run()
    assert house.entities() == {NHAN[2]: 2}
    # without a number nobody can say which of them is meant, unless by where they are
    mine = house.send(house.world.communes[2], changed(NHAN, id="", agency=""), period="2026-Q3")
    house.world.run()
    assert house.entities() == {NHAN[2]: 2} and house.counts(mine) == (0, 1)


def test_one_wrong_digit_joins_and_two_do_not(house: House) -> None:
    house.send("SNV", NHAN, LONG)
    house.send(house.a, changed(NHAN, id="056185001235"), changed(LONG, id="056090004399"))
    house.world.run()
    assert house.entities() == {NHAN[2]: 1, LONG[2]: 2}
    assert len(house.people()) == 3


def test_a_linked_row_is_no_absence(house: House) -> None:
    """Somebody whose number is missing this time is present: the list ends the others that it does not name, and not him."""
    house.send(house.a, NHAN, LONG, HOA, BAO, period="2026-Q1")
    mine = house.send(house.a, NHAN, changed(LONG, id=""), HOA)
    house.world.run()
    assert house.world.submission(mine)["state"] == "accepted"
    assert [p[0] for p in house.people()] == sorted(p[0] for p in (NHAN, LONG, HOA))


def test_no_ids_change_and_a_second_run_does_nothing(house: House) -> None:
    house.send("SNV", NHAN, LONG)
    house.send(house.a, changed(NHAN, id="056185001235"), changed(LONG, id=""))
    house.world.run()
    before = house.world.rows("select entity_id, full_name from core.staff where publish_to is null order by 1, 2")
    assert house.world.run().published is None
    # an older file of a third sender makes no other id
    house.send(house.b, NHAN, period="2026-Q1")
    house.world.run()
    after = house.world.rows(
        "select distinct entity_id, full_name from core.staff where publish_to is null order by 1, 2"
    )
    assert {r[0] for r in before} == {r[0] for r in after}


def test_a_trace_finds_a_person_by_any_number_and_any_old_id(house: House) -> None:
    house.send("SNV", NHAN)
    mistyped = changed(NHAN, id="056185001235", post="Phó Chủ tịch")
    house.send(house.a, mistyped, changed(LONG, id=""), period="2026-Q3")
    house.send("SNV", NHAN, LONG, period="2026-Q3")
    house.world.run()
    by_right, by_wrong = (house.world.trace("staff", citizen_id=p[0]) for p in (NHAN, mistyped))
    assert by_right == by_wrong and len({v.entity_id for v in by_right}) == 1
    assert {s["sender"] for v in by_right for s in v.sources} == {"SNV", house.a}
    # a row without a number is a source too
    assert {s["sender"] for v in house.world.trace("staff", citizen_id=LONG[0]) for s in v.sources} == {"SNV", house.a}
    assert house.world.proved("staff") >= 2


def test_what_senders_say_differently_is_a_conflict(house: House) -> None:
    house.send("SNV", NHAN)
    house.send(house.a, changed(NHAN, post="Phó Chủ tịch", agency=""))
    house.world.run()
    assert house.world.rows(
        "select attribute, chosen ->> 'value', chosen ->> 'sender', others -> 0 ->> 'value', rule from core.conflict "
        "where publish_to is null and dataset = 'staff' order by 1"
    ) == [("position", NHAN[5], "SNV", "Phó Chủ tịch", "precedence")]
    # a blank of the better sender takes nothing away from what the other one says
    house.send(house.a, NHAN, period="2026-Q3")
    house.send("SNV", changed(NHAN, agency=""), period="2026-Q3")
    house.world.run()
    now = "select organization_name, commune_code from core.staff where publish_to is null and valid_to is null"
    assert house.world.rows(now) == [(NHAN[6], house.a)]


def test_where_somebody_works_is_what_the_latest_list_says(house: House) -> None:
    house.send("SNV", NHAN, period="2026-Q1")
    house.send(house.a, NHAN, period="2026-Q1")
    house.send(house.b, changed(NHAN, post="Phó Chủ tịch", agency="Ban Xây dựng Đảng"), period="2026-Q2")
    house.world.run()
    assert house.world.rows(
        "select commune_code, position, organization_name, valid_from::text, valid_to::text from core.staff "
        "where publish_to is null order by valid_from"
    ) == [
        (house.a, NHAN[5], NHAN[6], "2026-03-31", "2026-06-30"),
        (house.b, "Phó Chủ tịch", "Ban Xây dựng Đảng", "2026-06-30", None),
    ]


@pytest.mark.parametrize(
    ("row", "imported"),
    [(HOA, "set()"), (changed(HOA, id=""), "{'duckdb'}")],
    ids=["clear", "doubtful"],
)
def test_no_run_imports_splink_and_one_without_doubtful_rows_nothing_that_weighs(
    house: House, row: Sequence[Any], imported: str
) -> None:
    house.send("SNV", NHAN, LONG, HOA)
    house.send(house.a, NHAN, row)
    code = (
        "import sys; from pipelines.flow import open_pipeline; ran = open_pipeline().run(); "
        "assert ran.published == 1; print({'splink', 'duckdb'} & set(sys.modules))"
    )
    settings = {"LIENTHONG_HOME": str(house.world.home), "LIENTHONG_DATABASE_URL": house.world.url}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **settings, "LIENTHONG_SETTLE_SECONDS": "0"},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout.strip()) == (0, imported), done.stderr
