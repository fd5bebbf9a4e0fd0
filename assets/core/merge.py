"""Merge: from the set of staged submissions to the history of entities, for the keys that changed since the last publish.

Runs in the caller's transaction under an open publish number. Standings are derived anew (:mod:`assets.core.standing`);
where one of them changed, the entities it speaks of are derived anew from everything in force, and only what differs from
the last publish is written. So the result is a function of the set, whatever the order or number of runs.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import pairwise
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from assets.intake.ledger import STEWARD
from assets.staging.vault import Vault
from schemas.contract import Contract
from schemas.migrate import quote
from schemas.tables import index_statements

from . import conflicts, mentions, succession, survivorship
from .decided import hold_decisions
from .identity import Identified, identify
from .standing import Decision, Staged, Standing, derive, taken_back
from .statements import statement

_NO_ABSENCE = (
    "select null::bigint as entity_id, null::text as sender, null::date as as_of, null::numeric as seq, null::text as state, "
    "null::bigint as home, null::smallint as sheet, null::integer as row, null::bigint as value where false"
)

_TEMPORARY = ("_touched", "_record", "_force", "_shadow", "_waived", "_hit", "_event", "_span", "_desired")


@dataclass
class Merged:
    """What a merge did to one dataset: numbers of versions and of submissions whose standing changed."""

    dataset: str
    standings_changed: int = 0
    identities_changed: int = 0
    successions_changed: int = 0
    entities: int = 0
    opened: int = 0
    closed: int = 0
    disputed: int = 0
    settled: int = 0
    """Conflicts between senders that began, and that ended."""

    @property
    def changed(self) -> bool:
        """Whether anything at all is different from the last publish."""
        return any(
            (
                self.standings_changed,
                self.identities_changed,
                self.successions_changed,
                self.opened,
                self.closed,
                self.disputed,
                self.settled,
            )
        )


def current_standings(connection: psycopg.Connection, dataset: str) -> dict[int, Standing]:
    """Standings as last derived, by submission number."""
    rows = connection.execute(
        "select submission_no, standing, reasons, predecessor_no, ends_nobody, assessment_no, waivers, linked, cured "
        "from core.standing where dataset = %s and publish_to is null",
        [dataset],
    )
    return {r[0]: Standing(r[0], r[1], tuple(r[2]), *r[3:]) for r in rows}


def ever_sent(connection: psycopg.Connection, datasets: Collection[str]) -> set[str]:
    """Of some datasets those that :func:`merge` has anything to do with: one question in place of several for each."""
    return {r[0] for r in connection.execute(statement("sent"), {"datasets": list(datasets)})}


def _staged(connection: psycopg.Connection, contract: Contract) -> list[Staged]:
    """Every staged submission of the dataset; nothing is linked yet."""
    return [
        Staged(*(*r[:14], tuple(r[14]), *r[15:18], 0, 0, *r[18:]))
        for r in connection.execute(statement("staged"), {"dataset": contract.dataset})
    ]


def _decisions(connection: psycopg.Connection, contract: Contract) -> list[Decision]:
    """Decisions of the ledger, and those that came through the inbox."""
    ledgered = [
        Decision(*r)
        for r in connection.execute(
            "select d.kind, d.submission_id, d.predecessor, d.decided_at from intake.decision d "
            "join intake.submission u using (submission_id) where u.dataset = %s order by d.decision_id",
            [contract.dataset],
        )
    ]
    return ledgered + hold_decisions(connection, contract.dataset)


def _with_links(staged: Sequence[Staged], who: Identified | mentions.Mentioned) -> list[Staged]:
    return [
        replace(
            s,
            linked=s.linked + who.present.get(s.assessment_no, 0),
            cured=s.cured + who.cured.get(s.assessment_no, 0),
        )
        for s in staged
    ]


def _mentioned(
    connection: psycopg.Connection,
    contract: Contract,
    others: Mapping[str, Contract],
    staged: Sequence[Staged],
    decisions: Sequence[Decision],
    publish: int,
) -> mentions.Mentioned:
    """Which organisations the rows of a dataset name in place of their codes."""
    valid = {contract.dataset: _valid(staged, decisions)}
    for _, other in mentions.references(contract, others):
        valid[other.dataset] = _valid(_staged(connection, other), _decisions(connection, other))
    return mentions.derive(connection, contract, others, valid, publish)


def _valid(staged: Sequence[Staged], decisions: Sequence[Decision]) -> list[int]:
    """Assessments of what was not taken back."""
    gone = taken_back(staged, decisions)
    return [s.assessment_no for s in staged if s.id not in gone]


def derive_standings(
    connection: psycopg.Connection, contract: Contract, staged: Sequence[Staged], decisions: Sequence[Decision]
) -> list[Standing]:
    """Derive the standing of every staged submission of the dataset from the set and the decisions."""
    known = _differences(connection, contract, staged)

    def ended(before: Staged, after: Staged) -> tuple[int, int]:
        pair = (before.assessment_no, after.assessment_no)
        if pair not in known:  # a pair that only a hold or a withdrawal brings about
            known.update(_compare(connection, contract, [pair]))
        return known[pair]

    return derive(contract, staged, decisions, ended)


Pair = tuple[int, int]


def _differences(
    connection: psycopg.Connection, contract: Contract, staged: Sequence[Staged]
) -> dict[Pair, tuple[int, int]]:
    """(before, after) -> (keys ended, keys before): what is known, and in one query what the usual order will ask for."""
    if contract.delivery != "snapshot":
        return {}
    known: dict[Pair, tuple[int, int]] = {}
    if not contract.linked:  # else who is whom may be another than when the two were compared
        rows = connection.execute(
            "select d.before_no, d.assessment_no, d.keys_ended, d.keys_before from core.pair_difference d "
            "where d.assessment_no = any (%s)",
            [[s.assessment_no for s in staged]],
        )
        known = {(r[0], r[1]): (r[2], r[3]) for r in rows}
    order = sorted(staged, key=lambda s: (s.sender, s.period_first, s.received_at, s.content))
    usual = [(a.assessment_no, b.assessment_no) for a, b in pairwise(order) if a.sender == b.sender != STEWARD]
    known.update(_compare(connection, contract, [p for p in usual if p not in known]))
    return known


def _compare(connection: psycopg.Connection, contract: Contract, pairs: Sequence[Pair]) -> dict[Pair, tuple[int, int]]:
    if not pairs:
        return {}
    parameters = {"before": [p[0] for p in pairs], "after": [p[1] for p in pairs], "dataset": contract.dataset}
    query = "ended_entities" if contract.linked else "ended"
    rows = connection.execute(statement(query, rows=quote(contract.dataset + "_rows")), parameters)
    return {(r[0], r[1]): (int(r[2]), int(r[3])) for r in rows}


def merge(
    connection: psycopg.Connection,
    contract: Contract,
    publish: int,
    vault: Vault | None = None,
    others: Mapping[str, Contract] | None = None,
) -> Merged:
    """Derive who is whom, standings and history of one dataset under the open publish number; what was done. ``others``: the
    datasets by name, of which it may refer to some."""
    result = Merged(contract.dataset)
    old = current_standings(connection, contract.dataset)
    staged = _staged(connection, contract)
    if not staged and not old:  # nobody ever sent it
        return result
    decisions = _decisions(connection, contract)
    moved: frozenset[int] = frozenset()
    named = _mentioned(connection, contract, others or {}, staged, decisions, publish)
    if named.any:
        contract = replace(contract, mentions=True)
        staged, moved = _with_links(staged, named), named.entities
        result.identities_changed = named.differences
    if contract.identity and (contract.identity_kind == "unit" or vault is not None):
        valid = _valid(staged, decisions)
        who = identify(connection, contract, valid, publish, vault, named.mark)
        staged, moved = _with_links(staged, who), moved | who.entities
        result.identities_changed += who.differences
    new = {s.no: s for s in derive_standings(connection, contract, staged, decisions)}
    differing = [no for no in sorted(old.keys() | new.keys()) if old.get(no) != new.get(no)]
    if not differing and not moved:
        return result
    result.standings_changed = len(differing)
    _write_standings(
        connection, contract, publish, [no for no in differing if no in old], [new[no] for no in differing if no in new]
    )
    spoken = [no for no in differing if _speaks(old.get(no)) or _speaks(new.get(no))]
    if not spoken and not moved:
        return result
    parameters: dict[str, Any] = {"dataset": contract.dataset, "publish": publish, "days": _days(connection, spoken)}
    connection.execute("set local client_min_messages = warning")
    connection.execute(statement("force"), parameters)
    connection.execute(statement("shadow"), parameters)
    connection.execute(statement("waived"))
    names = _names(contract)
    succeeded: list[int] = []
    if contract.succeeds:
        succeeded = succession.derive(
            connection, contract, publish, lambda ids: _look(connection, contract, names, parameters, ids)
        )
        connection.execute("drop table if exists _touched, _record, _hit, _event")
        result.successions_changed = succession.differences(connection, contract, publish)
    if _is_first(connection, contract):
        first = names | ({"valid_from": "f.as_of", "valid_to": "null"} if contract.valid_time == "asOf" else {})
        result.opened = connection.execute(statement("open_first", **first), parameters).rowcount
        result.entities = result.opened
        for index in index_statements(contract, floor="core"):
            connection.execute(index)
        connection.execute("drop table _force, _shadow, _waived")
        return result
    for index in index_statements(contract, floor="core"):
        connection.execute(index)
    changed = _touch(connection, contract, names, spoken, old, new)
    if succeeded:
        connection.execute(
            "insert into _touched select e, true from unnest(%s::bigint[]) e where e not in (select entity_id from _touched)",
            [succeeded],
        )
    if contract.linked:
        parameters |= {"moved": sorted(moved), "changed": sorted(changed)}
        connection.execute(statement("touched_members"), parameters)
    # of who was erased rows are left that say nothing: no version may come of them
    connection.execute(
        "delete from _touched t using ops.erased_entity e where e.dataset = %s and e.entity_id = t.entity_id",
        [contract.dataset],
    )
    for step in _hits(contract, names):
        connection.execute(step, parameters)
    connection.execute("analyze _hit")
    connection.execute(statement("events", **names))
    connection.execute(_spans(contract))
    if contract.succeeds:
        succession.cut(connection, contract)
    composed = survivorship.compose(connection, contract, names)
    connection.execute(statement("coalesce", apart=names["apart"]))
    touched = connection.execute("select count(*) from _touched").fetchone()
    result.entities = int(touched[0]) if touched else 0
    result.closed = connection.execute(statement("close", **names), parameters).rowcount
    result.opened = connection.execute(statement("open", **names), parameters).rowcount
    if composed:
        result.opened += connection.execute(statement("open_composed", **names), parameters).rowcount
    result.disputed, result.settled = conflicts.write(connection, contract, names, parameters, composed=composed)
    for table in (*_TEMPORARY, *survivorship.TEMPORARY, *conflicts.TEMPORARY):
        connection.execute(f"drop table if exists {table}")
    return result


def _hits(contract: Contract, names: dict[str, str]) -> list[str]:
    """SQL that makes ``_hit`` of ``_touched``; its parameter is the dataset."""
    if not contract.linked:
        return [statement("hits", found=statement("found_by_key", **names), **names)]
    return [statement("records"), statement("hits", found=statement("found_by_record", **names), **names)]


def _look(
    connection: psycopg.Connection,
    contract: Contract,
    names: dict[str, str],
    parameters: dict[str, Any],
    entities: Collection[int],
) -> None:
    """Fill ``_event`` with what is said about some entities; the tables on the way are the caller's to drop."""
    connection.execute(
        "create temporary table _touched on commit drop as select unnest(%s::bigint[]) as entity_id, true as whole",
        [sorted(entities)],
    )
    for step in _hits(contract, names):
        connection.execute(step, parameters)
    connection.execute(statement("events", **names))


