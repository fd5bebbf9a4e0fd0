"""Survivorship: of what several senders say of one entity, which value stands, column by column.

Here: the order of the senders' words for each column, as SQL, and what puts the pieces of time together from them. What a
sender asserts about a day is found before (``spans_*.sql``); who says what instead is kept by :mod:`assets.core.conflicts`.

Words of a piece of time stand in ``_word`` (words.sql): one row per entity, piece and sender, with the sender's whole row.
Its own columns begin with ``_``, since a contract's column may have any other name. Columns that survive together are a
:class:`Unit`; most units are one column. A unit's *keys* are numbers by which words are compared, smallest first; the name
of the first key in which two words differ is the rule by which one of them stands.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import psycopg
from psycopg import sql

from assets.intake.ledger import STEWARD
from schemas.contract import Contract, Survivorship
from schemas.migrate import quote
from schemas.tables import shape

from .statements import statement

TEMPORARY = ("_several", "_word", "_composed")
_UNLISTED = 2147483647
"""Place in an order of precedence of a sender whom it does not name."""

RULES = ("correction", "fuller row", "majority", "precedence", "later as-of", "later receipt")
"""Names of the keys, for people: by which of them a value stands before another."""


@dataclass(frozen=True)
class Unit:
    """Columns that come from one row. ``nulls``: whether a blank is a word too (of the key and the validity it is)."""

    columns: tuple[str, ...]
    rule: Survivorship = "precedence"
    precedence: tuple[str, ...] = ()
    nulls: bool = False


def units(contract: Contract) -> list[Unit]:
    """All columns of the contract, each in one unit: the key, the validity, the groups, then every other by itself."""
    validity = [c for c in (contract.valid_from_column, contract.valid_to_column) if c and c not in contract.key]
    # where records of several keys may be one entity, the key is a value like any other
    found = [] if contract.identity else [Unit(contract.key, precedence=contract.precedence, nulls=True)]
    if validity:
        found.append(Unit(tuple(validity), precedence=contract.precedence, nulls=True))
    taken = {name for unit in found for name in unit.columns}
    groups = [tuple(name for name in group if name not in taken) for group in contract.survivorship_groups]
    taken |= {name for group in groups for name in group}
    groups += [(c.name,) for c in contract.columns if c.name not in taken]
    for group in filter(None, groups):
        first = contract.column(group[0])
        found.append(Unit(group, first.survivorship, first.precedence or contract.precedence))
    return found


def parts(contract: Contract) -> dict[str, str]:
    """SQL that the files of survivorship and conflicts are put together from, over ``_word`` as ``w``.

    rank: the place of the sender ``t`` in the contract's order; votes: what only majorities need, each a column of
    ``_word``; winners, gathered, differing: aggregates over the words of a piece; chosen, carried, same: over these and the
    winners; said: one row per column of a word that can be disputed; said_all: per column.
    """
    types = shape(contract)
    found = units(contract)
    names = [quote(name) for name in types]
    winners = (f"{_first(contract, unit, i)} as _w{i}" for i, unit in enumerate(found))
    place = {name: i for i, unit in enumerate(found) for name in unit.columns}
    disputed = [name for name in types if contract.identity or name not in contract.key]
    differing = (f"case when count(distinct {form(contract, name)}) > 1 then {literal(name)} end" for name in disputed)
    votes = (
        f", count(*) over (partition by p.entity_id, p.at, {', '.join(form(contract, c, 'o.') for c in u.columns)}) as _votes{i}"
        for i, u in enumerate(found)
        if u.rule == "majority"
    )
    texts = (_text(quote(name), kind) for name, kind in types.items())
    return {
        "rank": rank(contract.precedence, "t.sender"),
        "votes": "".join(votes),
        "winners": ",\n           ".join(winners),
        "gathered": ",\n           ".join(f"array_agg({n} order by _n) as {n}" for n in names),
        "differing": ", ".join(differing) or "null",
        "chosen": ", ".join(f"{quote(n)}[_w{place[n]}] as {quote(n)}" for n in types),
        "carried_on": " or ".join(f"coalesce(_carried[_w{i}], false)" for i in range(len(found))),
        "same": " and ".join(f"w.{n} is not distinct from c.{n}" for n in names),
        "digest": f"('x' || left(md5(array[{', '.join(texts)}]::text), 16))::bit(64)::bigint",
        "said": ",\n    ".join(_said(contract, found, place, disputed)),
        "said_all": ",\n    ".join(_said(contract, found, place, list(types))),
    }


def _said(contract: Contract, found: list[Unit], place: dict[str, int], names: list[str]) -> Iterator[str]:
    """Rows of (attribute, value, form, given, keys, rules): what a word ``w`` says of each of the columns."""
    for name in names:
        unit = found[place[name]]
        keyed = keys(contract, unit, place[name])
        column = f"w.{quote(name)}"
        rules = ", ".join(literal(rule) for rule, _ in keyed)
        yield (
            f"({literal(name)}, to_jsonb({column}), ({form(contract, name, 'w.')})::text, {_given(unit)}, "
            f"array[{', '.join(key for _, key in keyed)}]::numeric[], array[{rules}]::text[])"
        )


def keys(contract: Contract, unit: Unit, number: int) -> list[tuple[str, str]]:
    """(rule, SQL) of what a unit's words ``w`` are compared by; the smallest stands."""
    asof, receipt = ("later as-of", "date '2000-01-01' - w._as_of"), ("later receipt", "-w._seq")
    order = [("precedence", rank(unit.precedence, "w._sender"))] if unit.precedence else []
    order = [asof, *order, receipt] if unit.rule == "latest" else [*order, asof, receipt]
    if unit.rule == "majority":
        order.insert(0, ("majority", f"-w._votes{number}"))
    if len(unit.columns) > 1 and not unit.nulls:
        # where the later word counts, an older row is not better for having more in it
        order.insert(int(unit.rule == "latest"), ("fuller row", f"-num_nonnulls({_cells(unit)})"))
    if contract.vaulted:  # a person's values can be corrected, and then that counts before whatever anybody sends
        order.insert(0, ("correction", f"(w._sender <> {literal(STEWARD)})::integer"))
    return order


