"""Deciding by content what a file is."""

from __future__ import annotations

import gzip
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
            package.writestr(zipfile.ZipInfo(name), "x" * 200)  # of no date: the bytes are part of a test's name
    return out.getvalue()


@pytest.mark.skipif(not SHARED.exists(), reason="the folder of shared cases is absent")
def test_g12_files_that_are_not_what_their_names_say() -> None:
    def of(path: str) -> tuple[bytes, str]:
        file = SHARED / "cases/G12" / path
        return file.read_bytes(), file.name

    page = sniff(*of("1/thon_xuat_phan_mem.xls"))
    assert (page.kind, [p.code for p in page.problems]) == ("html", ["HTML_AS_WORKBOOK"])
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
            assert sniff(data, path.name).kind == "gz"
            assert sniff(gzip.decompress(data), path.stem).kind == "xls"


ODS = b"application/vnd.oasis.opendocument."


def office(mime: bytes, *names: str) -> bytes:
    out = io.BytesIO(zipped(*names))
    with zipfile.ZipFile(out, "a") as package:
        package.writestr(zipfile.ZipInfo("mimetype"), mime)
    return out.getvalue()


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (OLE2 + "EncryptedPackage".encode("utf-16-le"), ("PASSWORD", None)),
        (OLE2 + "Workbook".encode("utf-16-le"), ("DAMAGED_WORKBOOK", None)),
        (OLE2[:200], ("DAMAGED_WORKBOOK", None)),
        (zipped("xl/workbook.xml")[:-30], ("DAMAGED_WORKBOOK", None)),
        (zipped("word/document.xml", "_rels/.rels"), ("NOT_A_TABLE", ".docx")),
        (zipped("ppt/presentation.xml", "_rels/.rels"), ("NOT_A_TABLE", ".pptx")),
        (office(ODS + b"text", "content.xml"), ("NOT_A_TABLE", ".odt")),
        (office(ODS + b"spreadsheet", "encrypted-package"), ("PASSWORD", None)),
        (b"%PDF-1.7 ...", ("NOT_A_TABLE", ".pdf")),
        (b"\xff\xd8\xff\xe0 JFIF", ("NOT_A_TABLE", ".jpg")),
        (b"BM" + bytes(range(1, 9)) * 9, ("NOT_A_TABLE", ".bmp")),
        (b"7z\xbc\xaf\x27\x1c", ("UNSUPPORTED_ARCHIVE", ".7z")),
        (b"Rar!\x1a\x07", ("UNSUPPORTED_ARCHIVE", ".rar")),
        (b"thon.csv".ljust(257, b"\0") + b"ustar", ("UNSUPPORTED_ARCHIVE", ".tar")),
        (b"SQLite format 3\0", ("UNSUPPORTED_FORMAT", ".sqlite")),
        (b'<?xml version="1.0"?><ds><d/></ds>', ("UNSUPPORTED_FORMAT", ".xml")),
        (b"\xef\xbb\xbf\r\n \n", ("EMPTY_FILE", None)),
        (bytes(range(1, 9)) * 100, ("UNSUPPORTED_FORMAT", ".xlsx")),
    ],
)
def test_each_wrong_kind_has_its_answer(data: bytes, expected: tuple[str, object]) -> None:
    assert refusal(data) == expected


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (zipped("xl/workbook.bin", "_rels/.rels"), "xlsb"),
        (office(ODS + b"spreadsheet", "content.xml"), "ods"),
        (zipped("mimetype", "content.xml"), "ods"),
        (zipped("thon.csv"), "zip"),
        (zipped("thư mục/xl.xml"), "zip"),
        (b"\x1f\x8b\x08\x00", "gz"),
        (b"PAR1", "parquet"),
        (b"\x09\x08\x10\x00\x00\x06\x05\x00", "xls"),
        (b"\xef\xbb\xbf \r\n<!DOCTYPE html><html><table><tr><td>1", "html"),
        ("\ufeff<html><table>".encode("utf-16"), "html"),
        (b"<TABLE BORDER=1><TR>", "html"),
        (b"<!-- v 1 --><div>", "html"),
        (b'<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml">', "html"),
        (b'<html xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet">', "html"),
        (b"MIME-Version: 1.0\nContent-Type: multipart/related", "mhtml"),
        (b"From: <Saved by Excel>\nSubject: x\nMIME-Version: 1.0\n", "mhtml"),
        (b'<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet">', "xmlsheet"),
        (b'\n<ss:Workbook xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet">', "xmlsheet"),
        (b'<office:document xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0">', "ods"),
        (b'\xef\xbb\xbf [\n{"a": 1}]', "json"),
        (b'{"data": []}', "json"),
        ('[{"a": 1}]'.encode("utf-16"), "json"),
    ],
)
def test_each_kind_is_told_by_content(data: bytes, kind: str) -> None:
    for name in ("a.xls", "a.csv", "khong_duoi"):
        found = sniff(data, name)
        assert found.kind == kind
        assert [p.code for p in found.problems] == (["HTML_AS_WORKBOOK"] if kind in ("html", "mhtml") else [])


def test_the_name_settles_little() -> None:
    assert sniff(b"1", "a.json").kind == "json"
    assert sniff(b"<html></html>", "a.html").problems == sniff(b"MIME-Version: 1.0", "a.mht").problems == ()
    for name in ("a.csv", "a.tsv", "a.txt", "khong_duoi"):
        assert (sniff(CSV, name).kind, sniff(CSV, name).problems) == ("csv", ())
    for name in ("a.xls", "a.XLSX", "a.ods"):
        assert [p.code for p in sniff(CSV, name).problems] == ["CSV_AS_WORKBOOK"]
    assert sniff(zipped("xl/workbook.xml"), "a.csv").kind == "xlsx"
    assert refusal(zipped("a.csv")[:-30], "a.zip") == ("DAMAGED_FILE", "ZIP")


@pytest.mark.parametrize(
    "data",
    [
        b"a,b\n\0,x\n" * 3,
        "Tên,Số\nĐào,1\n".encode("utf-16"),
        "Tên,Số\n".encode("utf-16-le"),  # read as CSV, which answers NOT_UTF8
        "Tên thôn,Số hộ\n".encode("cp1258", "replace"),
        b"<5,>5\n1,2\n",
        b"PK,v\n1,2\n",
        b"BM,TT\n1,2\n",
        b"[1],{x}\n1,2\n",
        b"Mime-Version,x\n",
    ],
)
def test_texts_of_all_sorts_go_to_the_csv_reader(data: bytes) -> None:
    assert sniff(data, "a.csv").kind == "csv"
