"""The contract model: one ODCS file per dataset, read into frozen dataclasses.

Everything else (tables, suites, dictionary, template, views, Dagster assets) derives from these objects. The strict
lint with file, line and remedy is in :mod:`schemas.lint`; :func:`load_contracts` refuses what the lint refuses, so
reading here may trust the shape of what it is given. How a contract is written: docs/contracts.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from .lint import Finding

Delivery = Literal["snapshot", "increment", "events", "facts"]
ValidTime = Literal["asOf", "columns", "period"]
SenderScope = Literal["ownCommune", "ownOrganisation", "all"]
PeriodType = Literal["month", "quarter", "half", "year"]
LogicalType = Literal["string", "integer", "number", "date", "timestamp", "boolean"]
Severity = Literal["error", "warning"]
Survivorship = Literal["precedence", "latest", "majority"]


@dataclass(frozen=True)
class EnumValue:
    """One value of a code list, with the spellings that senders use for it."""

    value: str
    label: str = ""
    synonyms: tuple[str, ...] = ()


@dataclass(frozen=True)
class Rule:
    """One expectation of the contract (``quality`` entry with ``engine: greatExpectations``).

    ``kind`` is the Great Expectations type in snake case (``expect_column_values_to_be_between``) or one of our own.
    ``kwargs`` are its arguments without those that name columns; ``columns`` are the columns named, in the order of
    ``column`` | ``column_A``, ``column_B`` | ``column_list``: a failing row is blamed on them (first = the cell that is
    shown). ``message`` and ``remedy`` are Vietnamese, for the sender.
    """

    id: str
    kind: str
    columns: tuple[str, ...]
    kwargs: Mapping[str, Any]
    severity: Severity
    message: str
    remedy: str


@dataclass(frozen=True)
class AcrossRule:
    """A rule across submissions or datasets (``quality`` entry with ``engine: postgresql``): it flags, it never quarantines.

    ``kind`` is a key of ``schemas.expectation_types.ACROSS``; ``column`` is the one that is blamed. ``message`` may hold
    ``{name}`` of what the rule's SQL says about a row.
    """

    id: str
    kind: str
    column: str
    kwargs: Mapping[str, Any]
    message: str
    remedy: str


INDICATORS = tuple(f"I{number:02}" for number in range(1, 50))
"""Codes of the indicators (domain brief, 9). What each is, is said where they are computed."""

VAULTED = frozenset({"citizen_id", "id_card", "id_as_sent"})
"""Semantic types whose values are kept in the vault only (Luật Bảo vệ dữ liệu cá nhân 91/2025/QH15; design, "Personal data")."""


@dataclass(frozen=True)
class Column:
    """One declared column. ``default_from``: 'sender' (the commune of the sender), 'asOf', or None.

    ``synonyms`` are the headers that the column answers to, its Vietnamese name ``label`` first; none where it reads
    another column's cells (``options['sameAs']``).
    """

    name: str
    label: str
    logical_type: LogicalType
    semantic_type: str
    required: bool = False
    key_position: int | None = None
    synonyms: tuple[str, ...] = ()
    enum: tuple[EnumValue, ...] = ()
    classification: str = "P1"
    unit: str | None = None
    description: str = ""
    default_from: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    """Everything that the semantic type reads: maxLength, minimum, maximum, scale, minPrecision, allowPending, ditto,
    blank, width, pattern, ... (ODCS ``logicalTypeOptions`` merged with the property's ``customProperties``); and what
    holds for any type: ``sameAs`` (the column whose raw cells it reads), ``extract`` (a pattern whose only group
    is the value), ``missingCode`` (the code said instead of MISSING),
    ``succeeds`` (it names what the entity succeeds to)."""
    references: str | None = None
    """'units.code' and the like, from ``relationships``."""
    survivorship: Survivorship = "precedence"
    """Whose value stands where several senders give one (:mod:`assets.core.survivorship`)."""
    precedence: tuple[str, ...] = ()
    """Senders, best first, for this column alone; the contract's where there is none."""
    purpose: str = ""
    legal_ground: str = ""
    """Why a personal column (P2, P3) is held, and by which law (LUAT_CBCC, LUAT_CUTRU, TTHC, DONG_Y)."""
    indicators: tuple[str, ...] = ()
    """Indicators that read it (minimisation: Luật Bảo vệ dữ liệu cá nhân 91/2025/QH15)."""
    use: str = ""
    """What else it is for, where neither an indicator nor a rule reads it (:data:`schemas.lint.USES`)."""

    @property
    def vaulted(self) -> bool:
        """Whether its values are kept in the vault only: all other tables have the random subject that stands for one."""
        return self.semantic_type in VAULTED

    @property
    def personal(self) -> bool:
        """Whether it holds a value of a person (P2, P3): whatever is not plainly open to all readers."""
        return self.classification not in ("P0", "P1")

    @property
    def source(self) -> str:
        """Name of the column whose raw cells it reads: its own, but for ``sameAs``."""
        return str(self.options.get("sameAs", self.name))

    @property
    def header_required(self) -> bool:
        """Whether a table without a header for this column is rejected: required, and nothing else can fill it."""
        filled = self.default_from is not None or "sameAs" in self.options or self.options.get("headerOptional")
        return self.required and not filled


@dataclass(frozen=True)
class Contract:
    """One dataset."""

    dataset: str
    version: str
    title: str
    path: str
    columns: tuple[Column, ...]
    rules: tuple[Rule, ...]
    delivery: Delivery
    valid_time: ValidTime
    sender_scope: SenderScope
    period_type: PeriodType
    calendar: Literal["civil", "reporting"] = "civil"
    scope_column: str | None = None
    """Column whose value must lie in the sender's own units (``senderScope`` ownCommune/ownOrganisation)."""
    valid_from_column: str | None = None
    valid_to_column: str | None = None
    stale_after_months: int | None = None
    max_bad_share: float = 0.9
    max_ended_share: float = 0.3
    control_severity: Literal["warn", "hold"] = "warn"
    entity_id: str = "entity_id"
    """Name of the published id column, e.g. ``village_id``."""
    precedence: tuple[str, ...] = ()
    """Senders, best first, for survivorship; a sender not named comes after."""
    survivorship_groups: tuple[tuple[str, ...], ...] = ()
    """Columns that survive together, from one sender's row: the figures of one count are not mixed with those of another."""
    senders: tuple[str, ...] = ("communes",)
    """Who sends it: sender codes, or the groups 'communes', 'departments', 'any'."""
    due_day: int | None = None
    due_months: int | None = None
    """Months after the period's last in which the due day lies; None: the first such day after the period."""
    due_shift: Literal["next", "previous", "none"] = "next"
    """Where a due day goes that is no working day."""
    due_before: tuple[str, str] | None = None
    """Column and value of rows that are due before their period begins (the plan of a year)."""
    due_from: tuple[str, ...] = ()
    """Of the senders, those that must send; the others may."""
    close_after: int | None = None
    """Working days after the due day at whose end a period is closed by the schedule; None: only a person closes it."""
    effective_from: str | None = None
    description: str = ""
    owner: str = ""
    form_name: str = ""
    sharing_class: str = ""
    """DUNG_CHUNG, DUNG_RIENG or MO (Luật Dữ liệu 60/2024/QH15)."""
    retention_years: int | None = None
    sheets: tuple[str, ...] = ()
    """Names of the sheets to read (compared by ``schemas.text.fold``) where a workbook has one of them; else all."""
    row_labels: tuple[str, ...] = ()
    """Columns, outer first, that pivot exports have as row labels: without a header, left of the figures, the outer ones
    filled on their first row only."""
    identity: Mapping[str, str] = field(default_factory=dict)
    """Role in the linkage -> column that plays it (:data:`IDENTITY_ROLES`); none: the key alone says who is whom."""
    identity_kind: Literal["person", "unit"] = "person"
    """What is linked where there are roles: persons, or units (organisations, villages)."""
    mentions: bool = False
    """Whether rows of it name an organisation in place of its code; no property of a contract, a merge finds it out."""
    unsaid_without: str | None = None
    """Column without which a row says nothing: a work list is sent back half filled in, and what is open stays open."""
    across: tuple[AcrossRule, ...] = ()
    """Rules across submissions and datasets, evaluated when a publish is prepared."""

    @property
    def vaulted(self) -> tuple[Column, ...]:
        """Columns whose values are kept in the vault."""
        return tuple(c for c in self.columns if c.vaulted)

    @property
    def succeeds(self) -> str | None:
        """Name of the column that says what an entity succeeds to: values of the last key column, among those that share its
        other key columns; None where the dataset has none."""
        return next((c.name for c in self.columns if c.options.get("succeeds")), None)

    @property
    def linked(self) -> bool:
        """Whether rows may be about entities that are not said by their key."""
        return bool(self.identity) or self.mentions

    @property
    def joins(self) -> bool:
        """Whether records with keys of their own may be one: of persons, and of units whose name is part of the key."""
        return bool(self.identity) and (self.identity_kind == "person" or self.identity["name"] in self.key)

    @property
    def key(self) -> tuple[str, ...]:
        """Names of the key columns in the order of ``primaryKeyPosition``."""
        keyed = [c for c in self.columns if c.key_position is not None]
        return tuple(c.name for c in sorted(keyed, key=lambda c: c.key_position or 0))

    def column(self, name: str) -> Column:
        """The column of that name; :class:`KeyError` where there is none."""
        column = self.find(name)
        if column is None:
            raise KeyError(name)
        return column

    def find(self, name: str | None) -> Column | None:
        """The column of that name, where there is one."""
        return next((c for c in self.columns if c.name == name), None)


IDENTITY_ROLES: Mapping[str, Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "person": {
            "name": ("person_name",),
            "born": ("date",),
            "sex": ("category",),
            "id": ("citizen_id",),
            "claimed": ("id_as_sent",),
            "card": ("id_card",),
            "commune": ("commune_code",),
            "agency": ("text", "name"),
        },
        "unit": {
            "name": ("name",),
            "commune": ("commune_code",),
            "type": ("category",),
            "parent": ("code",),
            "code": ("agency_id",),
        },
    }
)
"""Kind -> roles of columns in its linkage -> semantic types that can play them."""
IDENTITY_NEEDED: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"person": ("name", "born", "id"), "unit": ("name", "commune")}
)

