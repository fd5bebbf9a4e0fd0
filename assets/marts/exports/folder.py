"""A folder that holds one export: whole or recognisably not, and nothing in it touched that is not ours.

Files are written under temporary names and renamed when all of them are there. What makes an export whole is its description
(``export.json`` or ``datapackage.json``): it is removed before the first file is renamed and written after the last. A journal
says in the meantime which names are ours, so that what a killed export left is replaced by the next one. Not here: what is in
the files.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from .views import ExportRefused

DESCRIPTIONS = ("export.json", "datapackage.json")
"""Files of which one makes an export whole."""
MADE_BY = "lienthong export"
_JOURNAL = ".lienthong-export.json"
_PART = ".lienthong-part-"


class Sink:
    """A file that is being written: counts and hashes what goes into it. It has what pyarrow and polars ask of a file."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._hash = hashlib.sha256()
        self.size = 0

    @property
    def sha256(self) -> str:
        """Hash of all that was written, in hexadecimal."""
        return self._hash.hexdigest()

    @property
    def closed(self) -> bool:
        """Whether it is closed."""
        return self._file.closed

    def write(self, data: Any) -> int:
        """Write bytes, all of them."""
        view = memoryview(data).cast("B")
        self._file.write(view)
        self._hash.update(view)
        self.size += len(view)
        return len(view)

    def tell(self) -> int:
        """Where writing goes on."""
        return self.size

    def flush(self) -> None:
        """Hand over to the system."""
        self._file.flush()

    def close(self) -> None:
        """The folder closes it; whoever writes may not."""


class Folder:
    """One export into a folder; use :func:`exporting`."""

    def __init__(self, path: Path, mode: int) -> None:
        self.path = path
        self.mode = mode
        self.files: dict[str, Sink] = {}
        """Name -> file, in the order in which they were written."""
        self._ours = _ours(path)

    @contextmanager
    def writing(self, name: str) -> Iterator[Sink]:
        """A new file under a temporary name, on the disk at the end of the block.

        Raises :class:`ExportRefused` where a file of that name is there that no export made, or that somebody changed since."""
        self._may_replace(name)
        descriptor = os.open(self._part(name), os.O_WRONLY | os.O_CREAT | os.O_EXCL, self.mode)
        with os.fdopen(descriptor, "wb") as file:
            sink = Sink(file)
            yield sink
            file.flush()
            os.fsync(file.fileno())
        self.files[name] = sink

    def finish(self, name: str, description: Mapping[str, Any]) -> list[str]:
        """Put all files in place, then the description under its name; names of what an earlier export left and this one has not,
        which is removed."""
        text = json.dumps(description, ensure_ascii=False, indent=1).encode() + b"\n"
        for one in DESCRIPTIONS:
            self._may_replace(one)
        with self.writing(name) as sink:
            sink.write(text)
        old = [n for n in self._ours if n not in self.files and (self.path / n).exists()]
        for one in old:
            self._may_replace(one)
        journal = json.dumps({"made_by": MADE_BY, "names": sorted({*self._ours, *self.files})}).encode()
        with self.writing(_JOURNAL) as sink:
            sink.write(journal)
        self._rename(_JOURNAL)
        for one in DESCRIPTIONS:
            (self.path / one).unlink(missing_ok=True)
        self._settle()
        for one in self.files:
            if one not in (name, _JOURNAL):
                self._rename(one)
        for one in old:
            (self.path / one).unlink(missing_ok=True)
        self._settle()
        self._rename(name)
        (self.path / _JOURNAL).unlink()
        self._settle()
        return sorted(n for n in old if n not in DESCRIPTIONS)

    def _part(self, name: str) -> Path:
        return self.path / f"{_PART}{name}"

    def _rename(self, name: str) -> None:
        self._part(name).replace(self.path / name)

    def _settle(self) -> None:
        descriptor = os.open(self.path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _may_replace(self, name: str) -> None:
        there = self.path / name
        if name == _JOURNAL or not (there.exists() or there.is_symlink()):
            return
        if name not in self._ours:
            raise ExportRefused(f"{there} is there already, and no export made it; name another folder or move it away")
        known = self._ours[name]
        if known is not None and _sha256(there) != known:
            raise ExportRefused(f"{there} was changed since it was exported; move it away, or name another folder")


@contextmanager
def exporting(path: Path, *, private: bool = False) -> Iterator[Folder]:
    """A folder to export into, which is made where it is absent; what is left of one that failed is removed at the end.

    ``private``: its files are for their owner alone. Raises :class:`ExportRefused` where another export is at work there, or the
    disk is full."""
    made = _make(path)
    descriptor = os.open(path, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ExportRefused(f"another export into {path} is at work; wait for it or name another folder") from None
        _sweep(path)  # nobody else is here: whoever left something is dead
        try:
            yield Folder(path, 0o600 if private else 0o644)
        finally:
            _sweep(path)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise ExportRefused(
                f"there is no room for the export in {path}; make room, or name another folder, and run the same command again"
            ) from None
        raise
    finally:
        os.close(descriptor)
        for folder in made:  # only where nothing is in it
            with suppress(OSError):
                folder.rmdir()


def _make(path: Path) -> list[Path]:
    """Make a folder; those that had to be made, the innermost first."""
    missing = [p for p in (path, *path.parents) if not p.exists()]
    try:
        path.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise ExportRefused(f"{path} is no folder; name a folder to export into") from None
    return missing


def _sweep(path: Path) -> None:
    for left in path.glob(f"{_PART}*"):
        left.unlink(missing_ok=True)


def _ours(path: Path) -> dict[str, str | None]:
    """Names of the files that exports made here -> their SHA-256, None where it is not known."""
    found: dict[str, str | None] = {}
    for name, read in ((_JOURNAL, _journalled), (DESCRIPTIONS[0], _listed), (DESCRIPTIONS[1], _packaged)):
        with suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
            said = json.loads((path / name).read_bytes())
            found |= read(said)
            if name != _JOURNAL and read(said):
                found.setdefault(name, None)
    # what a description says is no path out of the folder
    return {n: h for n, h in found.items() if n == Path(n).name and n not in ("", ".", "..")}


def _journalled(said: Any) -> dict[str, str | None]:
    return dict.fromkeys(map(str, said["names"])) if said["made_by"] == MADE_BY else {}


def _listed(said: Any) -> dict[str, str | None]:
    return {str(f["path"]): str(f["sha256"]) for f in said["files"]} if said["made_by"] == MADE_BY else {}


def _packaged(said: Any) -> dict[str, str | None]:
    if said["lienthong"]["made_by"] != MADE_BY:
        return {}
    return {str(r["path"]): str(r["hash"]).removeprefix("sha256:") for r in said["resources"]}


def _sha256(path: Path) -> str:
    if not path.is_file():
        return ""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
