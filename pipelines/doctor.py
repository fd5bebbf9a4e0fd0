"""One look at the whole installation: what is wrong, how bad it is, and the command or step that mends it. It changes nothing.

Here: the checks, each a function that yields findings. A check that itself fails is a finding. Not here: what a run says of what
was sent (``lienthong status``), what operators are told unasked (``lienthong alerts``).
"""

from __future__ import annotations

import shutil
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import psycopg

from assets.core.audit import verify
from assets.intake.archive import Damaged, Destroyed
from assets.intake.inbox import Place, unreadable_in
from assets.intake.stores import open_store
from assets.marts.access import Refused, grants, reconcile
from schemas.contract import ContractError
from schemas.migrate import HEAD
from schemas.roles import ROLES
from schemas.tables import shape

from .database import NoDatabase, bare_url
from .flow import Pipeline

Severity = Literal["error", "warning"]
SAMPLE = 20
"""Objects of the archive that are read without ``deep``."""


@dataclass(frozen=True)
class Finding:
    """What is wrong; ``remedy``: what to do."""

    check: str
    severity: Severity
    text: str
    remedy: str


@dataclass
class Patient:
    """What the checks look at."""

    pipeline: Pipeline
    connection: psycopg.Connection
    now: datetime
    deep: bool

    def one(self, query: str, *values: object, **named: object) -> tuple[Any, ...]:
        """The only row of a query."""
        row = self.connection.execute(query, named or values).fetchone()
        assert row is not None
        return row


Check = Callable[[Patient], Iterator[tuple[Severity, str, str]]]


def examine(pipeline: Pipeline, now: datetime | None = None, *, deep: bool = False) -> list[Finding]:
    """All findings, errors first. ``deep``: every object of the archive is read."""
    moment = now or datetime.now(UTC)
    found = [Finding("folders", *one) for one in _folders(pipeline)]
    try:
        found += [Finding("contracts", "error", str(f), "lienthong contracts lint") for f in _contracts(pipeline)]
        with psycopg.connect(bare_url(pipeline.settings), autocommit=True) as connection:
            patient = Patient(pipeline, connection, moment, deep)
            found += [*_checked(_server, patient), *_checked(_migrations, patient)]
            if not any(f.check == "migrations" for f in found):
                for check in _ON_SCHEMAS:
                    found += _checked(check, patient)
    except (NoDatabase, psycopg.OperationalError):
        found.append(
            Finding(
                "database",
                "error",
                "the database does not answer",
                "check LIENTHONG_DATABASE_URL and that the server is up",
            )
        )
    finally:
        pipeline.close()
    return sorted(found, key=lambda f: f.severity != "error")


def _checked(check: Check, patient: Patient) -> list[Finding]:
    name = check.__name__.lstrip("_")
    try:
        return [Finding(name, *one) for one in check(patient)]
    except Exception as error:  # one check that cannot run must not hide the others
        return [Finding(name, "error", f"the check could not run ({type(error).__name__})", "lienthong doctor --debug")]


def _contracts(pipeline: Pipeline) -> list[object]:
    try:
        assert pipeline.contracts
    except ContractError as error:
        return list(error.findings)
    return []


def _folders(pipeline: Pipeline) -> Iterator[tuple[Severity, str, str]]:
    home = pipeline.settings.home
    if home.exists():
        free = shutil.disk_usage(home).free
        if free < 2 << 30:
            severity: Severity = "error" if free < 200 << 20 else "warning"
            yield severity, f"{free >> 20} MiB are left on the disk of LIENTHONG_HOME", "make room"
    key = pipeline.key_file
    if key.exists() and stat.S_IMODE(key.stat().st_mode) & 0o077:
        yield "error", f"the key file {key.name} can be read by others", f"chmod 600 {key.name}"


