"""Rules across submissions: each declared type has its SQL, which takes what the type declares and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from expectations import across
from schemas.contract import AcrossRule, builtin_folder, load_contracts
from schemas.expectation_types import ACROSS
from schemas.lint import lint_file

FILES = {p.stem for p in Path(across.__file__).parent.glob("*.sql")}


def test_every_type_has_its_file_and_every_file_its_type() -> None:
    assert set(ACROSS) == FILES


@pytest.mark.parametrize("kind", sorted(ACROSS))
def test_the_sql_takes_the_arguments_of_its_type(kind: str) -> None:
    contract = load_contracts([builtin_folder()])["population"]
    text = across.query(AcrossRule("x", kind, "total", {}, "", ""), contract)
    assert set(re.findall(r"%\((\w+)\)s", text)) - {"dataset"} == set(ACROSS[kind].kwargs)
    # its history, or who is whom in it
    assert all(f"core.{d}" in text or f"dataset = '{d}'" in text for d in ACROSS[kind].datasets)


def test_types_name_datasets_and_columns_that_exist() -> None:
    contracts = load_contracts([builtin_folder()])
    for contract in contracts.values():
        for rule in contract.across:
            assert ACROSS[rule.kind].datasets <= set(contracts)
            assert ACROSS[rule.kind].columns <= {c.name for c in contract.columns}


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (
            "severity: warning\n        dimension: accuracy",
            "severity: error\n        dimension: accuracy",
            "never quarantines",
        ),
        ("min_ratio: 0.6", "min_ratio: low", "min_ratio is not given as int or float"),
        (", min_ratio: 0.6}", "}", "min_ratio is not given as int or float"),
        ("min_ratio: 0.6", "min_ratio: 0.6, most: 2", "takes no 'most'"),
        ("column: total, min", "column: totals, min", "blames no column"),
        ("type: population_against_earlier", "type: population_against_later", "unknown rule across submissions"),
    ],
)
def test_the_lint_reads_them(before: str, after: str, said: str, tmp_path: Path) -> None:
    text = (builtin_folder() / "population.odcs.yaml").read_text(encoding="utf-8")
    assert text.count(before) == 1
    spoilt = tmp_path / "population.odcs.yaml"
    spoilt.write_text(text.replace(before, after), encoding="utf-8")
    assert any(said in f.message for f in lint_file(spoilt)), lint_file(spoilt)