_CURRENT = re.compile(r"(\w+\.)?\bpublish_to is null\b")


def asserted(connection: psycopg.Connection, contract: Contract, entity: int, shows: int) -> dict[str, str]:
    """Fill ``_span`` with what each sender asserts about one entity as of a publish, by the steps of :func:`merge`; the names
    for the SQL of what follows. For those who ask afterwards (:mod:`assets.core.why`), in a transaction that they roll back."""
    then = rf"(\1publish_from <= {shows} and (\1publish_to is null or \1publish_to > {shows}))"
    row = connection.execute(
        "select exists (select from core.mention where dataset = %s)", [contract.dataset]
    ).fetchone()
    contract = replace(contract, mentions=bool(row and row[0]))
    names = {name: _CURRENT.sub(then, text) for name, text in _names(contract).items()}
    parameters = {"dataset": contract.dataset, "days": []}
    connection.execute("set local client_min_messages = warning")
    connection.execute(
        f"create temporary table _touched on commit drop as select {int(entity)}::bigint as entity_id, true as whole"
    )
    for file in ("force", "shadow"):
        connection.execute(_CURRENT.sub(then, statement(file)), parameters)
    connection.execute(statement("waived"))
    # a row that was waived only later did not speak then
    connection.execute("delete from _waived w using _force f where f.assessment_no = w.assessment_no and f.waivers = 0")
    for step in _hits(contract, names):
        connection.execute(_CURRENT.sub(then, step), parameters)
    connection.execute(statement("events", **names))
    connection.execute(_spans(contract))
    return names


