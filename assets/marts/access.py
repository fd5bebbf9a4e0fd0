"""Who may read what, what for, on what ground, until when: ``ops.access``, and the server brought in step with it.

A grant names a login that an administrator has made, a role (:data:`schemas.roles.ROLES`) or one dataset of a role, a purpose, a
legal ground (Luật Bảo vệ dữ liệu cá nhân 91/2025/QH15: a stated purpose, and no longer than it needs) and an end. From the grants
follows which memberships and privileges a login has; what it has beyond them is taken away. Here: that. What a role may read is
declared in :mod:`schemas.roles`; reading clear values asks for a ticket besides (``vault.open``).
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal, LiteralString, get_args

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from schemas.contract import Contract
from schemas.feed import OWN_PRIVILEGES
from schemas.roles import OWN, ROLES
from schemas.tables import grant_statements

log = logging.getLogger(__name__)
_HERE = Path(__file__).parent
Role = Literal["public", "app", "department", "commune", "officer", "steward", "engineer", "auditor", "authenticator"]
_PREFIX = "lienthong_"
_KINDS: Mapping[str, LiteralString] = {
    name: name
    for name in (
        "select",
        "insert",
        "update",
        "delete",
        "truncate",
        "references",
        "trigger",
        "maintain",
        "usage",
        "create",
        "execute",
    )
}
_SORTS: Mapping[str, LiteralString] = {"": "table", "schema": "schema", "function": "function"}
LONGEST = timedelta(days=3 * 366)
"""No grant is for longer; it can be given again."""


class Refused(Exception):
    """A grant that cannot be given or taken away; the text says why and what would do."""


@dataclass(frozen=True)
class Reconciled:
    """What a login got and lost on the server: ``+`` or ``-``, the login, the role or ``select on view``."""

    changes: tuple[tuple[str, str, str], ...]

    def __bool__(self) -> bool:
        return bool(self.changes)


def give(
    connection: psycopg.Connection,
    contracts: Mapping[str, Contract],
    login: str,
    role: str,
    *,
    purpose: str,
    ground: str,
    until: datetime,
    by: str,
    now: datetime,
    dataset: str | None = None,
    unit: str | None = None,
) -> int:
    """Write a grant down and bring the server in step, in one transaction; its number. Raises :class:`Refused`."""
    from assets.core.person import check_reason  # a second of imports, which the timer does without

    if role not in get_args(Role):
        raise Refused(f"there is no role {role}; there are: {', '.join(get_args(Role))}")
    if not ground.strip():
        raise Refused("a grant needs its legal ground: --ground 'Luật …, Điều …'")
    if not purpose.strip():
        raise Refused("a grant needs a purpose: --purpose '…'")
    check_reason(purpose)
    check_reason(ground)
    if not now < until <= now + LONGEST:
        raise Refused("a grant ends, in the future and within three years: --until 2027-06-30")
    if (role in ("department", "commune")) != (unit is not None):
        raise Refused("--unit says whose rows: for department and commune, and for these only")
    if dataset is not None and role not in ("app", "officer", "steward"):
        raise Refused("one dataset can be granted of the roles app, officer and steward")
    if dataset is not None and dataset not in contracts:
        raise Refused(f"there is no dataset {dataset}; there are: {', '.join(sorted(contracts))}")
    found = connection.execute("select rolcanlogin, rolsuper from pg_roles where rolname = %s", [login]).fetchone()
    if found is None or not found[0]:
        raise Refused(
            f"there is no login {login}; an administrator makes it: create role {sql.Identifier(login).as_string(connection)} "
            "login password '…'"
        )
    if found[1] or _is_owner(connection, login):
        raise Refused(f"{login} may do everything here; a reader needs a login of its own")
    if unit is not None and not _known(connection, role, unit):
        raise Refused(f"there is no {'commune' if role == 'commune' else 'organisation'} {unit}; its code is meant")
    with connection.transaction():
        row = connection.execute(
            "insert into ops.access (login, role, dataset, unit, purpose, legal_ground, valid_until, granted_by) "
            "values (%s, %s, %s, %s, %s, %s, %s, %s) returning access_id",
            [login, role, dataset, unit, purpose.strip(), ground.strip(), until, by],
        ).fetchone()
        done = reconcile(connection, contracts, now)
    end_sessions(connection, done)
    assert row is not None
    return int(row[0])


def take(
    connection: psycopg.Connection,
    contracts: Mapping[str, Contract],
    access_id: int,
    *,
    reason: str,
    by: str,
    now: datetime,
) -> str:
    """Revoke a grant, at once and with its open tickets; its login. Raises :class:`Refused`."""
    from assets.core.person import check_reason  # a second of imports, which the timer does without

    if not reason.strip():
        raise Refused("a decision needs a reason: --reason '…'")
    check_reason(reason)
    with connection.transaction():
        row = connection.execute(
            "update ops.access set revoked_at = %s, revoked_by = %s, revoke_reason = %s "
            "where access_id = %s and revoked_at is null returning login",
            [now, by, reason.strip(), access_id],
        ).fetchone()
        if row is None:
            raise Refused(f"there is no grant {access_id} to revoke; `lienthong access list` says which there are")
        done = reconcile(connection, contracts, now)
    end_sessions(connection, done)
    return str(row[0])


def reconcile(connection: psycopg.Connection, contracts: Mapping[str, Contract], now: datetime) -> Reconciled:
    """Give every login that was ever granted anything what its grants of now say, and take the rest. Again: nothing is done.

    Runs whenever the pipeline opens the database, so with each look of the inbox sensor: what has ended is taken away by then.
    Tickets of the vault and rows of one's own end by themselves, at the moment. Raises :class:`Refused` where the pipeline's
    account may not do it.
    """
    try:
        with connection.transaction():
            connection.execute("select pg_advisory_xact_lock(hashtext('lienthong.contract'))")
            has = {(r[0], r[1]) for r in connection.execute(_sql("access_has"), {"roles": list(ROLES)})}
            wanted = set(_wanted(connection, contracts, now))
            there = {r[0] for r in connection.execute("select rolname from pg_roles")}
            wanted = {(login, what) for login, what in wanted if login in there and (" " in what or what in there)}
            for login, what in sorted(has - wanted):
                connection.execute(_statement("revoke", login, what))
            for login, what in sorted(wanted - has):
                connection.execute(_statement("grant", login, what))
    except psycopg.errors.InsufficientPrivilege:
        raise Refused(
            "the pipeline's account may not grant: an administrator gives it the roles with admin option "
            f"({', '.join(f'grant {role} to <account> with admin option' for role in ROLES)})"
        ) from None
    changes = [("-", *pair) for pair in sorted(has - wanted)] + [("+", *pair) for pair in sorted(wanted - has)]
    done = Reconciled(tuple(changes))
    end_sessions(connection, done)
    return done


def end_sessions(connection: psycopg.Connection, done: Reconciled) -> None:
    """End the sessions of logins that lost a role: one that did ``set role`` before goes on as that role, member of it or not.

    Within a transaction nothing is done, since one that connects before its commit would be missed; whoever began it calls this
    after it."""
    lost = sorted({login for sign, login, what in done.changes if sign == "-" and " on " not in what})
    if not lost or connection.info.transaction_status != psycopg.pq.TransactionStatus.IDLE:
        return
    query = (
        "select pg_terminate_backend(pid) from pg_stat_activity where usename = any (%s) and pid <> pg_backend_pid()"
    )
    try:
        connection.execute(query, [lost])
    except psycopg.errors.InsufficientPrivilege:
        log.warning(
            "sessions of %s that are open may go on reading: an administrator ends them, and gives the pipeline's account "
            "the right to (grant pg_signal_backend to <account>)",
            ", ".join(lost),
        )


def grants(
    connection: psycopg.Connection, now: datetime, *, login: str | None = None, everything: bool = False
) -> list[dict[str, Any]]:
    """Grants with their state (valid, expired, revoked), those of today only unless ``everything``; and memberships that nobody
    granted here, with state unmanaged (an administrator gave them)."""
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(
            _sql("access_list"), {"now": now, "login": login, "everything": everything, "roles": list(ROLES)}
        ).fetchall()


def _wanted(
    connection: psycopg.Connection, contracts: Mapping[str, Contract], now: datetime
) -> Iterable[tuple[str, str]]:
    """(login, role or privilege) that follow from the grants that hold."""
    rows = connection.execute(
        "select distinct login, role, dataset from ops.access where revoked_at is null and valid_until > %s", [now]
    )
    for login, role, dataset in rows.fetchall():
        if role == "authenticator":  # it becomes one of those whose rows it asks for (set role)
            yield from ((login, name) for name in OWN)
        elif dataset is None:
            yield login, _PREFIX + role
        else:
            yield login, "usage on schema mart_v1"
            if role == "steward":
                yield login, "usage on schema vault"
            for name, privilege in grant_statements(contracts[dataset]) if dataset in contracts else ():
                if name == _PREFIX + role:
                    yield login, privilege.replace('"', "")  # names of datasets are plain (schemas.lint)
            yield from ((login, privilege) for privilege in OWN_PRIVILEGES)


def _statement(text: str, login: str, what: str) -> sql.Composed:
    if " on " not in what:
        privilege: sql.Composable = sql.Identifier(what)
    else:
        kind, _, target = what.partition(" on ")
        sort, _, place = target.rpartition(" ")
        name, _, arguments = place.rstrip(")").partition("(")
        named: sql.Composable = sql.Identifier(*name.split("."))
        if sort == "function":
            types = [sql.Identifier(*argument.split(".")) for argument in arguments.split(",") if argument]
            named = sql.SQL("{}({})").format(named, sql.SQL(", ").join(types))
        privilege = sql.SQL("{} on {} {}").format(sql.SQL(_KINDS[kind]), sql.SQL(_SORTS[sort]), named)
    return sql.SQL("grant {} to {}" if text == "grant" else "revoke {} from {}").format(
        privilege, sql.Identifier(login)
    )


def _is_owner(connection: psycopg.Connection, login: str) -> bool:
    row = connection.execute(
        "select pg_has_role(%s, c.relowner, 'member') from pg_class c where c.oid = 'ops.access'::regclass", [login]
    ).fetchone()
    return bool(row and row[0])


def _known(connection: psycopg.Connection, role: str, unit: str) -> bool:
    if role == "commune":
        row = connection.execute("select exists (select from core.unit where code = %s)", [unit]).fetchone()
    elif connection.execute("select to_regclass('core.organizations') is null").fetchone() == (True,):
        return False
    else:
        query = "select exists (select from core.organizations where organization_code = %s)"
        row = connection.execute(query, [unit]).fetchone()
    return bool(row and row[0])


def _sql(name: str) -> str:
    return (_HERE / f"{name}.sql").read_text(encoding="utf-8")
