"""Bombs: files of some kilobytes that ask for a machine's memory or a day's time. Each refused by its bound, or read for what
it is, in a time that its size on disk would suggest."""

from __future__ import annotations

import io
import struct
import time
import zipfile
from collections.abc import Callable, Iterator

import pytest

from assets.intake.grids import grids_of
from assets.intake.limits import MIB, Limits
from assets.intake.tables import find_tables
from schemas.contract import Contract, builtin_folder, load_contracts
from schemas.grid import Grid, Unreadable
from tests.assets.intake.test_workbook import DOC, MAIN, PKG, package

HEAD = "".join(
    f'<c r="{x}1" t="inlineStr"><is><t>{t}</t></is></c>'
    for x, t in zip("ABC", ("Tên thôn", "Số hộ", "Số khẩu"), strict=True)
)
ROWS = f'<row r="1">{HEAD}</row>' + "".join(
    f'<row r="{n}"><c r="A{n}" t="inlineStr"><is><t>Thôn {n}</t></is></c><c r="B{n}"><v>{n}</v></c><c r="C{n}"><v>9</v></c></row>'
    for n in range(2, 12)
)
SECONDS = 10.0
"""Processor time; squared time would be minutes or days. This is no measure of speed."""


@pytest.fixture(scope="module")
def contracts() -> list[Contract]:
    return list(load_contracts([builtin_folder()]).values())


@pytest.fixture(autouse=True)
def _in_time() -> Iterator[None]:
    began = time.process_time()
    yield
    assert time.process_time() - began < SECONDS


def refused(data: bytes, limits: Limits | None = None) -> str:
    """Code and limit of the refusal."""
    with pytest.raises(Unreadable) as caught:
        grids_of(data, "a.xlsx", limits)
    problem = caught.value.problem
    return f"{problem.code} {problem.params['limit']}" if "limit" in problem.params else problem.code


def outcome(data: bytes) -> str:
    """'read', or the code of the refusal."""
    try:
        grids_of(data, "a.xlsx")
    except Unreadable as found:
        return found.problem.code
    return "read"


def read(data: bytes) -> Grid:
    (grid,), _ = grids_of(data, "a.xlsx")
    return grid


def rows_found(data: bytes, contracts: list[Contract], name: str = "a.xlsx") -> int:
    """Data rows of the villages in it."""
    (table,) = find_tables(grids_of(data, name)[0], contracts, "villages")
    assert table.rows_read == table.rows.height + table.set_aside.height
    return table.rows.height


# ------------------------------------------------------------------------------------------------------------ extents


def test_a_dimension_that_lies_is_not_believed(contracts: list[Contract]) -> None:
    for stated in ("A1:XFD1048576", "A1", "nonsense", "A1:XFD99999999999"):
        data = _with_dimension(stated)
        assert rows_found(data, contracts) == 10


def _with_dimension(stated: str) -> bytes:
    sheet = f'<worksheet xmlns="{MAIN}"><dimension ref="{stated}"/><sheetData>{ROWS}</sheetData></worksheet>'
    return package("", **{"xl/worksheets/mot.xml": sheet})


def test_a_cell_at_the_end_of_the_sheet(contracts: list[Contract]) -> None:
    far = '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
    assert rows_found(package(ROWS + far), contracts) in (10, 11)


def test_many_empty_styled_rows(contracts: list[Contract]) -> None:
    empty = "".join(f'<row r="{n}" s="1" customFormat="1"/>' for n in range(12, 100_000))
    assert rows_found(package(ROWS + empty), contracts) == 10
    cells = "".join(f'<row r="{n}"><c r="A{n}" s="1"/><c r="B{n}" s="1"/></row>' for n in range(12, 60_000))
    assert rows_found(package(ROWS + cells), contracts) == 10


def test_rows_beyond_the_bound() -> None:
    assert refused(package('<row r="1"/>' + "<row/>" * 5_000), Limits(rows=4_000)) == "TOO_LARGE 4000 dòng"


def test_a_cell_in_each_column_of_a_row_of_its_own() -> None:
    from assets.intake.workbook import letters

    diagonal = "".join(f'<row r="{n}"><c r="{letters(n)}{n}"><v>1</v></c></row>' for n in range(1, 2_001))
    assert refused(package(diagonal), Limits(cells=100_000)) == "TOO_LARGE 100000 ô"


