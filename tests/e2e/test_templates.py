"""A template of every dataset, filled in as a person does it, passes; left empty or ticked as nothing, it is answered."""

from __future__ import annotations

import io
from collections.abc import Mapping
from contextlib import closing
from datetime import date
from typing import Any

import pytest
from openpyxl import load_workbook
from openpyxl.workbook import Workbook

from assets.intake.submissions import SenderInfo, may_send
from assets.intake.tables import OWN_SHEETS
from assets.returns.template import Start, asked, start, template_book
from schemas.contract import Column, Contract, builtin_folder, load_contracts
from schemas.periods import parse_period
from tests.e2e.conftest import Make
from tests.e2e.flows import World, saved

CONTRACTS = load_contracts([builtin_folder()])
COMMUNE = "22366"
LABELS = {"month": "2026-06", "quarter": "2026-Q2", "half": "2026-H1", "year": "2025"}
ID = "056185000123"
UNIT = {"province_name": "Tỉnh Khánh Hòa", "unit_name": "Phường Nha Trang"}
OVER: Mapping[str, Mapping[str, Any]] = {
    "administrative_units": {"unit_code": COMMUNE, "unit_name": "Phường Nha Trang", "province_code": "56"},
    "annual_quotas": {"civil_servant_posts": 20, "deputies_allowed": 2, "appointments": 3, "appointments_published": 2},
    "assignments": {"citizen_id": ID, "post": "Cấp phó", "started_on": date(2026, 6, 3), "ended_on": None, "is_main": "x"},
    "dossiers": {"dossier_number": "H32-0001", "due_on": date(2026, 6, 20), "finished_on": date(2026, 6, 18)},
    "hold_decisions": {"submission": "S0123456789a", "predecessor": "KHONG_CO", "decision": "Chấp nhận"},
    "household_sizes": {**UNIT, "households": 30, "urban": 30, "urban_1": 10, "urban_2": 20},
    "identity_decisions": {"dataset": "staff", "left_record": "1234567890123456789", "right_record": "1234567890123456780"},
    "kpi_evaluations": {
        "citizen_id": ID, "common_score": 28, "quantity_pct": 90, "quality_pct": 90, "progress_pct": 90, "result_score": 63,
        "total_score": 91, "unit_result_pct": None, "organising_pct": None, "uniting_pct": None,
    },
    "norms": {"norm_code": "YOUNG_AGE", "applies_to": "", "value": 40},
    "organizations": {"organization_code": "X22366-VHXH", "organization_type": "Phòng chuyên môn cấp xã", "level": "Xã",
                      "commune_code": "Phường Nha Trang", "effective_to": None},
    "population": {**UNIT, "total": 100, "urban": 100, "rural": 0},
    "public_service_units": {"own_revenue": 1_500_000, "recurrent_spending": 2_000_000, "state_budget": 500_000},
    "staff": {"citizen_id": ID, "date_of_birth": date(1985, 3, 4), "gender": "Nữ", "full_name": "Trần Thị Bình",
              "id_card": "012345678", "left_on": None, "home_place": None},
    "targets": {"indicator_code": "I27", "bloc_or_unit": ""},
    "unit_changes": {"old_code": "22327", "new_code": COMMUNE, "note": "Nhập toàn bộ", "old_district_code": "568"},
    "unit_comparisons": {"old_name": "Xã A", "new_name": "Xã B"},
    "villages": {"village_name": "Tổ 3/2", "households": 120, "population": 480, "concurrent_workers": 1,
                 "non_professional_workers": 2},
}  # fmt: skip
"""Where a dataset needs more than the plainest value of each type."""


def sender_of(contract: Contract, senders: Mapping[str, SenderInfo]) -> SenderInfo:
    return senders[COMMUNE] if "communes" in contract.senders else next(
        senders[code] for code in (*contract.senders, "SNV") if code in senders
    )  # fmt: skip


