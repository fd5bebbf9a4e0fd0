"""Contract -> PostgreSQL: the observation table, the history table and the views of a dataset.

Pure functions make the statements (``statements``, ``view_statements``); :func:`sync` runs them on a connection. Additions
happen by themselves; anything else (a column gone, a type changed) is refused with the plan of what would be needed. Not
here: who may read which view (:mod:`schemas.roles`).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any

import psycopg

from .contract import Column, Contract
from .migrate import literal, quote
from .roles import OFFICER, OFFICES, OWN, READERS, STEWARD, grant

SQL_TYPES = {
    "string": "text",
    "integer": "bigint",
    "number": "numeric",
    "date": "date",
    "timestamp": "timestamptz",
    "boolean": "boolean",
}
"""PostgreSQL type of each logical type."""

_VIEWS = Path(__file__).parent / "marts" / "v1"

OBSERVATION = ("_assessment", "_sheet", "_row", "_key", "_value", "_ok")
"""System columns of ``staging.<dataset>``, in COPY order before the contract's columns."""


class ShapeRefused(Exception):
    """The database's table cannot follow the contract by additions alone; ``plan`` says what would be needed."""

    def __init__(self, dataset: str, plan: list[str]) -> None:
        super().__init__(f"{dataset}: the contract changes more than additions: " + "; ".join(plan))
        self.plan = plan


def shape(contract: Contract) -> dict[str, str]:
    """Column name -> SQL type, in the contract's order; of a column in the vault the subject that stands for its value."""
    return {c.name: "bigint" if c.vaulted else SQL_TYPES[c.logical_type] for c in contract.columns}


def published_columns(contract: Contract) -> list[Column]:
    """Columns that the default view shows: personal ones (P2, P3) are not among them."""
    return [c for c in contract.columns if not c.personal]


def statements(contract: Contract) -> list[str]:
    """DDL that creates both tables of a dataset where they are absent."""
    name = quote(contract.dataset)
    columns = ", ".join(f"{quote(c)} {t}" for c, t in shape(contract).items())
    return [
        f"create table if not exists staging.{name} (_assessment bigint not null, _sheet smallint not null, "
        f"_row integer not null, _key bigint, _value bigint not null, _ok boolean not null, {columns})",
        f"create table if not exists core.{name} (entity_id bigint not null, valid_from date not null, valid_to date, "
        f"publish_from bigint not null, publish_to bigint, value_hash bigint not null, carried_since date, {columns}, "
        f"check (valid_to > valid_from))",
    ]


INDEXES = {
    "staging_key": "create index if not exists {staging_key} on staging.{name} (_key)",
    "staging_place": "create index if not exists {staging_place} on staging.{name} (_assessment, _sheet, _row)",
    "core_entity": "create unique index if not exists {core_entity} on core.{name} (entity_id, valid_from, publish_from)",
    "core_opened": "create index if not exists {core_opened} on core.{name} using brin (publish_from)",
    "core_from": "create index if not exists {core_from} on core.{name} (valid_from)",
    "core_closed": "create index if not exists {core_closed} on core.{name} (publish_to) where publish_to is not null",
}
"""Indexes of a dataset. They are built after a first bulk load rather than fed by it: random keys into a live b-tree
are what makes a load slow (pitfalls.md, "Where the time goes")."""


_JOINED_BY = re.compile(r"^-- changes with core\.\w+ \w+: .*\bh\.(\w+)", re.MULTILINE)


def _indexes(contract: Contract, floor: str) -> dict[str, str]:
    """Name of each index of one floor, and its DDL: those of every dataset, and one for each column by which the dataset's own view
    joins other tables."""
    found = {k: text for k, text in INDEXES.items() if k.startswith(floor)}
    if floor == "core":
        for column in _JOINED_BY.findall(history_text(contract)):
            # with the number of the publish: else the planner adds the block range index on it, which costs more than the rows
            kind = f"core_{column}"
            found[kind] = f"create index if not exists {{{kind}}} on core.{{name}} ({quote(column)}, publish_from)"
    names = {k: quote(f"{contract.dataset}_{k}") for k in found}
    return {names[k]: text.format(name=quote(contract.dataset), **names) for k, text in found.items()}


