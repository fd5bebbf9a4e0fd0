"""The files of the indicators, read and linted; and the catalogue that readers see of them.

A file begins with a header of comments, ``-- key: value``, and goes on with one SELECT, the *facts*: a row for each entity that
counts towards a unit on a day, with what it adds to numerator and denominator. Not here: running it (:mod:`.compute`).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any

import psycopg
import yaml

from schemas.migrate import quote
from schemas.roles import OFFICES, grant

HERE = Path(__file__).parent

LOG = "submission_log"
"""What an indicator may read beside datasets: the log of submissions (D00)."""
UNITS = {"PROVINCE": None, "BLOC": "bloc", "FIELD": "field", "COMMUNE": "commune", "ORGANIZATION": "organization"}
"""Kind of unit -> the column of the facts that names it; the province is named by none."""
PERIODS = ("month", "quarter", "half", "year")
MEASURES = ("share", "ratio", "count", "excess", "pace", "most")
"""How a value comes of the sums: share 100·n/d, ratio n/d, count n, excess max(0, n − d), pace ⌈n/d⌉ with d the same for all
rows, most the greatest n. Shares and ratios are rounded half up to two decimals."""
DIRECTIONS = ("up", "down", "none")
"""What is better: more, less, or neither."""


@dataclass(frozen=True)
class Variant:
    """One figure of an indicator; '' is the main one. ``variant`` may end in ``*``: the values of a code list."""

    variant: str
    measure: str
    unit: str
    name_vi: str
    name_en: str


@dataclass(frozen=True)
class Indicator:
    """One indicator: its header, and its SELECT (``facts``)."""

    code: str
    name_vi: str
    name_en: str
    formula: str
    theme: str
    grain: tuple[str, ...]
    periods: tuple[str, ...]
    direction: str
    reads: tuple[str, ...]
    """Datasets, the first being the one whose periods are those of the indicator."""
    source: str
    variants: tuple[Variant, ...]
    facts: str
    norms: tuple[str, ...] = ()
    hidden_below: int | None = None
    target_for: tuple[str, ...] = ()
    """Kinds of units that a target for all is meant for; none: any."""
    path: str = ""

    @cached_property
    def fingerprint(self) -> str:
        """Another one where anything that makes its values is different."""
        return hashlib.sha256(repr({**asdict(self), "path": ""}).encode()).hexdigest()[:16]

    def variant(self, name: str) -> Variant:
        """The variant of a name, or the family (``*``) that it belongs to; :class:`KeyError` where there is none."""
        for one in self.variants:
            if one.variant == name or (one.variant.endswith("*") and name):
                return one
        raise KeyError(name)


@dataclass(frozen=True)
class Answer:
    """What answers a mandate: a figure of a unit (blank: of the only one of its kind)."""

    indicator: str
    variant: str
    unit_kind: str
    unit: str


@dataclass(frozen=True)
class Mandate:
    """A mandate of the programme and what answers it."""

    code: str
    name_vi: str
    name_en: str
    answers: tuple[Answer, ...]


class IndicatorError(Exception):
    """Files of indicators that cannot be used; ``findings`` say which, what and where."""

    def __init__(self, findings: Sequence[str]) -> None:
        super().__init__("\n".join(findings))
        self.findings = tuple(findings)


_LINE = re.compile(r"--\s*(?P<key>\w+):\s*(?P<value>.*\S)\s*")
_LISTS = {"grain": UNITS, "periods": PERIODS, "reads": None, "norms": None, "target_for": UNITS}
_NEEDED = (
    "code",
    "name_vi",
    "name_en",
    "formula",
    "theme",
    "grain",
    "periods",
    "direction",
    "reads",
    "measure",
    "source",
)
_KEYS = (*_NEEDED, "norms", "hidden_below", "target_for", "variant")
_FAMILY = re.compile(r"\b(?:from|join)\s+([a-z_]+)_(?:at|in|begun|ever)\b")


def load_indicators(folder: Path = HERE, datasets: Collection[str] | None = None) -> dict[str, Indicator]:
    """The indicators of a folder by code, in order; :class:`IndicatorError` with all findings.

    ``datasets``: those that there are; what reads another is a finding. None: not looked at."""
    findings: list[str] = []
    found: dict[str, Indicator] = {}
    for path in sorted(folder.glob("i[0-9][0-9]_*.sql")):
        one = _read(path, findings)
        if one is None:
            continue
        if one.code in found:
            findings.append(f"{path.name}: the code {one.code} is that of {Path(found[one.code].path).name} too")
        if datasets is not None:
            unknown = sorted(set(one.reads) - set(datasets) - {LOG})
            findings += [f"{path.name}: reads {name}, and no contract describes it" for name in unknown]
        found[one.code] = one
    if findings:
        raise IndicatorError(findings)
    return dict(sorted(found.items()))


def _read(path: Path, findings: list[str]) -> Indicator | None:
    lines = path.read_text(encoding="utf-8").splitlines()
    head: dict[str, str] = {}
    variants: list[tuple[int, str]] = []
    before = len(findings)
    end = 0
    for number, line in enumerate(lines, 1):
        match = _LINE.fullmatch(line)
        if match is None or not line.startswith("--"):
            break
        end, key = number, match["key"]
        if key not in _KEYS:
            findings.append(f"{path.name}:{number}: there is no key {key}; there are: {', '.join(_KEYS)}")
        elif key == "variant":
            variants.append((number, match["value"]))
        elif key in head:
            findings.append(f"{path.name}:{number}: {key} stands twice")
        else:
            head[key] = match["value"]
    findings += [f"{path.name}: the header has no {key}" for key in _NEEDED if key not in head]
    if len(findings) > before:
        return None
    lists = {key: tuple(head[key].split()) if key in head else () for key in _LISTS}
    for key, allowed in _LISTS.items():
        if allowed is not None:
            findings += [
                f"{path.name}: {key}: {word} is none of {', '.join(allowed)}"
                for word in lists[key]
                if word not in allowed
            ]
    if not re.fullmatch(r"I\d\d", head["code"]) or not path.name.startswith(f"{head['code'].lower()}_"):
        findings.append(f"{path.name}: the code {head['code']} is not that of the file's name")
    if head["direction"] not in DIRECTIONS:
        findings.append(f"{path.name}: direction is one of {', '.join(DIRECTIONS)}")
    measure, _, unit = head["measure"].partition(" ")
    made = [Variant("", measure, unit, head["name_vi"], head["name_en"])]
    for number, text in variants:
        said = re.fullmatch(r"(\S+) (\S+) (.*?) \| (.+?) \| (.+)", text)
        if said is None:
            findings.append(f"{path.name}:{number}: a variant is NAME measure unit | tên | name")
        else:
            made.append(Variant(*said.groups()))
    findings += [
        f"{path.name}: {v.measure} is none of {', '.join(MEASURES)}" for v in made if v.measure not in MEASURES
    ]
    facts = "\n".join(lines[end:]).strip().rstrip(";")
    used = set(_FAMILY.findall(facts))
    findings += [f"{path.name}: {name} is not among what it reads" for name in sorted(used - set(lists["reads"]))]
    findings += [f"{path.name}: reads {name} and does not use it" for name in lists["reads"] if name not in used]
    if bool(lists["norms"]) != bool(re.search(r"\bnorm\b", facts)):
        findings.append(f"{path.name}: says norms and reads none, or reads norms and says none")
    if len(findings) > before:
        return None
    return Indicator(
        code=head["code"],
        name_vi=head["name_vi"],
        name_en=head["name_en"],
        formula=head["formula"],
        theme=head["theme"],
        grain=lists["grain"],
        periods=lists["periods"],
        direction=head["direction"],
        reads=lists["reads"],
        source=head["source"],
        variants=tuple(made),
        facts=facts,
        norms=lists["norms"],
        target_for=lists["target_for"],
        hidden_below=int(head["hidden_below"]) if "hidden_below" in head else None,
        path=str(path),
    )


def load_mandates(indicators: Collection[str], path: Path = HERE / "mandates.yaml") -> list[Mandate]:
    """The mandates in their order; :class:`IndicatorError` where one is answered by an indicator that there is not."""
    findings, found = [], []
    for entry in yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader):
        answers = []
        for text in entry["answers"]:
            name, kind, unit = (*text.split(), "")[:3]
            code, _, variant = name.partition("/")
            answers.append(Answer(code, variant, kind, unit))
            if code not in indicators or kind not in UNITS:
                findings.append(f"{path.name}: {entry['code']}: {text}: there is no such indicator or kind of unit")
        found.append(Mandate(entry["code"], entry["name_vi"], entry["name_en"], tuple(answers)))
    if findings:
        raise IndicatorError(findings)
    return found


# ------------------------------------------------------------------------------------------------ what readers see


def sync_indicators(
    connection: psycopg.Connection, indicators: dict[str, Indicator], mandates: Sequence[Mandate]
) -> bool:
    """Make catalogue and views of themes in the database follow the files, in the caller's transaction; whether it had to."""
    views = theme_views(indicators)
    mark = hashlib.sha256(repr(([i.fingerprint for i in indicators.values()], mandates, views)).encode()).hexdigest()
    if _stored(connection) == mark:
        return False
    connection.execute("select pg_advisory_xact_lock(hashtext('lienthong.contract'))")
    if _stored(connection) == mark:
        return False
    connection.execute("delete from core.mandate")
    connection.execute("delete from core.indicator")
    kept = [f.name for f in fields(Indicator) if f.name not in ("variants", "facts", "target_for", "path")]
    _insert(connection, "indicator", kept, [[_plain(getattr(i, k)) for k in kept] for i in indicators.values()])
    names = [f.name for f in fields(Variant)]
    rows = [[i.code, *(getattr(v, n) for n in names)] for i in indicators.values() for v in i.variants]
    _insert(connection, "indicator_variant", ["code", *names], rows)
    said = [[m.code, n, m.name_vi, m.name_en] for n, m in enumerate(mandates)]
    _insert(connection, "mandate", ["code", "position", "name_vi", "name_en"], said)
    answers = [
        [m.code, n, a.indicator, a.variant, a.unit_kind, a.unit] for m in mandates for n, a in enumerate(m.answers)
    ]
    _insert(connection, "mandate_answer", ["mandate", "position", "indicator", "variant", "unit_kind", "unit"], answers)
    old = (
        "select table_name from information_schema.views where table_schema = 'mart_v1' and table_name like 'theme\\_%'"
    )
    for (name,) in connection.execute(old).fetchall():
        connection.execute(f"drop view mart_v1.{quote(name)}")
    for text in views.values():
        connection.execute(text)
    grant(connection, view_grants(indicators))
    connection.execute("delete from core.indicator_version")
    connection.execute("insert into core.indicator_version values (%s)", [mark])
    return True