def _server(patient: Patient) -> Iterator[tuple[Severity, str, str]]:
    version, encoding = patient.one(
        "select current_setting('server_version_num')::int / 10000, current_setting('server_encoding')"
    )
    if isinstance(version, int) and version < 15:
        yield "error", f"the server is PostgreSQL {version}", "15 or newer is needed"
    if encoding != "UTF8":
        yield "error", f"the database is encoded in {encoding}", "make a new one with encoding 'UTF8'"
    (theirs,) = patient.one("select clock_timestamp()")
    assert isinstance(theirs, datetime)
    if abs(theirs - patient.now) > timedelta(minutes=2):
        yield (
            "warning",
            "the clocks of this machine and of the database differ by more than two minutes",
            "set both by NTP",
        )
    (old,) = patient.one(
        "select count(*) from pg_stat_activity where datname = current_database() and state like 'idle in transaction%%' "
        "and xact_start < now() - interval '1 hour'"
    )
    if old:
        yield (
            "warning",
            f"{old} transactions have been idle for more than an hour",
            "end them: select pg_terminate_backend(pid) …",
        )
    (free,) = patient.one(
        "select exists (select from pg_proc p cross join aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a "
        "where p.oid = 'pg_advisory_lock(bigint)'::regprocedure and a.grantee = 0)"
    )
    if free:
        yield (
            "warning",
            "any login may take the locks by which publishes take turns",
            "an administrator runs, in this database, for each function of pg_proc whose name has advisory_lock: revoke execute on "
            "function … from public; grant execute on function … to the pipeline's account",
        )
    missing = [r for r in ROLES if not patient.one("select count(*) from pg_roles where rolname = %s", r)[0]]
    if missing:
        yield (
            "warning",
            f"roles are missing: {', '.join(missing)}",
            "an administrator makes them, then lienthong db migrate",
        )


def _migrations(patient: Patient) -> Iterator[tuple[Severity, str, str]]:
    (there,) = patient.one("select to_regclass('public.alembic_version') is not null")
    version = patient.one("select max(version_num) from public.alembic_version")[0] if there else None
    if version != HEAD:
        yield (
            "error",
            f"the database stands at migration {version or 'none'}, the code at {HEAD}",
            "lienthong db migrate",
        )


def _tables(patient: Patient) -> Iterator[tuple[Severity, str, str]]:
    known: dict[str, object] = dict(patient.connection.execute("select dataset, shape from ops.contract").fetchall())
    for contract in patient.pipeline.contracts.values():
        if contract.dataset in known and known[contract.dataset] != shape(contract):
            yield "warning", f"the tables of {contract.dataset} are not those of its contract yet", "lienthong run"


def _ledger(patient: Patient) -> Iterator[tuple[Severity, str, str]]:
    (wrong,) = patient.one(
        "select count(*) from intake.submission where rows_read <> rows_accepted + rows_quarantined + rows_set_aside"
    )
    if wrong:
        yield "error", f"{wrong} submissions have lost rows", "lienthong replay"
    (orphans,) = patient.one(
        "select count(*) from intake.submission u where u.assessment_no is not null "
        "and not exists (select from intake.assessment a where a.assessment_no = u.assessment_no)"
    )
    if orphans:
        yield (
            "error",
            f"{orphans} submissions name an assessment that is not there",
            "restore a backup: lienthong restore",
        )
    (unread,) = patient.one(
        "select count(*) from intake.delivery where state = 'received' and recorded_at < %s",
        patient.now - timedelta(days=1),
    )
    if unread:
        yield "warning", f"{unread} deliveries have waited for more than a day to be read", "lienthong run"
    (untold,) = patient.one(
        "select count(*) from intake.submission where announced_state is distinct from state and state <> 'staged' "
        "and received_at < %s",
        patient.now - timedelta(days=1),
    )
    if untold:
        yield (
            "warning",
            f"{untold} states of more than a day ago were told to nobody",
            "start Dagster: lienthong ui, or see its daemon",
        )


