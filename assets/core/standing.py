"""What each submission stands for: in force, held, repeated, superseded or withdrawn. A pure fold over the set.

Law 2: nothing here depends on the order in which things were processed; only on the set of submissions (each with its
``received_at``, ties broken by hash), the decisions and the contract. A hold names the pair (submission, predecessor in
valid time); a decision names the same pair and lapses when the predecessor is another one.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import groupby
from typing import Any

from assets.intake.ledger import STEWARD
from schemas.contract import Contract
from schemas.vietnam import local_day, written_day


@dataclass(frozen=True)
class Staged:
    """A staged submission as the fold sees it."""

    no: int
    id: str
    sender: str
    period: str
    period_first: date
    period_last: date
    as_of: date
    received_at: datetime
    content: str
    assessment_no: int
    accepted: int = 0
    quarantined: int = 0
    unkeyed: int = 0
    out_of_scope: int = 0
    could_not_run: tuple[str, ...] = ()
    totals_differ: bool = False
    withdraws: str | None = None
    waivers: int = 0
    linked: int = 0
    """Rows without a readable key whose entity is known all the same."""
    cured: int = 0
    """Those of them that speak, since nothing else is wrong with them."""
    statement: bool = False
    """It only takes another one back: no list, not even an empty one."""
    closed_at: datetime | None = None
    """Since when its period is closed (:mod:`.closing`)."""

    @property
    def late(self) -> bool:
        """Whether it was received after its period was closed. At the very moment is in time."""
        return self.after_close_of(self)

    def after_close_of(self, other: Staged) -> bool:
        """Whether it was received after the period of a submission was closed."""
        return other.closed_at is not None and self.received_at > other.closed_at


@dataclass(frozen=True)
class Decision:
    """A decision on a submission; ``predecessor`` is the other half of the pair (None: there was none)."""

    kind: str
    submission_id: str
    predecessor: str | None = None
    decided_at: datetime | None = None


@dataclass(frozen=True)
class Standing:
    """The outcome for one submission. ``ends_nobody``: it has rows without a readable key, so absence proves nothing."""

    no: int
    standing: str
    reasons: tuple[dict[str, Any], ...] = ()
    predecessor_no: int | None = None
    ends_nobody: bool = False
    assessment_no: int = 0
    waivers: int = 0
    linked: int = 0
    cured: int = 0


Ended = Callable[[Staged, Staged], tuple[int, int]]
"""(before, after) -> (keys of *before* that *after* lacks, keys of *before*)."""


def derive(contract: Contract, staged: Iterable[Staged], decisions: Sequence[Decision], ended: Ended) -> list[Standing]:
    """The standing of every staged submission of one dataset."""
    everything = sorted(staged, key=lambda s: (s.sender, s.period_first, s.period_last, s.received_at, s.content, s.id))
    barred = _barred(everything, decisions)
    withdrawn = _taken_back(everything, decisions, barred)
    verdicts: dict[tuple[str, str | None], str] = {}
    for d in sorted((d for d in decisions if d.kind in ("accept", "refuse")), key=_when):
        verdicts[d.submission_id, d.predecessor] = d.kind
    # a correction replaces no list, ends nobody and waits for nobody
    found = [
        Standing(
            s.no, "withdrawn" if s.id in withdrawn else "in_force", ends_nobody=True, assessment_no=s.assessment_no
        )
        for s in everything
        if s.sender == STEWARD
    ]
    for _, of_sender in groupby((s for s in everything if s.sender != STEWARD), key=lambda s: s.sender):
        before: Staged | None = None
        for _, of_period in groupby(of_sender, key=lambda s: (s.period_first, s.period_last)):
            before = _period(contract, list(of_period), before, withdrawn, barred, verdicts, ended, found)
    return found


def taken_back(everything: Sequence[Staged], decisions: Sequence[Decision]) -> set[str]:
    """Ids of what was taken back, by a decision or by a later submission that still stands itself. Out of a closed period only a
    person takes: a submission that came later needs to be accepted."""
    return _taken_back(everything, decisions, _barred(everything, decisions))


def _taken_back(everything: Sequence[Staged], decisions: Sequence[Decision], barred: Collection[str]) -> set[str]:
    decided = {d.submission_id for d in decisions if d.kind == "withdraw"}
    sender_of = {s.id: s.sender for s in everything}
    # a sender may withdraw its own submissions only; an id is a hash, so no two can name each other
    takers: dict[str, list[str]] = {}
    for s in everything:
        if s.withdraws and sender_of.get(s.withdraws) == s.sender and s.id not in barred:
            takers.setdefault(s.withdraws, []).append(s.id)

    def gone(name: str) -> bool:
        return name in decided or any(not gone(taker) for taker in takers.get(name, ()))

    return {s.id for s in everything if gone(s.id)}


def _barred(everything: Sequence[Staged], decisions: Sequence[Decision]) -> dict[str, Staged]:
    """What would take a submission out of a closed period, and nobody has accepted: id -> the submission that it names."""
    takers = [s for s in everything if s.withdraws]
    if not takers:
        return {}
    said = {d.submission_id: d.kind for d in sorted(decisions, key=_when) if d.kind in ("accept", "refuse")}
    by_id = {s.id: s for s in everything}
    return {
        s.id: named
        for s in takers
        if (named := by_id.get(s.withdraws or "")) is not None
        and s.after_close_of(named)
        and said.get(s.id) != "accept"
    }


def _when(decision: Decision) -> str:
    return str(decision.decided_at)


def _period(
    contract: Contract,
    group: list[Staged],
    before: Staged | None,
    withdrawn: set[str],
    barred: Mapping[str, Staged],
    verdicts: dict[tuple[str, str | None], str],
    ended: Ended,
    found: list[Standing],
) -> Staged | None:
    """Fold the submissions of one sender and period, in order of receipt; the one in force at the end."""
    replaces = contract.delivery in ("snapshot", "facts")
    current: Staged | None = None
    outcomes: dict[int, Standing] = {}
    older: dict[str, Staged] = {}
    for s in group:
        base = Standing(
            s.no, "in_force", assessment_no=s.assessment_no, waivers=s.waivers, linked=s.linked, cured=s.cured
        )
        if s.id in withdrawn:
            outcomes[s.no] = replace(base, standing="withdrawn")
            continue
        late_for = s if s.late else barred.get(s.id)
        closed = () if late_for is None else (_closed(late_for),)
        if s.statement:
            waits = s.id in barred
            outcomes[s.no] = (
                replace(base, standing="held", reasons=closed) if waits else replace(base, ends_nobody=True)
            )
            continue
        if current is not None and s.content == current.content:
            reason = {"code": "SAME_AS_IN_FORCE", "params": {"submission": current.id}}
            outcomes[s.no] = replace(base, standing="repeated", reasons=(reason,), predecessor_no=current.no)
            continue
        predecessor = current or before
        decision = verdicts.get((s.id, predecessor.id if predecessor else None))
        accepted = decision == "accept"
        ends_nobody = contract.delivery == "snapshot" and s.unkeyed > s.linked and not accepted
        reasons = [*closed, *_reasons(contract, s, predecessor, older.get(s.content), ends_nobody, ended)]
        if decision == "refuse":
            reasons = [*reasons, {"code": "REFUSED", "params": {}}]
        base = replace(base, predecessor_no=predecessor.no if predecessor else None)
        if reasons and not accepted:
            outcomes[s.no] = replace(base, standing="held", reasons=tuple(reasons))
            continue
        outcomes[s.no] = replace(base, ends_nobody=ends_nobody)
        if current is not None:
            older[current.content] = current
            if replaces:
                outcomes[current.no] = replace(
                    outcomes[current.no], standing="superseded", predecessor_no=s.no, ends_nobody=False
                )
        current = s
    found.extend(outcomes.values())
    return current or before


def _closed(of: Staged) -> dict[str, Any]:
    """Why it came too late: the period that is closed, and the day in Vietnam since when it is."""
    assert of.closed_at is not None
    return {"code": "PERIOD_CLOSED", "params": {"period": of.period, "closed_on": written_day(local_day(of.closed_at))}}


def _reasons(
    contract: Contract, s: Staged, predecessor: Staged | None, older: Staged | None, ends_nobody: bool, ended: Ended
) -> list[dict[str, Any]]:
    """Why the submission is held, as codes with parameters (no values of rows); empty where it is not."""
    reasons: list[dict[str, Any]] = []
    if older is not None:
        reasons.append({"code": "RESEND_OF_OLDER", "params": {"submission": older.id}})
    if not s.period_first <= s.as_of <= s.period_last:
        reasons.append({"code": "AS_OF_OUTSIDE_PERIOD", "params": {"as_of": s.as_of.isoformat(), "period": s.period}})
    reasons.extend({"code": "RULE_COULD_NOT_RUN", "params": {"rule": rule}} for rule in s.could_not_run)
    total = s.accepted + s.quarantined
    if not total and s.out_of_scope:  # a list that names nothing of the sender's own is not a list of nothing
        reasons.append({"code": "NOTHING_OF_ITS_OWN", "params": {"rows": s.out_of_scope}})
    bad = s.quarantined - s.cured
    if total and bad / total > contract.max_bad_share:
        params = {"bad": bad, "total": total, "limit": _percent(contract.max_bad_share)}
        reasons.append({"code": "TOO_MANY_BAD_ROWS", "params": params})
    if s.totals_differ and contract.control_severity == "hold":
        reasons.append({"code": "TOTALS_HOLD", "params": {}})
    if contract.delivery == "snapshot" and predecessor is not None and not ends_nobody:
        gone, before = ended(predecessor, s)
        # one row in place of another one is no share of a list: nothing shows that rows are missing
        one_for_one = before == 1 and total > 0
        if before and not one_for_one and gone / before > contract.max_ended_share:
            params = {"ended": gone, "before": before, "limit": _percent(contract.max_ended_share)}
            reasons.append({"code": "ENDS_TOO_MANY", "params": params})
    return reasons


def _percent(share: float) -> str:
    return f"{share:.0%}"
