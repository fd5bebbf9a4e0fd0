"""One sheet a month: which sheets of a workbook are read in which folder, and as what."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.e2e.conftest import Make
from tests.e2e.flows import World, codes, villages, worded, workbook
from tests.e2e.test_datasets import PRICES

HEAD = ("Mặt hàng", "Giá")
SHOWN = "select goods, price, valid_from::text from mart_v1.market_prices order by 3, 1"


def _months(**sheets: list[tuple[str, int]]) -> bytes:
    first, *others = ((name, [HEAD, *rows]) for name, rows in sheets.items())
    return workbook(first[1], sheet=first[0], **dict(others))


SHEETS = {f"T{m}": [("Gạo", 10_000 + m), ("Muối", 5_000 + m)] for m in (4, 5, 6)}
ALL = [(g, p, f"2026-{m:02}-01") for m in (4, 5, 6) for g, p in sorted(SHEETS[f"T{m}"])]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("monthly")
    text = yaml.safe_dump(PRICES, allow_unicode=True, sort_keys=False)
    (found / "market_prices.odcs.yaml").write_text(text, encoding="utf-8")
    return found


@pytest.fixture
def market(make_world: Make, folder: Path) -> World:
    return make_world(contracts=(folder,))


def _answers(world: World, place: str) -> list[tuple[Any, ...]]:
    found = world.submissions(place)
    for answered in found:
        worded(answered)
    return [(a["period"], a["as_of"], a["state"], codes(a)) for a in found]


def test_a_coarse_folder_takes_every_month(market: World) -> None:
    place = market.drop(market.communes[0], _months(**SHEETS), "gia.xlsx", period="2026-Q2")
    market.run()
    assert _answers(market, place) == [
        (f"2026-{m:02}", f"2026-{m:02}-{30 + (m == 5)}", "accepted", []) for m in (4, 5, 6)
    ]
    assert market.rows(SHOWN) == ALL
    assert market.run().published is None
    with market.pipeline.connection() as connection:  # a reading again finds the same submissions
        market.pipeline.replay(connection)
    market.run()
    assert market.rows(SHOWN) == ALL and len(market.submissions(place)) == 3


def test_a_month_s_folder_takes_its_sheet_and_names_the_others(market: World) -> None:
    place = market.drop(market.communes[0], _months(**SHEETS), "gia.xlsx", period="2026-05")
    market.run()
    assert _answers(market, place) == [("2026-05", "2026-05-31", "accepted", ["OTHER_PERIODS"])]
    (answered,) = market.submissions(place)
    (told,) = [p for p in answered["problems"] if p["code"] == "OTHER_PERIODS"]
    assert "T4, T6" in told["message"]
    assert market.rows(SHOWN) == ALL[2:4]


def test_the_year_to_date_sent_every_month(market: World) -> None:
    for month in (4, 5, 6):
        sheets = {name: rows for name, rows in SHEETS.items() if int(name[1:]) <= month}
        market.drop(market.communes[0], _months(**sheets), f"gia_{month}.xlsx", period=f"2026-{month:02}")
        market.run()
    assert market.rows(SHOWN) == ALL


def test_a_sheet_of_another_month_is_held(market: World) -> None:
    place = market.drop(market.communes[0], _months(T5=SHEETS["T5"]), "gia.xlsx", period="2026-06")
    market.run()
    assert _answers(market, place) == [("2026-06", "2026-05-31", "held", ["AS_OF_OUTSIDE_PERIOD"])]


def test_a_sheet_twice(market: World) -> None:
    rows = SHEETS["T6"]
    twice = {"T6": rows, "T6 (2)": [*rows, ("Đường", 20_000)]}
    place = market.drop(market.communes[0], _months(**twice), "gia.xlsx", period="2026-06")
    market.run()
    (answered,) = market.submissions(place)
    assert answered["set_aside"]["REPEAT"] == 2 and answered["counts"]["accepted"] == 3
    differing = {"T6": rows, "T6 (2)": [(rows[0][0], 9_999)]}
    place = market.drop(market.communes[1], _months(**differing), "gia.xlsx", period="2026-06")
    market.run()
    (answered,) = market.submissions(place)
    assert answered["counts"]["quarantined"] == 2 and answered["counts"]["accepted"] == 1
    told = [r["message"] for r in answered["rows"] if r["rule"] == "DUPLICATE_KEY"]
    assert all("T6!2" in text and "T6 (2)!2" in text for text in told), told


def test_of_months_in_a_quarter_s_list_the_last_counts(make_world: Make) -> None:
    world = make_world()
    head = ("Tên thôn", "Số hộ", "Số khẩu")
    sheets = {f"Tháng {m}": [head, ("Thôn Một", 10 + m, 50)] for m in (4, 5, 6)}
    place = world.drop(world.communes[0], workbook(sheets.pop("Tháng 4"), sheet="Tháng 4", **sheets), "thon.xlsx")
    world.run()
    assert world.open_villages(world.communes[0]) == {"Thôn Một": (16, 50)}
    assert codes(world.submission(place)) == ["OTHER_PERIODS"]


def test_sheets_named_t_are_villages_where_a_list_is_not_monthly(make_world: Make) -> None:
    world = make_world()
    head = ("Tên thôn", "Số hộ", "Số khẩu")
    sheets = {f"T{n}": [head, (f"Tổ {n}", n, 50)] for n in (1, 2)}
    world.drop(world.communes[0], workbook(sheets.pop("T1"), sheet="T1", **sheets), "to.xlsx")
    world.drop(world.communes[1], villages(("Thôn Một", 4, 50)), "thon.xlsx")
    world.run()
    assert set(world.open_villages(world.communes[0])) == {"Tổ 1", "Tổ 2"}


def test_a_title_says_the_month_where_the_folder_does_not(market: World) -> None:
    rows = [("BÁO CÁO GIÁ THÁNG 6 NĂM 2026",), HEAD, ("Gạo", 10_006)]
    place = market.drop(market.communes[0], workbook(rows), "gia.xlsx", period="2026")
    market.run()
    assert _answers(market, place) == [("2026-06", "2026-06-30", "accepted", [])]


def test_cells_of_a_second_table_are_named_as_they_stand(make_world: Make) -> None:
    world = make_world()
    rows = [
        ("Tên thôn", "Số hộ", "Số khẩu"), ("Thôn Một", 10, 50), ("Thôn Hai", 11, 50), (),
        ("Số khẩu", "Số hộ", "Tên thôn"), (60, 12, "Thôn Ba"), (70, "mười", "Thôn Bốn"),
    ]  # fmt: skip
    place = world.drop(world.communes[0], workbook(rows), "thon.xlsx")
    world.run()
    assert world.open_villages(world.communes[0]) == {"Thôn Một": (10, 50), "Thôn Hai": (11, 50), "Thôn Ba": (12, 60)}
    answered = world.submission(place)
    (told,) = answered["rows"]
    assert (told["sheet"], told["address"], told["value"]) == ("Sheet1", "B7", "mười")
    assert world.proved() == 3
    worded(answered)
