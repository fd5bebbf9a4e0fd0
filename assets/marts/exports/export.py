"""One export: views of one snapshot, each a file, in a folder that is whole or recognisably not.

Here: what happens in which order. All views are read in one transaction (repeatable read), so that they are of one publish
whatever is published meanwhile, and nobody waits for anybody. Not here: the open-data set.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import psycopg

from assets.core.person import audit
from assets.marts.indicators.catalogue import Indicator
from schemas.contract import Contract

from .describe import AGENCIES, Licence, Written, dictionary, listed, packaged
from .folder import Folder, exporting
from .forms import CsvFile, ParquetFile, Writer
from .known import Moment, choose, shown_at
from .stream import arrow_schema, stream
from .views import ExportRefused, View, find_views

Form = Literal["parquet", "csv", "package"]
DICTIONARY = "dictionary.md"
_HERE = Path(__file__).parent


@dataclass(frozen=True)
class Exported:
    """What came of an export. ``removed``: files of an earlier export into the folder that this one has not."""

    folder: Path
    moment: Moment
    files: Sequence[Written]
    description: str
    removed: Sequence[str] = field(default_factory=list)


@dataclass(frozen=True)
class Personal:
    """Who takes views of persons out, and what for; kept in the audit log."""

    purpose: str
    by: str


@contextmanager
def snapshot(connection: psycopg.Connection) -> Iterator[None]:
    """A transaction in which everything that is read is of one moment; nothing that it does stays."""
    before = connection.isolation_level
    connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    try:
        with connection.transaction(force_rollback=True):
            yield
    finally:
        if not connection.broken:
            connection.isolation_level = before


def export(
    connection: psycopg.Connection,
    contracts: Mapping[str, Contract],
    indicators: Mapping[str, Indicator],
    names: Sequence[str],
    folder: Path,
    form: Form = "parquet",
    *,
    number: int | None = None,
    at: datetime | None = None,
    personal: Personal | None = None,
    licence: Licence = AGENCIES,
    by: str = "",
    now: datetime | None = None,
) -> Exported:
    """Write views into a folder, as they are now, at a publish (``number``), or as readers saw them at a time (``at``).

    Views that apps may not read need ``personal``, which is in the audit log before the first row is read; ``by``: who exports
    the others. Raises :class:`ExportRefused` where something is not to be had; the folder is then as before."""
    views = find_views(connection, names, contracts, indicators)
    if not views:
        raise ExportRefused("name at least one view")
    private = [v for v in views if v.personal]
    if private and personal is None:
        raise ExportRefused(
            f"{', '.join(v.full_name for v in private)}: apps may not read this; say --personal and what for (--purpose), which is "
            "kept in the audit log"
        )
    made_at = now or datetime.now(UTC)
    with exporting(folder, private=bool(private)) as target:
        note(connection, views, {"form": form, "publish": number, "at": at and at.isoformat()}, personal, by)
        with snapshot(connection):
            moment = choose(connection, number, at)
            files = [_file(connection, target, view, moment, form) for view in views]
        return finish(target, files, moment, form, licence, made_at)


def finish(
    target: Folder,
    files: Sequence[Written],
    moment: Moment,
    form: Form,
    licence: Licence,
    made_at: datetime,
    *,
    name: str = "lienthong-export",
    title: str = "Dữ liệu từ cơ sở dữ liệu liên thông của tỉnh",
) -> Exported:
    """Describe the files and put everything in its place."""
    if form != "package":
        description = "export.json"
        removed = target.finish(description, listed(files, moment, made_at))
    else:
        with target.writing(DICTIONARY) as sink:
            sink.write(dictionary(files, moment).encode())
        description = "datapackage.json"
        about = (DICTIONARY, sink.size, sink.sha256)
        package = packaged(files, about, moment, made_at, licence, name=name, title=title)
        removed = target.finish(description, package)
    return Exported(target.path, moment, files, description, removed)


def note(
    connection: psycopg.Connection,
    views: Sequence[View],
    details: Mapping[str, Any],
    personal: Personal | None = None,
    by: str = "",
) -> None:
    """Write into the audit log who takes what out, and what for, before anything is read.

    What apps may read is written down where the user may write there, which an app's login may not. Raises
    :class:`ExportRefused`, and what :func:`audit` raises of a purpose that cannot be kept."""
    may = connection.execute((_HERE / "may_note.sql").read_text(encoding="utf-8")).fetchone()
    if may is None or not may[0]:
        if any(v.personal for v in views):
            raise ExportRefused(
                "the database user may not write into the audit log, and views of persons are not exported without it; connect "
                "as the user of the pipeline"
            )
        return
    with connection.transaction():
        for view in views:
            reason = personal.purpose if personal is not None and view.personal else "open to apps"
            who = personal.by if personal is not None else by or may[1]
            audit(
                connection,
                by=who,
                action="export",
                reason=reason,
                dataset=f"{view.schema}.{view.name}",
                details=details,
            )


def _file(connection: psycopg.Connection, target: Folder, view: View, moment: Moment, form: Form) -> Written:
    name = f"{view.full_name}.{'parquet' if form == 'parquet' else 'csv'}"
    with shown_at(connection, view, moment) as relation, target.writing(name) as sink:
        schema = arrow_schema(connection, relation, view.fields, lists=form == "parquet")
        writer: Writer
        if form == "parquet":
            said = {"view": f"{view.schema}.{view.name}", "publish": str(moment.number), "shows": str(moment.shows)}
            writer = ParquetFile(sink, schema, said)
        else:
            writer = CsvFile(sink, schema, mark=form == "csv")
        with writer:
            rows = stream(connection, relation, view.fields, schema, writer.write)
    return Written(name, view, view.fields, schema, rows, sink.size, sink.sha256)
