"""``lienthong why``: which entity is meant, and the answer as data and on the screen.

Here: the words of the command line and of the table. Not here: finding the reasons (:mod:`assets.core.why`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from .cli_output import Screen, shown
from .report import Unclear, find_contract

if TYPE_CHECKING:
    import psycopg

    from assets.core.trace import Find
    from assets.core.why import Explanation, Said
    from assets.staging.vault import Vault
    from schemas.contract import Column, Contract


def asked(
    connection: psycopg.Connection,
    contracts: dict[str, Contract],
    words: Sequence[str],
    dataset: str | None,
    find: Find,
) -> tuple[Contract, int, str | None]:
    """(contract, entity, column or None) of words such as ``22366`` ``population`` or ``commune_code=22366`` ``village_name=A``.

    Raises :class:`Unclear` where they name none or several.
    """
    pairs = [w.partition("=") for w in words if "=" in w]
    rest = [w for w in words if "=" not in w]
    key = {name: value for name, _, value in pairs}
    known = [contracts[d] for d in _synced(connection) if d in contracts]
    if dataset is not None:
        known = [find_contract(contracts, dataset)]
    if len(key) != len(pairs):
        raise Unclear("a key column is given twice; give each once")
    if key:
        fitting = [c for c in known if set(c.key) == set(key)]
        if not fitting:
            keys = "; ".join(f"{c.dataset} by {' '.join(f'{k}=…' for k in c.key)}" for c in known)
            raise Unclear(f"no dataset has the key {', '.join(key)}; entities are found: {keys}")
        contract, entity = _only(connection, [(c, _entity(c, key, find)) for c in fitting], dataset)
    else:
        if not rest or not rest[0].isascii() or not rest[0].isdecimal() or int(rest[0]) >= 2**63:
            raise Unclear("say which entity: its id as it is published, or KEY=VALUE for each column of its key")
        number = int(rest.pop(0))
        contract, entity = _only(connection, [(c, number) for c in known], dataset)
    if len(rest) > 1:
        raise Unclear(f"{' '.join(rest)}: give one column at most, or none for all of them")
    column = rest[0] if rest else None
    if column is not None and column not in {c.name for c in contract.columns}:
        names = ", ".join(c.name for c in contract.columns)
        raise Unclear(f"{contract.dataset} has no column {column}; there are: {names}")
    return contract, entity, column


def _synced(connection: psycopg.Connection) -> list[str]:
    return [r[0] for r in connection.execute("select dataset from ops.contract order by 1")]


def _entity(contract: Contract, key: Mapping[str, str], find: Find) -> int:
    from assets.core.trace import NotFound, entity_id

    try:
        return entity_id(contract, key, find)
    except NotFound as unknown:
        raise Unclear(str(unknown)) from None


def mask_of(vault: Vault) -> Callable[[Column, Any], Any]:
    """What may be shown of values: of a number that is kept in the vault its mask."""

    def shown_of(column: Column, value: Any) -> Any:
        if not column.vaulted or value is None:
            return value
        import polars as pl

        from schemas.mask import hidden_one

        clear = vault.reveal(pl.Series([value], dtype=pl.Int64))[0]
        return hidden_one(clear) if clear is not None else "(erased)"

    return shown_of


def _only(
    connection: psycopg.Connection, places: Sequence[tuple[Contract, int]], dataset: str | None
) -> tuple[Contract, int]:
    """The only place where there is such an entity."""
    from schemas.migrate import quote

    if dataset is not None:
        return places[0]
    found = [
        (contract, entity)
        for contract, entity in places
        if connection.execute(
            f"(select from core.{quote(contract.dataset)} where entity_id = %s limit 1) union all "
            "(select from core.member where dataset = %s and record = %s limit 1)",
            [entity, contract.dataset, entity],
        ).rowcount
    ]
    if not found:
        raise Unclear(
            "there is no such entity; ids stand in the first column of the views of mart_v1, "
            "and `lienthong trace DATASET --key …` looks for one by its key"
        )
    if len(found) > 1:
        raise Unclear(f"several datasets have it ({', '.join(c.dataset for c, _ in found)}); name one with --dataset")
    return found[0]


def described(explanation: Explanation, column: str | None) -> dict[str, Any]:
    """The explanation as data; of one column only where one is asked for."""
    out = asdict(explanation)
    out["reasons"] = [r for r in out["reasons"] if column in (None, r["attribute"])]
    return out


def show_why(
    screen: Screen,
    contract: Contract,
    explanation: Explanation,
    column: str | None,
    names: Mapping[str, str],
    known: str,
) -> None:
    """Print one line for each column: value, since when, from whom and where, by which rule, what the others say."""
    key = " + ".join(shown(v) for v in explanation.key.values())
    carried = f"; carried on since {explanation.carried_since}" if explanation.carried_since else ""
    screen.say(f"{contract.title}: {key} (entity {explanation.entity_id}), {known}", style="bold")
    screen.say(f"On {explanation.at}: from {explanation.valid_from} to {explanation.valid_to or 'now'}{carried}")
    rows = []
    for reason in explanation.reasons:
        if column not in (None, reason.attribute):
            continue
        others = "\n".join(f"{_who(o, names)}: {shown(o.value)}{_where(o)}" for o in reason.others if not o.agrees)
        agreed = ", ".join(o.sender for o in reason.others if o.agrees)
        said = "\n".join(filter(None, [others, f"the same: {agreed}" if agreed else ""]))
        chosen = f"{_who(reason.chosen, names)}{_where(reason.chosen)}" if reason.chosen else ""
        dispute = f" (disputed since {reason.disputed_since})" if reason.disputed_since else ""
        rows.append([reason.attribute, reason.value, reason.since, chosen, f"{reason.rule}{dispute}", said])
    screen.table(["!Column", "Value", "!Since", "From", "By", "Others say"], rows)


def _who(said: Said, names: Mapping[str, str]) -> str:
    return f"{said.sender} {names.get(said.sender, '')}".strip()


def _where(said: Said) -> str:
    if not said.source:
        return f", as of {said.as_of}"
    sheet = f" “{said.source['sheet']}”" if said.source["sheet"] else ""
    cell = said.source["cell"] or f"row {said.source['row']}"
    carried = ", carried on" if said.carried else ""
    return f" ({said.source['origin']}{sheet} {cell}, {said.source['submission_id']}, as of {said.as_of}{carried})"