def index_statements(contract: Contract, *, floor: str) -> list[str]:
    """DDL of the indexes of one floor's table ('staging' or 'core')."""
    return [*_indexes(contract, floor).values()]


def ensure_indexes(connection: psycopg.Connection, contract: Contract, *, floor: str) -> None:
    """Build the indexes of one floor that are missing, within the caller's transaction.

    Where none is, nothing is locked: 'if not exists' would lock the table against writers first, and two runs that
    stage at once would each wait for the other.
    """
    names = [f"{floor}.{name}" for name in _indexes(contract, floor)]
    row = connection.execute(
        "select bool_and(to_regclass(n) is not null) from unnest(%s::text[]) n", [names]
    ).fetchone()
    if row is not None and row[0]:
        return
    # one builder at a time, who may then go on and write
    connection.execute(f"lock table {floor}.{quote(contract.dataset)} in share row exclusive mode")
    for statement in index_statements(contract, floor=floor):
        connection.execute(statement)


def _rows_view(contract: Contract) -> str:
    """All rows of every assessment: its own, and those that it has in common with its base."""
    name, rows = quote(contract.dataset), quote(contract.dataset + "_rows")
    columns = ", ".join(f"o.{quote(c.name)}" for c in contract.columns)
    return (
        f"create or replace view staging.{rows} as "
        f"select o._assessment, o._assessment as _home, o._sheet, o._row, o._row as _home_row, o._key, o._value, o._ok, {columns} "
        f"from staging.{name} o "
        f"union all "
        f"select a.assessment_no, o._assessment, o._sheet, o._row + coalesce((select s.shift from staging.shift s "
        f"where s.assessment_no = a.assessment_no and s.sheet = o._sheet and s.first <= o._row order by s.first desc limit 1), 0), "
        f"o._row, o._key, o._value, o._ok, {columns} "
        f"from intake.assessment a join staging.{name} o on o._assessment = a.base_assessment "
        f"where not exists (select from staging.dropped d where d.assessment_no = a.assessment_no "
        f"and d.sheet = o._sheet and d.row = o._row)"
    )


def is_personal(contract: Contract) -> bool:
    """Whether it has personal columns (P2, P3), and so a masked view and a steward's."""
    return len(published_columns(contract)) < len(contract.columns)


def views(contract: Contract) -> dict[str, tuple[str, ...]]:
    """Kind of view (default, masked, clear, own) -> its names with their schema, that of all versions first. Personal ones are for
    contracts with personal columns only."""
    name = contract.dataset
    kinds = {
        "default": ("mart_v1", name), "masked": ("mart_v1", f"{name}_masked"), "clear": ("vault", name),
        "own": ("mart_v1", f"own_{name}"),
    }  # fmt: skip
    return {
        kind: (f"{schema}.{quote(view + '_history')}", f"{schema}.{quote(view)}")
        for kind, (schema, view) in kinds.items()
        if kind == "default" or (own_columns(contract) if kind == "own" else is_personal(contract))
    }


def own_columns(contract: Contract) -> list[str]:
    """Columns that say whose a row is: the commune's that the contract names as its scope, and the organisation's. None: the
    dataset has no rows of anybody's own."""
    found = [contract.scope_column] if contract.scope_column is not None else []
    organization = "organizations.organization_code"
    return found + [c.name for c in contract.columns if c.references == organization and c.name != "parent_code"]


def view_statements(contract: Contract, folder: Path = _VIEWS) -> list[str]:
    """The views that people and apps read. The default ones are generated, or the text of ``<view>.sql`` in the folder where
    there is one; those for people who may see more of a person are always generated from the classification."""
    found = []
    for kind, (history, current) in views(contract).items():
        for view, text in ((history, _history(contract, kind)), (current, _current(contract, history))):
            own = folder / f"{contract.dataset}{'_history' if view == history else ''}.sql"
            body = own.read_text(encoding="utf-8") if kind == "default" and own.exists() else text
            # what a reader's own functions are asked about is what the view shows, never the rows beneath it
            barrier = "" if kind == "default" else "with (security_barrier) "
            found.append(f"create or replace view {view} {barrier}as {body.strip().rstrip(';')}")
    return found


