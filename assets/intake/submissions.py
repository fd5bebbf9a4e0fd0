"""From a delivery to its submissions: what was found in it, whose it is, for which period, as of which day.

Everything here is about one delivery and needs no database: it ends in :class:`Found` (a table that may be staged) or in
a :class:`Refusal` with a code. What needs other submissions (holds, replacements) is derived later, from the set.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from schemas import messages
from schemas.codes import CODES
from schemas.contract import Contract
from schemas.grid import FoundTable, Grid, Problem, Unreadable
from schemas.periods import Period, as_kind, parse_period, period_of

from .inbox import submission_id
from .ledger import Delivery
from .sheet_periods import meant
from .tables import find_tables


@dataclass(frozen=True)
class SenderInfo:
    """A sender of the reference data."""

    code: str
    name: str
    kind: str
    commune_code: str | None = None


@dataclass
class Found:
    """A submission that may be staged."""

    delivery: Delivery
    contract: Contract
    sender: SenderInfo
    period: Period
    as_of: date
    as_of_source: str
    table: FoundTable
    problems: list[Problem] = field(default_factory=list)
    part: str | None = None
    """Of several submissions of one dataset in a delivery: the period that tells this one from the others."""

    @property
    def submission_id(self) -> str:
        """Its name in the ledger."""
        return submission_id(self.delivery.delivery_id, self.contract.dataset, self.part)


@dataclass
class Refusal:
    """A submission, or a whole delivery (``dataset`` None), that is rejected, and why."""

    delivery: Delivery
    dataset: str | None
    problems: list[Problem]
    period: Period | None = None
    table: FoundTable | None = None
    part: str | None = None

    @property
    def submission_id(self) -> str:
        """Its name in the ledger."""
        return submission_id(self.delivery.delivery_id, self.dataset, self.part)


Content = tuple[list[Grid], list[Problem]] | Unreadable
"""What parsing made of a delivery's bytes: sheets with what is to be said about them, or why there are none."""


def to_parse(delivery: Delivery, senders: Mapping[str, SenderInfo]) -> bool:
    """Whether a delivery's bytes are looked into: not where its place refuses it or its sidecar says all."""
    return not delivery.problems and delivery.sender in senders and not speaks_alone(delivery)


def submissions_in(
    delivery: Delivery, content: Content, contracts: Mapping[str, Contract], senders: Mapping[str, SenderInfo]
) -> list[Found | Refusal]:
    """All submissions in a delivery. Never raises for what the sender did: that becomes a refusal.

    ``content`` counts only where the delivery is :func:`to_parse`.
    """
    problems: list[Problem] = []
    try:
        sender = check_sender(delivery, senders)
        if not delivery.sidecar.get("dataset") and speaks_alone(delivery):
            raise Unreadable("BAD_SIDECAR", detail=messages.text("detail", "no_dataset"))
        if speaks_alone(delivery):
            content = [], []
        elif isinstance(content, Unreadable):
            raise content
        grids, problems = content
        wanted = wanted_contracts(delivery, contracts)
        tables = (
            find_tables(grids, list(wanted.values()), delivery.sidecar.get("dataset"), delivery.period)
            if grids
            else [_empty(delivery)]
        )
    except Unreadable as refused:
        return [Refusal(delivery, refused.problem.params.get("dataset"), why_refused(refused.problem, problems))]
    found: list[Found | Refusal] = []
    for dataset in dict.fromkeys(t.dataset for t in tables):
        read = meant(contracts[dataset], delivery.period, [t for t in tables if t.dataset == dataset])
        for one in read:
            part = one.table.period if len(read) > 1 else None
            found.append(submission_of(delivery, sender, contracts[dataset], one.table, problems, one.said, part))
    return found


def why_refused(refused: Problem, notes: Sequence[Problem]) -> list[Problem]:
    """What is said of a delivery without a table: the encoding, where that is why no header was known."""
    undecided = any(note.code == "ENCODING_UNDECIDED" and note.params["whole"] for note in notes)
    return [Problem("NOT_UTF8") if undecided and refused.code in ("UNKNOWN_DATASET", "MISSING_HEADER") else refused]


