"""How the command speaks: tables and sentences for people, JSON for programs, progress for a terminal.

Here: where text goes and in what form. What it says is put together by the caller. Results go to standard output, all
else to standard error, so that with ``--json`` standard output is one JSON value and nothing besides. Texts are printed
as they are: no markup is read out of them, for they hold what senders wrote.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, is_dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

_WIDE = 200
"""Columns of a line where standard output is a file or a pipe: nobody's window cuts it there."""
_CRUMB = 16
"""Columns that a cell of a wrapped column must have."""
_ALIGNED = 60
"""Columns of a command up to which the comments of commands stand below each other."""


class Screen:
    """Standard output and error of one invocation."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json
        self._out: Console | None = None
        self._err: Console | None = None

    @property
    def out(self) -> Console:
        """Console of the results."""
        if self._out is None:
            self._out = _console(error=False)
        return self._out

    @property
    def err(self) -> Console:
        """Console of messages."""
        if self._err is None:
            self._err = _console(error=True)
        return self._err

    def json(self, value: Any) -> None:
        """Print a result as JSON."""
        sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2, default=plain) + "\n")

    def say(self, text: str = "", style: str | None = None) -> None:
        """A sentence for people; with ``--json`` it is a message and goes to standard error."""
        console = self.err if self.as_json else self.out
        console.print(_printable(text), style=style, soft_wrap=not console.is_terminal)

    def note(self, text: str) -> None:
        """A message that is no part of the result."""
        self.err.print(_printable(text), soft_wrap=not self.err.is_terminal)

    def commands(self, commands: Iterable[tuple[str, str]]) -> None:
        """Commands to copy, each on a line of its own with a comment; never wrapped."""
        found = list(commands)
        width = max((len(command) for command, _ in found if len(command) <= _ALIGNED), default=0)
        for command, comment in found:
            line = f"  {command:<{width}}  # {comment}" if comment else f"  {command}"
            self.out.print(_printable(line), soft_wrap=True)

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[Any]], *, title: str = "") -> None:
        """A table; a column whose name begins with '>' stands to the right, with '!' is never wrapped.

        Where the window is too narrow for it, a paragraph per row.
        """
        lines = [[shown(cell) for cell in row] for row in rows]
        if self.out.width < _least_width(columns, lines):
            self._paragraphs([name.lstrip(">!") for name in columns], lines, title)
            return
        from rich import box
        from rich.table import Table
        from rich.text import Text

        table = Table(title=title or None, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD)
        for name in columns:
            table.add_column(
                Text(name.lstrip(">!")),
                justify="right" if name.startswith(">") else "left",
                no_wrap=name.startswith((">", "!")),
                overflow="fold",
            )
        for line in lines:
            table.add_row(*map(Text, line))
        self.out.print(table)

    def _paragraphs(self, names: Sequence[str], lines: Sequence[Sequence[str]], title: str) -> None:
        if title:
            self.out.print(title, style="bold")
        for line in lines:
            self.out.print()
            for name, cell in zip(names, line, strict=True):
                if cell:
                    self.out.print(f"{name}: {cell}" if name else cell)
        self.out.print()

    @contextmanager
    def progress(self) -> Iterator[Callable[[str, int, int], None]]:
        """A callback ``(step, done, total)`` that moves bars on standard error where that is a terminal."""
        if not self.err.is_terminal:
            yield lambda step, done, total: None
            return
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        columns = (TextColumn("{task.description:<8}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=self.err, transient=True) as bars:
            tasks: dict[str, Any] = {}

            def move(step: str, done: int, total: int) -> None:
                if step not in tasks:
                    tasks[step] = bars.add_task(step, total=total)
                bars.update(tasks[step], completed=done, total=total)

            yield move


def _console(*, error: bool) -> Console:
    from rich.console import Console

    class Quiet(Console):
        def on_broken_pipe(self) -> None:
            raise BrokenPipeError

    console = Quiet(stderr=error, highlight=False, markup=False, emoji=False)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = _WIDE
    return console


def more(screen: Screen, count: int, shown: int) -> None:
    """Say how many rows a table left out, and where they are."""
    if count > shown:
        screen.say(f"… and {count - shown} more; --json has all of them.")


def shown(value: Any) -> str:
    """A cell of a table."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return _printable(str(value))


_CONTROLS = dict.fromkeys([*range(10), *range(11, 32), *range(127, 160)], "\N{REPLACEMENT CHARACTER}")


def _printable(text: str) -> str:
    """Without control characters: a cell or file name of a sender must not steer the terminal."""
    return text.translate(_CONTROLS)


def _least_width(columns: Sequence[str], lines: Sequence[Sequence[str]]) -> int:
    """Columns of the screen below which a table would lose text or break it into crumbs."""
    widths = [max((len(line[i]) for line in lines), default=0) for i in range(len(columns))]
    return sum(
        max(len(name), wide if name.startswith((">", "!")) else min(wide, _CRUMB)) + 3
        for name, wide in zip(columns, widths, strict=True)
    )


def plain(value: Any) -> Any:
    """What :mod:`json` does not know by itself. Decimals become text: a float would change them."""
    if isinstance(value, date):
        return value.isoformat()
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, Decimal | Path):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


def plural(n: int, what: str) -> str:
    """A number with its noun."""
    return f"{n} {what}" if n == 1 else f"{n} {what}s"


def use_utf8() -> None:
    """Print UTF-8 whatever the locale says, and never fail on a character: Vietnamese must survive ``LANG=C``."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(encoding="utf-8", errors="replace")


def program() -> str:
    """How the command is called here, so that a command that is printed can be copied."""
    if shutil.which("lienthong"):
        return "lienthong"
    called = Path(sys.argv[0])
    if called.name != "lienthong":
        return "lienthong"
    try:
        return str(called.absolute().relative_to(Path.cwd()))
    except ValueError:
        return str(called)