def history_text(contract: Contract, folder: Path = _VIEWS) -> str:
    """The select of the default view of all versions: generated, or the text of its file."""
    own = folder / f"{contract.dataset}_history.sql"
    return own.read_text(encoding="utf-8") if own.exists() else _history(contract, "default")


def _history(contract: Contract, kind: str) -> str:
    """All versions that the publish shown now has, with the columns that a kind of view shows."""
    # own rows are shown as an officer sees them
    shown = {"default": published_columns(contract), "clear": contract.columns}.get(
        kind, [c for c in contract.columns if c.classification != "P3"]
    )
    columns = [f"h.{quote(c.name)}" for c in shown]
    joins = ""
    if kind != "default":
        columns = [f"{_clear(c) if kind == 'clear' else _masked(c)} as {quote(c.name)}" for c in shown]
        joins = "".join(
            f"left join vault.identifier {quote('_' + c.name)} on {quote('_' + c.name)}.subject = h.{quote(c.name)} "
            for c in shown
            if c.vaulted
        )
    return (
        f"select h.entity_id as {quote(contract.entity_id)}, {', '.join(columns)}, h.valid_from, h.valid_to, h.carried_since "
        f"from core.{quote(contract.dataset)} h {joins}cross join core.pointer p "
        f"where h.publish_from <= p.shows and (h.publish_to is null or h.publish_to > p.shows)"
        + (f" and (select vault.opened({literal(contract.dataset)}))" if kind == "clear" else "")
        + (f" and ({_own(contract)})" if kind == "own" else "")
    )


def _own(contract: Contract) -> str:
    """SQL: the row of the version ``h`` is one of the reader's own. Asked once a statement, not once a row."""
    return " or ".join(f"h.{quote(name)} = any ((select ops.own_units())::text[])" for name in own_columns(contract))


def _current(contract: Contract, history: str) -> str:
    if contract.delivery == "facts" or contract.valid_time == "period":  # what is past is no less true
        return f"select * from {history} h"
    return (
        f"select * from {history} h "
        f"where h.valid_from <= (now() at time zone 'Asia/Ho_Chi_Minh')::date "
        f"and (h.valid_to is null or h.valid_to > (now() at time zone 'Asia/Ho_Chi_Minh')::date)"
    )


def _clear(column: Column) -> str:
    return f"{quote('_' + column.name)}.value" if column.vaulted else f"h.{quote(column.name)}"


def _masked(column: Column) -> str:
    """What an officer sees of a column: as much of a personal value as tells two people of one list apart."""
    value = f"h.{quote(column.name)}"
    if column.classification in ("P0", "P1"):
        return value
    if column.vaulted:
        return f"vault.mask({_clear(column)})"
    if column.semantic_type == "person_name":
        return f"vault.initials({value})"
    if column.logical_type in ("date", "timestamp"):
        return f"extract(year from {value})::integer"
    return f"case when {value} is not null then '***' end"


def grant_statements(contract: Contract) -> list[tuple[str, str]]:
    """(role, privilege) of who may read which view; nothing else of a dataset is granted to anybody."""
    readers = {"default": READERS, "masked": (OFFICER, STEWARD), "clear": (STEWARD,), "own": OWN}
    return [
        (role, f"select on {view}")
        for kind, names in views(contract).items()
        for role in readers[kind]
        for view in names
    ]


def combined(folder: Path = _VIEWS / "combined") -> dict[str, tuple[frozenset[str], str]]:
    """The views over several datasets: name -> the datasets that it reads (first line of its file, ``-- of: a, b``), its text.

    They read ``core`` by the pointer, not each other's views, so that these can be made anew beneath them."""
    found = {}
    for path in sorted(folder.glob("*.sql")):
        text = path.read_text(encoding="utf-8")
        first = text.partition("\n")[0]
        if not first.startswith("-- of: "):
            raise ValueError(
                f"{path.name}: the first line must say which datasets it reads, as '-- of: population, unit_shares'"
            )
        found[path.stem] = (frozenset(first.removeprefix("-- of: ").split(", ")), text)
    return found


