"""From a delivery to its submissions: whose, which dataset, which period, as of which day; or why not."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from assets.intake.grids import grids_of
from assets.intake.ledger import Delivery
from assets.intake.submissions import Content, Found, Refusal, SenderInfo, submissions_in
from schemas.contract import Contract, builtin_folder, load_contracts
from schemas.grid import Problem, Unreadable

SENDERS = {
    "22366": SenderInfo("22366", "Phường Nha Trang", "commune", "22366"),
    "SNV": SenderInfo("SNV", "Sở Nội vụ", "department"),
    "CTK": SenderInfo("CTK", "Cục Thống kê", "department"),
}
VILLAGES = "Tên thôn,Số hộ,Số khẩu\nBình An,10,40\n"


@pytest.fixture(scope="module")
def contracts() -> dict[str, Contract]:
    return load_contracts([builtin_folder()])


def delivery(
    period: str = "2026-Q2",
    sender: str = "22366",
    name: str = "thon.csv",
    problems: tuple[Problem, ...] = (),
    **sidecar: Any,
) -> Delivery:
    at = datetime(2026, 7, 2, tzinfo=UTC)
    return Delivery("D1", "ab", 1, sender, period, name, f"{period}/{sender}/{name}", at, sidecar, problems)


def content(data: bytes) -> Content:
    try:
        return grids_of(data, "thon.csv")
    except Unreadable as refused:
        return refused


def found(text: str, contracts: dict[str, Contract], sent: Delivery) -> Found:
    (item,) = submissions_in(sent, content(text.encode()), contracts, SENDERS)
    assert isinstance(item, Found), item
    return item


def refused(text: str, contracts: dict[str, Contract], sent: Delivery) -> str:
    (item,) = submissions_in(sent, content(text.encode()), contracts, SENDERS)
    assert isinstance(item, Refusal)
    return item.problems[0].code


@pytest.mark.parametrize(
    ("period", "title", "sidecar", "label", "as_of", "source"),
    [
        ("2026-Q2", "", {}, "2026-Q2", date(2026, 6, 30), "period"),
        ("2026-05", "", {}, "2026-Q2", date(2026, 6, 30), "period"),
        ("2026-Q2", "Tính đến ngày 15/05/2026", {}, "2026-Q2", date(2026, 5, 15), "sheet"),
        ("2026-Q2", "Tính đến ngày 15/05/2026", {"as_of": "2026-06-01"}, "2026-Q2", date(2026, 6, 1), "sidecar"),
        ("2026", "Tính đến ngày 15/02/2026", {}, "2026-Q1", date(2026, 2, 15), "sheet"),
        ("2026-H1", "", {"as_of": "2026-06-01"}, "2026-Q2", date(2026, 6, 1), "sidecar"),
        # outside of the period: staged, and held later
        ("2026-Q2", "Tính đến ngày 15/07/2026", {}, "2026-Q2", date(2026, 7, 15), "sheet"),
        # the day of a letter or a law is no day of the data
        ("2026-Q2", "Nha Trang ngày 05 tháng 7 năm 2026", {}, "2026-Q2", date(2026, 6, 30), "period"),
        ("2026-Q2", "Theo Nghị quyết số 12/NQ-HĐND ngày 05/04/2026", {}, "2026-Q2", date(2026, 6, 30), "period"),
        ("2026-Q2", "Tính đến ngày 31/06/2026", {}, "2026-Q2", date(2026, 6, 30), "period"),
    ],
)  # fmt: skip
def test_period_and_day(
    period: str,
    title: str,
    sidecar: dict[str, str],
    label: str,
    as_of: date,
    source: str,
    contracts: dict[str, Contract],
) -> None:
    if title.startswith("Nha Trang"):
        title = '"' + title.replace("Nha Trang", "Nha Trang,") + '"'
    item = found(f"{title},,\n{VILLAGES}", contracts, delivery(period, **sidecar))
    assert (item.period.label, item.as_of, item.as_of_source) == (label, as_of, source)


@pytest.mark.parametrize(
    ("sent", "text", "code"),
    [
        (delivery("2026"), VILLAGES, "UNKNOWN_PERIOD"),
        (delivery("2026-H1"), VILLAGES, "UNKNOWN_PERIOD"),
        (delivery("quý 2"), VILLAGES, "UNKNOWN_PERIOD"),
        (delivery("2026", as_of="2025-06-01"), VILLAGES, "UNKNOWN_PERIOD"),
        (delivery(sender="22367"), VILLAGES, "UNKNOWN_SENDER"),
        (delivery(sender="SNV"), VILLAGES, "NOT_A_SENDER"),
        (delivery(), "Tên thôn,Số hộ,Số khẩu\n", "NO_DATA_ROWS"),
        (delivery(), "a,b\n1,2\n", "UNKNOWN_DATASET"),
        (delivery(dataset="unit_changes"), VILLAGES, "UNKNOWN_DATASET"),
        (delivery(dataset="unit_changes"), "Mã xã cũ,Số khẩu\n00004,2\n", "MISSING_HEADER"),
        (delivery(dataset="khac"), VILLAGES, "BAD_SIDECAR"),
        (delivery(name="a.yaml", nothing_to_report=True), "", "BAD_SIDECAR"),
        (delivery(problems=(Problem("BAD_PATH", {"detail": "x"}),)), VILLAGES, "BAD_PATH"),
    ],
)  # fmt: skip
def test_a_refusal_has_its_code(sent: Delivery, text: str, code: str, contracts: dict[str, Contract]) -> None:
    assert refused(text, contracts, sent) == code


@pytest.mark.parametrize("sidecar", [{"nothing_to_report": True}, {"withdraws": "S1"}])
def test_a_statement_without_a_file_is_an_empty_table(sidecar: dict[str, Any], contracts: dict[str, Contract]) -> None:
    item = found("", contracts, delivery(name="a.yaml", dataset="villages", **sidecar))
    assert (item.table.rows.height, item.table.rows_read, item.as_of) == (0, 0, date(2026, 6, 30))


def test_an_empty_list_that_is_meant(contracts: dict[str, Contract]) -> None:
    item = found("Tên thôn,Số hộ,Số khẩu\n", contracts, delivery(nothing_to_report=True))
    assert (item.table.rows.height, item.table.rows_read) == (0, 1)


@pytest.mark.parametrize(
    "said", ["Không phát sinh:,CÓ,", "Không phát sinh,,x", "Không phát sinh: có,,", "KHÔNG PHÁT SINH,Có,Người lập"]
)
@pytest.mark.parametrize("rows", ["", "Bình An,,\nAn Bình,,\n"])
def test_nothing_to_report_is_ticked_above_the_table(said: str, rows: str, contracts: dict[str, Contract]) -> None:
    item = found(f"Danh sách,,\n{said}\nTên thôn,Số hộ,Số khẩu\n{rows}", contracts, delivery())
    assert item.table.rows.is_empty() and [p.code for p in item.problems][:1] == ["NOTHING_TO_REPORT"]
    assert item.table.rows_read == item.table.set_aside.height == 3 + rows.count("\n")


def test_a_tick_that_the_rows_contradict_is_refused(contracts: dict[str, Contract]) -> None:
    assert refused(f"Không phát sinh:,CÓ,\n{VILLAGES}", contracts, delivery()) == "NOTHING_BUT_ROWS"


@pytest.mark.parametrize("said", ["Không phát sinh:,,", "Không phát sinh:,không,", "Không phát sinh dịch bệnh,x,"])
def test_what_is_no_tick(said: str, contracts: dict[str, Contract]) -> None:
    assert refused(f"{said}\nTên thôn,Số hộ,Số khẩu\n", contracts, delivery()) == "NO_DATA_ROWS"
    assert found(f"{said}\n{VILLAGES}", contracts, delivery()).problems == []


def test_one_workbook_may_hold_several_datasets(contracts: dict[str, Contract]) -> None:
    import io

    from openpyxl import Workbook

    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (("Tên thôn", "Số hộ", "Số khẩu"), ("Bình An", 10, 40)):
        sheet.append(row)
    other = book.create_sheet("Chuyển đổi")
    head = ("Tỉnh, thành phố", "Mã xã mới", "Tên xã mới", "Mã xã cũ", "Tên xã cũ", "Ghi chú")
    for row in (head, ("Khánh Hòa (56)", "22333", "A", "22330", "B", "Nhập toàn bộ")):
        other.append(row)
    out = io.BytesIO()
    book.save(out)
    items = submissions_in(delivery(), content(out.getvalue()), contracts, SENDERS)
    assert [type(i).__name__ for i in items] == ["Found", "Refusal"]
    assert [i.contract.dataset if isinstance(i, Found) else i.dataset for i in items] == ["villages", "unit_changes"]
