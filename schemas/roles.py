"""Roles of readers: apps, domain officers, stewards of personal data. Nothing is granted to anybody but what is written here.

Here: granting what the database has to roles that may come later. Not here: which view is for whom (:mod:`schemas.tables`),
making the roles (migration 0006, or the server's administrator).
"""

from __future__ import annotations

from collections.abc import Iterable

import psycopg

APP, OFFICER, STEWARD = "lienthong_app", "lienthong_officer", "lienthong_steward"

SYSTEM = (
    *((role, "usage on schema mart_v1") for role in (APP, OFFICER, STEWARD)),
    *((role, "select on mart_v1.successions") for role in (APP, OFFICER, STEWARD)),
    *(
        (role, f"select on mart_v1.{view}")
        # who has sent what (D00, class P1) is for everybody in the system, as is who has not (indicator_missing)
        for view in (
            "indicators",
            "indicator_value",
            "indicator_missing",
            "indicator_path",
            "mandate_answers",
            "submission_log",
            "publishes",
        )
        for role in (APP, OFFICER, STEWARD)
    ),
    *((role, "select on mart_v1.findings") for role in (OFFICER, STEWARD)),
    (STEWARD, "usage on schema vault"),
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