@pytest.mark.parametrize("kind", ["wide first", "wide last", "plain wide first"])
def test_a_wide_record_of_a_csv_makes_no_wide_table(kind: str) -> None:
    wide, narrow = b"," * 1_999 + b"\n", b"a,b\n" * 40_000
    data = narrow + wide if kind == "wide last" else wide + narrow
    if kind == "wide first":
        data = b'"a\nb"' + data
    assert refused(data) == "TOO_LARGE 16000000 ô"


def test_columns_without_end_in_a_csv() -> None:
    assert refused(b"," * 3_000_000) == "TOO_LARGE 2048 cột"


# -------------------------------------------------------------------------------------------------------------- texts


@pytest.mark.parametrize("count", ["4294967296", "-1", "x", "3"])
def test_the_count_of_shared_strings_is_not_believed(count: str) -> None:
    table = f'<sst xmlns="{MAIN}" count="{count}" uniqueCount="{count}"><si><t>Đào Xá</t></si></sst>'
    data = package('<row r="1"><c r="A1" t="s"><v>0</v></c></row>', **{"xl/sharedStrings.xml": table})
    assert read(data).frame["A"].to_list() == ["Đào Xá"]


def test_shared_strings_are_counted() -> None:
    data = package('<row r="1"/>', shared="<si/>" * 5_000)
    assert refused(data, Limits(shared_strings=4_999)) == "TOO_LARGE 4999 chuỗi văn bản"


def test_one_long_text_in_many_cells() -> None:
    cells = "".join(f'<row r="{n}"><c r="A{n}" t="s"><v>0</v></c></row>' for n in range(1, 40_001))
    data = package(cells, shared=f"<si><t>{'x' * 32_767}</t></si>")
    assert refused(data) == "TOO_LARGE 512 MB văn bản"


def test_every_letter_by_its_number() -> None:
    letters = "".join(f"&#{code};" for code in range(0x4E00, 0x9F00)) * 2
    data = package(f'<row r="1"><c r="A1" t="inlineStr"><is><t>{letters}</t></is></c></row>')
    assert len(read(data).frame["A"][0]) == 2 * (0x9F00 - 0x4E00)


def test_numbers_without_end() -> None:
    long = "9" * 1_000_000
    grid = read(package(f'<row r="1"><c r="A1"><v>{long}</v></c><c r="B1"><v>1e{"9" * 10_000}</v></c></row>'))
    assert len(grid.frame["A"][0]) in (1, 1_000_000)
    for place in ("9" * 5_000, "0", "-1"):
        assert refused(package(f'<row r="{place}"><c r="A{place}"><v>1</v></c></row>')) == "DAMAGED_WORKBOOK"


# --------------------------------------------------------------------------------------------------------------- XML

ENTITIES = (
    '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">'
    + "".join(f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(1, 12))
    + "]>"
)
EXTERNAL = '<!DOCTYPE x [<!ENTITY m SYSTEM "file:///etc/passwd">]>'
RELATION = f'<Relationship Id="r1" Type="{DOC}/worksheet" Target="worksheets/mot.xml"/>'
SHEET = '<sheets><sheet name="T" sheetId="1" r:id="r1"/></sheets>'
CELL = '<row r="1"><c r="A1" t="inlineStr"><is><t>&m;</t></is></c></row>'
PARTS = {
    "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{DOC}"><x>&m;</x>{SHEET}</workbook>',
    "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{PKG}">&m;{RELATION}</Relationships>',
    "xl/worksheets/mot.xml": f'<worksheet xmlns="{MAIN}"><sheetData>{CELL}</sheetData></worksheet>',
    "xl/sharedStrings.xml": f'<sst xmlns="{MAIN}"><si><t>&m;</t></si></sst>',
    "xl/styles.xml": f'<styleSheet xmlns="{MAIN}"><numFmts><numFmt numFmtId="200" formatCode="&m;"/></numFmts></styleSheet>',
}  # fmt: skip


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize(
    "doctype", [ENTITIES, EXTERNAL, "<!DOCTYPE x>", '<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd">']
)
def test_document_types_and_entities_in_any_part(part: str, doctype: str) -> None:
    text = PARTS[part] if doctype in (ENTITIES, EXTERNAL) else PARTS[part].replace("&m;", "")
    data = package(ROWS, **{part: doctype + text})
    if "<!ENTITY" in doctype:
        assert refused(data) == "DAMAGED_WORKBOOK"
    else:  # nothing is fetched
        assert outcome(data) in ("read", "DAMAGED_WORKBOOK")


