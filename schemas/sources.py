"""Declarations of sources: where a sender's data is pulled from, one YAML file a sender, read strictly.

A file ``<sender>.yaml`` has the keys ``sender`` and ``sources``; docs/sources.md says what each source may say. Every finding names
file, line and remedy. Secrets do not stand in it: ``${env:NAME}`` and ``${file:path}`` stand for them, and are looked up when the
source is used (:func:`resolved`). Not here: pulling (``assets.intake.sources``).
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import parse_qsl, urlsplit

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

_REFERENCE = re.compile(r"\$\{(env|file):([^}]+)\}")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_DURATION = re.compile(r"(\d{1,5})([smhd])")
_SIZE = re.compile(r"(\d{1,6})(KB|MB|GB)")
_SECRET = re.compile(
    r"secret|passw|passphrase|token|api.?key|access.?key|account.?key|connection.?string|authorization|cookie|^pwd$",
    re.IGNORECASE,
)
"""Names of what is secret, in addresses, headers, parameters and options."""
_CRON = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_BYTES = {"KB": 1 << 10, "MB": 1 << 20, "GB": 1 << 30}


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)


def _secret(value: str | None) -> str | None:
    if value is not None and not _REFERENCE.fullmatch(value):
        raise ValueError("a secret does not stand here; write ${env:NAME} or ${file:/path/to/it}")
    return value


def _told_apart(named: Mapping[str, Any]) -> None:
    """Raises :class:`ValueError` where a secret stands clear among values that have names; ``Bearer ${env:NAME}`` is none."""
    for key, value in named.items():
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, Mapping):
                _told_apart(one)
        if isinstance(value, Mapping):
            continue
        said = isinstance(value, str | int) and not isinstance(value, bool)
        if said and _SECRET.search(key) and not _REFERENCE.search(str(value)):
            raise ValueError(f"a secret does not stand here; write ${{env:NAME}} or ${{file:/path/to/it}} ({key})")


def _clear_address(value: str, remedy: str) -> None:
    """Raises :class:`ValueError` where a secret stands in an address: after the user, or in what is asked."""
    try:
        parts = urlsplit(value)
        password = parts.password
    except ValueError:
        raise ValueError("this is no URL") from None
    if password is not None or any(_SECRET.search(key) for key, _ in parse_qsl(parts.query, keep_blank_values=True)):
        raise ValueError(f"a password does not stand in the URL; {remedy}")


def no_secret_in(address: str, options: Mapping[str, Any]) -> None:
    """Raises :class:`ValueError` where a secret stands clear in an address of a store or in the options of its driver."""
    _clear_address(address, "write it among the options: {password: ${file:/path/to/it}}")
    _told_apart(options)


def _is_cron(value: str) -> bool:
    """Whether Dagster takes it: one that it does not take would keep every job from being loaded, not this source's alone."""
    fields = value.split()
    return len(fields) == len(_CRON) and all(
        _is_part(part, *bounds) for field, bounds in zip(fields, _CRON, strict=True) for part in field.split(",")
    )


def _is_part(part: str, least: int, most: int) -> bool:
    found = re.fullmatch(r"(?:\*|(\d{1,2})(?:-(\d{1,2}))?)(?:/(\d{1,2}))?", part, re.ASCII)
    if found is None:
        return False
    first, last, step = (None if n is None else int(n) for n in found.groups())
    inside = all(n is None or least <= n <= most for n in (first, last))
    ordered = first is None or last is None or first <= last
    stepped = step is None or (0 < step <= most and (first is None or last is not None))
    return inside and ordered and stepped


def _seconds(value: str) -> int:
    found = _DURATION.fullmatch(value)
    if found is None:
        raise ValueError("write a time such as 30s, 15m, 2h or 3d")
    return int(found[1]) * _SECONDS[found[2]]


class Limits(_Strict):
    """Bounds of one pull. ``seconds``: for the whole of it; ``wait``: for one answer; ``rate``: requests a second;
    ``at_once``: it is begun only while fewer sources of this sender are being pulled."""

    rows: int = Field(default=2_000_000, ge=1)
    bytes: int = Field(default=2 << 30, ge=1)
    seconds: int = Field(default=900, ge=1)
    wait: int = Field(default=30, ge=1)
    pages: int = Field(default=10_000, ge=1)
    rate: float = Field(default=10.0, gt=0)
    at_once: int = Field(default=1, ge=1)

    @field_validator("bytes", mode="before")
    @classmethod
    def _size(cls, value: Any) -> Any:
        if isinstance(value, str):
            if (found := _SIZE.fullmatch(value)) is None:
                raise ValueError("write a size such as 500MB")
            return int(found[1]) * _BYTES[found[2]]
        return value

    @field_validator("seconds", "wait", mode="before")
    @classmethod
    def _time(cls, value: Any) -> Any:
        return _seconds(value) if isinstance(value, str) else value


