"""The strict lint of contracts: every finding names file, line and remedy.

Here: reading a contract's YAML with positions, the standard's own JSON schema (ODCS, from the package
``open-data-contract-standard``; its pydantic model drops misspelt keys, so it is not used), and the rules that the
standard does not know: the closed lists of our own properties, of semantic types and of expectations. Not here: turning
a contract into objects (:mod:`schemas.contract`), running an expectation.

Messages are English: whoever writes a contract works on this repository.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from difflib import get_close_matches
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

import yaml

from .codes import CODES
from .contract import (
    ACROSS_ENGINE,
    COLUMN_ARGUMENTS,
    IDENTITY_NEEDED,
    IDENTITY_ROLES,
    INDICATORS,
    Column,
    Delivery,
    LogicalType,
    PeriodType,
    Rule,
    SenderScope,
    Severity,
    Survivorship,
    ValidTime,
    months,
    own_properties,
)
from .expectation_types import ACROSS, TYPES, problems_of
from .semantic import SEMANTIC_TYPES, option_problems
from .text import fold_one

if TYPE_CHECKING:
    from jsonschema import Draft201909Validator, ValidationError

Location = tuple[str | int, ...]

API_VERSION = "v3.2.0"
"""The version of the standard that the packaged JSON schema describes."""

SUFFIX = ".odcs.yaml"


@dataclass(frozen=True, order=True)
class Finding:
    """One thing wrong with a contract; ``line`` and ``column`` count from 1."""

    file: str
    line: int
    column: int
    message: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.message} → {self.remedy}"


# --- what a contract may say ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Kind:
    """What values a property takes, in words and as a test."""

    words: str
    accepts: Callable[[Any], bool]


def _one_of(*values: str) -> Kind:
    return Kind("one of " + ", ".join(values), lambda v: v in values)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(map(_is_text, value)) and len(set(value)) == len(value)


def _succeeds(check: Callable[[Any], Any]) -> Callable[[Any], bool]:
    def accepts(value: Any) -> bool:
        try:
            check(value)
        except (ValueError, TypeError):
            return False
        return True

    return accepts


TEXT = Kind("a text", _is_text)
TEXTS = Kind("a list of different texts", _is_texts)
FLAG = Kind("true or false", lambda v: isinstance(v, bool))
SHARE = Kind("a number from 0 to 1", lambda v: _is_number(v) and 0 <= v <= 1)
COUNT = Kind("a whole number from 1", lambda v: isinstance(v, int) and not isinstance(v, bool) and v >= 1)
ISO_DAY = Kind("a day such as 2025-07-01", _succeeds(date.fromisoformat))
DURATION = Kind("a duration of years and months such as P18M", _succeeds(months))
LIST = Kind("a list of at least one value", lambda v: isinstance(v, list) and bool(v))

PARTS = Kind(
    "a list of at least two lists of headers",
    lambda v: isinstance(v, list) and len(v) > 1 and all(_is_texts(part) for part in v),
)

GROUPS = Kind(
    "a list of lists of at least two different columns",
    lambda v: isinstance(v, list) and bool(v) and all(_is_texts(group) and len(group) > 1 for group in v),
)


def _one_group(pattern: Any) -> None:
    try:
        groups = re.compile(pattern).groups
    except re.error as error:
        raise ValueError(str(error)) from None
    if groups != 1:
        raise ValueError("one group")


def _is_spread(value: Any) -> bool:
    if not isinstance(value, dict):
        return _is_texts(value) and len(value) > 1
    return len(value) > 1 and all(map(_is_text, value)) and all(map(_is_texts, value.values()))


ROLES = Kind(
    "a mapping of roles to columns, such as {name: full_name, born: date_of_birth, id: citizen_id}, or with kind: unit",
    lambda v: isinstance(v, dict) and bool(v) and all(map(_is_text, v.values())),
)

ONE_VALUE = Kind(
    "a column and one of its values, such as {kind: KE_HOACH}",
    lambda v: isinstance(v, dict) and len(v) == 1 and all(map(_is_text, (*v, *v.values()))),
)

SPREAD = Kind("a list of sub-headers, or a mapping of values to lists of sub-headers, at least two", _is_spread)

USES: Mapping[str, str] = {
    "LABEL": "names or describes what the row is about to those who read the views",
    "EVIDENCE": "the paper, person or reason on which the row rests",
    "REFERENCE": "compared with, or kept beside, the reference lists",
}
"""What a column may be for that neither an indicator nor a rule reads; what is personal (P2, P3), only for EVIDENCE."""

CONTRACT_PROPERTIES: dict[str, Kind] = {
    "delivery": _one_of(*get_args(Delivery)),
    "validTime": _one_of(*get_args(ValidTime)),
    "validFrom": TEXT,
    "validTo": TEXT,
    "senderScope": _one_of(*get_args(SenderScope)),
    "scope": TEXT,
    "senders": TEXTS,
    "dueBefore": ONE_VALUE,
    "dueFrom": TEXTS,
    "dueShift": _one_of("next", "previous", "none"),
    "closeAfter": COUNT,
    "precedence": TEXTS,
    "survivorshipGroups": GROUPS,
    "periodType": _one_of(*get_args(PeriodType)),
    "calendar": _one_of("civil", "reporting"),
    "staleAfter": DURATION,
    "maxBadShare": SHARE,
    "maxEndedShare": SHARE,
    "controlSeverity": _one_of("warn", "hold"),
    "entityId": TEXT,
    "effectiveFrom": ISO_DAY,
    "sheets": TEXTS,
    "rowLabels": TEXTS,
    "identity": ROLES,
    "unsaidWithout": TEXT,
    "formName": TEXT,
    "sharingClass": _one_of("DUNG_CHUNG", "DUNG_RIENG", "MO"),
}
"""Own properties of a contract. What each means: docs/contracts.md."""
CONTRACT_REQUIRED = ("delivery", "validTime", "senderScope", "senders", "periodType")

COLUMN_PROPERTIES: dict[str, Kind] = {
    "semanticType": TEXT,
    "unit": TEXT,
    "defaultFrom": _one_of("sender", "senderCode", "asOf"),
    "headerOptional": FLAG,
    "sameAs": TEXT,
    "succeeds": Kind("true", lambda v: v is True),
    "missingCode": TEXT,
    "namedBy": TEXT,
    "fromSheet": Kind("a regular expression with one group", _succeeds(_one_group)),
    "join": PARTS,
    "spread": SPREAD,
    "survivorship": _one_of(*get_args(Survivorship)),
    "precedence": TEXTS,
    "purpose": TEXT,
    "legalGround": _one_of("LUAT_CBCC", "LUAT_CUTRU", "TTHC", "DONG_Y"),
    "indicators": Kind(
        f"a list of indicators {INDICATORS[0]} to {INDICATORS[-1]}",
        lambda v: _is_texts(v) and set(v) <= set(INDICATORS),
    ),
    "use": _one_of(*USES),
}
"""Own properties of a column that hold for any semantic type; the options of its type are beside them."""

STANDARD_OPTIONS = frozenset(
    (
        "minLength",
        "maxLength",
        "pattern",
        "format",
        "minimum",
        "maximum",
        "exclusiveMinimum",
        "exclusiveMaximum",
        "multipleOf",
    )
)
"""Options that the standard has a place for: ``logicalTypeOptions``."""

RULE_PROPERTIES: dict[str, Kind] = {"message": TEXT, "remedy": TEXT}
ENUM_PROPERTIES: dict[str, Kind] = {"synonyms": TEXTS}

SERVICE_LEVELS: dict[str, tuple[Kind, tuple[str, ...]]] = {
    "frequency": (COUNT, get_args(PeriodType)),
    "dueDay": (Kind("a day from 1 to 31", lambda v: COUNT.accepts(v) and v <= 31), ("d",)),
    "dueMonths": (COUNT, ("m",)),
    "retention": (COUNT, ("y",)),
}
"""``slaProperties``: the values and units that each takes."""

REFERENCES = {"units": ("code",), "senders": ("code",)}
"""Reference tables that a column may point to, besides other contracts."""

ARGUMENTS: dict[str, Kind] = {
    "value_set": LIST,
    "regex": TEXT,
    "or_equal": FLAG,
    "optional": TEXTS,
    "strict_min": FLAG,
    "strict_max": FLAG,
}
"""Arguments of expectations whose values can be told right from wrong by themselves."""

SYSTEM_COLUMNS = frozenset(
    ("entity_id", "valid_from", "valid_to", "publish_from", "publish_to", "value_hash", "carried_since")
)
"""Columns that the tables and views of every dataset have already (:mod:`schemas.tables`)."""

SYSTEM_TABLES = frozenset(
    ("verdict", "quarantine", "repair", "set_aside", "check_result", "dropped", "shift", "publish", "pointer",
     "standing", "shown", "pair_difference", "finding", "findings", "rule_result", "reference_version", "unit",
     "unit_change", "sender", "conflict", "record", "member", "link", "mention", "doubt", "identity_run",
     "key", "identifier", "object_key", "entity", "units", "senders", "succession", "successions", "ticket", "reader", "calendar",
     "mandate", "mandate_answer", "mandate_answers", "indicator", "indicators", "submission_log", "submission_log_run", "publishes",
     "population_of_todays_units", "change_feed", "feed_datasets", "feed_position", "change", "change_owner", "feed", "followed")
)  # fmt: skip
"""Names in the schemas staging, core and mart_v1 that a dataset's own tables would run into."""

