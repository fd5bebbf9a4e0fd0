"""What contracts say which indicators read, against what the SQL of the indicators reads (minimisation, domain brief, 5)."""

from __future__ import annotations

import re
from functools import cache

import pytest

from assets.marts.indicators.catalogue import Indicator, load_indicators
from schemas.contract import INDICATORS, Contract, builtin_folder, load_contracts

FOUND = load_indicators()
_contracts = cache(lambda: load_contracts([builtin_folder()]))


def _structural(contract: Contract) -> set[str | None]:
    """Columns that are there whatever is computed: keys, validity, scope, who is who."""
    own = {contract.scope_column, contract.valid_from_column, contract.valid_to_column}
    return {*contract.key, *own, *contract.identity.values()}


def _columns(one: Indicator) -> set[tuple[str, str]]:
    """(dataset, column) that the statement names behind the alias of a relation of the dataset."""
    aliases: dict[str, set[str]] = {}
    for dataset, alias in re.findall(r"(?:from|join)\s+(\w+?)_(?:at|in|begun|ever)\s+(\w+)", one.facts):
        aliases.setdefault(alias, set()).add(dataset)
    return {
        (dataset, column.name)
        for alias, of in aliases.items()
        for dataset in of & set(one.reads) & set(_contracts())
        for column in _contracts()[dataset].columns
        if re.search(rf"\b{alias}\.{column.name}\b", one.facts)
    }


def test_the_codes_that_contracts_may_name_are_those_of_the_indicators() -> None:
    assert tuple(FOUND) == INDICATORS


@pytest.mark.parametrize("code", FOUND)
def test_contracts_name_the_indicators_that_read_a_column(code: str) -> None:
    one = FOUND[code]
    said = {(d, c.name) for d, k in _contracts().items() for c in k.columns if code in c.indicators}
    read = {(d, c) for d, c in _columns(one) if c not in _structural(_contracts()[d])}
    assert read - said == set(), "read, and the contract does not say so"
    stale = {(d, c) for d, c in said if d not in one.reads or not re.search(rf"\b{c}\b", one.facts)}
    assert stale == set(), "said to be read, and it is not"
