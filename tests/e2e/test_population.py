"""Population by unit: real counts with the answers that SOURCES.md states, and what rules across submissions say of them."""

from __future__ import annotations

import gzip
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from assets.marts.publish import back_to
from tests.e2e.conftest import Make
from tests.e2e.flows import World, text_csv, worded

IMPLAUSIBLE = {
    "Cam Hiệp": 5, "Phước Hà": 89, "Anh Dũng": 103, "Mỹ Sơn": 158, "Bác Ái Tây": 1109, "Bác Ái": 1227,
    "Tây Ninh Hòa": 1754, "Vĩnh Hải": 2782, "Phan Rang": 7225, "Cam Lâm": 8653,
}  # fmt: skip
CHANGES = "Ward change record (1-1-2019 vs 10-11-2024)_modified.xls.gz"


class Counts:
    """The world in which the counts have arrived, the merger map first and what it is measured by after it."""

    def __init__(self, world: World, real: Path) -> None:
        self.world = world
        admin, census = real / "admin", real / "census2019"
        map_, provinces = "sapnhap.bando.com.vn_ward_2025-07-17.csv", "sapnhap.bando.com.vn_province_2025-07-17.csv"
        day = {"as_of": date(2025, 7, 17)}
        self.map = world.drop("SNV", (admin / map_).read_bytes(), map_, period="2025-Q3", sidecar=day)
        world.run()
        self.alone = self.flagged()
        self.provinces = world.drop("SNV", (admin / provinces).read_bytes(), provinces, period="2025-Q3", sidecar=day)
        taken = {"as_of": date(2019, 4, 1)}
        self.census, self.sizes = (
            world.drop("CTK", (census / name).read_bytes(), name, period="2019", sidecar=taken)
            for name in ("Population by Urban (Ward).xlsx", "Population by Household Size (Ward).xlsx")
        )
        changes = gzip.decompress((census / CHANGES).read_bytes())
        compared = {"as_of": date(2024, 11, 10)}
        self.changes = world.drop("CTK", changes, "thay_doi.xls", period="2024", sidecar=compared)
        world.run()

    def one(self, query: str) -> tuple[Any, ...]:
        return self.world.rows(query)[0]

    def flagged(self, rule: str = "population_not_implausible") -> dict[str, Any]:
        """Name -> figure of what the rule flags in the province."""
        rows = self.world.rows(
            "select p.unit_name, f.params from mart_v1.findings f join mart_v1.population_history p "
            "on p.population_id = f.entity_id and p.valid_from = f.valid_from "
            "where f.rule = %s and p.unit_key like 'tỉnh khánh hoà%%'",
            [rule],
        )
        return dict(rows)


@pytest.fixture(scope="module")
def counts(make_world: Make, shared: Path) -> Counts:
    return Counts(make_world(), shared / "data" / "real")


def test_the_census_by_ward(counts: Counts) -> None:
    answered = counts.world.submission(counts.census)
    assert answered["dataset"] == "population" and answered["counts"]["accepted"] == 11_165
    assert answered["counts"]["quarantined"] == 0 and answered["set_aside"]["TOTAL"] == 1 + 63 + 709
    census = "from mart_v1.population where source = 'CTK'"
    assert counts.one(f"select count(*), count(distinct unit_key), sum(total), sum(urban), sum(rural) {census}") == (
        11_165, 11_165, 96_208_984, 33_122_548, 63_086_436,
    )  # fmt: skip
    assert counts.one(f"select min(as_of), max(as_of), count(*) filter (where urban + rural <> total) {census}") == (
        date(2019, 4, 1), date(2019, 4, 1), 0,
    )  # fmt: skip
    assert counts.one(
        f"select count(*), sum(total), sum(urban), sum(rural) {census} and province_name = 'Tỉnh Khánh Hoà'"
    ) == (140, 1_231_107, 519_880, 711_227)
    assert counts.one(f"select count(*), sum(total) {census} and province_name = 'Tỉnh Ninh Thuận'") == (65, 590_467)
    worded(answered)


def test_stated_totals_of_the_census_are_controls_that_fit(counts: Counts) -> None:
    # districts without wards appear as wards themselves, so that their provinces' totals still fit (SOURCES.md)
    problems = Counter(p["code"] for p in counts.world.submission(counts.census)["problems"])
    assert "TOTAL_DIFFERS" not in problems


