"""Work lists: each names what waits, goes out as a workbook, and comes back through the inbox as decisions."""

from __future__ import annotations

import io
from contextlib import closing
from typing import Any

import pytest
from openpyxl import Workbook, load_workbook
from openpyxl.worksheet.worksheet import Worksheet

from assets.core.worklists import LISTS, Source, counts
from assets.returns.worklist_book import worklist_book
from tests.e2e.conftest import Make
from tests.e2e.flows import World, codes, saved, text_csv

VILLAGES = ("Tên thôn", "Loại", "Số hộ", "Số khẩu")
STAFF = ("Số CCCD", "Họ và tên", "Ngày sinh", "Giới tính", "Chức vụ", "Đơn vị")
FULL = tuple((f"Thôn {n}", "Thôn", 10 * n, 30 * n) for n in range(1, 7))
NHAN = ("056185001234", "Trần Thị Nhàn", "14/03/1985", "Nữ", "Công chức", "Văn phòng")
TWIN = ("056185009876", *NHAN[1:4], "@Chuyên viên", "Phòng Kinh tế")
NOBODY = ("", "Phạm Quốc Bảo", "01/12/1980", "Nam", "Chủ tịch", "UBND xã")
HOA = ("058195007777", "Lê Thị Hòa", "21/11/1995", "Nữ", "Văn thư", "Phòng Văn hóa")
EITHER = ("", *NHAN[1:5], "")


