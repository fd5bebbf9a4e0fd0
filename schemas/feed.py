"""Contract -> change feed: the functions that say what readers see as of a publish, and the view ``mart_v1.change_feed``.

Here: SQL made of what the published views are made of, so that the feed can show nothing that they do not. Not here: writing the
changes down at a publish (:mod:`assets.marts.changes`), reading them (:mod:`assets.marts.feed`).

A row of the feed names a row of a dataset's history (entity, first day of validity); what the row says is looked up as of the
publish, or for a row that is gone as of the publish before.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import psycopg

from .contract import Contract
from .migrate import literal, quote
from .roles import READERS, grant
from .tables import history_text

INDICATORS = "indicator_value"
"""What the values of indicators are called in the feed, beside the datasets."""
_INDICATOR_KEY = ("indicator", "variant", "unit_kind", "unit", "period_kind", "period")
_FOLDER = Path(__file__).parent / "marts" / "feed"

_POINTER = re.compile(r"\bcore\.pointer p\b")
_WITH = re.compile(r"^-- changes with (core\.(\w+)) (\w+): (.+)$", re.MULTILINE)
_CORE = re.compile(r"\bcore\.(\w+)")
_OWN = "'{_entity,_from,_to}'::text[]"


@dataclass(frozen=True)
class Followed:
    """Something that the feed follows. ``text``: its history by ``core.pointer p``, as a select with ``_entity``, ``_from`` and
    ``_to`` before what readers see; ``touched``: rows (entity_id, since) that publishes in ($1, $2] may have changed; ``key``:
    columns shown that say which row it is; ``joined``: whether its rows change with other tables too; ``own_id``: whether readers
    see the entity's id."""

    name: str
    text: str
    touched: str
    key: tuple[str, ...]
    joined: bool
    own_id: bool

    def at(self, shows: str) -> str:
        """Its rows as of what an SQL expression shows."""
        return _POINTER.sub(f"(select {shows} as shows) p", self.text)


def followed(contracts: Mapping[str, Contract]) -> list[Followed]:
    """All that the feed follows. Raises :class:`ValueError` where a view of one's own reads what the feed cannot follow."""
    values = Followed(
        INDICATORS,
        _bare(_sql(INDICATORS)),
        _touched("indicator_value", "value_id", "first_day"),
        _INDICATOR_KEY,
        False,
        True,
    )
    return [*(_of(contracts[name]) for name in sorted(contracts)), values]


def _of(contract: Contract) -> Followed:
    text = history_text(contract)
    bare = _bare(text)
    where = f"the view {contract.dataset}_history"
    if len(_POINTER.findall(bare)) != 1 or not bare.startswith("select"):
        raise ValueError(f"{where} must be one select that reads 'core.pointer p' once")
    if not re.search(rf'\bcore\."?{contract.dataset}"? h\b', bare):
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
    started = "select h.entity_id as _entity, h.valid_from as _from, h.valid_to as _to," + bare.removeprefix("select")
    key = tuple(c for c in contract.key if c in shown)
    return Followed(contract.dataset, started, touched, key, bool(with_others), own_id)


def _bare(text: str) -> str:
    return "\n".join(line for line in text.splitlines() if not line.startswith("--")).strip().rstrip(";")


def _touched(table: str, entity: str, since: str) -> str:
    return " union ".join(
        f"select h.{entity} as entity_id, h.{since} as since from core.{quote(table)} h where h.{c} > $1 and h.{c} <= $2"
        for c in ("publish_from", "publish_to")
    )


def function(name: str, what: str) -> str:
    """Name in SQL of a function of something followed: ``at`` or ``touched``."""
    return f"core.{quote(f'{name}_{what}')}"


