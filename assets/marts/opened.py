"""What is open: datasets, columns that count people, indicators. All of it follows from the contracts.

A dataset is open where its sharing class is MO (Luật Dữ liệu 60/2024/QH15), every column is P0 and apps may read its view; an
indicator where all that it reads is P0 and of no person. Here: which. Hiding small counts: :mod:`.exports.open_data`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from schemas.contract import Column, Contract
from schemas.tables import is_personal

from .indicators.catalogue import Indicator

_NO_PEOPLE = frozenset(("hồ sơ", "đồng", "%", "máy", "Mbps", "đề xuất", "thôn", "tổ chức", "đơn vị"))
"""Units of measurement that count no people; every other count is taken for one of people."""
_OF_THINGS = frozenset(("I27",))
"""Indicators that count no people though they read how many there are: I27 counts villages."""
NOT_FINE = ("PROVINCE", "BLOC", "FIELD")


def open_datasets(contracts: Mapping[str, Contract]) -> list[Contract]:
    """The datasets of the open-data set."""
    return [c for c in contracts.values() if c.sharing_class == "MO" and _is_p0(c)]


def _is_p0(contract: Contract) -> bool:
    return not is_personal(contract) and all(c.classification == "P0" for c in contract.columns)


def people_columns(contract: Contract) -> list[Column]:
    """Columns that count people or households."""
    return [
        c
        for c in contract.columns
        if c.logical_type == "integer" and c.key_position is None and c.unit is not None and c.unit not in _NO_PEOPLE
    ]


@dataclass(frozen=True)
class OpenIndicator:
    """An indicator of the open-data set. ``people``: it counts people; ``kinds``: kinds of units that are told (None: all)."""

    indicator: Indicator
    people: bool
    kinds: tuple[str, ...] | None


def open_indicators(contracts: Mapping[str, Contract], indicators: Mapping[str, Indicator]) -> list[OpenIndicator]:
    """The indicators of the open-data set. Of those that count people, no organisation is told; nor a commune, where the counts
    stand in an open table: hidden there, they could be found here."""
    tables = {c.dataset for c in open_datasets(contracts) if people_columns(c)}
    found = []
    for one in indicators.values():
        read = [contracts.get(name) for name in one.reads]
        if not all(c is not None and _is_p0(c) for c in read):
            continue
        people = one.code not in _OF_THINGS and (
            one.hidden_below is not None
            or any("người" in v.unit for v in one.variants)
            or any(one.code in column.indicators for c in read if c is not None for column in people_columns(c))
        )
        kinds = None if not people else NOT_FINE if tables.intersection(one.reads) else (*NOT_FINE, "COMMUNE")
        found.append(OpenIndicator(one, people, kinds))
    return found