_DERIVED = ("_rows", "_history", "_masked")
_PREFIXED = ("own_", "theme_", "indicator_")
_SNAKE = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_MAX_NAME = {"dataset": 48, "column": 50}
"""PostgreSQL cuts names at 63 bytes; a dataset's longest derived name adds 15 ('_masked_history')."""


# --- reading with positions ----------------------------------------------------------------------------------------


class _Loader(yaml.CSafeLoader):  # type: ignore[misc]
    """YAML 1.2's plain values: ``no`` is a text, ``05961`` is a text, a day is a text."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}


for _tag, _pattern, _first in (
    ("bool", r"true|false", "tf"),
    ("null", r"null|~|", ["n", "~", ""]),
    ("int", r"-?(?:0|[1-9][0-9]*)", "-0123456789"),
    ("float", r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?", "-0123456789"),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), list(_first))

_SCALARS: dict[str, Callable[[str], Any]] = {
    "tag:yaml.org,2002:bool": lambda text: text == "true",
    "tag:yaml.org,2002:null": lambda text: None,
    "tag:yaml.org,2002:int": int,
    "tag:yaml.org,2002:float": float,
    "tag:yaml.org,2002:str": str,
}


@dataclass
class _Document:
    """One file: its value, where each key and value stands, and what was found wrong."""

    file: str
    value: Any = None
    places: dict[Location, tuple[int, int]] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    shaped: bool = False
    """Whether the value has the shape that the standard and our required keys ask for."""

    def add(self, where: Location, message: str, remedy: str) -> None:
        """A finding at a location, or at the nearest place above it that the file has."""
        while where not in self.places and where:
            where = where[:-1]
        self.findings.append(Finding(self.file, *self.places.get(where, (1, 1)), message, remedy))


def _read(path: Path, shown: str) -> _Document:
    document = _Document(shown)
    try:
        text = path.read_text(encoding="utf-8")
        node = yaml.compose(text, Loader=_Loader)
    except UnicodeDecodeError:
        document.add((), "the file is not UTF-8", "save it as UTF-8")
        return document
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        begun = getattr(error, "context_mark", None)
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        problem = getattr(error, "problem", None) or str(error).splitlines()[0]
        since = f" (in what begins in line {begun.line + 1})" if begun else ""
        document.findings.append(
            Finding(
                shown, line, column, f"not YAML: {problem}{since}", "check indentation, colons, brackets and quotes"
            )
        )
        return document
    if node is None:
        document.add((), "the file is empty", "write a contract, see docs/contracts.md")
        return document
    document.value = _plain(node, (), document, set())
    return document


def _plain(node: yaml.Node, where: Location, document: _Document, seen: set[int]) -> Any:
    """The plain value of a node; notes positions, and what YAML lets pass in silence."""
    mark = node.start_mark
    document.places.setdefault(where, (mark.line + 1, mark.column + 1))
    if id(node) in seen:
        document.add(where, "an alias (*name) is used", "write the value out")
        return None
    seen.add(id(node))
    if isinstance(node, yaml.SequenceNode):
        return [_plain(item, (*where, i), document, seen) for i, item in enumerate(node.value)]
    if isinstance(node, yaml.MappingNode):
        value: dict[str, Any] = {}
        for key, item in node.value:
            name = key.value if isinstance(key, yaml.ScalarNode) else str(key.tag)
            place = (*where, name)
            if name in value:
                document.findings.append(
                    Finding(
                        document.file,
                        key.start_mark.line + 1,
                        key.start_mark.column + 1,
                        f"the key '{name}' stands twice",
                        f"keep one; the first is in line {document.places[place][0]}",
                    )
                )
                continue
            document.places[place] = (key.start_mark.line + 1, key.start_mark.column + 1)
            value[name] = _plain(item, place, document, seen)
        return value
    convert = _SCALARS.get(node.tag)
    if convert is None:
        document.add(where, f"the tag {node.tag} is not allowed", "write a plain value")
        return node.value
    if not unicodedata.is_normalized("NFC", node.value):
        document.add(where, "the text is not in Unicode form NFC", "save the file with composed characters (NFC)")
    return convert(node.value)


# --- the standard --------------------------------------------------------------------------------------------------


@cache
def _standard() -> dict[str, Any]:
    # the package's own __init__ imports its pydantic model, which we do not use and which is slow
    spec = find_spec("open_data_contract_standard")
    if spec is None or spec.origin is None:
        raise RuntimeError("the package open-data-contract-standard is not installed")
    schema: dict[str, Any] = json.loads((Path(spec.origin).parent / "schema.json").read_text(encoding="utf-8"))
    return schema


@cache
def _known_keys_only() -> Any:
    """The standard's schema without what it says of unknown keys: we report them, with the nearest key, and each costs it
    dear."""

    def without_unevaluated(part: Any) -> Any:
        if isinstance(part, dict):
            return {k: without_unevaluated(v) for k, v in part.items() if k != "unevaluatedProperties"}
        return [without_unevaluated(v) for v in part] if isinstance(part, list) else part

    return without_unevaluated(_standard())


@cache
def _validator() -> Draft201909Validator:
    """What words a refusal, in a hundred times the time that :func:`_quick` takes."""
    from jsonschema import Draft201909Validator

    return Draft201909Validator(_known_keys_only())


@cache
def _quick() -> Callable[[Any], bool]:
    """Whether a value fits the standard's schema: nearly all that are read at the start of a command do."""
    try:
        from jsonschema_rs import Draft201909Validator
    except ImportError:  # an environment that is older than the lock
        return lambda value: False
    fits: Callable[[Any], bool] = Draft201909Validator(_known_keys_only()).is_valid
    return fits


