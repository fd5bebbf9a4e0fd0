"""What an asset function needs from the floor above, as a protocol: ``pipelines.flow.Pipeline`` is one.

The asset functions in the ``definitions`` modules take it from Dagster as the resource :data:`KEY`; so they stand
beside the plain functions that do the work, and this floor imports nothing of the one above.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Protocol

import psycopg

from assets.intake.ledger import Taken
from assets.intake.submissions import SenderInfo
from assets.marts.publish import Prepared
from assets.reference.units import Reference
from assets.staging.stage import Staged
from schemas.contract import Contract

KEY = "installation"
"""Name of the Dagster resource, and of the parameter by which a function takes it."""


class Installation(Protocol):
    """One installation, opened when first needed."""

    @property
    def settings(self) -> Any:
        """``inbox`` (fsspec URL), ``home`` (folder), ``settle_seconds``, ``due_since``, ``answered``, ``returned``."""

    @property
    def contracts(self) -> dict[str, Contract]:
        """All contracts by dataset."""

    @property
    def reference(self) -> Reference:
        """Units, crosswalk, senders."""

    @property
    def senders(self) -> dict[str, SenderInfo]:
        """Senders by code."""

    def connection(self) -> AbstractContextManager[psycopg.Connection]:
        """A connection in autocommit; tables and reference lists are in step with what is loaded."""

    def receive(self, connection: psycopg.Connection, *, inbox: str | None = None, period: str | None = None) -> Taken:
        """Archive and write down what is new in the inbox."""

    def pull(self, connection: psycopg.Connection, name: str) -> Any:
        """Take what is new of a source: ``outcome``, ``rows``, ``bytes``, ``fault``, ``remedy``, ``unmarked``."""

    def source_findings(self) -> list[str]:
        """What is wrong with the declarations of sources as they stand now, with file, line and remedy."""

    def stage(self, connection: psycopg.Connection) -> Staged:
        """Read and stage every pending delivery."""

    def publish(self, connection: psycopg.Connection) -> tuple[Prepared, int | None]:
        """Merge and publish under the publisher's lock."""

    def notice(self, connection: psycopg.Connection) -> Any:
        """Remind senders, where that is on, and tell operators; ``reminders`` (None, or what was ``sent``, ``failed``,
        ``refused``), ``alerts``, ``untold``."""

    def answer(self, connection: psycopg.Connection) -> list[str]:
        """Answer the submissions whose state has changed; their ids."""


class StepFailed(Exception):
    """A step failed; the text says by what kind of error and where, and nothing that a library or the database said."""


@contextmanager
def connected(installation: Installation) -> Iterator[psycopg.Connection]:
    """A connection of the installation for the time of a step.

    An error that is not our own leaves as :class:`StepFailed`: Dagster keeps the texts of errors in its event log, and
    those of PostgreSQL (DETAIL, COPY context) and of libraries hold values of rows.
    """
    try:
        with installation.connection() as connection:
            yield connection
    except Exception as error:
        if type(error).__module__.partition(".")[0] in _OURS:
            raise error.with_traceback(None) from None
        raise StepFailed(_safe(error)) from None


_OURS = ("schemas", "expectations", "assets", "pipelines")
"""Packages whose errors have texts that hold no values."""


def _safe(error: BaseException) -> str:
    state = getattr(error, "sqlstate", None)
    places = [
        f"{Path(f.filename).name}:{f.lineno}" for f in traceback.extract_tb(error.__traceback__) if _own(f.filename)
    ]
    return f"{type(error).__name__}{f' (SQLSTATE {state})' if state else ''} at {' < '.join(places[::-1][:4])}"


def _own(file_name: str) -> bool:
    root = Path(__file__).resolve().parents[1]
    path = Path(file_name)
    return path.is_relative_to(root) and path.relative_to(root).parts[0] in _OURS
