"""The patched package: what may differ differs as it should, and everything else keeps its bytes."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook
from openpyxl.comments import Comment
from openpyxl.styles import Border, Font, Side
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.datavalidation import DataValidation

from assets.intake.tables import ANSWER_SHEET
from assets.intake.workbook import read_workbook
from assets.returns.package import FILLS, SIGN, Book, Mark
from assets.returns.page import Item, Page
from assets.returns.sheet_patch import RELATIONS, Restyle, Unpatchable, patch, reaches_out
from schemas import messages

MAY_DIFFER = re.compile(
    r"\[Content_Types\]\.xml|xl/workbook\.xml|xl/_rels/workbook\.xml\.rels|xl/styles\.xml|xl/lien_thong/.*"
)


def page() -> Page:
    own = messages.text("returned", "own_sheet")
    return Page(
        ANSWER_SHEET, (10, 20), [[Item(own, "text", 2)], [Item("=1+1"), Item("B2", "link", link="'Số liệu'!B2")]], 1, 2
    )


def parts(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        return {name: package.read(name) for name in package.namelist()}


def with_parts(data: bytes, changed: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as package:
        for name, content in {**parts(data), **changed}.items():
            package.writestr(name, content)
    return out.getvalue()


def replaced(data: bytes, part: str, old: bytes, new: bytes) -> bytes:
    content = parts(data)[part]
    assert old in content
    return with_parts(data, {part: content.replace(old, new)})


def saved(book: Workbook) -> bytes:
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def sample() -> Workbook:
    book = Workbook()
    first = book.active
    assert first is not None
    first.title = "Số liệu"
    first.append(["Tên thôn", "Số hộ"])
    first.append(["Bình An", 12])
    first.append(["Phú Lộc", "x"])
    first["B2"].number_format = "#,##0"
    first["B2"].font = Font(bold=True)
    first["B2"].border = Border(left=Side("thick"))
    first.print_title_rows = "1:1"
    first.merge_cells("A5:B5")
    second = book.create_sheet("Khác")
    second["A1"] = "=SUM('Số liệu'!B2:B3)"
    book.defined_names["vung"] = DefinedName("vung", attr_text="'Số liệu'!$A$1:$B$3")
    return book


def patched(data: bytes, marks: Mapping[int, list[Mark]]) -> tuple[bytes, list[tuple[str, str]]]:
    book = Book(data)
    book.mark(marks)
    return book.finished(page()), book.removed


def untouched(before: bytes, after: bytes, *sheets: str) -> None:
    """Every part but those that may differ, and these sheets with their relations, has the same bytes."""
    old, new = parts(before), parts(after)
    own = {f"xl/worksheets/{s}.xml" for s in sheets} | {f"xl/worksheets/_rels/{s}.xml.rels" for s in sheets}
    for name in old.keys() | new.keys():
        if not MAY_DIFFER.fullmatch(name) and name not in own:
            assert old.get(name) == new.get(name), name


# --- what is marked -----------------------------------------------------------------------------------------------------


def test_a_marked_cell_keeps_all_but_its_colour_and_says_why() -> None:
    before = saved(sample())
    after, removed = patched(before, {0: [Mark(2, 2, "error", "Lỗi: sai."), Mark(3, 1, "warning")]})
    untouched(before, after, "sheet1")
    assert removed == []
    book = load_workbook(io.BytesIO(after))
    assert book.sheetnames == [ANSWER_SHEET, "Số liệu", "Khác"]
    cell = book["Số liệu"]["B2"]
    assert cell.fill.fgColor.rgb == FILLS["error"] and cell.comment.text == f"{SIGN}\nLỗi: sai."
    assert cell.number_format == "#,##0" and cell.font.b and cell.border.left.style == "thick" and cell.value == 12
    other = book["Số liệu"]["A3"]
    assert other.fill.fgColor.rgb == FILLS["warning"] and other.comment is None
    assert book["Số liệu"]["A2"].fill.fill_type is None
    assert [g.frame.to_dict(as_series=False) for g in read_workbook(before)] == [
        g.frame.filter(g.frame["_row"] > 0).to_dict(as_series=False) for g in read_workbook(after)[1:]
    ]


def test_our_sheet_is_text_with_links_and_the_one_that_opens() -> None:
    after, _ = patched(saved(sample()), {0: [Mark(2, 2, "error", "x")]})
    book = load_workbook(io.BytesIO(after))
    ours = book.worksheets[0]
    assert ours["A2"].value == "=1+1" and ours["A2"].data_type == "s"
    assert ours["B2"].hyperlink.location == "'Số liệu'!B2"
    assert ours.page_setup.orientation == "landscape" and ours.page_setup.fitToWidth == 1 and ours.freeze_panes == "A2"
    assert ours.print_title_rows == "$2:$2"
    assert book.active is ours and [s.sheet_view.tabSelected for s in book] == [True, None, None]


def test_a_sheet_that_is_not_patched_stays_the_only_selected_one() -> None:
    before = replaced(saved(sample()), "xl/worksheets/sheet1.xml", b"<sheetView ", b'<sheetView tabSelected="1" ')
    after, _ = patched(before, {})
    book = load_workbook(io.BytesIO(after))
    assert book.active.title == "Số liệu" and [bool(s.sheet_view.tabSelected) for s in book] == [False, True, False]
    untouched(before, after)
    marked = load_workbook(io.BytesIO(patched(before, {0: [Mark(2, 2, "error", "x")]})[0]))
    assert [bool(s.sheet_view.tabSelected) for s in marked] == [True, False, False]


def test_what_counts_sheets_by_position_is_shifted() -> None:
    book = sample()
    book.active = 1
    book["Khác"].print_area = "A1:B2"
    after = load_workbook(io.BytesIO(patched(saved(book), {})[0]))
    assert after.active.title in (ANSWER_SHEET, "Khác")
    assert after["Số liệu"].print_title_rows == "$1:$1" and after["Khác"].print_area == "'Khác'!$A$1:$B$2"
    assert after.defined_names["vung"].attr_text == "'Số liệu'!$A$1:$B$3"


def test_cells_that_are_not_there_are_made_in_order() -> None:
    sheet = (
        b'<worksheet><cols><col min="3" max="3" style="4"/></cols><sheetData><row r="2"><c r="B2"><v>1</v></c></row>'
        b'<row r="4" s="7" customFormat="1"/><row r="6"><c r="A6"/><c r="D6"/></row></sheetData><pageMargins/></worksheet>'
    )
    marked = {1: {1: "a"}, 2: {1: "a", 3: "a"}, 4: {2: "a"}, 6: {3: "a", 4: "a", 9: "a"}, 8: {1: "a"}}
    done = patch(sheet, Restyle(marked, lambda style, tone: style + 10), "rId9").data.decode()
    assert re.findall(r'<row r="(\d+)"', done) == ["1", "2", "4", "6", "8"]
    cells = re.findall(r'<c r="([A-Z]+\d+)"(?: s="(\d+)")?', done)
    assert cells == [
        ("A1", "10"), ("A2", "10"), ("B2", ""), ("C2", "14"), ("B4", "17"),
        ("A6", ""), ("C6", "14"), ("D6", "10"), ("I6", "10"), ("A8", "10"),
    ]  # fmt: skip
    assert done.endswith(f'<pageMargins/><legacyDrawing xmlns:r="{RELATIONS}" r:id="rId9"/></worksheet>')


@settings(max_examples=60, deadline=None)
@given(
    st.dictionaries(st.tuples(st.integers(1, 9), st.integers(1, 6)), st.integers(0, 99), max_size=20),
    st.sets(st.tuples(st.integers(1, 12), st.integers(1, 8)), max_size=12),
    st.sampled_from(("", "x:")),
)
def test_whatever_is_marked_values_and_order_stay(
    cells: dict[tuple[int, int], int], marked: set[tuple[int, int]], prefix: str
) -> None:
    rows = {r: sorted(c for q, c in cells if q == r) for r in sorted({r for r, _ in cells})}
    made = "".join(
        f'<row r="{r}">' + "".join(f'<c r="{chr(64 + c)}{r}"><v>{cells[r, c]}</v></c>' for c in row) + "</row>"
        for r, row in rows.items()
    )
    sheet = re.sub("(</?)", rf"\1{prefix}", f"<worksheet><sheetData>{made}</sheetData></worksheet>")
    tones: dict[int, dict[int, str]] = {}
    for r, c in marked:
        tones.setdefault(r, {})[c] = "t"
    done = patch(sheet.encode(), Restyle(tones, lambda style, tone: 5)).data.decode()
    found = re.findall(rf'<{prefix}c r="([A-Z])(\d+)"( s="5")?(?:/>|><{prefix}v>(\d+)<)', done)
    places = [(int(row), ord(letter) - 64) for letter, row, _, _ in found]
    assert places == sorted(cells.keys() | marked)
    assert {p for p, f in zip(places, found, strict=True) if f[2]} == marked
    assert {p: int(f[3]) for p, f in zip(places, found, strict=True) if f[3]} == cells
    if not marked:
        assert done == sheet


def test_a_sheet_out_of_order_is_made_anew() -> None:
    for rows in (b'<row r="3"/><row r="2"/>', b'<row r="2"><c r="B2"/><c r="A2"/></row>'):
        with pytest.raises(Unpatchable):
            patch(b"<worksheet><sheetData>" + rows + b"</sheetData></worksheet>", Restyle({2: {3: "error"}}))
    with pytest.raises(Unpatchable):
        patch(b'<!DOCTYPE x [<!ENTITY a "b">]><worksheet/>', Restyle())


# --- comments -----------------------------------------------------------------------------------------------------------


def test_the_sender_s_comments_stay_and_ours_stand_below() -> None:
    book = sample()
    sheet = book["Số liệu"]
    sheet["A2"].comment, sheet["B2"].comment = Comment("của xã", "Xã"), Comment("đã hỏi lại", "Xã")
    before = saved(book)
    after, _ = patched(before, {0: [Mark(2, 2, "error", "Lỗi: sai."), Mark(3, 2, "error", "Lỗi: chữ.")]})
    found = load_workbook(io.BytesIO(after))["Số liệu"]
    assert found["A2"].comment.text == "của xã" and found["A2"].comment.author == "Xã"
    assert found["B2"].comment.text.startswith("đã hỏi lại") and found["B2"].comment.text.endswith("Lỗi: sai.")
    assert found["B3"].comment.text == f"{SIGN}\nLỗi: chữ." and found["B3"].comment.author == "Liên Thông"
    again = load_workbook(io.BytesIO(patched(after, {1: [Mark(3, 1, "warning", "Cảnh báo.")]})[0]))["Số liệu"]
    assert (again["B2"].comment.text, again["A2"].comment.text) == ("đã hỏi lại", "của xã")
    assert again["B3"].comment is None and again["A3"].comment.text == f"{SIGN}\nCảnh báo."


def test_an_answer_that_comes_back_loses_its_sheet_its_colours_and_its_comments() -> None:
    before = saved(sample())
    once, _ = patched(before, {0: [Mark(2, 2, "error", "Lỗi.")]})
    twice, _ = patched(once, {1: [Mark(3, 2, "warning", "Khác.")]})
    book = load_workbook(io.BytesIO(twice))
    assert book.sheetnames == [ANSWER_SHEET, "Số liệu", "Khác"]
    sheet = book["Số liệu"]
    assert sheet["B2"].fill.fill_type is None and sheet["B2"].comment is None and sheet["B2"].number_format == "#,##0"
    assert sheet["B3"].fill.fgColor.rgb == FILLS["warning"] and sheet["B3"].comment.text == f"{SIGN}\nKhác."
    resaved = io.BytesIO()
    load_workbook(io.BytesIO(once)).save(resaved)  # another program numbers styles and shapes anew
    third, _ = patched(resaved.getvalue(), {})
    sheet = load_workbook(io.BytesIO(third))["Số liệu"]
    assert sheet["B2"].fill.fill_type is None and sheet["B2"].comment is None


def test_a_sheet_of_that_name_that_is_not_ours_stays() -> None:
    book = sample()
    book.create_sheet(ANSWER_SHEET, 0)["A1"] = "Của xã"
    after = load_workbook(io.BytesIO(patched(saved(book), {})[0]))
    assert after.sheetnames == [f"{ANSWER_SHEET} (2)", ANSWER_SHEET, "Số liệu", "Khác"]


# --- what runs or fetches -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("formula", "out"),
    [
        ("SUM(A1:A3)", False), ('"WEBSERVICE "&A1', False), ("Bảng1[Số hộ]*2", False), ("Table1[[#All],[2024]]", False),
        ("'Sheet 2'!A1", False), ("START(1)", False), ('IF(A1="a|b",1,2)', False), ("HYPERLINK(\"#A1\")", False),
        ('WEBSERVICE("http://x")', True), ('_xlfn.WEBSERVICE("http://x")', True), ("1+rtd(A1)", True),
        ("[1]Sheet1!A1", True), ("'[2]Sheet 1'!A1", True), ("'C:\\a\\[b.xlsx]Sheet'!A1", True), ("cmd|'/c calc'!A0", True),
        ('DDE("a";"b";"c")', True), ("CALL(1)", True), ("_xlfn.IMAGE(A1)", True), ("'[3]a''b'!A1", True),
        ("Table1[x]*Sheet2!B1", False), ("T[a]+'it''s'!A1", False), ("[1]!Ten", True), ("'[1]a!b'!A1", True),
        # a quote in the name of a sheet, an apostrophe in that of a column: what follows is no text
        ("""'a"b'!A1+WEBSERVICE("http://x")""", True), ("""'a"b'!A1+[1]S!A1&"x\"""", True),
        ("""T['#a]&"it's"&WEBSERVICE("x")""", True), ("""T['#a]&"it's"&[1]S!A1&"x\"""", True),
        ("1+" * 5_000 + "1", True),
    ],
)  # fmt: skip
def test_what_a_formula_asks_beyond_the_workbook_is_known(formula: str, out: bool) -> None:
    assert reaches_out(formula) is out


