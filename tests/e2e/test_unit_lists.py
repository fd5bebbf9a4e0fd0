"""Lists of communes of before the reform: 194 units of the province in each copy, and a stale list is known for one."""

from __future__ import annotations

import gzip
from datetime import date
from pathlib import Path

import pytest

from tests.e2e.conftest import Make
from tests.e2e.flows import codes, worded

HERE = "select province_code, count(*) from mart_v1.administrative_units where province_code in ('56', '58') group by 1 order by 1"


def _lists(shared: Path) -> dict[str, bytes]:
    folder = shared / "data" / "real" / "admin"
    return {
        "gso.xls": gzip.decompress((folder / "gso.xls.gz").read_bytes()),
        "xa.csv": (folder / "Xa_2025-01-04.csv").read_bytes(),
        "gso.csv": (folder / "danhmuchanhchinh.gso.gov.vn_ward_2025-07-18.csv").read_bytes(),
    }


@pytest.mark.parametrize(
    ("name", "rows", "unreadable"), [("gso.xls", 10_035, 0), ("gso.csv", 10_035, 0), ("xa.csv", 10_056, 5)]
)
def test_a_list_of_its_day(name: str, rows: int, unreadable: int, make_world: Make, shared: Path) -> None:
    world = make_world()
    place = world.drop("CTK", _lists(shared)[name], name, period="2025-Q1", sidecar={"as_of": date(2025, 1, 4)})
    world.run()
    answered = world.submission(place)
    assert answered["dataset"] == "administrative_units"
    assert (answered["counts"]["accepted"], answered["counts"]["quarantined"]) == (rows - unreadable, unreadable)
    assert world.rows(HERE) == [("56", 132), ("58", 62)]


@pytest.mark.parametrize("name", ["gso.xls", "gso.csv", "xa.csv"])
def test_a_stale_list_is_recognised_as_old(name: str, make_world: Make, shared: Path) -> None:
    world = make_world()
    place = world.drop("CTK", _lists(shared)[name], name, period="2025-Q3", sidecar={"as_of": date(2025, 7, 18)})
    world.run()
    answered = world.submission(place)
    assert (answered["state"], codes(answered)) == ("held", ["TOO_MANY_BAD_ROWS"])
    (problem,) = [p for p in answered["problems"] if p["code"] == "TOO_MANY_BAD_ROWS"]
    assert "thôi hiệu lực từ 01/07/2025: danh mục này là bản cũ" in problem["message"]
    stale = [r for r in answered["rows"] if r["rule"] == "ENDED_UNIT"]
    assert len(stale) > 0.8 * answered["counts"]["read"]
    assert world.rows("select count(*) from mart_v1.administrative_units") == [(0,)]
    worded(answered)
