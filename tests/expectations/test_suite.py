"""Contract -> checks, and the list of allowed expectation types."""

from __future__ import annotations

import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from expectations.suite import checks_of
from schemas.contract import Column, Contract, EnumValue, Rule
from schemas.expectation_types import ALLOWED, problems_of

PAIR = "expect_column_pair_values_a_to_be_greater_than_b"


def contract(*columns: Column, rules: tuple[Rule, ...] = ()) -> Contract:
    return Contract("villages", "1.0.0", "Thôn", "", columns, rules, "snapshot", "asOf", "ownCommune", "quarter")


def rule(kind: str, *columns: str, **kwargs: object) -> Rule:
    return Rule("r", kind, columns, kwargs, "error", "Sai.", "Sửa.")


def test_checks_are_derived_from_the_columns_in_their_order_and_rules_follow() -> None:
    checks = checks_of(
        contract(
            Column("name", "Tên thôn", "string", "name", key_position=1, options={"maxLength": 80}),
            Column("kind", "Loại", "string", "category", enum=(EnumValue("THON"), EnumValue("TDP"))),
            Column("households", "Số hộ", "integer", "integer", required=True, options={"minimum": 0, "maximum": 9}),
            Column("share", "Tỷ lệ", "number", "percent", options={"exclusiveMinimum": 0}),
            Column("note", "Ghi chú", "string", "text"),
            rules=(Rule("more-people", PAIR, ("share", "households"), {}, "warning", "Ít khẩu.", "Xem lại."),),
        )
    )
    assert [(c.id, c.code, c.severity, dict(c.kwargs)) for c in checks] == [
        ("villages.name.not_null", "MISSING", "error", {}),
        ("villages.name.max_length", "TOO_LONG", "error", {"max_value": 80}),
        ("villages.kind.in_set", "NOT_IN_LIST", "error", {"value_set": ["THON", "TDP"]}),
        ("villages.households.not_null", "MISSING", "error", {}),
        ("villages.households.between", "OUT_OF_RANGE", "error", {"min_value": 0, "max_value": 9}),
        ("villages.share.between", "OUT_OF_RANGE", "error", {"min_value": 0, "strict_min": True}),
        ("more-people", "RULE", "warning", {}),
    ]
    assert all(c.message and c.remedy and "{" not in c.message + c.remedy for c in checks)
    assert {c.kind for c in checks} <= set(ALLOWED)


def test_two_checks_of_one_id_are_refused() -> None:
    column = Column("n", "N", "integer", "integer", required=True)
    with pytest.raises(ValueError, match="villages.n.not_null"):
        checks_of(contract(column, rules=(Rule("villages.n.not_null", PAIR, ("n", "n"), {}, "error", "", ""),)))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (rule("expect_column_values_to_be_unique", "n"), "not allowed"),
        (rule("expect_column_values_to_be_between", "n", min_value=0, mostly=0.9), "mostly is not allowed"),
        (rule("expect_column_values_to_be_between", "n"), "needs max_value or min_value"),
        (rule("expect_column_values_to_be_between", "nn", min_value=0), "nn is not declared"),
        (rule("expect_column_values_to_be_between", "s", min_value=0), "does not take columns of type string"),
        (rule(PAIR, "n"), "takes 2 columns"),
        (rule(PAIR, "n", "d"), "different types"),
        (rule(PAIR, "n", "x", ignore_row_if="sometimes"), "ignore_row_if is none of"),
        (rule("expect_column_values_to_not_be_null", "n", when={"t": "a"}), "t is not declared"),
        (rule("expect_row_sums_to_be_equal", "n", "x", left=2), "left"),
        (rule("expect_row_sum_to_be_at_most", "n", "x", optional=["n", "x"]), "optional"),
    ],
)
def test_a_rule_that_cannot_be_run_is_said_to_be_so(given: Rule, said: str) -> None:
    found = problems_of(given, {"n": "integer", "x": "number", "s": "string", "d": "date"})
    assert len(found) == 1
    assert said in found[0]


def test_limits_of_dates_stand_in_the_message() -> None:
    (check,) = checks_of(contract(Column("d", "Ngày", "date", "date", options={"minimum": date(2020, 1, 1)})))
    assert check.message == "Ngày nằm ngoài khoảng cho phép: phải từ 01/01/2020."


def test_reading_contracts_does_not_import_the_engine() -> None:
    code = "import sys, expectations.run; sys.exit('great_expectations' in sys.modules or 'pandas' in sys.modules)"
    root = Path(__file__).resolve().parents[2]
    assert subprocess.run([sys.executable, "-c", code], cwd=root, check=False).returncode == 0
