"""A period that is closed: what comes later waits with its reason, and counts once a person says so; nothing is lost."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import yaml

from assets.core import closing, decisions
from assets.core.closing import CannotClose
from assets.reference.store import stored_workdays
from tests.e2e.conftest import Make
from tests.e2e.flows import FIRST_ARRIVAL, World, villages

CLOSED = FIRST_ARRIVAL + timedelta(days=60)
LATER = CLOSED + timedelta(days=1)
BA_CUM = "22366"


def close(world: World, period: str = "2026-Q2", **more: Any) -> None:
    pipeline = world.pipeline
    told = {"reason": "chốt quý", "by": "An", "now": CLOSED} | more
    with pipeline.connection() as connection:
        pipeline.expect(connection, told["now"])
        closing.close(connection, pipeline.contracts["villages"], period, **told)


def reopen(world: World, period: str = "2026-Q2") -> int:
    pipeline = world.pipeline
    with pipeline.connection() as connection:
        return closing.reopen(
            connection, pipeline.contracts["villages"], period, reason="gửi thiếu", by="An", now=LATER
        )


def closes(world: World) -> list[dict[str, Any]]:
    with world.pipeline.connection() as connection:
        return closing.closes(connection)


def test_what_comes_after_the_close_waits_and_counts_when_the_period_is_opened_again(world: World) -> None:
    commune, other = world.communes[:2]
    world.drop(commune, villages(("Thôn Một", 10, 40), ("Thôn Hai", 20, 80)))
    world.run()
    in_time = world.drop(other, villages(("Thôn Ba", 5, 20)), at=CLOSED)  # lies in the inbox at the very moment
    close(world)
    late = world.drop(commune, villages(("Thôn Một", 11, 44), ("Thôn Hai", 20, 80)), at=LATER)
    world.run()
    assert world.submission(in_time)["state"] == "accepted"
    answer = world.submission(late)
    assert answer["state"] == "held"
    (problem,) = [p for p in answer["problems"] if p["code"] == "PERIOD_CLOSED"]
    day = f"{CLOSED.astimezone():%d/%m/%Y}"
    assert problem["message"] == f"Số liệu kỳ 2026-Q2 đã được chốt ngày {day}; bản gửi sau khi chốt được tạm giữ."
    assert "mở lại kỳ" in problem["remedy"]
    assert world.open_villages(commune) == {"Thôn Một": (10, 40), "Thôn Hai": (20, 80)}
    (row,) = closes(world)
    assert (row["dataset"], row["period"], row["closed_at"], row["held"]) == ("villages", "2026-Q2", CLOSED, 1)

    # another period is another matter
    next_one = world.drop(commune, villages(("Thôn Một", 12, 48), ("Thôn Hai", 20, 80)), period="2026-Q3", at=LATER)
    world.run()
    assert world.submission(next_one)["state"] == "accepted"

    assert reopen(world) == 1
    world.run()
    assert world.submission(late)["state"] == "accepted"
    first = [r[2:6] for r in world.history(commune) if r[1] == "Thôn Một"]
    assert first == [(11, 44, date(2026, 6, 30), date(2026, 9, 30)), (12, 48, date(2026, 9, 30), None)]
    (row,) = closes(world)
    assert (row["closed_at"], row["reopened_at"], row["held"]) == (None, LATER, 0)
    # closed again, what came until then stays
    close(world, now=LATER + timedelta(hours=1))
    world.run()
    assert world.submission(late)["state"] == "accepted"
    assert closes(world)[0]["times"] == 2


def test_one_submission_may_be_accepted_and_the_rest_waits(world: World) -> None:
    commune, other = world.communes[:2]
    for sender in (commune, other):
        world.drop(sender, villages(("Thôn Một", 10, 40)))
    world.run()
    close(world)
    late = [world.drop(s, villages(("Thôn Một", 11, 44)), "sua.xlsx", at=LATER) for s in (commune, other)]
    world.run()
    with world.connection() as connection:
        decisions.decide(connection, world.submission(late[0])["submission_id"], accept=True, reason="sai số", by="An")
    world.run()
    assert [world.submission(o)["state"] for o in late] == ["accepted", "held"]
    (row,) = closes(world)
    assert row["held"] == 1
    # what is said in the log is said of what stands: the other's first list
    assert world.open_villages(other) == {"Thôn Một": (10, 40)}


def test_figures_that_change_after_the_close_are_counted(world: World) -> None:
    commune = world.communes[0]
    world.drop(commune, villages(("Thôn Một", 10, 40)))
    world.run()
    close(world)
    assert closes(world)[0]["figures_changed"] == 0
    late = world.drop(commune, villages(("Thôn Một", 10, 40), ("Thôn Hai", 310, 1240)), "sua.xlsx", at=LATER)
    world.run()
    assert closes(world)[0]["figures_changed"] == 0  # it is held
    with world.connection() as connection:
        decisions.decide(connection, world.submission(late)["submission_id"], accept=True, reason="sai số", by="An")
    before = figures(world)
    world.run()
    assert closes(world)[0]["figures_changed"] == len(dict(before.items() ^ figures(world).items())) > 0


def figures(world: World) -> dict[tuple[Any, ...], Any]:
    rows = world.rows(
        "select v.indicator, v.variant, v.unit_kind, v.unit, v.value, v.numerator, v.denominator from core.indicator_value v "
        "join core.indicator i on i.code = v.indicator where 'villages' = any (i.reads) "
        "and v.period = '2026-Q2' and v.publish_to is null"
    )
    return {r[:4]: r[4:] for r in rows}


def test_a_withdrawal_after_the_close_waits_too(world: World) -> None:
    commune = world.communes[0]
    first = world.drop(commune, villages(("Thôn Một", 10, 40)))
    world.run()
    close(world)
    name = world.submission(first)["submission_id"]
    said = yaml.safe_dump({"dataset": "villages", "withdraws": name}).encode()
    world.drop(commune, said, "rut.yaml", period="2026-Q3", at=LATER)
    world.run()
    assert world.submission(first)["state"] == "accepted"
    assert [r[0] for r in world.rows("select standing from core.standing where publish_to is null order by 1")] == [
        "held",
        "in_force",
    ]
    reopen(world)
    world.run()
    assert world.submission(first)["state"] == "withdrawn"


@pytest.mark.parametrize(
    ("dataset", "period", "more", "words"),
    [
        ("villages", "2026-Q2", {"reason": " "}, "needs a reason"),
        ("villages", "2026-06", {}, "is sent by the quarter; 2026-06 is a month"),
        ("villages", "Quý 2", {}, "not a period"),
        ("hold_decisions", "2026", {}, "has no figures to close"),
        ("villages", "2026-Q2", {"now": datetime(2026, 6, 30, 3, tzinfo=UTC)}, "runs until 2026-06-30"),
        ("villages", "2026-Q2", {"now": datetime(2026, 7, 1, 3, tzinfo=UTC)}, "--early closes it all the same"),
    ],
)
def test_what_cannot_be_closed_says_why(
    world: World, dataset: str, period: str, more: dict[str, Any], words: str
) -> None:
    pipeline = world.pipeline
    told = {"reason": "r", "by": "An", "now": CLOSED} | more
    world.drop(world.communes[0], villages(("Thôn Một", 10, 40)))
    world.run()
    with pipeline.connection() as connection:
        pipeline.expect(connection, told["now"])
        with pytest.raises(CannotClose, match=words):
            closing.close(connection, pipeline.contracts[dataset], period, **told)
    assert closes(world) == []


def test_a_period_is_closed_once_whoever_asks_and_opened_only_where_closed(world: World) -> None:
    with pytest.raises(CannotClose, match="is not closed"):
        reopen(world)
    outcomes: list[str] = []

    def ask() -> None:
        try:
            close(world)
            outcomes.append("closed")
        except CannotClose as refused:
            outcomes.append(str(refused))

    asking = [threading.Thread(target=ask) for _ in range(4)]
    for thread in asking:
        thread.start()
    for thread in asking:
        thread.join()
    assert (outcomes.count("closed"), sum("is closed since" in o for o in outcomes)) == (1, 3), outcomes
    assert world.rows("select count(*) from intake.closing") == [(1,)]


def test_the_schedule_closes_what_the_contract_says_and_leaves_what_was_opened_again(make_world: Make) -> None:
    from dataclasses import replace

    world = make_world()
    commune = world.communes[0]
    world.drop(commune, villages(("Thôn Một", 10, 40)))
    world.run()
    pipeline = world.pipeline
    contracts = {**pipeline.contracts, "villages": replace(pipeline.contracts["villages"], close_after=3)}
    with pipeline.connection() as connection:
        workdays = stored_workdays(connection)
        pipeline.expect(connection, LATER)
        (due,) = connection.execute(
            "select max(due_on) from ops.due where (dataset, period) = ('villages', '2026-Q2')"
        ).fetchone()
        last = workdays.shift(due, 3)

        def on(day: date) -> list[str]:
            now = datetime(day.year, day.month, day.day, 1, tzinfo=UTC)
            pipeline.expect(connection, now)
            return [r["period"] for r in closing.close_due(connection, contracts, now, workdays)]

        assert on(last) == []
        assert on(last + timedelta(days=1)) == ["2026-Q2"]
        assert on(last + timedelta(days=1)) == []
        assert reopen(world) == 0
        assert on(last + timedelta(days=9)) == []
        planned = closing.plan(connection, contracts, LATER, workdays)
    row = next(r for r in planned if (r["dataset"], r["period"]) == ("villages", "2026-Q2"))
    assert (row["closes_on"], row["reopened"], row["expected"]) == (last, True, len(world.communes))
    assert row["missing"] == row["expected"] - 1
    said = world.rows("select reason, decided_by from intake.closing where kind = 'close'")
    assert said == [(f"closeAfter: 3 working days after {due.isoformat()}", "schedule")]