def test_formulas_that_reach_out_become_their_results() -> None:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet["A1"], sheet["A2"], sheet["A3"] = 5, "=A1+1", "=A1+2"
    data = saved(book)
    data = replaced(data, "xl/worksheets/sheet1.xml", b"<f>A1+2</f><v></v>", b"<f>&#87;EBSERVICE(A1)</f><v>7</v>")
    data = replaced(data, "xl/worksheets/sheet1.xml", b"<f>A1+1</f><v></v>", b"<f>A1+1</f><v>6</v>")
    after, removed = patched(data, {})
    assert removed == [("formula", "Sheet!A3")]
    assert load_workbook(io.BytesIO(after))["Sheet"]["A3"].value == 7
    assert load_workbook(io.BytesIO(after))["Sheet"]["A2"].value == "=A1+1"
    assert load_workbook(io.BytesIO(after), data_only=True)["Sheet"]["A2"].value == 6


@pytest.mark.parametrize("name", [b"WEB<?x?>SERVICE", b"WEB<!-- -->SERVICE", b"WEB<![CDATA[SERVICE]]>"])
def test_a_name_in_pieces_is_known(name: bytes) -> None:
    book = Workbook()
    book.worksheets[0]["A1"] = "=A2+1"
    data = replaced(saved(book), "xl/worksheets/sheet1.xml", b"<f>A2+1</f><v></v>", b"<f>" + name + b"(A2)</f><v>7</v>")
    assert patched(data, {})[1] == [("formula", "Sheet!A1")]


