"""The published views as they are on a server, and a data contract (ODCS) of each for those who build on them.

Here: reading, and the contract's form. What breaks an app, and the versions: :mod:`schemas.published`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import psycopg

from schemas.contract import Contract
from schemas.lint import API_VERSION
from schemas.roles import ROLES

from .exports.views import Field, find_views, shown_dataset
from .indicators.catalogue import Indicator, theme_column

_LOGICAL = {
    "text": "string", "varchar": "string", "bpchar": "string", "name": "string",
    "int2": "integer", "int4": "integer", "int8": "integer",
    "numeric": "number", "float8": "number", "float4": "number", "bool": "boolean", "date": "date", "timestamptz": "timestamp",
    "timestamp": "timestamp", "jsonb": "object", "json": "object",
}  # fmt: skip


def state(
    connection: psycopg.Connection, contracts: Mapping[str, Contract], indicators: Mapping[str, Indicator]
) -> dict[str, dict[str, Any]]:
    """View with its schema -> ``{"columns": {name: meaning}, "readers": [role]}``, of every ``mart_v…`` schema.

    A meaning has ``type`` and, where the contract or the catalogue of indicators says it, ``label``, ``description``, ``unit``,
    ``semantic``, ``class``, ``values`` (codes), ``formula`` (what makes the figure)."""
    names = [
        r[0]
        for r in connection.execute(
            "select n.nspname || '.' || c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace "
            "where c.relkind = 'v' and n.nspname ~ '^mart_v[0-9]+$' order by 1"
        )
    ]
    readers: dict[str, list[str]] = {name: [] for name in names}
    for name, role in connection.execute(
        "select v, r from unnest(%s::text[]) v cross join unnest(%s::text[]) r join pg_roles o on o.rolname = r "
        "where has_table_privilege(r, v, 'select') order by 1, 2",
        [names, list(ROLES)],
    ):
        readers[name].append(role)
    # of the views of themes: what a figure is called and measured in, and what makes it
    figures = {
        theme_column(one, v): {"label": v.name_vi, "unit": v.unit, "formula": one.formula}
        for one in indicators.values()
        for v in one.variants
    }
    found = {}
    for view in find_views(connection, names, contracts, indicators):
        theme = view.name.startswith("theme_")
        columns = {f.name: _meaning(f, figures if theme else {}) for f in view.fields}
        full = f"{view.schema}.{view.name}"
        found[full] = {"columns": columns, "readers": readers[full]}
    return found


def _meaning(field: Field, figures: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {"type": field.sql_type}
    if field.column is not None:
        c = field.column
        said = {
            "label": c.label, "description": c.description, "unit": c.unit, "semantic": c.semantic_type, "class": c.classification,
            "values": sorted(v.value for v in c.enum),
        }  # fmt: skip
        found |= {name: value for name, value in said.items() if value}
    elif field.title != field.name:
        found["label"] = field.title
    return found | dict(figures.get(field.name, {}))


def document(
    view: str,
    promise: Mapping[str, Any],
    contracts: Mapping[str, Contract],
) -> dict[str, Any]:
    """The data contract of a published view, as the Open Data Contract Standard has it."""
    schema, _, name = view.partition(".")
    contract = contracts.get(shown_dataset(name))
    deprecated = promise.get("deprecated")
    purpose = contract.description if contract is not None else "Aggregates of the province, or what they are made of."
    limitations = "Rows say what was known at the publish that is shown; read in one transaction what belongs together."
    if deprecated:
        limitations += f" Stays until {deprecated['until']}; after it {deprecated['successor']}."
    return {
        "apiVersion": API_VERSION,
        "kind": "DataContract",
        "id": f"{schema}_{name}",
        "name": f"{contract.title} ({name})" if contract is not None else name,
        "version": promise["version"],
        "status": "deprecated" if deprecated else "active",
        "description": {"purpose": purpose, "limitations": limitations},
        "servers": [
            {
                "server": "warehouse", "type": "postgresql", "host": "-", "port": 5432, "database": "lienthong", "schema": schema,
            }
        ],
        "roles": [{"role": role, "access": "read", "description": ROLES[role]} for role in promise["readers"]],
        "schema": [
            {
                "name": name,
                "physicalName": view,
                "physicalType": "view",
                "logicalType": "object",
                "properties": [_property(column, meaning) for column, meaning in promise["columns"].items()],
            }
        ],
    }  # fmt: skip


def _property(name: str, meaning: Mapping[str, Any]) -> dict[str, Any]:
    kind = meaning["type"]
    found: dict[str, Any] = {
        "name": name,
        "logicalType": "array" if kind.endswith("[]") else _LOGICAL.get(kind, "string"),
        "physicalType": kind,
    }
    if kind.endswith("[]"):
        found["items"] = {"logicalType": _LOGICAL.get(kind[:-2], "string")}
    for ours, theirs in (("label", "businessName"), ("description", "description"), ("class", "classification")):
        if ours in meaning:
            found[theirs] = meaning[ours]
    if "values" in meaning:
        found["enum"] = [{"value": value} for value in meaning["values"]]
    own = [{"property": p, "value": meaning[p]} for p in ("unit", "semantic", "formula") if p in meaning]
    return {**found, "customProperties": own} if own else found
