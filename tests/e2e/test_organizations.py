"""Organisations, posts and staff as offices and communes send them: forms with titles, merged headers, numbering rows, ticks,
abbreviations and totals; what must be read from them, and each rule failing once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import pytest

from tests.e2e.conftest import Make
from tests.e2e.flows import World, said, text_csv, worded, workbook

MONTH, QUARTER = "2026-06", "2026-Q2"
COMMUNE = "22453"  # Xã Cam Lâm
WARD = "22366"  # Phường Nha Trang

ORGANIZATIONS: list[Sequence[Any]] = [
    ("UBND TỈNH KHÁNH HÒA", None, None, None, "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM"),
    ("SỞ NỘI VỤ",),
    ("DANH MỤC TỔ CHỨC, ĐƠN VỊ THUỘC TỈNH",),
    ("(Kèm theo Công văn số 1201/SNV-TCBC ngày 02/7/2026)",),
    (),
    ("STT", "Mã cơ quan", "Tên cơ quan, đơn vị", "Khối", "Cấp", "Loại hình", "Trực thuộc", "Xã, phường", "Hợp nhất 2 tỉnh",
     "Sáp nhập từ", "Hiệu lực", None, "Tình trạng"),
    (None, None, None, None, None, None, None, None, None, None, "Từ ngày", "Đến ngày", None),
    *[tuple(f"({n})" for n in range(1, 14))],
    ("I", "CẤP TỈNH"),
    (1, "SNV", "Sở Nội vụ", "Chính quyền", "Tỉnh", "Sở", None, None, "x", "SNV-NT; SNV-KH", "01/07/2025", None, "Hoạt động"),
    (2, "snv.p1", "Phòng Tổ chức biên chế", "QLNN", "Cấp tỉnh", "Phòng của sở", "SNV", None, None, None, "1/7/2025", None,
     "Đang hoạt động"),
    (3, "BVT", "Bệnh viện tỉnh", "Đơn vị sự nghiệp", "Tỉnh", "ĐVSN", "SYT", None, None, None, date(2025, 7, 1), None,
     "Hoạt động"),
    (4, "SNV-KH", "Sở Nội vụ (cũ)", "Chính quyền", "Tỉnh", "Sở", None, None, None, None, "01/01/2016", "30/6/2025",
     "Đã sáp nhập"),
    (5, "SDL", "Sở Du lịch", "Chính quyền", "Tỉnh", "Sở", None, None, None, None, "01/07/2025", None, "Giải thể"),  # no end
    (6, "TTX", "Thanh tra", "Chính quyền", "Tỉnh", "Sở", None, None, None, None, "01/07/2025", "30/06/2025", "Giải thể"),
    ("II", "CẤP XÃ"),
    (1, "22453.UBND", "UBND xã Cam Lâm", "Chính quyền", "Xã", "UBND", None, "Xã Cam Lâm", None, None, "01/07/2025", None, None),
    (2, "22453.KT", "Phòng Kinh tế", "Chính quyền", "Cấp xã", "Phòng cấp xã", "22453.UBND", 22453, None, None,
     "01/07/2025", None, "Hoạt động"),
    (3, "22453.HCC", "Trung tâm PVHCC", "Chính quyền", "Xã", "TT PVHCC", "22453.UBND", None, None, None, "01/07/2025", None,
     "Hoạt động"),  # of which commune?
    (4, "22366.VHXH", "Phòng Văn hóa - Xã hội", "Chính quyền", "Tỉnh", "Phòng cấp xã", None, "Phường Nha Trang", None, None,
     "01/07/2025", None, "Hoạt động"),
    (5, "22366.X", "Chi cục gì đó", "Chính quyền", "Xã", "Chi cục", None, WARD, None, None, "01/07/2025", None, "Hoạt động"),
    (6, "22366.Y", "Tổ gì đó", "Khối lạ", "Xã", "Khác", None, WARD, None, None, "01/07/2025", None, "Hoạt động"),
    ("Tổng cộng: 12 tổ chức",),
    (None, "Người lập biểu", None, None, None, None, None, None, None, None, "KT. GIÁM ĐỐC"),
]  # fmt: skip

POSTS: list[Sequence[Any]] = [
    ("TỈNH ỦY KHÁNH HÒA",),
    ("BAN TỔ CHỨC",),
    ("DANH SÁCH CÁN BỘ GIỮ CHỨC DANH LÃNH ĐẠO CẤP XÃ",),
    ("TT", "Số CCCD", "Họ và tên", "Mã cơ quan, đơn vị", "Chức vụ, chức danh", "Lĩnh vực", "Chức danh chính", "Hình thức",
     "Quyết định", None, "Người địa phương", "Thời gian giữ chức vụ", None, "Công khai"),
    (None, None, None, None, None, None, None, None, "Số QĐ", "Ngày QĐ", None, "Từ ngày", "Đến ngày", None),
    *[tuple(f"({n})" for n in range(1, 15))],
    (1, "056075000101", "Trần Văn A", "22453.DU", "Bí thư Đảng ủy xã Cam Lâm", None, "x", "Chỉ định", "12-QĐ/TU",
     "15/6/2025", "Không", "01/07/2025", None, "x"),
    (2, "056075000101", "Trần Văn A", "22453.HDND", "CT HĐND xã", None, None, "Bầu", None, None, None, "01/07/2025", None, "x"),
    (3, "056180000102", "Lê Thị B", "22453.UBND", "Quyền Chủ tịch UBND xã", None, "x", "Phê chuẩn", "13-QĐ/TU", None,
     "Chưa xác định", "1/7/2025", "31/12/2025", "x"),
    (4, "056080000103", "Ngô Văn C", "22453.UBND", "PCT UBND", None, "x", None, None, None, None, "01/07/2025", None, None),
    (5, "056082000104", "Đỗ Văn D", "22453.DU", "Chủ nhiệm Ủy ban Kiểm tra Đảng ủy", None, "x", "Điều động", None,
     None, "Không", "01/07/2025", None, "x"),
    (6, "056083000105", "Mai Văn E", "22453.KT", "Phó Trưởng phòng Kinh tế", None, "x", "Bổ nhiệm", None, None, None,
     "01/07/2025", None, "x"),
    (7, "056084000106", "Vũ Văn G", "nt", "Chuyên viên", "Tài chính - Kế toán", "x", None, None, None, None,
     "01/08/2025", None, None),
    (8, "056085000107", "Hồ Văn H", "22453.KT", "Chuyên viên", None, "x", None, None, None, None, "01/08/2025", None, None),
    (9, "056086000108", "Tô Văn I", "22453.DOAN", "Bí thư Đoàn xã", None, "x", None, None, None, None, "01/08/2025",
     None, None),
    (10, "056086000109", "Tô Văn K", "22453.MT", "Chủ tịch UB MTTQ xã", None, "x", None, None, None, None,
     "01/08/2025", None, None),
    (11, "056086000110", "Tô Văn L", "22453.DU", "Bí thư Đảng ủy kiêm Chủ tịch HĐND", None, "x", None, None, None,
     "Không", "01/08/2025"),
    (12, "056086000111", "Tô Văn M", "22366.DU", "BT Đảng ủy", None, "x", None, None, None, None, "01/08/2025"),
     # local or not?
    (13, "056086000112", "Tô Văn N", "22366.KT", "TP. Kinh tế", None, "x", None, None, None, None, "01/08/2025", "31/7/2025"),
    (14, "056086000113", "Tô Văn O", "22366.KT", "Phó phòng", None, "x", None, None, None, None, "01/08/1925"),
    (15, "056086000114", "Tô Văn P", "22366.KT", "Bí thư", None, "x", None, None, None, None, "01/08/2025"),
    (16, 56086000115, "Tô Văn Q", "22366.KT", "Phó phòng", None, "x", None, None, None, None, "01/08/2025"),  # a digit is lost
    ("Tổng số: 16 người",),
]  # fmt: skip

STAFF: list[Sequence[Any]] = [
    ("UBND XÃ CAM LÂM",),
    ("DANH SÁCH CÁN BỘ, CÔNG CHỨC, VIÊN CHỨC",),
    ("STT", "Họ và tên", "Ngày tháng năm sinh", "Giới tính", None, "Số CCCD", "Chức vụ", "Mã cơ quan", "Diện cán bộ",
     "Mã ngạch", "Trình độ chuyên môn", None, None, None, None, None, "Ngành đào tạo", "LLCT", "Đạt kỹ năng số", "Số giờ bồi dưỡng",
     "Quê quán",
     "Ngày vào cơ quan", "Ngày thôi việc"),
    (None, None, None, "Nam", "Nữ", None, None, None, None, None, "TS", "ThS", "ĐH", "CĐ", "TC", "SC"),
    *[tuple(f"({n})" for n in range(1, 24))],
    (1, "Trần Văn A", "05/03/1975", "x", None, "056075000101", "Bí thư", "22453.DU", "Cán bộ", "01.002", None, "x",
     "x", None, None, None, "Luật học", "Cao cấp", "x", 42.5, "Xã Vĩnh Phương, TP Nha Trang, tỉnh Khánh Hòa", "01/07/2025", None),
    (2, "Lê Thị B", "1/2/1980", None, "x", 56180000102, "Chủ tịch", "22453.UBND", "CC", "Chuyên viên", None, None,
     "x", None, None, None, "Kỹ sư CNTT", "TC/CC", "không", "40", "Xã Cam Tân, huyện Cam Lâm, tỉnh Khánh Hòa", "1/7/2025", None),
    (3, "Ngô Văn C", "02/02/1980", "x", None, "056080000103", "PCT", "nt", "Công chức", None, None, None, None, None,
     None, None, "Quản trị khách sạn", "-", None, None, "Bình Định", None, None),
    (4, "Đỗ Văn D", "03/02/1982", "x", None, "056082000104", "Văn thư", "22453.UBND", "HĐLĐ", None, None, None, None,
     "x", None, None, None, "chưa qua", None, None, None, "01/07/2025", "30/6/2026"),
    (5, "Mai Văn E", "03/02/1983", "x", None, "056083000105", "PTP", "22453.KT", "Công chức", None, None, None, "x",
     None, None, None, "Kế toán xây dựng", None, None, None, None, None, None),
    (6, "Vũ Văn G", "03/02/1984", "x", "x", "056084000106", "CV", "22453.KT", "Công chức", None, None, None, "x"),
    (7, "Hồ Văn H", "03/02/1985", "x", None, "056085000107", "CV", "22453.KT", "Công chức", None, None, None, "x",
     None, None, None, None, None, None, -3, None, None, None),
    (8, "Tô Văn I", "03/02/1986", "x", None, "056086000108", "CV", "22453.KT", "Công chức", None, None, None, "x",
     None, None, None, None, None, None, None, None, "01/08/2025", "31/7/2025"),
    (9, "Tô Văn K", "03/02/1986", "x", None, "056086000109", "CV", "22453.KT", "Công chức", None, None, None, "x",
     None, None, None, None, None, None, None, None, "01/08/1985", None),
    ("Tổng cộng: 9 người",),
    (None, "Người lập biểu", None, None, None, None, "TM. ỦY BAN NHÂN DÂN"),
]  # fmt: skip


class Files:
    """A world after one run over a list of each kind, and where they came from."""

    def __init__(self, world: World) -> None:
        self.world = world
        merged = ("K6:L6", *(f"{x}6:{x}7" for x in "ABCDEFGHIJM"))
        self.organizations = world.drop("SNV", workbook(ORGANIZATIONS, merged=merged), "to_chuc.xlsx", period=MONTH)
        head = ("Mã tổ chức", "Tên tổ chức", "Khối", "Cấp", "Loại tổ chức", "Mã xã", "Hiệu lực từ ngày")
        bodies = [
            ("22453.DU", "Đảng ủy xã Cam Lâm", "Đảng", "Xã", "Đảng ủy xã", COMMUNE, "01/07/2025"),
            ("22453.MT", "UB MTTQ xã Cam Lâm", "MTTQVN", "Xã", "UB MTTQ", COMMUNE, "01/07/2025"),
        ]
        self.party = world.drop("BTC", text_csv([head, *bodies], ";", "utf-8-sig"), "to_chuc.csv", period=MONTH)
        merged = ("I4:J4", "L4:M4", *(f"{x}4:{x}5" for x in "ABCDEFGHKN"))
        self.posts = world.drop("BTC", workbook(POSTS, merged=merged), "chuc_danh.xlsx", period=MONTH)
        own = ("CCCD", "Mã tổ chức", "Chức danh", "Lĩnh vực", "Chính", "Từ ngày", "Mã xã")
        rows = [
            ("056088000201", "22366.KT", "Công chức", "Xây dựng", "x", "01/07/2025", ""),
            ("056088000202", "22453.KT", "Chuyên viên", "CNTT", "x", "01/07/2025", COMMUNE),
        ]
        self.own = world.drop(WARD, text_csv([own, *rows]), "chuc_danh.csv", period=MONTH)
        merged = ("D3:E3", "K3:P3", *(f"{x}3:{x}4" for x in "ABCFGHIJQRSTUVW"))
        self.staff = world.drop(COMMUNE, workbook(STAFF, merged=merged), "can_bo.xlsx", period=QUARTER)
        world.run()


@pytest.fixture(scope="module")
def files(make_world: Make) -> Files:
    return Files(make_world())


def test_organizations_of_a_form(files: Files) -> None:
    rows = files.world.rows(
        "select organization_code, organization_name, bloc, level, organization_type, parent_code, commune_code, "
        "from_two_provinces, status, valid_from, valid_to from mart_v1.organizations_history order by 1"
    )
    first, end = date(2025, 7, 1), date(2025, 7, 1)
    assert rows == [
        ("22366.VHXH", "Phòng Văn hóa - Xã hội", "CHINH_QUYEN", "TINH", "PHONG_XA", None, WARD, False, "HOAT_DONG",
     first, None),
        ("22366.X", "Chi cục gì đó", "CHINH_QUYEN", "XA", "CHI_CUC", None, WARD, False, "HOAT_DONG", first, None),
        ("22453.DU", "Đảng ủy xã Cam Lâm", "DANG", "XA", "DANG_UY_XA", None, COMMUNE, None, None, first, None),
        ("22453.KT", "Phòng Kinh tế", "CHINH_QUYEN", "XA", "PHONG_XA", "22453.UBND", COMMUNE, False, "HOAT_DONG", first, None),
        ("22453.MT", "UB MTTQ xã Cam Lâm", "MTTQ", "XA", "MTTQ", None, COMMUNE, None, None, first, None),
        ("BVT", "Bệnh viện tỉnh", "DVSNCL", "TINH", "DVSN", "SYT", None, False, "HOAT_DONG", first, None),
        ("SNV", "Sở Nội vụ", "CHINH_QUYEN", "TINH", "SO", None, None, True, "HOAT_DONG", first, None),
        ("SNV-KH", "Sở Nội vụ (cũ)", "CHINH_QUYEN", "TINH", "SO", None, None, False, "SAP_NHAP", date(2016, 1, 1), end),
        ("SNV.P1", "Phòng Tổ chức biên chế", "CHINH_QUYEN", "TINH", "PHONG_SO", "SNV", None, False, "HOAT_DONG", first, None),
    ]  # fmt: skip
    answered = files.world.submission(files.organizations)
    assert said(answered) == {
        ("L14", "organization_ended_says_when"),
        ("L15", "organizations.effective_to.after_effective_from"),
        ("M17", "MISSING"),
        ("H19", "organization_of_commune_names_it"),
        ("D22", "NOT_IN_LIST"),
    }
    assert said(answered, "warning") == {
        ("E20", "organization_type_of_commune_level"),
        ("E21", "organization_type_of_province_level"),
        ("J10", "organization_predecessor_unknown"),  # SNV-NT: of SNV-KH the end is told
        ("G12", "organization_parent_known"),  # SYT has sent nothing
        ("G18", "organization_parent_known"),  # its row is in quarantine
    }
    worded(answered)
    assert files.world.submission(files.party)["state"] == "accepted"
    assert files.world.proved("organizations") == len(rows)


def test_posts_of_a_form(files: Files) -> None:
    rows = files.world.rows(
        "select organization_code, post, acting, specialism, is_main, appointment, published, local_origin, started_on, "
        "valid_from, valid_to from core.assignments where publish_to is null and organization_code like '22453%' "
        "order by started_on, organization_code, post"
    )
    july, august = date(2025, 7, 1), date(2025, 8, 1)
    assert rows == [
        ("22453.DU", "BI_THU", None, None, True, "CHI_DINH", True, "KHONG", july, july, None),
        ("22453.DU", "CN_UBKT", None, None, True, "DIEU_DONG", True, "KHONG", july, july, None),
        ("22453.HDND", "CT_HDND", None, None, False, "BAU", True, None, july, july, None),
        ("22453.KT", "CAP_PHO", None, None, True, "BO_NHIEM", True, None, july, july, None),
        ("22453.UBND", "CT_UBND", "QUYEN", None, True, "BAU", True, "CHUA_RO", july, july, date(2026, 1, 1)),
        ("22453.UBND", "PCT_UBND", None, None, True, None, None, None, july, july, None),
        ("22453.KT", "CHUYEN_MON", None, "TC_KE_TOAN", True, None, None, None, august, august, None),
    ]
    answered = files.world.submission(files.posts)
    assert said(answered) == {
        ("F14", "assignment_specialist_has_field"),
        ("E15", "NOT_IN_LIST"),  # Bí thư Đoàn
        ("E16", "NOT_IN_LIST"),  # Chủ tịch UB MTTQ
        ("E17", "TWO_FACTS"),
        ("K18", "assignment_key_post_says_origin"),
        ("M19", "assignments.ended_on.after_started_on"),
        ("E21", "NOT_IN_LIST"),  # Bí thư of what?
        ("B22", "BAD_CITIZEN_ID"),  # without birth and sex nothing proves that it was a zero
    }
    warned = said(answered, "warning")
    assert {w for w in warned if not w[1].endswith("_known")} == {
        ("L20", "assignment_start_plausible"),
        ("I11", "assignment_appointed_by_decision"),
        ("I12", "assignment_appointed_by_decision"),
    }
    # of a body whose own row is in quarantine, and of a person whose row is
    assert {("D8", "assignment_organization_known"), ("B12", "assignment_person_known")} < warned
    worded(answered)


def test_posts_that_a_commune_adds(files: Files) -> None:
    assert files.world.rows(
        "select organization_code, post, specialism, commune_code from core.assignments "
        "where publish_to is null and organization_code like '22366%' and post = 'CHUYEN_MON'"
    ) == [("22366.KT", "CHUYEN_MON", "XAY_DUNG_DO_THI", WARD)]
    answered = files.world.submission(files.own)
    assert answered["set_aside"]["OUT_OF_SCOPE"] == 1


def test_staff_of_a_full_form(files: Files) -> None:
    rows = files.world.rows(
        "select i.value, gender, organization_code, employment_type, education, specialism, "
        "digital_skills, training_hours::float, home_commune_code, started_on, left_on from core.staff s "
        "join vault.identifier i on i.subject = s.citizen_id where s.publish_to is null order by 1"
    )
    july = date(2025, 7, 1)
    assert rows == [
        ("056075000101", "NAM", "22453.DU", "CAN_BO", "ThS", "LUAT_TU_PHAP", True, 42.5, "22333", july, None),
        ("056080000103", "NAM", "22453.UBND", "CONG_CHUC", None, "KHAC", None, None, None, None, None),
        ("056082000104", "NAM", "22453.UBND", "HOP_DONG", "CD", None, None, None, None, july, date(2026, 6, 30)),
        ("056086000109", "NAM", "22453.KT", "CONG_CHUC", "DH", None, None, None, None, date(1985, 8, 1), None),
        ("056180000102", "NU", "22453.UBND", "CONG_CHUC", "DH", "CNTT_CDS", False, 40.0, None, july, None),
    ]  # fmt: skip
    answered = files.world.submission(files.staff)
    assert said(answered) == {
        ("Q10", "NOT_IN_LIST"),  # Kế toán xây dựng is two fields
        ("D11:E11", "SEVERAL_MARKED"),
        ("T12", "OUT_OF_RANGE"),
        ("W13", "staff_left_after_joining"),
    }
    bodies = {(f"H{row}", "staff_organization_known") for row in (7, 8, 9)}
    assert said(answered, "warning") == {("V14", "staff_joined_as_grown_up"), *bodies}
    worded(answered)


def test_no_personal_column_is_published(files: Files) -> None:
    shown = {
        name: {r[0] for r in files.world.rows(
            "select column_name from information_schema.columns where table_schema = 'mart_v1' and table_name = %s", [name]
        )}
        for name in ("staff", "staff_history", "assignments", "assignments_history")
    }  # fmt: skip
    hidden = {"citizen_id", "full_name", "date_of_birth", "gender", "home_place", "home_commune_code", "local_origin"}
    assert all(not columns & hidden for columns in shown.values())
