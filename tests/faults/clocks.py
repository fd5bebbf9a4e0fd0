"""Clocks that are wrong: of a process of its own, and of the database.

Here: moving them. The process has every ``datetime.now`` of ours and ``time.time`` moved; the database ``now()`` and
``clock_timestamp()`` of the statements, and of the columns that take the time by themselves. Not here: what must hold.
"""

from __future__ import annotations

import multiprocessing
import sys
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from tests.e2e.flows import World
from tests.faults.driver import _start

_OURS = ("assets", "pipelines", "schemas", "expectations")
_DEFAULTS = (("intake.delivery", "recorded_at"), ("intake.decision", "decided_at"), ("core.publish", "opened_at"))


class _AnyDatetime(type):
    def __instancecheck__(cls, other: object) -> bool:
        return isinstance(other, datetime)


def _move(seconds: float) -> None:
    import assets.intake.sources.pull  # noqa: F401  what is imported later would have the right clock
    import pipelines.cli  # noqa: F401

    right = time.time

    class Moved(datetime, metaclass=_AnyDatetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:  # type: ignore[override]
            return datetime.now(tz) + timedelta(seconds=seconds)

    time.time = lambda: right() + seconds
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] in _OURS and getattr(module, "datetime", None) is datetime:
            module.datetime = Moved  # type: ignore[attr-defined]


def _child(seconds: float, work: Callable[..., None], arguments: tuple[Any, ...]) -> None:
    multiprocessing.set_start_method("fork", force=True)
    _move(seconds)
    work(*arguments)


def under(seconds: float, work: Callable[..., None], *arguments: Any) -> int:
    """Do some work in a process whose clock is so many seconds ahead; its exit code. ``work``: a function of a module."""
    process = _start(_child, seconds, work, arguments)
    process.join()
    assert process.exitcode is not None
    return process.exitcode


def move_server(world: World, seconds: float) -> None:
    """Move the clock of a world's database for the connections to come; 0: put it right."""
    database = world.rows("select quote_ident(current_database())")[0][0]
    with world.connection() as connection:
        connection.execute("create schema if not exists moved")
        for name in ("now", "clock_timestamp"):
            connection.execute(
                f"create or replace function moved.{name}() returns timestamptz language sql volatile "  # type: ignore[call-overload]
                f"as $$ select pg_catalog.{name}() + make_interval(secs => {seconds}) $$"
            )
        for table, column in _DEFAULTS:
            connection.execute(f"alter table {table} alter column {column} set default moved.now()")  # type: ignore[call-overload]
        connection.execute(f"alter database {database} set search_path = moved, pg_catalog, public")  # type: ignore[call-overload]