def check_sender(delivery: Delivery, senders: Mapping[str, SenderInfo]) -> SenderInfo:
    """The delivery's sender; raises :class:`Unreadable` where the inbox or the folder made it unusable."""
    if delivery.problems:
        first = delivery.problems[0]
        raise Unreadable(first.code, **first.params)
    sender = senders.get(delivery.sender)
    if sender is None:
        raise Unreadable("UNKNOWN_SENDER", sender=delivery.sender)
    return sender


def may_send(contract: Contract, sender: SenderInfo, named: Sequence[str] | None = None) -> bool:
    """Whether the contract names the sender, by code or by group, among its senders or ``named`` of them."""
    groups = {"any", "communes" if sender.kind == "commune" else "departments", sender.code}
    return bool(groups & set(contract.senders if named is None else named))


def submission_of(
    delivery: Delivery,
    sender: SenderInfo,
    contract: Contract,
    table: FoundTable,
    problems: Sequence[Problem],
    said_period: Period | None = None,
    part: str | None = None,
) -> Found | Refusal:
    """Decide sender, period and as-of date of a table that was found; a :class:`Refusal` where one of them is wrong.

    ``said_period``: what its sheets say; its last day is the as-of date where none is stated, and it is the period where
    the folder's is too coarse. ``part``: see :class:`Found`.
    """
    said = [*problems, *table.problems]
    if not may_send(contract, sender):
        refused = Problem("NOT_A_SENDER", {"sender": sender.code, "dataset": contract.dataset})
        return Refusal(delivery, contract.dataset, [refused, *said], table=table, part=part)
    stated = _stated(delivery, table) or (said_period.last if said_period else None)
    period = _period(delivery.period, contract, stated)
    if period is None:
        refused = Problem("UNKNOWN_PERIOD", {"period": delivery.period, "dataset": contract.dataset})
        return Refusal(delivery, contract.dataset, [refused, *said], table=table, part=part)
    errors = [p for p in said if CODES[p.code].severity == "error"]
    ticked = any(p.code == "NOTHING_TO_REPORT" for p in said)
    meant = ticked or delivery.sidecar.get("nothing_to_report") or speaks_alone(delivery)
    if table.rows.is_empty() and not meant and not errors:
        errors = [Problem("NO_DATA_ROWS")]
        said = [*errors, *said]
    if errors:
        return Refusal(delivery, contract.dataset, said, period, table, part)
    day = stated or period.last
    source = "period" if stated is None else "sidecar" if "as_of" in delivery.sidecar else "sheet"
    return Found(delivery, contract, sender, period, day, source, table, said, part)


def _stated(delivery: Delivery, table: FoundTable) -> date | None:
    said = delivery.sidecar.get("as_of")
    return date.fromisoformat(said) if said else table.stated_as_of


def _period(label: str, contract: Contract, stated: date | None) -> Period | None:
    """The contract's own period that the folder's label means; a coarser label is understood with the stated date."""
    try:
        named = parse_period(label, contract.calendar)
    except ValueError:
        return None
    found = as_kind(named, contract.period_type, contract.calendar)
    if found is None and stated is not None and named.contains(stated):
        found = period_of(stated, contract.period_type, contract.calendar)
    return found


def speaks_alone(delivery: Delivery) -> bool:
    """Whether the delivery is a sidecar without a file: a statement that there is nothing to report, or a withdrawal."""
    name = delivery.file_name.lower()
    return name.endswith(".yaml") and bool(
        delivery.sidecar.get("nothing_to_report") or delivery.sidecar.get("withdraws")
    )


def wanted_contracts(delivery: Delivery, contracts: Mapping[str, Contract]) -> Mapping[str, Contract]:
    """The contract that the sidecar names, or all; raises :class:`Unreadable` where it names none of ours."""
    dataset = delivery.sidecar.get("dataset")
    if dataset is None:
        return contracts
    if dataset not in contracts:
        raise Unreadable("BAD_SIDECAR", detail=messages.text("detail", "datasets", names=", ".join(sorted(contracts))))
    return {dataset: contracts[dataset]}


def _empty(delivery: Delivery) -> FoundTable:
    import polars as pl

    rows = pl.DataFrame(schema={"_sheet": pl.Int16, "_row": pl.Int32})
    aside = pl.DataFrame(schema={"_sheet": pl.Int16, "_row": pl.Int32, "reason": pl.String, "text": pl.String})
    return FoundTable(str(delivery.sidecar["dataset"]), rows, aside, [], 0)
