"""Decisions that come as files are in the audit log: each row that counts once, and once more when it counts no longer."""

from __future__ import annotations

import json
from typing import Any

import psycopg
import pytest

from assets.core.audit import verify
from assets.core.decisions import withdraw
from assets.core.statements import statement
from assets.marts.publish import publish, publishing
from tests.e2e.conftest import Make
from tests.e2e.flows import World, text_csv, workbook

VILLAGES = ("Tên thôn", "Loại", "Số hộ", "Số khẩu")
FULL = tuple((f"Thôn {n}", "Thôn", 10 * n, 30 * n) for n in range(1, 7))
HOLDS = ("Mã lượt nộp", "Mã lượt nộp liền trước", "Quyết định", "Lý do", "Người quyết định")
PAIRS = ("Bộ dữ liệu", "Mã hồ sơ thứ nhất", "Mã hồ sơ thứ hai", "Quyết định", "Lý do", "Người quyết định")
CARD = "156185001234"


@pytest.fixture(scope="module")
def world(make_world: Make) -> World:
    """A list that is held, and what is decided about it and about two pairs of records, of which nobody knows one."""
    world = make_world()
    commune = world.communes[0]
    world.drop(commune, text_csv([VILLAGES, *FULL]), "thon.csv", period="2026-Q1")
    held = world.drop(commune, text_csv([VILLAGES, FULL[0]]), "thon.csv")
    world.run()
    answer = world.submission(held)
    assert answer["state"] == "held"
    row = (answer["submission_id"], answer["predecessor"], "Chấp nhận", "Bà Đào xác minh", "Lý Thị Đào")
    world.drop("SNV", workbook([HOLDS, row]), "tam_giu.xlsx")
    one, other = world.rows("select record from core.record where dataset = 'villages' order by 1 limit 2")
    world.drop(
        "SNV",
        workbook(
            [
                PAIRS,
                ("villages", str(one[0]), str(other[0]), "Khác thôn", "Hai thôn", "STP"),
                ("villages", CARD, "7", "Khác thôn", "Của Trần Thị Nhàn", "Trần Thị Nhàn"),
            ]
        ),
        "cap.xlsx",
    )
    return world


def said(world: World) -> list[tuple[Any, ...]]:
    return world.rows(
        "select who, action, dataset, details - '{reason_sha256,publish}'::text[] from ops.audit where reason like 'filed %' "
        "order by audit_id"
    )


def sound(world: World) -> None:
    with world.connection() as connection:
        assert verify(connection).faults == []
    log = json.dumps(world.rows("select to_jsonb(a) from ops.audit a"), ensure_ascii=False)
    assert not [word for word in ("Đào", "Nhàn", CARD, "xác minh") if word in log]


def id_of(world: World, name: str) -> str:
    return str(
        world.submission(f"2026-Q2/{'SNV' if name != 'thon.csv' else world.communes[0]}/{name}")["submission_id"]
    )


def test_each_row_is_told_once_whatever_dies_and_is_done_again(world: World) -> None:
    assert world.rows("select count(*) from intake.filed_decision") == [(0,)]
    pipeline = world.pipeline
    with pipeline.connection() as connection:
        pipeline.receive(connection)
        pipeline.stage(connection)
        with publishing(connection):
            prepared = pipeline.prepare(connection)
            assert said(world) == []  # merged, and not shown yet
            with connection.transaction(force_rollback=True):  # the publisher dies before its commit
                publish(connection, prepared)
        assert said(world) == []
    world.run()
    holds, pairs, villages = (id_of(world, name) for name in ("tam_giu.xlsx", "cap.xlsx", "thon.csv"))
    before = world.submissions(f"2026-Q1/{world.communes[0]}/thon.csv")[0]["submission_id"]
    records = [
        str(r[0]) for r in world.rows("select record from core.record where dataset = 'villages' order by 1 limit 2")
    ]
    told = said(world)
    assert told == [
        ("SNV", "accept", "villages",
         {"submission": villages, "predecessor": before, "filed_in": holds, "sheet": 0, "row": 2}),
        # a code says who decided; a name is in the file alone, as is what might be the number of a person
        ("STP", "not_same", "villages",
         {"left": records[0], "right": records[1], "filed_in": pairs, "sheet": 0, "row": 2}),
        ("SNV", "not_same", "villages", {"filed_in": pairs, "sheet": 0, "row": 3}),
    ]  # fmt: skip
    sound(world)
    with world.pipeline.connection() as connection:
        for dataset in ("hold_decisions", "identity_decisions"):
            world.pipeline.replay(connection, dataset=dataset)
    world.run()
    world.drop("SNV", (world.home / "inbox/2026-Q2/SNV/cap.xlsx").read_bytes(), "ban_sao.xlsx")
    world.run()
    assert said(world) == told
    _counts_no_longer(world, told, holds)


