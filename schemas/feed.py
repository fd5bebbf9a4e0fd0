"""Contract -> change feed: the functions that say what readers see as of a publish, and the view ``mart_v1.change_feed``.

Here: SQL made of what the published views are made of, so that the feed can show nothing that they do not. Not here: writing the
changes down at a publish (:mod:`assets.marts.changes`), reading them (:mod:`assets.marts.feed`).

A row of the feed names a row of a dataset's history (entity, first day of validity); what the row says is looked up as of the
publish, or for a row that is gone as of the publish before.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import psycopg

from .contract import Contract
from .migrate import literal, quote
from .roles import OWN, READERS, grant
from .tables import history_text, own_columns

INDICATORS = "indicator_value"
"""What the values of indicators are called in the feed, beside the datasets."""
_INDICATOR_KEY = ("indicator", "variant", "unit_kind", "unit", "period_kind", "period")
_FOLDER = Path(__file__).parent / "marts" / "feed"

_POINTER = re.compile(r"\bcore\.pointer p\b")
_WITH = re.compile(r"^-- changes with (core\.(\w+)) (\w+): (.+)$", re.MULTILINE)
_CORE = re.compile(r"\bcore\.(\w+)")
_UNION = re.compile(r"\bunion all\b", re.IGNORECASE)


@dataclass(frozen=True)
class Followed:
    """Something that the feed follows. ``selects``: its history by ``core.pointer p``, a select or several whose rows are taken
    together, each without the word; ``row``: of its table ``h`` the columns that are entity, first day and first day after;
    ``touched``: rows (entity_id, since) that publishes in ($1, $2] may have changed; ``key``: columns shown that say which row it
    is; ``joined``: whether its rows change with other tables too; ``own_id``: whether readers see the entity's id; ``own``: columns
    shown that say whose a row is, none where it is nobody's own."""

    name: str
    selects: tuple[str, ...]
    row: tuple[str, str, str]
    touched: str
    key: tuple[str, ...]
    joined: bool
    own_id: bool
    own: tuple[str, ...] = ()

    def at(self, shows: str) -> str:
        """Its rows as of what an SQL expression shows: ``_entity``, ``_from``, ``_to``, then what readers see."""
        return self._of(shows, self._names())

    def said(self, shows: str, columns: Iterable[str]) -> str:
        """SQL of what readers see of the row (``c.entity_id``, ``c.valid_from``) as of what an SQL expression shows, as JSON. The
        last version that began by then is the only one to look at: one step in the index, however many there are."""
        text = self._of(shows, f"{self._names()}, h.publish_from as _since")
        return (
            f"(select to_jsonb(_seen) from (select {_listed(columns, '_row')} from ({text}) _row where _row._entity = c.entity_id "
            f"and _row._from = c.valid_from order by _row._since desc limit 1) _seen)"
        )

    def _names(self) -> str:
        entity, since, until = self.row
        return f"{entity} as _entity, {since} as _from, {until} as _to"

    def _of(self, shows: str, first: str) -> str:
        return " union all ".join(
            f"select {first}, {_POINTER.sub(f'(select {shows} as shows) p', text)}" for text in self.selects
        )


def followed(contracts: Mapping[str, Contract]) -> list[Followed]:
    """All that the feed follows. Raises :class:`ValueError` where a view of one's own reads what the feed cannot follow."""
    values = Followed(
        INDICATORS,
        (_bare(_sql(INDICATORS)).removeprefix("select"),),
        ("h.value_id", "h.first_day", "h.as_of + 1"),
        _touched("indicator_value", "value_id", "first_day"),
        _INDICATOR_KEY,
        False,
        True,
    )
    return [*(_of(contracts[name]) for name in sorted(contracts)), values]


def _of(contract: Contract) -> Followed:
    text = history_text(contract)
    bare = _bare(text)
    selects = _selects(bare)
    where = f"the view {contract.dataset}_history"
    if not all(len(_POINTER.findall(one)) == 1 and one.startswith("select") for one in selects):
        raise ValueError(
            f"{where} must be one select, or several under 'union all', that each read 'core.pointer p' once"
        )
    if not all(re.search(rf'\bcore\."?{contract.dataset}"? h\b', one) for one in selects):
        raise ValueError(f"{where} must read core.{contract.dataset} under the name h")
    with_others = _WITH.findall(text)
    unknown = set(_CORE.findall(bare.replace('"', ""))) - {"pointer", contract.dataset, *(o[1] for o in with_others)}
    if unknown:
        raise ValueError(
            f"{where} reads core.{min(unknown)}: the feed must know when that changes it; say so in its file as in "
            "'-- changes with core.member m: m.record = h.citizen_id'"
        )
    touched = _touched(contract.dataset, "entity_id", "valid_from")
    for table, _, alias, condition in with_others:
        for column in ("publish_from", "publish_to"):
            touched += (
                f" union select h.entity_id, h.valid_from from core.{quote(contract.dataset)} h "
                f"join {table} {alias} on {condition} where {alias}.{column} > $1 and {alias}.{column} <= $2"
            )
    plain = bare.replace('"', "")
    own_id = f"h.entity_id as {contract.entity_id}" in plain
    shown = {c.name for c in contract.columns if not c.personal and re.search(rf"\bh\.{c.name}\b", plain)}
    key = tuple(c for c in contract.key if c in shown)
    bodies = tuple(one.removeprefix("select") for one in selects)
    row = ("h.entity_id", "h.valid_from", "h.valid_to")
    own = tuple(own_columns(contract))
    if hidden := set(own) - shown:
        raise ValueError(
            f"{where} must show {min(hidden)}, which says whose a row is: the feed of one's own asks for it"
        )
    return Followed(contract.dataset, bodies, row, touched, key, bool(with_others), own_id, own)


