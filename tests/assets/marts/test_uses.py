"""What contracts say which indicators read, against what the SQL of the indicators reads (minimisation, domain brief, 5)."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

import assets.marts
from schemas.contract import INDICATORS, Contract, builtin_folder, load_contracts

FILES = {f.name[:3].upper(): f for f in (Path(assets.marts.__file__).parent / "indicators").glob("i[0-9][0-9]_*.sql")}
_contracts = cache(lambda: load_contracts([builtin_folder()]))

pytestmark = pytest.mark.skipif(not FILES, reason="the indicators are not here yet")


def _structural(contract: Contract) -> set[str | None]:
    """Columns that are there whatever is computed: keys, validity, scope, who is who."""
    own = {contract.scope_column, contract.valid_from_column, contract.valid_to_column}
    return {*contract.key, *own, *contract.identity.values()}


def _reads(code: str) -> tuple[list[str], str]:
    """Datasets that an indicator reads by its header, and its statement."""
    text = FILES[code].read_text(encoding="utf-8")
    named = re.search(r"^-- reads: (.*)$", text, re.MULTILINE)
    body = "\n".join(line for line in text.splitlines() if not line.startswith("--"))
    return (named[1].split() if named else []), body


def _columns(code: str) -> set[tuple[str, str]]:
    """(dataset, column) that the statement names behind the alias of a relation of the dataset."""
    datasets, body = _reads(code)
    aliases: dict[str, set[str]] = {}
    for dataset, alias in re.findall(r"(?:from|join)\s+(\w+?)_(?:at|in|ever)\s+(\w+)", body):
        aliases.setdefault(alias, set()).add(dataset)
    return {
        (dataset, column.name)
        for alias, of in aliases.items()
        for dataset in of & set(datasets) & set(_contracts())
        for column in _contracts()[dataset].columns
        if re.search(rf"\b{alias}\.{column.name}\b", body)
    }


def test_every_indicator_has_its_file() -> None:
    assert set(FILES) == set(INDICATORS)


@pytest.mark.parametrize("code", sorted(FILES))
def test_contracts_name_the_indicators_that_read_a_column(code: str) -> None:
    datasets, body = _reads(code)
    said = {(d, c.name) for d, k in _contracts().items() for c in k.columns if code in c.indicators}
    read = {(d, c) for d, c in _columns(code) if c not in _structural(_contracts()[d])}
    assert read - said == set(), "read, and the contract does not say so"
    stale = {(d, c) for d, c in said if d not in datasets or not re.search(rf"\b{c}\b", body)}
    assert stale == set(), "said to be read, and it is not"
