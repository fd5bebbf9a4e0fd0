"""Layouts from sheet to answer: units that headers and titles state, values spread over several columns."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.e2e.conftest import Make
from tests.e2e.flows import World, codes, said, worded, workbook
from tests.e2e.test_datasets import column as declared
from tests.e2e.test_datasets import contract

OFFICERS = contract(
    "officers",
    "Cán bộ",
    [
        declared("full_name", "Họ và tên", "name", key=1),
        declared(
            "sex", "Giới tính", "category", required=True, own={"spread": {"NAM": ["Nam"], "NU": ["Nữ"]}},
            enum=[{"value": "NAM", "label": "Nam"}, {"value": "NU", "label": "Nữ"}],
        ),
        declared("born", "Năm sinh", "integer", "integer", required=True, own={"spread": ["Nam", "Nữ"]}),
        declared("posts", "Số chức vụ", "integer", "integer"),
    ],
    delivery="increment", validTime="asOf", senderScope="all", senders=["SNV"], periodType="quarter",
)  # fmt: skip


@pytest.fixture
def world(make_world: Make, tmp_path: Path) -> World:
    text = yaml.safe_dump(OFFICERS, allow_unicode=True, sort_keys=False)
    (tmp_path / "officers.odcs.yaml").write_text(text, encoding="utf-8")
    return make_world(contracts=(tmp_path,))


def test_a_year_under_the_column_of_the_sex(world: World) -> None:
    rows = [
        ("Họ và tên", "Năm sinh", None, "Số chức vụ"), (None, "Nam", "Nữ", None),
        ("Lò Văn A", 1985, None, 1), ("Vi Thị B", None, 1990, 2), ("Hà C", 1985, 1990, 1), ("Hà D", None, None, 1),
    ]  # fmt: skip
    place = world.drop("SNV", workbook(rows, merged=["A1:A2", "B1:C1", "D1:D2"]), "cb.xlsx")
    world.run()
    answered = world.submission(place)
    worded(answered)
    assert world.rows("select full_name, sex, born from mart_v1.officers order by 1") == [
        ("Lò Văn A", "NAM", 1985), ("Vi Thị B", "NU", 1990),
    ]  # fmt: skip
    assert said(answered) == {("B5:C5", "SEVERAL_MARKED"), ("B6:C6", "MISSING")}
    (version,) = world.trace("officers", full_name="Vi Thị B")
    assert version.sources[0]["cells"]["sex"] == "B4:C4"


@pytest.mark.parametrize(
    "rows",
    [
        [("Tên thôn", "Số hộ (nghìn hộ)", "Số khẩu (nghìn người)"), ("Nà Lụa", "0,12", "0,488")],
        [("DANH SÁCH THÔN (ĐVT: nghìn người)",), ("Tên thôn", "Số hộ (hộ)", "Số khẩu"), ("Nà Lụa", 120, "0,488")],
        [("ĐVT: hộ, nghìn người",), ("Tên thôn", "Số hộ", "Số khẩu"), ("Nà Lụa", 120, "0,488")],
        [("ĐVT: hộ, người",), ("Tên thôn", "Số hộ", "Số khẩu"), ("Nà Lụa", 120, 488)],
    ],
)
def test_stated_units_scale(make_world: Make, rows: list[tuple[object, ...]]) -> None:
    world = make_world()
    place = world.drop(world.communes[0], workbook(rows), "thon.xlsx")
    world.run()
    assert codes(world.submission(place)) == []
    assert world.open_villages(world.communes[0]) == {"Nà Lụa": (120, 488)}


def test_a_sheet_a_village(make_world: Make) -> None:
    world = make_world()
    head = ("Số hộ", "Số khẩu")
    sheets = {"Thôn Bản Mây": [head, (95, 401)], "Thôn Pác Đào": [head, ("chưa rõ", 50)]}
    place = world.drop(world.communes[0], workbook([head, (120, 488)], sheet="Thôn Nà Lụa", **sheets), "thon.xlsx")
    world.run()
    answered = world.submission(place)
    worded(answered)
    assert world.open_villages(world.communes[0]) == {"Thôn Bản Mây": (95, 401), "Thôn Nà Lụa": (120, 488)}
    given = [(r["sheet"], r["row"], r["raw"]) for r in answered["repairs"] if r["rule"] == "DEFAULT_SHEET"]
    assert given == [(name, 2, name) for name in ("Thôn Nà Lụa", "Thôn Bản Mây", "Thôn Pác Đào")]
    assert [(r["sheet"], r["address"]) for r in answered["rows"]] == [("Thôn Pác Đào", "A2")]
