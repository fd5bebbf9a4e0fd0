"""``lienthong trace``: the answer as data and on the screen, with the sender's own cells read again from the archive.

Here: putting the answer of :mod:`assets.core.trace` beside the bytes that the archive keeps. Not here: finding it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from schemas.grid import KIND, Unreadable
from schemas.mask import hidden_one, without_numbers

from .cli_output import Screen, shown
from .report import Unclear

if TYPE_CHECKING:
    from assets.core.trace import Version
    from assets.intake.archive import Archive
    from assets.intake.limits import Limits
    from schemas.contract import Column, Contract

_LARGEST = 16 << 20
"""Bytes of a file that is still read again whole to show its cells."""


def parse_key(contract: Contract, given: Sequence[str]) -> dict[str, str]:
    """``name=value`` pairs of the key's columns; raises :class:`Unclear`."""
    key = {}
    for pair in given:
        name, equals, value = pair.partition("=")
        if not equals or name not in contract.key:
            wanted = " ".join(f"--key {c}=…" for c in contract.key)
            raise Unclear(f"--key {pair}: {contract.dataset} is found by {wanted}")
        key[name] = value
    return key


def described(
    contract: Contract, archive: Archive, versions: Sequence[Version], limits: Limits
) -> list[dict[str, Any]]:
    """Versions as data: entity_id, valid_from, valid_to, carried_since, sources, and columns [{column, label, value,
    cell, raw, source}].

    ``cell`` and ``raw`` are of the first source that gives the column, ``source`` is its place in ``sources``; ``raw`` is None
    where the file has no such cell, is too large to be read again, or is no longer kept; the source then has ``destroyed``
    {at, why} where it was destroyed.
    """
    from assets.intake.archive import Destroyed

    files: dict[tuple[str, str], dict[str, Any]] = {}
    out = []
    for version in versions:
        origins = {
            c.name: next((n for n, s in enumerate(version.sources) if c.name in s["cells"]), None)
            for c in contract.columns
        }
        raws: dict[int, dict[str, str]] = {}
        for n in sorted({n for n in origins.values() if n is not None}):
            source = version.sources[n]
            try:
                raws[n] = cells(archive, source, files, limits)
            except Destroyed as gone:
                raws[n], source["destroyed"] = {}, {"at": gone.at.date(), "why": gone.why}
        places = {c: version.sources[n]["cells"][c] if n is not None else "" for c, n in origins.items()}
        out.append({
            "entity_id": version.entity_id,
            "valid_from": version.valid_from,
            "valid_to": version.valid_to,
            "carried_since": version.carried_since,
            "columns": [
                {
                    "column": c.name,
                    "label": c.label,
                    "value": version.values[c.name],
                    "cell": places[c.name],
                    "raw": _shown(c, raws.get(origins[c.name] or 0, {}).get(places[c.name])),
                    "source": origins[c.name],
                }
                for c in contract.columns
            ],
            "sources": version.sources,
        })  # fmt: skip
    return out


def _shown(column: Column, raw: str | None) -> str | None:
    """The text of a cell as it may be shown to who traces a value: of what is kept in the vault, the mask."""
    return hidden_one(raw) if column.vaulted and raw is not None else raw


def cells(
    archive: Archive, source: Mapping[str, Any], files: dict[tuple[str, str], dict[str, Any]], limits: Limits
) -> dict[str, str]:
    """The texts of the source's row by address, from the archived bytes."""
    place = source["sha256"], source["file_name"]
    if place not in files:
        with suppress(FileNotFoundError, Unreadable):
            if archive.fs.size(archive.path(source["sha256"])) <= _LARGEST:
                from assets.intake.reader import read_apart

                grids, _ = read_apart(archive.read(source["sha256"]), source["file_name"], limits)
                # of a list of people the ledger has the names of sheets without numbers
                files[place] = {name: grid.frame for grid in grids for name in (without_numbers(grid.name), grid.name)}
    frame = files.setdefault(place, {}).get(source["sheet"])
    if frame is None:
        return {}
    found = frame.filter(frame["_row"] == source["row"])
    if found.is_empty():
        return {}
    row = found.row(0, named=True)
    texts = {letter: text for letter, text in row.items() if not letter.endswith(KIND) and text is not None}
    return {f"{letter}{source['row']}": text for letter, text in texts.items()}


def show_trace(screen: Screen, contract: Contract, versions: Sequence[Mapping[str, Any]], known: str) -> None:
    """Print versions, each with its values, cells and sources."""
    key = " + ".join(shown(c["value"]) for c in versions[0]["columns"] if c["column"] in contract.key)
    screen.say(f"{contract.title}: {key} (entity {versions[0]['entity_id']}), {known}", style="bold")
    for version in versions:
        carried = f"; carried on since {version['carried_since']}" if version["carried_since"] else ""
        screen.say(f"From {version['valid_from']} to {version['valid_to'] or 'now'}{carried}")
        sources = version["sources"]
        for source, words in zip(sources, ["from", *["also said by"] * len(sources)], strict=False):
            sheet = f" · sheet “{source['sheet']}”" if source["sheet"] else ""
            screen.say(
                f"  {words} {source['origin']}{sheet} · row {source['row']} · submission {source['submission_id']} "
                f"of {source['sender']} ({source['standing'].replace('_', ' ')}), as of {source['as_of']}"
            )
            if gone := source.get("destroyed"):
                screen.say(f"    the file was destroyed on {gone['at']} because {gone['why']}")
        rows = [[c["column"], c["value"], c["cell"], c["raw"]] for c in version["columns"]]
        if len({c["source"] for c in version["columns"]} - {None}) > 1:  # composed: each value with its sender
            said = [sources[c["source"]]["sender"] if c["source"] is not None else "" for c in version["columns"]]
            rows = [[*row[:2], sender, *row[2:]] for row, sender in zip(rows, said, strict=True)]
            screen.table(["!Column", "Value", "!Sender", "!Cell", "In the file"], rows)
        else:
            screen.table(["!Column", "Value", "!Cell", "In the file"], rows)
