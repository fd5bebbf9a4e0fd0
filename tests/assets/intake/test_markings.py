"""Secret markings: a stamp is found in whatever it is sent and however it is written; the word in a text is none."""

from __future__ import annotations

import gzip
import io
import json
import quopri
import tracemalloc
import unicodedata
import zipfile
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
import xlwt
from hypothesis import example, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook
from openpyxl.comments import Comment

from assets.intake import markings
from assets.intake.markings import marked, marked_name, marked_statement, stamped
from assets.intake.workbook import Limits

STAMPS = ("MẬT", "TỐI MẬT", "TUYỆT MẬT")
HEAD = "Tên thôn,Loại,Số hộ,Số khẩu"
WORDS = [
    "bảo mật", "bí mật", "mật độ", "mật khẩu", "mật ong", "mất", "mặt", "Mật Sơn", "mất mật khẩu", "Mật độ dân số", "không mật",
    "Độ mật: Thường", "Không", "Độ mật", "Mức độ mật", "Thôn Mật", "Bản Mật", "BẢO MẬT", "Bảo mật thông tin", "MAT", "Mat",
    "Bí mật nhà nước", "tối mặt tối mũi", "TỐI MẶT", "Nuôi ong lấy mật", "Cơ mật viện", "cập nhật", "tối mất điện",
    "Quy hoạch sử dụng đất", "Danh sách quy hoạch đô thị", "Công tác quy hoạch cán bộ năm 2026", "Không mật", "Chưa mật",
    "sáp, mật, phấn hoa", "Độ bảo\nmật", "Mật\nđộ dân số", "Mặt trận Tổ quốc", "MẶT TRẬN", "format", "Matthew", "Mátxcơva",
]  # fmt: skip
"""Cells that speak of something else."""


def found(data: bytes) -> bool:
    return marked(io.BytesIO(data), len(data))


# ------------------------------------------------------------------------------------------------------------- what it is

_GAPS = st.sampled_from([" ", "-", "_", "\u00a0", "  ", "\n", "\u200b ", " – "])
_WRAPS = st.sampled_from(
    [("", ""), ("(", ")"), ("[", "]"), ("*** ", " ***"), ("“", "”"), (" ", "\u00a0"), ("- ", " -"), ("", ".")]
)
_LABELS = st.sampled_from(["", "", "Độ mật: ", "ĐỘ MẬT: ", "Mức độ mật - ", "Phân loại: ", "Dấu mật: ", "do_mat: "])
_FORMS = st.sampled_from(["NFC", "NFD", "NFKC", "NFKD"])
_CASES = st.sampled_from([str.upper, str.lower, str.title, str.capitalize])


@st.composite
def renderings(draw: st.DrawFn) -> str:
    """A stamp as somebody may write it."""
    words = draw(st.sampled_from(STAMPS)).split()
    if draw(st.booleans()):
        words = [" ".join(word) if draw(st.booleans()) else word for word in words]
    text = draw(_CASES)(draw(_GAPS).join(words))
    if draw(st.booleans()):
        text = "\u200b".join(text)
    before, after = draw(_WRAPS)
    return unicodedata.normalize(draw(_FORMS), f"{draw(_LABELS)}{before}{text}{after}")


@given(renderings())
def test_a_stamp_is_one_however_it_is_written(text: str) -> None:
    assert stamped(text)
    assert found(f'{HEAD}\nThôn A,Thôn,1,2\n,,,"{text}"\n'.encode())


@pytest.mark.parametrize(
    "text",
    [
        "TUYET MAT", "TOI MAT", "Toi mat", "MËT", "mËt", "TUYÖT MËT", "TèI MËT", "§é mËt: MËT", "MAÄT", "TUYEÄT MAÄT", "toái maät",
        "MÂòT", "MẬT".encode().decode("latin-1"), "Tối mật".encode().decode("cp1252"), "МẬТ", "ＭẬＴ", "M&#7852;T",
        "Tài liệu TUYỆT MẬT", "TÀI LIỆU MẬT", "MẬT – Lưu hành nội bộ", "TỐI MẬT / Bản số 03", "Văn bản tối mật",
        "DANH SÁCH QUY HOẠCH CÁN BỘ LÃNH ĐẠO, QUẢN LÝ GIAI ĐOẠN 2026-2031", "Danh sách cán bộ được quy hoạch nhiệm kỳ 2030-2035",
        "Quy hoạch chức danh Bí thư Đảng ủy", "Tổng hợp kết quả quy hoạch cấp ủy",
    ],
)  # fmt: skip
def test_other_spellings(text: str) -> None:
    assert stamped(text)


@pytest.mark.parametrize("text", WORDS)
@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_the_word_in_a_text_is_no_stamp(text: str, form: str) -> None:
    for said in (text, text.upper() if text not in ("tối mất điện",) else text):
        assert not stamped(unicodedata.normalize(form, said)), said


