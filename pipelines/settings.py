"""Settings: everything that differs from one installation to another, from the environment, with sane defaults."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Literal, cast, get_args

from assets.intake.limits import MIB, Limits
from assets.returns.reminders.contacts import is_address, is_webhook
from assets.returns.reminders.policy import MailServer, Policy, Tls


class BadSetting(Exception):
    """A setting that cannot be used; the text names the variable and the remedy."""


@dataclass(frozen=True)
class Settings:
    """One installation. Paths may be any fsspec URL where the field says so."""

    home: Path
    database_url: str | None = None
    """None: the embedded server under ``home``."""
    inbox: str = ""
    """fsspec URL; default ``<home>/inbox``."""
    archive: str = ""
    """fsspec URL; default ``<home>/archive``."""
    returns: str = ""
    """fsspec URL of the returned workbooks; default ``<home>/returns`` (:attr:`returned`)."""
    answers: str = ""
    """fsspec URL of the answers; default ``<home>/answers`` (:attr:`answered`)."""
    executor: Literal["in_process", "celery"] = "in_process"
    """How steps of a run are carried out: in its process, or by workers of Celery on several machines."""
    reference: Path | None = None
    """Folder whose lists are loaded in place of the real ones."""
    contracts: tuple[Path, ...] = ()
    """Folders with further contracts, beside the built-in ones."""
    key_file: Path | None = None
    """The keys of the vault; default ``<home>/keys``. Kept apart from the database's backups, and backed up itself."""
    province: str = "56"
    sources: Path | None = None
    """Folder of the declarations of sources; default ``<home>/sources`` (:attr:`sources_folder`)."""
    contacts: Path | None = None
    """Who is written to; default ``<home>/contacts.csv`` (:attr:`contacts_file`)."""
    mail: MailServer | None = None
    """The server that takes mail; None: nothing goes by mail."""
    webhook_secret: bytes | None = field(default=None, repr=False)
    """What signs messages to webhooks; None: nothing goes to a webhook."""
    operators: tuple[str, ...] = ()
    """Addresses and webhooks of those who are told of alerts."""
    reminders: Policy = field(default_factory=Policy)
    """When senders are reminded."""
    help_by: str = "Sở Khoa học và Công nghệ"
    """Whom a reminder names for help."""
    due_since: date | None = None
    """Periods that end before it are expected of nobody; None: from the first period that anybody sent."""
    settle_seconds: float = 1.0
    """A file that changed more recently than this is looked at twice."""
    limits: Limits = field(default_factory=Limits)
    """Bounds on what a sender may hand in."""
    environment: Mapping[str, str] = field(default_factory=dict, repr=False, compare=False)
    """The variables that it was read from, for processes that are to read the same; secrets are in none of them."""

    @property
    def sources_folder(self) -> Path:
        """Where sources are declared."""
        return self.sources or self.home / "sources"

    @property
    def contacts_file(self) -> Path:
        """The file of contacts."""
        return self.contacts or self.home / "contacts.csv"

    @property
    def answered(self) -> str:
        """Where the answers are kept."""
        return self.answers or str(self.home / "answers")

    @property
    def returned(self) -> str:
        """Where the returned workbooks are kept."""
        return self.returns or str(self.home / "returns")

    @staticmethod
    def from_environment(environment: Mapping[str, str] | None = None) -> Settings:
        """Read ``LIENTHONG_*``; raises :class:`BadSetting`."""
        env = os.environ if environment is None else environment
        home = Path(env.get("LIENTHONG_HOME") or Path.home() / ".lienthong").expanduser().absolute()
        try:
            settle = float(env.get("LIENTHONG_SETTLE_SECONDS", "1"))
        except ValueError:
            raise BadSetting("LIENTHONG_SETTLE_SECONDS must be a number of seconds") from None
        try:
            since = date.fromisoformat(env["LIENTHONG_DUE_SINCE"]) if env.get("LIENTHONG_DUE_SINCE") else None
        except ValueError:
            raise BadSetting("LIENTHONG_DUE_SINCE must be a day such as 2026-01-01") from None
        reference = env.get("LIENTHONG_REFERENCE")
        if reference and not Path(reference).is_dir():
            raise BadSetting("LIENTHONG_REFERENCE must name a folder with communes.csv in it")
        folders = tuple(
            Path(p).expanduser().absolute() for p in env.get("LIENTHONG_CONTRACTS", "").split(os.pathsep) if p
        )
        for folder in folders:
            if not folder.is_dir():
                raise BadSetting(f"LIENTHONG_CONTRACTS names {folder.name}, which is not a folder")
        return Settings(
            home=home,
            database_url=env.get("LIENTHONG_DATABASE_URL") or None,
            inbox=env.get("LIENTHONG_INBOX") or str(home / "inbox"),
            archive=env.get("LIENTHONG_ARCHIVE") or str(home / "archive"),
            returns=env.get("LIENTHONG_RETURNS") or "",
            answers=env.get("LIENTHONG_ANSWERS") or "",
            executor=_executor(env),
            reference=Path(reference).absolute() if reference else None,
            contracts=folders,
            key_file=Path(env["LIENTHONG_KEY_FILE"]).expanduser().absolute() if env.get("LIENTHONG_KEY_FILE") else None,
            province=env.get("LIENTHONG_PROVINCE", "56"),
            sources=Path(env["LIENTHONG_SOURCES"]).expanduser().absolute() if env.get("LIENTHONG_SOURCES") else None,
            contacts=Path(env["LIENTHONG_CONTACTS"]).expanduser().absolute() if env.get("LIENTHONG_CONTACTS") else None,
            mail=_mail(env),
            webhook_secret=_secret(env, "LIENTHONG_WEBHOOK_SECRET_FILE"),
            operators=_operators(env),
            reminders=_reminders(env),
            help_by=env.get("LIENTHONG_HELP") or Settings.help_by,
            due_since=since,
            settle_seconds=settle,
            limits=_limits(env),
            environment={name: value for name, value in env.items() if name.startswith("LIENTHONG_")},
        )