def _resolve(schema: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """A schema and all that it is put together from."""
    yield schema
    if "$ref" in schema:
        target: Any = _standard()
        for step in schema["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        yield from _resolve(target)
    for word in ("allOf", "anyOf", "oneOf"):
        for part in schema.get(word, ()):
            yield from _resolve(part)
    for word in ("then", "else"):
        if word in schema:
            yield from _resolve(schema[word])


_shapes: dict[tuple[int, ...], tuple[dict[str, list[Mapping[str, Any]]], list[Mapping[str, Any]]]] = {}


def _shape(schemas: Sequence[Mapping[str, Any]]) -> tuple[dict[str, list[Mapping[str, Any]]], list[Mapping[str, Any]]]:
    """Known keys with their schemas, and the schemas of items (parts of ``_standard()``, which outlive this cache)."""
    known = tuple(id(s) for s in schemas)
    if known not in _shapes:
        keys: dict[str, list[Mapping[str, Any]]] = {}
        items: list[Mapping[str, Any]] = []
        for part in (p for s in schemas for p in _resolve(s)):
            for name, schema in part.get("properties", {}).items():
                keys.setdefault(name, []).append(schema)
            if isinstance(part.get("items"), dict):
                items.append(part["items"])
        _shapes[known] = keys, items
    return _shapes[known]


def _nearest(word: str, known: Iterable[str]) -> str:
    """What to write instead of an unknown word."""
    options = sorted(known)
    by_case = {o.lower(): o for o in options}
    if match := get_close_matches(word.lower(), by_case, 1, 0.5):
        return f"did you mean '{by_case[match[0]]}'?"
    return "known here: " + ", ".join(options)


def _unknown_keys(document: _Document, value: Any, where: Location, schemas: Sequence[Mapping[str, Any]]) -> None:
    keys, items = _shape(schemas)
    if isinstance(value, list) and items:
        for i, item in enumerate(value):
            _unknown_keys(document, item, (*where, i), items)
    elif isinstance(value, dict) and keys:
        for name, item in value.items():
            if name in keys:
                _unknown_keys(document, item, (*where, name), keys[name])
            else:
                document.add(
                    (*where, name),
                    f"unknown key '{name}'",
                    f"{_nearest(name, keys)} (own properties stand in customProperties)",
                )


def _says(error: ValidationError) -> tuple[str, str]:
    """Message and remedy for what the standard's schema refuses."""
    last = next((str(p) for p in reversed(error.absolute_path) if isinstance(p, str)), "the contract")
    if error.validator == "enum":
        if last == "semanticType":
            return (
                f"'{error.instance}' is no value of the standard's semanticType (column, measure, dimension)",
                "name our semantic type in customProperties: {property: semanticType, value: …}",
            )
        return f"'{error.instance}' is no value of {last}", _nearest(
            str(error.instance), map(str, error.validator_value)
        )
    if error.validator == "required":
        missing = [k for k in error.validator_value if k not in error.instance]
        return f"{last}: the standard wants {', '.join(missing)}", f"add {', '.join(missing)}"
    if error.validator == "type":
        return f"{last} must be of type {error.validator_value}", f"write a value of type {error.validator_value}"
    if error.validator == "pattern":
        return f"'{error.instance}' does not fit the pattern of {last}", f"make it fit {error.validator_value}"
    if error.validator == "additionalProperties":
        return f"{last}: {error.message}", f"known here: {', '.join(sorted(error.schema.get('properties', {})))}"
    return f"{last}: {error.message}", "see the JSON schema of the Open Data Contract Standard"


# --- our own rules -------------------------------------------------------------------------------------------------


def _properties(
    document: _Document, entry: Mapping[str, Any], where: Location, known: Mapping[str, Kind]
) -> tuple[dict[str, Any], dict[str, Location]]:
    """The own properties of an entry that are known and well formed, and where each stands."""
    values: dict[str, Any] = {}
    places: dict[str, Location] = {}
    for i, item in enumerate(entry.get("customProperties", ())):
        place = (*where, "customProperties", i)
        name, value = item["property"], item["value"]
        if name not in known:
            document.add((*place, "property"), f"unknown own property '{name}'", _nearest(name, known))
        elif name in places:
            document.add((*place, "property"), f"the own property '{name}' stands twice", "keep one")
        elif not known[name].accepts(value):
            document.add(
                (*place, "value"), f"{name}: {value!r} is not {known[name].words}", f"write {known[name].words}"
            )
        else:
            values[name] = value
        places.setdefault(name, (*place, "value"))
    return values, places


def _check_name(
    document: _Document, where: Location, name: str, what: Literal["dataset", "column"], taken: Iterable[str]
) -> None:
    limit = _MAX_NAME[what]
    if not _SNAKE.fullmatch(name):
        document.add(
            where, f"the {what} name '{name}' is not snake_case", "use a-z, 0-9 and single _, beginning with a letter"
        )
    elif len(name) > limit:
        document.add(where, f"the {what} name has {len(name)} characters", f"use at most {limit}")
    elif name in taken or (what == "dataset" and (name.endswith(_DERIVED) or name.startswith(_PREFIXED))):
        document.add(where, f"the {what} name '{name}' is one of the system's own", "choose another name")


def _check_contract(document: _Document, stem: str) -> None:
    value = document.value
    if value["apiVersion"] != API_VERSION:
        document.add(("apiVersion",), f"apiVersion is {value['apiVersion']}", f"write {API_VERSION}")
    if not re.fullmatch(r"\d+\.\d+\.\d+", value["version"]):
        document.add(("version",), f"version '{value['version']}' is not major.minor.patch", "write for example 1.0.0")
    dataset, table = value["id"], value["schema"][0]
    _check_name(document, ("id",), dataset, "dataset", SYSTEM_TABLES)
    if stem != dataset:
        document.add(("id",), f"the id '{dataset}' differs from the file name", f"name the file {dataset}{SUFFIX}")
    if table["name"] != dataset:
        document.add(("schema", 0, "name"), f"the schema's name differs from the id '{dataset}'", f"write {dataset}")
    if len(value["schema"]) > 1:
        document.add(("schema", 1), "a contract is one dataset", "move the second schema to a file of its own")
    own, places = _properties(document, value, (), CONTRACT_PROPERTIES)
    for name in CONTRACT_REQUIRED:
        if name not in places:
            document.add(
                ("customProperties",),
                f"the own property '{name}' is missing",
                f"add it: {CONTRACT_PROPERTIES[name].words}",
            )
    columns = {p["name"]: p for p in table["properties"]}
    _check_service(document, own)
    _check_columns(document, table, own.get("entityId"))
    _check_delivery(document, own, places, columns)
    _check_survivorship(document, own, places, columns)
    _check_rules(document, table, columns)


def _check_service(document: _Document, own: Mapping[str, Any]) -> None:
    seen: dict[str, Any] = {}
    for i, entry in enumerate(document.value["slaProperties"]):
        where: Location = ("slaProperties", i)
        name = entry["property"]
        if name not in SERVICE_LEVELS:
            document.add((*where, "property"), f"unknown service level '{name}'", _nearest(name, SERVICE_LEVELS))
            continue
        kind, units = SERVICE_LEVELS[name]
        if name in seen:
            document.add((*where, "property"), f"the service level '{name}' stands twice", "keep one")
        if not kind.accepts(entry["value"]):
            document.add((*where, "value"), f"{name}: {entry['value']!r} is not {kind.words}", f"write {kind.words}")
        if entry.get("unit") not in units:
            document.add(
                (*where, "unit"), f"{name}: its unit must be one of {', '.join(units)}", "write unit: " + units[0]
            )
        seen[name] = entry
    if "frequency" not in seen:
        document.add(
            ("slaProperties",),
            "the service level 'frequency' is missing",
            "add {property: frequency, value: 1, unit: <periodType>}",
        )
    elif "periodType" in own and seen["frequency"].get("unit") in get_args(PeriodType):
        frequency = seen["frequency"]
        if (frequency["value"], frequency["unit"]) != (1, own["periodType"]):
            where = ("slaProperties", document.value["slaProperties"].index(frequency), "unit")
            document.add(
                where,
                "frequency differs from periodType: a contract has exactly one period type",
                f"write value: 1, unit: {own['periodType']}",
            )


def _check_delivery(
    document: _Document,
    own: Mapping[str, Any],
    places: Mapping[str, Location],
    columns: Mapping[str, Mapping[str, Any]],
) -> None:
    def must_be_column(name: str, *types: str) -> None:
        if name not in own:
            return
        column = columns.get(own[name])
        if column is None:
            document.add(places[name], f"{name}: there is no column '{own[name]}'", _nearest(own[name], columns))
        elif types and column["logicalType"] not in types:
            document.add(
                places[name],
                f"{name}: the column '{own[name]}' is a {column['logicalType']}",
                f"name a column of type {' or '.join(types)}",
            )

    for name in sorted(set(own.get("dueFrom", ())) - set(own.get("senders", own.get("dueFrom", ())))):
        document.add(places["dueFrom"], f"dueFrom: '{name}' is no sender", _nearest(name, own["senders"]))
    for name, value in own.get("dueBefore", {}).items():
        values = [e.get("value") for e in columns.get(name, {}).get("enum", ())]
        if value not in values:
            document.add(
                places["dueBefore"],
                f"dueBefore: '{name}' has no value '{value}'"
                if values
                else f"dueBefore: '{name}' is no column with a list of values",
                _nearest(value, values) if values else _nearest(name, columns),
            )
    if "closeAfter" in own and not any(p.get("property") == "dueDay" for p in document.value["slaProperties"]):
        document.add(
            places["closeAfter"], "closeAfter counts from the due day, and there is none", "dueDay in slaProperties"
        )
    for name in own.get("rowLabels", ()):
        if name not in columns:
            document.add(places["rowLabels"], f"rowLabels: there is no column '{name}'", _nearest(name, columns))
    _check_succession(document, own, columns)
    if "identity" in own:
        _check_identity(document, own["identity"], places["identity"], columns)
    must_be_column("scope")
    must_be_column("unsaidWithout")
    if columns.get(own.get("unsaidWithout", ""), {}).get("required"):
        document.add(
            places["unsaidWithout"],
            f"unsaidWithout: the column '{own['unsaidWithout']}' is required, so a blank in it is an error",
            "leave required out",
        )
    must_be_column("validFrom", "date")
    must_be_column("validTo", "date")
    by_columns = own.get("validTime") == "columns"
    if by_columns and "validFrom" not in places:
        document.add(
            places["validTime"], "validTime is 'columns', but no column says from when", "add validFrom: <column>"
        )
    if by_columns and own.get("validFrom") in columns and not columns[own["validFrom"]].get("required"):
        document.add(
            places["validFrom"], f"the validFrom column '{own['validFrom']}' may be empty", "make it required: true"
        )
    for name in ("validFrom", "validTo"):
        if name in own and "validTime" in own and not by_columns:
            document.add(
                places[name],
                f"{name} is given, but validTime is '{own['validTime']}'",
                f"write validTime: columns, or leave {name} out",
            )
    if own.get("delivery") == "events" and "validTime" in own and not by_columns:
        document.add(places["validTime"], "rows of 'events' carry their own validity", "write validTime: columns")
    if own.get("delivery") == "snapshot" and "validTime" in own and own["validTime"] != "asOf":
        document.add(places["validTime"], "a snapshot is true as of its day", "write validTime: asOf")
    if own.get("senderScope") in ("ownCommune", "ownOrganisation") and "scope" not in places:
        document.add(
            places["senderScope"],
            f"senderScope is '{own['senderScope']}', but no column says whose a row is",
            "add scope: <column>",
        )
    if "entityId" in own and not _SNAKE.fullmatch(own["entityId"]):
        document.add(
            places["entityId"], f"entityId '{own['entityId']}' is not snake_case", "write for example village_id"
        )


def _check_succession(document: _Document, own: Mapping[str, Any], columns: Mapping[str, Mapping[str, Any]]) -> None:
    """One column may say what an entity succeeds to: names or codes, of things that anybody may know."""
    found: list[str] = []
    for i, (name, column) in enumerate(columns.items()):
        theirs = own_properties(column.get("customProperties", ()))
        if "succeeds" not in theirs:
            continue
        where: Location = ("schema", 0, "properties", i)
        found.append(name)
        if theirs.get("semanticType") != "names":
            document.add(where, f"succeeds: the column '{name}' does not hold names", "write semanticType names")
        if column.get("primaryKey"):
            document.add(where, f"succeeds: '{name}' is a key column", "leave primaryKey out")
        if {column.get("classification"), *(c.get("classification") for c in columns.values() if c.get("primaryKey"))} & {
            "P2", "P3",
        }:  # fmt: skip
            document.add(where, "succeeds: persons have no successors", "leave succeeds out")
        if len(found) > 1:
            document.add(where, f"succeeds: '{found[0]}' says it already", "keep one")
        if own.get("identity", {}).get("kind", "person" if "identity" in own else "") == "person":
            document.add(where, "succeeds: persons have no successors", "leave it out")
        if own.get("delivery") == "facts" or own.get("validTime") == "period":
            document.add(where, "succeeds: the dataset has no entities that begin and end by its key", "leave it out")


def _check_identity(
    document: _Document, roles: Mapping[str, str], where: Location, columns: Mapping[str, Mapping[str, Any]]
) -> None:
    linked = roles.get("kind", "person")
    if linked not in IDENTITY_ROLES:
        document.add(where, f"identity: unknown kind '{linked}'", _nearest(linked, IDENTITY_ROLES))
        return
    known = IDENTITY_ROLES[linked]
    for role in (r for r in IDENTITY_NEEDED[linked] if r not in roles):
        document.add(where, f"identity: the role '{role}' is missing", f"add {role}: <column>")
    for role, name in ((role, name) for role, name in roles.items() if role != "kind"):
        if role not in known:
            document.add(where, f"identity: unknown role '{role}'", _nearest(role, known))
        elif name not in columns:
            document.add(where, f"identity: there is no column '{name}'", _nearest(name, columns))
        else:
            kind = own_properties(columns[name].get("customProperties", ())).get("semanticType")
            if kind not in known[role]:
                document.add(
                    where,
                    f"identity: the column '{name}' is of type {kind}, which cannot be '{role}'",
                    f"name a column of type {' or '.join(known[role])}",
                )


def _check_survivorship(
    document: _Document,
    own: Mapping[str, Any],
    places: Mapping[str, Location],
    columns: Mapping[str, Mapping[str, Any]],
) -> None:
    """Whose value stands: key columns follow the contract's order, and what survives together does so by one rule."""
    taken: set[str] = set()
    for group in own.get("survivorshipGroups", ()):
        rules = {}
        for name in group:
            column = columns.get(name)
            if column is None:
                document.add(
                    places["survivorshipGroups"],
                    f"survivorshipGroups: there is no column '{name}'",
                    _nearest(name, columns),
                )
                continue
            if column.get("primaryKey") or name in (own.get("validFrom"), own.get("validTo")):
                document.add(
                    places["survivorshipGroups"],
                    f"survivorshipGroups: '{name}' is of the key or the validity, which survive together anyway",
                    "leave it out",
                )
            if name in taken:
                document.add(
                    places["survivorshipGroups"],
                    f"survivorshipGroups: '{name}' stands in two groups",
                    "keep it in one, or make one of the two",
                )
            taken.add(name)
            given = own_properties(column["customProperties"])
            rules[name] = (given.get("survivorship", "precedence"), given.get("precedence"))
        for name, rule in rules.items():
            if rule != next(iter(rules.values())):
                document.add(
                    places["survivorshipGroups"],
                    f"survivorshipGroups: '{name}' follows another rule than '{next(iter(rules))}'",
                    "give all columns of a group the same survivorship and precedence",
                )
    for i, column in enumerate(document.value["schema"][0]["properties"]):
        for j, entry in enumerate(column["customProperties"]):
            if entry["property"] in ("survivorship", "precedence") and column.get("primaryKey"):
                document.add(
                    ("schema", 0, "properties", i, "customProperties", j, "property"),
                    f"the key column '{column['name']}' has a {entry['property']} of its own",
                    "leave it out: the key is what senders agree on, and its spelling follows the contract's precedence",
                )


def _check_columns(document: _Document, table: Mapping[str, Any], entity_id: str | None) -> None:
    taken = SYSTEM_COLUMNS | {entity_id}
    names: dict[str, int] = {}
    headers: dict[str, str] = {}
    subs: list[tuple[str, Location]] = []
    keyed: dict[int, Location] = {}
    columns = {p["name"]: p for p in table["properties"]}
    for i, column in enumerate(table["properties"]):
        where: Location = ("schema", 0, "properties", i)
        name = column["name"]
        _check_name(document, (*where, "name"), name, "column", (t for t in taken if t))
        if name in names:
            document.add((*where, "name"), f"the column '{name}' stands twice", "keep one")
        names[name] = i
        own = _check_column(document, column, where, columns)
        if column.get("primaryKey") or "primaryKeyPosition" in column:
            _check_key(document, column, where, keyed)
        if "sameAs" in own:
            continue
        spelt = [(column["businessName"], (*where, "businessName")), (name, (*where, "name"))]
        spelt += [(s["synonym"], (*where, "synonyms", j, "synonym")) for j, s in enumerate(column.get("synonyms", ()))]
        spelt += [(text, where) for part in own.get("join", ()) for text in part]
        for text, place in spelt:
            folded = fold_one(text)
            if not folded:
                document.add(place, f"the header '{text}' has no letter or digit", "write the header as it is sent")
            elif headers.setdefault(folded, name) != name:
                document.add(
                    place,
                    f"the header '{text}' belongs to '{headers[folded]}' already",
                    "headers are compared without accents, case and punctuation: keep it in one column",
                )
        subs += [(text, where) for text in _sub_headers(own)]
    for text, place in subs:
        if fold_one(text) in headers:
            document.add(
                place,
                f"spread: the sub-header '{text}' is a header of '{headers[fold_one(text)]}'",
                "a header names a column by itself, a sub-header only under one: keep it in one place",
            )
    if not keyed:
        document.add(("schema", 0, "properties"), "the dataset has no key", "give its key columns primaryKey: true")
    elif sorted(keyed) != list(range(1, len(keyed) + 1)):
        document.add(keyed[max(keyed)], f"key positions are {sorted(keyed)}", f"number them 1 to {len(keyed)}")


def _check_key(document: _Document, column: Mapping[str, Any], where: Location, keyed: dict[int, Location]) -> None:
    name, position = column["name"], column.get("primaryKeyPosition", 0)
    if not column.get("primaryKey") or position < 1:
        document.add(
            where,
            f"the key column '{name}' needs both primaryKey: true and primaryKeyPosition",
            "add the one that is missing",
        )
    elif position in keyed:
        document.add(
            (*where, "primaryKeyPosition"), f"key position {position} stands twice", "number the key columns 1, 2, …"
        )
    if not column.get("required"):
        document.add(where, f"the key column '{name}' may be empty", "make it required: true")
    keyed.setdefault(position, (*where, "primaryKeyPosition"))


@cache
def _column_properties() -> dict[str, Kind]:
    """Own properties that some column may have; those of semantic types are looked at with the type."""
    anything = Kind("a value", lambda v: True)
    options = (name for t in SEMANTIC_TYPES.values() for name in t.options)
    return {**dict.fromkeys(options, anything), **COLUMN_PROPERTIES}


def _check_column(
    document: _Document, column: Mapping[str, Any], where: Location, columns: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    name = column["name"]
    own, places = _properties(document, column, where, _column_properties())
    _check_semantic_type(document, column, where, own, places)
    if column.get("classification", "P1") not in ("P0", "P1", "P2", "P3"):
        document.add(
            (*where, "classification"),
            f"classification '{column['classification']}' is none",
            "write P0 (open), P1 (internal), P2 (personal) or P3 (sensitive)",
        )
    if column.get("classification") in ("P2", "P3"):
        for needed in ("purpose", "legalGround"):
            if needed not in places:
                document.add(
                    (*where, "classification"),
                    f"the personal column '{name}' has no {needed}",
                    f"add {needed}: {COLUMN_PROPERTIES[needed].words}",
                )
    if "namedBy" in own:
        named = columns.get(own["namedBy"])
        kind = own_properties(named.get("customProperties", ())).get("semanticType") if named else None
        if kind not in ("text", "name") or not column.get("relationships"):
            document.add(
                places["namedBy"],
                f"namedBy: '{own['namedBy']}' is no column with names, or '{name}' refers to nothing",
                "name a column of type text or name, and add relationships",
            )
    if "sameAs" in own:
        source = columns.get(own["sameAs"])
        if source is None or source is column:
            document.add(
                places["sameAs"],
                f"sameAs: there is no other column '{own['sameAs']}'",
                _nearest(own["sameAs"], set(columns) - {name}),
            )
        elif any(p["property"] == "sameAs" for p in source.get("customProperties", ())):
            document.add(
                places["sameAs"],
                f"sameAs: '{own['sameAs']}' reads another column itself",
                "name that column",
            )
        elif column.get("required") and not source.get("required") and not own.get("partial"):
            document.add(
                places["sameAs"],
                f"'{name}' is required, but the column '{own['sameAs']}' that it reads is not",
                f"make '{own['sameAs']}' required, or '{name}' not",
            )
        if "synonyms" in column:
            document.add(
                (*where, "synonyms"),
                f"'{name}' reads the cells of '{own['sameAs']}' and has no header of its own",
                f"move the synonyms to '{own['sameAs']}'",
            )
    if "fromSheet" in own and ({"sameAs", "defaultFrom", "join"} & set(own) or column["logicalType"] != "string"):
        document.add(
            places["fromSheet"],
            "fromSheet is for a text that no other column, default or part gives",
            "leave one of the two out",
        )
    if "missingCode" in own:
        if own["missingCode"] not in CODES or CODES[own["missingCode"]].level != "cell":
            document.add(
                places["missingCode"],
                f"missingCode: '{own['missingCode']}' is no cell code of schemas/codes.py",
                "add it there",
            )
        if not column.get("required"):
            document.add(
                places["missingCode"], f"missingCode is given, but '{name}' is not required", "make it required: true"
            )
    if own.get("defaultFrom") == "asOf" and column["logicalType"] not in ("date", "integer"):
        document.add(
            places["defaultFrom"], "only a date or a year can come from the as-of date", "leave defaultFrom out"
        )
    if len(column.get("relationships", ())) > 1:
        document.add((*where, "relationships", 1), "a column points to one place", "keep one relationship")
    _check_siblings(document, own, places, columns)
    _check_enum(document, column, where, own)
    _check_spread(document, column, own, places)
    return own


def _check_semantic_type(
    document: _Document,
    column: Mapping[str, Any],
    where: Location,
    own: Mapping[str, Any],
    places: Mapping[str, Location],
) -> None:
    name = own.get("semanticType")
    if name is None:
        if "semanticType" not in places:
            document.add(
                where,
                f"the column '{column['name']}' has no semanticType",
                "add customProperties: {property: semanticType, value: …}: " + ", ".join(sorted(SEMANTIC_TYPES)),
            )
        return
    known = SEMANTIC_TYPES.get(name)
    if known is None:
        document.add(places["semanticType"], f"unknown semantic type '{name}'", _nearest(name, SEMANTIC_TYPES))
        return
    if column["logicalType"] not in known.logical_types:
        document.add(
            (*where, "logicalType"),
            f"the semantic type '{name}' does not make a {column['logicalType']}",
            "write logicalType: " + " or ".join(sorted(known.logical_types)),
        )
    allowed = {*known.options}
    if {"minimum", "maximum"} <= allowed:
        allowed |= {"exclusiveMinimum", "exclusiveMaximum"}  # limits that the suite of rules enforces
    standard = column.get("logicalTypeOptions", {})
    given = {option: (*where, "logicalTypeOptions", option) for option in standard}
    given |= {option: places[option] for option in own if option not in COLUMN_PROPERTIES}
    for option, place in given.items():
        value = standard[option] if option in standard else own[option]
        if option not in allowed:
            document.add(place, f"the semantic type '{name}' has no option '{option}'", _nearest(option, allowed))
        elif option in STANDARD_OPTIONS and option not in standard:
            document.add(place, f"the standard has a place for '{option}'", "write it under logicalTypeOptions")
        elif option not in STANDARD_OPTIONS and option in standard:
            document.add(place, f"'{option}' is an option of ours", "write it under customProperties")
        else:
            as_limit = option.replace("exclusiveM", "m")
            lone = Column(column["name"], "", column["logicalType"], name, options={as_limit: value})
            for problem in option_problems(lone):
                if problem.startswith(f"{as_limit}: "):
                    document.add(
                        place,
                        f"{option} {problem.partition(': ')[2]}",
                        f"see the options of {name} in docs/contracts.md",
                    )


def _sub_headers(own: Mapping[str, Any]) -> list[str]:
    spread = own.get("spread", ())
    return [t for texts in spread.values() for t in texts] if isinstance(spread, dict) else list(spread)


def _check_spread(
    document: _Document, column: Mapping[str, Any], own: Mapping[str, Any], places: Mapping[str, Location]
) -> None:
    """Sub-headers differ when folded; their values are in the column's list."""
    if "spread" not in own:
        return
    folded = [fold_one(t) for t in _sub_headers(own)]
    if "" in folded or len(set(folded)) < len(folded):
        document.add(places["spread"], "spread: two sub-headers are the same", "they are compared like headers")
    if isinstance(own["spread"], dict):
        known = [e["value"] for e in column.get("enum", ())]
        for value in own["spread"]:
            if value not in known:
                document.add(
                    places["spread"], f"spread: '{value}' is no value of the column's enum", _nearest(value, known)
                )
    if "sameAs" in own:
        document.add(places["spread"], "spread: the column reads the cells of another", "declare spread there")


def _check_siblings(
    document: _Document,
    own: Mapping[str, Any],
    places: Mapping[str, Location],
    columns: Mapping[str, Mapping[str, Any]],
) -> None:
    """Options that name another column: it exists, has a type that can be read, and names no column itself."""
    kind_of = SEMANTIC_TYPES.get(own.get("semanticType", ""))
    for option, types in kind_of.siblings.items() if kind_of else ():
        if option not in own:
            continue
        sibling = columns.get(own[option])
        if sibling is None:
            document.add(
                places[option], f"{option}: there is no column '{own[option]}'", _nearest(own[option], columns)
            )
            continue
        theirs = own_properties(sibling.get("customProperties", ()))
        if theirs.get("semanticType") not in types:
            document.add(
                places[option],
                f"{option}: the column '{own[option]}' is a {theirs.get('semanticType')}",
                f"name a column of the semantic type {' or '.join(types)}",
            )
        elif option == "sex" and not {"nam", "nu"} <= {fold_one(str(e["value"])) for e in sibling.get("enum", ())}:
            document.add(
                places[option],
                f"sex: the column '{own[option]}' has not the values NAM and NU",
                "name the column of the sex",
            )


def _check_enum(document: _Document, column: Mapping[str, Any], where: Location, own: Mapping[str, Any]) -> None:
    if own.get("semanticType") == "category" and "enum" not in column:
        document.add(where, f"the category '{column['name']}' has no values", "add enum: a list of {value, label}")
    if "enum" in column and own.get("semanticType", "category") != "category":
        document.add(
            (*where, "enum"), "only a category has an enum", "write semanticType category, or leave the enum out"
        )
    if "otherwise" in own and own["otherwise"] not in [e["value"] for e in column.get("enum", ())]:
        document.add(where, f"otherwise: '{own['otherwise']}' is no value of the column's enum", "name one that is")
    spelt: dict[str, str] = {}
    values: set[Any] = set()
    for i, entry in enumerate(column.get("enum", ())):
        place: Location = (*where, "enum", i)
        value = entry["value"]
        if not _is_text(value):
            document.add((*place, "value"), f"the value {value!r} is not a text", "put it in quotes")
            continue
        if value in values:
            document.add((*place, "value"), f"the value '{value}' stands twice", "keep one")
            continue
        values.add(value)
        if not entry.get("label"):
            document.add(place, f"the value '{value}' has no label", "add label: what it is called in Vietnamese")
        synonyms = _properties(document, entry, place, ENUM_PROPERTIES)[0].get("synonyms", ())
        for text in (value, entry.get("label", value), *synonyms):
            if spelt.setdefault(fold_one(text), value) != value:
                document.add(
                    place,
                    f"the spelling '{text}' of '{value}' means '{spelt[fold_one(text)]}' already",
                    "keep it at one value",
                )


def _check_rules(document: _Document, table: Mapping[str, Any], columns: Mapping[str, Any]) -> None:
    ids: set[str] = set()
    for i, column in enumerate(table["properties"]):
        for j, rule in enumerate(column.get("quality", ())):
            _check_rule(document, rule, ("schema", 0, "properties", i, "quality", j), columns, column["name"], ids)
    for j, rule in enumerate(table.get("quality", ())):
        _check_rule(document, rule, ("schema", 0, "quality", j), columns, None, ids)


def _check_rule(
    document: _Document,
    rule: Mapping[str, Any],
    where: Location,
    columns: Mapping[str, Any],
    column: str | None,
    ids: set[str],
) -> None:
    if "id" not in rule:
        document.add(where, "the rule has no id", "add id: a short name in snake_case")
    elif rule["id"] in ids:
        document.add((*where, "id"), f"the rule id '{rule['id']}' stands twice", "choose another")
    ids.add(rule.get("id", ""))
    if rule.get("severity") not in get_args(Severity):
        document.add(
            (*where, "severity"),
            "severity must be error (quarantines the row) or warning (flags it)",
            "write severity: error or severity: warning",
        )
    places = _properties(document, rule, where, RULE_PROPERTIES)[1]
    for needed in RULE_PROPERTIES:
        if needed not in places:
            document.add(
                where, f"the rule has no {needed}", f"add customProperties: {needed}, in Vietnamese, for the sender"
            )
    if rule.get("type") != "custom" or rule.get("engine") not in ("greatExpectations", ACROSS_ENGINE):
        document.add(
            where,
            f"only rules of type custom and engine greatExpectations or {ACROSS_ENGINE} are run",
            "write type: custom, engine: greatExpectations",
        )
        return
    body = rule["implementation"]
    inside = (*where, "implementation")
    for key in body if isinstance(body, dict) else ():
        if key not in ("type", "kwargs"):
            document.add((*inside, key), f"unknown key '{key}'", _nearest(key, ("type", "kwargs")))
    if not isinstance(body, dict) or not _is_text(body.get("type")) or not isinstance(body.get("kwargs", {}), dict):
        document.add(
            inside,
            "implementation is not {type: …, kwargs: {…}}",
            "write the expectation's type in snake case and its arguments",
        )
        return
    if rule["engine"] == ACROSS_ENGINE:
        _check_across(document, rule, where, columns, column)
    elif body["type"] not in TYPES:
        document.add((*inside, "type"), f"unknown expectation '{body['type']}'", _nearest(body["type"], TYPES))
    else:
        _check_arguments(document, body, inside, columns, column)


def _check_across(
    document: _Document,
    rule: Mapping[str, Any],
    where: Location,
    columns: Mapping[str, Mapping[str, Any]],
    column: str | None,
) -> None:
    """A rule across submissions: known, about columns that are there, with all its arguments, and no more than a flag."""
    body, inside = rule["implementation"], (*where, "implementation")
    known = ACROSS.get(body["type"])
    if known is None:
        document.add(
            (*inside, "type"), f"unknown rule across submissions '{body['type']}'", _nearest(body["type"], ACROSS)
        )
        return
    if column is not None:
        document.add(where, "a rule across submissions is about the dataset", "move the rule to the schema's quality")
    if rule.get("severity") != "warning":
        document.add(
            (*where, "severity"), "a rule across submissions never quarantines a row", "write severity: warning"
        )
    kwargs = body.get("kwargs", {})
    if kwargs.get("column") not in columns:
        document.add(inside, "the rule blames no column", f"add column to kwargs: {', '.join(sorted(columns))}")
    for name in sorted({*kwargs, *known.kwargs} - {"column"}):
        if name not in known.kwargs:
            document.add((*inside, "kwargs", name), f"{body['type']} takes no '{name}'", _nearest(name, known.kwargs))
        elif not isinstance(kwargs.get(name), known.kwargs[name]):
            words = " or ".join(t.__name__ for t in known.kwargs[name])
            document.add(inside, f"{name} is not given as {words}", f"add {name} to kwargs")
    for name in sorted(known.columns & set(columns)):
        if columns[name].get("classification") in ("P2", "P3"):
            document.add(
                inside, f"{body['type']} reads the personal column '{name}'", "its findings are shown as they are"
            )
    for name in sorted((known.columns | known.unsaid) - set(columns)):
        document.add(inside, f"{body['type']} needs the column '{name}'", "declare it in the contract")


def _check_arguments(
    document: _Document,
    body: Mapping[str, Any],
    inside: Location,
    columns: Mapping[str, Mapping[str, Any]],
    column: str | None,
) -> None:
    kind, kwargs, before = body["type"], body.get("kwargs", {}), len(document.findings)
    least, most = TYPES[kind].columns
    naming = ("column",) if most == 1 else ("column_A", "column_B") if most == 2 else ("column_list",)
    if column is not None and least > 1:
        document.add((*inside, "type"), f"{kind} is about several columns", "move the rule to the schema's quality")
        return
    expected = naming if column is None else ()
    for name in expected:
        if name not in kwargs:
            document.add(inside, f"the rule names no {name}", f"add {name} to kwargs")
    named = [column] if column else []
    others = {*TYPES[kind].kwargs, *expected}
    types = {columns[c]["logicalType"] for c in named}
    for name, value in kwargs.items():
        place = (*inside, "kwargs", name)
        if name not in others:
            document.add(
                place,
                f"{kind} takes no '{name}'",
                "leave it out: the rule stands under its column"
                if column and name in COLUMN_ARGUMENTS
                else _nearest(name, others),
            )
        elif name in naming:
            for one in value if isinstance(value, list) and name == "column_list" else [value]:
                if isinstance(one, str) and one in columns:
                    named.append(one)
                    types.add(columns[one]["logicalType"])
                else:
                    document.add(place, f"{name}: there is no column {one!r}", _nearest(str(one), columns))
        elif name in ARGUMENTS and not ARGUMENTS[name].accepts(value):
            document.add(place, f"{name}: {value!r} is not {ARGUMENTS[name].words}", f"write {ARGUMENTS[name].words}")
    for name in {"min_value", "max_value"} & set(kwargs):
        by_day = bool(types & {"date", "timestamp"})
        if not (ISO_DAY.accepts(kwargs[name]) if by_day else _is_number(kwargs[name])):
            words = ISO_DAY.words if by_day else "a number"
            document.add((*inside, "kwargs", name), f"{name}: {kwargs[name]!r} is not {words}", f"write {words}")
    if len(document.findings) > before:
        return
    arguments = {k: v for k, v in kwargs.items() if k not in COLUMN_ARGUMENTS}
    rule = Rule("", kind, tuple(named), arguments, "error", "", "")
    for problem in problems_of(rule, {name: c["logicalType"] for name, c in columns.items()}):
        document.add(inside, problem, "see the expectations in docs/contracts.md")


def _check_uses(document: _Document) -> None:
    """No column without an indicator or a rule that reads it (minimisation: domain brief, 5).

    A column's own limits are none: any column can have them."""
    value = document.value
    table, own = value["schema"][0], own_properties(value["customProperties"])
    columns = {p["name"]: p for p in table["properties"]}
    used = {own.get(name) for name in ("scope", "validFrom", "validTo", "unsaidWithout")}
    used |= {*own.get("rowLabels", ()), *own.get("identity", {}).values()}
    for rule in (q for part in (*columns.values(), table) for q in part.get("quality", ())):
        kwargs = rule["implementation"].get("kwargs", {})
        named = [kwargs[k] for k in COLUMN_ARGUMENTS[:3] if k in kwargs] + kwargs.get(COLUMN_ARGUMENTS[3], [])
        if rule["engine"] == ACROSS_ENGINE:
            known = ACROSS[rule["implementation"]["type"]]
            used |= {*named, *known.columns, *known.unsaid}
        elif len(named) > 1 or "when" in kwargs:
            used |= {*named, *kwargs.get("when", ())}
    used |= {name for known in ACROSS.values() for name in known.datasets.get(value["id"], ())}
    for name, column in columns.items():
        theirs = own_properties(column["customProperties"])
        siblings = SEMANTIC_TYPES[theirs["semanticType"]].siblings
        used |= {theirs.get(option) for option in ("sameAs", *siblings)}
        if column.get("primaryKey") or theirs.get("succeeds"):
            used.add(name)
    for i, (name, column) in enumerate(columns.items()):
        theirs = own_properties(column["customProperties"])
        may = ("EVIDENCE",) if column.get("classification") in ("P2", "P3") else tuple(USES)
        if name not in used and "indicators" not in theirs and theirs.get("use") not in may:
            document.add(
                ("schema", 0, "properties", i),
                f"no indicator and no rule uses the column '{name}'",
                "leave it out, name the indicators that read it (indicators: [I10]), write a rule that does, or say what it is "
                f"for (use: {', '.join(may)})",
            )


_REQUIRED: dict[str, dict[str, type]] = {
    "contract": {"name": str, "description": dict, "schema": list, "customProperties": list, "slaProperties": list},
    "schema": {"businessName": str, "properties": list},
    "column": {"businessName": str, "logicalType": str, "customProperties": list},
    "rule": {},
}
"""Keys that the standard leaves open and we need, beside those that it wants itself."""


def _lacks(document: _Document, entry: Mapping[str, Any], where: Location, what: str) -> bool:
    """Whether a key that everything below rests on is missing or empty; says so."""
    missing = [k for k in _REQUIRED[what] if not entry.get(k)]
    for key in missing:
        hint = " (the Vietnamese term)" if key == "businessName" else ""
        document.add((*where, key), f"the {what} has no {key}", f"add {key}{hint}")
    return bool(missing)


def _check_shape(document: _Document) -> None:
    """The standard's schema and our required keys: what must hold before anything else can be looked at."""
    value = document.value
    if not isinstance(value, dict):
        document.add((), "the file is not a mapping", "begin with apiVersion, kind, id, version")
        return
    before = len(document.findings)
    _unknown_keys(document, value, (), [_standard()])
    unknown = {(f.line, f.column) for f in document.findings[before:]}
    fatal = False
    for error in () if _quick()(value) else _validator().iter_errors(value):
        where = tuple(error.absolute_path)
        if error.validator == "additionalProperties":
            extra = [k for k in error.instance if k not in error.schema.get("properties", {})]
            if all(document.places.get((*where, k)) in unknown for k in extra):
                continue
            where = (*where, extra[0])
        else:
            fatal = True
        document.add(where, *_says(error))
    if fatal:
        return
    lacks = _lacks(document, value, (), "contract")
    if not lacks and not value["description"].get("purpose"):
        document.add(("description",), "the description has no purpose", "add purpose: what the dataset is for")
        lacks = True
    for i, table in enumerate(value.get("schema", ())):
        lacks |= _lacks(document, table, ("schema", i), "schema")
        for j, column in enumerate(table.get("properties", ())):
            lacks |= _lacks(document, column, ("schema", i, "properties", j), "column")
            if column.get("logicalType") not in (None, *get_args(LogicalType)):
                document.add(
                    ("schema", i, "properties", j, "logicalType"),
                    f"logicalType '{column['logicalType']}' is not used here",
                    "write " + ", ".join(get_args(LogicalType)),
                )
    document.shaped = not lacks


# --- contracts together --------------------------------------------------------------------------------------------


def _required_headers(table: Mapping[str, Any]) -> list[frozenset[str]]:
    """For each column whose header must be there: the headers that it answers to, folded."""
    found = []
    for column in table["properties"]:
        own = {p["property"] for p in column["customProperties"]}
        if column.get("required") and not own & {"defaultFrom", "sameAs", "headerOptional"}:
            spelt = [column["businessName"], *(s["synonym"] for s in column.get("synonyms", ()))]
            found.append(frozenset(map(fold_one, spelt)))
    return found


def _same_headers(one: list[frozenset[str]], other: list[frozenset[str]]) -> bool:
    """Whether one header row could answer to all that either asks for, and neither asks for more."""
    return (
        len(one) == len(other)
        and all(any(a & b for b in other) for a in one)
        and all(any(a & b for a in one) for b in other)
    )


def _check_together(documents: Sequence[_Document]) -> None:
    tables = {d.value["id"]: d.value["schema"][0] for d in documents}
    headers = {dataset: _required_headers(table) for dataset, table in tables.items()}
    seen: dict[str, _Document] = {}
    for document in documents:
        dataset = document.value["id"]
        if dataset in seen:
            document.add(("id",), f"the dataset '{dataset}' is in {seen[dataset].file} already", "keep one of the two")
            continue
        for other, earlier in seen.items():
            if _same_headers(headers[dataset], headers[other]):
                document.add(
                    ("schema", 0, "properties"),
                    f"required headers are the same as those of '{other}' ({earlier.file})",
                    "require a column that only one of the two has",
                )
        seen[dataset] = document
    for document in documents:
        for i, column in enumerate(document.value["schema"][0]["properties"]):
            for j, link in enumerate(column.get("relationships", ())):
                place: Location = ("schema", 0, "properties", i, "relationships", j, "to")
                target, _, name = str(link["to"]).partition(".")
                known = REFERENCES.get(target) or [c["name"] for c in tables.get(target, {}).get("properties", ())]
                if not known:
                    document.add(
                        place, f"there is no dataset '{target}' to point to", _nearest(target, {**REFERENCES, **tables})
                    )
                elif name not in known:
                    document.add(place, f"'{target}' has no column '{name}'", _nearest(name, known))


# --- the face ------------------------------------------------------------------------------------------------------


def contract_files(folder: Path) -> list[Path]:
    """The YAML files of a folder in alphabetical order; it holds contracts and nothing else."""
    return sorted(p for p in folder.iterdir() if p.suffix in (".yaml", ".yml"))


def _examined(path: Path, uses: bool = False) -> _Document:
    document = _read(path, str(path))
    if not path.name.endswith(SUFFIX):
        document.add((), f"the file is not named <dataset>{SUFFIX}", "rename it")
    if document.value is not None:
        _check_shape(document)
    if document.shaped:
        _check_contract(document, path.name.removesuffix(SUFFIX))
    if uses and document.shaped and not document.findings:  # what is wrong otherwise comes first
        _check_uses(document)
    return document


def examine(paths: Sequence[Path], uses: bool = False) -> tuple[list[Finding], dict[Path, dict[str, Any]]]:
    """All findings about contracts, alone and together, in the order of file and line; and their plain contents.

    ``uses``: also about columns that nothing uses. Contents that have findings must not be read on: they may lack anything.
    Raises :class:`OSError` for a file that cannot be opened.
    """
    documents = {path: _examined(path, uses) for path in paths}
    _check_together([d for d in documents.values() if d.shaped])
    findings = sorted({f for d in documents.values() for f in d.findings})
    return findings, {path: d.value for path, d in documents.items() if d.shaped}


def lint_file(path: Path) -> list[Finding]:
    """Findings about one contract, by line; what concerns it and others together is for :func:`lint_folder`."""
    return sorted(set(_examined(path, uses=True).findings))


def lint_folder(folder: Path) -> list[Finding]:
    """Findings about all contracts of a folder, alone and together."""
    return examine(contract_files(folder), uses=True)[0]