def test_households_by_size(counts: Counts) -> None:
    answered = counts.world.submission(counts.sizes)
    assert (answered["dataset"], answered["counts"]["accepted"]) == ("household_sizes", 11_165)
    assert answered["counts"]["quarantined"] == 0
    sizes = [f"{area}_{n}" for area in ("urban", "rural") for n in (*range(1, 7), "7_or_more")]
    assert counts.one(f"select sum(households), sum({' + '.join(sizes)}) from mart_v1.household_sizes") == (
        26_870_079, 26_870_079,
    )  # fmt: skip
    assert counts.one("select sum(households) from mart_v1.household_sizes where province_name = 'Tỉnh Khánh Hoà'") == (
        332_697,
    )


def test_the_record_of_changes(counts: Counts) -> None:
    answered = counts.world.submission(counts.changes)
    assert answered["dataset"] == "unit_comparisons" and answered["counts"]["read"] == 11_205
    # 'Sĩ Hai' and 'Sỹ Hai' say the same of one commune in two spellings
    assert (answered["counts"]["accepted"], answered["counts"]["quarantined"]) == (11_202, 2)
    province = "from mart_v1.unit_comparisons where old_province_code in ('56', '58')"
    assert counts.one(f"select count(*), count(*) filter (where old_code <> new_code) {province}") == (205, 11)


def test_the_merger_map(counts: Counts) -> None:
    answered = counts.world.submission(counts.map)
    assert answered["dataset"] == "population" and answered["state"] == "partly"
    rules = Counter(r["rule"] for r in answered["rows"] if r["severity"] == "error")
    assert rules == {"PENDING_VALUE": 66, "AMBIGUOUS_NUMBER": 4}
    assert {r["value"] for r in answered["rows"] if r["rule"] == "AMBIGUOUS_NUMBER"} == {
        "30,509", "28,717", "34,399", "23,870",
    }  # fmt: skip
    # all 65 units of the province are recognised by name, the one without a figure too
    observed = counts.world.rows(
        "select r.unit_code, r.total from staging.population_rows r join intake.submission s on s.assessment_no = r._assessment "
        "join intake.delivery d using (delivery_id) where d.origin = %s and r.unit_key like 'tỉnh khánh hoà/%%'",
        [counts.map],
    )
    codes = {r[0] for r in counts.world.rows("select code from core.sender where kind = 'commune'")}
    assert len(observed) == 65 and {c for c, _ in observed} == codes
    assert sum(t for _, t in observed if t is not None) == 1_935_424


def test_the_map_does_not_add_up_to_the_province(counts: Counts) -> None:
    (found,) = counts.flagged("population_parts_and_whole").values()
    assert (found["value"], found["computed"], found["units"]) == (2_243_554, 1_935_424, 64)
    # the province's own figure is a control and no unit of the view
    assert counts.one("select count(*) from mart_v1.population where unit_key = 'tỉnh khánh hoà'") == (0,)


def test_ten_communes_are_implausible_and_truong_sa_is_not(counts: Counts) -> None:
    assert counts.alone == {}  # nothing to measure by had arrived
    found = counts.flagged()
    names = {name.split(" ", 1)[1].removeprefix("khu "): params["value"] for name, params in found.items()}
    assert names == IMPLAUSIBLE
    assert counts.one(
        "select evaluated > 3000, status from core.rule_result where rule = 'population_not_implausible' and publish_to is null"
    ) == (True, "failed")


def test_the_census_is_carried_to_the_units_of_today(counts: Counts) -> None:
    here = "from mart_v1.population_of_todays_units where as_of = '2019-04-01' and left(commune_code, 2) = '22'"
    rows = counts.world.rows(
        f"select commune_code, total, certain, most, is_estimate, method, divided_units, missing_units {here} "
        "and commune_code in (select code from core.sender where kind = 'commune') order by 1"
    )
    assert len(rows) == 65
    assert [r for r in rows if r[7]] == []
    # nobody is lost and nobody counted twice: the census has 1,231,107 in Khánh Hòa and 590,467 in Ninh Thuận
    assert abs(sum(r[1] for r in rows) - (1_231_107 + 590_467)) <= len(rows)
    for _, total, certain, most, is_estimate, method, divided, _ in rows:
        assert certain <= total <= most
        assert (certain < most) == is_estimate == bool(divided) == (method == "EQUAL_SHARES")
    # the eight units that the reform divided, and whoever has a part of them
    assert len({code for r in rows for code in r[6]}) == 8
    assert {r[0] for r in rows if r[4]} == {"22435", "22453", "22465", "22708", "22780", "22888"}