COLUMN_ARGUMENTS = ("column", "column_A", "column_B", "column_list")
"""The arguments by which Great Expectations names columns, in the order of :attr:`Rule.columns`."""


ACROSS_ENGINE = "postgresql"
"""``engine`` of a rule across submissions."""


class ContractError(Exception):
    """Contracts that the lint refuses; ``findings`` say what, where and how to put it right."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        super().__init__("\n".join(str(f) for f in findings))
        self.findings = tuple(findings)


def builtin_folder() -> Path:
    """The folder of the contracts that ship with the code."""
    return Path(__file__).parent / "contracts"


def load_contract(path: Path) -> Contract:
    """The contract of one file; :class:`ContractError` where the lint has anything to say about it."""
    return _load([path])[0]


def load_contracts(folders: Sequence[Path]) -> dict[str, Contract]:
    """All contracts of the folders, by dataset in alphabetical order.

    Raises :class:`ContractError` where the lint has anything to say about a file, or about two of them together; but not about
    a column that nothing uses, which does no harm to those that are used.
    """
    from .lint import contract_files

    contracts = _load([path for folder in folders for path in contract_files(folder)])
    return {c.dataset: c for c in sorted(contracts, key=lambda c: c.dataset)}


def _load(paths: Sequence[Path]) -> list[Contract]:
    return list(_loaded(tuple((path, path.read_bytes()) for path in paths)))


@lru_cache(maxsize=8)
def _loaded(files: tuple[tuple[Path, bytes], ...]) -> tuple[Contract, ...]:
    """Contracts of files with their contents: a process that asks again after nothing changed does not wait for the lint."""
    from .lint import examine

    findings, documents = examine([path for path, _ in files])
    if findings:
        raise ContractError(findings)
    return tuple(_contract(path, document) for path, document in documents.items())


def own_properties(entries: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """A ``customProperties`` list as a mapping."""
    return {e["property"]: e["value"] for e in entries}


def months(duration: str) -> int:
    """Months of an ISO 8601 duration of years and months, such as P18M or P1Y."""
    match = re.fullmatch(r"P(?:(\d+)Y)?(?:(\d+)M)?", duration)
    if not match or match[0] == "P":
        raise ValueError(f"not a duration of years and months: {duration!r}")
    return 12 * int(match[1] or 0) + int(match[2] or 0)


def _contract(path: Path, document: Mapping[str, Any]) -> Contract:
    table = document["schema"][0]
    own = own_properties(document["customProperties"])
    service = {p["property"]: p["value"] for p in document["slaProperties"]}
    properties = table["properties"]
    rules = [_rule(q, p["name"]) for p in properties for q in p.get("quality", ())]
    rules += [_rule(q, None) for q in table.get("quality", ()) if q["engine"] != ACROSS_ENGINE]
    return Contract(
        dataset=document["id"],
        version=document["version"],
        title=table["businessName"],
        path=str(path),
        columns=tuple(_column(p) for p in properties),
        rules=tuple(rules),
        delivery=own["delivery"],
        valid_time=own["validTime"],
        sender_scope=own["senderScope"],
        period_type=own["periodType"],
        calendar=own.get("calendar", "civil"),
        scope_column=own.get("scope"),
        valid_from_column=own.get("validFrom"),
        valid_to_column=own.get("validTo"),
        stale_after_months=months(own["staleAfter"]) if "staleAfter" in own else None,
        max_bad_share=own.get("maxBadShare", 0.5),
        max_ended_share=own.get("maxEndedShare", 0.3),
        control_severity=own.get("controlSeverity", "warn"),
        entity_id=own.get("entityId", "entity_id"),
        precedence=tuple(own.get("precedence", ())),
        survivorship_groups=tuple(tuple(group) for group in own.get("survivorshipGroups", ())),
        senders=tuple(own["senders"]),
        due_day=service.get("dueDay"),
        due_months=service.get("dueMonths"),
        due_shift=own.get("dueShift", "next"),
        due_before=next(iter(own.get("dueBefore", {}).items()), None),
        due_from=tuple(own.get("dueFrom", own["senders"])),
        close_after=own.get("closeAfter"),
        effective_from=own.get("effectiveFrom"),
        description=document["description"]["purpose"],
        owner=document.get("team", {}).get("name", ""),
        form_name=own.get("formName", ""),
        sharing_class=own.get("sharingClass", ""),
        retention_years=service.get("retention"),
        sheets=tuple(own.get("sheets", ())),
        row_labels=tuple(own.get("rowLabels", ())),
        identity={role: name for role, name in own.get("identity", {}).items() if role != "kind"},
        identity_kind=own.get("identity", {}).get("kind", "person"),
        unsaid_without=own.get("unsaidWithout"),
        across=tuple(_across(q) for q in table.get("quality", ()) if q["engine"] == ACROSS_ENGINE),
    )


def _column(entry: Mapping[str, Any]) -> Column:
    own = own_properties(entry["customProperties"])
    headers = [entry["businessName"], *(s["synonym"] for s in entry.get("synonyms", ()))]
    apart = (
        "semanticType", "unit", "defaultFrom", "purpose", "legalGround", "survivorship", "precedence", "indicators", "use",
    )  # fmt: skip
    return Column(
        name=entry["name"],
        label=entry["businessName"],
        logical_type=entry["logicalType"],
        semantic_type=own["semanticType"],
        required=entry.get("required", False),
        key_position=entry.get("primaryKeyPosition"),
        synonyms=() if "sameAs" in own else tuple(dict.fromkeys(headers)),
        enum=tuple(_enum_value(v) for v in entry.get("enum", ())),
        classification=entry.get("classification", "P1"),
        unit=own.get("unit"),
        description=entry.get("description", ""),
        default_from=own.get("defaultFrom"),
        options={**entry.get("logicalTypeOptions", {}), **{k: v for k, v in own.items() if k not in apart}},
        references=next((r["to"] for r in entry.get("relationships", ())), None),
        survivorship=own.get("survivorship", "precedence"),
        precedence=tuple(own.get("precedence", ())),
        purpose=own.get("purpose", ""),
        legal_ground=own.get("legalGround", ""),
        indicators=tuple(own.get("indicators", ())),
        use=own.get("use", ""),
    )


def _enum_value(entry: Mapping[str, Any]) -> EnumValue:
    own = own_properties(entry.get("customProperties", ()))
    return EnumValue(entry["value"], entry["label"], tuple(own.get("synonyms", ())))


def _rule(entry: Mapping[str, Any], column: str | None) -> Rule:
    body = entry["implementation"]
    kwargs = dict(body.get("kwargs", {}))
    columns: tuple[str, ...] = (column,) if column else ()
    for name in COLUMN_ARGUMENTS:
        if name in kwargs:
            named = kwargs.pop(name)
            columns += tuple(named) if isinstance(named, list) else (named,)
    own = own_properties(entry["customProperties"])
    return Rule(entry["id"], body["type"], columns, kwargs, entry["severity"], own["message"], own["remedy"])


def _across(entry: Mapping[str, Any]) -> AcrossRule:
    body, own = entry["implementation"], own_properties(entry["customProperties"])
    kwargs = dict(body.get("kwargs", {}))
    return AcrossRule(entry["id"], body["type"], kwargs.pop("column"), kwargs, own["message"], own["remedy"])
