"""The whole flow as plain calls: inbox -> deliveries -> submissions -> history -> publish -> answers.

The command line, the Dagster assets and the tests all call these; each step takes what is pending in the ledger, so that a
run that was stopped anywhere is taken up by the next.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg

from assets.core.merge import Merged
from assets.intake.archive import Archive, Destroyed
from assets.intake.inbox import Arrived, look
from assets.intake.ledger import Delivery, Taken, deliveries_of, pending, receive
from assets.intake.object_keys import DatabaseKeys
from assets.intake.reader import read_apart
from assets.intake.stores import is_local, reaching
from assets.intake.submissions import SenderInfo
from assets.marts.due import Derived, derive_due
from assets.marts.indicators.catalogue import Indicator, load_indicators, load_mandates, sync_indicators
from assets.marts.indicators.compute import Indicated
from assets.marts.public import sync_public
from assets.marts.publish import Prepared, prepare, publish, publishing
from assets.reference.resolver import Resolver
from assets.reference.store import sync_reference
from assets.reference.units import Reference, load_reference
from assets.staging.ahead import ReadAhead
from assets.staging.stage import Staged, Tools, read_ahead, stage, warm_up
from assets.staging.vault import Vault
from schemas.contract import Contract, builtin_folder, load_contracts
from schemas.feed import sync_feed
from schemas.tables import sync, sync_combined

from .database import connect, database_url
from .settings import Settings

if TYPE_CHECKING:
    from assets.intake.sources.pull import Pulled
    from schemas.sources import Declared, Source

    from .notices import Noticed

log = logging.getLogger(__name__)

Progress = Callable[[str, int, int], None]
"""(step, done, total): told now and then while a step works."""


def _silent(step: str, done: int, total: int) -> None:
    return None


@lru_cache(maxsize=1)
def _builtin_indicators() -> dict[str, Indicator]:
    """Package data: it stays as it is while a process runs."""
    return load_indicators()


_STATE = (Path(__file__).parent / "flow_state.sql").read_text(encoding="utf-8")
_IN_STEP: dict[tuple[int, ...], tuple[tuple[Any, ...], Any]] = {}
"""Ids of what is loaded -> it (so that no other gets its id), and the state that a database had when it followed it."""


@dataclass
class Ran:
    """What a run did, by step."""

    received: list[str] = field(default_factory=list)
    growing: list[str] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)
    """Folders of the inbox that could not be read."""
    withheld: list[str] = field(default_factory=list)
    """Deliveries with a secret marking whose file lies in the inbox, seen now or before."""
    staged: list[str] = field(default_factory=list)
    rejected: list[str] = field(default_factory=list)
    merged: list[Merged] = field(default_factory=list)
    indicated: Indicated | None = None
    published: int | None = None


class Pipeline:
    """One installation, opened: settings, contracts, reference and a connection, each made when first needed."""

    def __init__(self, settings: Settings, progress: Progress = _silent) -> None:
        self.settings = settings
        self.progress = progress
        self.ran = Ran()
        """What the steps did since the last :meth:`run` began."""

    @cached_property
    def contracts(self) -> dict[str, Contract]:
        """All contracts by dataset; raises ``ContractError`` with findings where one is wrong."""
        return load_contracts([builtin_folder(), *self.settings.contracts])

    @cached_property
    def indicators(self) -> dict[str, Indicator]:
        """All indicators by code; raises ``IndicatorError`` with findings where one is wrong. Those that read a dataset that is
        not among the contracts have no values."""
        return dict(_builtin_indicators())

    @cached_property
    def reference(self) -> Reference:
        """Units, crosswalk, senders."""
        return load_reference(self.settings.reference, self.settings.province)

    @cached_property
    def senders(self) -> dict[str, SenderInfo]:
        """Senders by code."""
        rows = self.reference.senders.iter_rows(named=True)
        return {r["code"]: SenderInfo(r["code"], r["name"], r["kind"], r["commune_code"]) for r in rows}

    @cached_property
    def url(self) -> str:
        """URL of the database, up and migrated."""
        return database_url(self.settings)

    @cached_property
    def archive(self) -> Archive:
        """The archive of deliveries."""
        return Archive(self.settings.archive, self.object_keys)

    @property
    def key_file(self) -> Path:
        """The keys of the vault and the archive."""
        return self.settings.key_file or self.settings.home / "keys"

    @cached_property
    def object_keys(self) -> DatabaseKeys:
        """The keys of the archive's objects."""
        return DatabaseKeys(lambda: connect(self.url), self.key_file)

    @cached_property
    def vault(self) -> Vault:
        """The vault."""
        return Vault(lambda: connect(self.url), self.key_file)

    @contextmanager
    def connection(self) -> Iterator[psycopg.Connection]:
        """A connection in autocommit, with contract tables and reference lists in step with what is loaded."""
        with connect(self.url) as connection:
            self._bring_in_step(connection)
            self._reconcile(connection)
            try:
                yield connection
            finally:
                self.close()

    def _bring_in_step(self, connection: psycopg.Connection) -> None:
        """Make the database follow contracts, lists and indicators. One question where this process has seen it do so."""
        loaded = (self.reference, *self.contracts.values(), *self.indicators.values())
        key = tuple(map(id, loaded))
        known = _IN_STEP.get(key)
        if known is not None and known[1] == connection.execute(_STATE).fetchone():
            return
        with connection.transaction():
            sync_reference(connection, self.reference)
            for contract in self.contracts.values():
                sync(connection, contract)
            sync_combined(connection, self.contracts)
            sync_indicators(connection, self.indicators, load_mandates(self.indicators))
            sync_feed(connection, self.contracts)
            sync_public(connection, self.contracts, self.indicators)
            state = connection.execute(_STATE).fetchone()
        if len(_IN_STEP) >= 8:
            _IN_STEP.clear()
        _IN_STEP[key] = loaded, state

    def _reconcile(self, connection: psycopg.Connection) -> None:
        """Grants that have ended are taken away, and those on views that were made anew are given again."""
        if connection.execute("select exists (select from ops.access)").fetchone() == (True,):
            from assets.marts.access import Refused, reconcile

            try:
                reconcile(connection, self.contracts, datetime.now(UTC))
            except Refused as refused:  # the data goes on; doctor says it too
                log.warning("%s", refused)

    def close(self) -> None:
        """Let go of the connections of vault and archive; they are opened again where they are needed."""
        self.vault.close()
        self.object_keys.close()

    @cached_property
    def declared(self) -> Declared:
        """What is declared of sources: those of the files that are right, and what is wrong with the others."""
        from schemas.sources import read_sources

        return read_sources(self.settings.sources_folder, self.senders, self.contracts)

    @property
    def sources(self) -> dict[str, Source]:
        """The declared sources by id, without those of files in which something is wrong."""
        return self.declared.sources

    def source_findings(self) -> list[str]:
        """What is wrong with the declarations as they stand now, with file, line and remedy."""
        vars(self).pop("declared", None)
        return [str(finding) for finding in self.declared.findings]

    def pull(self, connection: psycopg.Connection, name: str, now: datetime | None = None) -> Pulled:
        """Take what is new of a source; what it does wrong is an outcome. :class:`KeyError` where there is none of that id."""
        from assets.intake.sources.pull import pull

        source = self.sources[name]
        try:
            return pull(
                connection, self.archive, source, self.contracts.get(source.spec.dataset), now,
                progress=lambda rows: self.progress(name, rows, rows), settle_seconds=self.settings.settle_seconds,
            )  # fmt: skip
        finally:
            self.object_keys.close()

    def tools(self, connection: psycopg.Connection, archive: Archive | None = None) -> Tools:
        """What staging works with."""
        return Tools(
            connection,
            archive or self.archive,
            self.contracts,
            self.senders,
            Resolver(self.reference, carry_codes=True),
            self.reference.version,
            self.vault.seal,
            limits=self.settings.limits,
        )

    def receive(
        self,
        connection: psycopg.Connection,
        *,
        inbox: str | None = None,
        period: str | None = None,
        archive: Archive | None = None,
        after: Callable[[], None] = lambda: None,
    ) -> Taken:
        """Archive and write down what is new in the inbox; ``after`` is called after each group of files."""
        where = inbox or self.settings.inbox
        with reaching("inbox", where):
            seen = look(where, period=period, settle_seconds=self.settings.settle_seconds)
        done = 0

        def told() -> None:
            nonlocal done
            done += 1
            self.progress("receive", done, len(seen.arrived))

        fresh: list[str] = []
        withheld: list[str] = []
        for group in _groups(seen.arrived, 200):
            # where something is new reader and engine will be needed: their imports go on beside archiving
            with reaching("inbox or the archive", where if not is_local(where) else self.settings.archive):
                found = receive(connection, archive or self.archive, where, group, told, warm_up)
            fresh += found.fresh
            withheld += found.withheld
            after()
        for folder in seen.unreadable:
            log.warning("the folder %s of the inbox cannot be read; let the pipeline's user read it", folder)
        self.ran.received, self.ran.growing, self.ran.withheld = fresh, seen.growing, withheld
        self.ran.unreadable = seen.unreadable
        return Taken(fresh, seen.growing, withheld, seen.unreadable)

    def stage(
        self, connection: psycopg.Connection, *, archive: Archive | None = None, ahead: ReadAhead | None = None
    ) -> Staged:
        """Read and stage every pending delivery; ``ahead`` has read some of them already."""
        return self._stage(connection, pending(connection), archive, ahead=ahead)

    def _stage(
        self,
        connection: psycopg.Connection,
        waiting: Sequence[Delivery],
        archive: Archive | None = None,
        again: bool = False,
        ahead: ReadAhead | None = None,
    ) -> Staged:
        done = 0

        def told(_: Any) -> None:
            nonlocal done
            done += 1
            self.progress("stage", done, len(waiting))

        staged = stage(replace(self.tools(connection, archive), again=again), waiting, told, ahead)
        self.ran.staged, self.ran.rejected = staged.staged, staged.rejected
        return staged

    def prepare(self, connection: psycopg.Connection, *, indicators: bool = True) -> Prepared:
        """Merge all datasets under an open publish number. The caller holds the publisher's lock. ``indicators``: whether they
        are computed."""
        done = 0

        def told(_: Merged) -> None:
            nonlocal done
            done += 1
            self.progress("merge", done, len(self.contracts))

        return prepare(
            connection, list(self.contracts.values()), told, self.vault, self.indicators if indicators else None
        )

    def publish(self, connection: psycopg.Connection) -> tuple[Prepared, int | None]:
        """Merge and publish, under the lock."""
        with publishing(connection):
            prepared = self.prepare(connection)
            number = publish(connection, prepared)
        self.ran.merged, self.ran.indicated, self.ran.published = prepared.merged, prepared.indicated, number
        return prepared, number

    def expect(self, connection: psycopg.Connection, now: datetime | None = None) -> Derived:
        """Bring what is expected (``ops.due``) up to a moment, by default this one."""
        return derive_due(connection, self.contracts, now or datetime.now(UTC), self.settings.due_since)

    def notice(self, connection: psycopg.Connection, now: datetime | None = None) -> Noticed:
        """Reminders and alerts of a moment, by default this one."""
        from .notices import notice

        return notice(self, connection, now)

    def answer(self, connection: psycopg.Connection, names: Sequence[str] | None = None) -> list[str]:
        """Write the answers of submissions, and the workbooks that go back to their senders; their ids. ``names``: without them all
        whose state has changed since the boards were last told."""
        from assets.returns.answers import write_answers
        from assets.returns.returned import write_returned

        with reaching("store of the answers (LIENTHONG_ANSWERS)", self.settings.answered):
            done = write_answers(connection, self.contracts, self.settings.answered, names)
        try:
            with reaching("store of the returned workbooks (LIENTHONG_RETURNS)", self.settings.returned):
                write_returned(
                    connection,
                    self.contracts,
                    self.settings.returned,
                    self.archive,
                    read_apart,
                    done,
                    self.settings.limits,
                    lambda n, total: self.progress("return", n, total),
                )
        finally:
            self.object_keys.close()
        return done

    def workbook(self, connection: psycopg.Connection, name: str) -> bytes:
        """The workbook that goes back to the sender of a submission; raises what the archive raises of its bytes."""
        from assets.returns.returned import delivered, returned

        try:
            found = delivered(connection, self.contracts, self.archive, name, strict=True)
        finally:
            self.object_keys.close()
        return returned(found, read_apart, self.settings.limits)

    def replay(
        self,
        connection: psycopg.Connection,
        *,
        dataset: str | None = None,
        submission_id: str | None = None,
    ) -> Staged:
        """Read again from the archive, under the contracts and reference of today: another assessment, nothing removed.

        All deliveries (a rejected one may be understood now), or those of one dataset or submission. Those whose bytes were
        destroyed stay as they are; :class:`assets.intake.archive.Destroyed` is raised where one of them was asked for.
        """
        waiting = deliveries_of(connection, dataset=dataset, submission_id=submission_id)
        for delivery in waiting:
            if submission_id is not None and delivery.destroyed_at is not None:
                raise Destroyed(delivery.sha256, delivery.destroyed_at, delivery.destroyed_why or "")
        return self._stage(connection, waiting, again=True)

    def run(self, *, inbox: str | None = None, period: str | None = None) -> Ran:
        """The whole flow once."""
        self.ran = Ran()
        with self.connection() as connection:
            with read_ahead(self.tools(connection)) as ahead:
                # what is archived is read while the next files are being archived
                self.receive(connection, inbox=inbox, period=period, after=lambda: ahead.expect(pending(connection)))
                self.stage(connection, ahead=ahead)
            self.publish(connection)
        return self.ran


def _groups(items: Sequence[Arrived], size: int) -> Iterator[Sequence[Arrived]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


def open_pipeline(home: Path | None = None, **changes: Any) -> Pipeline:
    """The pipeline of the environment's settings, with changes."""
    settings = Settings.from_environment()
    if home is not None:
        settings = replace(settings, home=home, inbox=str(home / "inbox"), archive=str(home / "archive"))
    return Pipeline(replace(settings, **changes))
