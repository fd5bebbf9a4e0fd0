"""Rules across rows, files, datasets and periods of the reporting system: each fails once and is kept beside that; where a norm is
not known, what needs it says nothing; nothing depends on the order of arrival."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import pytest

from assets.core.worklists import LISTS, Source, counts
from assets.marts.findings import places
from assets.returns.answers import answer
from assets.returns.worklist_book import sheets_of
from tests.e2e.conftest import Make
from tests.e2e.flows import World, text_csv, worded

COMMUNE, WARD = "22453", "22366"  # Xã Cam Lâm, Phường Nha Trang
MAY, JUNE = "2026-05", "2026-06"

ORGANIZATIONS = [
    ("Mã tổ chức", "Tên tổ chức", "Khối", "Cấp", "Loại tổ chức", "Mã cấp trên", "Mã xã", "Mã định danh", "Hiệu lực từ ngày",
     "Hiệu lực đến ngày", "Trạng thái"),
    ("SNV", "Sở Nội vụ", "Chính quyền", "Tỉnh", "Sở", "", "", "H32.01", "01/07/2025", "", "Hoạt động"),
    ("SNV.P1", "Phòng một", "Chính quyền", "Tỉnh", "Phòng thuộc sở", "SNV", "", "", "01/07/2025", "", "Hoạt động"),
    ("SNV.P2", "Phòng hai", "Chính quyền", "Tỉnh", "Phòng thuộc sở", "SNV", "", "H32.01", "01/07/2025", "", "Hoạt động"),
    ("HCC", "Trung tâm", "Chính quyền", "Xã", "TT PVHCC", "", COMMUNE, "", "01/07/2025", "", "Hoạt động"),
    ("DU", "Đảng ủy", "Đảng", "Xã", "Đảng ủy xã", "", COMMUNE, "", "01/07/2025", "", "Hoạt động"),
    ("CU", "Phòng cũ", "Chính quyền", "Tỉnh", "Phòng thuộc sở", "SNX", "", "", "01/07/2015", "30/06/2025", "Giải thể"),
]  # fmt: skip

STAFF = [
    ("Họ và tên", "Ngày sinh", "Giới tính", "Số CCCD", "Chức vụ", "Mã cơ quan", "Quê quán", "Loại cán bộ"),
    ("Trần Văn A", "05/03/1975", "Nam", "056075000101", "Bí thư", "DU", "xã Cam Lâm, tỉnh Khánh Hòa", "Cán bộ"),
    ("Lê Thị B", "01/02/1980", "Nữ", "056180000102", "Chủ tịch", "DU", "phường Nha Trang, tỉnh Khánh Hòa", "Công chức"),
]

POSTS = [
    ("Số CCCD", "Mã tổ chức", "Chức danh", "Chính", "Hình thức", "Số quyết định", "Ngày QĐ", "Công khai", "Người địa phương",
     "Từ ngày"),
    ("056075000101", "DU", "Bí thư Đảng ủy", "x", "Chỉ định", "1-QĐ", "01/06/2025", "", "Không", "01/07/2025"),
    ("056180000102", "DU", "Chủ nhiệm UBKT", "x", "Chỉ định", "2-QĐ", "01/06/2025", "", "Không", "01/07/2025"),
    ("056080000103", "SNV", "Phó Giám đốc Sở", "x", "Bổ nhiệm", "3-QĐ", "01/02/2026", "x", "", "01/03/2026"),
    ("056082000104", "SNV", "Phó Giám đốc Sở", "x", "Bổ nhiệm", "4-QĐ", "01/02/2026", "x", "", "01/03/2026"),
]  # fmt: skip

QUOTAS = [
    (
        "Mã cơ quan",
        "Biên chế công chức",
        "Biên chế viên chức",
        "Cấp phó được giao",
        "Số bổ nhiệm",
        "Số bổ nhiệm công khai",
    ),
    ("SNV", 20, 5, 3, 2, 1),
    ("SNV.P1", 12, 2, 4, 0, 0),
    ("SNV.P2", 9, 3, 1, 0, 0),
    ("DU", 1, 0, 0, 0, 0),
]

KPI_HEAD = ("Số CCCD", "Mã đơn vị", "Nhóm tương đồng", "Điểm chung", "Số lượng (%)", "Chất lượng (%)", "Tiến độ (%)",
            "Kết quả đơn vị", "Tổ chức triển khai", "Tập hợp, đoàn kết", "Điểm kết quả", "Tổng điểm", "Xếp loại",
            "Lý do KHT")  # fmt: skip


def _kpi(
    n: int, rating: str, result: float = 56, *, total: float | None = None, why: str = "", group: str = "Một"
) -> tuple[Any, ...]:
    common = 30 if rating == "XS" else 25
    share = {"XS": 90, "T": 80, "HT": 50, "KHT": 80}[rating]
    leads = (share, share, share) if n == 101 else ("", "", "")
    stated = common + result if total is None else total
    number = {101: "056075000101", 102: "056180000102"}.get(n, f"0560{n - 60:02}000{n:03}")
    return (number, "HCC", group, common, share, share, share, *leads, result, stated, rating, why)


KPI = [
    KPI_HEAD,
    _kpi(101, "XS", 63),
    _kpi(102, "XS", 63),
    *[_kpi(n, "T") for n in range(103, 108)],  # five good ones allow one excellent
    _kpi(108, "T", total=85),  # 25 + 56
    _kpi(109, "HT", 35, group="Hai"),
    _kpi(110, "HT", 40, group="Hai"),  # 70 times 50 %
    _kpi(111, "KHT", why="Vi phạm kỷ luật", group="Hai"),
    _kpi(112, "KHT", group="Hai"),  # why?
    _kpi(113, "XS", 63, group=""),  # one of no group, where nobody is good
]

NORMS = [
    ("Mã định mức", "Áp dụng cho", "Từ ngày", "Giá trị", "Căn cứ"),
    ("KPI_TOLERANCE", "", "01/01/2026", "0,05", "NĐ 335/2025/NĐ-CP"),
    ("KPI_RESULT_POINTS", "", "01/01/2026", 70, "NĐ 335/2025/NĐ-CP, chưa xác minh"),
    ("KPI_BAND_MIN", "XS", "01/01/2026", 90, "NĐ 335/2025/NĐ-CP"),
    ("KPI_BAND_MIN", "T", "01/01/2026", 70, "NĐ 335/2025/NĐ-CP"),
    ("KPI_BAND_MIN", "HT", "01/01/2026", 50, "NĐ 335/2025/NĐ-CP"),
    ("KPI_XS_SHARE", "", "01/01/2024", "0,9", "văn bản cũ"),  # never ended, and overtaken
    ("KPI_XS_SHARE", "", "01/01/2026", "0,2", "NĐ 335/2025/NĐ-CP"),
]

FLOW_HEAD = ("Mã cơ quan", "Mã TTHC", "Mức độ DVC", "Tồn đầu kỳ", "Trực tuyến", "Trực tiếp", "BCCI", "Rút, từ chối", "Trước hạn",
             "Đúng hạn", "Quá hạn", "Trong hạn", "Đang giải quyết quá hạn", "Số hóa", "Kết quả điện tử")  # fmt: skip

STATISTICS = {
    MAY: [
        FLOW_HEAD,
        ("HCC", "1.001", "Toàn trình", 0, 2, 1, 0, 0, 1, 0, 0, 1, 1, 2, 1),
        ("HCC", "1.002", "Toàn trình", 0, 1, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0),
        ("SNV", "1.003", "Không", 0, 0, 9, 0, 0, 9, 0, 0, 0, 0, 0, 0),  # no dossiers: nothing to compare
        # as in the next month, and yet a figure of its own
        ("HCC", "1.004", "Toàn trình", 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0),
    ],
    JUNE: [
        FLOW_HEAD,
        ("HCC", "1.001", "Toàn trình", 2, 1, 0, 1, 1, 0, 1, 1, 0, 1, 0, 0),
        ("HCC", "1.002", "Một phần", 0, 2, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0),  # one was open; one was received
        ("HCC", "1.004", "Toàn trình", 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0),
    ],
}
"""May is 15 April to 14 May, June 15 May to 14 June."""

DOSSIERS = [
    ("Mã hồ sơ", "Mã TTHC", "Mức độ", "Mã cơ quan", "Ngày tiếp nhận", "Ngày hẹn trả", "Ngày trả", "Ngày rút", "Hình thức", "Số hóa",
     "Kết quả điện tử"),
    ("A1", "1.001", "Toàn trình", "HCC", "20/04/2026", "10/05/2026", "08/05/2026", "", "Trực tuyến", "x", "x"),
    ("A2", "1.001", "Toàn trình", "HCC", "21/04/2026", "13/05/2026", "20/05/2026", "", "Trực tuyến", "x", ""),  # late
    ("A3", "1.001", "Toàn trình", "HCC", "10/05/2026", "30/05/2026", "", "25/05/2026", "Trực tiếp", "", ""),
    ("A4", "1.001", "Toàn trình", "HCC", "15/05/2026", "10/06/2026", "10/06/2026", "", "Trực tuyến", "", ""),
    ("A5", "1.001", "Toàn trình", "HCC", "16/05/2026", "13/06/2026", "", "", "Bưu chính", "", ""),  # overdue on the 14th
    ("B1", "1.002", "Toàn trình", "HCC", "14/05/2026", "20/06/2026", "10/06/2026", "", "Trực tuyến", "", ""),
    ("B2", "1.002", "Toàn trình", "HCC", "14/06/2026", "30/06/2026", "", "", "Trực tuyến", "", ""),
    ("D1", "1.004", "Toàn trình", "HCC", "20/04/2026", "25/04/2026", "22/04/2026", "", "Trực tuyến", "", ""),
    ("D2", "1.004", "Toàn trình", "HCC", "20/05/2026", "25/05/2026", "22/05/2026", "", "Trực tuyến", "", ""),
    ("B3", "1.002", "Toàn trình", "HCC", "15/06/2026", "30/06/2026", "", "", "Trực tuyến", "", ""),  # the next period
    ("C1", "1.003", "Không", "SNX", "15/05/2026", "30/06/2026", "", "", "Trực tiếp", "", ""),  # an office that nobody knows
    ("C2", "1.003", "Không", "SNX", "16/05/2026", "30/06/2026", "", "", "Trực tiếp", "", ""),
]  # fmt: skip

VILLAGES = [
    ("Tên thôn", "Loại", "Số hộ", "Số khẩu"),
    ("Thôn Một", "Thôn", 400, 1500),
    ("Thôn Hai", "Tổ dân phố", 300, 1100),
]
POPULATION = [
    ("Tỉnh", "Xã, phường", "Dân số", "Số hộ"),
    ("Khánh Hòa", "Xã Cam Lâm", 3000, 750),
    ("Khánh Hòa", "Phường Nha Trang", 1600, 410),
]

SENT: list[tuple[str, str, str, Sequence[Sequence[Any]]]] = [
    ("SNV", JUNE, "to_chuc.csv", ORGANIZATIONS),
    (COMMUNE, "2026-Q2", "can_bo.csv", STAFF),
    ("BTC", JUNE, "chuc_danh.csv", POSTS),
    ("SNV", "2026", "chi_tieu.csv", QUOTAS),
    (COMMUNE, JUNE, "kpi.csv", KPI),
    ("VP_UBND", MAY, "thong_ke.csv", STATISTICS[MAY]),
    ("VP_UBND", JUNE, "thong_ke.csv", STATISTICS[JUNE]),
    (COMMUNE, JUNE, "ho_so.csv", DOSSIERS),
    (COMMUNE, "2026-Q2", "thon.csv", VILLAGES),
    (WARD, "2026-Q2", "thon.csv", [VILLAGES[0], ("Tổ 1", "Tổ dân phố", 400, 1600)]),
    ("CA", "2026-Q2", "dan_so.csv", POPULATION),
    ("SNV", JUNE, "dinh_muc.csv", NORMS),
]

FLAGGED = {
    "organization_agency_code_once": {("SNV", "SNV.P2"), ("SNV.P2", "SNV")},
    "organization_parent_known": {("SNX", "")},
    "assignment_local_origin_hint": {("DU",)},
    "quota_deputies_within_parent": {("4", "3", "SNV")},
    "quota_covers_staff": {("2", "1")},
    "quota_appointments_and_posts": {("2", "1", "2", "2")},
    "kpi_scores_add_up": 1,
    "kpi_rating_fits_score": 1,
    "kpi_result_of_parts": 1,
    "kpi_excellent_within_cap": {("HCC", "Một", "2", "6", "1"), ("HCC", "chung", "1", "0", "0")},
    "kpi_person_known": 11,
    "statistics_stock_carried_over": {("0", "1")},
    "statistics_follow_from_dossiers": {
        ("Mức độ dịch vụ công: MOT_PHAN ≠ TOAN_TRINH; Tiếp nhận trực tuyến: 2 ≠ 1; Tồn đầu kỳ: 0 ≠ 1",)
    },
    "dossier_organization_known": {("SNX", "2")},
    "village_type_fits_unit": {("TDP", "Xã Cam Lâm")},
    "village_households_and_commune": {("700", "CA (30/06/2026): 750")},
    "norm_one_at_a_time": {("01/01/2026",)},
    "assignment_person_known": 2,
}
"""Rule -> what its findings say (the order of the rule's params is theirs), or how many there are."""
ORDER = {
    "organization_agency_code_once": "own others", "organization_parent_known": "organization known",
    "assignment_local_origin_hint": "organization", "quota_deputies_within_parent": "value whole parent",
    "quota_covers_staff": "people value",
    "quota_appointments_and_posts": "value published listed listed_published",
    "kpi_excellent_within_cap": "organization group excellent good allowed", "statistics_stock_carried_over": "value before",
    "dossier_organization_known": "organization rows",
    "statistics_follow_from_dossiers": "differences", "village_type_fits_unit": "value unit",
    "village_households_and_commune": "computed counts", "norm_one_at_a_time": "since",
}  # fmt: skip


def _found(world: World) -> dict[str, Any]:
    """Rule -> what its findings say, as in FLAGGED."""
    rows = world.rows("select rule, params from mart_v1.findings f order by 1")
    codes = dict(world.rows("select organization_id, organization_code from mart_v1.organizations"))
    owners = world.rows(
        "select entity_id from mart_v1.findings where rule = 'organization_agency_code_once' order by params::text"
    )
    found: dict[str, Any] = {}
    for rule, params in rows:
        if rule not in ORDER:
            found[rule] = found.get(rule, 0) + 1
            continue
        if rule == "organization_agency_code_once":
            params["own"] = "SNV" if params["others"] == "SNV.P2" else "SNV.P2"
            assert params["own"] in {codes[o] for (o,) in owners}
        found.setdefault(rule, set()).add(tuple(str(params[name]) for name in ORDER[rule].split()))
    return found


@pytest.fixture(scope="module")
def province(make_world: Make) -> World:
    """A world into which everything was sent at once."""
    world = make_world()
    for sender, period, name, rows in SENT:
        world.drop(sender, text_csv(rows), name, period=period)
    world.run()
    return world


def test_each_rule_finds_what_is_wrong_and_nothing_else(province: World) -> None:
    states = province.rows("select dataset, state from intake.submission where state not in ('accepted', 'partly')")
    assert states == []
    assert province.rows("select count(*) from staging.quarantine") == [(0,)]
    assert _found(province) == FLAGGED
    # those whom a list of staff has are the same persons there
    both = "select count(*) from mart_v1.kpi_evaluations join mart_v1.staff using (person_id)"
    assert province.rows(both) == [(2,)]


def test_senders_are_told_in_their_words(province: World) -> None:
    for sender, period, name, _ in SENT:
        worded(province.submission(f"{period}/{sender}/{name}"))
    told = province.submission(f"{JUNE}/VP_UBND/thong_ke.csv")
    (row,) = [r for r in told["rows"] if r["rule"] == "statistics_follow_from_dossiers"]
    assert (row["row"], row["severity"]) == (3, "warning")
    assert "Tiếp nhận trực tuyến: 2 ≠ 1" in row["message"]


def test_the_first_places_of_each_rule_are_the_cells_that_its_senders_are_told(province: World) -> None:
    told: dict[str, set[tuple[str, str]]] = {}
    with province.connection() as connection:
        for (name,) in province.rows("select submission_id from intake.submission"):
            for row in answer(connection, province.pipeline.contracts, name)["rows"]:
                told.setdefault(row["rule"], set()).add((name, row["address"]))
        found = {
            r: p for c in province.pipeline.contracts.values() if c.across for r, p in places(connection, c).items()
        }
    assert set(found) == {rule for (rule,) in province.rows("select distinct rule from mart_v1.findings")}
    for rule, where in found.items():
        assert len(where) == min(len(told[rule]), 10) and told[rule].issuperset(where), rule


def test_statistics_that_the_dossiers_do_not_bear_out_wait_in_a_list(province: World) -> None:
    with province.connection() as connection:
        source = Source(connection, province.pipeline.contracts)
        assert counts(source)["statistics_differences"] == 1
        rows = LISTS["statistics_differences"].rows(source)
    assert [(r["organization_code"], r["procedure_code"], r["valid_from"]) for r in rows] == [
        ("HCC", "1.002", date(2026, 5, 15))
    ]
    (sheet,) = sheets_of({"statistics_differences": rows}, province.pipeline.contracts)
    assert sheet.rows == [
        ["HCC", "1.002", "15/05/2026", "15/06/2026", next(iter(FLAGGED["statistics_follow_from_dossiers"]))[0]]
    ]


def test_nothing_depends_on_the_order_and_norms_bind_once_they_are_known(make_world: Make, province: World) -> None:
    world = make_world()
    for sender, period, name, rows in reversed(SENT[:-1]):
        world.drop(sender, text_csv(rows), name, period=period)
    world.run()
    need_norms = {r for r in FLAGGED if r.startswith(("kpi_", "norm_")) and not r.endswith("_known")}
    assert _found(world) == {r: f for r, f in FLAGGED.items() if r not in need_norms}
    results = dict(
        world.rows("select rule, status from core.rule_result where publish_to is null and rule like 'kpi%%'")
    )
    assert all(results.get(r, "not_evaluated") == "not_evaluated" for r in need_norms)
    sender, period, name, rows = SENT[-1]
    world.drop(sender, text_csv(rows), name, period=period)
    world.run()
    assert _found(world) == FLAGGED
    # a norm of another day does not bind: what was sent is replaced by one that begins later
    later = [rows[0], *[(*r[:2], "01/07/2026", *r[3:]) for r in rows[1:7]]]
    world.drop(sender, text_csv(later), "dinh_muc_2.csv", period="2026-07")
    world.run()
    assert {r: f for r, f in _found(world).items() if r in need_norms and r != "norm_one_at_a_time"} == {
        r: f for r, f in FLAGGED.items() if r in need_norms and r != "norm_one_at_a_time"
    }


def _story(luck: random.Random) -> list[tuple[str, str, str, list[tuple[Any, ...]]]]:
    """Five months of dossiers, statistics and evaluations, with norms, and organisations that come twice."""
    months = ("2026-04", "2026-05", "2026-06", "2026-07", "2026-08")
    sent = [
        (sender, period, name, rows) for sender, period, name, rows in SENT if rows[0] in (NORMS[0], ORGANIZATIONS[0])
    ]
    sent.append(("SNV", "2026-07", "to_chuc_2.csv", [*ORGANIZATIONS[:4], *ORGANIZATIONS[5:]]))
    later = [
        NORMS[0],
        *[(*n[:2], "01/07/2026", n[3], n[4]) for n in NORMS[1:3]],
        ("KPI_XS_SHARE", "", "01/07/2026", "0,5", "mới"),
    ]
    sent.append(("SNV", "2026-07", "dinh_muc_2.csv", later))
    open_: list[list[Any]] = []
    for number, month in enumerate(months):
        day = date(2026, 4 + number, 14)
        news = [
            [f"D{number}{n}", luck.choice(("1.001", "1.002")), "Toàn trình", luck.choice(("HCC", "XA")),
             day - timedelta(days=luck.randint(0, 28)), day + timedelta(days=luck.randint(-10, 30)), None, None,
             luck.choice(("Trực tuyến", "Trực tiếp")), luck.choice(("x", "")), ""]
            for n in range(6)
        ]  # fmt: skip
        for one in [*news, *luck.sample(open_, min(3, len(open_)))]:
            fate = luck.randrange(4)
            if fate in (1, 2):
                one[5 + fate] = min(max(one[4], day - timedelta(days=luck.randint(0, 20))), day)
            elif fate == 3 and one in open_:  # said otherwise
                one[4] -= timedelta(days=35)
        open_ = [one for one in [*open_, *news] if one[6] is None and one[7] is None]
        told = [[f"{c:%d/%m/%Y}" if isinstance(c, date) else c or "" for c in one] for one in [*news, *open_]]
        sent.append(("VP_UBND", month, "ho_so.csv", [DOSSIERS[0], *map(tuple, told)]))
        flows = []
        for office, procedure in (("HCC", "1.001"), ("HCC", "1.002"), ("XA", "1.001"), ("XA", "1.002")):
            stock, online, counter = luck.randrange(1, 3), luck.randrange(4), luck.randrange(3)
            open_now = stock + online + counter - 1
            flows.append((office, procedure, "Toàn trình", stock, online, counter, 0, 0, 0, 1, 0, open_now, 0, 0, 0))
        sent.append(("VP_UBND", month, "thong_ke.csv", [FLOW_HEAD, *flows]))
        sent.append(("SNV", month, "danh_gia.csv", [KPI_HEAD, *luck.sample(KPI[1:], 9)]))
    return sent


@pytest.mark.parametrize("seed", [1])
def test_judging_what_a_publish_touches_is_judging_all(seed: int, make_world: Make) -> None:
    results = (
        "select dataset, rule, evaluated, failed, counts from core.rule_result where publish_to is null order by 1, 2"
    )
    luck, world = random.Random(seed), make_world()
    story = _story(luck)
    luck.shuffle(story)
    cuts = sorted(luck.sample(range(1, len(story)), 5))
    for start, end in zip([0, *cuts], [*cuts, len(story)], strict=True):
        for sender, period, name, rows in story[start:end]:
            world.drop(sender, text_csv(rows), name, period=period)
        world.run()
        before = world.rows(results)
        world.execute("update core.rule_result set fingerprint = ''")
        assert world.run().published is None
        assert world.rows(results) == before
    states = (
        "select dataset, state, problems from intake.submission where state not in ('accepted', 'partly', 'superseded')"
    )
    assert world.rows(states) == []
    judged = dict(world.rows("select rule, count(*) from mart_v1.findings group by 1"))
    assert {
        "statistics_follow_from_dossiers",
        "statistics_stock_carried_over",
        "kpi_excellent_within_cap",
    } <= judged.keys()