@pytest.mark.parametrize("part", PARTS)
def test_elements_nested_without_end(part: str) -> None:
    deep = "<x>" * 300_000
    data = package(ROWS, **{part: PARTS[part].replace("&m;", deep)})
    assert refused(data) == "DAMAGED_WORKBOOK"


def test_an_attribute_and_a_text_of_twenty_megabytes() -> None:
    long = "x" * (20 * MIB)
    for rows in (
        f'<row r="1" spans="{long}"/>',
        f'<row r="1"><c r="A1" t="inlineStr"><is><t>{long}</t></is></c></row>',
    ):
        assert outcome(package(rows)) in ("read", "DAMAGED_WORKBOOK", "TOO_LARGE")


# ----------------------------------------------------------------------------------------------------------- formulas


def test_a_formula_is_never_evaluated() -> None:
    rows = (
        '<row r="1"><c r="A1"><f>REPT("x",32767)&amp;REPT("x",32767)</f></c><c r="B1"><f>1/0</f><v>7</v></c></row>'
        '<row r="2"><c r="A2"><f t="shared" ref="A2:XFD1048576" si="0">WEBSERVICE("http://127.0.0.1:9")</f></c>'
        '<c r="B2"><f t="array" ref="A1:XFD1048576">A1:XFD1048576^9^9^9</f><v>8</v></c></row>'
    )
    grid = read(package(rows))
    assert grid.frame.select("A", "A__k", "B").rows() == [("", 6, "7"), ("", 6, "8")]


def test_formulas_without_end() -> None:
    long = "1+" * 2_000_000
    rows = f'<row r="1"><c r="A1"><f>{long}1</f><v>3</v></c><c r="B1"><f>{"(" * 500_000}</f><v>4</v></c></row>'
    assert read(package(rows)).frame.select("A", "B").rows() == [("3", "4")]


# ------------------------------------------------------------------------------------------------------ merged ranges


def _merged(*references: str) -> bytes:
    cells = "".join(f'<mergeCell ref="{reference}"/>' for reference in references)
    return package(ROWS, after=f"<mergeCells>{cells}</mergeCells>")


def test_a_range_over_the_whole_sheet_many_times(contracts: list[Contract]) -> None:
    assert rows_found(_merged(*["A3:XFD1048576"] * 50_000), contracts) == 10
    for reference in ("A1:XFD1048576", "A1:C1"):  # one header text over all columns
        with pytest.raises(Unreadable, match="(DUPLICATE|MISSING)_HEADER"):
            rows_found(_merged(*[reference] * 50_000), contracts)
    assert rows_found(_merged(*["A2:A1048576"] * 50_000), contracts) == 10


def test_a_hundred_thousand_ranges(contracts: list[Contract]) -> None:
    assert rows_found(_merged(*(f"E{n}:F{n + 1}" for n in range(2, 200_002, 2))), contracts) == 10
    assert rows_found(_merged(*(f"A{n}:A1048576" for n in range(3, 50_000))), contracts) == 10


# ------------------------------------------------------------------------------------------------- styles and packages


def test_styles_without_end(contracts: list[Contract]) -> None:
    styles = f"<cellXfs>{'<xf/>' * 300_000}</cellXfs>"
    assert rows_found(package(ROWS, styles=styles), contracts) == 10
    assert refused(package(ROWS, styles=styles), Limits(tree_bytes=MIB)) == "TOO_LARGE 1 MB một phần XML"


@pytest.mark.parametrize(
    "code", ["[" * 30_000, '"' * 30_001, "[h" * 30_000, "y" * 1_000_000, "[$-" * 30_000, "\\" * 30_001]
)
def test_a_number_format_without_end(code: str) -> None:
    code = code.replace('"', "&quot;")
    styles = f'<numFmts><numFmt numFmtId="200" formatCode="{code}"/></numFmts><cellXfs><xf numFmtId="200"/></cellXfs>'
    assert read(package('<row r="1"><c r="A1" s="0"><v>45000</v></c></row>', styles=styles)).frame["A"].to_list() == [
        "45000"
    ]