def _counts_no_longer(world: World, before: list[tuple[Any, ...]], holds: str) -> None:
    """What is withdrawn is told, and so is who took it back."""
    with world.connection() as connection:
        withdraw(connection, holds, reason="Bà Đào nhầm", by="an")
    world.run()
    (withdrawn,) = world.rows("select who, dataset, details ->> 'submission' from ops.audit where action = 'withdraw'")
    assert withdrawn == ("an", "hold_decisions", holds)
    (lapsed,) = said(world)[len(before) :]
    assert lapsed == ("SNV", "lapse", "villages", {**before[0][3], "because": "withdrawn"})
    assert world.run().published is None and len(said(world)) == len(before) + 1
    # a file that takes another back, as senders do it
    world.say("SNV", "rut.yaml", withdraws=id_of(world, "cap.xlsx"), dataset="identity_decisions")
    world.run()
    # its copy was a repeat of it, and counts in its place now
    new = said(world)[len(before) + 1 :]
    assert sorted((r[1], r[3]["row"], r[3].get("because")) for r in new) == [
        ("lapse", 2, "withdrawn"), ("lapse", 3, "withdrawn"), ("not_same", 2, None), ("not_same", 3, None),
    ]  # fmt: skip
    sound(world)


def test_what_is_written_down_cannot_be_changed_and_is_compared(world: World) -> None:
    world.run()
    with world.connection() as connection, connection.transaction(force_rollback=True):
        connection.execute("set local session_replication_role = replica")
        connection.execute("update intake.filed_decision set kind = 'refuse' where kind = 'accept'")
        connection.execute("update intake.filed_decision set about = '{}' where about ? 'left' and kind <> 'lapse'")
        found = connection.execute(statement("audit_faults"), {"limit": 9}).fetchall()
        changed = connection.execute(
            "select number from intake.filed_decision where kind = 'refuse' or about = '{}' and row = 2"
        )
        assert {(code, row) for code, _, row in found} == {("DECISION", r[0]) for r in changed} and len(found) > 1
    for done in ("update intake.filed_decision set kind = 'refuse'", "delete from intake.filed_decision"):
        with pytest.raises(psycopg.Error, match="append-only"):
            world.execute(done)


def test_those_of_before_come_into_the_log_at_once(world: World) -> None:
    """What the migration does: all that counts now, in one go."""
    world.run()
    now = world.rows(
        "select distinct on (submission_no, sheet, row) kind, about, decided_by, reason_sha256, row from intake.filed_decision "
        "order by submission_no, sheet, row, number desc"
    )
    with world.connection() as connection, connection.transaction(force_rollback=True):
        connection.execute("set local session_replication_role = replica")
        connection.execute("delete from intake.filed_decision")
        connection.execute("set local session_replication_role = origin")
        call = (
            "select sum(intake.file_decisions(d, (select max(number) from core.publish where state = 'published'), false)) "
            "from unnest(array['hold_decisions', 'identity_decisions', 'nothing']) d"
        )
        wanted = [row for row in now if row[0] != "lapse"]
        assert connection.execute(call).fetchone() == (len(wanted),) != (0,)
        again = connection.execute(
            "select kind, about, decided_by, reason_sha256, row from intake.filed_decision order by number"
        ).fetchall()
        assert again == wanted
        assert connection.execute(call).fetchone() == (0,)