def test_the_sender_is_told_which_cell(counts: Counts) -> None:
    answered = counts.world.submission(counts.map)
    told = [r for r in answered["rows"] if r["rule"] == "population_not_implausible"]
    (cam_hiep,) = [r for r in told if r["value"] == "5"]
    assert cam_hiep["severity"] == "warning" and cam_hiep["address"].startswith("I")
    assert "5 quá thấp" in cam_hiep["message"] and cam_hiep["address"] in cam_hiep["remedy"]
    worded(answered)


HEAD = ("Tỉnh", "Huyện", "Xã", "Dân số", "Thành thị", "Nông thôn")


def _communes(*rows: tuple[Any, ...]) -> bytes:
    return text_csv([HEAD, *rows])


def test_findings_follow_the_set(make_world: Make) -> None:
    """Found only once there is something to measure by, gone when that is withdrawn, the same in any number of runs."""
    world = make_world()
    map_ = world.drop("SNV", _communes(("Tỉnh Khánh Hòa", "", "Xã Cà Ná", 9, "", 9)), "a.csv", period="2025-Q3")
    world.run()
    assert world.rows("select count(*) from mart_v1.findings") == [(0,)]
    census = world.drop(
        "CTK", _communes(("Tỉnh Ninh Thuận", "Huyện Thuận Nam", "Xã Cà Ná", 9000, "", 9000)), "b.csv",
        period="2019-Q2", sidecar={"as_of": date(2019, 4, 1)},
    )  # fmt: skip
    record = [
        ("Tỉnh", "Tên Tỉnh", "QH", "Tên QH", "Xã", "Tên Xã", "Tên Xã DC", "Xã DC", "Tên QH DC", "QH DC", "Tên Tỉnh DC", "Tỉnh DC"),
        ("58", "Tỉnh Ninh Thuận", "589", "Huyện Thuận Nam", "22910", "Xã Cà Ná", "Xã Cà Ná", "22910", "Huyện Thuận Nam", "589",
         "Tỉnh Ninh Thuận", "58"),
    ]  # fmt: skip
    world.drop("CTK", text_csv(record), "c.csv", period="2024")
    world.run()
    found = world.rows("select rule, params ->> 'value' from mart_v1.findings")
    assert found == [("population_not_implausible", "9")]
    assert world.run().published is None
    (told,) = [r for r in world.submission(map_)["rows"] if r["severity"] == "warning"]
    assert told["address"] == "D2"
    number = world.rows("select shows from core.pointer")[0][0]
    with world.connection() as connection:
        back_to(connection, number - 1)
        assert world.rows("select count(*) from mart_v1.findings") == [(0,)]
        back_to(connection, number)
    assert world.rows("select rule, params ->> 'value' from mart_v1.findings") == found
    withdrawn = world.submission(census)["submission_id"]
    world.say("CTK", withdraws=withdrawn, dataset="population", period="2019-Q2")
    world.run()
    assert world.rows("select count(*) from mart_v1.findings") == [(0,)]
    assert world.rows(
        "select status from core.rule_result where rule like 'population_not%%' and publish_to is null"
    ) == [("not_evaluated",)]


OLD = ("Xã Cam Tân", "Xã Cam Hòa", "Xã Suối Tân", "Xã Cam Hiệp Bắc", "Xã Cam Hiệp Nam", "Xã Sơn Tân")
SHARES = ("Mã xã bị chia", "Mã xã nhận", "Tỷ lệ nhận (%)", "Ngày sắp xếp", "Căn cứ")


def _share(old: str, new: str, share: str) -> tuple[str, ...]:
    return (old, new, share, "01/07/2025", "Số khẩu của các thôn được giao, biên bản bàn giao")


