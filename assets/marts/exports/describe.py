"""What an export says of itself: a list of its files, a Frictionless data package, a dictionary.

Here: files, columns and contracts -> descriptions. The package follows the Data Package standard (https://datapackage.org); what
that has no word for stands under ``lienthong``. Not here: the files.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pyarrow as pa

from schemas.text import FORMULA_SIGNS
from schemas.vietnam import local_day, written_day

from .folder import MADE_BY
from .known import Moment
from .views import Field, View

PROFILE = "https://datapackage.org/profiles/2.0/datapackage.json"


@dataclass(frozen=True)
class Licence:
    """Under which terms the data may be used: a name of the Open Definition's list, or of our own, and what it says."""

    name: str
    title: str
    path: str | None = None


AGENCIES = Licence(
    "lienthong-agencies", "Dùng trong cơ quan của tỉnh theo Luật Dữ liệu 60/2024/QH15; không phải dữ liệu mở"
)
OPEN_LICENCE = Licence("CC-BY-4.0", "Creative Commons Attribution 4.0", "https://creativecommons.org/licenses/by/4.0/")


@dataclass(frozen=True)
class Hidden:
    """How many counts of people are hidden in a table, and why.

    ``small``: because they are; ``complement``: because others could be computed from them; ``earlier``: because an earlier
    release hid them; ``exposed``: those that releases together give away all the same, or leave less room than the one that hid
    them did. Only their sum is for readers: how many of a few hidden ones are small says what they are."""

    small: int = 0
    complement: int = 0
    earlier: int = 0
    exposed: int = 0

    @property
    def all(self) -> int:
        """How many are hidden."""
        return self.small + self.complement + self.earlier


@dataclass(frozen=True)
class Written:
    """A file of an export: the view that it shows, its rows, what it weighs."""

    name: str
    view: View
    fields: Sequence[Field]
    schema: pa.Schema
    rows: int
    size: int
    sha256: str
    hidden: Hidden = Hidden()


def listed(files: Sequence[Written], moment: Moment, made_at: datetime) -> dict[str, Any]:
    """``export.json``: which files belong together, of which publish."""
    return {
        "made_by": MADE_BY,
        **_when(moment, made_at),
        "files": [
            {
                "path": f.name,
                "view": f"{f.view.schema}.{f.view.name}",
                "rows": f.rows,
                "bytes": f.size,
                "sha256": f.sha256,
            }
            for f in files
        ],
    }


def _when(moment: Moment, made_at: datetime) -> dict[str, Any]:
    return {
        "publish": moment.number,
        "shows": moment.shows,
        "published_at": moment.published_at.isoformat(),
        "valid_at": (moment.read_at or made_at).isoformat(),
        "exported_at": made_at.isoformat(),
    }


def packaged(
    files: Sequence[Written],
    dictionary: tuple[str, int, str],
    moment: Moment,
    made_at: datetime,
    licence: Licence,
    *,
    name: str,
    title: str,
) -> dict[str, Any]:
    """``datapackage.json``. ``dictionary``: name, size and SHA-256 of its file."""
    said = {k: v for k, v in vars(licence).items() if v is not None}
    resources = [_resource(f) for f in files]
    path, size, sha256 = dictionary
    resources.append(
        {
            "name": "dictionary", "title": "Từ điển dữ liệu", "path": path, "format": "md", "mediatype": "text/markdown",
            "encoding": "utf-8", "bytes": size, "hash": f"sha256:{sha256}",
        }
    )  # fmt: skip
    return {
        "$schema": PROFILE,
        "name": name,
        "title": title,
        "version": str(moment.number),
        "created": made_at.isoformat(),
        "licenses": [said],
        "sources": _sources(files),
        "resources": resources,
        "lienthong": {
            "made_by": MADE_BY,
            **_when(moment, made_at),
            "inert": f"a text that begins with one of {' '.join(repr(s) for s in FORMULA_SIGNS)} has an apostrophe before it",
        },
    }