def _times(patient: Patient) -> Iterator[tuple[Severity, str, str]]:
    """What counts as received later decides; so a clock that was wrong must not decide unseen."""
    read = (Path(__file__).parent / "doctor_times.sql").read_text(encoding="utf-8")
    ahead, latest, theirs, behind, whose, back, before, slipped, by = patient.one(read, now=patient.now)
    if ahead:
        yield (
            "error",
            f"{ahead} deliveries (of {theirs}) count as received after this moment, the last at {latest:%Y-%m-%d %H:%M %Z}: "
            "what these senders send until then counts as older",
            "set the clock of the machine that they were put on; withdraw them (lienthong withdraw) and put the files there again",
        )
    if behind:
        yield (
            "warning",
            f"{behind} submissions (of {whose}) came after others of the same period that count as received later, and do not "
            "replace them: files that kept an old time, or a clock that was put back",
            "where one is the newer, put its file there again with the time of today (touch)",
        )
    if slipped:
        yield (
            "warning",
            f"{slipped} submissions (of {by}) were taken in more than a day after their period was closed, and not held: "
            "their files bear a time from before",
            "where one is late, withdraw it (lienthong withdraw), or open the period again with a reason (lienthong reopen)",
        )
    if back:
        yield (
            "warning",
            f"publish {back} has an earlier time than publish {before}: the clock of the database was put back",
            "set it by NTP; what was known when goes by the numbers of publishes",
        )


def _publishes(patient: Patient) -> Iterator[tuple[Severity, str, str]]:
    (left,) = patient.one("select count(*) from core.publish where state = 'open'")
    (held,) = patient.one(
        "select count(*) from pg_locks where locktype = 'advisory' and granted "
        "and database = (select oid from pg_database where datname = current_database())"
    )
    if left and not held:
        yield "warning", f"{left} publishes were begun and not finished", "lienthong run: the next sweeps them"


def _audit(patient: Patient) -> Iterator[tuple[Severity, str, str]]:
    for fault in verify(patient.connection).faults[:10]:
        yield (
            "error",
            f"the audit log was tampered with: {fault}",
            "compare with a backup; ask who may administer the database",
        )


def _access(patient: Patient) -> Iterator[tuple[Severity, str, str]]:
    rows = grants(patient.connection, patient.now, everything=True)
    if any(r["access_id"] for r in rows):
        try:
            with patient.connection.transaction(force_rollback=True):
                changes = reconcile(patient.connection, patient.pipeline.contracts, patient.now).changes
        except Refused as refused:
            yield "error", str(refused), "lienthong access enforce"
        else:
            if over := sorted({login for sign, login, _ in changes if sign == "-"}):
                yield (
                    "error",
                    f"{', '.join(over[:5])} still may read what no grant covers any more",
                    "lienthong access enforce; the timer of docs/deploy does it each minute",
                )
    for login in sorted({r["login"] for r in rows if r["state"] == "unmanaged"}):
        yield (
            "warning",
            f"{login} reads by no grant: nobody wrote down what for and until when",
            "lienthong access grant",
        )
    soon = [r for r in rows if r["state"] == "valid" and r["valid_until"] < patient.now + timedelta(days=14)]
    if soon:
        names = ", ".join(sorted({r["login"] for r in soon})[:5])
        yield (
            "warning",
            f"{len(soon)} grants end within two weeks ({names})",
            "lienthong access list; grant anew what is needed",
        )


def _keys(patient: Patient) -> Iterator[tuple[Severity, str, str]]:
    (used,) = patient.one("select count(*) from vault.key")
    if used and not patient.pipeline.key_file.exists():
        yield (
            "error",
            "the key file is missing: no file of the archive and no number can be read",
            "put its copy at LIENTHONG_KEY_FILE",
        )


