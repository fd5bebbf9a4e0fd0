"""Contracts as objects: what the YAML says arrives in the dataclasses; the two real ones fit the real files."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.codes import CODES
from schemas.contract import Contract, ContractError, builtin_folder, load_contract, load_contracts, months
from schemas.grid import Kind
from schemas.semantic import Context, clean
from schemas.text import fold_expr, fold_one

from .contracts import spoilt, write

_SHARED = Path(__file__).resolve().parents[2].parent / "shared"
_CSV = _SHARED / "data" / "real" / "admin" / "BangChuyendoiDVHCmoi_cu_khong_merge.csv"


@pytest.fixture(scope="module")
def builtin() -> dict[str, Contract]:
    return load_contracts([builtin_folder()])


@pytest.fixture(scope="module")
def workbook_rows() -> pl.DataFrame:
    """The data rows of the statistics office's list, by contract column (raw texts)."""
    if not _CSV.exists():
        pytest.skip(f"real data not beside the repository: {_CSV.name}")
    names = ["province_code", "new_name", "new_code", "old_name", "old_code", "note", "old_district_code",
             "old_province_code", "nothing"]  # fmt: skip
    frame = pl.read_csv(_CSV, has_header=False, skip_rows=2, new_columns=names, infer_schema=False)
    return frame.filter(pl.col("new_code").fill_null("").str.strip_chars() != "")


def test_a_contract_is_read_as_it_is_written(tmp_path: Path) -> None:
    text = spoilt(
        "  - {property: periodType, value: quarter}\n",
        """\
  - {property: periodType, value: quarter}
  - {property: staleAfter, value: P1Y6M}
  - {property: maxBadShare, value: 0.25}
  - {property: precedence, value: [SCT, communes]}
  - {property: sheets, value: [Chợ]}
  - {property: dueFrom, value: [communes]}
""",
    )
    contract = load_contract(write(tmp_path, text))
    assert (contract.dataset, contract.version, contract.title) == ("markets", "1.0.0", "Danh sách chợ")
    assert (contract.delivery, contract.valid_time, contract.sender_scope) == ("snapshot", "asOf", "ownCommune")
    assert (contract.period_type, contract.scope_column, contract.due_day) == ("quarter", "commune_code", 7)
    assert (contract.stale_after_months, contract.max_bad_share, contract.max_ended_share) == (18, 0.25, 0.3)
    assert (contract.precedence, contract.senders, contract.sheets) == (("SCT", "communes"), ("communes",), ("Chợ",))
    assert (contract.due_from, contract.due_months) == (("communes",), None)
    assert contract.key == ("commune_code", "market_name")
    name, rank = contract.column("market_name"), contract.column("rank")
    assert name.synonyms == ("Tên chợ", "Chợ") and name.options == {"maxLength": 100}
    assert [(v.value, v.label, v.synonyms) for v in rank.enum] == [
        ("H1", "Hạng một", ()),
        ("H2", "Hạng hai", ("Loại II",)),
    ]
    commune = contract.column("commune_code")
    assert (commune.default_from, commune.references, commune.options) == ("sender", "units.code", {})
    assert [c.name for c in contract.columns if c.header_required] == ["market_name", "stalls"]
    bounds, pair, _ = contract.rules
    assert (bounds.columns, bounds.kwargs, bounds.severity) == (("stalls",), {"max_value": 5000}, "error")
    assert pair.columns == ("stalls", "used_stalls")
    assert pair.kwargs == {"or_equal": True, "ignore_row_if": "either_value_is_missing"}
    assert (pair.message, pair.remedy) == ("Số quầy đang dùng nhiều hơn số quầy.", "Kiểm tra hai cột.")


def test_values_that_yaml_1_1_would_bend_stay_what_they_are(tmp_path: Path) -> None:
    text = spoilt("[Loại II]", "[no, 05961, 2025-07-01, 12:30, 0o7]")
    assert load_contract(write(tmp_path, text)).column("rank").enum[1].synonyms == (
        "no", "05961", "2025-07-01", "12:30", "0o7",
    )  # fmt: skip


def test_a_folder_with_a_defect_is_refused_with_all_findings(tmp_path: Path) -> None:
    text = spoilt("status: active", "statuss: active").replace("value: date}", "value: dat}")
    write(tmp_path, text)
    with pytest.raises(ContractError) as caught:
        load_contracts([builtin_folder(), tmp_path])
    assert [f.line for f in caught.value.findings] == [6, text[: text.index("value: dat}")].count("\n") + 1]
    assert "markets.odcs.yaml:6:1: unknown key 'statuss' → did you mean 'status'?" in str(caught.value)


def test_one_dataset_in_two_folders_is_refused(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "more").mkdir()
    write(tmp_path / "more")
    with pytest.raises(ContractError, match="the dataset 'markets' is in .* already"):
        load_contracts([tmp_path, tmp_path / "more"])


def test_contracts_come_by_dataset_whatever_the_order_of_folders(tmp_path: Path) -> None:
    write(tmp_path)
    one = load_contracts([builtin_folder(), tmp_path])
    assert list(one) == sorted(one) and {"markets", "unit_changes", "villages"} <= set(one)
    assert one == load_contracts([tmp_path, builtin_folder()])


@given(years=st.integers(0, 99), rest=st.integers(0, 99))
def test_months_of_a_duration(years: int, rest: int) -> None:
    assert months(f"P{years}Y{rest}M") == 12 * years + rest
    assert months(f"P{years}Y") == months(f"P{12 * years}M") == 12 * years