def _sources(files: Sequence[Written]) -> list[dict[str, str]]:
    contracts = {f.view.contract.dataset: f.view.contract for f in files if f.view.contract is not None}
    found = [{"title": f"{c.title}: {c.owner or c.dataset}, {c.dataset} {c.version}"} for c in contracts.values()]
    return [*found, {"title": "Cơ sở dữ liệu liên thông của tỉnh"}]


def _resource(file: Written) -> dict[str, Any]:
    contract = file.view.contract
    # a view that names persons and is no list of them has several rows of one
    unique = contract is not None and (bool(contract.identity) or contract.entity_id != "person_id")
    key = [contract.entity_id, "valid_from"] if contract is not None and unique else []
    names = {f.name for f in file.fields}
    said: dict[str, Any] = {
        "name": file.view.full_name,
        "type": "table",
        "path": file.name,
        "title": contract.title if contract is not None else file.view.full_name,
        "description": contract.description if contract is not None else "",
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "dialect": {"delimiter": ",", "lineTerminator": "\r\n", "quoteChar": '"', "doubleQuote": True, "header": True},
        "bytes": file.size,
        "hash": f"sha256:{file.sha256}",
        "schema": {
            "fields": [_field(f, file.schema.field(f.name).type) for f in file.fields],
            "missingValues": [""],
            **({"primaryKey": key} if key and names.issuperset(key) else {}),
        },
        "lienthong": {"view": f"{file.view.schema}.{file.view.name}", "rows": file.rows, "hidden": file.hidden.all},
    }
    return {k: v for k, v in said.items() if v != ""}


_KINDS: Sequence[tuple[Any, str]] = (
    (pa.types.is_boolean, "boolean"), (pa.types.is_integer, "integer"), (pa.types.is_decimal, "number"),
    (pa.types.is_floating, "number"), (pa.types.is_date, "date"), (pa.types.is_timestamp, "datetime"),
)  # fmt: skip


def _kind(field: Field, kind: pa.DataType) -> str:
    if field.sql_type.endswith("[]"):
        return "array"
    if field.sql_type in ("json", "jsonb"):
        return "object"
    return next((name for test, name in _KINDS if test(kind)), "string")


def _field(field: Field, kind: pa.DataType) -> dict[str, Any]:
    column = field.column
    said: dict[str, Any] = {"name": field.name, "type": _kind(field, kind), "title": field.title}
    if said["type"] == "boolean":
        said |= {"trueValues": ["true"], "falseValues": ["false"]}
    if column is not None:
        said |= {"description": column.description, "unit": column.unit, "classification": column.classification}
        if column.enum:
            said["constraints"] = {"enum": [e.value for e in column.enum]}
            said["categories"] = [{"value": e.value, "label": e.label or e.value} for e in column.enum]
    return {k: v for k, v in said.items() if v not in ("", None)}


def dictionary(files: Sequence[Written], moment: Moment) -> str:
    """What each column means, for people, in Vietnamese (Markdown)."""
    lines = [
        "# Từ điển dữ liệu",
        "",
        f"Lần công bố {moment.number}, ngày {written_day(local_day(moment.published_at))}.",
        "",
    ]
    for file in files:
        contract = file.view.contract
        lines += [f"## {contract.title if contract is not None else file.view.full_name}", ""]
        if contract is not None:
            lines += [contract.description.strip(), ""]
        lines += [f"Tệp `{file.name}`, {file.rows} dòng."]
        if file.hidden.all:
            lines += ["", f"{file.hidden.all} ô để trống vì số người quá ít, hoặc vì từ ô đó tính ra được số quá ít."]
        lines += ["", "| Cột | Tên | Đơn vị tính | Giải thích |", "|---|---|---|---|"]
        for field in file.fields:
            column: Mapping[str, Any] = vars(field.column) if field.column is not None else {}
            cells = (f"`{field.name}`", field.title, column.get("unit") or "", column.get("description") or "")
            lines.append("| " + " | ".join(" ".join(c.split()).replace("|", r"\|") for c in cells) + " |")
        lines.append("")
    return "\n".join(lines)