def _bare(text: str) -> str:
    return "\n".join(line for line in text.splitlines() if not line.startswith("--")).strip().rstrip(";")


def _selects(text: str) -> list[str]:
    """The selects that a text joins by 'union all'; what is within parentheses is part of one."""
    found: list[str] = []
    for part in _UNION.split(text):
        if found and found[-1].count("(") != found[-1].count(")"):
            found[-1] += f"union all{part}"
        else:
            found.append(part)
    return [one.strip() for one in found]


def _touched(table: str, entity: str, since: str) -> str:
    return " union ".join(
        f"select h.{entity} as entity_id, h.{since} as since from core.{quote(table)} h where h.{c} > $1 and h.{c} <= $2"
        for c in ("publish_from", "publish_to")
    )


def function(name: str, what: str) -> str:
    """Name in SQL of a function of something followed: ``at`` or ``touched``."""
    return f"core.{quote(f'{name}_{what}')}"


def _columns(connection: psycopg.Connection, one: Followed) -> dict[str, str]:
    """Columns of what is followed and their SQL types, as its select has them; the first three are ours."""
    described = connection.execute(f"select * from ({one.at('0::bigint')}) v limit 0").description or []
    types = connection.execute(
        "select format_type(t, null) from unnest(%s::oid[]) with ordinality u (t, n) order by n",
        [[c.type_code for c in described]],
    ).fetchall()
    return {c.name: t[0] for c, t in zip(described, types, strict=True)}


def _functions(one: Followed, columns: Mapping[str, str]) -> list[str]:
    """The two functions of something followed. Plain SQL that the planner opens up, so that indexes are used through them."""
    at, touched = function(one.name, "at"), function(one.name, "touched")
    listed = ", ".join(f"{quote(name)} {kind}" for name, kind in columns.items())
    return [
        f"drop function if exists {at}(bigint)",
        f"create function {at}(bigint) returns table ({listed}) language sql stable as $_$ {one.at('$1')} $_$",
        f"create or replace function {touched}(bigint, bigint) returns table (entity_id bigint, since date) "
        f"language sql stable as $_$ {one.touched} $_$",
        f"revoke execute on function {at}(bigint), {touched}(bigint, bigint) from public",
    ]


def _listed(columns: Iterable[str], of: str) -> str:
    return ", ".join(f"{of}.{quote(c)}" for c in columns)


def _key(one: Followed, said: str) -> str:
    return f"jsonb_build_object({', '.join(f'{literal(c)}, {said} -> {literal(c)}' for c in one.key)})"


def _shown_id(own: Collection[str], dataset: str, entity: str) -> str:
    """SQL of the id that readers see."""
    if not own:
        return entity
    names = ", ".join(literal(n) for n in own)
    return f"case when {dataset} in ({names}) then hashtextextended({entity}::text, (select salt from core.feed)) else {entity} end"


Shown = Mapping[str, Collection[str]]
"""What is followed -> the columns that readers see."""


def view_text(everything: Collection[Followed], shown: Shown, file: str = "change_feed") -> str:
    """The select of ``mart_v1.change_feed``, or of ``own_change_feed``. What a row says is asked of its own table alone (a union
    over all would be asked whole for each row), and only for rows that are returned."""
    said = " ".join(f"when {literal(one.name)} then {one.said('t.shows', shown[one.name])}" for one in everything)
    key = " ".join(f"when {literal(one.name)} then {_key(one, 'said.row')}" for one in everything)
    hidden = [one.name for one in everything if not one.own_id]
    return _sql(file).format(entity=_shown_id(hidden, "c.dataset", "c.entity_id"), said=said, key=key)


