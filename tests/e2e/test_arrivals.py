"""What arrives: places, names and kinds of files. Each delivery is archived and answered, and stops no other.

One run over everything; among the wrong files lie sound ones, which must come through.
"""

from __future__ import annotations

import gzip
import io
import json
import os
import zipfile
from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest
from openpyxl import Workbook, load_workbook

from tests import legacy
from tests.e2e.conftest import Make
from tests.e2e.flows import HEAD, World, codes, saved, text_csv, villages, worded, workbook

SOUND = villages(("Bình An", 10, 40), ("Bình Hòa", 20, 80))
ROWS = [HEAD, ("Bình An", "Thôn", "10", "40"), ("Bình Hòa", "Thôn", "20", "80")]
OFFICE = (
    "Tỉnh, thành phố",
    "Mã xã mới",
    "Tên xã mới",
    "Mã xã cũ",
    "Tên xã cũ",
    "Ghi chú",
    "Quận, huyện cũ",
    "Tỉnh, thành phố cũ",
)
VALUES = {"Bình An": (10, 40), "Bình Hòa": (20, 80)}


def _zip(**parts: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in parts.items():
            file.writestr(name, data)
    return out.getvalue()


def _far_cell() -> bytes:
    book = load_workbook(io.BytesIO(SOUND))
    sheet = book.active
    assert sheet is not None
    sheet["XFD1048576"] = "x"
    return saved(book)


SHEET = "xl/worksheets/sheet1.xml"


def _bomb() -> bytes:
    with zipfile.ZipFile(io.BytesIO(SOUND)) as file:
        parts = {n: file.read(n) for n in file.namelist()}
    parts[SHEET] = parts[SHEET].replace(b"<sheetData>", b"<sheetData>" + b" " * (64 << 20))
    return _zip(**parts)


def _torn() -> bytes:
    """Bytes in the middle of the sheet lost; the package's directory is whole."""
    with zipfile.ZipFile(io.BytesIO(SOUND)) as file:
        at = file.getinfo(SHEET).header_offset + 30 + len(SHEET) + 40
    return SOUND[:at] + bytes(60) + SOUND[at + 60 :]


def _page() -> bytes:
    lines = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in ROWS)
    return f"<html><meta charset=utf-8><table>{lines}</table></html>".encode()


def _nothing() -> bytes:
    return saved(Workbook())