def _names(contract: Contract) -> dict[str, str]:
    columns = [quote(c.name) for c in contract.columns]
    return {
        "name": quote(contract.dataset),
        **_source(contract),
        "rows": quote(contract.dataset + "_rows"),
        "columns": ", ".join(columns),
        "o_columns": ", ".join(f"o.{c}" for c in columns),
        "said_columns": ", ".join(_said(contract, c.name) for c in contract.columns),
        "r_columns": ", ".join(f"r.{c}" for c in columns),
        **_validity(contract),
        **_own_validity(contract),
        **(_OF_PERIODS if contract.valid_time == "period" else _OF_ALL_TIME),
    }


_OF_ALL_TIME = {"apart": "false", "within": "", "in_days": "true", "inside": "", "closing": ""}
_OF_PERIODS = {
    "apart": "true",
    "within": (
        " and (t.whole or o._assessment in (select unnest(array[a.assessment_no, a.base_assessment]) from intake.assessment a "
        "join (select assessment_no, period_first from _force union select assessment_no, period_first from _shadow) d "
        "using (assessment_no) where d.period_first = any (%(days)s::date[])))"
    ),
    "in_days": "period_first = any (%(days)s::date[])",
    "inside": " and (o.whole or s.inside)",
    "closing": " and (t.whole or c.valid_from = any (%(days)s::date[]))",
}
"""A value of a period is a fact of its own: what was said of other periods is not looked at again."""


