"""Law 2 with identity in play: the same lists and decisions about people, in any order and grouping, make the same entities up
to their ids, the same values and the same questions to people."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest

from tests.e2e.flows import World, workbook
from tests.e2e.test_identity import BAO, HOA, LONG, NHAN, changed, people
from tests.faults.worlds import Copies, same

START = datetime(2026, 10, 1, tzinfo=UTC)
DECISIONS = ("Bộ dữ liệu", "Mã hồ sơ thứ nhất", "Mã hồ sơ thứ hai", "Quyết định", "Lý do", "Người quyết định")
TYPED = changed(NHAN, id="056185001235", post="Phó Văn phòng")
FAR = changed(HOA, id="058195007799", born="22/11/1995", post="Kế toán")
NAMESAKE = changed(NHAN, id="056185009876", post="Thủ quỹ")

PICTURE = {
    "history": "select array(select i.value from core.record r join vault.identifier i on i.subject = r.record "
    "left join core.member m on m.dataset = 'staff' and m.record = r.record and m.publish_to is null "
    "where r.dataset = 'staff' and coalesce(m.entity_id, r.record) = s.entity_id order by 1), i.value, full_name, date_of_birth, "
    "position, organization_name, commune_code, valid_from, valid_to, carried_since from core.staff s "
    "left join vault.identifier i on i.subject = s.citizen_id where publish_to is null",
    "submissions": "select submission_id, state, problems, rows_accepted, rows_quarantined, set_aside from intake.submission",
    "standings": "select u.submission_id, s.standing, s.reasons, s.ends_nobody, s.linked, s.cured from core.standing s "
    "join intake.submission u using (submission_no) where s.publish_to is null",
    "links": "select u.submission_id, l.sheet, l.row, l.rule, l.weight, l.fields, l.cured from core.link l "
    "join intake.assessment a using (assessment_no) join intake.submission u using (submission_no) where l.publish_to is null",
    "doubts": "select least(a.value, b.value), greatest(a.value, b.value), d.why, d.weight, d.fields from core.doubt d "
    "join vault.identifier a on a.subject = d.left_record left join vault.identifier b on b.subject = d.right_record "
    "where d.publish_to is null",
}
"""The outcome without the numbers that luck gives."""


def picture(world: World) -> dict[str, list[Any]]:
    return {name: sorted(world.rows(query), key=repr) for name, query in PICTURE.items()}


@dataclass
class File:
    name: str
    sender: str
    period: str
    data: bytes
    hour: int


@dataclass
class Set:
    empty: World
    copies: Copies
    files: list[File]
    outcome: dict[str, list[Any]]


def _drop(world: World, file: File) -> None:
    world.drop(file.sender, file.data, file.name, period=file.period, at=START + timedelta(hours=file.hour))


def _decided(*rows: tuple[int, int, str]) -> bytes:
    return workbook(
        [DECISIONS, *(("staff", str(a), str(b), word, "đã đối chiếu", "Lý Thị Đào") for a, b, word in rows)]
    )


def _knowing(copies: Copies, empty: World, other: World) -> World:
    """An empty world whose vault gives the numbers that another's gave: decisions name records by them."""
    world = copies.of(empty)
    shutil.copy(other.home / "keys", world.home / "keys")
    for table in ("key", "identifier"):
        rows = other.rows(f"select to_jsonb(t)::text from vault.{table} t")
        for (row,) in rows:
            world.execute(
                f"insert into vault.{table} select * from jsonb_populate_record(null::vault.{table}, %s)", [row]
            )
    return world


@pytest.fixture(scope="module")
def everything(copies: Copies, _empty: World) -> Set:
    first = copies.of(_empty)
    a, b, c = first.communes[:3]
    files = [
        File("snv1.csv", "SNV", "2026-Q1", people(NHAN, LONG, HOA, BAO), 0),
        File("snv2.csv", "SNV", "2026-Q2", people(NHAN, LONG, changed(HOA, post="Chuyên viên"), BAO, NAMESAKE), 8),
        File("a1.csv", a, "2026-Q1", people(TYPED, changed(LONG, id="")), 1),
        File("a2.csv", a, "2026-Q2", people(TYPED, changed(LONG, id="225999888", card="")), 5),
        File("a3.csv", a, "2026-Q3", people(TYPED), 9),
        File("b2.csv", b, "2026-Q2", people(FAR, changed(BAO, id="05608000222", post="Bí thư")), 3),
        File("b2_sua.csv", b, "2026-Q2", people(FAR, changed(BAO, id="", post="Bí thư")), 4),
        File("b3.csv", b, "2026-Q3", people(changed(LONG, post="Trưởng phòng"), changed(NAMESAKE, id="")), 2),
        File("c1.csv", c, "2026-Q1", people(NAMESAKE, changed(HOA, id="", name="Le Thi Hoa")), 6),
        File("c2.csv", c, "2026-Q2", people(changed(HOA, id="", name="Lê Hòa Thị"), changed(BAO, id="", born="12/01/1980")), 7),
    ]  # fmt: skip
    for file in files:
        _drop(first, file)
    first.run()
    known = dict(first.rows("select value, subject from vault.identifier where kind = 'personal_id'"))
    files += [
        File("qd1.xlsx", "SNV", "2026-Q2", _decided((known[NHAN[0]], known[TYPED[0]], "Khác người")), 10),
        File("qd2.xlsx", "SNV", "2026-Q3", _decided((known[TYPED[0]], known[NHAN[0]], "Cùng một người")), 11),
        File("qd3.xlsx", "SNV", "2026-Q3", _decided((known[FAR[0]], known[HOA[0]], "Cùng một người")), 12),
    ]
    world = _knowing(copies, _empty, first)
    for file in files:
        _drop(world, file)
    world.run()
    return Set(_knowing(copies, _empty, first), copies, files, picture(world))


def test_the_set_has_every_kind_of_fate(everything: Set) -> None:
    history, links = everything.outcome["history"], everything.outcome["links"]
    assert {"056185001234", "056185001235"} in [set(h[0]) for h in history]
    assert {HOA[0], FAR[0]} in [set(h[0]) for h in history]
    assert {"old_card", "model:person.v1"} <= {link[3] for link in links}
    assert everything.outcome["doubts"]


@pytest.mark.parametrize("seed", range(2))
def test_any_order_and_grouping(seed: int, everything: Set) -> None:
    random = Random(seed)
    world = everything.copies.of(everything.empty)
    files = random.sample(everything.files, len(everything.files))
    while files:
        for file in [files.pop() for _ in range(min(len(files), random.randint(1, 5)))]:
            _drop(world, file)
        world.run()
    same(picture(world), everything.outcome, PICTURE)
    assert world.run().published is None
    # who is whom is told by members alone: an id is that of one of its records, and each record has one entity
    assert not world.rows(
        "select from core.member m where m.publish_to is null and exists "
        "(select from core.member n where n.dataset = m.dataset and n.record = m.entity_id and n.publish_to is null)"
    )
    everything.copies.drop(world)