WRONG: dict[str, tuple[bytes, str]] = {
    "dang_nhap.xls": ("<!DOCTYPE html>\n<html><body>Đăng nhập</body></html>".encode(), "NO_TABLE_IN_PAGE"),
    "html_cat.xls": ("<html><table><tr><td>Tên thôn</td></tr><tr><td>A</td>".encode(), "DAMAGED_FILE"),
    "spreadsheetml.xls": (
        b'<?xml version="1.0"?><?mso-application progid="Excel.Sheet"?>'
        b'<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet"/>',
        "NO_SHEETS",
    ),
    "biff.xls": (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 504 + "Workbook".encode("utf-16-le") + b"\0" * 512,
        "DAMAGED_WORKBOOK",
    ),
    "mat_khau.xlsx": (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 504 + "EncryptedPackage".encode("utf-16-le") + b"\0" * 512,
        "PASSWORD",
    ),
    "cat_do.xlsx": (SOUND[: len(SOUND) // 2], "DAMAGED_WORKBOOK"),
    "dau_mat.xlsx": (SOUND[:40], "DAMAGED_WORKBOOK"),
    "giua_hong.xlsx": (_torn(), "DAMAGED_WORKBOOK"),
    "rong.xlsx": (b"", "EMPTY_FILE"),
    "rong.csv": (b"", "EMPTY_FILE"),
    "chi_bom.csv": (b"\xef\xbb\xbf", "EMPTY_FILE"),
    "trang.csv": (b" \r\n \r\n", "EMPTY_FILE"),
    "khong_trang_tinh.xlsx": (_nothing(), "NO_DATA_ROWS"),
    "bao_cao.pdf": (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "NOT_A_TABLE"),
    "pdf.xlsx": (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "NOT_A_TABLE"),
    "van_ban.docx": (_zip(**{"word/document.xml": b"<x/>", "[Content_Types].xml": b"<x/>"}), "NOT_A_TABLE"),
    "bang.ods": (_zip(**{"mimetype": b"x", "content.xml": b"<x/>"}), "NO_SHEETS"),
    "bang.xlsb": (_zip(**{"xl/workbook.bin": b"x"}), "DAMAGED_WORKBOOK"),
    "goi.zip": (_zip(**{"thon.xlsx": SOUND, "hong.xlsx": SOUND[:500]}), "BAD_PART"),
    "goi_kep.zip": (_zip(**{"trong.zip": _zip(**{"thon.xlsx": SOUND})}), "BAD_PART"),
    "goi_rong.zip": (_zip(), "EMPTY_ARCHIVE"),
    "goi.rar": (b"Rar!\x1a\x07\x00" + bytes(50), "UNSUPPORTED_ARCHIVE"),
    "anh.png": (b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "NOT_A_TABLE"),
    "xuat.json": ('[{"Tên thôn": "A", "Số hộ": 1, "Số khẩu": 2}'.encode(), "BROKEN_JSON"),
    "trang_dau.json": ('{"total": 9, "data": [{"Tên thôn": "A", "Số hộ": 1, "Số khẩu": 2}]}'.encode(), "JSON_SHAPE"),
    "cp1258.csv": ("Tên thôn;Số hộ".encode("cp1258", "replace") + b"\n\xd2\xea\n", "NOT_UTF8"),
    "utf32.csv": (text_csv(ROWS, encoding="utf-32"), "NOT_UTF8"),
    "ngoac.csv": ('Tên thôn,Số hộ,Số khẩu\nA,1,2\n"B,1,2\nC,1,2\n'.encode(), "BROKEN_CSV"),
    "nen.xlsx": (_bomb(), "TOO_LARGE"),
    "bang_khac.xlsx": (workbook([("Họ và tên", "Ngày sinh"), ("A", "1/1/1990")]), "UNKNOWN_DATASET"),
    "thieu_cot.xlsx": (workbook([("Tên thôn", "Số hộ", "Số khẩu tạm trú"), ("A", 1, 2)]), "MISSING_HEADER"),
    "hai_cot.xlsx": (workbook([("Tên thôn", "Số hộ", "Số hộ", "Số khẩu"), ("A", 1, 1, 2)]), "DUPLICATE_HEADER"),
    "loi_van.csv": ("Kính gửi Sở Nội vụ,\nXin gửi danh sách thôn.\n".encode(), "UNKNOWN_DATASET"),
}
"""File name -> bytes and the code that refuses them."""

READ: dict[str, bytes] = {
    "cham_phay.csv": text_csv(ROWS, ";", "utf-8-sig", "\r\n"),
    "tab.txt": text_csv(ROWS, "\t"),
    "gach.csv": text_csv(ROWS, "|", end="\r"),
    "utf16.csv": text_csv(ROWS, "\t", "utf-16"),
    "utf16_khong_bom.csv": text_csv(ROWS, encoding="utf-16-le"),
    "tcvn3.csv": legacy.tcvn3(text_csv(ROWS, ";").decode()).encode("latin-1"),
    "vni.txt": legacy.vni(text_csv(ROWS, "\t").decode()).encode("latin-1"),
    "windows_1258.csv": legacy.cp1258(text_csv(ROWS).decode()),
    "doc_nham.csv": legacy.mojibake(text_csv(ROWS).decode(), 2).encode(),
    "sep.csv": b"sep=;\r\n" + text_csv(ROWS, ";", end="\r\n"),
    "csv.xlsx": text_csv(ROWS),
    "html.xls": _page(),
    "trang.html": _page(),
    "tep.json": json.dumps([dict(zip(ROWS[0], row, strict=True)) for row in ROWS[1:]]).encode(),
    "goi.zip": _zip(**{"thư mục/thôn.csv": text_csv(ROWS), "__MACOSX/._x": b"x"}),
    "thon.csv.gz": gzip.compress(text_csv(ROWS)),
    "xlsx.csv": SOUND,
    "khong_duoi": text_csv(ROWS),
    "chu_hoa.XLSX": SOUND,
    "o_xa.xlsx": _far_cell(),
    "nhieu_o.csv": "\n".join(f"{','.join(r)},,,," for r in ROWS).encode(),
    "dong_trong.csv": ("\n\n" + "\n\n".join(",".join(r) for r in ROWS) + "\n\n\n").encode(),
    "ngoac_kep.csv": '"Tên\nthôn","Số\nhộ","Số khẩu"\n"Bình\nAn","10","40"\n"Bình Hòa","20","80"'.encode(),
    "nul.csv": (
        "Danh s\0ách,,,\nTên\0 thôn,Số hộ,Số khẩu,Khác\0\nBình An,10,40,\nBình Hòa,20,80,\n"
        "Tổng cộng,30,12\0,\nNgười lập\0 biểu,,,\n"
    ).encode(),
    os.fsdecode("th\u00f4n.xlsx".encode("latin-1")): SOUND,  # a name from another system, in no UTF-8
    "dấu tiếng Việt & khoảng trắng.xlsx": SOUND,
}


TOLD = {"csv.xlsx": ["CSV_AS_WORKBOOK"], "html.xls": ["HTML_AS_WORKBOOK"]} | dict.fromkeys(
    ("utf16_khong_bom.csv", "tcvn3.csv", "vni.txt", "windows_1258.csv", "doc_nham.csv"), ["ENCODING_READ"]
)
"""File name -> what is said of it besides."""


@dataclass
class Arrived:
    """The world after the run; file name -> place."""

    world: World
    wrong: dict[str, str]
    sound: dict[str, str]
    elsewhere: dict[str, str]


@pytest.fixture(scope="module")
def arrived(make_world: Make) -> Arrived:
    world = make_world()
    senders = iter(world.communes)
    troubled = next(senders)
    wrong = {name: world.drop(troubled, data, name) for name, (data, _) in WRONG.items()}
    sound = {name: world.drop(next(senders), data, name) for name, data in READ.items()}
    month, year_stated, year, half, odd, lower, department = (next(senders) for _ in range(7))
    stated = workbook([("DANH SÁCH THÔN đến ngày 31/3/2026",), *[(r[0], r[2], r[3]) for r in ROWS]])
    elsewhere = {
        "month": world.drop(month, SOUND, period="2026-05"),
        "year with a date": world.drop(year_stated, stated, period="2026"),
        "year": world.drop(year, SOUND, period="2026"),
        "half": world.drop(half, SOUND, period="2026-H1"),
        "no period": world.drop(odd, SOUND, period="quy 2"),
        "quarter five": world.drop(odd, SOUND, period="2026-Q5"),
        "lower case": world.drop(lower, SOUND, period="2026-q2"),
        "department": world.drop("SNV", SOUND),
        "nobody": world.drop("99999", SOUND),
        "a commune of before": world.drop("22330", SOUND),
        "too deep": world.drop(f"{department}/thu_muc", SOUND),
        "the office's table": world.drop(
            department,
            workbook(
                [OFFICE, ("Khánh Hòa (56)", "22333", "Xã A", "22330", "Xã B", "Nhập toàn bộ", "H (568)", "T (56)")]
            ),
            period="2025",
        ),
    }
    for name in (".an.xlsx", "~$thon.xlsx", "thon.xlsx.part", "thon.tmp", "Thon.CRDOWNLOAD"):
        world.drop(troubled, SOUND, name)
    (world.home / "inbox" / "lac.xlsx").write_bytes(SOUND)
    elsewhere["no folder"] = "lac.xlsx"
    world.run()
    return Arrived(world, wrong, sound, elsewhere)


@pytest.mark.parametrize("name", WRONG)
def test_what_cannot_be_read_is_refused_with_its_reason(name: str, arrived: Arrived) -> None:
    answered = arrived.world.submission(arrived.wrong[name])
    assert (answered["state"], codes(answered)) == ("rejected", [WRONG[name][1]])
    worded(answered)


@pytest.mark.parametrize("name", READ)
def test_what_can_be_read_is(name: str, arrived: Arrived) -> None:
    place = arrived.sound[name]
    assert arrived.world.open_villages(place.split("/")[1]) == VALUES
    answered = arrived.world.submission(place)
    assert answered["state"] == "accepted" and answered["file"] == place.rsplit("/", 1)[1]
    assert codes(answered) == TOLD.get(name, [])


@pytest.mark.parametrize(
    ("where", "code"),
    [
        ("year", "UNKNOWN_PERIOD"),
        ("half", "UNKNOWN_PERIOD"),
        ("no period", "UNKNOWN_PERIOD"),
        ("quarter five", "UNKNOWN_PERIOD"),
        ("department", "NOT_A_SENDER"),
        ("nobody", "UNKNOWN_SENDER"),
        ("a commune of before", "UNKNOWN_SENDER"),
        ("too deep", "BAD_PATH"),
        ("no folder", "BAD_PATH"),
        ("the office's table", "NOT_A_SENDER"),
    ],
)
def test_a_place_that_says_nothing_is_refused(where: str, code: str, arrived: Arrived) -> None:
    answered = arrived.world.submission(arrived.elsewhere[where])
    assert (answered["state"], codes(answered)) == ("rejected", [code])
    worded(answered)


@pytest.mark.parametrize(
    ("where", "period", "as_of"),
    [
        ("month", "2026-Q2", date(2026, 6, 30)),
        ("year with a date", "2026-Q1", date(2026, 3, 31)),
        ("lower case", "2026-Q2", date(2026, 6, 30)),
    ],
)
def test_a_period_is_understood(where: str, period: str, as_of: date, arrived: Arrived) -> None:
    answered = arrived.world.submission(arrived.elsewhere[where])
    assert (answered["state"], answered["period"], answered["as_of"]) == ("accepted", period, as_of.isoformat())


def test_unfinished_and_hidden_files_are_left_and_everything_else_is_kept(arrived: Arrived) -> None:
    known = {r[0] for r in arrived.world.rows("select origin from intake.delivery")}
    assert known == {*arrived.wrong.values(), *arrived.sound.values(), *arrived.elsewhere.values()}
    bodies = {r[0] for r in arrived.world.rows("select distinct sha256 from intake.delivery")}
    assert {path.split("/")[-1] for path in arrived.world.archived()} == bodies
    states: dict[str, Any] = dict(arrived.world.rows("select state, count(*) from intake.delivery group by 1"))
    assert "received" not in states


def test_a_second_run_finds_nothing_new(arrived: Arrived) -> None:
    ran = arrived.world.run()
    assert (ran.received, ran.staged, ran.rejected, ran.published) == ([], [], [], None)