def _snapshot(everything: Collection[Followed], shown: Shown, file: str = "snapshot") -> str:
    """The function that gives what one dataset showed as of a publish (all of it, or of one's own), in the form of the feed."""
    cases = []
    for one in everything:
        entity = _shown_id([] if one.own_id else [one.name], literal(one.name), "_row._entity")
        mine = " or ".join(["_whole", *(f"_row.{quote(c)} = any (_units)" for c in one.own)])
        cases.append(
            f"when {literal(one.name)} then return query select _said.entity_id, _said._from, _said._to, {_key(one, '_said.row')}, "
            f"_said.row from (select {entity} as entity_id, _row._from, _row._to, to_jsonb(_seen) as row "
            f"from {function(one.name, 'at')}(_shows) _row cross join lateral (select {_listed(shown[one.name], '_row')}) _seen "
            f"{f'where {mine} ' if file == 'own_snapshot' else ''}offset 0) _said;"
        )
    return _sql(file).format(cases="\n".join(cases))


def _tell_owners(connection: psycopg.Connection, one: Followed) -> None:
    """Whose the rows of the changes were that are written already, for what is followed by other columns than before."""
    connection.execute(
        "delete from core.change_owner o using core.change c where c.publish = o.publish and c.sequence = o.sequence "
        "and c.dataset = %s and c.operation <> 'erase'",
        [one.name],
    )
    own = _listed(one.own, "h")
    connection.execute(
        _sql("owners").format(own=own, table=quote(one.name), dataset=literal(one.name)) + " on conflict do nothing"
    )


def _sql(file: str) -> str:
    return (_FOLDER / f"{file}.sql").read_text(encoding="utf-8")


def fingerprint(everything: Collection[Followed]) -> str:
    """What the statements of :func:`sync_feed` are made from; the columns shown are those of the selects."""
    files = ("change_feed", "snapshot", "own_change_feed", "own_snapshot", "own_datasets")
    made = [*map(repr, everything), *map(_sql, files), _VERSION]
    return hashlib.sha256("\n".join(made).encode()).hexdigest()


_VERSION = "3"
"""Another where the functions are made otherwise of the same."""
_SIGNATURES = ("mart_v1.feed_snapshot(text, bigint)", "mart_v1.own_feed_snapshot(pg_catalog.text,pg_catalog.int8)")
_VIEWS = ("change_feed", "feed_datasets", "own_change_feed", "own_feed_datasets")
OWN_PRIVILEGES = (
    "select on mart_v1.own_change_feed",
    "select on mart_v1.own_feed_datasets",
    "select on mart_v1.feed_position",
    f"execute on function {_SIGNATURES[1]}",
)
"""What it takes to follow rows of one's own, or datasets granted by name: they show what the login's grants say."""
GRANTS = (
    *(
        (role, privilege)
        for privilege in (
            *(f"select on mart_v1.{view}" for view in _VIEWS[:2]),
            f"execute on function {_SIGNATURES[0]}",
        )
        for role in READERS
    ),
    *((role, privilege) for privilege in OWN_PRIVILEGES for role in OWN),
)
"""(role, privilege) on what :func:`sync_feed` makes."""


def sync_feed(connection: psycopg.Connection, contracts: Mapping[str, Contract]) -> None:
    """Make the feed follow the contracts, within the caller's transaction; their tables must be there. Whoever reads the feed just
    then is waited for where, and only where, a contract has changed."""
    everything = followed(contracts)
    mark = fingerprint(everything)
    row = connection.execute("select obj_description(to_regclass('mart_v1.change_feed'), 'pg_class')").fetchone()
    if row is not None and row[0] == mark:
        return
    connection.execute("select pg_advisory_xact_lock(hashtext('lienthong.contract'))")
    for view in _VIEWS:
        connection.execute(f"drop view if exists mart_v1.{view}")
    for signature in _SIGNATURES:
        connection.execute(f"drop function if exists {signature}")
    shown = {}
    for one in everything:
        columns = _columns(connection, one)
        shown[one.name] = [*columns][3:]
        for statement in _functions(one, columns):
            connection.execute(statement)
    connection.execute(f"create view mart_v1.change_feed as {view_text(everything, shown)}")
    names = ", ".join(f"({literal(one.name)})" for one in everything)
    connection.execute(f"create view mart_v1.feed_datasets (dataset) as values {names}")
    own = view_text(everything, shown, "own_change_feed")
    connection.execute(f"create view mart_v1.own_change_feed with (security_barrier) as {own}")
    connection.execute(f"create view mart_v1.own_feed_datasets with (security_barrier) as {_sql('own_datasets')}")
    connection.execute(_snapshot(everything, shown))
    connection.execute(_snapshot(everything, shown, "own_snapshot"))
    for signature in _SIGNATURES:
        connection.execute(f"revoke execute on function {signature} from public")
    told = {r[0]: tuple(r[1]) for r in connection.execute("select dataset, own from core.followed")}
    connection.execute("delete from core.followed")
    with connection.cursor() as cursor:
        rows = [(one.name, one.joined, [*one.own]) for one in everything]
        cursor.executemany("insert into core.followed (dataset, joined, own) values (%s, %s, %s)", rows)
    for one in everything:
        if one.own and told.get(one.name, one.own) != one.own:
            _tell_owners(connection, one)
    grant(connection, GRANTS)
    connection.execute(f"comment on view mart_v1.change_feed is '{mark}'")
