"""The statistics office's real workbook of old and new units and its CSV twin, with the answers that SOURCES.md states."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from assets.reference.compare import DIFFERENCES_SQL
from tests.e2e.conftest import Make
from tests.e2e.flows import World, codes, said, worded

WORKBOOK, TWIN = "BangChuyendoiDVHCmoi_cu_final.xlsx", "BangChuyendoiDVHCmoi_cu_khong_merge.csv"
HERE = "where province_code = '56'"


class Office:
    """The world in which the office has sent the workbook and then, in another run, the twin."""

    def __init__(self, world: World, folder: Path) -> None:
        self.world, self.folder = world, folder
        self.workbook = world.drop("CTK", (folder / WORKBOOK).read_bytes(), WORKBOOK, period="2025")
        world.run()
        self.published = self.all_rows()
        self.twin = world.drop("CTK", (folder / TWIN).read_bytes(), TWIN, period="2025")
        self.ran = world.run()

    def all_rows(self) -> list[tuple[Any, ...]]:
        return self.world.rows("select * from mart_v1.unit_changes order by old_code, new_code")

    def one(self, query: str) -> Any:
        return self.world.rows(query)[0][0]


@pytest.fixture(scope="module")
def office(make_world: Make, shared: Path) -> Office:
    return Office(make_world(), shared / "data" / "real" / "admin")


@pytest.mark.parametrize("place", [lambda o: o.workbook, lambda o: o.twin], ids=["workbook", "csv"])
def test_rows_of_a_copy(place: Callable[[Office], str], office: Office) -> None:
    answered = office.world.submission(place(office))
    aside = answered["set_aside"]
    assert aside["SECTION"] == 34
    assert answered["counts"]["accepted"] == 10_565 and answered["counts"]["quarantined"] == 6
    assert answered["counts"]["read"] - sum(n for r, n in aside.items() if r in ("TITLE", "HEADER")) == 10_605
    assert [(r["rule"], r["severity"]) for r in answered["rows"]] == [("MISSING_OLD_CODE", "error")] * 6
    assert answered["as_of"] == "2025-07-01" or answered["as_of_source"] == "period"
    worded(answered)


def test_quarantined_rows_are_the_island_districts_and_a_stretch_of_coast(office: Office) -> None:
    names = office.world.rows(
        "select q.raw ->> 'new_name' from staging.quarantine q join intake.submission s using (assessment_no) "
        "join intake.delivery d using (delivery_id) where d.origin = %s order by 1",
        [office.workbook],
    )
    islands = {"Đặc khu Bạch Long Vĩ", "Đặc khu Cồn Cỏ", "Đặc khu Hoàng Sa", "Đặc khu Lý Sơn", "Đặc khu Côn Đảo"}
    assert islands <= {" ".join(n[0].split()).replace("đặc khu", "Đặc khu") for n in names} and len(names) == 6


def test_the_whole_country(office: Office) -> None:
    # 3,321 new units are named; five island districts among them only in rows without an old code
    assert office.world.rows(
        "select count(*), count(distinct new_code), count(distinct old_code), count(distinct province_code) "
        "from mart_v1.unit_changes"
    ) == [(10_565, 3_321 - 5, 10_033, 34)]


def test_the_province(office: Office) -> None:
    world = office.world
    assert world.rows(
        f"select count(*), count(distinct new_code), count(distinct old_code) from mart_v1.unit_changes {HERE}"
    ) == [(205, 65, 194)]
    assert world.rows(
        f"select old_province_code, count(distinct old_code) from mart_v1.unit_changes {HERE} group by 1 order by 1"
    ) == [("56", 132), ("58", 62)]
    assert world.rows(f"select kind, count(*) from mart_v1.unit_changes {HERE} group by 1 order by 1") == [
        ("MOT_PHAN", 19),
        ("TOAN_BO", 186),
    ]
    split = world.rows(
        f"select old_code, count(*) from mart_v1.unit_changes {HERE} group by 1 having count(*) > 1 order by 1"
    )
    assert dict(split) == {
        "22435": 3, "22438": 3, "22450": 2, "22456": 2, "22465": 2, "22471": 2, "22711": 3, "22768": 2
    }  # fmt: skip
    assert office.one(f"select count(distinct effective_date::text) from mart_v1.unit_changes {HERE}") == 1


def test_the_twin_changes_nothing(office: Office) -> None:
    changed = {m.dataset: (m.opened, m.closed) for m in office.ran.merged if m.opened or m.closed}
    assert changed == {}
    assert office.all_rows() == office.published
    assert office.world.submission(office.workbook)["state"] == "superseded"
    assert office.world.submission(office.twin)["state"] == "partly"


def test_differences_from_the_reference_are_a_work_list(office: Office) -> None:
    differences = office.world.rows(DIFFERENCES_SQL)
    assert len(differences) == 133
    assert [d for d in differences if "56" in d[4:5]] == []


def test_a_value_is_found_in_the_office_s_own_cell(office: Office) -> None:
    from openpyxl import load_workbook

    (version,) = office.world.trace("unit_changes", old_code="22768", new_code="22780")
    origins = {s["origin"]: s for s in version.sources}
    assert set(origins) == {office.workbook, office.twin}
    source = origins[office.workbook]
    book = load_workbook(office.folder / WORKBOOK, read_only=True)
    sheet = book[source["sheet"]]
    row = next(sheet.iter_rows(min_row=source["row"], max_row=source["row"], values_only=True))
    by_letter = dict(zip("ABCDEFGHIJK", row, strict=False))
    assert str(by_letter[source["cells"]["old_code"][0]]).split(".")[0] == "22768"
    assert str(by_letter[source["cells"]["new_code"][0]]).split(".")[0] == "22780"
    assert source["cells"]["kind"] == source["cells"]["note"]
    assert "(56)" in str(by_letter[source["cells"]["province_code"][0]])
    book.close()


OTHERS = {
    "admin_mapping_old_to_new_10_25.xlsx": {"UNKNOWN_DATASET", "MISSING_HEADER"},
    "dvhc-vietnam.csv": {"UNKNOWN_DATASET", "MISSING_HEADER"},
    "915_CTK-CSCL.csv": {"UNKNOWN_DATASET", "MISSING_HEADER"},
    "1667_NQ-UBTVQH15.md": {"UNKNOWN_DATASET", "MISSING_HEADER"},
    "1027_CTK-CSCL.md": {"UNKNOWN_DATASET", "MISSING_HEADER"},
    "gso.xls": {"UNKNOWN_PERIOD"},  # a list of units of before, under a year
    "gso.xls.gz": {"UNKNOWN_PERIOD"},
}


def test_other_files_of_the_folder_are_refused_with_a_reason(office: Office) -> None:
    places = {}
    for name in OTHERS:
        path = office.folder / name
        data = path.read_bytes() if path.exists() else gzip.decompress((office.folder / f"{name}.gz").read_bytes())
        places[name] = office.world.drop("CTK", data, name, period="2025")
    office.world.run()
    for name, place in places.items():
        answered = office.world.submission(place)
        assert answered["state"] == "rejected", name
        assert set(codes(answered)) & OTHERS[name], (name, codes(answered))
        worded(answered)
    assert office.all_rows() == office.published


def test_what_is_said_of_the_rows_names_their_cells(office: Office) -> None:
    answered = office.world.submission(office.workbook)
    assert {rule for _, rule in said(answered)} == {"MISSING_OLD_CODE"}
    assert all(r["sheet"].startswith("Tổng hợp_không merge") for r in answered["rows"])
    letters = {a.rstrip("0123456789") for a, _ in said(answered)}
    assert len(letters) == 1