_PLAIN = st.sampled_from(
    [
        "bảo mật",
        "bí mật",
        "mật độ",
        "mật khẩu",
        "dân số",
        "Thôn",
        "mất",
        "mặt trận",
        "nhật",
        "Mật Sơn",
        "xã",
        "các",
        "luật",
        "12",
        "2026",
    ]
)


@given(st.lists(_PLAIN, min_size=1, max_size=8).map(" ".join), st.sampled_from(["utf-8", "utf-16", "utf-8-sig"]))
def test_running_text_is_none_in_a_file_either(text: str, encoding: str) -> None:
    rows = f'STT,Nội dung,Ghi chú\n1,"{text}",{text}\n2,{text},"a, {text}, b"\n{text}\n'
    assert not found(rows.encode(encoding))
    assert not found(_workbook(lambda book: book.active.append([text, f"{text}\n{text}"])))  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "name",
    [
        "danh_sach_MAT_2026.xlsx", "tuyet-mat.xlsx", "a_MẬT.xlsx", "BC TỐI MẬT.docx", "toi_mat.csv", "ho so (mat).xlsx",
        "hồ sơ mật.docx", "MAT.xlsx", "TUYETMAT.csv", "MẬT_thon.xlsx", "Quy_hoach_can_bo_2026.xlsx", "x-MAT-.csv", "[Mật] x.xls",
        unicodedata.normalize("NFD", "a_MẬT_.xlsx"), "Tuyệt mật", "DS quy hoạch cấp ủy.xlsx",
    ],
)  # fmt: skip
def test_names_with_a_marking(name: str) -> None:
    assert marked_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "mat_do_dan_so.xlsx", "MAT_TRAN_TO_QUOC.xlsx", "BAO_CAO_MAT_TRAN.xlsx", "bao_mat.xlsx", "BAO_MAT.xlsx", "Mật Sơn.xlsx",
        "hop_mat_dau_xuan.xlsx", "HOP_MAT.xlsx", "thon_mat_khau.xlsx", "format.xlsx", "mat.csv", "gui_toi_mat_tran.xlsx", "22366",
        "quy_hoach_dat.xlsx", "matrix.csv", "2026-Q2", "MẬT_ĐỘ.xlsx", "Mật độ dân số.xlsx", "thon.xlsx",
    ],
)  # fmt: skip
def test_names_without(name: str) -> None:
    assert not marked_name(name)


@pytest.mark.parametrize(
    "said", ["as_of: 2026-06-01\n# MẬT\n", "note: Tối mật", "do_mat: 'MẬT'", "dataset: [villages, TUYỆT MẬT]"]
)
def test_a_sidecar(said: str) -> None:
    assert marked_statement(said.encode())
    assert not marked_statement(b"dataset: villages\nas_of: 2026-06-01\n")


# ---------------------------------------------------------------------------------------------------------- where it stands


def _workbook(change: Callable[[Workbook], object]) -> bytes:
    book = Workbook()
    assert book.active is not None
    for row in (HEAD.split(","), ("Thôn A", "Thôn", 1, 2)):
        book.active.append(row)
    change(book)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _with_part(name: str, text: str, data: bytes | None = None) -> bytes:
    out = io.BytesIO(data or _workbook(lambda book: None))
    with zipfile.ZipFile(out, "a", zipfile.ZIP_DEFLATED) as package:
        package.writestr(name, text)
    return out.getvalue()


def _cell(text: str) -> bytes:
    return _workbook(lambda book: book.active.append([None, text]))  # type: ignore[union-attr]


def _header(text: str) -> bytes:
    def change(book: Workbook) -> None:
        assert book.active is not None
        book.active.oddHeader.right.text = text
        book.active.oddHeader.right.font = "Times New Roman,Bold"
        book.active.oddHeader.right.size = 14
        book.active.oddHeader.left.text = "UBND xã"

    return _workbook(change)


def _comment(text: str) -> bytes:
    return _workbook(lambda book: setattr(book.active["A1"], "comment", Comment(text, "Văn thư")))  # type: ignore[index]


def _sheet_name(text: str) -> bytes:
    return _workbook(lambda book: book.create_sheet(text))


def _property(text: str) -> bytes:
    return _workbook(lambda book: setattr(book.properties, "subject", text))


def _runs(text: str) -> bytes:
    runs = "".join(f'<r><rPr><b/><sz val="11"/></rPr><t>{c}</t></r>' for c in text)
    return _with_part("xl/sharedStrings2.xml", f"<sst><si><t>Thôn A</t></si><si>{runs}</si></sst>")


