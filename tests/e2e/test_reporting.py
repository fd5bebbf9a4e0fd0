"""The datasets of the reporting system as offices send them: forms with titles, two-row headers and totals; every rule of a
row failing once. Several datasets share a world and a run."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import assets.reference
from tests.e2e.conftest import Make
from tests.e2e.flows import World, said, text_csv, worded, workbook

COMMUNE = "22453"  # Xã Cam Lâm
YEAR, QUARTER, MONTH = "2026", "2026-Q2", "2026-06"

QUOTAS: list[Sequence[Any]] = [
    ("SỞ NỘI VỤ",),
    ("BIỂU CHỈ TIÊU BIÊN CHẾ, SỐ CẤP PHÓ NĂM 2026",),
    ("STT", "Mã cơ quan, đơn vị", "Tên cơ quan", "Biên chế công chức giao", "Số lượng người làm việc", "Cấp phó được giao",
     "Bổ nhiệm", None, "Đề xuất đổi mới", None, "Thu hút nhân tài"),
    (None, None, None, None, None, None, "Số bổ nhiệm", "Số bổ nhiệm công khai", "Số đề xuất", "Số đề xuất được duyệt", None),
    (1, "SNV", "Sở Nội vụ", 85, 12, 3, 4, 4, 6, 2, 1),
    (2, "SNV.P1", "Phòng Tổ chức", "12", None, "2", None, None, None, None, None),
    (3, "STC", "Sở Tài chính", 90, None, 3, 2, 3, 1, 0, 0),  # more published than appointed
    (4, "SYT", "Sở Y tế", 70, 3500, "ba", 1, 1, 0, 1, 0),  # no number; more approved than proposed
    ("Tổng cộng", None, None, 257, 3512, None, 7, 8, 7, 3, 1),
]  # fmt: skip

NEEDS: list[Sequence[Any]] = [
    ("Biểu nhu cầu cán bộ chuyên môn năm 2026",),
    ("TT", "Mã cơ quan", "Năm", "Lĩnh vực", "Số cần"),
    (1, "22453.KT", 2026, "Tài chính - Kế toán", 2),
    (2, "22453.KT", 2026, "CNTT", 1),
    (3, "22453.VHXH", 2025, "Giáo dục", 1),  # another year
    (4, "22453.VHXH", 2026, "Y tế", -1),
]

DIGITAL: list[Sequence[Any]] = [
    ("Dân số từ đủ 18 tuổi", "VNeID", "Đạt phổ cập kỹ năng số", "CBCCVC", "CBCCVC đạt kỹ năng số", "Số hộ", "Hộ có internet",
     "Số máy tính", "CBCC cần máy tính", "Đường truyền TSLCD", "Cán bộ CNTT"),
]  # fmt: skip

OLD_UNITS = ("xã Cam Tân", "22438", "TT. Diên Khánh", "phường Ninh Hòa")
"""Two of these were split, by name and by code; one went whole into a commune; one is of today."""

UNITS: list[Sequence[Any]] = [
    ("TÌNH HÌNH TỰ CHỦ TÀI CHÍNH NĂM 2026",),
    ("(Đơn vị tính: triệu đồng)",),
    ("Mã đơn vị", "Loại số", "Lĩnh vực", "Nhóm tự chủ", "Tổng thu sự nghiệp", "Chi thường xuyên", "NSNN cấp",
     "Tự bảo đảm chi đầu tư"),
    ("BVT", "Kế hoạch", "Y tế", 2, 8200, 10000, 1800, None),
    ("BVT", "TH", "Y tế", "Nhóm 3", "8200", "10.000,0", "1 800", None),
    ("TRUONG1", "TH", "GD&ĐT", 5, 10, 100, 90, None),  # no such group
    ("TRUONG2", "TH", "Giáo dục", "IV", 10, 100, 190, None),  # the state pays more than is spent
    ("TRUONG3", "TH", "Đào tạo", 1, 200, 100, 0, "không"),
]  # fmt: skip

STATISTICS: list[Sequence[Any]] = [
    ("VĂN PHÒNG UBND TỈNH",),
    ("TÌNH HÌNH GIẢI QUYẾT THỦ TỤC HÀNH CHÍNH",),
    ("Mã cơ quan", "Mã TTHC", "Mức độ DVC", "Số hồ sơ nhận giải quyết", None, None, None, "Rút, từ chối", "Số hồ sơ đã giải quyết",
     None, None, "Số hồ sơ đang giải quyết", None, "Số hóa hồ sơ", "Trả kết quả điện tử"),
    (None, None, None, "Từ kỳ trước", "Trực tuyến", "Trực tiếp", "BCCI", None, "Trước hạn", "Đúng hạn", "Quá hạn", "Trong hạn",
     "Quá hạn", None, None),
    *[tuple(f"({n})" for n in range(1, 16))],
    ("22453.HCC", "1.001193", "Toàn trình", 5, 20, 8, 2, 1, 10, 15, 2, 6, 1, 25, 27),
    ("22453.HCC", "2.000815", "DVC một phần", 0, 3, 4, 0, 0, 7, 0, 0, 0, 0, 9, 7),  # more digitised than received
    ("SNV", "1.000101", "Toàn trình", 5, 20, 8, 2, 1, 10, 15, 2, 6, 2, 25, 27),  # one too many
    ("SNV", "1.000102", "Toàn trình", 0, 2, 0, 0, 0, 2, 0, 0, 0, 0, 2, 3),  # more results than resolved
    *[("SNV", f"1.0002{n:02}", "Không", 0, 0, n, 0, 0, n, 0, 0, 0, 0, 0, 0) for n in range(6)],
    ("SNV", "1.000105", "mức 9", 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0),  # no such level
    ("SNV", "1.000106", "Không", 0, 1, 0, 0, 0, "một", 0, 0, 0, 0, 0, 0),
]  # fmt: skip

KPI: list[Sequence[Any]] = [
    ("BẢNG TỔNG HỢP KẾT QUẢ ĐÁNH GIÁ THEO KPI THÁNG 6 NĂM 2026",),
    ("STT", "Số CCCD", "Họ và tên", "Mã đơn vị", "Nhóm tương đồng", "Điểm tiêu chí chung", "Kết quả thực hiện nhiệm vụ (%)", None,
     None, "Điểm kết quả thực hiện nhiệm vụ", "Tổng điểm", "Xếp loại", "Ngày duyệt"),
    (None, None, None, None, None, None, "Số lượng (%)", "Chất lượng (%)", "Tiến độ (%)", None, None, None, None),
    (1, "056075000101", "Trần Văn A", "22453.KT", "Chuyên môn", 27, 100, 95, "90%", "66,5", "93,5", "HTXSNV", date(2026, 6, 30)),
    (2, "056180000102", "Lê Thị B", "22453.KT", "Chuyên môn", 25, 80, 80, 80, 56, 81, "Tốt", date(2026, 6, 30)),
    (3, "056080000103", "Ngô Văn C", "22453.KT", "Chuyên môn", 31, 80, 80, 80, 56, 87, "B", date(2026, 6, 30)),  # of 30
    (4, "056082000104", "Đỗ Văn D", "22453.KT", "Chuyên môn", 25, 80, 80, 80, 56, 81, "Khá", None),  # no such rating
]  # fmt: skip

NORMS: list[Sequence[Any]] = [
    ("Mã định mức", "Áp dụng cho", "Hiệu lực từ ngày", "Hiệu lực đến ngày", "Giá trị", "Đơn vị tính", "Căn cứ pháp lý"),
    ("SO_MAX", None, "01/07/2025", None, 14, "sở", "NĐ 150/2025/NĐ-CP"),
    ("HAMLET_MIN_HOUSEHOLDS", "THON|MIEN_NUI", "01/01/2013", "31/12/2017", 100, "hộ", "TT 04/2012/TT-BNV"),
    ("HAMLET_MIN_HOUSEHOLDS", "THON|MIEN_NUI", "01/01/2018", None, "200", "hộ", "TT 09/2017/TT-BNV"),
    ("DEPUTIES_COMMUNE_BODY_AVG", "-", "01/01/2026", None, "4,5", None, "NĐ 370/2025/NĐ-CP"),
    ("YOUNG_AGE", "XA", "01/07/2025", None, None, "tuổi", "chưa xác minh"),
    ("so max", None, "01/07/2025", None, 14, "sở", "NĐ 150/2025/NĐ-CP"),  # no code
    ("KPI_TOLERANCE", None, "01/01/2026", None, "0,05", "điểm", None),  # by what law?
]

TARGETS: list[Sequence[Any]] = [
    ("Mã chỉ tiêu", "Khối, đơn vị", "Hiệu lực từ ngày", "Giá trị", "Chiều", "Thời hạn", "Căn cứ"),
    ("I15", None, "23/02/2026", 100, "Tối thiểu", "31/12/2030", "Chương trình hành động 23/2/2026"),
    ("I02", "DANG", "23/02/2026", None, "Tối thiểu", None, "chưa xác minh"),
    ("I50", None, "23/02/2026", 1, "Tối thiểu", None, "x"),  # no such indicator
    ("I16", None, "31/02/2026", 1, "Tối đa", None, "Chương trình hành động 23/2/2026"),
]


@pytest.fixture(scope="module")
def province(make_world: Make) -> dict[str, Any]:
    """A world into which each dataset was sent once, and the places of its files."""
    world = make_world()
    places = {
        "quotas": world.drop("SNV", workbook(QUOTAS), "bien_che.xlsx", period=YEAR),
        "needs": world.drop(COMMUNE, workbook(NEEDS), "nhu_cau.xlsx", period=YEAR),
        "digital": world.drop(
            COMMUNE, workbook([*DIGITAL, ("12.345", 9000, 7000, 60, 55, 5600, 5100, 58, 60, 100, 1)]), "cds.xlsx", period=QUARTER
        ),
        "digital wrong": world.drop(
            "22366", text_csv([*DIGITAL, ("100", "101", "102", "5", "6", "10", "11", "1", "9", "", "7")]), "cds.csv", period=QUARTER
        ),
        "digital of all": world.drop("KHCN", text_csv(
            [("Mã xã", *DIGITAL[0]), *[(unit, 90, 80, 70, 6, 5, 40, 30, 6, 6, "", 1) for unit in OLD_UNITS]]
        ), "cds_tinh.csv", period=QUARTER, sidecar={"dataset": "digital_transformation"}),
        "units": world.drop("STC", workbook(UNITS), "tu_chu.xlsx", period=YEAR),
        "statistics": world.drop("VP_UBND", workbook(STATISTICS), "tthc.xlsx", period=MONTH),
        "kpi": world.drop(COMMUNE, workbook(KPI), "kpi.xlsx", period=MONTH),
        "norms": world.drop("SNV", workbook(NORMS), "dinh_muc.xlsx", period=MONTH),
        "targets": world.drop("SNV", workbook(TARGETS), "muc_tieu.xlsx", period=MONTH),
    }  # fmt: skip
    world.run()
    return {"world": world, **places}


def _answer(province: dict[str, Any], name: str, dataset: str) -> tuple[World, dict[str, Any]]:
    world: World = province["world"]
    answered = world.submission(province[name])
    assert answered["dataset"] == dataset, answered["problems"]
    worded(answered)
    return world, answered


def test_quotas(province: dict[str, Any]) -> None:
    world, answered = _answer(province, "quotas", "annual_quotas")
    assert said(answered) == {
        ("G7", "quota_published_within_appointments"), ("F8", "NOT_A_NUMBER"), ("I8", "quota_approved_within_proposals"),
    }  # fmt: skip
    rows = world.rows(
        "select organization_code, year, civil_servant_posts, deputies_allowed, talents_attracted, valid_from, valid_to "
        "from mart_v1.annual_quotas order by 1"
    )
    bounds = (date(2026, 1, 1), date(2027, 1, 1))
    assert rows == [("SNV", 2026, 85, 3, 1, *bounds), ("SNV.P1", 2026, 12, 2, None, *bounds)]


def test_needs(province: dict[str, Any]) -> None:
    world, answered = _answer(province, "needs", "specialist_needs")
    assert said(answered) == {("C5", "OTHER_YEAR"), ("E6", "OUT_OF_RANGE")}
    rows = world.rows("select specialism, needed, commune_code, year from mart_v1.specialist_needs order by 1")
    assert rows == [("CNTT_CDS", 1, COMMUNE, 2026), ("TC_KE_TOAN", 2, COMMUNE, 2026)]


def test_digital_transformation(province: dict[str, Any]) -> None:
    world, answered = _answer(province, "digital", "digital_transformation")
    assert answered["state"] == "accepted"
    rows = world.rows(
        "select commune_code, adults, leased_line_mbps, valid_from, valid_to from mart_v1.digital_transformation where adults <> 90"
    )
    assert rows == [(COMMUNE, 12345, 100, date(2026, 3, 15), date(2026, 6, 15))]
    _, answered = _answer(province, "digital wrong", "digital_transformation")
    assert {rule for _, rule in said(answered)} == {
        "digital_vneid_within_adults", "digital_skilled_within_adults", "digital_skilled_within_officials",
        "digital_connected_within_households", "digital_computers_needed_by_officials", "digital_it_within_officials",
    }  # fmt: skip


def test_figures_of_a_split_unit_are_never_divided(province: dict[str, Any]) -> None:
    world, answered = _answer(province, "digital of all", "digital_transformation")
    told = {r["row"]: (r["rule"], r["message"]) for r in answered["rows"]}
    assert {row: rule for row, (rule, _) in told.items()} == {2: "AMBIGUOUS_UNIT", 3: "AMBIGUOUS_UNIT"}
    for unit in ("22435", "22453", "22708"):  # of which of them, the village decides, and whoever knows it
        assert unit in told[2][1] and unit in told[3][1]
    rows = world.rows("select commune_code, adults from mart_v1.digital_transformation where adults = 90 order by 1")
    assert rows == [("22528", 90), ("22651", 90)]


def test_public_service_units(province: dict[str, Any]) -> None:
    world, answered = _answer(province, "units", "public_service_units")
    assert said(answered) == {("D6", "NOT_IN_LIST")}
    assert said(answered, "warning") == {
        ("F7", "autonomy_state_budget_within_spending"), ("H8", "autonomy_group_one_funds_investment"),
    }  # fmt: skip
    rows = world.rows(
        "select kind, field, autonomy_group, own_revenue, recurrent_spending from mart_v1.public_service_units "
        "where organization_code = 'BVT' order by 1"
    )
    assert rows == [
        ("KE_HOACH", "Y_TE", "2", 8_200_000_000, 10_000_000_000),
        ("THUC_HIEN", "Y_TE", "3", 8_200_000_000, 10_000_000_000),
    ]


def test_service_statistics(province: dict[str, Any]) -> None:
    world, answered = _answer(province, "statistics", "service_statistics")
    assert said(answered) == {
        ("N7", "statistics_digitised_within_received"), ("D8", "statistics_flow"),
        ("O9", "statistics_digital_results_within_resolved"), ("C16", "NOT_IN_LIST"), ("I17", "NOT_A_NUMBER"),
    }  # fmt: skip
    (row,) = world.rows(
        "select service_level, opening_stock, received_online, received_in_person, received_by_post, withdrawn, resolved_early, "
        "resolved_on_time, resolved_late, pending_in_time, pending_overdue, digitised, results_digital, valid_from, valid_to "
        "from mart_v1.service_statistics where procedure_code = '1.001193'"
    )
    assert row == ("TOAN_TRINH", 5, 20, 8, 2, 1, 10, 15, 2, 6, 1, 25, 27, date(2026, 5, 15), date(2026, 6, 15))


def test_kpi_evaluations(province: dict[str, Any]) -> None:
    world, answered = _answer(province, "kpi", "kpi_evaluations")
    assert said(answered) >= {("F6", "OUT_OF_RANGE"), ("L7", "NOT_IN_LIST")}
    rows = world.rows(
        "select common_score, quantity_pct, progress_pct, total_score, rating, approved_on, valid_from, valid_to "
        "from core.kpi_evaluations order by total_score desc"
    )
    june = (date(2026, 6, 30), date(2026, 6, 1), date(2026, 7, 1))
    assert rows == [
        (Decimal(27), Decimal(100), Decimal(90), Decimal("93.5"), "XS", *june),
        (Decimal(25), Decimal(80), Decimal(80), Decimal(81), "T", *june),
    ]
    shown = {r[0] for r in world.rows("select column_name from information_schema.columns where table_name = 'kpi_evaluations'"
                                      " and table_schema = 'mart_v1'")}  # fmt: skip
    assert not shown & {"citizen_id", "common_score", "total_score", "rating", "failing_reason"}


def test_norms(province: dict[str, Any]) -> None:
    world, answered = _answer(province, "norms", "norms")
    assert said(answered) == {("A7", "BAD_CODE"), ("G8", "MISSING")}
    rows = world.rows(
        "select norm_code, applies_to, value, valid_from, valid_to from mart_v1.norms_history order by 1, 2, 4"
    )
    assert rows == [
        ("DEPUTIES_COMMUNE_BODY_AVG", "", Decimal("4.5"), date(2026, 1, 1), None),
        ("HAMLET_MIN_HOUSEHOLDS", "THON|MIEN_NUI", Decimal(100), date(2013, 1, 1), date(2018, 1, 1)),
        ("HAMLET_MIN_HOUSEHOLDS", "THON|MIEN_NUI", Decimal(200), date(2018, 1, 1), None),
        ("SO_MAX", "", Decimal(14), date(2025, 7, 1), None),
        ("YOUNG_AGE", "XA", None, date(2025, 7, 1), None),
    ]


def test_targets(province: dict[str, Any]) -> None:
    world, answered = _answer(province, "targets", "targets")
    assert said(answered) == {("A4", "BAD_CODE"), ("C5", "BAD_DATE")}
    rows = world.rows("select indicator_code, bloc_or_unit, value, direction, due_on from mart_v1.targets order by 1")
    assert rows == [("I02", "DANG", None, "AT_LEAST", None), ("I15", "", Decimal(100), "AT_LEAST", date(2030, 12, 31))]


def test_the_values_that_come_with_the_code_go_through_the_inbox(make_world: Make) -> None:
    world = make_world()
    folder = Path(assets.reference.__file__).parent
    for name in ("norms", "targets"):
        world.drop("SNV", (folder / f"{name}.csv").read_bytes(), f"{name}.csv", period="2026-01")
    world.run()
    assert {s["state"] for n in ("norms", "targets") for s in world.submissions(f"2026-01/SNV/{n}.csv")} == {"accepted"}
    assert world.rows("select count(*) from staging.quarantine") == [(0,)]
    assert world.rows("select * from mart_v1.findings") == []
    # what nobody has found is empty, and says so
    assert world.rows(
        "select count(*) from mart_v1.norms where value is null and legal_source not like '%%chưa xác minh%%'"
    ) == [(0,)]
    bands = world.rows("select applies_to, value::int from mart_v1.norms where norm_code = 'KPI_BAND_MIN' order by 2")
    assert bands == [("HT", 50), ("T", 70), ("XS", 90)]
    hard = "select indicator_code, value::int, due_on from mart_v1.targets where legal_source like 'Chương trình%%2026' order by 1"
    end = date(2030, 12, 31)
    assert world.rows(hard) == [
        ("I05", 0, end),
        ("I06", 0, end),
        ("I08", 100, end),
        ("I15", 100, None),
        ("I16", 100, None),
    ]
    # one value of each norm on any day
    twice = "select norm_code from mart_v1.norms_history a join mart_v1.norms_history b using (norm_code, applies_to) "
    assert world.rows(twice + "where a.norm_id < b.norm_id and a.valid_from < coalesce(b.valid_to, 'infinity') "
                      "and b.valid_from < coalesce(a.valid_to, 'infinity')") == []  # fmt: skip