def _archive(patient: Patient) -> Iterator[tuple[Severity, str, str]]:
    rows = patient.connection.execute(
        "select sha256 from (select distinct sha256 from intake.delivery where withheld is null and destroyed_at is null) d "
        "order by random() limit %s",
        [None if patient.deep else SAMPLE],
    ).fetchall()
    for (sha256,) in rows:
        try:
            with patient.pipeline.archive.open(sha256) as file:
                while file.read(1 << 20):
                    pass
        except Destroyed:
            continue
        except (Damaged, FileNotFoundError):
            yield (
                "error",
                f"the archive's object {sha256} is damaged or missing",
                "restore it: lienthong restore puts back what is missing",
            )


def _stores(patient: Patient) -> Iterator[tuple[Severity, str, str]]:
    settings = patient.pipeline.settings
    for name, url in (("inbox", settings.inbox), ("archive", settings.archive)):
        try:
            fs, root = open_store(url)
            there = fs.exists(root)
        except Exception as error:
            yield (
                "error",
                f"the {name} cannot be reached ({type(error).__name__})",
                f"check LIENTHONG_{name.upper()} and LIENTHONG_STORES",
            )
            continue
        if name == "inbox" and not there:
            yield "warning", "the inbox is not there", "make the folder that LIENTHONG_INBOX names"
        elif name == "inbox":
            for folder in unreadable_in(Place(url)):
                yield (
                    "error",
                    f"the folder {folder} of the inbox cannot be read: nothing of it is taken",
                    "let the pipeline's user read it (chmod, or who runs the store)",
                )


def _declarations(patient: Patient) -> Iterator[tuple[Severity, str, str]]:
    from assets.returns.reminders.contacts import BadContacts, read_contacts

    pipeline = patient.pipeline
    for finding in pipeline.source_findings():
        yield "error", finding, "mend the file (docs/sources.md); until then none of its sources is pulled"
    for source, unmarked in patient.connection.execute(
        "select distinct on (source) source, unmarked from ops.source_pull where unmarked is not null order by source, pull_id desc"
    ).fetchall():
        spec = pipeline.sources[source].spec if source in pipeline.sources else None
        if unmarked and spec is not None and getattr(spec, "incremental", None) is not None:
            yield "warning", f"{source}: {unmarked} rows have no watermark", f"lienthong sources show {source}"
    try:
        contacts = read_contacts(pipeline.settings.contacts_file, pipeline.senders)
    except BadContacts as wrong_contacts:
        for line in str(wrong_contacts).splitlines():
            yield "error", line, "mend the file (docs/reminders.md)"
        return
    (sending,) = patient.one(
        "select coalesce((select sending from ops.reminder_switch order by switch_id desc limit 1), false)"
    )
    without = len(pipeline.senders) - len(contacts)
    if sending and without:
        yield (
            "warning",
            f"reminders are on, and {without} senders have no contact",
            f"add them to {pipeline.settings.contacts_file.name}",
        )


def _routine(patient: Patient) -> Iterator[tuple[Severity, str, str]]:
    (backed,) = patient.one("select (select made_at from ops.backup order by backup_id desc limit 1)")
    (any_,) = patient.one("select count(*) from intake.delivery")
    if any_ and (backed is None or (isinstance(backed, datetime) and backed < patient.now - timedelta(days=2))):
        said = "no backup was ever made" if backed is None else "the newest backup is older than two days"
        yield "warning", said, "lienthong backup TO, by a timer"
    (derived,) = patient.one("select max(derived_at) from ops.due_run")
    if any_ and (derived is None or (isinstance(derived, datetime) and derived < patient.now - timedelta(days=1))):
        yield (
            "warning",
            "what is expected was not looked at for a day",
            "see that Dagster's daemon runs; lienthong due looks now",
        )


_ON_SCHEMAS: tuple[Check, ...] = (
    _tables,
    _ledger,
    _times,
    _publishes,
    _audit,
    _access,
    _keys,
    _archive,
    _stores,
    _declarations,
    _routine,
)
CHECKS = ("folders", "contracts", "database", "server", "migrations", *(c.__name__.lstrip("_") for c in _ON_SCHEMAS))
"""Names of the checks."""