def plain(contract: Contract, column: Column) -> Any:
    """What a person would write into a cell."""
    if column.name in OVER.get(contract.dataset, {}):
        return OVER[contract.dataset][column.name]
    if column.enum:
        return column.enum[0].label
    value: dict[str, Any] = {
        "integer": 0, "money": 0, "decimal": 0, "percent": 50, "boolean": "x", "text": "Theo báo cáo", "name": "Bình An",
        "names": None, "agency_id": None, "province_code": "56", "code": "0" * column.options.get("width", 0) or "H32",
        "date": date(2026, 6, 1), "commune_code": COMMUNE,
    }  # fmt: skip
    return value.get(column.semantic_type) if column.required or column.semantic_type != "code" else None


def filled(book: bytes, contract: Contract, row: Mapping[str, Any]) -> bytes:
    """The workbook with a row under its header, below the rows that are there, as a person writes it."""
    opened = load_workbook(io.BytesIO(book))
    page = opened.worksheets[0]
    at = next(n for n in range(1, 20) if page.cell(n, 1).fill.fgColor.rgb in ("00DDE6F0", "00F6D9C9"))
    labels = {c.label: c.name for c in contract.columns}
    last = next(n for n in range(at + 1, at + 50) if all(page.cell(n, m).value is None for m in range(1, 6)))
    for cell in page[at]:
        if cell.value and (value := row.get(labels[cell.value.removesuffix(" *")])) is not None:
            page.cell(last, cell.column).value = value
    return saved(opened)


def tick(book: bytes) -> bytes:
    """The workbook with 'Không phát sinh' ticked."""
    opened = load_workbook(io.BytesIO(book))
    cell = next(c for row in opened.worksheets[0].iter_rows(max_row=10) for c in row if c.value == "Không phát sinh:")
    cell.offset(0, 1).value = "CÓ"
    return saved(opened)


@pytest.fixture(scope="module")
def sent(make_world: Make) -> World:
    """Every template thrice: filled in, left empty, ticked."""
    world = make_world()
    senders = world.pipeline.senders
    for contract in world.pipeline.contracts.values():
        sender, label = sender_of(contract, senders), LABELS[contract.period_type]
        assert may_send(contract, sender)
        book = made(world, contract, sender, label)
        row = {c.name: plain(contract, c) for c in asked(contract, sender)}
        world.drop(sender.code, filled(book, contract, row), f"{contract.dataset}.xlsx", period=label)
        before = {"2026-06": "2026-05", "2026-Q2": "2026-Q1", "2025": "2024", "2026-H1": "2025-H2"}[label]
        empty = made(world, contract, sender, before)
        world.drop(sender.code, empty, f"{contract.dataset}_trong.xlsx", period=before)
        world.drop(sender.code, tick(empty), f"{contract.dataset}_khong.xlsx", period=before)
    world.run()
    return world


def made(
    world: World, contract: Contract, sender: SenderInfo, label: str, *, personal: bool = False, by: str = "thu"
) -> bytes:
    period = parse_period(label, contract.calendar)
    pipeline = world.pipeline
    with world.connection() as connection, closing(pipeline):
        vault = pipeline.vault if personal else None
        begin = start(connection, contract, sender, period, province="56", personal=vault, by=by)
        return template_book(contract, sender, period, begin)


def answers(world: World) -> dict[str, dict[str, Any]]:
    return {a["file"]: a for a in world.answers()}


def test_filled_in_it_passes(sent: World) -> None:
    told = answers(sent)
    wrong = {}
    for dataset, contract in CONTRACTS.items():
        one = told[f"{dataset}.xlsx"]
        said = [p for p in one["problems"] if p["severity"] != "info"] + [
            r for r in one["rows"] if r["severity"] == "error"
        ]
        if one["dataset"] != dataset or one["state"] != "accepted" or one["counts"]["accepted"] != 1 or said:
            wrong[dataset] = one["state"], one["dataset"], said
        assert one["period"] == LABELS[contract.period_type] and one["as_of_source"] == "sheet"
    assert wrong == {}