def _source(contract: Contract) -> dict[str, str]:
    """SQL of the staged rows as a version takes them (source), and over such a row ``o`` of the hash of its values and whether it
    is fit: with the codes that names stand for, where there are any."""
    name = f"staging.{quote(contract.dataset)}"
    if not contract.mentions:
        return {"source": name, "value": "o._value", "ok": "o._ok"}

    def found(row: str, what: str, where: str = "") -> str:
        return (
            f"(select {what} from core.mention x where x.assessment_no = {row}._assessment and x.sheet = {row}._sheet "
            f"and x.row = {row}._row{where} and x.publish_to is null)"
        )

    columns = (
        f"coalesce(k.{quote(c.name)}, {found('k', 'x.code', f' and x.column_name = {_text(c.name)}')}) as {quote(c.name)}"
        if c.references and c.semantic_type == "code"
        else f"k.{quote(c.name)}"
        for c in contract.columns
    )
    return {
        "source": f"(select k._assessment, k._sheet, k._row, {', '.join(columns)} from {name} k)",
        "value": f"(o._value # coalesce({found('o', 'bit_xor(x.salt)')}, 0))",
        "ok": f"(o._ok or exists {found('o', '', ' and x.cured')})",
    }


def _text(name: str) -> str:
    return f"'{name}'"  # the lint lets nothing but a-z, 0-9 and _ into names


def _spans(contract: Contract) -> str:
    """SQL that makes ``_span`` of ``_event``."""
    if contract.valid_time != "asOf":
        return statement("spans_explicit")
    absent = statement("absent") if contract.delivery == "snapshot" else _NO_ABSENCE
    spans = statement("spans_as_of", absent=absent, until=_until(contract))
    return spans + statement("corrections") if contract.vaulted else spans


_OLD_NAME = (
    "exists (select from core.link x where x.assessment_no = d.home and x.sheet = d.sheet and x.row = d.row and x.keyed "
    "and x.publish_to is null)"
)
"""SQL: the row of the version ``d`` calls its entity by an old name."""