def _executor(env: Mapping[str, str]) -> Literal["in_process", "celery"]:
    said = env.get("LIENTHONG_EXECUTOR", "in_process")
    if said == "celery":
        # what one step leaves for the next must be where every machine finds it
        for name in ("DATABASE_URL", "INBOX", "ARCHIVE", "RETURNS", "ANSWERS", "KEY_FILE"):
            if not env.get(f"LIENTHONG_{name}"):
                raise BadSetting(f"LIENTHONG_EXECUTOR=celery needs LIENTHONG_{name}: several machines share it")
        return "celery"
    if said != "in_process":
        raise BadSetting("LIENTHONG_EXECUTOR must be in_process or celery")
    return "in_process"


def _secret(env: Mapping[str, str], name: str) -> bytes | None:
    """What stands in the file that a variable names: secrets are in no variable, since every child of a process has those."""
    if not (where := env.get(name)):
        return None
    path = Path(where).expanduser()
    try:
        if path.stat().st_mode & 0o077:
            raise BadSetting(f"{name}: {path.name} can be read by others; chmod 600 it")
        found = path.read_bytes().strip()
    except OSError as error:
        raise BadSetting(f"{name}: {path.name} cannot be read ({error.strerror})") from None
    if not found:
        raise BadSetting(f"{name}: {path.name} is empty")
    return found


def _mail(env: Mapping[str, str]) -> MailServer | None:
    """``LIENTHONG_MAIL_``: ``SERVER`` (host:port), ``FROM``, ``TLS``, ``USER``, ``PASSWORD_FILE``, ``CA_FILE``."""
    if not (server := env.get("LIENTHONG_MAIL_SERVER")):
        return None
    host, _, port = server.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise BadSetting("LIENTHONG_MAIL_SERVER must be host:port, such as mail.tinh.gov.vn:587")
    if not is_address(sender := env.get("LIENTHONG_MAIL_FROM", "")):
        raise BadSetting("LIENTHONG_MAIL_FROM must be the address in whose name mail is sent")
    tls = env.get("LIENTHONG_MAIL_TLS", "starttls")
    if tls not in get_args(Tls):
        raise BadSetting(f"LIENTHONG_MAIL_TLS must be one of {', '.join(get_args(Tls))}")
    user, password = env.get("LIENTHONG_MAIL_USER") or None, _secret(env, "LIENTHONG_MAIL_PASSWORD_FILE")
    if (user is None) != (password is None):
        raise BadSetting("LIENTHONG_MAIL_USER and LIENTHONG_MAIL_PASSWORD_FILE are needed together")
    if user is not None and tls == "none":
        raise BadSetting("LIENTHONG_MAIL_TLS=none would send the password in clear")
    return MailServer(
        host, int(port), sender, cast(Tls, tls), user, password.decode() if password else None,
        env.get("LIENTHONG_MAIL_CA_FILE") or None,
    )  # fmt: skip