def _box(text: str) -> bytes:
    runs = "".join(f'<a:r><a:rPr lang="vi-VN"/><a:t>{c}</a:t></a:r>' for c in text)
    return _with_part("xl/drawings/drawing1.xml", f"<xdr:wsDr><xdr:txBody><a:p>{runs}</a:p></xdr:txBody></xdr:wsDr>")


def _watermark(text: str) -> bytes:
    return _with_part(
        "xl/drawings/vmlDrawing9.vml", f'<xml><v:shape id="WordArt1"><v:textpath string="{text}"/></v:shape></xml>'
    )


def _document(text: str) -> bytes:
    body = f"<w:document><w:body><w:p><w:r><w:t>{text[:1]}</w:t></w:r><w:r><w:t>{text[1:]}</w:t></w:r></w:p></w:body></w:document>"
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as package:
        package.writestr("word/document.xml", body)
    return out.getvalue()


def _ods(text: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as package:
        package.writestr(
            "content.xml", f"<office:body><table:table-cell><text:p>{text}</text:p></table:table-cell></office:body>"
        )
    return out.getvalue()


def _old(change: Callable[[xlwt.Workbook, xlwt.Worksheet], object]) -> bytes:
    book = xlwt.Workbook(encoding="utf-8")
    sheet = book.add_sheet("Thôn")
    for r in range(40):
        sheet.write(r, 0, f"Thôn {r} bảo mật")
        sheet.write(r, 1, "A" * (r + 20))
    change(book, sheet)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _zipped(data: bytes, name: str = "thon.xlsx") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("doc.txt", "không có gì")
        package.writestr(name, data)
    return out.getvalue()


def _parquet(text: str) -> bytes:
    out = io.BytesIO()
    pl.DataFrame({"ten": ["Thôn A", text], "ho": [1, 2]}).write_parquet(out, compression="zstd")
    return out.getvalue()


def _xlsb(text: str) -> bytes:
    words = ["Thôn A", text, "B" * 65]
    items = b"".join(b"\x13\x20\x00" + len(w).to_bytes(4, "little") + w.encode("utf-16-le") for w in words)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("xl/workbook.bin", b"\x83\x01\x00" * 40)
        package.writestr("xl/sharedStrings.bin", b"\x9f\x01\x08\x00\x00\x00\x02" + items)
    return out.getvalue()


PLACES: dict[str, Callable[[str], bytes]] = {
    "cell": _cell, "header": _header, "comment": _comment, "sheet name": _sheet_name, "property": _property,
    "text in runs": _runs, "text box": _box, "watermark": _watermark, "docx": _document, "ods": _ods,
    "xls cell": lambda t: _old(lambda book, sheet: sheet.write(50, 2, t)),
    "xls sheet name": lambda t: _old(lambda book, sheet: book.add_sheet(t)),
    # xlwt's own setter fails on Python 3
    "xls header": lambda t: _old(lambda book, sheet: setattr(sheet, "_Worksheet__header_str", f"&L&14{t}")),
    "xlsb": _xlsb, "parquet": _parquet,
    "zip in zip": lambda t: _zipped(_zipped(_cell(t)), "trong.zip"),
    "gzip": lambda t: gzip.compress(_old(lambda book, sheet: sheet.write(50, 2, t))),
    "csv": lambda t: f"{HEAD}\n{t},,,\n".encode(),
    "csv with semicolons": lambda t: f'{HEAD.replace(",", ";")}\nThôn A;"x, y";1;"{t}"\n'.encode("utf-8-sig"),
    "csv in UTF-16": lambda t: f"{HEAD}\n\n{t}\n".encode("utf-16"),
    "csv in UTF-16 without a mark": lambda t: f"{HEAD}\r\n,{t},\r\n".encode("utf-16-le"),
    "json": lambda t: json.dumps({"do_mat": t, "rows": [1]}, ensure_ascii=False).encode(),
    "json in escapes": lambda t: json.dumps([{"rows": [1]}, {"nhan": t}]).encode(),
    "html": lambda t: f"<html><body><p>{HEAD}</p><table><tr><td><b>{t[:1]}</b>{t[1:]}</td></tr></table></body></html>".encode(),
    "mhtml": lambda t: (
        b"MIME-Version: 1.0\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
        + quopri.encodestring(f"<html><table><tr><td>{t}</td></tr></table></html>".encode())
    ),
    "html in a comment": lambda t: f"<html><!-- {t} --><table><tr><td>1</td></tr></table></html>".encode(),
}  # fmt: skip


@pytest.mark.parametrize("place", PLACES)
def test_a_stamp_is_found_where_it_stands(place: str) -> None:
    for stamp in (*STAMPS, "Tối mật"):
        assert found(PLACES[place](stamp)), stamp
    for word in ("bảo mật", "mật độ", "Mật Sơn", "Thường"):
        assert not found(PLACES[place](word)), word


@pytest.mark.parametrize(
    "data",
    [
        b"T\xean,A\nM\xcbT,\n", b"T\xean,A\nTUY\xd6T M\xcbT\n", b"a,b\nMA\xc4T,1\n", b"a,b\nTUYE\xc4T MA\xc4T,1\n",
        "a,b\nTh\u00f4n,Độ mật\n".encode("utf-8") + b"M\xc2\xf2T,\xff\n", b"a,b\nT\xe8i m\xcbt,1\n",
    ],
    ids=["TCVN3", "TCVN3 highest", "VNI", "VNI highest", "cp1258 among UTF-8", "TCVN3 small letters"],
)  # fmt: skip
def test_bytes_that_are_no_unicode(data: bytes) -> None:
    assert found(data)


def test_a_cell_of_tcvn3_in_an_old_workbook() -> None:
    assert found(_old(lambda book, sheet: sheet.write(50, 2, "TUYÖT MËT")))


@pytest.mark.parametrize(
    "page",
    [
        b"<html><td>TUY\xd6T M\xcbT</td></html>",
        "<html><td>MẬT</td></html>".encode("utf-16-le"),
        b"<html><td>M&#7852;T</td></html>",
    ],
    ids=["TCVN3", "UTF-16", "references"],
)
def test_a_page_in_a_package(page: bytes) -> None:
    assert found(_zipped(page, "bang.html")) and found(page)


def test_a_name_within_a_package() -> None:
    assert found(_zipped(b"a,b\n1,2\n", "danh sach (MAT).csv"))
    assert not found(_zipped(b"a,b\n1,2\n", "mat_do.csv"))


# ------------------------------------------------------------------------------------------------------- size and hostility


@settings(max_examples=15)
@given(st.integers(0, 12_000))
@example(4093)
@example(4999)
@example(5000)
def test_a_stamp_across_blocks(at: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(markings, "_BLOCK", 5000)
        filler = "Thôn,1,bảo mật,mật độ,Mật Sơn,xyz\n"
        text = (filler * (at // len(filler) + 1))[: at // len(filler) * len(filler)] + "x" * (at % len(filler)) + "\n"
        assert found(f"{text}A,1,TỐI MẬT,,,\n{filler * 400}".encode())
        assert not found(f"{text}A,1,bảo mật,,,\n{filler * 400}".encode())
        assert not found(("x" * at + " bảo mật" * 3000).encode())


def test_a_large_file_costs_a_block() -> None:
    row = "Thôn Bảo Mới,Thôn,10,40\n".encode() * 99 + "Thôn Bảo Mật,Thôn,10,40\n".encode()
    data = row * ((48 << 20) // len(row))

    tracemalloc.start()
    try:
        assert not found(data)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < len(data) + (64 << 20)  # the file itself is the test's


@pytest.mark.parametrize("limits", [Limits(unpacked_bytes=1 << 20), Limits(ratio=50)], ids=["size", "ratio"])
def test_a_bomb_is_left_to_the_reader(limits: Limits) -> None:
    bomb = _with_part("xl/bomb.xml", "<a>" + " " * (20 << 20) + "MẬT</a>")
    tracemalloc.start()
    try:
        assert not marked(io.BytesIO(bomb), len(bomb), limits)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 16 << 20
    # what else the package holds is looked at
    assert marked(io.BytesIO(both := _with_part("xl/z.xml", "<a>MẬT</a>", bomb)), len(both), limits)


def test_packages_in_packages_end() -> None:
    data = _cell("MẬT")
    for _ in range(8):
        data = _zipped(data, "a.zip")
    assert not found(data)


SEEDS = [
    _cell("Mật độ"),
    _old(lambda book, sheet: None),
    gzip.compress(b"a,b\n1,2\n"),
    _parquet("Thôn"),
    b"%PDF-1.4\nstream\nx\n",
]


@given(
    st.sampled_from(SEEDS),
    st.lists(st.tuples(st.integers(0, 1 << 20), st.binary(max_size=6)), max_size=8),
    st.integers(0, 1 << 20),
)
def test_broken_bytes_raise_nothing(seed: bytes, changes: list[tuple[int, bytes]], cut: int) -> None:
    data = bytearray(seed)
    for at, new in changes:
        data[at % len(data) : at % len(data) + len(new)] = new
    found(bytes(data[: cut % (len(data) + 1)] if cut % 3 == 0 else data))


@given(st.binary(max_size=400))
def test_any_bytes_raise_nothing(data: bytes) -> None:
    found(data)


def test_the_real_files_and_the_given_cases_bear_none(shared: Path) -> None:
    for folder in ("data/real", "cases"):
        for path in sorted((shared / folder).rglob("*.*")):
            if path.is_file():
                with path.open("rb") as source:
                    assert not marked(source, path.stat().st_size), path.name
                assert not marked_name(path.name)