def test_a_divided_unit_is_never_divided_in_silence(make_world: Make) -> None:
    """Equal shares until shares are sent, then those; both are estimates, beside what is certain and what is possible."""
    world = make_world()
    count = [("Tỉnh Khánh Hòa", "Huyện Cam Lâm", name, 1000, "", 1000) for name in OLD]
    world.drop("CTK", _communes(*count), "a.csv", period="2024-Q4", sidecar={"as_of": date(2024, 12, 31)})
    world.run()
    shown = (
        "select method, is_estimate, total, certain, most, cardinality(divided_units), cardinality(missing_units) "
        "from mart_v1.population_of_todays_units where commune_code = '22708'"
    )
    parts = world.rows(
        "select old_code, old_name, count(*) over (partition by old_code) from core.unit_change where old_code in "
        "(select old_code from core.unit_change where new_code = '22708')"
    )
    divided = {code: n for code, _, n in parts if n > 1}
    whole = {code for code, _, n in parts if n == 1}
    # Suối Dầu has parts of Cam Hòa, Cam Tân and Suối Tân, each divided among three, and whole units that this count lacks
    assert set(divided.values()) == {3} and len(divided) == 3 and whole
    names = {code: name for code, name, _ in parts}
    assert world.rows(shown) == [("EQUAL_SHARES", True, None, None, None, 3, len(whole))]
    rest = [("Tỉnh Khánh Hòa", "Huyện Cam Lâm", names[code], 1000, "", 1000) for code in whole]
    world.drop("CTK", _communes(*count, *rest), "a.csv", period="2024-Q4", sidecar={"as_of": date(2024, 12, 31)})
    world.run()
    sure = 1000 * len(whole)
    assert world.rows(shown) == [("EQUAL_SHARES", True, sure + 1000, sure, sure + 3000, 3, 0)]
    successors = {
        code: [r[0] for r in world.rows("select new_code from core.unit_change where old_code = %s order by 1", [code])]
        for code in divided
    }
    # half to Suối Dầu, the rest to the two others; for one unit a successor is forgotten at first
    lines = [_share(code, new, "50" if new == "22708" else "25") for code, found in successors.items() for new in found]
    world.drop("SNV", text_csv([SHARES, *lines[:-1]]), "ty_le.csv", period="2025")
    world.run()
    assert world.rows("select distinct params ->> 'why' from mart_v1.findings") == [("mới có 2 trong 3 đơn vị nhận",)]
    assert world.rows(shown)[0][:3] == ("EQUAL_SHARES", True, round(sure + 1000 + 1000 / 3))
    fixed = world.drop("SNV", text_csv([SHARES, lines[-1]]), "ty_le_2.csv", period="2025")
    world.run()
    assert world.rows("select count(*) from mart_v1.findings") == [(0,)]
    assert world.rows(shown) == [("DECLARED_SHARES", True, sure + 1500, sure, sure + 3000, 3, 0)]
    worded(world.submission(fixed))
    # a count of after the reform stands as it is
    world.drop("SNV", _communes(("Tỉnh Khánh Hòa", "", "Xã Suối Dầu", 4000, "", 4000)), "c.csv", period="2025-Q3")
    world.run()
    assert world.rows(f"{shown} and source = 'SNV'") == [("AS_COUNTED", False, 4000, 4000, 4000, 0, 0)]


def test_a_blank_unit_is_no_province(make_world: Make) -> None:
    """Damage to the cell of a name does not turn a commune into its province (law 7)."""
    world = make_world()
    place = world.drop(
        "CTK", _communes(("Tỉnh Khánh Hòa", "", "Xã Cà Ná", 10, 4, 6), ("Tỉnh Khánh Hòa", "", "", 10, 4, 6),
            *(("Tỉnh Khánh Hòa", "", f"Xã {n}", 2, 1, 1) for n in range(8))), "a.csv",
        period="2025-Q3",
    )  # fmt: skip
    whole = world.drop("SNV", text_csv([("Tỉnh", "Dân số"), ("Tỉnh Khánh Hòa", 2_000_000)]), "b.csv", period="2025-Q3")
    world.run()
    assert {(r["address"], r["rule"]) for r in world.submission(place)["rows"]} >= {("C3", "MISSING")}
    assert world.submission(whole)["counts"]["accepted"] == 1
    shown = world.rows("select unit_name, source, total, urban from mart_v1.population where total > 2 order by source")
    # an absent column says nothing, an empty cell of a pivot export is none
    assert shown == [("Xã Cà Ná", "CTK", 10, 4), ("Tỉnh Khánh Hòa", "SNV", 2_000_000, None)]
