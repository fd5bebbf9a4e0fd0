"""Organisations and villages by their names: without a code, abbreviated, respelled, renamed, in an old commune."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from itertools import permutations
from typing import Any

import pytest

from tests.e2e.conftest import Make
from tests.e2e.flows import FIRST_ARRIVAL, World, text_csv, workbook

VILLAGES = ("Tên thôn", "Loại", "Số hộ", "Số khẩu", "Kế thừa từ")
ORGANIZATIONS = ("Mã tổ chức", "Tên tổ chức", "Khối", "Cấp", "Loại tổ chức", "Mã cấp trên", "Mã xã", "Hiệu lực từ ngày")
A, B = "22366", "22453"  # Phường Nha Trang, Xã Cam Lâm
STAY = tuple((f"Tổ dân phố {n}", "TDP", 100 + n, 400) for n in range(11, 19))


def village_list(*rows: Sequence[Any]) -> bytes:
    return text_csv([VILLAGES, *((*r, "")[:5] for r in (*rows, *STAY))])


def organization_list(*rows: tuple[str, str, str, str, str]) -> bytes:
    """(code, name, type, parent, commune)"""
    return text_csv(
        [
            ORGANIZATIONS,
            *(
                (c, n, "Chính quyền", "Xã" if place else "Tỉnh", t, p, place, "01/07/2025")
                for c, n, t, p, place in rows
            ),
        ]
    )


KT = ("22366.KT", "Phòng Kinh tế", "Phòng cấp xã", "", A)
KT_B = ("22453.KT", "Phòng Kinh tế", "Phòng cấp xã", "", B)
HCC = ("22366.HCC", "Trung tâm Phục vụ hành chính công", "TT PVHCC", "", A)
UBND = ("22366.UBND", "UBND phường Nha Trang", "UBND", "", A)
KHCN = ("SKHCN", "Sở Khoa học và Công nghệ", "Sở", "", "")
ALL = (KT, KT_B, HCC, UBND, KHCN)


def decisions(*rows: tuple[str, int, int, str]) -> bytes:
    """(dataset, record, record, word)"""
    head = ("Bộ dữ liệu", "Mã hồ sơ thứ nhất", "Mã hồ sơ thứ hai", "Quyết định", "Lý do", "Người quyết định")
    return workbook([head, *((d, str(a), str(b), w, "Đã đối chiếu", "Lý Thị Đào") for d, a, b, w in rows)])


def names_now(world: World, commune: str) -> dict[str, int]:
    """Names of villages now -> their ids."""
    return {
        name: number
        for name, number in world.rows(
            "select village_name, entity_id from core.villages where publish_to is null and valid_to is null "
            "and commune_code = %s",
            [commune],
        )
        if name not in {s[0] for s in STAY}
    }


def doubts(world: World) -> list[str]:
    return [r[0] for r in world.rows("select why from core.doubt where publish_to is null order by 1")]


def links(world: World) -> list[tuple[str, bool]]:
    return world.rows("select rule, cured from core.link where publish_to is null order by 1, 2")


# --- organisations ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "type_", "place", "code"),
    [
        ("Phòng Kinh tế", "Phòng cấp xã", A, "22366.KT"),
        ("P. KT", "Phòng cấp xã", A, "22366.KT"),
        ("Phong Kinh te phuong Nha Trang", "Phòng cấp xã", A, "22366.KT"),
        ("P. KT", "Phòng cấp xã", B, "22453.KT"),
        ("TT PVHCC", "TT PVHCC", A, "22366.HCC"),
        ("Trung tâm Phục vụ hành chính côn", "TT PVHCC", A, "22366.HCC"),
        ("Ủy ban nhân dân P. Nha Trang", "UBND", A, "22366.UBND"),
        ("Sở KH&CN", "Sở", "", "SKHCN"),
    ],
)
def test_an_organisation_without_a_code_is_known_by_its_name(
    world: World, name: str, type_: str, place: str, code: str
) -> None:
    world.drop("SNV", organization_list(*ALL), "a.csv", period="2026-05")
    mine = world.drop("BTC", organization_list(("", name, type_, "", place)), "b.csv", period="2026-06")
    world.run()
    told = world.submission(mine)
    assert told["counts"]["accepted"] == 1 and told["counts"]["quarantined"] == 0
    assert world.rows(
        "select count(distinct entity_id)::int, count(distinct organization_code)::int from core.organizations "
        "where publish_to is null and valid_to is null"
    ) == [(5, 5)]
    ((rule, cured),) = links(world)
    assert cured and rule in ("same_name", "model:unit.v1") and doubts(world) == []
    assert world.rows(
        "select distinct o.organization_code from core.link l join core.organizations o using (entity_id) "
        "where l.publish_to is null and o.publish_to is null"
    ) == [(code,)]


def test_namesakes_of_two_communes_never_join(world: World) -> None:
    world.drop("SNV", organization_list(KT_B, KHCN), "a.csv", period="2026-05")
    mine = world.drop("BTC", organization_list(("", "Phòng Kinh tế", "Phòng cấp xã", "", A)), "b.csv", period="2026-06")
    world.run()
    assert links(world) == [] and doubts(world) == ["unmatched"]
    assert world.submission(mine)["counts"]["quarantined"] == 1
    # its own commune tells it later, in a list that was received before
    world.drop("SNV", organization_list(KT), "c.csv", period="2026-04")
    world.run()
    assert links(world) == [("same_name", True)] and doubts(world) == []


def test_two_rows_of_one_list_are_two(world: World) -> None:
    world.drop("SNV", organization_list(KT, ("", "Phòng Kinh tế", "Phòng cấp xã", "", A)), "a.csv", period="2026-05")
    world.run()
    assert links(world) == [] and doubts(world) == ["unmatched"]


def test_what_may_be_two_is_asked(world: World) -> None:
    other = ("22366.KTOAN", "Phòng Kế toán", "Phòng cấp xã", "", A)
    world.drop("SNV", organization_list(KT, other), "a.csv", period="2026-05")
    world.drop("BTC", organization_list(("", "P. KT", "Phòng cấp xã", "", A)), "b.csv", period="2026-06")
    world.run()
    assert links(world) == [] and doubts(world) == ["not_clear", "not_clear", "unmatched"]


# --- villages --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other", "joined"),
    [
        ("Tổ dân phố số 3", "TDP 3", True),
        ("Tổ dân phố 3", "Tổ 03", True),
        ("Tổ dân phố Hòa Bình", "Hoà Bình", True),
        ("Phước Hải Đông", "Phuoc Hai Dong", True),
        ("Phước Hải Đông", "Phước Hải Đôngg", True),
        ("Tổ dân phố 3", "Tổ dân phố 4", False),
        ("Mỹ Lợi", "Mĩ Lợi", False),
        ("Phước Hải Đông", "Phước Hải Tây", False),
        ("Tân Lập", "Tân Lập 1", False),
    ],
)
def test_a_village_that_is_written_otherwise(world: World, one: str, other: str, joined: bool) -> None:
    world.drop(A, village_list((one, "TDP", 50, 200)), "a.csv", period="2026-Q1")
    world.run()
    before = names_now(world, A)
    world.drop(A, village_list((other, "TDP", 51, 201)), "b.csv", period="2026-Q2")
    world.run()
    after = names_now(world, A)
    assert list(after) == [other] and (after[other] == before[one]) == joined


def test_two_villages_of_one_list_stay_two(world: World) -> None:
    both = (("Thanh Hải", "TDP", 50, 200), ("Thành Hải", "TDP", 60, 300))
    world.drop(A, village_list(*both), "a.csv", period="2026-Q1")
    world.run()
    before = names_now(world, A)
    # without accents nobody can say which of them is meant
    world.drop(A, village_list(("Thanh Hai", "TDP", 51, 201)), "b.csv", period="2026-Q2")
    world.run()
    assert len(before) == 2 and set(names_now(world, A).values()).isdisjoint(before.values())
    assert doubts(world) == ["not_clear", "not_clear"]


RENAMED = {
    "2025-Q4": (("Thôn Cũ", "TDP", 50, 200),),
    "2026-Q1": (("Thôn Mới Lập", "TDP", 50, 200, "Thôn Cũ"),),
    "2026-Q2": (("thôn cũ", "TDP", 52, 204),),  # by an old form
    "2026-Q3": (("Thôn Mới Lập", "TDP", 53, 205),),
}


@pytest.mark.parametrize("order", [list(o) for n, o in enumerate(permutations(RENAMED)) if n % 5 == 0])
def test_a_row_by_the_old_name_means_the_renamed_village(world: World, order: list[str]) -> None:
    for period in order:
        at = FIRST_ARRIVAL.replace(day=2 + list(RENAMED).index(period))
        world.drop(A, village_list(*RENAMED[period]), f"{period}.csv", period=period, at=at)
        world.run()
    history = world.rows(
        "select village_name, valid_from, valid_to, households::int from core.villages where publish_to is null "
        "and commune_code = %s and not village_name like 'Tổ dân phố%%' order by 2",
        [A],
    )
    assert history == [
        ("Thôn Cũ", date(2025, 12, 31), date(2026, 3, 31), 50),
        ("Thôn Mới Lập", date(2026, 3, 31), date(2026, 6, 30), 50),
        ("Thôn Mới Lập", date(2026, 6, 30), date(2026, 9, 30), 52),
        ("Thôn Mới Lập", date(2026, 9, 30), None, 53),
    ]
    edges = world.rows("select kind, effective_date, goes_on from core.succession where publish_to is null")
    assert edges == [("RENAME", date(2026, 3, 31), False)]
    assert links(world) == [("renamed", True)] and doubts(world) == []


def test_a_decision_of_people_is_the_last_word(make_world: Make) -> None:
    world = make_world()
    world.drop(A, village_list(("Phước Hải Đông", "TDP", 50, 200)), "a.csv", period="2026-Q1")
    world.drop(A, village_list(("Phuoc Hai Dong", "TDP", 51, 201)), "b.csv", period="2026-Q2")
    world.run()
    ((record, entity),) = world.rows("select record, entity_id from core.member where publish_to is null")
    world.drop("SNV", decisions(("villages", record, entity, "Khác thôn")), "q.xlsx")
    world.run()
    assert world.rows("select count(*)::int from core.member where publish_to is null") == [(0,)]
    assert set(names_now(world, A)) == {"Phuoc Hai Dong"}


# --- what names an organisation in place of its code -------------------------------------------------------------------

POSTS = ("Số CCCD", "Mã tổ chức", "Tên tổ chức", "Chức danh", "Chức danh chính", "Từ ngày", "Số quyết định")
PEOPLE = ("056185001234", "056090004321", "058195007777")


def posts(*rows: tuple[str, str, str, str]) -> bytes:
    """(person, code, name, number of the decision)"""
    return text_csv([POSTS, *((p, c, n, "Trưởng phòng", "x", "01/07/2025", d) for p, c, n, d in rows)])


def held(world: World) -> list[tuple[Any, ...]]:
    """(code, number of the decision) of the posts now."""
    return world.rows(
        "select organization_code, decision_no from core.assignments where publish_to is null and valid_to is null order by 1, 2"
    )


def bodies(world: World) -> None:
    world.drop("SNV", organization_list(*ALL), "toc.csv", period="2026-05")


@pytest.mark.parametrize("late", [False, True])
def test_a_post_at_an_organisation_that_is_named(world: World, late: bool) -> None:
    if not late:
        bodies(world)
    mine = world.drop(
        A,
        posts((PEOPLE[0], "P. Kinh tế", "", "1"), (PEOPLE[1], "22366.KT", "", "2"), (PEOPLE[2], "", "TT PVHCC", "3")),
        "cd.csv", period="2026-06",
    )  # fmt: skip
    world.run()
    if late:  # nobody knows the organisations yet
        assert held(world) == [("22366.KT", "2")] and doubts(world) == []
        bodies(world)
        world.run()
    assert held(world) == [("22366.HCC", "3"), ("22366.KT", "1"), ("22366.KT", "2")]
    told = world.submission(mine)
    assert told["counts"]["accepted"] == 3 and told["state"] == "accepted" and doubts(world) == []
    # the same post by its code is the same post
    world.drop(A, posts((PEOPLE[0], "22366.KT", "", "1a")), "ma.csv", period="2026-07")
    world.run()
    assert held(world) == [("22366.HCC", "3"), ("22366.KT", "1a"), ("22366.KT", "2")]


def test_a_name_that_may_be_two_waits_for_a_decision(world: World) -> None:
    bodies(world)
    world.drop(
        "SNV", organization_list(("22366.KTOAN", "Phòng Kế toán", "Phòng cấp xã", "", A)), "kt.csv", period="2026-04"
    )
    mine = world.drop(
        A, posts((PEOPLE[0], "P. KT", "", "1"), (PEOPLE[1], "22366.KT", "", "2")), "cd.csv", period="2026-06"
    )
    world.run()
    # P.KT is a possible code, 'P. KT' is none
    assert held(world) == [("22366.KT", "2")] and doubts(world) == ["not_clear", "not_clear", "unmatched"]
    pairs = world.rows(
        "select left_record, right_record from core.doubt where publish_to is null and right_record is not null and dataset = "
        "'organizations'"
    )
    ((kt,),) = world.rows("select distinct entity_id from core.organizations where organization_code = '22366.KT'")
    ((left, right),) = [p for p in pairs if kt in p]
    world.drop("SNV", decisions(("organizations", left, right, "Cùng một đơn vị")), "q.xlsx")
    world.run()
    assert held(world) == [("22366.KT", "1"), ("22366.KT", "2")] and doubts(world) == []
    assert world.submission(mine)["counts"]["accepted"] == 2


def test_two_rows_under_one_key_say_nothing(world: World) -> None:
    bodies(world)
    mine = world.drop(
        A, posts((PEOPLE[0], "P. Kinh tế", "", "1"), (PEOPLE[0], "22366.KT", "", "2")), "cd.csv", period="2026-06"
    )
    world.run()
    assert held(world) == [("22366.KT", "2")] and world.submission(mine)["counts"]["quarantined"] == 1


STAFF = ("Số CCCD", "Họ và tên", "Ngày sinh", "Giới tính", "Chức vụ", "Đơn vị", "Mã cơ quan")


def test_a_person_whose_office_is_named(world: World) -> None:
    bodies(world)
    mine = world.drop(
        A,
        text_csv(
            [
                STAFF,
                (PEOPLE[0], "Trần Thị Nhàn", "14/03/1985", "Nữ", "Công chức", "Phòng Kinh tế", ""),
                (PEOPLE[1], "Nguyễn Hữu Long", "05/03/1990", "Nam", "Công chức", "", "Trung tâm Phục vụ HCC"),
                (PEOPLE[2], "Lê Thị Hòa", "21/11/1995", "Nữ", "Văn thư", "Phòng lạ", ""),
            ]
        ),
        "cb.csv",
    )
    world.run()
    assert world.rows(
        "select full_name, organization_code from core.staff where publish_to is null and valid_to is null order by 1"
    ) == [("Lê Thị Hòa", None), ("Nguyễn Hữu Long", "22366.HCC"), ("Trần Thị Nhàn", "22366.KT")]
    assert world.submission(mine)["counts"]["accepted"] == 3
    assert doubts(world) == ["unmatched"]
    assert world.run().published is None