def test_many_sheets_of_one_part() -> None:
    sheets = "".join(f'<sheet name="T{n}" sheetId="{n}" r:id="r1"/>' for n in range(5_000))
    book = f'<workbook xmlns="{MAIN}" xmlns:r="{DOC}"><sheets>{sheets}</sheets></workbook>'
    assert refused(package(ROWS, **{"xl/workbook.xml": book})) == "TOO_LARGE 1000 trang tính"


def test_relations_in_a_circle() -> None:
    relations = (
        f'<Relationships xmlns="{PKG}"><Relationship Id="r1" Type="{DOC}/worksheet" Target="workbook.xml"/>'
        f'<Relationship Id="r2" Type="{DOC}/sharedStrings" Target="_rels/workbook.xml.rels"/>'
        f'<Relationship Id="r3" Type="{DOC}/styles" Target="workbook.xml"/></Relationships>'
    )
    assert outcome(package(ROWS, **{"xl/_rels/workbook.xml.rels": relations})) in ("read", "DAMAGED_WORKBOOK")


def test_relations_out_of_the_package() -> None:
    out = RELATION.replace("worksheets/mot.xml", "../../../../etc/passwd")
    relations = f'<Relationships xmlns="{PKG}">{out}</Relationships>'
    assert refused(package(ROWS, **{"xl/_rels/workbook.xml.rels": relations})) == "DAMAGED_WORKBOOK"


def test_ten_thousand_parts(contracts: list[Contract]) -> None:
    parts = {f"xl/media/{n}.png": "<x/>" for n in range(10_000)}
    assert rows_found(package(ROWS, **parts), contracts) == 10


def test_a_bomb_by_its_ratio_and_by_its_sum() -> None:
    spaces = " " * (20 * MIB)
    assert refused(package(spaces + ROWS)) == "TOO_LARGE tỉ lệ nén 400 lần"
    assert refused(package(ROWS), Limits(unpacked_bytes=1_000)).startswith("TOO_LARGE")


def _patched(data: bytes, part: str, change: Callable[[bytearray, int, int], None]) -> bytes:
    """The zip with a change at the local header and the directory entry of a part."""
    out = bytearray(data)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        local, directory = archive.getinfo(part).header_offset, archive.start_dir
    at = out.index(part.encode(), directory) - 46
    change(out, local, at)
    return bytes(out)


def test_a_part_larger_than_it_says() -> None:
    def smaller(out: bytearray, local: int, at: int) -> None:
        struct.pack_into("<I", out, local + 22, 100)
        struct.pack_into("<I", out, at + 24, 100)

    assert refused(_patched(package(ROWS), "xl/worksheets/mot.xml", smaller)) == "DAMAGED_WORKBOOK"


def test_a_part_that_says_it_is_enormous() -> None:
    def greater(out: bytearray, local: int, at: int) -> None:
        struct.pack_into("<I", out, at + 24, 0xFFFFFFF0)

    assert refused(_patched(package(ROWS), "xl/worksheets/mot.xml", greater)).startswith("TOO_LARGE")


def test_parts_that_overlap() -> None:
    def onto_itself(out: bytearray, local: int, at: int) -> None:
        struct.pack_into("<I", out, at + 42, 0)  # where the first part lies

    assert refused(_patched(package(ROWS), "xl/worksheets/mot.xml", onto_itself)) == "DAMAGED_WORKBOOK"


def test_a_zip_in_a_zip_in_a_zip() -> None:
    data = package(ROWS)
    for _ in range(3):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as archive:
            archive.writestr("a.zip", data)
        data = out.getvalue()
    assert refused(data) == "BAD_PART"


# -------------------------------------------------------------------------------------------------- headers and patterns


def test_two_thousand_headers_that_are_near_to_ours(contracts: list[Contract]) -> None:
    names = ",".join(f"Tên của thôn hoặc tổ dân phố số {n} {'x' * 400}" for n in range(1_500))
    data = ("Tên thôn," + names + "\n" + "a," * 1_500 + "b\n").encode()
    with pytest.raises(Unreadable) as caught:
        rows_found(data, contracts, "a.csv")
    assert caught.value.problem.code == "MISSING_HEADER"