def rank(precedence: tuple[str, ...], sender: str) -> str:
    """SQL of a sender's place in an order of precedence."""
    if not precedence:
        return str(_UNLISTED)
    return f"coalesce(array_position(array[{', '.join(map(literal, precedence))}]::text[], {sender}), {_UNLISTED})"


def form(contract: Contract, name: str, of: str = "") -> str:
    """SQL of the form in which two values of a column are compared: capitals make no other value of a text."""
    column = contract.column(name)
    text = shape(contract)[name] == "text" and column.semantic_type in ("name", "person_name", "text")
    return f"lower({of}{quote(name)})" if text else f"{of}{quote(name)}"


def literal(text: str) -> str:
    """A text as an SQL literal."""
    return sql.Literal(text).as_string(None)


def _given(unit: Unit) -> str:
    return "true" if unit.nulls else f"num_nonnulls({_cells(unit)}) > 0"


def _cells(unit: Unit) -> str:
    return ", ".join(f"w.{quote(name)}" for name in unit.columns)


def _first(contract: Contract, unit: Unit, number: int) -> str:
    order = f"array[{', '.join(key for _, key in keys(contract, unit, number))}]::numeric[], _n"
    return f"(array_agg(_n order by {order}) filter (where {_given(unit)}))[1]"


def _text(column: str, kind: str) -> str:
    """A value as the digest reads it: the same text whatever the settings of the connection are."""
    if kind == "timestamptz":
        return f"extract(epoch from {column})::text"
    return f"({column} - date '2000-01-01')::text" if kind == "date" else f"{column}::text"


def compose(connection: psycopg.Connection, contract: Contract, names: dict[str, str]) -> bool:
    """Replace in ``_span`` the words about entities of which several senders speak by pieces in which one row stands; whether
    there are any such entities. ``names``: name, o_columns.

    Afterwards ``_word`` and ``_composed`` (a row per piece in which words differ) are there. A piece without a place in
    ``_span`` (home is null) has its values in ``_composed``.
    """
    if not connection.execute(statement("several")).rowcount:
        return False
    given = words(connection, contract, names)
    connection.execute(statement("compose", **given))
    connection.execute("delete from _span s using _several m where m.entity_id = s.entity_id")
    connection.execute(statement("stand", **given))
    return True


def words(connection: psycopg.Connection, contract: Contract, names: dict[str, str]) -> dict[str, str]:
    """Make ``_word`` of what ``_span`` has about the entities in ``_several``; the parts of SQL for what follows."""
    given = names | parts(contract)
    connection.execute(statement("words", **given))
    connection.execute("analyze _word")
    return given
