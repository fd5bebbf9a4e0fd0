"""Dagster's event log in SQLite, with its databases kept open.

The stock storage opens a database anew for each event, so each costs a new engine, the compilation of its statements
and, on closing, a checkpoint to the disk: 20 ms an event where 8 are enough (61 and 14 on a busy disk), and the board
takes two events a submission. Local installations only; in production the events go to PostgreSQL
(``dagster-postgres``). The class is named in ``dagster.yaml`` (:mod:`pipelines.dagster_home`). It overrides a private
method: Dagster's version is pinned.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._core.storage.event_log.sqlite.sqlite_event_log import INDEX_SHARD_NAME
from dagster._core.storage.sql import create_engine
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS
from dagster._serdes import ConfigurableClassData
from sqlalchemy import Connection, Engine

_OPEN_RUNS = 4
"""Databases of runs that stay open beside the index: each is a file of its own."""


class KeptOpen(SqliteEventLogStorage):
    """The stock storage, one engine a database; the same files and contents."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        self._engines: OrderedDict[str, Engine] = OrderedDict()
        self._tables: set[str] = set()
        super().__init__(base_dir, inst_data)

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]) -> KeptOpen:
        """As Dagster makes it from ``dagster.yaml``."""
        return cls(inst_data=inst_data, **config_value)

    def has_table(self, table_name: str) -> bool:
        """Whether the index has a table; it is asked for each event of a check, and a table does not go away."""
        if table_name not in self._tables and super().has_table(table_name):
            self._tables.add(table_name)
        return table_name in self._tables

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        with self._db_lock, self._engine(shard).begin() as connection:
            yield connection

    def _engine(self, shard: str) -> Engine:
        if shard not in self._engines:
            # used by one thread at a time, under the lock, and by several over time
            arguments = {"timeout": SQLITE_BUSY_TIMEOUT_SECONDS, "check_same_thread": False}
            engine: Engine = create_engine(self.conn_string_for_shard(shard), connect_args=arguments)
            if shard not in self._initialized_dbs:
                self._initdb(engine)
                self._initialized_dbs.add(shard)
            self._engines[shard] = engine
            runs = [name for name in self._engines if name not in ("", INDEX_SHARD_NAME)]
            if len(runs) > _OPEN_RUNS:
                self._engines.pop(runs[0]).dispose()
        self._engines.move_to_end(shard)
        return self._engines[shard]

    def delete_events(self, run_id: str) -> None:
        """As the stock storage does, and the run's own file goes too: emptied, it would lie there for ever."""
        super().delete_events(run_id)
        with self._db_lock:
            if (engine := self._engines.pop(run_id, None)) is not None:
                engine.dispose()
            self._initialized_dbs.discard(run_id)
            for end in ("", "-wal", "-shm", "-journal"):
                Path(self.path_for_shard(run_id) + end).unlink(missing_ok=True)

    def dispose(self) -> None:
        """Close all databases."""
        for engine in self._engines.values():
            engine.dispose()
        self._engines.clear()
        super().dispose()