def _said(contract: Contract, column: str) -> str:
    """SQL of a value of the version ``d`` as its row ``o`` says it. Of what is known otherwise the key is never lost: where no
    row says it, or says an old name, it is that of the record whose id the entity has."""
    value = f"o.{quote(column)}"
    if column == contract.identity.get("id"):
        return f"coalesce({value}, d.entity_id)"
    if contract.identity_kind == "unit" and column in contract.key:
        own = f"(select min(k.{quote(column)}) from staging.{quote(contract.dataset)} k where k._key = d.entity_id)"
        return f"case when {_OLD_NAME} then coalesce({own}, {value}) else coalesce({value}, {own}) end"
    return value


def _days(connection: psycopg.Connection, submissions: Sequence[int]) -> list[date]:
    """First days of the periods of submissions."""
    rows = connection.execute(
        "select distinct period_first from intake.submission where submission_no = any (%s) order by 1",
        [list(submissions)],
    )
    return [r[0] for r in rows]


def _speaks(s: Standing | None) -> bool:
    return s is not None and s.standing in ("in_force", "superseded")


def _validity(contract: Contract) -> dict[str, str]:
    """SQL of a row's own validity, over the row ``r`` and its submission ``f``; null for datasets that have none."""
    if contract.valid_time == "period":
        return {"valid_from": "f.period_first", "valid_to": "f.period_last + 1"}
    if contract.valid_time == "columns":
        return {"valid_from": "r.vf", "valid_to": "r.vt"}
    return {"valid_from": "null", "valid_to": "null"}


def _own_validity(contract: Contract) -> dict[str, str]:
    """SQL of the validity that a staged row ``o`` carries itself."""
    columns = (
        (contract.valid_from_column, contract.valid_to_column) if contract.valid_time == "columns" else (None, None)
    )
    names = [f"o.{quote(c)}" if c else "null" for c in columns]
    return {"own_from": names[0], "own_to": names[1]}


def _until(contract: Contract) -> str:
    word = "lead(as_of) over w"
    if contract.stale_after_months is None:
        return word
    return f"least({word}, (as_of + interval '{int(contract.stale_after_months)} months')::date)"


def _is_first(connection: psycopg.Connection, contract: Contract) -> bool:
    """Whether one submission alone is in force and the history is empty: then no rule of time can matter."""
    if contract.stale_after_months is not None or contract.valid_time == "columns" or contract.linked:
        return False
    alone = connection.execute("select count(*) = 1 and sum(waivers) = 0 from _force").fetchone()
    empty = connection.execute(f"select not exists (select from core.{quote(contract.dataset)})").fetchone()
    shadows = connection.execute(
        "select exists (select from core.standing where dataset = %s and publish_to is null and standing = 'superseded')",
        [contract.dataset],
    ).fetchone()
    erased = connection.execute(
        "select exists (select from ops.erased_entity where dataset = %s)", [contract.dataset]
    ).fetchone()
    return bool(alone and alone[0] and empty and empty[0] and shadows and not shadows[0] and erased and not erased[0])


def _write_standings(
    connection: psycopg.Connection, contract: Contract, publish: int, closed: Sequence[int], opened: Sequence[Standing]
) -> None:
    connection.execute(
        "update core.standing set publish_to = %s where submission_no = any (%s) and publish_to is null",
        [publish, list(closed)],
    )
    with connection.cursor() as cursor:
        cursor.executemany(
            "insert into core.standing (submission_no, dataset, standing, reasons, predecessor_no, ends_nobody, assessment_no, "
            "waivers, linked, cured, publish_from) values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            [
                (
                    s.no,
                    contract.dataset,
                    s.standing,
                    Jsonb(list(s.reasons)),
                    s.predecessor_no,
                    s.ends_nobody,
                    s.assessment_no,
                    s.waivers,
                    s.linked,
                    s.cured,
                    publish,
                )
                for s in opened
            ],
        )


