"""Header texts against contracts: what matches, what is refused, and what the refusal names."""

from __future__ import annotations

import pytest

from assets.intake.headers import choose, match_headers
from schemas.contract import Column, Contract
from schemas.grid import Unreadable


def column(name: str, label: str, *synonyms: str, kind: str = "string", **more: object) -> Column:
    return Column(name, label, kind, "text", synonyms=synonyms, **more)  # type: ignore[arg-type]


def contract(dataset: str, *columns: Column) -> Contract:
    return Contract(dataset, "1.0.0", dataset, "", columns, (), "snapshot", "asOf", "ownCommune", "quarter")


VILLAGES = contract(
    "villages",
    column("commune_code", "Mã xã", required=True, key_position=1, default_from="sender"),
    column("village_name", "Tên thôn", "Tên thôn, tổ dân phố", required=True, key_position=2),
    column("village_type", "Loại hình"),
    column("households", "Số hộ", "Tổng số hộ", kind="integer", required=True),
    column("population", "Số khẩu", "Nhân khẩu", kind="integer"),
)
STAFF = contract(
    "staff",
    column("citizen_id", "Số CCCD", required=True, key_position=1),
    column("full_name", "Họ và tên", required=True),
    column("birth_date", "Ngày sinh", required=True),
)


def columns_of(**headers: str | list[str]) -> dict[str, str]:
    stacks = {x: [t] if isinstance(t, str) else t for x, t in headers.items()}
    return choose(match_headers(stacks, [VILLAGES, STAFF])).columns


@pytest.mark.parametrize(
    "text",
    [
        "Số hộ", "SỐ HỘ", "so ho", "Số\u00a0hộ", "So\u0302\u0301 ho\u0323\u0302", "Số hộ (hộ)", "Số hộ (4)", "Số hộ 4",
        "Số\nhộ", "Số liệu / Số hộ", "Quy mô: Số hộ (hộ)", "Tổng số hộ", "households",
    ],
)  # fmt: skip
def test_one_header_in_many_spellings(text: str) -> None:
    assert columns_of(A="Tên thôn", B=text)["households"] == "B"


def test_two_row_header_is_read_by_its_last_row_or_joined() -> None:
    assert columns_of(A=["Tên thôn", "Tên thôn"], B=["Quy mô", "Số hộ"], C=["Số", "khẩu"]) == {
        "village_name": "A", "households": "B", "population": "C",
    }  # fmt: skip


def test_a_column_filled_by_the_sender_needs_no_header() -> None:
    assert "commune_code" not in columns_of(A="Tên thôn", B="Số hộ")


def test_an_exact_synonym_beats_a_looser_one() -> None:
    found = match_headers({"A": ["Tên thôn"], "B": ["Số hộ (nghèo)"], "C": ["Số hộ"]}, [VILLAGES])[0]
    assert found.columns["households"] == "C"
    assert found.unmatched == {"B": "Số hộ (nghèo)"}


def test_parent_and_child_are_not_taken_for_two_columns_in_one_header() -> None:
    found = match_headers({"A": ["Tên thôn"], "B": ["Số hộ / Số khẩu"], "C": ["Số hộ"]}, [VILLAGES])[0]
    assert "population" not in found.columns


def refusal(headers: dict[str, str], stated: bool = False) -> Unreadable:
    with pytest.raises(Unreadable) as caught:
        choose(match_headers({x: [t] for x, t in headers.items()}, [VILLAGES, STAFF][: 1 if stated else 2]), stated)
    return caught.value


def test_unknown_required_header_names_the_nearest() -> None:
    problem = refusal({"A": "Tên thôn", "B": "Số hộ dân cư", "C": "Số khẩu", "D": "Ghi chú"}).problem
    assert problem.code == "MISSING_HEADER"
    assert (problem.params["label"], problem.params["nearest"]) == ("Số hộ", "Số hộ dân cư")


def test_two_columns_for_one_name_are_refused() -> None:
    problem = refusal({"A": "Tên thôn", "B": "Số hộ", "C": "SO HO"}).problem
    assert (problem.code, problem.params["label"], problem.params["columns"]) == ("DUPLICATE_HEADER", "Số hộ", "B, C")


def test_nothing_like_a_contract() -> None:
    assert refusal({"A": "Loài", "B": "Cân nặng"}).problem.code == "UNKNOWN_DATASET"


def test_a_stated_dataset_is_meant_whatever_it_looks_like() -> None:
    assert refusal({"A": "Loài", "B": "Cân nặng"}, stated=True).problem.code == "MISSING_HEADER"


def test_equal_matches_are_ambiguous() -> None:
    twin = contract("twin", *VILLAGES.columns)
    with pytest.raises(Unreadable) as caught:
        choose(match_headers({"A": ["Tên thôn"], "B": ["Số hộ"]}, [VILLAGES, twin]))
    assert caught.value.problem.code == "AMBIGUOUS_DATASET"
    assert caught.value.problem.params["candidates"] == "twin, villages"


def test_the_contract_that_explains_more_wins() -> None:
    headers = {"A": ["Họ và tên"], "B": ["Số CCCD"], "C": ["Ngày sinh"], "D": ["Số hộ"]}
    ranked = match_headers(headers, [VILLAGES, STAFF])
    assert [m.contract.dataset for m in ranked] == ["staff", "villages"]


def test_a_column_that_reads_another_has_no_header() -> None:
    reads = contract(
        "c",
        column("note", "Ghi chú", required=True),
        column("kind", "Hình thức", required=True, options={"sameAs": "note"}),
    )
    found = match_headers({"A": ["Ghi chú"], "B": ["Hình thức"]}, [reads])[0]
    assert found.columns == {"note": "A"}
    assert not found.missing


def test_of_contracts_that_no_header_speaks_of_only_the_least_demanding_is_ranked() -> None:
    ranked = match_headers({"A": ["Loài"]}, [STAFF, VILLAGES, contract("more", *VILLAGES.columns)])
    assert [(m.contract.dataset, m.columns, m.score) for m in ranked] == [("villages", {}, -2.0)]
    ranked = match_headers({"A": ["Họ và tên"]}, [STAFF, VILLAGES])
    assert [(m.contract.dataset, m.score) for m in ranked] == [("staff", -1.0), ("villages", -2.0)]
