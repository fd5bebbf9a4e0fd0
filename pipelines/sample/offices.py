"""Organisations, staff and posts of the invented province: what SNV, BTC and the communes send of them, and the truth.

Belongs here: bodies of each commune and some departments, a dozen officers a commune, their posts; one officer who moves to the
next commune, one department that goes into another, and rows that are wrong. Does not belong here: villages, shapes of lists.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from pathlib import Path

from .truth import BadRow, Delivered, Fact
from .workbook import Sheet, Value, write_workbook
from .world import last_day

_VIETNAM = timezone(timedelta(hours=7))
_FOUNDED, _JOINED = date(2025, 7, 1), date(2026, 4, 1)
_DEPARTMENTS = (
    ("SNV", "Sở Nội vụ"), ("STC", "Sở Tài chính"), ("SYT", "Sở Y tế"), ("SXD", "Sở Xây dựng"), ("STP", "Sở Tư pháp"),
    ("SVHTTDL", "Sở Văn hóa, Thể thao và Du lịch"), ("SDL", "Sở Du lịch"),
)  # fmt: skip
_BODIES = (
    # suffix, name, type in the sender's words, type
    ("UBND", "UBND", "UBND", "UBND"),
    ("KT", "Phòng Kinh tế", "Phòng cấp xã", "PHONG_XA"),
    ("VHXH", "Phòng Văn hóa - Xã hội", "Phòng thuộc xã", "PHONG_XA"),
    ("HCC", "Trung tâm Phục vụ hành chính công", "TT PVHCC", "TT_PVHCC"),
)
_POSTS = (
    # body, in the sender's words, post, specialism in the sender's words, whether local
    ("DU", "Bí thư Đảng ủy", "BI_THU", None, "Không"),
    ("UBND", "CT UBND", "CT_UBND", None, "Không"),
    ("DU", "Chủ nhiệm UBKT", "CN_UBKT", None, "Chưa rõ"),
    ("UBND", "PCT UBND", "PCT_UBND", None, None),
    ("KT", "Trưởng phòng Kinh tế", "CAP_TRUONG", None, None),
    ("KT", "Phó Trưởng phòng", "CAP_PHO", None, None),
    ("VHXH", "Trưởng phòng", "CAP_TRUONG", None, None),
    ("HCC", "PGĐ", "CAP_PHO", None, None),
    ("KT", "Chuyên viên", "CHUYEN_MON", "Tài chính - Kế toán", None),
    ("KT", "Chuyên viên", "CHUYEN_MON", "CNTT", None),
    ("VHXH", "Chuyên viên Phòng Văn hóa", "CHUYEN_MON", "Văn hóa", None),
    ("UBND", "Văn thư", "CHUYEN_MON", "Văn thư - Lưu trữ", None),
)
_SURNAMES = ("Nguyễn", "Trần", "Lê", "Phạm", "Huỳnh", "Phan", "Võ", "Đặng", "Bùi", "Đỗ", "Cao", "Mai", "Tạ")
_GIVEN = ("An", "Bích", "Chi", "Dung", "Giang", "Hạnh", "Khanh", "Liên", "Mai", "Nga", "Oanh", "Phượng", "Quyên", "Sang",
          "Thoa", "Uyên", "Vân", "Xuân", "Yến", "Đào", "Hòa", "Lộc", "Phúc")  # fmt: skip


@dataclass(frozen=True)
class _Officer:
    """Number and birth are functions of the place in the province, so that no two are alike."""

    number: int
    commune: str
    post: int

    @property
    def born(self) -> date:
        return date(1966, 1, 1) + timedelta(days=(self.number * 7919) % 11000)

    @property
    def woman(self) -> bool:
        return self.number % 3 == 1

    @property
    def id(self) -> str:
        return f"056{int(self.woman)}{self.born.year % 100:02}{self.number * 7 % 1_000_000:06}"

    @property
    def name(self) -> str:
        middle = ("Thị" if self.woman else "Văn", "Ngọc", "Minh", "Thanh", "Kim")[self.number // 299 % 5]
        return f"{_SURNAMES[self.number % 13]} {middle} {_GIVEN[self.number // 13 % 23]}"


def office_lists(
    folder: Path, communes: Sequence[tuple[str, str]], periods: Sequence[str]
) -> tuple[list[Fact], list[Delivered]]:
    """Write the files of organisations, staff and posts into the inbox; what must hold, and the answers.

    ``periods``: as for the villages; the last two have lists of staff, between which one officer moves. Nothing for fewer than two
    communes or periods."""
    if len(communes) < 2 or len(periods) < 2:
        return [], []
    officers = [
        _Officer(13 * n + post, code, post) for n, (code, _) in enumerate(communes, 1) for post in range(len(_POSTS))
    ]
    mover = officers[len(_POSTS) - 1]
    writer = _Writer(folder, [])
    facts = [
        *_organizations(writer, communes, periods),
        *_staff(writer, communes, officers, mover, periods[-2:]),
        *_posts(writer, officers, mover, periods),
    ]
    return facts, writer.delivered


@dataclass
class _Writer:
    """Writes files and keeps the answers that they must get."""

    folder: Path
    delivered: list[Delivered]

    def send(
        self, sender: str, period: str, name: str, received_on: date, head: Sequence[str], rows: Sequence[Sequence[Value]],
        bad: Iterable[tuple[int, str]] = (), title: str = "",
    ) -> None:  # fmt: skip
        """A workbook with a title, a header, and rows from the fourth on; ``bad``: (number of the row in ``rows``, code)."""
        at = datetime.combine(received_on, time(9, 15), _VIETNAM)
        sheet = Sheet("Danh sách", bold_rows={1, 3})
        sheet.put(1, 1, title)
        sheet.put(3, 1, "STT", *head)
        for number, row in enumerate(rows, 1):
            sheet.put(3 + number, 1, number, *row)
        path = self.folder / period / sender / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(write_workbook([sheet], at))
        os.utime(path, (at.timestamp(), at.timestamp()))
        wrong = tuple(BadRow(sheet.title, 4 + n, code) for n, code in bad)
        self.delivered.append(
            Delivered(
                path=f"{period}/{sender}/{name}", period=period, sender=sender, received_at=at, shape="", defect="",
                state="partly" if wrong else "accepted", code=None, warnings=(), rows_accepted=len(rows) - len(wrong),
                quarantined=wrong, set_aside=(), in_force=True,
            )
        )  # fmt: skip


def _month(period: str) -> str:
    """The last month of a quarter."""
    return f"{last_day(period):%Y-%m}"


def _day(day: date | None) -> str | None:
    return None if day is None else f"{day:%d/%m/%Y}"


def _organizations(writer: _Writer, communes: Sequence[tuple[str, str]], periods: Sequence[str]) -> list[Fact]:
    head = ("Mã tổ chức", "Tên tổ chức", "Khối", "Cấp", "Loại tổ chức", "Mã xã", "Sáp nhập từ", "Hiệu lực từ ngày")
    state: list[Sequence[Value]] = [
        (c, n, "Chính quyền", "Tỉnh", "Sở", None, None, _day(_FOUNDED)) for c, n in _DEPARTMENTS
    ]
    party: list[Sequence[Value]] = []
    facts = [
        Fact("organizations", (c,), (n, "SO"), _FOUNDED, _JOINED if c in ("SDL", "SVHTTDL") else None)
        for c, n in _DEPARTMENTS
    ]
    for code, commune in communes:
        for suffix, name, words, kind in _BODIES:
            shown = f"{name} {commune}" if suffix == "UBND" else name
            state.append((f"{code}.{suffix}", shown, "QLNN", "Cấp xã", words, code, None, _day(_FOUNDED)))
            facts.append(Fact("organizations", (f"{code}.{suffix}",), (shown, kind), _FOUNDED, None))
        shown = f"Đảng ủy {commune}"
        party.append((f"{code}.DU", shown, "Đảng", "Xã", "Đảng ủy xã", code, None, _day(_FOUNDED)))
        facts.append(Fact("organizations", (f"{code}.DU",), (shown, "DANG_UY_XA"), _FOUNDED, None))
    wrong: list[Sequence[Value]] = [
        ("SKHAC", "Sở lạ", "Khối lạ", "Tỉnh", "Sở", None, None, _day(_FOUNDED)),
        ("PHONGLA", "Phòng lạ", "Chính quyền", "Xã", "Phòng cấp xã", None, None, _day(_FOUNDED)),  # of no commune
        ("SCU", "Sở cũ", "Chính quyền", "Tỉnh", "Sở", None, None, "31/02/2025"),
    ]
    codes = ("NOT_IN_LIST", "organization_of_commune_names_it", "BAD_DATE")
    first, last = periods[-2], periods[-1]
    bad = [(len(state) + n, code) for n, code in enumerate(codes)]
    after = timedelta(days=3)
    writer.send("SNV", _month(first), "danh_muc_to_chuc.xlsx", last_day(first) + after, head, [*state, *wrong], bad,
                "DANH MỤC TỔ CHỨC")  # fmt: skip
    writer.send(
        "BTC", _month(first), "to_chuc_dang.xlsx", last_day(first) + after, head, party, (), "TỔ CHỨC ĐẢNG CẤP XÃ"
    )
    # one department goes into another one, whose name does not change
    name = dict(_DEPARTMENTS)["SVHTTDL"]
    joined = [("SVHTTDL", name, "Chính quyền", "Tỉnh", "Sở", None, "SDL", _day(_JOINED))]
    writer.send("SNV", _month(last), "sap_nhap_so.xlsx", last_day(last) + after, head, joined, (), "SẮP XẾP SỞ")
    return [
        *facts,
        Fact("organizations", ("SVHTTDL",), (name, "SO"), _JOINED, None),
        Fact("successions", ("", "SDL", "SVHTTDL"), ("MERGE",), _JOINED, None),
    ]


def _staff(
    writer: _Writer,
    communes: Sequence[tuple[str, str]],
    officers: Sequence[_Officer],
    mover: _Officer,
    periods: Sequence[str],
) -> list[Fact]:
    head = ("Số CCCD", "Họ và tên", "Ngày sinh", "Giới tính", "Chức vụ", "Mã tổ chức", "Loại cán bộ", "Trình độ", "Ngành đào tạo",
            "Đạt kỹ năng số")  # fmt: skip
    target, stranger = communes[1][0], communes[-1][0]
    ends = [last_day(p) for p in periods]
    for quarter, period in enumerate(periods):
        for code, _ in communes:
            here = [o for o in officers if (target if o == mover and quarter else o.commune) == code]
            rows: list[Sequence[Value]] = [
                (o.id, o.name, _day(o.born), "Nữ" if o.woman else "Nam", _POSTS[o.post][1], f"{code}.{_POSTS[o.post][0]}",
                 "Cán bộ" if o.post < 4 else "Công chức", "ĐH/ThS" if o.post < 3 else "Cử nhân",
                 ("Luật", "Kế toán", "CNTT")[o.post % 3], "x" if o.number % 2 else "không")
                for o in here
            ]  # fmt: skip
            bad = []
            if code == stranger:  # the number says a man, the row a woman
                rows.append(
                    ("056070999999", "Hồ Thị Lệ", "01/02/1970", "Nữ", "Văn thư", None, "HĐLĐ", "TC", None, None)
                )
                bad = [(len(here), "ID_MISMATCH")]
            received = ends[quarter] + timedelta(days=2 + int(code) % 9)
            writer.send(code, period, f"can_bo_{period}.xlsx", received, head, rows, bad, "DANH SÁCH CÁN BỘ, CÔNG CHỨC")
    stay = [Fact("staff", (o.id,), _place(o, o.commune), ends[0], None) for o in officers if o != mover]
    moved = [
        Fact("staff", (mover.id,), _place(mover, mover.commune), ends[0], ends[1]),
        Fact("staff", (mover.id,), _place(mover, target), ends[1], None),
    ]
    return [*stay, *moved]


def _place(o: _Officer, commune: str) -> tuple[str, str]:
    body, words, *_ = _POSTS[o.post]
    return commune, f"{commune}.{body}/{words}"


def _posts(writer: _Writer, officers: Sequence[_Officer], mover: _Officer, periods: Sequence[str]) -> list[Fact]:
    head = (
        "Số CCCD",
        "Họ và tên",
        "Mã tổ chức",
        "Chức danh",
        "Lĩnh vực",
        "Chức danh chính",
        "Người địa phương",
        "Từ ngày",
        "Đến ngày",
    )
    target = next(o.commune for o in officers if o.commune != mover.commune)

    def row(o: _Officer, commune: str, start: date, end: date | None) -> Sequence[Value]:
        body, words, _, field, local = _POSTS[o.post]
        return (o.id, o.name, f"{commune}.{body}", words, field, "x", local, _day(start), _day(end))

    def fact(o: _Officer, commune: str, start: date, until: date | None) -> Fact:
        body, _, post, _, _ = _POSTS[o.post]
        return Fact("assignments", (o.id, f"{commune}.{body}"), (post,), start, until)

    everybody = [row(o, o.commune, _FOUNDED, None) for o in officers]
    code = officers[0].commune
    wrong: list[Sequence[Value]] = [
        ("056099999901", "Lê Văn Đoàn", f"{code}.DTN", "Bí thư Đoàn xã", None, "x", None, _day(_FOUNDED), None),
        ("056099999902", "Lê Văn Mặt", f"{code}.MT", "Chủ tịch UB MTTQ xã", None, "x", None, _day(_FOUNDED), None),
        ("056099999903", "Lê Văn Hai", f"{code}.DU", "Bí thư Đảng ủy kiêm Chủ tịch HĐND", None, "x", "Không", _day(_FOUNDED), None),
        ("056099999904", "Lê Văn Bốn", f"{code}.KT", "Chuyên viên", None, "x", None, _day(_FOUNDED), None),
    ]  # fmt: skip
    codes = ("NOT_IN_LIST", "NOT_IN_LIST", "TWO_FACTS", "assignment_specialist_has_field")
    bad = [(len(everybody) + n, said) for n, said in enumerate(codes)]
    first, last = periods[-2], periods[-1]
    writer.send("BTC", _month(first), "chuc_danh.xlsx", last_day(first) + timedelta(days=5), head, [*everybody, *wrong], bad,
                "DANH SÁCH CHỨC DANH CẤP XÃ")  # fmt: skip
    eve = _JOINED - timedelta(days=1)
    moves = [row(mover, mover.commune, _FOUNDED, eve), row(mover, target, _JOINED, None)]
    writer.send(
        "BTC", _month(last), "dieu_dong.xlsx", last_day(last) + timedelta(days=5), head, moves, (), "ĐIỀU ĐỘNG CÁN BỘ"
    )
    return [
        *(fact(o, o.commune, _FOUNDED, None) for o in officers if o != mover),
        fact(mover, mover.commune, _FOUNDED, _JOINED),
        fact(mover, target, _JOINED, None),
    ]