class Incremental(_Strict):
    """Only what is new: rows whose ``column`` is at the watermark or later. ``lookback``: by how much rows may come late; they are
    asked for again, and taken once: a time (``2h``; a plain number is seconds), or of a column of numbers how many (``1000``).
    ``parameter``: how a REST API is told (its watermark is the text of ``column``)."""

    column: str
    lookback: timedelta | int = 0
    parameter: str | None = None

    @field_validator("lookback", mode="before")
    @classmethod
    def _time(cls, value: Any) -> Any:
        if isinstance(value, int) and value < 0:
            raise ValueError("write 0 or more")
        return timedelta(seconds=_seconds(value)) if isinstance(value, str) else value


class _Source(_Strict):
    name: str
    dataset: str
    period: Literal["current", "previous"] = "current"
    schedule: str | None = None
    limits: Limits = Limits()

    @field_validator("name")
    @classmethod
    def _plain(cls, value: str) -> str:
        if not _NAME.fullmatch(value):
            raise ValueError("write a name of small letters, digits and '_', such as ho_so")
        return value

    @field_validator("schedule")
    @classmethod
    def _cron(cls, value: str | None) -> str | None:
        if value is not None and not _is_cron(value):
            raise ValueError("write five fields of cron, in numbers, such as '0 2 * * *'")
        return value


