"""The demo with a few communes: equal to the truth, twice the same, and never over somebody's own data."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from .conftest import House, Result, new_database

FEW = ("--communes", "3")


@pytest.fixture
def empty(database_url: str, tmp_path: Path) -> House:
    """A home with nothing in it; ``truth`` is not known yet."""
    return House(tmp_path / "home", database_url, truth=None)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def shown(server_url: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, House, Result]:
    """A home in which the demo has run once, the name of its database, and what the demo said."""
    name, url = new_database(server_url)
    house = House(tmp_path_factory.mktemp("shown"), url, truth=None)  # type: ignore[arg-type]
    return name, house, demo(house)


@pytest.fixture
def done(server_url: str, shown: tuple[str, House, Result], tmp_path: Path) -> House:
    """A copy of that home and its database, of the test's own."""
    name, first, _ = shown
    shutil.copytree(first.home, tmp_path / "home")
    return House(tmp_path / "home", new_database(server_url, name)[1], first.truth)


def demo(house: House, *arguments: str) -> Result:
    """The demo as a program reads it."""
    return house("demo", *FEW, "--json", *arguments)


def test_demo_equals_the_truth_and_again_changes_nothing(shown: tuple[str, House, Result], done: House) -> None:
    first = shown[2]
    assert first.code == 0, first.json["differences"]
    assert first.json["differences"] == []
    assert first.json["received"] == first.json["files"] > 10
    assert first.json["publish"] == 1
    assert set(first.json["states"]) >= {"accepted", "held"}
    again = done("demo", *FEW, "--direct")
    assert again.code == 0
    assert "nothing new has arrived" in again.out
    assert "Nothing changed" in again.out
    assert "equals the truth" in again.out
    # the commands that are printed are there to be copied
    for line in (line.split("#")[0].split() for line in again.out.splitlines() if line.startswith("  lienthong ")):
        if line[1] in ("show", "status"):
            assert done(*line[1:]).code in (0, 1)


def test_quarter_by_quarter_it_comes_to_the_same_truth_in_a_home_of_its_own(empty: House) -> None:
    done = empty("demo", "--full", "--communes", "2", "--direct", "--json")
    assert done.code == 0, done.json["differences"]
    assert [q["quarter"] for q in done.json["quarters"]] == ["2025-Q4", "2026-Q1", "2026-Q2"]
    assert sum(q["files"] for q in done.json["quarters"]) == done.json["files"]
    assert (empty.home / "province" / "demo-truth" / "truth.json").is_file()


def test_a_warehouse_that_differs_is_told(done: House) -> None:
    done.execute("update core.villages set households = households + 1 where entity_id = "
                 "(select min(entity_id) from core.villages)")  # fmt: skip
    wrong = demo(done, "--direct")
    assert wrong.code == 2
    assert len(wrong.json["differences"]) == 1
    assert "the truth is" in done("demo", *FEW, "--direct").out


def test_an_inbox_that_was_cut_short_is_written_again(done: House) -> None:
    shutil.rmtree(done.home / "inbox" / "2026-Q1")
    (done.home / "demo-truth" / "truth.json").write_text("{", encoding="utf-8")
    again = demo(done, "--direct")
    assert again.code == 0
    assert again.json["received"] == 0


def test_the_home_of_somebody_else_is_left_alone(empty: House) -> None:
    file = empty.home / "inbox" / "2026-Q2" / "22366" / "that.xlsx"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"x")
    refused = empty("demo", *FEW)
    assert refused.code == 2
    assert "lienthong --home DIR demo" in refused.err
    assert [p for p in empty.home.rglob("*") if p.is_file()] == [file]


def test_files_beside_those_of_the_demo_are_refused(done: House) -> None:
    (done.home / "inbox" / "2026-Q2" / "mine.xlsx").write_bytes(b"x")
    assert "did not write, such as 2026-Q2/mine.xlsx" in done("demo", *FEW).err


def test_a_database_with_deliveries_of_its_own_is_refused(house: House, tmp_path: Path) -> None:
    refused = House(tmp_path / "home", house.url, house.truth)("demo", *FEW)
    assert refused.code == 2
    assert "the database holds deliveries that the demo did not make" in refused.err
