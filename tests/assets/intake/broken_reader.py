"""A far end whose parser breaks as the file asks for: ``python -m tests.assets.intake.broken_reader``.

All else in it is the real one. Here: what real parsers have done over hostile files, on demand.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time
from typing import Any

from assets.intake import grids, reader
from assets.intake.limits import Limits

_real = grids.grids_of


def _broken(data: bytes, file_name: str, limits: Limits | None = None) -> reader.Grids:
    word, _, rest = data.partition(b":")
    what = {
        b"segfault": lambda: ctypes.string_at(0),
        b"abort": lambda: os.abort(),
        b"exit": lambda: os._exit(0),
        b"killed": lambda: os.kill(os.getpid(), signal.SIGKILL),
        b"once": lambda: _once(rest.decode()),
        b"loop": _loop,
        b"asleep": lambda: time.sleep(3600),
        b"python memory": lambda: bytearray(1 << 40),
        b"rust memory": _rust,
        b"c memory": _libxml,
        b"recursion": _recursion,
        b"panic": _panic,
        b"noise": lambda: os.write(1, b"a parser that prints to standard output\n"),
        b"garbage": lambda: _garbage(b"\0\0\0\0\0\0\0\x05hello"),
        b"endless": lambda: _garbage(b"\xff" * 8),
        b"deep": lambda: _garbage((100_000).to_bytes(8, "big") + b"[" * 100_000),
        b"infinite": lambda: _garbage(_framed(b'{"grids": [], "problems": [], "frames": [Infinity]}')),
        b"unknown code": lambda: _garbage(_framed(b'{"refused": {"code": "NO_SUCH", "params": {}}}')),
        b"long answer": lambda: _garbage(_framed(b'{"grids": [{}], "problems": [], "frames": [4611686018427387904]}')),
        b"writes a file": lambda: open(rest.decode(), "wb").write(bytes(8 << 20)),  # noqa: SIM115
        b"environment": lambda: _told(",".join(sorted(os.environ))),
    }.get(word)
    if what is not None:
        what()
    return _real(data, file_name, limits)


def _once(path: str) -> None:
    if not os.path.exists(path):
        with open(path, "wb"):
            os.kill(os.getpid(), signal.SIGKILL)


def _loop() -> None:
    while True:
        pass


def _rust() -> None:
    import polars as pl

    pl.Series([1]).new_from_index(0, 1 << 38)


def _libxml() -> None:
    from lxml import etree

    etree.fromstring(b"<a>" + b'<b c="1"/>' * (1 << 22) + b"</a>")


def _recursion() -> None:
    _recursion()


def _panic() -> None:
    import polars as pl

    raise pl.exceptions.PanicException("a value of a cell")


def _framed(said: bytes) -> bytes:
    return len(said).to_bytes(8, "big") + said


def _garbage(said: bytes) -> Any:
    os.write(_ANSWERS, said)
    os._exit(0)


def _told(text: str) -> Any:
    from schemas.grid import Unreadable

    raise Unreadable("INTERNAL", fault=text)


grids.grids_of = _broken
_ANSWERS = os.dup(1)

if __name__ == "__main__":
    sys.exit(reader.main())  # type: ignore[func-returns-value]