class SqlSource(_Source):
    """A table or view of a database, by SQLAlchemy. ``url`` without a password. ``order_by``: columns that make the order of rows
    always the same; without it the primary key."""

    kind: Literal["sql"]
    url: str
    password: str | None = None
    schema_: str | None = Field(default=None, alias="schema")
    table: str
    order_by: tuple[str, ...] = ()
    incremental: Incremental | None = None

    _hidden = field_validator("password")(_secret)

    @field_validator("order_by", mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:
        return tuple(value) if isinstance(value, list) else value

    @field_validator("url")
    @classmethod
    def _clear(cls, value: str) -> str:
        _clear_address(value, "write password: ${file:/path/to/it}")
        parts = urlsplit(value)
        if not parts.scheme or (not parts.netloc and not value.startswith("sqlite")):
            raise ValueError("write a URL such as postgresql://reader@db.snv.local:5432/hr")
        return value


class Paging(_Strict):
    """How an API gives its pages. ``page``: by number, ``offset``: by how many were seen, ``cursor``: by a word in the answer,
    ``link``: by a
    link in the answer (``next``), ``header``: by the header Link, ``none``: one page. ``total``: path of the number of all
    records."""

    kind: Literal["page", "offset", "cursor", "link", "header", "none"]
    parameter: str | None = None
    size_parameter: str | None = None
    size: int | None = Field(default=None, ge=1)
    first: int = 1
    next: str | None = None
    total: str | None = None

    @model_validator(mode="after")
    def _enough(self) -> Paging:
        needed = {
            "page": ("parameter",),
            "offset": ("parameter", "size"),
            "cursor": ("parameter", "next"),
            "link": ("next",),
        }
        for key in needed.get(self.kind, ()):
            if getattr(self, key) is None:
                raise ValueError(f"paging by {self.kind} needs {key}")
        return self


class Auth(_Strict):
    """Who asks: ``bearer`` (token), ``key`` (a header and its value), ``basic`` (user, password), ``oauth`` (client
    credentials at ``url``)."""

    kind: Literal["bearer", "key", "basic", "oauth"]
    token: str | None = None
    header: str = "X-API-Key"
    user: str | None = None
    password: str | None = None
    url: str | None = None
    client_id: str | None = None
    client_secret: str | None = None

    _hidden = field_validator("token", "password", "client_secret")(_secret)

    @model_validator(mode="after")
    def _enough(self) -> Auth:
        needed = {
            "bearer": ("token",), "key": ("token",), "basic": ("user", "password"), "oauth": ("url", "client_id", "client_secret")
        }  # fmt: skip
        for key in needed[self.kind]:
            if getattr(self, key) is None:
                raise ValueError(f"auth by {self.kind} needs {key}")
        return self


class RestSource(_Source):
    """A list of records behind an API. ``records``: path of the list in the answer, such as ``data.items``; without it the
    answer is the
    list."""

    kind: Literal["rest"]
    url: str
    path: str = ""
    params: dict[str, str | int] = {}
    headers: dict[str, str] = {}
    records: str | None = None
    paging: Paging = Paging(kind="none")
    auth: Auth | None = None
    incremental: Incremental | None = None

    @field_validator("url")
    @classmethod
    def _http(cls, value: str) -> str:
        _clear_address(
            value, "write auth: {kind: basic, user: …, password: ${file:…}}, or params: {api_key: ${file:…}}"
        )
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("write a URL that begins with https:// or http://")
        return value

    @field_validator("params", "headers")
    @classmethod
    def _no_secrets(cls, value: dict[str, Any]) -> dict[str, Any]:
        _told_apart(value)
        return value

    @model_validator(mode="after")
    def _told(self) -> RestSource:
        if self.incremental is not None and self.incremental.parameter is None:
            raise ValueError("incremental needs parameter: how the API is told from when on")
        return self


class InboxSource(_Source):
    """A folder of files on any store that fsspec knows, of this sender alone: ``<period>/<file>``. ``options``: what the store's
    driver takes (endpoint_url, key, secret, username, client_keys, known_hosts …)."""

    kind: Literal["inbox"]
    dataset: str = ""
    url: str
    options: dict[str, Any] = {}

    @field_validator("url")
    @classmethod
    def _address(cls, value: str) -> str:
        _clear_address(value, "write options: {password: ${file:/path/to/it}}")
        return value

    @field_validator("options")
    @classmethod
    def _hidden_options(cls, value: dict[str, Any]) -> dict[str, Any]:
        _told_apart(value)
        return value


AnySource = Annotated[SqlSource | RestSource | InboxSource, Field(discriminator="kind")]


class _File(_Strict):
    sender: str
    sources: tuple[AnySource, ...]

    @field_validator("sources", mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:
        return tuple(value) if isinstance(value, list) else value


@dataclass(frozen=True)
class Source:
    """A declared source; ``id``: ``<sender>/<name>``."""

    sender: str
    spec: SqlSource | RestSource | InboxSource

    @property
    def id(self) -> str:
        """Its name everywhere."""
        return f"{self.sender}/{self.spec.name}"


@dataclass(frozen=True)
class Finding:
    """What is wrong with a declaration."""

    file: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.file}, line {self.line}: {self.text}"


class SourcesWrong(Exception):
    """Declarations that cannot be used."""

    def __init__(self, findings: list[Finding]) -> None:
        super().__init__("\n".join(map(str, findings)))
        self.findings = findings


class NoSecret(Exception):
    """A secret that a declaration refers to is not there; the text names the reference."""


@dataclass(frozen=True)
class Declared:
    """What a folder declares: the sources by id of all files that are right, and what is wrong with the others."""

    sources: dict[str, Source]
    findings: list[Finding]


def read_sources(
    folder: Path, senders: Collection[str] | None = None, datasets: Collection[str] | None = None
) -> Declared:
    """All declared sources; none where there is no folder. ``senders``, ``datasets``: those that there are. A file in which
    something is wrong declares nothing, and takes nothing from the others; nor does a source that two files declare."""
    found: dict[str, Source] = {}
    findings: list[Finding] = []
    twice: set[str] = set()
    for path in sorted(folder.glob("*.y*ml")) if folder.is_dir() else []:
        sources, wrong = examine(path, senders, datasets)
        findings += wrong
        if wrong:
            continue
        again = [s.id for s in sources if s.id in found]
        findings += [
            Finding(path.name, 1, f"{name} is declared in another file too; keep one file a sender") for name in again
        ]
        twice.update(again)
        found |= {s.id: s for s in sources}
    return Declared({name: s for name, s in found.items() if name not in twice}, findings)


def load_sources(
    folder: Path, senders: Collection[str] | None = None, datasets: Collection[str] | None = None
) -> dict[str, Source]:
    """All declared sources by id, as :func:`read_sources`; raises :class:`SourcesWrong` with all that is wrong."""
    declared = read_sources(folder, senders, datasets)
    if declared.findings:
        raise SourcesWrong(declared.findings)
    return declared.sources


def examine(
    path: Path, senders: Collection[str] | None = None, datasets: Collection[str] | None = None
) -> tuple[list[Source], list[Finding]]:
    """The sources of one file, and what is wrong with it."""
    name = path.name
    try:
        text = path.read_text(encoding="utf-8-sig")
        tree = yaml.compose(text, Loader=yaml.CSafeLoader)
        document = yaml.load(text, Loader=yaml.CSafeLoader)
    except UnicodeDecodeError:
        return [], [Finding(name, 1, "the file is not UTF-8")]
    except OSError as error:
        return [], [Finding(name, 1, f"the file cannot be read ({error.strerror})")]
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        return [], [Finding(name, mark.line + 1 if mark else 1, "this is no YAML")]
    repeated = _repeated(tree)
    if repeated is not None:
        return [], [Finding(name, repeated[1], f"the key {repeated[0]!r} stands here twice")]
    try:
        read = _File.model_validate(document)
    except ValidationError as error:
        return [], [_finding(name, tree, one) for one in error.errors(include_url=False, include_context=True)]
    findings = []
    if senders is not None and read.sender not in senders:
        findings.append(
            Finding(
                name, _line(tree, ("sender",)), f"there is no sender {read.sender!r}" + _nearest(read.sender, senders)
            )
        )
    names: set[str] = set()
    for n, source in enumerate(read.sources):
        if source.name in names:
            findings.append(
                Finding(name, _line(tree, ("sources", n, "name")), f"the name {source.name!r} stands here twice")
            )
        names.add(source.name)
        known = datasets is None or source.dataset in datasets or (source.kind == "inbox" and not source.dataset)
        if not known:
            assert datasets is not None
            said = f"there is no dataset {source.dataset!r}" + _nearest(source.dataset, datasets)
            findings.append(Finding(name, _line(tree, ("sources", n, "dataset")), said))
    return [Source(read.sender, s) for s in read.sources], findings


def resolved(value: str, environment: Mapping[str, str] | None = None) -> str:
    """A text with what its references stand for; raises :class:`NoSecret`."""

    def one(match: re.Match[str]) -> str:
        kind, name = match[1], match[2]
        if kind == "env":
            found = (os.environ if environment is None else environment).get(name)
            if not found:
                raise NoSecret(f"${{env:{name}}} is not set")
            return found
        path = Path(name).expanduser()
        try:
            if path.stat().st_mode & 0o077:
                raise NoSecret(f"${{file:{name}}} can be read by others; chmod 600 it")
            return path.read_text(encoding="utf-8").strip()
        except OSError as error:
            raise NoSecret(f"${{file:{name}}} cannot be read ({error.strerror})") from None

    return _REFERENCE.sub(one, value)


def _finding(name: str, tree: yaml.Node | None, error: Any) -> Finding:
    place = [part for part in error["loc"] if part not in ("sql", "rest", "inbox", "function-before")]
    kind, said = error["type"], error["msg"]
    if kind == "extra_forbidden":
        known = _known_keys(str(place[-2]) if len(place) > 1 else "", error["loc"])
        said = f"the key {place[-1]!r} is not known" + _nearest(str(place[-1]), known)
    elif kind == "missing":
        said = f"the key {place[-1]!r} is missing"
        place = place[:-1]
    elif kind == "value_error":
        said = str(error["ctx"]["error"])
    elif kind.startswith("union_tag"):
        said = "kind must be sql, rest or inbox"
    return Finding(name, _line(tree, place), said)


def _known_keys(within: str, loc: Collection[Any]) -> list[str]:
    """The keys that may stand in a part of a declaration."""
    parts: dict[str, type[BaseModel]] = {
        "limits": Limits, "incremental": Incremental, "paging": Paging, "auth": Auth, "sql": SqlSource, "rest": RestSource,
        "inbox": InboxSource,
    }  # fmt: skip
    model = parts.get(within) or next((parts[p] for p in loc if p in parts), _File)
    return [f.alias or n for n, f in model.model_fields.items()]


def _nearest(word: str, known: Collection[str]) -> str:
    near = get_close_matches(word, list(known), 1, 0.5)
    return f"; did you mean {near[0]!r}?" if near else ""


def _line(tree: yaml.Node | None, place: Any) -> int:
    """The line of a place: of its key, or of the nearest thing above it that there is."""
    line = 1
    node = tree
    for part in place:
        if isinstance(node, yaml.MappingNode):
            found = next(((k, v) for k, v in node.value if k.value == part), None)
            if found is None:
                break
            line, node = found[0].start_mark.line + 1, found[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line + 1
        else:
            break
    return line


def _repeated(node: yaml.Node | None) -> tuple[str, int] | None:
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if key.value in seen:
                return str(key.value), key.start_mark.line + 1
            seen.add(key.value)
            if (below := _repeated(value)) is not None:
                return below
    if isinstance(node, yaml.SequenceNode):
        return next((found for one in node.value if (found := _repeated(one)) is not None), None)
    return None