def test_left_empty_it_is_answered_with_what_to_do(sent: World) -> None:
    told = answers(sent)
    for dataset in CONTRACTS:
        one = told[f"{dataset}_trong.xlsx"]
        assert (one["dataset"], one["state"]) == (dataset, "rejected"), dataset
        (problem,) = one["problems"]
        assert problem["code"] == "NO_DATA_ROWS" and "“Không phát sinh: CÓ”" in problem["remedy"]


def test_ticked_as_nothing_to_report_it_is_taken_at_its_word(sent: World) -> None:
    told = answers(sent)
    for dataset in CONTRACTS:
        one = told[f"{dataset}_khong.xlsx"]
        assert (one["dataset"], [p["code"] for p in one["problems"]]) == (dataset, ["NOTHING_TO_REPORT"]), dataset
        assert one["state"] == "accepted" and one["counts"]["accepted"] == one["counts"]["quarantined"] == 0
    log = sent.rows("select dataset from mart_v1.submission_log where nothing_to_report")
    assert {r[0] for r in log} == set(CONTRACTS)


# --- the rows of last time ---------------------------------------------------------------------------------------------


def figures(book: bytes) -> tuple[list[Any], list[list[Any]]]:
    """Header and rows of a workbook's first sheet."""
    page = load_workbook(io.BytesIO(book)).worksheets[0]
    rows = [[c.value for c in row] for row in page.iter_rows(min_row=8)]
    return rows[0], [row for row in rows[1:] if any(v is not None for v in row)]


def test_a_list_begins_with_the_sender_s_own_last_one_and_comes_back(sent: World) -> None:
    contract, sender = CONTRACTS["villages"], sent.pipeline.senders[COMMUNE]
    book = made(sent, contract, sender, "2026-Q3")
    header, rows = figures(book)
    assert [dict(zip(header, row, strict=True))["Tên thôn, tổ dân phố *"] for row in rows] == ["Tổ 3/2"]
    other = made(sent, contract, sent.pipeline.senders["22333"], "2026-Q3")
    assert figures(other)[1] == []
    sent.drop(COMMUNE, book, "quy_3.xlsx", period="2026-Q3")
    sent.run()
    again = answers(sent)["quy_3.xlsx"]
    assert (again["state"], again["counts"]["accepted"]) == ("accepted", 1)


def test_figures_begin_with_their_keys(sent: World) -> None:
    contract, sender = CONTRACTS["population"], sent.pipeline.senders["CTK"]
    header, rows = figures(made(sent, contract, sender, "2026-Q3"))
    (row,) = (dict(zip(header, r, strict=True)) for r in rows)
    assert {k: v for k, v in row.items() if v} == {
        "Tỉnh, thành phố *": "Tỉnh Khánh Hòa", "Xã, phường, đặc khu *": "Phường Nha Trang", "Quận, huyện": "Bình An",
    }  # fmt: skip


def test_people_are_named_only_where_that_is_asked_for_and_then_it_is_noted(sent: World) -> None:
    contract, sender = CONTRACTS["staff"], sent.pipeline.senders[COMMUNE]
    assert figures(made(sent, contract, sender, "2026-Q3"))[1] == []
    assert sent.rows("select count(*) from ops.audit where dataset = 'staff' and action = 'export'") == [(0,)]
    book = made(sent, contract, sender, "2026-Q3", personal=True, by="Trần Thị Thư")
    header, (row,) = figures(book)
    shown = dict(zip(header, row, strict=True))
    assert (shown["Số CCCD *"], shown["Họ và tên *"], shown["Số CMND"]) == (ID, "Trần Thị Bình", "012345678")
    assert sent.rows("select who, reason from ops.audit where dataset = 'staff' and action = 'export'") == [
        ("Trần Thị Thư", "template of 22366 for 2026-Q3")
    ]
    sent.drop(COMMUNE, book, "can_bo.xlsx", period="2026-Q3")
    sent.run()
    again = answers(sent)["can_bo.xlsx"]
    assert (again["state"], again["counts"]["accepted"], again["rows"]) == ("accepted", 1, [])


