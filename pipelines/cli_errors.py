"""What could not be done, in one line with its remedy. Database texts are never shown: they carry values of rows.

Here: exceptions -> sentences. Everything is imported only once something has gone wrong.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterator

_OURS = ("schemas", "expectations", "assets", "pipelines")


def explain(error: BaseException) -> list[str]:
    """One line, or one a finding for contracts that are wrong."""
    import psycopg

    from assets.core.audit import BadLink
    from assets.core.closing import CannotClose
    from assets.core.correction import CannotCorrect
    from assets.core.decisions import CannotDecide
    from assets.core.person import Erased, NoSuchPerson, Unreasonable
    from assets.core.trace import NotFound
    from assets.intake.archive import Damaged, Destroyed
    from assets.intake.keys import KeysLost
    from assets.intake.stores import BadStores, StoreFailed
    from assets.marts.access import Refused
    from assets.marts.exports.views import ExportRefused
    from assets.marts.feed import BadPosition, CannotFollow
    from assets.marts.publish import Busy, NoSuchPublish
    from assets.returns.answers import NoSuchSubmission
    from assets.returns.reminders.contacts import BadContacts
    from assets.returns.reminders.send import Off
    from schemas.contract import ContractError
    from schemas.sources import NoSecret, SourcesWrong
    from schemas.tables import ShapeRefused

    from .backup import BackupFailed
    from .database import NoDatabase
    from .report import Unclear
    from .settings import BadSetting

    if isinstance(error, ContractError):
        found = [str(f) for f in error.findings]
        return [*found, "contracts are wrong; check them with `lienthong contracts lint`"]
    if isinstance(error, SourcesWrong):
        return [str(f) for f in error.findings]
    if isinstance(error, ShapeRefused):
        return [f"{error}; give the changed columns new names, or migrate the tables by hand"]
    told = (
        CannotClose, CannotDecide, NotFound, Damaged, Destroyed, KeysLost, Busy, NoSuchPublish, NoSuchSubmission, NoDatabase,
        Unclear,
        BackupFailed, BadContacts, BadSetting, BadStores, StoreFailed, NoSecret, Erased, Off, NoSuchPerson, Unreasonable,
        CannotCorrect, BadLink, ExportRefused, Refused, BadPosition, CannotFollow,
    )  # fmt: skip
    if isinstance(error, told):
        return [str(error)]
    if isinstance(error, psycopg.errors.DiskFull):
        return ["the disk of the database is full; make room and run the same command again: nothing is lost"]
    if isinstance(error, psycopg.OperationalError):
        return ["the connection to the database was lost; see that the server is up and run the same command again"]
    if isinstance(error, psycopg.Error):
        return [
            f"the database refused the work (SQLSTATE {error.sqlstate}): a fault of Liên Thông; --debug shows where"
        ]
    if isinstance(error, OSError):
        where = f": {error.filename}" if error.filename else ""
        return [f"{error.strerror or type(error).__name__}{where}; check that the path exists and may be used"]
    return [f"unexpected {type(error).__name__}: a fault of Liên Thông; --debug shows where"]


def show_traceback(error: BaseException) -> None:
    """Where it happened, for ``--debug``: frames and types. Only our own errors tell more: others may quote a cell."""
    import psycopg

    for one in reversed(list(_chain(error))):
        sys.stderr.write("".join(traceback.format_tb(one.__traceback__)))
        ours = type(one).__module__.partition(".")[0] in _OURS
        said = f": SQLSTATE {one.sqlstate}" if isinstance(one, psycopg.Error) else f": {one}" if ours else ""
        sys.stderr.write(f"{type(one).__name__}{said}\n")


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
