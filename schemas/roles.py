"""Roles of readers and of those who run and check the warehouse. Nothing is granted to anybody but what is declared here, in
:func:`schemas.tables.grant_statements` (views of datasets) and in ``assets.marts.indicators.catalogue`` (views of themes).

Here: what each role is for, and granting what the database has to roles that may come later. Not here: making the roles (migrations
0006 and 0022, or the server's administrator), which login has which of them until when (:mod:`assets.marts.access`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import psycopg

APP, OFFICER, STEWARD = "lienthong_app", "lienthong_officer", "lienthong_steward"
PUBLIC, DEPARTMENT, COMMUNE = "lienthong_public", "lienthong_department", "lienthong_commune"
ENGINEER, AUDITOR = "lienthong_engineer", "lienthong_auditor"

ROLES: Mapping[str, str] = {
    PUBLIC: "aggregates that follow from open data alone and count no people",
    APP: "aggregates, and every dataset without its personal columns",
    DEPARTMENT: "aggregates, and the rows of its own units, personal columns masked",
    COMMUNE: "aggregates, and the rows of its own commune, personal columns masked",
    OFFICER: "as an app, and every dataset with personal columns masked",
    STEWARD: "as an officer, and clear values with a ticket (vault.open)",
    ENGINEER: "the ledger, publishes, sources and deadlines; nothing of what is in a file",
    AUDITOR: "the audit log, grants, decisions and erasures; no data",
}
"""What each role reads. Every one reads only."""

READERS = (APP, OFFICER, STEWARD)
OWN = (DEPARTMENT, COMMUNE)
OFFICES = (*OWN, *READERS)
"""Who reads aggregates of all kinds: agencies of the province, whose figures these are."""
EVERYBODY = (PUBLIC, *OFFICES)
"""Who reads those that follow from open data."""

_OPEN = ("indicators", "publishes")
_AGGREGATES = ("indicator_value", "indicator_path", "mandate_answers", "successions")
# who has sent what (D00, class P1) is for everybody in the system, as is who has not
_OF_SENDERS = ("indicator_missing", "submission_log")
_LEDGER = (
    "intake.delivery", "intake.submission", "intake.assessment", "intake.state", "intake.decision", "intake.closing",
    "intake.filed_decision",
    "core.publish", "core.pointer", "core.standing", "core.sender", "core.unit", "core.calendar",
    "ops.contract", "ops.due", "ops.due_run", "ops.close", "ops.source_state", "ops.source_pull", "ops.backup",
)  # fmt: skip
_AUDITED = (
    "ops.audit", "ops.audit_link", "ops.audit_head", "ops.access", "ops.erasure", "intake.decision", "intake.closing",
    "intake.filed_decision",
)  # fmt: skip

SYSTEM = (
    *((role, "usage on schema mart_v1") for role in EVERYBODY),
    *((role, f"select on mart_v1.{view}") for view in _OPEN for role in EVERYBODY),
    *((role, f"select on mart_v1.{view}") for view in (*_AGGREGATES, *_OF_SENDERS) for role in OFFICES),
    *((role, "select on mart_v1.feed_position") for role in OFFICES),
    *((role, "select on mart_v1.findings") for role in (OFFICER, STEWARD)),
    (STEWARD, "usage on schema vault"),
    *((ENGINEER, f"usage on schema {schema}") for schema in ("intake", "core", "ops")),
    *((ENGINEER, f"select on {table}") for table in _LEDGER),
    *((AUDITOR, f"usage on schema {schema}") for schema in ("intake", "ops")),
    *((AUDITOR, f"select on {table}") for table in _AUDITED),
)
"""(role, privilege) on what is no dataset's own."""


def grant(connection: psycopg.Connection, privileges: Iterable[tuple[str, str]]) -> list[str]:
    """Grant, in the caller's transaction, to those roles that are there; the roles that are not.

    A role may be missing because only an administrator may make it: then nobody sees more, and nothing fails."""
    wanted = [*SYSTEM, *privileges]
    names = sorted({role for role, _ in wanted})
    there = {r[0] for r in connection.execute("select rolname from pg_roles where rolname = any (%s)", [names])}
    # of two that grant at once on one schema the second would fail
    connection.execute("select pg_advisory_xact_lock(hashtext('lienthong.contract'))")
    for role, privilege in wanted:
        if role in there:
            connection.execute(f"grant {privilege} to {role}")
    return [name for name in names if name not in there]
