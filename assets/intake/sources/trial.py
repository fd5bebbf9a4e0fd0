"""Trying a source: what is wrong with it, and the remedy, before anything is taken. Reads a few rows at most and writes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from assets.intake.headers import match_headers
from assets.intake.workbook import letters
from schemas.contract import Contract
from schemas.sources import InboxSource, NoSecret, RestSource, Source, SqlSource

from .base import News, PullFailed, Taking
from .pull import check_fit, unmarked_text

_SECONDS = 30


@dataclass(frozen=True)
class Tried:
    """What a trial came to. ``faults``: (kind, remedy) of what must be mended; ``remarks``: what should be looked at; ``columns``
    of the source; ``rows`` (files, of an inbox) that were seen."""

    source: str
    kind: str
    faults: Sequence[tuple[str, str]] = ()
    remarks: Sequence[str] = ()
    columns: Sequence[str] = ()
    rows: int = 0


def try_source(source: Source, contract: Contract | None, pause: float = 0.5) -> Tried:
    """Reach the source, look at its columns and its first rows."""
    limits = source.spec.limits
    within = {"seconds": min(limits.seconds, _SECONDS), "wait": min(limits.wait, _SECONDS)}
    taking = Taking(limits.model_copy(update=within))
    tried = Tried(source.id, source.spec.kind)
    try:
        if isinstance(source.spec, InboxSource):
            return _inbox(source, tried)
        assert contract is not None
        check_fit(source, contract)
        if isinstance(source.spec, RestSource):
            tried = _rest(source, source.spec, tried, taking, pause)
        else:
            tried = _sql(source, source.spec, tried, taking)
    except (PullFailed, NoSecret) as error:
        fault = error.fault if isinstance(error, PullFailed) else "NO_SECRET"
        remedy = error.remedy if isinstance(error, PullFailed) else str(error)
        return replace(tried, faults=[*tried.faults, (fault, remedy)])
    return _headers(tried, contract)


def _headers(tried: Tried, contract: Contract) -> Tried:
    """Whether the columns answer to the contract, as headers of a sheet would."""
    if not tried.columns:
        return replace(tried, remarks=[*tried.remarks, "it has no rows, so that its columns could not be looked at"])
    headers = {letters(n): [name] for n, name in enumerate(tried.columns, 1)}
    match = next(iter(match_headers(headers, [contract])), None)
    missing = match.missing if match is not None else [c for c in contract.columns if c.required]
    faults = [
        (
            "MISSING_HEADER",
            f"no column answers to {c.name} ({c.label}); name it so in a view: one of its synonyms will do",
        )
        for c in missing
    ]
    return replace(tried, faults=[*tried.faults, *faults])


def _sql(source: Source, spec: SqlSource, tried: Tried, taking: Taking) -> Tried:
    from .sql import opened

    with opened(source, taking) as database:
        columns = list(database.kinds())
        remarks, faults = [], []
        how = spec.incremental
        if how is not None and how.column not in columns:
            faults.append(("NO_WATERMARK", f"there is no column {how.column}; mend incremental.column"))
        elif how is not None and not database.indexed(how.column):
            remarks.append(f"no index is known to begin with {how.column}: each pull may read the whole table")
        elif how is None and not database.keys():
            remarks.append("the table has no primary key; write order_by, or equal contents may look different")
        if how is not None and not faults and (unmarked := database.unmarked(how.column)):
            remarks.append(unmarked_text(unmarked, how.column))
        first = () if faults else next(iter(database.batches(News(how, None), taking, size=5)), ())
    return replace(tried, columns=columns, remarks=remarks, faults=faults, rows=len(first))


def _rest(source: Source, spec: RestSource, tried: Tried, taking: Taking, pause: float) -> Tried:
    from . import rest

    first = next(iter(rest.batches(source, News(spec.incremental, None), taking, pause)), ())
    columns = list(dict.fromkeys(key for row in first for key in row))
    faults = []
    if spec.incremental is not None and first and spec.incremental.column not in columns:
        faults.append(("NO_WATERMARK", f"the records have no {spec.incremental.column}; mend incremental.column"))
    remarks = []
    if spec.incremental is not None and not faults:
        column = spec.incremental.column
        if unmarked := sum(row.get(column) is None for row in first):
            remarks.append(unmarked_text(unmarked, column))
    return replace(tried, columns=columns, faults=faults, remarks=remarks, rows=len(first))


def _inbox(source: Source, tried: Tried) -> Tried:
    from .folder import place_of, seen_in

    seen = seen_in(place_of(source), 0)
    remarks = [f"the folder {folder} cannot be read; ask for the right to read it" for folder in seen.unreadable]
    return replace(tried, rows=len(seen.arrived), remarks=remarks)