def _touch(
    connection: psycopg.Connection,
    contract: Contract,
    names: dict[str, str],
    spoken: Sequence[int],
    old: dict[int, Standing],
    new: dict[int, Standing],
) -> set[int]:
    """Fill ``_touched``: entities of the submissions whose word changed and, for complete lists, of those just before them.
    The assessments whose rows they are."""
    assessments = {s.assessment_no for no in spoken for s in (old.get(no), new.get(no)) if s is not None}
    came = [no for no in spoken if no not in old and new[no].standing == "in_force"]
    shared = _resend(connection, contract, came, spoken, old, new)
    if shared is not None:
        parameters: dict[str, Any] = {"changed": shared[0], "own": shared[0], "base": shared[1]}
        connection.execute(statement("touched_small", **names), parameters)
    else:
        if contract.delivery == "snapshot":
            assessments |= _just_before(connection, spoken)
        after, before = _sent_again(connection, contract, came, spoken)
        parameters = {"changed": sorted(assessments), "after": after, "before": before, "dataset": contract.dataset}
        connection.execute(statement("touched_again" if after else "touched", **names), parameters)
    connection.execute("analyze _touched")
    return assessments


def _resend(
    connection: psycopg.Connection,
    contract: Contract,
    came: Sequence[int],
    spoken: Sequence[int],
    old: dict[int, Standing],
    new: dict[int, Standing],
) -> tuple[list[int], int] | None:
    """(assessments, base) where all that happened is one new submission that shares its rows with the one in force at its
    own date; None where anything else did, and then every key of what changed is touched."""
    left = [no for no in spoken if no in old]
    if len(came) != 1 or any(
        old[no].standing != "in_force" or new.get(no, old[no]).standing != "superseded" for no in left
    ):
        return None
    if contract.valid_time == "columns" or len(left) > 1:
        return None
    if contract.sender_scope != "ownCommune" and _others_speak(connection, came[0]):
        return None
    row = connection.execute(
        "select a.assessment_no, a.base_assessment, p.assessment_no, b.base_assessment from intake.submission u "
        "join intake.assessment a using (assessment_no) "
        "join intake.submission p on p.dataset = u.dataset and p.sender = u.sender and p.period = u.period and p.as_of = u.as_of "
        "join intake.assessment b on b.assessment_no = p.assessment_no "
        "where u.submission_no = %s and p.submission_no = any (%s) and a.base_assessment is not null "
        "and a.base_assessment in (b.assessment_no, b.base_assessment) order by p.submission_no desc limit 1",
        [came[0], left or [no for no, s in old.items() if s.standing == "in_force"]],
    ).fetchone()
    if row is None:
        return None
    own = [row[0]] if row[2] == row[1] else [row[0], row[2]]
    return own, int(row[1])


def _sent_again(
    connection: psycopg.Connection, contract: Contract, came: Sequence[int], spoken: Sequence[int]
) -> tuple[list[int], list[int]]:
    """Assessments that came as the newest list of their sender, and those of the lists before them (sent_again.sql); none where a
    word that is repeated says more than it did: that a value is not stale, or what a unit goes back to."""
    if (contract.delivery, contract.valid_time) != ("snapshot", "asOf") or contract.stale_after_months is not None:
        return [], []
    if contract.succeeds:
        return [], []
    rows = connection.execute(statement("sent_again"), {"came": list(came), "spoken": list(spoken)}).fetchall()
    return [r[0] for r in rows], [r[1] for r in rows]


def _others_speak(connection: psycopg.Connection, submission_no: int) -> bool:
    """Whether another sender's word of the same day is in force: then what is sent again unchanged is received later than
    that, and may stand where the other's did."""
    row = connection.execute(
        "select exists (select from _force f join intake.submission u on u.submission_no = %s "
        "where f.sender <> u.sender and f.as_of = u.as_of)",
        [submission_no],
    ).fetchone()
    return bool(row and row[0])


def _just_before(connection: psycopg.Connection, spoken: Sequence[int]) -> set[int]:
    """Assessments in force just before each of the submissions, back to one whose silence ends entities."""
    rows = connection.execute(
        "select f.submission_no, f.assessment_no, f.ends_nobody, f.sender, f.as_of, u.as_of from intake.submission u "
        "join _force f on f.sender = u.sender and f.as_of <= u.as_of and f.submission_no <> u.submission_no "
        "where u.submission_no = any (%s) order by u.submission_no, f.as_of desc, f.seq desc",
        [list(spoken)],
    ).fetchall()
    found: set[int] = set()
    done: set[tuple[str, Any]] = set()
    for _, assessment_no, ends_nobody, sender, as_of, at in rows:
        if (sender, at) not in done:
            found.add(assessment_no)
            # what is of the same day may be what replaced the other: what both follow lies before them
            if not ends_nobody and as_of < at:
                done.add((sender, at))
    return found
