"""Deciding by content what a file is."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from assets.intake.sniff import sniff
from schemas.codes import CODES
from schemas.grid import Unreadable

SHARED = Path(__file__).resolve().parents[3].parent / "shared"
OLE2 = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)
CSV = "STT,Tên thôn\n1,Nà Lụa\n".encode()


def refusal(data: bytes, name: str = "a.xlsx") -> tuple[str, object]:
    with pytest.raises(Unreadable) as caught:
        sniff(data, name)
    assert CODES[caught.value.problem.code].level == "delivery"
    return caught.value.problem.code, caught.value.problem.params.get("format")


def zipped(*names: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as package:
        for name in names:
            package.writestr(name, "x" * 200)
    return out.getvalue()


@pytest.mark.skipif(not SHARED.exists(), reason="the folder of shared cases is absent")
def test_g12_files_that_are_not_what_their_names_say() -> None:
    def of(path: str) -> tuple[bytes, str]:
        file = SHARED / "cases/G12" / path
        return file.read_bytes(), file.name

    assert refusal(*of("1/thon_xuat_phan_mem.xls"))[0] == "HTML_AS_WORKBOOK"
    renamed = sniff(*of("2/thon_doi_ten.xlsx"))
    assert renamed.kind == "csv"
    assert [p.code for p in renamed.problems] == ["CSV_AS_WORKBOOK"]
    assert refusal(*of("3/thon_mat_khau.xlsx"))[0] == "PASSWORD"
    assert refusal(*of("4/thon_tai_do.xlsx"))[0] == "DAMAGED_WORKBOOK"
    assert refusal(*of("5/thon_rong.xlsx"))[0] == "EMPTY_FILE"
    sound = sniff(*of("6/thon_dung.xlsx"))
    assert (sound.kind, sound.problems) == ("xlsx", ())


@pytest.mark.skipif(not SHARED.exists(), reason="the folder of real files is absent")
def test_real_files_are_what_they_are() -> None:
    for path in (SHARED / "data/real").glob("*/*"):
        data = path.read_bytes()
        if path.suffix in (".xlsx", ".csv"):
            sniffed = sniff(data, path.name)
            assert (sniffed.kind, sniffed.problems) == (path.suffix[1:], ())
        elif path.suffix == ".gz":
            assert refusal(data, path.name) == ("UNSUPPORTED_FORMAT", ".gz")


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (OLE2 + "EncryptedPackage".encode("utf-16-le"), ("PASSWORD", None)),
        (OLE2 + "Workbook".encode("utf-16-le"), ("UNSUPPORTED_FORMAT", ".xls")),
        (OLE2 + "WordDocument".encode("utf-16-le"), ("UNSUPPORTED_FORMAT", ".doc")),
        (zipped("xl/workbook.xml")[:-30], ("DAMAGED_WORKBOOK", None)),
        (zipped("xl/workbook.bin", "_rels/.rels"), ("UNSUPPORTED_FORMAT", ".xlsb")),
        (zipped("word/document.xml", "_rels/.rels"), ("UNSUPPORTED_FORMAT", ".docx")),
        (zipped("mimetype", "content.xml"), ("UNSUPPORTED_FORMAT", ".ods")),
        (zipped("thon.csv"), ("UNSUPPORTED_FORMAT", ".zip")),
        (b"%PDF-1.7 ...", ("UNSUPPORTED_FORMAT", ".pdf")),
        (b"\xef\xbb\xbf \r\n<!DOCTYPE html><html><table><tr><td>1", ("HTML_AS_WORKBOOK", None)),
        ("\ufeff<html><table>".encode("utf-16"), ("HTML_AS_WORKBOOK", None)),
        (b'<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml">', ("HTML_AS_WORKBOOK", None)),
        (b"MIME-Version: 1.0\nContent-Type: multipart/related", ("HTML_AS_WORKBOOK", None)),
        (
            b'<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet">',
            ("UNSUPPORTED_FORMAT", "XML Spreadsheet 2003"),
        ),
        (b"\xef\xbb\xbf\r\n \n", ("EMPTY_FILE", None)),
        (bytes(range(1, 9)) * 100, ("UNSUPPORTED_FORMAT", ".xlsx")),
    ],
)
def test_each_wrong_kind_has_its_answer(data: bytes, expected: tuple[str, object]) -> None:
    assert refusal(data) == expected


def test_the_name_decides_only_between_texts() -> None:
    assert refusal(b'{"a": 1}', "a.json") == ("UNSUPPORTED_FORMAT", ".json")
    assert refusal(b"<html></html>", "a.html") == ("UNSUPPORTED_FORMAT", ".html")
    for name in ("a.csv", "a.txt", "khong_duoi"):
        assert (sniff(CSV, name).kind, sniff(CSV, name).problems) == ("csv", ())
    assert sniff(zipped("xl/workbook.xml"), "a.csv").kind == "xlsx"


@pytest.mark.parametrize(
    "data",
    [
        b"a,b\n\0,x\n" * 3,
        "Tên,Số\nĐào,1\n".encode("utf-16"),
        "Tên,Số\n".encode("utf-16-le"),  # read as CSV, which answers NOT_UTF8
        "Tên thôn,Số hộ\n".encode("cp1258", "replace"),
        b"<5,>5\n1,2\n",
        b"PK,v\n1,2\n",
    ],
)
def test_texts_of_all_sorts_go_to_the_csv_reader(data: bytes) -> None:
    assert sniff(data, "a.csv").kind == "csv"
