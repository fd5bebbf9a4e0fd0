"""The views that can be exported: which there are, who may read them, and what their columns are and mean.

Here: names -> :class:`View`, from the server's catalogue and the contracts. Not here: their rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path

import psycopg

from assets.marts.indicators.catalogue import Indicator, view_grants
from assets.marts.public import VIEW as PUBLIC_VIEW
from schemas import messages
from schemas.contract import Column, Contract
from schemas.feed import GRANTS as FEED
from schemas.migrate import quote
from schemas.roles import APP, SYSTEM
from schemas.tables import combined, grant_statements, is_personal

_HERE = Path(__file__).parent
_NAMED = frozenset(
    (
        "valid_from", "valid_to", "carried_since", "indicator", "variant", "name_vi", "name_en", "measured_in", "formula",
        "unit_kind", "unit_name", "period_kind", "as_of", "value", "numerator", "denominator", "target", "target_due", "status",
        "entity_id", "person_id",
    )
)  # fmt: skip
"""Columns of no contract that the catalogue of messages has a name for."""


class ExportRefused(Exception):
    """An export that cannot be had as it was asked for; the text says what to ask for instead."""


@dataclass(frozen=True)
class Field:
    """A column of a view. ``sql_type``: the name of its type in PostgreSQL, of an array that of its elements with ``[]`` behind;
    ``column``: what the contract says of it, where it is a contract's."""

    name: str
    sql_type: str
    column: Column | None = None

    @property
    def title(self) -> str:
        """What it is called, in Vietnamese; its name where nobody has said it."""
        if self.column is not None:
            return self.column.label
        return messages.text("field", self.name) if self.name in _NAMED else self.name


@dataclass(frozen=True)
class View:
    """A view. ``personal``: apps may not read it; ``contract``: of the dataset that it shows, where it is one dataset's."""

    schema: str
    name: str
    oid: int
    fields: tuple[Field, ...]
    contract: Contract | None
    personal: bool

    @property
    def full_name(self) -> str:
        """Its name as one writes it: with the schema where that is not ``mart_v1``."""
        return self.name if self.schema == "mart_v1" else f"{self.schema}.{self.name}"

    @property
    def quoted(self) -> str:
        """Its name for a statement."""
        return f"{quote(self.schema)}.{quote(self.name)}"


def open_to_apps(contracts: Iterable[Contract], indicators: Mapping[str, Indicator]) -> frozenset[str]:
    """Names with their schema of the views that are declared for apps: those are of no person's own values.

    The declaration and not the server is asked, since a server may lack the role; what is not declared is personal."""
    granted = [*SYSTEM, *FEED, *view_grants(dict(indicators)), *(g for c in contracts for g in grant_statements(c))]
    named = {
        what.removeprefix("select on ").replace('"', "")
        for role, what in granted
        if role == APP and what.startswith("select on ")
    }
    return frozenset(named | {f"mart_v1.{name}" for name in combined()} | {PUBLIC_VIEW})


def find_views(
    connection: psycopg.Connection,
    names: Sequence[str],
    contracts: Mapping[str, Contract],
    indicators: Mapping[str, Indicator],
) -> list[View]:
    """The views of these names, each once, in their order; :class:`ExportRefused` where one is unknown or not to be read."""
    known: dict[str, tuple[int, bool, bool]] = {
        name: (oid, usable, readable)
        for name, oid, usable, readable in connection.execute((_HERE / "views.sql").read_text(encoding="utf-8"))
    }
    found, for_apps = [], open_to_apps(contracts.values(), indicators)
    for name in dict.fromkeys(names):
        full = name if "." in name else f"mart_v1.{name}"
        if full not in known:
            raise ExportRefused(_unknown(name, known))
        oid, usable, readable = known[full]
        if not (usable and readable):
            raise ExportRefused(
                f"the database user may not read {name}; connect as one whose role may (docs/personal-data.md says which "
                "role reads what)"
            )
        found.append(_view(connection, full, oid, contracts, for_apps))
    return list({view.oid: view for view in found}.values())


def _unknown(name: str, known: Iterable[str]) -> str:
    said = sorted(n.removeprefix("mart_v1.") for n in known)
    if not said:
        return f"there is no view {name}: nothing is published in this database yet; `lienthong run` does"
    near = get_close_matches(name.lower().removeprefix("mart_v1.").replace("-", "_"), said, 1, 0.5)
    plain = [n for n in said if "." not in n and not n.endswith(("_history", "_masked"))]
    return f"there is no view {name}; " + (f"did you mean {near[0]}?" if near else f"there are: {', '.join(plain)}")


def shown_dataset(view: str) -> str:
    """Which dataset a view shows, by its name: no dataset has a name that begins or ends like one of its views (schemas.lint)."""
    return view.removeprefix("own_").removesuffix("_history").removesuffix("_masked")


def _view(
    connection: psycopg.Connection,
    full: str,
    oid: int,
    contracts: Mapping[str, Contract],
    for_apps: frozenset[str],
) -> View:
    schema, _, name = full.partition(".")
    own = name.startswith("own_") and schema == "mart_v1"
    contract = contracts.get(shown_dataset(name))
    rows = connection.execute((_HERE / "fields.sql").read_text(encoding="utf-8"), {"view": oid})
    masked = own or "_masked" in name
    fields = tuple(Field(n, kind, _said(contract, n, masked)) for n, kind in rows)
    # rows of a commune's own are for it and not for apps; they are personal where the dataset is
    for_some = own and contract is not None and not is_personal(contract)
    return View(schema, name, oid, fields, contract, full not in for_apps and not for_some)


def _said(contract: Contract | None, name: str, masked: bool) -> Column | None:
    """What the contract says of a column; a masked one has no value of its list any more."""
    column = contract.find(name) if contract is not None else None
    return replace(column, enum=()) if column is not None and masked and column.personal else column
