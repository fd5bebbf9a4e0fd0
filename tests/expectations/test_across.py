"""Rules across submissions: each declared type has its SQL, which takes what the type declares and nothing else."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

from expectations import across
from schemas.contract import AcrossRule, Contract, builtin_folder, load_contracts
from schemas.expectation_types import ACROSS
from schemas.lint import lint_file

_contracts = cache(lambda: load_contracts([builtin_folder()]))
FILES = {p.stem for p in Path(across.__file__).parent.glob("*.sql")}


def test_every_type_has_its_file_and_every_file_its_type() -> None:
    assert set(ACROSS) == FILES


@pytest.mark.parametrize("kind", sorted(ACROSS))
def test_the_sql_takes_the_arguments_of_its_type(kind: str) -> None:
    contract, rule = _one_that_uses(kind)
    text = across.query(rule, contract)
    assert set(re.findall(r"%\((\w+)\)s", text)) - {"dataset"} == set(ACROSS[kind].kwargs)
    assert "{" not in text.replace("'{}'::jsonb", ""), "something was left open"
    for dataset, columns in ACROSS[kind].datasets.items():
        # its history, or who is whom in it
        assert f"core.{dataset}" in text or f"dataset = '{dataset}'" in text
        if f"core.{dataset}" in text:
            assert all(re.search(rf"\b{c}\b", text) for c in columns - {"citizen_id"})
    assert all(re.search(rf"\b{c}\b", text) for c in ACROSS[kind].columns | ACROSS[kind].unsaid)


def _one_that_uses(kind: str) -> tuple[Contract, AcrossRule]:
    for contract in _contracts().values():
        for rule in contract.across:
            if rule.kind == kind:
                return contract, rule
    raise AssertionError(f"no contract uses {kind}")


def test_types_name_datasets_and_columns_that_exist() -> None:
    contracts = _contracts()
    for contract in contracts.values():
        for rule in contract.across:
            needs = {
                contract.dataset: ACROSS[rule.kind].columns | ACROSS[rule.kind].unsaid,
                **ACROSS[rule.kind].datasets,
            }
            for dataset, columns in needs.items():
                assert columns <= {c.name for c in contracts[dataset].columns}


def test_no_finding_holds_a_personal_value() -> None:
    contracts = _contracts()
    personal = {c.name for k in contracts.values() for c in k.columns if c.classification in ("P2", "P3")}
    for kind in ACROSS:
        contract, rule = _one_that_uses(kind)
        said = re.findall(r"jsonb_build_object\((.*?)\)\s+as params", across.query(rule, contract), re.DOTALL)
        assert not {name for text in said for name in personal if re.search(rf"\b{name}\b(?! =)", text)}, kind


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
