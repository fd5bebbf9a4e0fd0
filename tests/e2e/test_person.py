"""One person: found by number, shown and exported whole, erased from everything, and nobody else touched."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest

from assets.core import person
from assets.core.decisions import decide
from assets.core.trace import NotFound, trace
from assets.intake.archive import Archive, Destroyed, Stored
from assets.marts import feed
from assets.marts.publish import back_to
from assets.returns.answers import write_answers
from pipelines.cli_errors import explain
from tests.e2e.conftest import Make
from tests.e2e.flows import World, workbook

HEAD = ("Số CCCD", "Số CMND", "Họ và tên", "Ngày sinh", "Giới tính", "Chức vụ", "Đơn vị công tác")
ANN, CARD = "056085001234", "225123456"
BEN, EVE, LAN = "056085005678", "058190004321", "056190007777"
WHO: dict[str, Any] = {"reason": "yêu cầu số 12", "by": "tester"}


def row(number: str | None, name: str, *, card: str | None = None, born: str = "01/02/1985", sex: str = "Nam") -> Any:
    return (number, card, name, born, sex, "Kế toán", "Văn phòng")


class Lists:
    """Staff of two communes over two quarters: Ann in both quarters, in quarantine, doubled, out of scope and linked."""

    def __init__(self, world: World) -> None:
        self.world = world
        one, two = self.communes = world.communes[:2]
        self.places = [
            world.drop(
                one,
                workbook([HEAD, row(ANN, "Nguyễn Văn Ánh", card=CARD), row(BEN, "Lê Văn Bền")]),
                "cb.xlsx",
                period="2026-Q1",
            ),
            world.drop(
                two,
                workbook([HEAD, row(EVE, "Trần Thị Ếch", born="03/04/1990", sex="Nữ")]),
                "cb.xlsx",
                period="2026-Q1",
            ),
        ]
        world.run()
        coded = ("Mã xã", *HEAD)
        second = [
            coded,
            (one, *row(ANN, "Nguyễn Văn Ánh", card=CARD)),
            (one, *row(ANN, "Nguyễn Văn Ánh", card=CARD)),  # a repeat
            (one, *row(BEN, "Lê Văn Bền")),
            (two, *row(ANN, "Nguyễn Văn Ánh")),  # out of scope
        ]
        self.places += [
            world.drop(one, workbook(second), "cb2.xlsx"),
            world.drop(two, workbook([
                HEAD, row(EVE, "Trần Thị Ếch", born="03/04/1990", sex="Nữ"),
                row(ANN, "Nguyễn Văn Ánh", born="01/02/1984"),  # in quarantine: the birth contradicts the number
            ]), "cb2.xlsx"),
        ]  # fmt: skip
        world.run()

    def entity(self, number: str) -> int:
        return self.find(number)[0]["entity_id"]

    def find(self, number: str) -> list[dict[str, Any]]:
        pipeline = self.world.pipeline
        with closing(pipeline), self.world.connection() as connection:
            return person.find(connection, pipeline.contracts, pipeline.vault, number, **WHO)

    def held(self, entity: int) -> dict[str, Any]:
        with self.world.connection() as connection:
            return person.held(connection, self.world.pipeline.contracts, entity, action="export", **WHO)

    def erase(self, entity: int, **more: Any) -> person.Plan:
        pipeline = self.world.pipeline
        with closing(pipeline), self.world.connection() as connection:
            return person.erase(connection, pipeline.archive, pipeline.contracts, entity, **WHO | more)

    def everything(self) -> str:
        """All text of the database, with the vault."""
        with self.world.connection() as connection:
            names = connection.execute(
                "select format('%I.%I', schemaname, tablename) from pg_tables where schemaname in "
                "('intake', 'staging', 'vault', 'core', 'ops')"
            ).fetchall()
            return "\n".join(
                r[0]
                for (n,) in names
                for r in connection.execute(f"select to_jsonb(t)::text from {n} t")  # type: ignore[call-overload]
            )

    def others(self) -> Any:
        """What is kept and published of all but Ann, by number."""
        rows = self.world.rows(
            "select i.value, o.full_name, o.date_of_birth, o._assessment, o._row, o._ok, o._key, o._value from staging.staff o "
            "join vault.identifier i on i.subject = o.citizen_id where i.value <> %s order by 1, 4, 5",
            [ANN],
        )
        published = self.world.rows(
            "select * from vault.staff_history where citizen_id <> %s order by person_id, valid_from", [ANN]
        )
        standing = self.world.rows(
            "select submission_id, standing, reasons::text from core.standing join intake.submission using (submission_no) "
            "where publish_to is null order by 1"
        )
        counted = self.world.rows(
            "select submission_id, state, rows_read, rows_accepted, rows_quarantined, rows_set_aside from intake.submission "
            "order by 1"
        )
        return rows, published, standing, counted


@pytest.fixture
def lists(make_world: Make) -> Lists:
    return Lists(make_world())


def test_a_person_is_found_by_any_of_the_numbers(lists: Lists) -> None:
    (found,) = lists.find(ANN)
    assert "staff.citizen_id" in found["columns"]
    assert lists.find(" 056 085-001.234 ")[0]["entity_id"] == found["entity_id"]
    assert lists.find("56085001234")[0]["entity_id"] == found["entity_id"]
    assert lists.find(CARD) == [{"entity_id": found["entity_id"], "columns": ["staff.id_card"]}]
    assert lists.find("056085009999") == [] and lists.find("") == []
    said = json.dumps(lists.world.rows("select who, action, reason, details from ops.audit"))
    assert ANN not in said and CARD not in said and str(found["entity_id"]) in said


def test_all_that_is_held_is_exported(lists: Lists) -> None:
    entity = lists.entity(ANN)
    held = lists.held(entity)
    assert {i["value"] for i in held["identifiers"] if i["kind"] == "personal_id"} == {ANN, CARD}
    staff = held["datasets"]["staff"]
    assert {v["values"]["citizen_id"] for v in staff["versions"]} == {ANN}
    assert {v["values"]["full_name"] for v in staff["versions"]} == {"Nguyễn Văn Ánh"}
    assert sorted((o["period"], o["sender"], o["row"], o["accepted"]) for o in staff["observations"]) == [
        ("2026-Q1", lists.communes[0], 2, True), ("2026-Q2", lists.communes[0], 2, True), ("2026-Q2", lists.communes[1], 3, False),
    ]  # fmt: skip
    assert {o["file_name"] for o in staff["observations"]} == {"cb.xlsx", "cb2.xlsx"}
    assert sorted(a["reason"] for a in held["set_aside"]) == ["OUT_OF_SCOPE", "REPEAT"]
    assert [(a["who"], a["action"], a["reason"]) for a in held["accesses"]] == [("tester", "export", "yêu cầu số 12")]
    assert BEN not in str(held) and EVE not in str(held) and "Bền" not in str(held)
    assert json.loads(json.dumps(held, default=str))


def test_an_erasure_takes_the_person_from_everywhere_and_nobody_else(lists: Lists, tmp_path: Path) -> None:
    world = lists.world
    entity, before, published = (
        lists.entity(ANN),
        lists.others(),
        world.rows("select max(number) from core.publish")[0][0],
    )
    with closing(world.pipeline) as pipeline, world.connection() as connection:
        write_answers(connection, pipeline.contracts, tmp_path)
        planned = person.plan(connection, pipeline.contracts, entity)
    assert "Ánh" in lists.everything()
    done = lists.erase(entity)
    assert done.counts() == planned.counts() == {
        "rows": 3, "quarantined": 1, "set_aside": 2, "versions": done.versions, "identifiers": 3, "identifiers_of_others_too": 0,
        "objects": 3, "submissions": 3,
    }  # fmt: skip  # two numbers, and what made the row without a readable one itself
    assert done.versions >= 1
    text = lists.everything()
    for trace_of in (ANN, CARD, "Ánh", "056******234", "225******456"):
        assert trace_of not in text, trace_of
    world.conserved()
    assert lists.others() == before
    # nothing brings the person back
    ran = world.run()
    assert ran.received == []
    with closing(world.pipeline) as pipeline, pipeline.connection() as connection:
        pipeline.replay(connection)
        pipeline.publish(connection)
        back_to(connection, published)
    assert world.rows("select 1 from vault.staff_history where person_id = %s", [entity]) == []
    assert world.rows("select count(*) from core.staff where entity_id = %s", [entity]) == [(0,)]
    with closing(world.pipeline) as pipeline, pipeline.connection() as connection:
        pipeline.publish(connection)
        write_answers(connection, pipeline.contracts, tmp_path)
    world.conserved()
    assert lists.others()[1:] == before[1:]
    assert "Ánh" not in lists.everything() and not any("Ánh" in p.read_text() for p in tmp_path.rglob("*.json"))
    with world.connection() as connection, pytest.raises(NotFound):
        trace(connection, world.pipeline.contracts["staff"], entity)


def test_the_files_are_destroyed_and_say_so(lists: Lists, caplog: pytest.LogCaptureFixture) -> None:
    world = lists.world
    done = lists.erase(lists.entity(ANN))
    kept = world.submission(lists.places[1])
    assert kept["destroyed"] is None and world.archived_bytes(kept["sha256"])
    for place in (lists.places[0], *lists.places[2:]):
        answer = world.submission(place)
        assert answer["destroyed"]["why"] == "yêu cầu số 12" and answer["sha256"] in done.objects
        with pytest.raises(Destroyed, match="because yêu cầu số 12"):
            world.archived_bytes(answer["sha256"])
        with closing(world.pipeline) as pipeline, pipeline.connection() as connection, pytest.raises(Destroyed) as gone:
            pipeline.replay(connection, submission_id=answer["submission_id"])
        assert "destroyed on" in explain(gone.value)[0]
    tombs = world.rows("select who, reason, dataset, objects, counts ->> 'rows' from ops.erasure")
    assert tombs == [("tester", "yêu cầu số 12", "staff", done.objects, "3")]
    assert world.rows("select count(*) from ops.erased_row") == [(5,)]


def test_a_second_erasure_is_none(lists: Lists) -> None:
    entity = lists.entity(ANN)
    lists.erase(entity)
    with pytest.raises(person.Erased, match="because yêu cầu số 12"):
        lists.erase(entity)
    with pytest.raises(person.Erased):
        lists.held(entity)
    assert lists.world.rows("select count(*) from ops.erasure") == [(1,)]
    assert lists.find(ANN) == []


def test_the_same_person_delivered_anew_is_another_one(lists: Lists) -> None:
    world, entity = lists.world, lists.entity(ANN)
    lists.erase(entity)
    place = world.drop(
        lists.communes[0], workbook([HEAD, row(ANN, "Nguyễn Văn Ánh"), row(BEN, "Lê Văn Bền")]), "cb3.xlsx"
    )
    world.run()
    # of a list of two one is gone and one is new: that asks for a decision, as ever
    answer = world.submission(place)
    assert [p["code"] for p in answer["problems"] if p["severity"] != "info"] == ["ENDS_TOO_MANY"]
    with world.connection() as connection:
        decide(connection, answer["submission_id"], accept=True, reason="đúng", by="tester")
    world.run()
    (found,) = lists.find(ANN)
    assert found["entity_id"] != entity
    assert world.rows("select person_id from vault.staff where citizen_id = %s", [ANN]) == [(found["entity_id"],)]
    # the very bytes that were destroyed: a new delivery of them is lawful, and the old one stays destroyed
    old = world.submission(lists.places[0])
    data = (world.home / "inbox" / lists.places[0]).read_bytes()
    again = world.drop(lists.communes[0], data, "cb4.xlsx", period="2026-Q1")
    world.run()
    assert world.submission(again)["destroyed"] is None and world.archived_bytes(old["sha256"]) == data
    assert world.submission(lists.places[0])["destroyed"] is not None
    with closing(world.pipeline) as pipeline, pipeline.connection() as connection, pytest.raises(Destroyed):
        pipeline.replay(connection, submission_id=old["submission_id"])


def test_a_number_that_another_has_too_stays_with_the_other(make_world: Make) -> None:
    world = make_world()
    world.drop(
        world.communes[0],
        workbook(
            [
                HEAD,
                row(ANN, "Nguyễn Văn Ánh", card=CARD),
                row(LAN, "Lý Thị Lan", card=CARD, born="05/06/1990", sex="Nữ"),
            ]
        ),
    )
    world.run()
    lists = Lists.__new__(Lists)
    lists.world, lists.communes = world, world.communes[:2]
    entities = {f["entity_id"] for f in lists.find(CARD)}
    entity = lists.entity(ANN)
    if len(entities) == 1:
        pytest.skip("identity holds the two for one person")
    done = lists.erase(entity)
    assert done.counts()["identifiers_of_others_too"] == 1
    assert world.rows("select citizen_id, id_card, full_name from vault.staff") == [(LAN, CARD, "Lý Thị Lan")]
    assert [f["entity_id"] for f in lists.find(CARD)] == sorted(entities - {entity})


def test_objects_from_before_sealing_are_destroyed_too(lists: Lists) -> None:
    world = lists.world
    answer = world.submission(lists.places[0])
    data = world.archived_bytes(answer["sha256"])
    place = Path(world.pipeline.archive.path(answer["sha256"]))
    place.write_bytes(data)
    assert Archive(str(world.home / "archive")).holds(Stored(answer["sha256"], len(data)))
    lists.erase(lists.entity(ANN))
    assert place.read_bytes()[:8] != data[:8]
    with pytest.raises(Destroyed):
        world.archived_bytes(answer["sha256"])


@pytest.mark.parametrize("reason", ["", "  ", f"số {ANN}", "xóa 056.085.001.234", "đơn của Nguyễn  văn ánh"])
def test_a_reason_must_be_one_and_name_nobody(reason: str, lists: Lists) -> None:
    entity, before = lists.entity(ANN), lists.world.counts()
    with pytest.raises(person.Unreasonable) as refused:
        lists.erase(entity, reason=reason)
    assert ANN not in str(refused.value) and "Ánh" not in str(refused.value)
    assert lists.world.counts() == before


def test_nobody_is_said_to_be_nobody(lists: Lists) -> None:
    with pytest.raises(person.NoSuchPerson, match="person find"):
        lists.erase(12345)
    assert lists.world.rows("select count(*) from ops.erasure") == [(0,)]


def test_an_erasure_that_fails_half_way_is_none(lists: Lists, monkeypatch: pytest.MonkeyPatch) -> None:
    entity, text = lists.entity(ANN), lists.everything()

    def fail(*_: Any) -> None:
        raise psycopg.OperationalError

    with monkeypatch.context() as patch:
        patch.setattr(person, "_bury", fail)
        with pytest.raises(psycopg.OperationalError):
            lists.erase(entity)
    assert sorted(lists.everything().splitlines()) == sorted(text.splitlines())
    for place in lists.places:
        assert lists.world.archived_bytes(lists.world.submission(place)["sha256"])
    lists.erase(entity)
    assert "Ánh" not in lists.everything()


def test_the_audit_log_and_the_tombstones_cannot_be_changed(lists: Lists) -> None:
    lists.erase(lists.entity(ANN))
    for table in ("audit", "erasure", "erased_entity"):
        for statement in (f"delete from ops.{table}", f"truncate ops.{table} cascade"):
            with pytest.raises(psycopg.errors.RaiseException, match="append-only"):
                lists.world.execute(statement)


def test_evaluations_are_held_and_erased_with_the_person(lists: Lists) -> None:
    head = ("Số CCCD", "Mã tổ chức", "Điểm chung", "Số lượng (%)", "Chất lượng (%)", "Tiến độ (%)", "Điểm kết quả", "Tổng điểm",
            "Xếp loại", "Lý do KHT")  # fmt: skip
    scores = [(number, "DU", 25, 80, 80, 80, 56, 81, "Tốt", f"lý do {number[-2:]}") for number in (ANN, BEN)]
    lists.world.drop(lists.communes[0], workbook([head, *scores]), "kpi.xlsx", period="2026-06")
    lists.world.run()
    entity = lists.entity(ANN)
    found = lists.held(entity)["datasets"]
    assert found["kpi_evaluations"]["versions"][0]["values"]["rating"] == "T"
    assert {"staff", "kpi_evaluations"} <= set(found)
    with lists.world.connection() as connection:
        begun = feed.position(connection)
        with feed.snapshot(connection, ["staff", "kpi_evaluations"]) as (position, rows):
            copy = feed.Copy(position)
            copy.add(rows)
        told = [(r.dataset, r.data["person_id"], r.entity_id == entity) for r in copy.rows("kpi_evaluations")]
        assert (told[0][1] == entity) + (told[1][1] == entity) == 1
        assert not any(t[2] for t in told), "the subject of a number is for nobody's eyes, its evaluations' neither"
    lists.erase(entity)
    with lists.world.connection() as connection:
        # the feed says it, as a publish of its own, and all that it said of the person before is gone
        page = feed.changes(connection, begun)
        assert {(c.operation, c.dataset) for c in page.changes} == {("erase", "staff"), ("erase", "kpi_evaluations")}
        assert page.position.publish == begun.publish + 1
        copy.apply(page)
        for dataset in ("staff", "kpi_evaluations"):
            seen = connection.execute(f"select to_jsonb(v) from mart_v1.{dataset}_history v").fetchall()
            assert sorted(map(str, [r.data for r in copy.rows(dataset)])) == sorted(str(r[0]) for r in seen) != []
        everything = feed.changes(connection, feed.Position(begun.feed, 0), limit=100_000)
        assert str(entity) not in str([c for c in everything.changes if c.operation != "erase"])
        assert all(c.valid_from is c.valid_to is c.data is None for c in everything.changes if c.operation == "erase")
        late = feed.Copy(feed.Position(begun.feed, 0))
        late.apply(everything)
        assert [late.rows(d) for d in ("staff", "kpi_evaluations")] == [
            copy.rows(d) for d in ("staff", "kpi_evaluations")
        ]
    assert lists.world.rows("select dataset from ops.erasure") == [("staff",)]  # what the person is an entity of
    text = lists.everything()
    assert "lý do 34" not in text and "lý do 78" in text
    assert lists.world.rows("select count(*) from core.kpi_evaluations where publish_to is null") == [(1,)]
    lists.world.conserved()