@pytest.mark.parametrize("text", ["P", "6M", "P6D", "PT6M", "P6M1Y", ""])
def test_other_durations_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a duration"):
        months(text)


def test_villages_says_what_others_rely_on(builtin: dict[str, Contract]) -> None:
    villages = builtin["villages"]
    names = ["commune_code", "village_name", "village_type", "households", "population", "region", "non_professional_workers",
             "concurrent_workers", "is_special", "has_digital_team", "predecessors"]  # fmt: skip
    assert [c.name for c in villages.columns] == names
    assert villages.key == ("commune_code", "village_name") and villages.entity_id == "village_id"
    # a form without columns for code and type is still this dataset; a row without households is not
    assert [c.name for c in villages.columns if c.header_required] == ["village_name", "households", "population"]
    assert [v.value for v in villages.column("village_type").enum] == ["THON", "TDP"]
    # case G07: 3 of 5 rows bad, the other 2 loaded; case G10: 5 of 6 ended, held
    assert villages.max_bad_share >= 3 / 5 and villages.max_ended_share < 5 / 6


@pytest.mark.parametrize(
    ("column", "headers"),
    [
        ("commune_code", "Mã xã|MÃ ĐVHC"),
        ("village_name", "Tên thôn|TDP|Thôn/Tổ dân phố|Tên thôn, tổ dân phố|Tên thôn tổ dân phố|Tên thôn, TDP"),
        ("village_type", "Loại|Loại hình"),
        ("households", "Số hộ|Tổng số hộ|Số hộ gia đình|Tổng số hộ gia đình"),
        ("population", "Số khẩu|Nhân khẩu|Số nhân khẩu|Dân số"),
    ],
)
def test_headers_that_communes_use_are_known(builtin: dict[str, Contract], column: str, headers: str) -> None:
    known = {fold_one(s) for s in builtin["villages"].column(column).synonyms}
    assert {fold_one(h) for h in headers.split("|")} <= known


def test_unit_changes_says_what_others_rely_on(builtin: dict[str, Contract]) -> None:
    changes = builtin["unit_changes"]
    assert changes.key == ("old_code", "new_code")
    assert (changes.delivery, changes.valid_time, changes.valid_from_column) == ("facts", "columns", "effective_date")
    assert changes.column("old_code").options["missingCode"] in CODES
    assert changes.column("kind").source == "note" and changes.column("note").source == "note"
    assert changes.column("effective_date").default_from == "asOf"


def test_every_note_of_the_real_list_has_a_kind(builtin: dict[str, Contract], workbook_rows: pl.DataFrame) -> None:
    assert workbook_rows.height == 10_571
    spelt = {
        fold_one(text): value.value
        for value in builtin["unit_changes"].column("kind").enum
        for text in (value.label, *value.synonyms)
    }
    kinds = workbook_rows.with_columns(kind=fold_expr(pl.col("note")).replace_strict(spelt, default=None))
    assert kinds.filter(pl.col("kind").is_null())["note"].to_list() == []
    pairs = kinds.filter(pl.col("old_code").str.strip_chars() != "")
    assert pairs.height == 10_565 == pairs.unique(["old_code", "new_code"]).height
    here = pairs.filter(pl.col("province_code").str.contains("(56)", literal=True))
    assert dict(here["kind"].value_counts().iter_rows()) == {"TOAN_BO": 186, "MOT_PHAN": 19}
    # nobody whole in two places: one TOAN_BO row for an old unit (but for two units, a slip of the source)
    twice = pairs.filter(kind="TOAN_BO").group_by("old_code").len().filter(pl.col("len") > 1)
    assert twice.height == 2
    # the note table holds no spelling that the real list does not have
    assert set(spelt) == set(fold_expr(workbook_rows["note"]))


def test_codes_are_cut_out_of_every_cell_of_the_real_list(
    builtin: dict[str, Contract], workbook_rows: pl.DataFrame
) -> None:
    changes = builtin["unit_changes"]

    def cut(name: str) -> pl.Series:
        column = changes.column(name)
        return workbook_rows[column.source].str.extract(column.options["extract"], 1)

    assert cut("province_code").str.len_chars().eq(2).all() and cut("province_code").n_unique() == 34
    assert cut("old_province_code").str.len_chars().eq(2).all() and cut("old_province_code").n_unique() == 63
    assert cut("old_district_code").str.len_chars().eq(3).all()
    names = cut("old_district_name")
    assert names.null_count() == 0 and not names.str.contains(r"[()]|^\s|\s$").any()
    assert "Thành phố Nha Trang" in set(names)


def test_the_real_list_is_cleaned_with_nothing_wrong_but_six_missing_codes(
    builtin: dict[str, Contract], workbook_rows: pl.DataFrame
) -> None:
    height = workbook_rows.height
    day, kind = date(2025, 7, 1), pl.Series([int(Kind.TEXT)], dtype=pl.UInt8).new_from_index(0, height)
    days = pl.Series([day]).new_from_index(0, height)
    context = Context(days, days, pl.Series(["CTK"]).new_from_index(0, height), None, day)
    issues: dict[str, dict[str, int]] = {}
    for column in builtin["unit_changes"].columns:
        if column.source in workbook_rows.columns:
            cleaned = clean(column, workbook_rows[column.source], kind, context)
            found = cleaned.issue.drop_nulls()
            if found.len():
                issues[column.name] = dict(found.value_counts().iter_rows())
    assert issues == {"old_code": {"MISSING_OLD_CODE": 6}}
