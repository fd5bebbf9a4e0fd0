"""Why a value stands: whose it is, from which cell, by which rule, and what the others say; now, on a day, and as it was known."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from assets.core.trace import NotFound, entity_id
from assets.core.why import Explanation, Reason, why
from assets.marts.publish import back_to
from tests.e2e.conftest import Make
from tests.e2e.flows import World, workbook
from tests.e2e.test_datasets import column, contract

SCHOOLS = contract(
    "schools",
    "Trường học",
    [
        column("school", "Tên trường", "name", key=1),
        column("head", "Hiệu trưởng", "name", classification="P1"),
        column("pupils", "Số học sinh", "integer", "integer", own={"survivorship": "latest"}),
        column("rooms", "Số phòng", "integer", "integer", required=True),
    ],
    delivery="increment", validTime="asOf", senderScope="all", senders=["departments"], precedence=["SGDDT"],
    periodType="quarter",
)  # fmt: skip
HEAD = ("Tên trường", "Hiệu trưởng", "Số học sinh", "Số phòng")
Q1, Q2 = date(2026, 3, 31), date(2026, 6, 30)


class Schools(World):
    """A world with the one contract, and questions about its only school."""

    def ask(self, **when: Any) -> Explanation:
        contract_ = self.pipeline.contracts["schools"]
        with self.connection() as connection:
            return why(connection, contract_, entity_id(contract_, {"school": "Lê Lợi"}), **when)

    def reasons(self, **when: Any) -> dict[str, Reason]:
        return {r.attribute: r for r in self.ask(**when).reasons}

    def cell(self, source: Any) -> Any:
        ((sha,),) = self.rows(
            "select sha256 from intake.submission where submission_id = %s", [source["submission_id"]]
        )
        book = load_workbook(io.BytesIO(self.archived_bytes(sha)))
        return book[source["sheet"]][source["cell"]].value


@pytest.fixture(scope="module")
def world(make_world: Make, tmp_path_factory: pytest.TempPathFactory) -> Schools:
    folder: Path = tmp_path_factory.mktemp("schools")
    made = make_world(contracts=(folder,))
    made.__class__ = Schools
    assert isinstance(made, Schools)
    made.contract(SCHOOLS)
    made.drop("SGDDT", workbook([HEAD, ("Lê Lợi", "Ông An", 500, 20)]), "truong.xlsx", period="2026-Q1")
    made.run()
    return made


def test_a_single_sender_says_it_all(world: Schools) -> None:
    found = world.reasons(at=Q1)
    assert {r.rule for r in found.values()} == {"only sender"}
    head = found["head"]
    assert (head.value, head.since, head.others) == ("Ông An", Q1, ())
    assert head.chosen is not None and world.cell(head.chosen.source) == "Ông An"


def test_others_disagree_and_are_named_with_their_cells(world: Schools) -> None:
    before = datetime.now(UTC)
    world.drop("SXD", workbook([("Danh sách",), HEAD, ("Lê Lợi", "Bà Bình", 510, 20)]), "xd.xlsx")
    ran = world.run()
    found = world.reasons(at=Q2)
    pupils, head, rooms = found["pupils"], found["head"], found["rooms"]
    assert pupils.chosen is not None and head.chosen is not None
    assert (pupils.value, pupils.since, pupils.rule, pupils.chosen.sender) == (510, Q2, "later as-of", "SXD")
    assert (head.since, head.rule, head.chosen.sender, head.disputed_since) == (Q1, "precedence", "SGDDT", Q2)
    assert [(o.sender, world.cell(o.source), o.agrees) for o in head.others] == [("SXD", "Bà Bình", False)]
    assert [(o.sender, world.cell(o.source)) for o in pupils.others] == [("SGDDT", 500)]
    assert (rooms.rule, [o.agrees for o in rooms.others], rooms.disputed_since) == ("all agree", [True], None)
    assert (pupils.chosen.source["sheet"], pupils.chosen.source["cell"]) == ("Sheet1", "C3")
    assert world.proved("schools") == 2

    # the day before, and as it was known before
    assert world.reasons(at=Q1)["pupils"].value == 500
    known = world.reasons(at=Q2, known_at=before)
    assert (known["pupils"].value, known["pupils"].rule, known["head"].others) == (500, "only sender", ())
    assert ran.published is not None
    with world.connection() as connection:
        back_to(connection, ran.published - 1)
    assert world.reasons(at=Q2) == known
    with world.connection() as connection:
        back_to(connection, ran.published)
    assert world.reasons(at=Q2) == found


def test_a_question_leaves_nothing_behind(world: Schools) -> None:
    before = world.counts()
    world.ask()
    assert world.counts() == before


def test_a_mask_hides_values_of_all_senders(world: Schools) -> None:
    found = world.ask(at=Q2, mask=lambda column, value: "***" if column.name == "head" else value)
    head = next(r for r in found.reasons if r.attribute == "head")
    assert head.chosen is not None
    assert {head.value, head.chosen.value, *(o.value for o in head.others)} == {"***"}
    assert "Bình" not in repr(found) and "Ông An" not in repr(found)


def test_a_damaged_row_is_carried_on_and_says_so(world: Schools) -> None:
    rows = [("Lê Lợi", "Ông Cường", "nhiều", "hai"), ("Hai Bà Trưng", "Bà Dung", 1, 1)]
    world.drop("SGDDT", workbook([HEAD, *rows]), "truong.xlsx", period="2026-Q3")
    world.run()
    found = world.ask(at=date(2026, 9, 30))
    head = next(r for r in found.reasons if r.attribute == "head")
    assert head.chosen is not None and head.chosen.carried and world.cell(head.chosen.source) == "Ông An"
    assert found.carried_since == date(2026, 9, 30)


def test_what_is_not_there_is_told(world: Schools) -> None:
    with pytest.raises(NotFound, match="no version on 2001"):
        world.ask(at=date(2001, 1, 1))
    with pytest.raises(NotFound, match="nothing had been published"):
        world.ask(known_at=datetime(2001, 1, 1, tzinfo=UTC))
    schools = world.pipeline.contracts["schools"]
    with world.connection() as connection, pytest.raises(NotFound, match="no such entity"):
        why(connection, schools, 1)