class Office:
    """A world, and what an officer does with its work lists."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.a, self.b, self.c = world.communes[:3]

    def _source(self, connection: Any, vault: Any) -> Source:
        return Source(connection, self.world.pipeline.contracts, vault)

    def lists(self) -> dict[str, int]:
        """What waits, by list; without those that are empty."""
        with self.world.connection() as connection:
            return {name: n for name, n in counts(self._source(connection, None)).items() if n}

    def rows(self, name: str) -> list[dict[str, Any]]:
        with self.world.connection() as connection, closing(self.world.pipeline.vault) as vault:
            return LISTS[name].rows(self._source(connection, vault))

    def book(self) -> Workbook:
        """The workbook as it is opened by the one who fills it in."""
        lists = {name: self.rows(name) for name in LISTS}
        return load_workbook(io.BytesIO(worklist_book(lists, self.world.pipeline.contracts)))

    def send_back(self, book: Workbook | bytes, name: str = "viec.xlsx") -> str:
        return self.world.drop("SNV", book if isinstance(book, bytes) else saved(book), name)

    def village_lists(self) -> str:
        """Two lists of villages, the second of which is held, since it would end most of the first; its place."""
        self.world.drop(self.a, text_csv([VILLAGES, *FULL]), "thon.csv", period="2026-Q1")
        return self.world.drop(self.a, text_csv([VILLAGES, FULL[0]]), "thon.csv")

    def staff(self, sender: str, *people: tuple[str, ...], period: str = "2026-Q2") -> str:
        return self.world.drop(sender, text_csv([STAFF, *people]), "cb.csv", period=period)

    def state(self, place: str) -> str:
        return str(self.world.submission(place)["state"])


def head(page: Worksheet) -> tuple[int, dict[str, int]]:
    """The row of the headers, and the column of each."""
    row = next(r for r in range(1, 10) if str(page.cell(r, 1).fill.fgColor.rgb).endswith("DDE6F0"))
    return row, {str(page.cell(row, c).value): c for c in range(1, page.max_column + 1)}


def fill(book: Workbook, sheet: str, *decisions: str | None, reason: str = "Đã xác minh") -> Workbook:
    """Fill in the rows of a sheet, as a person would: below the headers, in the columns that are asked."""
    page = book[sheet]
    first, at = head(page)
    assert page.max_row - first == len(decisions)
    for row, decision in enumerate(decisions, first + 1):
        for label, value in (("Quyết định", decision), ("Lý do", reason), ("Người quyết định", "Lý Thị Đào")):
            page.cell(row, at[label]).value = value
    return book


@pytest.fixture
def office(world: World) -> Office:
    return Office(world)


def test_nothing_waits_in_an_empty_warehouse(office: Office) -> None:
    assert office.lists() == {}
    assert [page.title for page in office.book()] == ["Trống"]


def test_a_hold_is_accepted_by_the_workbook(office: Office) -> None:
    place = office.village_lists()
    office.world.run()
    held = office.world.submission(place)
    (row,) = office.rows("held_submissions")
    assert (row["submission_id"], row["predecessor"]) == (held["submission_id"], held["predecessor"])
    assert row["why"] and row["held_since"] is not None and not row["mended"]
    data = saved(fill(office.book(), "Tạm giữ", "Chấp nhận"))
    sent = office.send_back(data)
    office.world.run()
    assert (office.state(sent), office.state(place), office.lists()) == ("accepted", "accepted", {})
    assert set(office.world.open_villages(office.a)) == {FULL[0][0]}
    # the same bytes at the same place and at another one change nothing
    before = office.world.counts()
    assert office.world.run().published is None
    again = office.send_back(data, "ban_sao.xlsx")
    office.world.run()
    assert office.state(again) == "repeated"
    after = office.world.counts()
    for table in ("core.villages", "core.hold_decisions", "core.finding"):
        assert after[table] == before[table]


def test_a_refused_hold_waits_for_nobody_and_stays_out(office: Office) -> None:
    place = office.village_lists()
    office.world.run()
    office.send_back(fill(office.book(), "Tạm giữ", "Không chấp nhận"))
    office.world.run()
    assert (office.state(place), office.lists()) == ("held", {})
    assert len(office.world.open_villages(office.a)) == len(FULL)


def test_a_blank_decision_decides_nothing_and_is_no_error(office: Office) -> None:
    place = office.village_lists()
    office.world.run()
    sent = office.send_back(fill(office.book(), "Tạm giữ", None))
    office.world.run()
    answer = office.world.submission(sent)
    # the empty line above the headers is the other one
    assert (answer["state"], answer["set_aside"]["BLANK"], answer["rows"]) == ("accepted", 2, [])
    assert office.state(place) == "held" and office.lists() == {"held_submissions": 1}


def test_a_decision_without_a_reason_is_sent_back(office: Office) -> None:
    place = office.village_lists()
    office.world.run()
    sent = office.send_back(fill(office.book(), "Tạm giữ", "Chấp nhận", reason=""))
    office.world.run()
    (fault,) = office.world.submission(sent)["rows"]
    assert (fault["rule"], fault["column"]) == ("MISSING", "reason")
    assert office.state(place) == "held"


def test_the_later_word_counts_wherever_it_stands(office: Office) -> None:
    place = office.village_lists()
    office.world.run()
    yes = saved(fill(office.book(), "Tạm giữ", "Chấp nhận"))
    no = saved(fill(office.book(), "Tạm giữ", "Không chấp nhận"))
    office.send_back(yes)
    office.world.run()
    assert office.state(place) == "accepted"
    office.send_back(no)
    office.world.run()
    assert office.state(place) == "held"
    # the command line, later than both
    office.world.execute(
        "insert into intake.decision (kind, submission_id, predecessor, reason, decided_by) "
        "select 'accept', s.submission_id, p.submission_id, 'xem lại', 'x' from core.standing t "
        "join intake.submission s using (submission_no) join intake.submission p on p.submission_no = t.predecessor_no "
        "where t.standing = 'held' and t.publish_to is null"
    )
    office.world.run()
    assert office.state(place) == "accepted"


def test_a_decision_lapses_with_its_pair(office: Office) -> None:
    place = office.village_lists()
    office.world.run()
    office.send_back(fill(office.book(), "Tạm giữ", "Chấp nhận"))
    office.world.run()
    assert office.state(place) == "accepted"
    # a correction of the quarter before arrives: the list is now held against another one, about which nobody has decided
    more = text_csv([VILLAGES, *FULL, ("Thôn 7", "Thôn", 5, 9)])
    office.world.drop(office.a, more, "thon_sua.csv", period="2026-Q1")
    office.world.run()
    assert office.state(place) == "held" and office.lists() == {"held_submissions": 1}


def test_a_decision_may_arrive_before_what_it_decides_about(make_world: Make) -> None:
    first = Office(make_world())
    place = first.village_lists()
    first.world.run()
    data = saved(fill(first.book(), "Tạm giữ", "Chấp nhận"))
    first.send_back(data)
    first.world.run()
    other = Office(make_world())
    other.world.arrivals = 2
    other.send_back(data)
    other.world.run()
    assert other.lists() == {}
    other.world.arrivals = 0
    other.village_lists()
    other.world.run()
    for office in (first, other):
        assert office.state(place) == "accepted" and set(office.world.open_villages(office.a)) == {FULL[0][0]}


def test_a_hold_without_a_predecessor(office: Office) -> None:
    place = office.world.drop(office.a, text_csv([VILLAGES, *FULL]), "thon.csv", sidecar={"as_of": "2026-08-15"})
    office.world.run()
    (row,) = office.rows("held_submissions")
    assert row["predecessor"] is None
    office.send_back(fill(office.book(), "Tạm giữ", "Chấp nhận"))
    office.world.run()
    assert (office.state(place), office.lists()) == ("accepted", {})


def test_decisions_on_holds_are_no_decisions_on_their_own_hold(office: Office) -> None:
    place = office.village_lists()
    office.world.run()
    book = fill(office.book(), "Tạm giữ", "Chấp nhận")
    data = saved(book)
    sent = office.world.drop("SNV", data, "viec.xlsx", sidecar={"as_of": "2030-01-01"})
    office.world.run()
    assert (office.state(sent), office.state(place)) == ("held", "held")
    assert office.lists() == {"held_submissions": 2}
    page = fill(office.book(), "Tạm giữ", "Chấp nhận", "Chấp nhận")
    office.send_back(page, "ca_hai.xlsx")
    office.world.run()
    # the list of villages is decided; the file of decisions is for `lienthong decide`
    assert (office.state(sent), office.state(place)) == ("held", "accepted")


# --- people ---------------------------------------------------------------------------------------------------------


def namesakes(office: Office) -> str:
    """Two people of one name and birthday, and a row without a number that may be either; its place."""
    office.staff("SNV", NHAN, TWIN)
    place = office.staff(office.a, HOA, EITHER)
    office.world.run()
    return place


def test_a_pair_is_decided_by_the_workbook(office: Office) -> None:
    place = namesakes(office)
    assert office.lists() == {"unmatched_rows": 1, "clerical_pairs": 2}
    pairs = office.rows("clerical_pairs")
    texts = repr(pairs)
    # numbers of cards are masked even here
    assert NHAN[1] in texts and "056******234" in texts and NHAN[0] not in texts
    assert all(p["left"]["said"] and p["right"]["said"] for p in pairs)
    book = office.book()
    page = book["Trùng staff"]
    first, at = head(page)
    with_nhan = [
        any("056******234" in str(page.cell(r, c).value) for c in range(1, page.max_column + 1))
        for r in range(first + 1, page.max_row + 1)
    ]
    sent = office.send_back(fill(book, "Trùng staff", *("Cùng một người" if n else "Khác người" for n in with_nhan)))
    office.world.run()
    assert office.state(sent) == "accepted"
    assert (office.state(place), office.lists()) == ("accepted", {})
    posts = office.world.rows("select position from core.staff where publish_to is null and valid_to is null")
    assert len(posts) == 3


def test_a_pair_the_other_way_round_is_the_same_pair(office: Office) -> None:
    namesakes(office)
    book = office.book()
    page = book["Trùng staff"]
    first, at = head(page)
    for row in range(first + 1, page.max_row + 1):
        one, other = page.cell(row, at["Mã hồ sơ thứ nhất"]), page.cell(row, at["Mã hồ sơ thứ hai"])
        one.value, other.value = other.value, one.value
    office.send_back(fill(book, "Trùng staff", "Khác người", "Khác người"))
    office.world.run()
    assert "clerical_pairs" not in office.lists()


def test_a_decision_on_a_pair_that_is_gone_does_nothing(office: Office) -> None:
    namesakes(office)
    book = fill(office.book(), "Trùng staff", "Khác người", "Khác người")
    page = book["Trùng staff"]
    page.append(["staff", "5", "6", "Cùng một người", "Nhầm tệp", "Lý Thị Đào"])  # of records that nobody knows
    # the commune has sent the row again with its number: nothing is left to decide
    office.staff(office.a, HOA, NHAN)
    office.world.run()
    assert office.lists() == {}
    entities = office.world.rows("select count(*) from core.staff where publish_to is null and valid_to is null")
    sent = office.send_back(book)
    office.world.run()
    assert (office.state(sent), office.lists()) == ("accepted", {})
    assert entities == office.world.rows(
        "select count(*) from core.staff where publish_to is null and valid_to is null"
    )


def test_a_row_that_nobody_answers_to(office: Office) -> None:
    office.staff("SNV", NHAN)
    place = office.staff(office.a, HOA, NOBODY, ("12345", "Vi Thị Lụa", *NHAN[2:]))
    office.world.run()
    rows = office.rows("unmatched_rows")
    assert [(r["submission_id"], r["row"], r["address"]) for r in rows] == [
        (office.world.submission(place)["submission_id"], 3, "A3"),
        (office.world.submission(place)["submission_id"], 4, "A4"),
    ]
    assert rows[0]["said"]["Họ và tên"] == NOBODY[1] and rows[0]["rules"] == ["MISSING"] and rows[0]["why"]
    assert rows[1]["said"]["Số CCCD"] == "123******"
    assert rows[0]["record"] is not None
    office.staff("SNV", NHAN, ("056080002222", *NOBODY[1:]), period="2026-Q3")
    office.world.run()
    assert "MISSING" not in {rule for r in office.rows("unmatched_rows") for rule in r["rules"]}


# --- conflicts ------------------------------------------------------------------------------------------------------


def test_conflicts_of_today_with_numbers_masked(office: Office) -> None:
    office.staff("SNV", NHAN)
    office.world.run()
    office.world.execute("delete from core.conflict")
    entity, subject = office.world.rows("select entity_id, citizen_id from core.staff where publish_to is null")[0]
    row = (
        "insert into core.conflict (dataset, entity_id, attribute, valid_from, valid_to, chosen, others, senders, rule, since, "
        "publish_from) select %s, %s, %s, date '2026-01-01', %s, jsonb_build_object('sender', 'SNV', 'value', %s::text), "
        "jsonb_build_array(jsonb_build_object('sender', 'STP', 'value', %s::text)), array['SNV', 'STP'], 'later', "
        "date '2026-01-01', shows from core.pointer"
    )
    office.world.execute(row, ["staff", entity, "position", None, "Công chức", "=Văn thư"])
    office.world.execute(row, ["staff", entity, "citizen_id", None, str(subject), str(subject)])
    office.world.execute(row, ["staff", entity, "full_name", "2026-02-01", "Nhàn", "Nhãn"])  # past: nobody's work
    office.world.execute(row, ["population", 7, "total", "2026-02-01", "1", "2"])  # a figure stays as true as it was
    assert office.lists() == {"conflicts": 3}
    rows = office.rows("conflicts")
    assert [(r["dataset"], r["attribute"]) for r in rows] == [
        ("population", "total"),
        ("staff", "citizen_id"),
        ("staff", "position"),
    ]
    assert (rows[1]["chosen"]["value"], rows[1]["others"][0]["value"]) == ("056******234",) * 2
    assert office.book().sheetnames == ["Mâu thuẫn"]


# --- codes ----------------------------------------------------------------------------------------------------------


def test_unknown_codes_are_counted_by_value(office: Office) -> None:
    odd = (("Thôn X", "Xóm nhỏ", 5, 9), ("Thôn Y", "Xóm nhỏ", 5, 9), *FULL)
    office.world.drop(office.a, text_csv([VILLAGES, *odd]), "thon.csv")
    office.world.drop(office.b, text_csv([VILLAGES, odd[0], ("Thôn Z", "=cụm", 5, 9), *FULL]), "thon.csv")
    office.world.run()
    assert office.lists() == {"unknown_codes": 2}
    first, second = office.rows("unknown_codes")
    assert (first["dataset"], first["column_name"], first["value"]) == ("villages", "village_type", "Xóm nhỏ")
    assert (first["rows"], first["submissions"], first["senders"]) == (3, 2, sorted([office.a, office.b]))
    assert (second["value"], second["rows"], second["address"]) == ("=cụm", 1, "B3")
    office.world.drop(office.a, text_csv([VILLAGES, *FULL]), "thon.csv")
    office.world.drop(office.b, text_csv([VILLAGES, *FULL]), "thon.csv")
    office.world.run()
    assert office.lists() == {}


# --- the workbook ---------------------------------------------------------------------------------------------------


def everything(office: Office) -> None:
    """Something in every list that files alone can fill."""
    office.village_lists()
    office.world.drop(office.b, text_csv([VILLAGES, ("+Thôn", "-cụm lạ", 5, 9), *FULL]), "thon.csv")
    office.staff("SNV", NHAN, TWIN)
    office.staff(office.a, HOA, EITHER, NOBODY)
    office.world.run()


def test_the_workbook_as_it_is_opened(office: Office) -> None:
    everything(office)
    book = office.book()
    assert [p.title for p in book] == ["Tạm giữ", "Trùng staff", "Chưa biết của ai", "Giá trị lạ"]
    for page in book:
        for row in page.iter_rows():
            for cell in row:
                if cell.value is not None:
                    assert cell.data_type == "s" and cell.number_format == "@", (page.title, cell.coordinate)
                    assert cell.quotePrefix == str(cell.value).startswith(("=", "+", "-", "@")), cell.coordinate
    for title, choices in (("Tạm giữ", "Chấp nhận,Không chấp nhận"), ("Trùng staff", "Cùng một người,Khác người")):
        page = book[title]
        first, at = head(page)
        (choice,) = page.data_validations.dataValidation
        assert (choice.type, choice.formula1) == ("list", f'"{choices}"')
        decision = page.cell(first + 1, at["Quyết định"])
        assert decision.coordinate in choice.sqref and not decision.protection.locked
        assert page.protection.sheet and page.cell(first + 1, 1).protection.locked
        assert page.freeze_panes == decision.coordinate
    page = book["Trùng staff"]
    first, at = head(page)
    key = page.cell(first + 1, at["Mã hồ sơ thứ nhất"]).value
    assert isinstance(key, str) and key.isdigit()
    assert any(str(c.value).startswith("@") for row in page.iter_rows() for c in row)
    assert "056185001234" not in repr([[c.value for c in r] for p in book for r in p.iter_rows()])


def test_a_whole_workbook_comes_back(office: Office) -> None:
    """Sheets only to read and blank decisions are in it too: none of them becomes a submission or a fault."""
    everything(office)
    before = office.lists()
    place = office.send_back(office.book())
    office.world.run()
    answers = office.world.submissions(place)
    assert {a["dataset"] for a in answers} == {"hold_decisions", "identity_decisions"}
    for a in answers:
        # the sheets only to read are named as such
        assert (a["state"], a["rows"], set(codes(a))) == ("accepted", [], {"SHEET_NOT_READ"})
    assert office.lists() == before
    office.send_back(fill(fill(office.book(), "Tạm giữ", "Đồng ý"), "Trùng staff", "Khác", "cùng"), "xong.xlsx")
    office.world.run()
    assert set(office.lists()) & {"held_submissions", "clerical_pairs"} == set()


def test_what_readers_see_counts(office: Office) -> None:
    """After a publish is taken back, the lists are those of the publish that is shown."""
    from assets.marts.publish import back_to

    office.village_lists()
    ran = office.world.run()
    assert office.lists() == {"held_submissions": 1}
    office.send_back(fill(office.book(), "Tạm giữ", "Chấp nhận"))
    office.world.run()
    assert office.lists() == {} and ran.published is not None
    with office.world.connection() as connection:
        back_to(connection, ran.published)
    assert office.lists() == {"held_submissions": 1}
