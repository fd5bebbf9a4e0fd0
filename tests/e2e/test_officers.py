"""Officers who move: lists of communes and an office that name one person, in any order of arrival; posts across files."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from itertools import permutations
from typing import Any

from tests.e2e.conftest import Make
from tests.e2e.flows import FIRST_ARRIVAL, World, said, text_csv, worded

Q1, Q2 = date(2026, 3, 31), date(2026, 6, 30)
PERIODS = {Q1: "2026-Q1", Q2: "2026-Q2"}
HEAD = ("Số CCCD", "Họ và tên", "Ngày sinh", "Giới tính", "Chức vụ", "Mã xã")
Place = tuple[str, date, date | None]


def person(n: int) -> tuple[str, str, str, str]:
    """A man of a name of his own: (number, name, birth, sex)."""
    names = ("Bình", "Cường", "Dũng", "Giang", "Hải", "Khôi", "Lâm", "Minh", "Nam", "Phúc", "Quang", "Sơn")
    year, family = 60 + n % 40, ["Nguyễn", "Trần", "Lê", "Phạm", "Hoàng"][n % 5]
    return f"0560{year}{n:06}", f"{family} Văn {names[n % 12]}", f"0{1 + n % 9}/0{1 + n % 8}/19{year}", "Nam"


def staff(*people: tuple[int, str, str]) -> bytes:
    """(number of the person, position, commune)"""
    return text_csv([HEAD, *((*person(n), position, commune) for n, position, commune in people)])


def places(world: World, n: int) -> list[Place]:
    """(commune, from, to) of one person's history."""
    return world.rows(
        "select s.commune_code, s.valid_from, s.valid_to from core.staff s join vault.identifier i on i.subject = s.citizen_id "
        "where s.publish_to is null and i.value = %s order by s.valid_from",
        [person(n)[0]],
    )


Files = dict[tuple[str, date], tuple[str, ...]]
"""(who sends, as of) -> communes that the list says the officer is in, if any."""
STORIES: dict[str, tuple[Files, list[Place]]] = {
    "moves": (
        {("a", Q1): ("a",), ("a", Q2): (), ("b", Q2): ("b",)},
        [("a", Q1, Q2), ("b", Q2, None)],
    ),
    "the old commune is late": (
        {("a", Q1): ("a",), ("b", Q2): ("b",)},
        [("a", Q1, Q2), ("b", Q2, None)],
    ),
    "the office knows": (
        {("a", Q1): ("a",), ("a", Q2): ("a",), ("SNV", Q2): ("b",)},
        [("a", Q1, Q2), ("b", Q2, None)],
    ),
    "leaves": ({("a", Q1): ("a",), ("a", Q2): ()}, [("a", Q1, Q2)]),
    "stays": ({("a", Q1): ("a",), ("a", Q2): ("a",), ("b", Q2): ()}, [("a", Q1, None)]),
}  # fmt: skip


def test_an_officer_moves_in_any_order_of_arrival(make_world: Make) -> None:
    """Each story and order is told by two communes of its own; the others of a list make the officer a small share of it."""
    world = make_world()
    codes = iter(world.communes)
    told = []
    for name, (files, _) in STORIES.items():
        orders = list(permutations(files))
        for order in orders if name == "moves" else (orders[0], orders[-1]):
            told.append((name, order, len(told), {"a": next(codes), "b": next(codes)}))
    for step in range(3):
        for name, order, n, communes in told:
            if step >= len(order):
                continue
            sender, day = order[step]
            listed = [(n, "Chuyên viên", communes[c]) for c in STORIES[name][0][sender, day]]
            if (
                sender == "SNV"
            ):  # a list for each order of arrival, of another office: a second one would replace the first
                office = "SNV" if order[0][0] == "a" else "BTC"
                world.drop(office, staff(*listed), "cb.csv", period=PERIODS[day])
                continue
            others = [(1000 + 20 * n + 10 * (sender == "b") + i, "Chuyên viên", communes[sender]) for i in range(6)]
            at = FIRST_ARRIVAL + timedelta(days=(day - Q1).days)
            world.drop(communes[sender], staff(*listed, *others), f"{day}.csv", period=PERIODS[day], at=at)
        world.run()
    for name, order, n, communes in told:
        wanted = [(communes[c], start, end) for c, start, end in STORIES[name][1]]
        assert places(world, n) == wanted, (name, order)
        # what another sender still says is shown beside what stands, and only then
        disputed = world.rows(
            "select c.valid_from, c.valid_to, c.chosen ->> 'value', c.others -> 0 ->> 'value' from core.conflict c "
            "join vault.identifier i on i.subject = c.entity_id "
            "where c.dataset = 'staff' and c.attribute = 'commune_code' and c.publish_to is null and i.value = %s",
            [person(n)[0]],
        )
        late = name in ("the old commune is late", "the office knows")
        assert disputed == ([(Q2, None, communes["b"], communes["a"])] if late else []), (name, order)


