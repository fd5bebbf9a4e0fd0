"""Decisions of people: accept or refuse a held submission, waive a rule for one row, withdraw. All are ledgered."""

from __future__ import annotations

import psycopg

from schemas.codes import CODES


class CannotDecide(Exception):
    """The decision does not apply; the text says why and what would."""


def _submission(connection: psycopg.Connection, submission_id: str) -> tuple[str, str, int | None, str | None]:
    row = connection.execute(
        "select u.submission_id, u.state, u.assessment_no, p.submission_id from intake.submission u "
        "left join core.standing s on s.submission_no = u.submission_no and s.publish_to is null "
        "left join intake.submission p on p.submission_no = s.predecessor_no where u.submission_id = %s",
        [submission_id],
    ).fetchone()
    if row is None:
        raise CannotDecide(f"there is no submission {submission_id}; see `lienthong status`")
    return str(row[0]), str(row[1]), row[2], row[3]


def _write(connection: psycopg.Connection, kind: str, submission_id: str, reason: str, by: str, **more: object) -> None:
    if not reason.strip():
        raise CannotDecide("a decision needs a reason: --reason '...'")
    columns = ["kind", "submission_id", "reason", "decided_by", *more]
    # the later of two words counts, and is the later one also where the server's clock was put back between them
    connection.execute(
        f"insert into intake.decision ({', '.join(columns)}, decided_at) values ({', '.join(['%s'] * len(columns))}, "
        "greatest(now(), (select max(decided_at) + interval '1 microsecond' from intake.decision where submission_id = %s)))",
        [kind, submission_id, reason, by, *more.values(), submission_id],
    )


def decide(connection: psycopg.Connection, submission_id: str, *, accept: bool, reason: str, by: str) -> str | None:
    """Accept or refuse a held submission against its present predecessor; the predecessor's id (None: there was none).

    The decision is about this pair: where another predecessor comes in between, it lapses and the hold is derived anew.
    """
    name, state, _, predecessor = _submission(connection, submission_id)
    if state == "rejected":
        raise CannotDecide(f"{name} was rejected: there is nothing in it to accept; the sender must send it again")
    if state == "staged":
        raise CannotDecide(f"{name} has not been published yet; run `lienthong publish` first")
    if accept and state not in ("held", "accepted", "partly"):
        raise CannotDecide(f"{name} is {state}, not held; only a held submission can be accepted")
    _write(connection, "accept" if accept else "refuse", name, reason, by, predecessor=predecessor)
    return predecessor


def waive(
    connection: psycopg.Connection, submission_id: str, *, rule: str, row: int, sheet: int = 0, reason: str, by: str
) -> None:
    """Let one row pass one rule (a check's id, or DUPLICATE_KEY). The row enters the warehouse when all its errors are waived."""
    name, _, assessment_no, _ = _submission(connection, submission_id)
    found = connection.execute(
        "select q.key from staging.verdict v join staging.quarantine q using (assessment_no, sheet, row) "
        "where v.assessment_no = %s and v.sheet = %s and v.row = %s and v.rule = %s and v.severity = 'error'",
        [assessment_no, sheet, row, rule],
    ).fetchone()
    if found is None:
        raise CannotDecide(f"{name} has no error {rule} in row {row}; see `lienthong show {name}`")
    if found[0] is None:
        raise CannotDecide(
            f"row {row} of {name} has no readable key, so nothing of it can enter; it must be sent again"
        )
    if rule in CODES and CODES[rule].level == "cell":
        raise CannotDecide(
            f"{rule} says that a cell of row {row} of {name} cannot be read: there is no value that could enter; "
            "the sender must mend it and send again"
        )
    if rule == "DUPLICATE_KEY":
        other = connection.execute(
            "select d.row from intake.decision d "
            "join staging.quarantine q on q.assessment_no = %s and q.sheet = d.sheet and q.row = d.row "
            "where d.kind = 'waive' and d.submission_id = %s and d.rule = %s and q.key = %s and (d.sheet, d.row) <> (%s, %s)",
            [assessment_no, name, rule, found[0], sheet, row],
        ).fetchone()
        if other is not None:
            raise CannotDecide(f"of the rows of {name} with this key, row {other[0]} was chosen already")
    _write(connection, "waive", name, reason, by, rule=rule, row=row, sheet=sheet)


def withdraw(connection: psycopg.Connection, submission_id: str, *, reason: str, by: str) -> None:
    """Take a submission out of force, as if it had not been sent; its rows and answers are kept."""
    name, state, _, _ = _submission(connection, submission_id)
    if state in ("rejected", "withdrawn"):
        raise CannotDecide(f"{name} is {state} already")
    _write(connection, "withdraw", name, reason, by)
