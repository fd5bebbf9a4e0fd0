"""Where a published value comes from, now and as it was known; what a file would do before it is sent."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from fsspec.implementations.memory import MemoryFileSystem
from openpyxl import load_workbook

from assets.core.trace import NotFound, Version, entity_id, trace
from assets.marts.publish import NoSuchPublish, back_to
from assets.returns.answers import NoSuchSubmission, write_answers
from pipelines.preview import Preview, check_file, dry_run
from tests.e2e.conftest import Make
from tests.e2e.flows import World, codes, text_csv, villages, workbook

Q1, Q2 = date(2026, 3, 31), date(2026, 6, 30)
TWO_SHEETS = workbook(
    [("DANH SÁCH",), (), ("STT", "Tên thôn", "Số hộ", "Số khẩu"), (1, "Bình An", 10, 40)],
    sheet="Bắc",
    Nam=[("Tên thôn", "Số khẩu", "Số hộ"), ("Suối Cát", "1.234", "321")],
)


@pytest.fixture(scope="module")
def world(make_world: Make) -> World:
    return make_world()


def _cell(world: World, source: dict[str, Any], column: str) -> Any:
    return load_workbook(io.BytesIO(world.archived_bytes(source["sha256"])))[source["sheet"]][
        source["cells"][column]
    ].value


def _one(versions: list[Version]) -> Version:
    (version,) = versions
    return version


def test_a_value_leads_to_its_cell_before_and_after_it_is_replaced(world: World) -> None:
    sender = world.communes[0]
    key = {"commune_code": sender, "village_name": "suối cát"}
    with pytest.raises(NotFound):
        world.trace("villages", **key)
    first = world.drop(sender, TWO_SHEETS, "lan_1.xlsx", period="2026-Q1")
    world.run()
    version = _one(world.trace("villages", **key))
    source = version.sources[0]
    assert (version.valid_from, version.values["population"], source["origin"]) == (Q1, 1234, first)
    assert (source["sheet"], source["row"]) == ("Nam", 2)
    assert source["cells"]["population"] == "B2" and source["cells"]["households"] == "C2"
    assert source["cells"]["commune_code"] == "sender"
    assert _cell(world, source, "population") == "1.234"
    between = datetime.now(UTC)

    second = world.drop(
        sender, text_csv([("Số hộ", "Tên thôn", "Số khẩu"), ("10", "Bình An", "40"), ("322", "Suối Cát", "1235")]),
        "lan_2.csv", period="2026-Q1",
    )  # fmt: skip
    ran = world.run()
    version = _one(world.trace("villages", **key))
    assert [(s["origin"], s["cells"]["households"]) for s in version.sources] == [(second, "A3")]
    # what both say is found in both; what was replaced is named as such
    both = _one(world.trace("villages", commune_code=sender, village_name="Bình An"))
    assert [(s["origin"], s["standing"]) for s in both.sources] == [(second, "in_force"), (first, "superseded")]

    # as it was known in between
    version = _one(world.trace("villages", known_at=between, **key))
    assert version.values["population"] == 1234
    assert [(s["origin"], s["standing"], s["sheet"]) for s in version.sources] == [(first, "in_force", "Nam")]

    # and after the second publish is taken back
    assert ran.published is not None
    with world.connection() as connection:
        back_to(connection, ran.published - 1)
        with pytest.raises(NoSuchPublish):
            back_to(connection, 10_000)
    assert world.open_villages(sender)["Suối Cát"] == (321, 1234)
    version = _one(world.trace("villages", **key))
    assert [s["origin"] for s in version.sources] == [first]
    assert world.proved() == 2

    # the next publish shows everything again
    world.drop(
        sender, workbook([("Tên thôn", "Số hộ", "Số khẩu"), ("Bình An", 10, 40), ("Suối Cát", 333, 1236)]), "lan_3.xlsx"
    )
    world.run()
    versions = world.trace("villages", **key)
    assert [(v.valid_from, v.valid_to, v.values["households"]) for v in versions] == [(Q1, Q2, 322), (Q2, None, 333)]
    assert _one(world.trace("villages", at=date(2026, 5, 1), **key)).values["households"] == 322
    assert world.proved() == 3


def test_what_is_not_there(world: World) -> None:
    contract = world.pipeline.contracts["villages"]
    with pytest.raises(NotFound, match="village_name"):
        entity_id(contract, {"commune_code": world.communes[0]})
    with pytest.raises(NotFound):
        world.trace("villages", commune_code=world.communes[0], village_name="Không có")
    with world.connection() as connection, pytest.raises(NotFound):
        trace(connection, contract, 1, known_at=datetime(2001, 1, 1, tzinfo=UTC))
    with pytest.raises(NoSuchSubmission):
        world.answer("S00000000000")


def test_answers_are_written_once_until_something_changes(world: World, tmp_path: Path) -> None:
    with world.connection() as connection:
        written = write_answers(connection, world.pipeline.contracts, tmp_path)
        files = {p.relative_to(tmp_path).as_posix(): p.read_bytes() for p in tmp_path.rglob("*.json")}
        assert len(files) == len(written) >= 3
        assert all(path.startswith(f"2026-Q{q}/") for path in files for q in path[6:7])
        assert "Đã được bản sau thay thế" in b"".join(files.values()).decode()
        write_answers(connection, world.pipeline.contracts, tmp_path)
        assert {p.relative_to(tmp_path).as_posix(): p.read_bytes() for p in tmp_path.rglob("*.json")} == files


class Untouched:
    """Nothing in database, archive or inbox may change while it is open."""

    def __init__(self, world: World) -> None:
        self.world = world

    def _state(self) -> Any:
        inbox = sorted((p.as_posix(), p.stat().st_mtime_ns) for p in (self.world.home / "inbox").rglob("*"))
        pointer = self.world.rows("select shows from core.pointer")
        states = self.world.rows("select submission_id, state, problems::text from intake.submission order by 1")
        return self.world.counts(), self.world.archived(), inbox, pointer, states

    def __enter__(self) -> None:
        self.before = self._state()

    def __exit__(self, *error: object) -> None:
        assert self._state() == self.before


@pytest.fixture(scope="module")
def prepared(make_world: Make) -> World:
    """A world in which something is in force, held and quarantined already."""
    world = make_world()
    one, two, three = world.communes[:3]
    world.drop(one, villages(("A", 1, 9), ("B", 2, 9), ("C", 3, 9)), period="2026-Q1")
    world.drop(two, villages(("A", 1, 9), ("B", "x", 9)), period="2026-Q1")
    world.drop(three, b"%PDF-1.4", "a.pdf", period="2026-Q1")
    world.run()
    return world


def test_a_dry_run_says_what_the_run_then_does(prepared: World) -> None:
    one, two, three = prepared.communes[:3]
    prepared.drop(one, villages(("A", 1, 9)))  # would end too many
    prepared.drop(two, villages(("A", 5, 9), ("B", 2, 9)), period="2026-Q1")
    prepared.drop(two, villages(("A", 5, 9), ("B", 2, 9)))
    prepared.drop(three, text_csv([("Tên thôn", "Số hộ", "Số khẩu"), ("A", "1", "9"), ("B", "?", "9")]), "a.csv")
    prepared.drop(three, b"", "rong.csv")
    with Untouched(prepared):
        preview = dry_run(prepared.pipeline)
    ran = prepared.run()
    merged = next(m for m in ran.merged if m.dataset == "villages")
    assert preview.changes == {
        "villages": {"opened": merged.opened, "closed": merged.closed, "entities": merged.entities}
    }
    assert {a["submission_id"]: a for a in preview.answers} == {
        s: prepared.answer(s) for s in [*ran.staged, *ran.rejected]
    }
    assert sorted(a["state"] for a in preview.answers) == ["accepted", "accepted", "held", "partly", "rejected"]
    shown = [
        (d["change"], d["commune_code"], d["village_name"], d["households"]) for d in preview.difference["villages"]
    ]
    assert sorted(shown) == sorted(
        [
            ("-", two, "A", 1),
            ("+", two, "A", 5),
            ("+", two, "B", 2),
            ("+", three, "A", 1),
        ]
    )
    with Untouched(prepared):
        assert dry_run(prepared.pipeline) == Preview()


@pytest.mark.parametrize(
    ("data", "name", "state", "found"),
    [
        (villages(("A", 1, 9), ("B", 2, 9), ("C", 3, 9), ("D", 4, 9)), "thon.xlsx", "accepted", []),
        (villages(("A", 1, 9)), "thon.xlsx", "held", ["ENDS_TOO_MANY"]),
        (villages(("A", 1, 9), ("B", "nhiều", 9), ("C", 3, 9)), "thon.xlsx", "partly", []),
        (text_csv([("Tên thôn", "Số hộ", "Số khẩu"), ("A", "1", "9")]) + b'"', "thon.csv", "rejected", ["BROKEN_CSV"]),
        (b"", "thon.xlsx", "rejected", ["EMPTY_FILE"]),
    ],
)
def test_a_file_is_checked_without_a_trace(
    data: bytes, name: str, state: str, found: list[str], prepared: World, tmp_path: Path
) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    sender = prepared.communes[0]
    with Untouched(prepared):
        preview = check_file(prepared.pipeline, path, sender=sender, period="2026-Q3")
    (answered,) = preview.answers
    assert (answered["state"], codes(answered)) == (state, found)
    assert not [name for name in MemoryFileSystem.store if "preview-" in name], "its bytes are still in memory"
    opened = preview.changes.get("villages", {"opened": 0})["opened"]
    assert opened == {"accepted": 1, "partly": 1}.get(state, 0)


def test_a_checked_file_may_state_its_day_and_is_refused_like_any_other(prepared: World, tmp_path: Path) -> None:
    path = tmp_path / "thôn mới.xlsx"
    path.write_bytes(villages(("A", 7, 9), ("B", 2, 9), ("C", 3, 9)))
    one = prepared.communes[0]
    with Untouched(prepared):
        stated = check_file(
            prepared.pipeline, path, sender=one, period="2026-Q2", dataset="villages", as_of="2026-05-31"
        )
        nobody = check_file(prepared.pipeline, path, sender="99999", period="2026-Q2")
        never = check_file(prepared.pipeline, path, sender=one, period="quý 2")
    assert stated.answers[0]["as_of"] == "2026-05-31" and stated.answers[0]["as_of_source"] == "sidecar"
    assert codes(nobody.answers[0]) == ["UNKNOWN_SENDER"]
    assert codes(never.answers[0]) == ["UNKNOWN_PERIOD"]
