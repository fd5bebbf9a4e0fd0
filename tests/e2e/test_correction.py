"""A steward's correction: it shows, it is traced, it stands against later lists, keeps nobody alive and can be withdrawn."""

from __future__ import annotations

from contextlib import closing
from datetime import date
from typing import Any

import pytest

from assets.core import person
from assets.core.correction import CannotCorrect, correct
from assets.core.decisions import withdraw
from assets.core.trace import trace
from assets.core.why import why
from tests.e2e.conftest import Make
from tests.e2e.flows import World, workbook

HEAD = ("Số CCCD", "Họ và tên", "Ngày sinh", "Giới tính", "Chức vụ", "Đơn vị công tác")
ANN, BEN, EVE = "056085001234", "056085005678", "056085009012"
WHO: dict[str, Any] = {"reason": "yêu cầu số 7", "by": "tester"}


def row(number: str, name: str, *, position: str = "Kế toán") -> tuple[Any, ...]:
    return (number, name, "01/02/1985", "Nam", position, "Văn phòng")


WRONG = [row(ANN, "Nguyễn Văn Sai"), row(BEN, "Lê Văn Bền"), row(EVE, "Trần Văn Ếch")]


class Staff:
    """A commune's staff over some quarters."""

    def __init__(self, world: World) -> None:
        self.world, self.sender = world, world.communes[0]
        self.list("2026-Q1", WRONG)

    def list(self, period: str, rows: list[tuple[Any, ...]]) -> str:
        origin = self.world.drop(self.sender, workbook([HEAD, *rows]), "cb.xlsx", period=period)
        self.world.run()
        assert self.world.submission(origin)["state"] == "accepted", self.world.submission(origin)["problems"]
        return origin

    @property
    def ann(self) -> int:
        ((entity,),) = self.world.rows("select person_id from vault.staff_history where citizen_id = %s limit 1", [ANN])
        return int(entity)

    def correct(self, column: str, value: str, **more: Any) -> str:
        pipeline = self.world.pipeline
        with pipeline.connection() as connection:
            tools = pipeline.tools(connection)
            return correct(
                connection, pipeline.archive, pipeline.contracts, pipeline.vault, tools.resolver, tools.reference_version,
                self.ann, column, value, **WHO | more,
            )  # fmt: skip

    def shown(self, columns: str = "full_name") -> list[Any]:
        return self.world.rows(
            f"select {columns}, valid_from, valid_to from vault.staff_history where citizen_id = %s order by valid_from",
            [ANN],
        )


@pytest.fixture
def staff(make_world: Make) -> Staff:
    return Staff(make_world())


Q1, Q2, Q3 = date(2026, 3, 31), date(2026, 6, 30), date(2026, 9, 30)


def test_a_correction_shows_with_the_next_publish_and_is_traced(staff: Staff) -> None:
    world = staff.world
    name = staff.correct("full_name", " Nguyễn Văn  Đúng ")
    assert staff.shown() == [("Nguyễn Văn Sai", Q1, None)]
    world.run()
    assert staff.shown() == [("Nguyễn Văn Đúng", Q1, None)]
    assert world.rows("select count(*) from vault.staff_history") == [(3,)]
    contract = world.pipeline.contracts["staff"]
    with world.connection() as connection:
        (version,) = trace(connection, contract, staff.ann)
        by_column = {c: s for s in version.sources for c in s["cells"]}
        assert by_column["full_name"]["submission_id"] == name and by_column["full_name"]["sender"] == "STEWARD"
        assert by_column["position"]["sender"] == staff.sender and by_column["position"]["cells"]["position"] == "E2"
        with connection.transaction(force_rollback=True):
            reasons = {r.attribute: r for r in why(connection, contract, staff.ann).reasons}
    told = reasons["full_name"]
    assert (told.rule, told.chosen and told.chosen.sender) == ("correction", "STEWARD")
    assert [o.value for o in told.others] == ["Nguyễn Văn Sai"] and reasons["position"].rule == "only sender"
    world.conserved()
    assert world.rows("select action, details ->> 'column' from ops.audit") == [("correct", "full_name")]
    assert "Đúng" not in str(world.rows("select to_jsonb(a)::text from ops.audit a"))
    assert world.run().published is None