def test_a_tick_beside_a_list_is_a_contradiction(sent: World) -> None:
    sender = sent.pipeline.senders[COMMUNE]
    sent.drop(COMMUNE, tick(made(sent, CONTRACTS["villages"], sender, "2026-Q4")), "trai.xlsx", period="2026-Q4")
    sender = sent.pipeline.senders["CTK"]
    sent.drop("CTK", tick(made(sent, CONTRACTS["population"], sender, "2026-Q3")), "dung.xlsx", period="2026-Q3")
    sent.run()
    told = answers(sent)
    assert [p["code"] for p in told["trai.xlsx"]["problems"]] == ["NOTHING_BUT_ROWS"]
    assert "1 dòng số liệu" in told["trai.xlsx"]["problems"][0]["message"]
    assert [p["code"] for p in told["dung.xlsx"]["problems"]] == ["NOTHING_TO_REPORT"]  # keys alone say nothing


# --- the workbook itself -----------------------------------------------------------------------------------------------


def opened(contract: Contract, **begin: Any) -> Workbook:
    sender = SenderInfo("SNV", "Sở Nội vụ", "department")
    period = parse_period(LABELS[contract.period_type], contract.calendar)
    return load_workbook(io.BytesIO(template_book(contract, sender, period, Start(**begin))))


@pytest.mark.parametrize("contract", CONTRACTS.values(), ids=lambda c: c.dataset)
def test_the_workbook_asks_checks_and_explains(contract: Contract) -> None:
    book = opened(contract)
    page, help_, lists = book.worksheets
    assert (help_.title, lists.title) == OWN_SHEETS and lists.sheet_state == "hidden"
    header = {c.value.removesuffix(" *"): c for c in page[8] if c.value}
    columns = asked(contract, SenderInfo("SNV", "", "department"))
    assert list(header) == [c.label for c in columns] and page.freeze_panes == "A9"
    ranges = [(next(iter(v.sqref.ranges)), v) for v in page.data_validations.dataValidation]
    checks = {cells.min_col: check for cells, check in ranges if cells.min_row == 9}
    for column in columns:
        cell, check = header[column.label], checks[header[column.label].column]
        assert cell.value.endswith(" *") == column.required
        assert check.prompt and len(check.prompt) <= 255 and len(check.promptTitle) <= 32 and check.showErrorMessage
        if column.enum:
            assert check.type == "list" and check.formula1.startswith("'Danh mục'!$")
    explained = {row[0].value for row in help_.iter_rows() if row[0].value}
    assert {c.label for c in columns} <= explained
    for sheet in book.worksheets:
        for row in sheet.iter_rows():
            assert all(c.data_type != "f" for c in row)


def test_what_a_sender_wrote_does_not_run() -> None:
    value = '=HYPERLINK("http://x";"y")'
    book = opened(CONTRACTS["villages"], rows=[{"village_name": value, "households": 3, "is_special": True}])
    cells = {c.value: c for c in book.worksheets[0][9] if c.value is not None}
    assert cells[value].data_type == "s" and cells[value].quotePrefix and cells[3].data_type == "n" and "x" in cells


def test_the_help_names_what_goes_wrong_and_until_when() -> None:
    wrong = [("households", "NOT_A_NUMBER"), ("village_name", "DUPLICATE_KEY"), ("population", "population_bounds")]
    book = opened(CONTRACTS["villages"], mistakes=wrong, due=date(2026, 7, 6))
    said = [row[0].value for row in book["Hướng dẫn"].iter_rows() if row[0].value]
    assert "Số hộ: Gõ số vào ô của cột “Số hộ”, không kèm chữ." in said
    assert any(line.startswith("Tên thôn, tổ dân phố: Đối chiếu các dòng có cùng khóa") for line in said)
    assert any("Số nhân khẩu của một thôn phải từ 0 đến 100.000." in line for line in said)
    assert any(
        row[2].value == "Ghi số nguyên từ 0 đến 20.000. Đơn vị tính: hộ." for row in book["Hướng dẫn"].iter_rows()
    )
    assert "Hạn gửi: 06/07/2026." in said and any("inbox/2026-Q2/SNV/" in line for line in said)
