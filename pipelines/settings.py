"""Settings: everything that differs from one installation to another, from the environment, with sane defaults."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from assets.intake.limits import MIB, Limits


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
    reference: Path | None = None
    """Folder whose lists are loaded in place of the real ones."""
    contracts: tuple[Path, ...] = ()
    """Folders with further contracts, beside the built-in ones."""
    key_file: Path | None = None
    """The keys of the vault; default ``<home>/keys``. Kept apart from the database's backups, and backed up itself."""
    province: str = "56"
    due_since: date | None = None
    """Periods that end before it are expected of nobody; None: from the first period that anybody sent."""
    settle_seconds: float = 1.0
    """A file that changed more recently than this is looked at twice."""
    limits: Limits = field(default_factory=Limits)
    """Bounds on what a sender may hand in."""

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
            reference=Path(reference).absolute() if reference else None,
            contracts=folders,
            key_file=Path(env["LIENTHONG_KEY_FILE"]).expanduser().absolute() if env.get("LIENTHONG_KEY_FILE") else None,
            province=env.get("LIENTHONG_PROVINCE", "56"),
            due_since=since,
            settle_seconds=settle,
            limits=_limits(env),
        )


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