@pytest.mark.parametrize("piece", ["]", "IMPORT", "CUBEA", "'", "'[a]", "<v:shape ", 'ObjectType="Note"'])
def test_what_is_repeated_without_end_costs_its_length(piece: str) -> None:
    """Squared, any of these would take hours."""
    book = sample()
    book.worksheets[0]["C1"] = "=A1"
    book.worksheets[0]["A1"].comment = Comment("Của xã", "xã")
    text = piece * (5_000_000 // len(piece))
    data = saved(book)
    text_cell = f'<c r="D1" t="inlineStr"><is><t>{text.replace("<", "&lt;")}</t></is></c></row>'.encode()
    data = replaced(data, "xl/worksheets/sheet1.xml", b'</row><row r="2"', text_cell + b'<row r="2"')
    drawing = next(n for n in parts(data) if n.endswith(".vml"))
    data = with_parts(data, {drawing: f"<xml><v:shape {text}</xml>".encode()})
    book_again = Book(data)
    book_again.mark({0: [Mark(2, 2, "error", "Sai.")]})
    assert book_again.finished(page())
    assert reaches_out(text)


def test_a_cell_whose_list_was_elsewhere_takes_any_value() -> None:
    book = sample()
    elsewhere, here = (DataValidation("list", formula1=where) for where in ("[1]Sheet1!$A$1:$A$3", "$D$1:$D$3"))
    for validation, cells in ((elsewhere, "B2:B9"), (here, "C2:C9")):
        validation.add(cells)
        book.worksheets[0].add_data_validation(validation)
    after, removed = patched(saved(book), {0: [Mark(2, 2, "error", "Sai.")]})
    found = load_workbook(io.BytesIO(after))["Số liệu"].data_validations.dataValidation
    assert [(str(v.sqref), v.type, v.formula1) for v in found] == [
        ("B2:B9", None, "FALSE"),
        ("C2:C9", "list", "$D$1:$D$3"),
    ]
    assert removed == [("formula", "Số liệu!B2:B9")]


def test_parts_that_run_go_though_nothing_leads_to_them() -> None:
    data = with_parts(saved(sample()), {"xl/vbaProject.bin": b"MZ", "xl/activeX/activeX1.bin": b"x"})
    after, removed = patched(data, {})
    assert removed == [("macro", "vbaProject.bin"), ("object", "activeX1.bin")]
    assert not [name for name in parts(after) if name.endswith(".bin")]


def test_a_package_with_two_parts_of_one_name_is_made_anew() -> None:
    data = saved(sample())
    with pytest.raises(Unpatchable):
        Book(with_parts(data, {"xl/worksheets/SHEET1.xml": parts(data)["xl/worksheets/sheet2.xml"]}))


_REL = '<Relationship Id="{}" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/{}" Target="{}"{}/>'


def test_macros_links_and_connections_go_and_are_listed() -> None:
    data = saved(sample())
    rels = parts(data)["xl/_rels/workbook.xml.rels"].decode()
    more = _REL.format("rId91", "externalLink", "externalLinks/externalLink1.xml", "")
    more += _REL.format("rId92", "connections", "connections.xml", "")
    more += _REL.format("rId93", "vbaProject", "vbaProject.bin", "")
    types = parts(data)["[Content_Types].xml"].decode()
    types = types.replace("spreadsheetml.sheet.main+xml", "sheet.macroEnabled.main+xml").replace(
        "vnd.openxmlformats-officedocument.sheet.mac", "vnd.ms-excel.sheet.mac"
    )
    book = parts(data)["xl/workbook.xml"].decode().replace(
        "<definedNames>",
        f'<externalReferences><externalReference xmlns:r="{RELATIONS}" r:id="rId91"/></externalReferences>'
        '<definedNames><definedName name="ngoai">[1]Sheet1!$A$1</definedName>',
    )  # fmt: skip
    hostile = with_parts(
        data,
        {
            "xl/_rels/workbook.xml.rels": rels.replace("</Relationships>", f"{more}</Relationships>").encode(),
            "[Content_Types].xml": types.encode(),
            "xl/workbook.xml": book.encode(),
            "xl/externalLinks/externalLink1.xml": b"<externalLink/>",
            "xl/externalLinks/_rels/externalLink1.xml.rels": b"<Relationships/>",
            "xl/connections.xml": b"<connections/>",
            "xl/vbaProject.bin": b"\xd0\xcf",
        },
    )
    after, removed = patched(hostile, {})
    kept = parts(after)
    assert not [n for n in kept if re.search("externalLink|connections|vbaProject", n)]
    assert {kind for kind, _ in removed} == {"external_link", "connection", "macro", "name"}
    whole = b"".join(kept[n] for n in ("[Content_Types].xml", "xl/workbook.xml", "xl/_rels/workbook.xml.rels"))
    assert not re.search(rb"macroEnabled|externalRef|ngoai|vbaProject|connections", whole)
    assert load_workbook(io.BytesIO(after)).sheetnames[1:] == ["Số liệu", "Khác"]


def test_pictures_from_an_address_are_not_fetched() -> None:
    data = saved(sample())
    part = "xl/drawings/_rels/drawing1.xml.rels"
    rels = '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{}</Relationships>'
    picture = _REL.format("rId1", "image", "http://attacker.example/x.png", ' TargetMode="External"')
    after, removed = patched(with_parts(data, {part: rels.format(picture).encode()}), {})
    assert b"attacker" not in parts(after)[part] and removed == [("linked_part", "image")]


@pytest.mark.parametrize("cut", [100, 900, 3000])
def test_a_broken_package_is_made_anew(cut: int) -> None:
    with pytest.raises(Unpatchable):
        patched(saved(sample())[:-cut], {0: [Mark(1, 1, "error", "x")]})