def _functions(connection: psycopg.Connection, one: Followed) -> list[str]:
    """The two functions of something followed. Plain SQL that the planner opens up, so that indexes are used through them."""
    at, touched = function(one.name, "at"), function(one.name, "touched")
    # the columns and types are those that the select has
    described = connection.execute(f"select * from ({one.at('0::bigint')}) v limit 0").description or []
    types = connection.execute(
        "select format_type(t, null) from unnest(%s::oid[]) with ordinality u (t, n) order by n",
        [[c.type_code for c in described]],
    ).fetchall()
    columns = ", ".join(f"{quote(c.name)} {t[0]}" for c, t in zip(described, types, strict=True))
    return [
        f"drop function if exists {at}(bigint)",
        f"create function {at}(bigint) returns table ({columns}) language sql stable as $_$ {one.at('$1')} $_$",
        f"create or replace function {touched}(bigint, bigint) returns table (entity_id bigint, since date) "
        f"language sql stable as $_$ {one.touched} $_$",
        f"revoke execute on function {at}(bigint), {touched}(bigint, bigint) from public",
    ]


def _key(one: Followed) -> str:
    return f"jsonb_build_object({', '.join(f'{literal(c)}, _seen.{quote(c)}' for c in one.key)})"


def _shown_id(own: Collection[str], dataset: str, entity: str) -> str:
    """SQL of the id that readers see."""
    if not own:
        return entity
    names = ", ".join(literal(n) for n in own)
    return f"case when {dataset} in ({names}) then hashtextextended({entity}::text, (select salt from core.feed)) else {entity} end"


def view_text(everything: Collection[Followed]) -> str:
    """The select of ``mart_v1.change_feed``. What a row says is asked of its own table alone (a union over all would be asked whole
    for each row), and only for rows that are returned."""
    shows = "case when c.operation = 'delete' then b.shows else p.shows end"
    cases = " ".join(
        f"when {literal(one.name)} then (select row({_key(one)}, "
        f"case when c.operation <> 'delete' then to_jsonb(_seen) - {_OWN} end)::core.said "
        f"from ({one.at(shows)}) _seen where _seen._entity = c.entity_id and _seen._from = c.valid_from limit 1)"
        for one in everything
    )
    hidden = [one.name for one in everything if not one.own_id]
    return _sql("change_feed").format(entity=_shown_id(hidden, "c.dataset", "c.entity_id"), cases=cases)


def _snapshot(everything: Collection[Followed]) -> str:
    """The function that gives what one dataset showed as of a publish, in the form of the feed."""
    cases = "\n".join(
        f"when {literal(one.name)} then return query select "
        f"{_shown_id([] if one.own_id else [one.name], literal(one.name), '_seen._entity')}, _seen._from, _seen._to, "
        f"{_key(one)}, to_jsonb(_seen) - {_OWN} from {function(one.name, 'at')}(_shows) _seen;"
        for one in everything
    )
    return _sql("snapshot").format(cases=cases)


def _sql(file: str) -> str:
    return (_FOLDER / f"{file}.sql").read_text(encoding="utf-8")


def fingerprint(everything: Collection[Followed]) -> str:
    """What the statements of :func:`sync_feed` are made from."""
    made = [view_text(everything), _snapshot(everything), *(one.touched for one in everything), _VERSION]
    return hashlib.sha256("\n".join(made).encode()).hexdigest()


_VERSION = "2"
"""Another where the functions are made otherwise of the same."""
_SIGNATURE = "mart_v1.feed_snapshot(text, bigint)"
_VIEWS = ("change_feed", "feed_datasets")
GRANTS = tuple(
    (role, privilege)
    for privilege in (*(f"select on mart_v1.{view}" for view in _VIEWS), f"execute on function {_SIGNATURE}")
    for role in READERS
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
    connection.execute(f"drop function if exists {_SIGNATURE}")
    for one in everything:
        for statement in _functions(connection, one):
            connection.execute(statement)
    connection.execute(f"create view mart_v1.change_feed as {view_text(everything)}")
    names = ", ".join(f"({literal(one.name)})" for one in everything)
    connection.execute(f"create view mart_v1.feed_datasets (dataset) as values {names}")
    connection.execute(_snapshot(everything))
    connection.execute(f"revoke execute on function {_SIGNATURE} from public")
    connection.execute("delete from core.followed")
    with connection.cursor() as cursor:
        cursor.executemany("insert into core.followed values (%s, %s)", [(one.name, one.joined) for one in everything])
    grant(connection, GRANTS)
    connection.execute(f"comment on view mart_v1.change_feed is '{mark}'")
