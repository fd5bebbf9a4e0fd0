"""The SQL of the core: the ``.sql`` files of this folder as text. Not here: what they do."""

from __future__ import annotations

from functools import cache
from pathlib import Path

_HERE = Path(__file__).parent


def statement(file: str, /, **parts: str) -> str:
    """The text of ``<file>.sql``; where ``parts`` are given, with each ``{part}`` filled in (a brace is then written twice)."""
    text = _text(file)
    return text.format(**parts) if parts else text


@cache
def _text(file: str) -> str:
    return (_HERE / f"{file}.sql").read_text(encoding="utf-8")