def _stored(connection: psycopg.Connection) -> str | None:
    row = connection.execute("select fingerprint from core.indicator_version").fetchone()
    return None if row is None else str(row[0])


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _insert(connection: psycopg.Connection, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    if not rows:
        return
    places = ", ".join(["%s"] * len(columns))
    with connection.cursor() as cursor:
        cursor.executemany(f"insert into core.{table} ({', '.join(columns)}) values ({places})", rows)


def view_grants(indicators: dict[str, Indicator]) -> list[tuple[str, str]]:
    """(role, privilege) of who may read the views of themes."""
    return [(role, f"select on mart_v1.{quote(view)}") for view in theme_views(indicators) for role in OFFICES]


def theme_views(indicators: dict[str, Indicator]) -> dict[str, str]:
    """View -> its statement: one wide view for each theme, a line for each unit and period, a column for each figure; of a
    family of figures (``*``) one column {variant: value}."""
    themes: dict[str, list[Indicator]] = {}
    for one in indicators.values():
        themes.setdefault(one.theme, []).append(one)
    return {f"theme_{theme}": _theme(f"theme_{theme}", of) for theme, of in sorted(themes.items())}


def _theme(view: str, indicators: Sequence[Indicator]) -> str:
    columns = ", ".join(column for one in indicators for variant in one.variants for column in _columns(one, variant))
    codes = ", ".join(f"'{one.code}'" for one in indicators)
    return (
        f"create view mart_v1.{quote(view)} as select v.unit_kind, v.unit, max(v.unit_name) as unit_name, v.period_kind, v.period, "
        f"v.as_of, {columns} from mart_v1.indicator_value v where v.indicator in ({codes}) "
        f"group by v.unit_kind, v.unit, v.period_kind, v.period, v.as_of"
    )


def theme_column(one: Indicator, variant: Variant) -> str:
    """Name of a figure's column in the view of its theme, of a family that of all its figures."""
    name = "each" if variant.variant.endswith("*") else re.sub(r"\W+", "_", variant.variant.lower())
    return "_".join(filter(None, (one.code.lower(), name)))


def _columns(one: Indicator, variant: Variant) -> list[str]:
    name = theme_column(one, variant)
    if variant.variant.endswith("*"):
        own = ", ".join(f"'{v.variant}'" for v in one.variants)
        which = f"v.indicator = '{one.code}' and v.variant not in ({own})"
        return [f"jsonb_object_agg(v.variant, v.value) filter (where {which}) as {quote(name)}"]
    which = f"v.indicator = '{one.code}' and v.variant = '{variant.variant}'"
    return [
        f"max(v.{what}) filter (where {which}) as {quote(name + suffix)}"
        for what, suffix in (("value", ""), ("status", "_status"))
    ]


def markdown(indicators: dict[str, Indicator], mandates: Sequence[Mandate]) -> str:
    """The table of docs/indicators.md: one line for each figure, with the mandates that it answers."""
    asked: dict[tuple[str, str], list[str]] = {}
    for mandate in mandates:
        for answer in mandate.answers:
            told = asked.setdefault((answer.indicator, answer.variant), [])
            if mandate.code not in told:
                told.append(mandate.code)
    lines = [
        "| Code | Tên | Name | Measured in | Units | Periods | Reads | Mandates |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for one in indicators.values():
        for v in one.variants:
            own = not v.variant
            cells = [
                f"{one.code}{'/' * (not own)}{v.variant}".replace("*", "\\*"),
                v.name_vi,
                v.name_en,
                f"{v.measure}, {v.unit}",
                ", ".join(one.grain).lower() if own else "",
                ", ".join(one.periods) if own else "",
                ", ".join((*one.reads, *one.norms)) if own else "",
                " ".join(asked.get((one.code, v.variant), ())),
            ]
            lines.append(f"| {' | '.join(cells)} |")
    formulas = [f"- **{one.code}** {one.formula} ({one.source})" for one in indicators.values()]
    return "\n".join([*lines, "", "### Formulas", "", *formulas]) + "\n"