def _operators(env: Mapping[str, str]) -> tuple[str, ...]:
    found = tuple(one.strip() for one in env.get("LIENTHONG_ALERTS_TO", "").split(";") if one.strip())
    if not all(is_address(one) or is_webhook(one) for one in found):
        raise BadSetting("LIENTHONG_ALERTS_TO must be addresses and webhooks (https://…), with ';' between them")
    return found


def _reminders(env: Mapping[str, str]) -> Policy:
    usual = Policy()
    try:
        before = tuple(int(n) for n in env.get("LIENTHONG_REMIND_BEFORE", "3,1").split(",") if n.strip())
        every = int(env.get("LIENTHONG_REMIND_EVERY", str(usual.every)))
        levels = tuple(int(n) for n in env.get("LIENTHONG_REMINDER_LEVELS", "3,6").split(","))
        if len(levels) != 2 or not 0 < levels[0] < levels[1] or every < 1 or any(n < 1 for n in before):
            raise ValueError
    except ValueError:
        raise BadSetting(
            "LIENTHONG_REMIND_BEFORE (3,1), LIENTHONG_REMIND_EVERY (5) and LIENTHONG_REMINDER_LEVELS (3,6) "
            "are whole numbers above 0"
        ) from None
    return Policy(before, every, usual.until, (levels[0], levels[1]))


_GREATEST = 1_000_000_000
_LIMITS = {
    "LIENTHONG_LIMIT_FILE_MB": ("file_bytes", MIB, 1),
    "LIENTHONG_LIMIT_UNPACKED_MB": ("unpacked_bytes", MIB, 1),
    "LIENTHONG_LIMIT_RATIO": ("ratio", 1, 1),
    "LIENTHONG_LIMIT_ROWS": ("rows", 1, 1),
    "LIENTHONG_LIMIT_COLUMNS": ("columns", 1, 1),
    "LIENTHONG_LIMIT_CELLS": ("cells", 1, 1),
    "LIENTHONG_LIMIT_SHARED_STRINGS": ("shared_strings", 1, 1),
    "LIENTHONG_LIMIT_SHEET_TEXT_MB": ("text_bytes", MIB, 1),
    "LIENTHONG_LIMIT_TREE_MB": ("tree_bytes", MIB, 1),
    "LIENTHONG_LIMIT_ZIP_FILES": ("entries", 1, 1),
    "LIENTHONG_LIMIT_SHEETS": ("sheets", 1, 1),
    "LIENTHONG_LIMIT_READ_MEMORY_MB": ("memory_bytes", MIB, 64),
    "LIENTHONG_LIMIT_READ_SECONDS": ("seconds", 1, 1),
}
"""Variable -> the limit that it sets, its unit, and the least that makes sense."""


def _limits(env: Mapping[str, str]) -> Limits:
    wanted = {}
    for name, (limit, unit, least) in _LIMITS.items():
        if text := env.get(name):
            # a number of more digits than the greatest is not even read
            known = text.isascii() and text.isdecimal() and len(text) <= len(str(_GREATEST))
            if not known or not least <= int(text) <= _GREATEST:
                usual = getattr(Limits(), limit) // unit
                raise BadSetting(
                    f"{name} must be a whole number from {least} to {_GREATEST}; without it, it is {usual}"
                )
            wanted[limit] = int(text) * unit
    return Limits(**wanted)
