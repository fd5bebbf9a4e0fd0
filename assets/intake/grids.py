"""Bytes of a delivery -> the sheets in it. Runs in the reading process (:mod:`.reader`), which alone parses what was sent.

Here: which reader reads which content, and packed files. Not here: the readers, and what the sheets mean. Nothing is
imported here that reading does not need: the process is started for it.
"""

from __future__ import annotations

from pathlib import PurePosixPath

from schemas import messages
from schemas.codes import CODES
from schemas.grid import Grid, Problem, Unreadable

from .limits import Limits
from .packed import files_of, unpacked
from .readers import reader
from .sniff import sniff


def grids_of(data: bytes, file_name: str, limits: Limits | None = None) -> tuple[list[Grid], list[Problem]]:
    """The sheets of a delivery by its content, and warnings about it; raises :class:`Unreadable`.

    Of a zip, the sheets of all its files, named '<file>/<sheet>' (the file alone where it has one sheet without a name).
    A file in it that cannot be read refuses the whole (BAD_PART): a part of a list that is missing would end what it
    holds.
    """
    limits = limits or Limits()
    grids, problems = _unpacked_grids(data, file_name, limits)
    if not grids:
        raise Unreadable("NO_SHEETS")
    if len(grids) > limits.sheets:
        raise Unreadable("TOO_LARGE", limit=messages.text("limit", "sheets", n=limits.sheets))
    return grids, [*problems, *(note for grid in grids for note in grid.notes)]


def _unpacked_grids(data: bytes, file_name: str, limits: Limits) -> tuple[list[Grid], list[Problem]]:
    sniffed = sniff(data, file_name)
    if sniffed.kind == "gz":
        name = PurePosixPath(file_name)
        return _grids_in(unpacked(data, limits), name.stem if name.suffix.lower() == ".gz" else name.name, limits)
    if sniffed.kind != "zip":
        return reader(sniffed.kind)(data, limits), list(sniffed.problems)
    grids: list[Grid] = []
    problems: dict[str, Problem] = {}
    for part, content in files_of(data, limits):
        try:
            own, said = _grids_in(content, part, limits)
            if not own:
                raise Unreadable("NO_SHEETS")
        except Unreadable as refused:
            inner = refused.problem
            raise Unreadable(
                "BAD_PART", part=part, reason=CODES[inner.code].text(**inner.params).rstrip(".")
            ) from refused
        for grid in own:
            grid.name = f"{part}/{grid.name}" if grid.name else part
            grid.index = len(grids)
            for note in grid.notes:
                where = note.params.get("where") or messages.text("where", "whole_file")
                note.params["where"] = messages.text("where", "in_part", where=where, part=part)
            grids.append(grid)
        problems.update((problem.code, problem) for problem in said)
    return grids, list(problems.values())


def _grids_in(data: bytes, name: str, limits: Limits) -> tuple[list[Grid], list[Problem]]:
    """The sheets of a file that was packed; packed once more it is refused."""
    sniffed = sniff(data, name)
    if sniffed.kind in ("zip", "gz"):
        raise Unreadable("UNSUPPORTED_ARCHIVE", format=f".{sniffed.kind} trong tệp nén khác")
    return reader(sniffed.kind)(data, limits), list(sniffed.problems)