def sync_combined(connection: psycopg.Connection, datasets: Collection[str]) -> None:
    """Make the views over several datasets whose tables are all there, within the caller's transaction; aggregates of no person,
    for every reader."""
    for name, (wanted, text) in combined().items():
        if not wanted <= set(datasets):
            continue
        sync_view(connection, f"mart_v1.{quote(name)}", text, OFFICES)


def sync_view(connection: psycopg.Connection, view: str, text: str, readers: Iterable[str]) -> bool:
    """Make a view (quoted, with its schema) be a select, for some roles, within the caller's transaction; whether it was another.
    Its comment says which it is. A security barrier: a reader's own function is asked about no row that the view leaves out."""
    mark = hashlib.sha256(f"security_barrier {text}".encode()).hexdigest()
    row = connection.execute("select obj_description(to_regclass(%s), 'pg_class')", [view]).fetchone()
    if row is not None and row[0] == mark:
        return False
    connection.execute("select pg_advisory_xact_lock(hashtext('lienthong.contract'))")
    connection.execute(f"drop view if exists {view}")
    connection.execute(f"create view {view} with (security_barrier) as {text.strip().rstrip(';')}")
    connection.execute(f"comment on view {view} is '{mark}'")
    grant(connection, [(role, f"select on {view}") for role in readers])
    return True


def sync(connection: psycopg.Connection, contract: Contract) -> None:
    """Make the tables and views of a dataset follow its contract, within the caller's transaction.

    Raises :class:`ShapeRefused` where more than additions would be needed.
    """
    wanted = shape(contract)
    made = [_rows_view(contract), *view_statements(contract)]
    view_hash = hashlib.sha256("\n".join([*made, *map(str, grant_statements(contract))]).encode()).hexdigest()
    known = connection.execute(
        "select shape, view_hash, version from ops.contract where dataset = %s", [contract.dataset]
    )
    row = known.fetchone()
    if row is not None and row == (wanted, view_hash, contract.version):
        return
    connection.execute("select pg_advisory_xact_lock(hashtext('lienthong.contract'))")
    before: dict[str, Any] = row[0] if row is not None else {}
    plan = [f"column {c} is gone" for c in before if c not in wanted]
    plan += [f"column {c} was {before[c]}, is {t}" for c, t in wanted.items() if c in before and before[c] != t]
    if plan:
        raise ShapeRefused(contract.dataset, plan)
    for statement in statements(contract):
        connection.execute(statement)
    added = [c for c in wanted if before and c not in before]
    for floor in ("staging", "core"):
        for column in added:
            connection.execute(
                f"alter table {floor}.{quote(contract.dataset)} add column if not exists {quote(column)} {wanted[column]}"
            )
    if added or row is None or row[1] != view_hash:
        # a view's columns cannot be reordered in place; nothing of ours depends on these but each other
        name = contract.dataset
        for schema, view in (
            ("mart_v1", name), ("mart_v1", f"{name}_masked"), ("vault", name), ("mart_v1", f"own_{name}"),
        ):  # fmt: skip
            connection.execute(f"drop view if exists {schema}.{quote(view)}")
            connection.execute(f"drop view if exists {schema}.{quote(view + '_history')}")
        connection.execute(f"drop view if exists staging.{quote(name + '_rows')}")
    for statement in made:
        connection.execute(statement)
    grant(connection, grant_statements(contract))
    connection.execute(
        "insert into ops.contract (dataset, version, shape, view_hash) values (%s, %s, %s, %s) on conflict (dataset) do update "
        "set version = excluded.version, shape = excluded.shape, view_hash = excluded.view_hash, synced_at = now()",
        [contract.dataset, contract.version, psycopg.types.json.Jsonb(wanted), view_hash],
    )