def test_it_stands_against_later_lists_and_ends_with_the_person(staff: Staff) -> None:
    staff.correct("full_name", "Nguyễn Văn Đúng")
    staff.list("2026-Q2", [row(ANN, "Nguyễn Văn Sai", position="Văn thư"), *WRONG[1:]])
    assert staff.shown("full_name, position") == [
        ("Nguyễn Văn Đúng", "Kế toán", Q1, Q2), ("Nguyễn Văn Đúng", "Văn thư", Q2, None),
    ]  # fmt: skip
    assert staff.world.rows("select attribute, chosen ->> 'sender' from core.conflict where publish_to is null") != []
    gone = staff.world.drop(staff.sender, workbook([HEAD, *WRONG[1:]]), "cb3.xlsx", period="2026-Q3")
    staff.world.run()
    if staff.world.submission(gone)["state"] == "held":
        from assets.core.decisions import decide

        with staff.world.connection() as connection:
            decide(connection, staff.world.submission(gone)["submission_id"], accept=True, reason="đúng", by="tester")
        staff.world.run()
    assert [(v[1], v[2]) for v in staff.shown()] == [(Q1, Q2), (Q2, Q3)]


def test_corrections_add_up_and_each_can_be_withdrawn(staff: Staff) -> None:
    world = staff.world
    first = staff.correct("full_name", "Nguyễn Văn Đúng")
    second = staff.correct("position", "Văn thư")
    world.run()
    assert staff.shown("full_name, position") == [("Nguyễn Văn Đúng", "Văn thư", Q1, None)]
    states = dict(world.rows("select submission_id, state from intake.submission where sender = 'STEWARD'"))
    assert states == {first: "accepted", second: "accepted"}
    for name, shown in ((second, ("Nguyễn Văn Đúng", "Kế toán")), (first, ("Nguyễn Văn Sai", "Kế toán"))):
        with world.connection() as connection:
            withdraw(connection, name, reason="nhầm", by="tester")
        world.run()
        assert staff.shown("full_name, position") == [(*shown, Q1, None)]


def test_the_order_of_work_does_not_matter(staff: Staff) -> None:
    world = staff.world
    staff.correct("full_name", "Nguyễn Văn Đúng")
    world.run()
    staff.list("2026-Q2", WRONG)
    before = staff.shown("full_name, position")
    with closing(world.pipeline) as pipeline, pipeline.connection() as connection:
        pipeline.replay(connection)
        pipeline.publish(connection)
    assert staff.shown("full_name, position") == before
    # all again from the ledger
    for table in ("staff", "standing", "member", "link", "doubt", "identity_run", "conflict"):
        world.execute(f"delete from core.{table}")
    with closing(world.pipeline) as pipeline, pipeline.connection() as connection:
        pipeline.publish(connection)
    assert staff.shown("full_name, position") == before
    world.conserved()


@pytest.mark.parametrize(
    ("column", "value", "why"),
    [
        ("citizen_id", "056085001235", "who or where"), ("id_card", "225123456", "who or where"),
        ("commune_code", "22366", "who or where"), ("no_such", "x", "no such column"),
        ("date_of_birth", "31/02/1985", "no value of the column"), ("date_of_birth", "01/02/1986", "contradicts the number"),
        ("gender", "Nữ", "contradicts the number"), ("gender", "Xyz", "no value of the column"),
        ("full_name", "", "no value of the column"), ("full_name", "Nguyễn Văn Sai", "already"),
    ],
)  # fmt: skip
def test_what_is_no_correction(staff: Staff, column: str, value: str, why: str) -> None:
    before = staff.world.counts()
    with pytest.raises(CannotCorrect, match=why) as refused:
        staff.correct(column, value)
    assert not value or value not in str(refused.value)
    after = staff.world.counts()
    assert {t for t in before if before[t] != after[t]} == set()


def test_a_correction_is_erased_with_the_person(staff: Staff) -> None:
    world = staff.world
    name = staff.correct("full_name", "Nguyễn Văn Đúng")
    world.run()
    with closing(world.pipeline) as pipeline, world.connection() as connection:
        done = person.erase(connection, pipeline.archive, pipeline.contracts, staff.ann, **WHO)
    assert name in done.submissions
    world.run()
    assert staff.shown() == []
    assert world.rows("select count(*) from staging.staff where full_name like '%%Đúng'") == [(0,)]
    assert world.answer(name)["destroyed"] is not None
    world.conserved()