def test_two_communes_list_an_officer_at_once(make_world: Make) -> None:
    """Both as of one day: the later received counts, whichever arrives first, and nobody is in two places at once."""
    world = make_world()
    a, b, c, d = world.communes[:4]
    for n, (first, second) in enumerate(((a, b), (d, c))):
        late, early = FIRST_ARRIVAL + timedelta(days=2), FIRST_ARRIVAL + timedelta(days=1)
        for commune, at in ((first, late), (second, early)) if n else ((first, early), (second, late)):
            others = ((50 + 9 * n + i, "Văn thư", commune) for i in range(3))
            world.drop(commune, staff((n, "Chuyên viên", commune), *others), "x.csv", at=at)
            world.run()
    assert places(world, 0) == [(b, Q2, None)]
    assert places(world, 1) == [(d, Q2, None)]


POST_HEAD = ("Số CCCD", "Mã tổ chức", "Chức danh", "Chức danh chính", "Người địa phương", "Từ ngày", "Đến ngày")
ORG_HEAD = ("Mã tổ chức", "Tên tổ chức", "Khối", "Cấp", "Loại tổ chức", "Mã xã", "Hiệu lực từ ngày")


def posts(rows: Iterable[Sequence[Any]]) -> bytes:
    return text_csv([POST_HEAD, *((person(n)[0], *rest) for n, *rest in rows)])


def test_rules_over_posts_of_several_files(make_world: Make) -> None:
    world = make_world()
    a, b = world.communes[:2]
    bodies = [(f"{c}.{x}", f"{x} {c}", "Đảng", "Xã", "Đảng ủy", c, "1/7/2025") for c in (a, b) for x in ("DU", "UB")]
    world.drop("BTC", text_csv([ORG_HEAD, *bodies]), "to_chuc.csv", period="2026-06")
    world.drop(a, staff(*((n, "Cán bộ", a) for n in range(1, 6))), "cb.csv")
    told = posts([
        (1, f"{a}.DU", "Bí thư Đảng ủy", "x", "Không", "1/7/2025", ""),
        (1, f"{a}.UB", "Chủ tịch HĐND", "", "", "1/7/2025", ""),  # not a main post
        (2, f"{a}.UB", "Chủ tịch UBND", "x", "Không", "1/7/2025", "31/3/2026"),
        (3, f"{a}.UB", "Chủ tịch UBND", "x", "Không", "1/4/2026", ""),  # after the other
        (4, f"{a}.UB", "Phó Chủ tịch UBND", "x", "", "1/7/2025", ""),
        (9, f"{a}.DU", "Ủy viên BTV", "x", "", "1/7/2025", ""),  # whom no list of staff has
        (5, f"{a}.ZZ", "Phó phòng", "x", "", "1/7/2025", ""),  # of a body that no list has
    ])  # fmt: skip
    first = world.drop("BTC", told, "chuc_danh.csv", period="2026-05")
    world.run()
    assert said(world.submission(first), "warning") == {
        ("A7", "assignment_person_known"),
        ("B8", "assignment_organization_known"),
    }
    # a month later: one person in two places, and a second secretary
    later = posts([
        (4, f"{b}.UB", "Chủ tịch UBND", "x", "Có", "1/6/2026", ""),
        (5, f"{a}.DU", "BT Đảng ủy", "", "Không", "1/6/2026", ""),
    ])  # fmt: skip
    second = world.drop("SNV", later, "chuc_danh.csv", period="2026-06")
    world.run()
    assert said(world.submission(second), "warning") == {
        ("D2", "assignment_one_main_post"),
        ("C3", "assignment_one_holder"),
    }
    answered = world.submission(first)
    assert {("C2", "assignment_one_holder"), ("D6", "assignment_one_main_post")} < said(answered, "warning")
    worded(answered)
    # the end of the first is told: nothing is left to say
    ends = [
        (4, f"{a}.UB", "PCT UBND", "x", "", "1/7/2025", "31/5/2026"),
        (1, f"{a}.DU", "Bí thư Đảng ủy", "x", "Không", "1/7/2025", "31/5/2026"),
    ]
    world.drop("BTC", posts(ends), "x.csv", period="2026-06")
    world.run()
    assert said(world.submission(second), "warning") == set()
    # staff and posts speak of one person by one id
    people = world.rows(
        "select a.organization_code, a.post from mart_v1.assignments_history a join mart_v1.staff_history s using (person_id) "
        "where a.post in ('BI_THU', 'CT_HDND') order by 1, 2"
    )
    assert people == [(f"{a}.DU", "BI_THU"), (f"{a}.DU", "BI_THU"), (f"{a}.UB", "CT_HDND")]


def test_posts_follow_a_person_whose_records_were_joined(make_world: Make) -> None:
    world = make_world()
    a = world.communes[0]
    world.drop(a, staff((1, "Chủ tịch", a), (2, "Văn thư", a)), "cb.csv")
    other = f"{person(1)[0][:-1]}9"
    row = (other, "X.DU", "Bí thư Đảng ủy", "x", "Không", "1/7/2025", "")
    world.drop("BTC", text_csv([POST_HEAD, row]), "x.csv", period="2026-06")
    world.run()
    (posted,), (listed,) = (
        world.rows(f"select person_id from mart_v1.{name}")
        for name in ("assignments", "staff where position = 'Chủ tịch'")
    )
    assert posted != listed
    # as the linkage of persons writes it
    world.execute(
        "insert into core.member (dataset, record, entity_id, rule, publish_from) "
        "select 'staff', %s, %s, 'card', shows from core.pointer",
        [posted[0], listed[0]],
    )
    assert world.rows("select person_id from mart_v1.assignments") == [listed]
