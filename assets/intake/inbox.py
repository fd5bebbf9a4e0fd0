"""The inbox: ``<period>/<sender>/<any file name>``, looked through without moving, renaming or trusting anything.

A file still being written is left for the next round. A sidecar ``<file>.yaml`` may state what the path and the sheet do
not: ``dataset``, ``as_of``, ``nothing_to_report``, ``withdraws``. The same file seen twice is the same delivery, by content
and time of arrival, not by name alone or by a cursor.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

import yaml

from schemas import messages
from schemas.grid import Problem
from schemas.mask import without_numbers

from .markings import marked_name, marked_statement
from .stores import modified, open_store

_UNFINISHED = (".tmp", ".part", ".partial", ".crdownload", ".filepart", ".swp")
_SIDECAR = {"dataset": str, "as_of": date, "nothing_to_report": bool, "withdraws": str}
_SIDECAR_BYTES = 4096
_SIDECAR_LOOKED_AT = 1 << 20
NOT_KEPT = "(không lưu tên tệp)"
"""Stands for a name that is not kept, since it is, or belongs to, something with a secret marking."""


@dataclass
class Arrived:
    """A file in the inbox that is whole; ``data_path`` is None where a sidecar stands alone (it then is the delivery)."""

    path: str
    origin: str
    period: str
    sender: str
    file_name: str
    received_at: datetime
    size: int
    sidecar: dict[str, Any] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    tag: str | None = None
    """What the store says about its bytes (an ETag), where it says something; another one, other bytes."""
    marked: bool = False
    """Whether its name, its folders or its sidecar bear a secret marking (its bytes have not been looked at)."""


@dataclass
class Look:
    """One round: what is whole, and what was left because it is still growing or is no file; folders that could not be read."""

    arrived: list[Arrived]
    growing: list[str]
    unreadable: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Place:
    """Where files arrive: the inbox of all, ``<period>/<sender>/<file>``, or with ``sender`` that of one, ``<period>/<file>``.
    ``options``:
    what the store's driver takes besides the address."""

    url: str
    sender: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)

    def store(self) -> tuple[Any, str]:
        """The file system and the root in it."""
        return open_store(self.url, self.options or None)


def place_of(place: Place | str) -> Place:
    """A place, or the inbox of all at an address."""
    return Place(place) if isinstance(place, str) else place


def look(place: Place | str, *, period: str | None = None, settle_seconds: float = 1.0) -> Look:
    """Look through the inbox. ``period`` keeps to one period folder. A file that changed less than ``settle_seconds`` ago
    is looked at again after that time, and left where its size or time has changed by then. What is no file is left as well:
    a pipe would never end, and a link is not followed, since it may lead anywhere. Order: by path. A folder that cannot be read
    holds up nobody else's; where the root cannot be read, what the store's driver raises is raised."""
    place = place_of(place)
    fs, root = place.store()
    if hasattr(fs, "invalidate_cache"):  # a process that lives long would go on seeing what was there when it began
        fs.invalidate_cache()
    if not fs.exists(root):
        return Look([], [])
    files, unreadable = _listed(fs, root, period)
    wanted = {path: info for path, info in files.items() if _wanted(path[len(root) + 1 :], period)}
    others = {path for path, info in wanted.items() if info["type"] != "file"}
    wanted = {path: info for path, info in wanted.items() if path not in others}
    growing = _growing(fs, wanted, settle_seconds)
    arrived = [
        _arrived(fs, root, path, info, wanted, place.sender)
        for path, info in sorted(wanted.items())
        if path not in growing
    ]
    return Look(
        [a for a in arrived if a is not None],
        sorted(_told(p[len(root) + 1 :]) for p in growing | others),
        sorted(_told(p[len(root) + 1 :]) for p in unreadable),
    )


def unreadable_in(place: Place) -> list[str]:
    """The folders of an inbox that cannot be read; raises what the store's driver does where none can."""
    fs, root = place.store()
    return sorted(_told(p[len(root) + 1 :]) for p in _listed(fs, root, None)[1])


def _listed(fs: Any, root: str, period: str | None) -> tuple[dict[str, dict[str, Any]], list[str]]:
    """Path -> what the store says of all that is no folder, and the folders that could not be read."""
    if "s3" in fs.protocol:  # it has no folders, and lists a thousand names at a time
        return fs.find(root, detail=True), []
    found: dict[str, dict[str, Any]] = {}
    unreadable: list[str] = []
    folders = [root]
    while folders:
        folder = folders.pop()
        try:
            listing = fs.ls(folder, detail=True)
        except FileNotFoundError:
            if folder == root:
                raise
            continue  # gone since it was seen
        except Exception:
            fs.ls(root, detail=True)  # where this cannot be read either, it is the store
            if folder == root:
                raise
            unreadable.append(folder)
            continue
        for info in listing:
            path = str(info["name"]).rstrip("/")
            if info["type"] != "directory":
                found[path] = info
            elif path != folder and _wanted(path[len(root) + 1 :], period):
                folders.append(path)
    return found, unreadable


def _shown(name: str) -> str:
    """A name that can be written anywhere: bytes that are not UTF-8, which a path may hold, as escapes."""
    return name.encode("utf-8", "backslashreplace").decode("utf-8")


def _told(origin: str) -> str:
    """A place as it may be shown to whoever runs the pipeline: without a name that bears a secret marking."""
    parts = _shown(origin).split("/")
    return "/".join(NOT_KEPT if marked_name(part) else part for part in parts)


def open_arrived(place: Place | str, arrived: Arrived) -> Any:
    """The file's bytes as a stream."""
    fs, _ = place_of(place).store()
    return fs.open(arrived.path, "rb")


def digest_of(source: Any) -> str:
    """SHA-256 of a stream to its end. Not every store's stream is one that :func:`hashlib.file_digest` takes."""
    digest = hashlib.sha256()
    while chunk := source.read(1 << 20):
        digest.update(chunk)
    return digest.hexdigest()


def _wanted(origin: str, period: str | None) -> bool:
    name = origin.rsplit("/", 1)[-1]
    # S3 shows a folder that somebody made as an empty object whose name ends with '/'
    if not name or name.startswith((".", "~$")) or name.lower().endswith(_UNFINISHED) or "/." in origin:
        return False
    return period is None or origin.split("/", 1)[0] == period


def _growing(fs: Any, files: dict[str, dict[str, Any]], settle_seconds: float) -> set[str]:
    now = time.time()
    young = {p: i for p, i in files.items() if now - modified(fs, p, i).timestamp() < settle_seconds}
    if not young:
        return set()
    time.sleep(settle_seconds)
    if hasattr(fs, "invalidate_cache"):
        fs.invalidate_cache()
    changed = set()
    for path, before in young.items():
        try:
            after = fs.info(path)
        except FileNotFoundError:
            changed.add(path)
            continue
        if after["size"] != before["size"] or modified(fs, path, after) != modified(fs, path, before):
            changed.add(path)
    return changed


def _arrived(
    fs: Any, root: str, path: str, info: dict[str, Any], files: dict[str, Any], own: str | None
) -> Arrived | None:
    parts = _shown(path[len(root) + 1 :]).split("/")
    if own is not None:  # the folder says whose it is
        parts.insert(1, own)
    origin = "/".join(parts)
    problems: list[Problem] = []
    stem = path[: -len(".yaml")] if path.lower().endswith(".yaml") else None
    if stem is not None and stem in files:
        return None  # it speaks for the file beside it
    if len(parts) != 3:
        problems.append(Problem("BAD_PATH", {"detail": origin}))
    period, sender = (parts[0], parts[1]) if len(parts) == 3 else ("", own or "")
    received_at = modified(fs, path, info)
    beside = path if stem is not None else f"{path}.yaml"
    sidecar: dict[str, Any] = {}
    secret = any(map(marked_name, parts))
    if stem is not None or beside in files:
        try:
            said = fs.cat_file(beside, end=_SIDECAR_LOOKED_AT)
            secret = secret or marked_statement(said)
            sidecar = _read_sidecar(said)
        except ValueError as error:
            problems.append(Problem("BAD_SIDECAR", {"detail": str(error)}))
        except OSError:  # gone since it was seen: without it the file would say something else
            return None
        # a statement made later is a later word
        received_at = max(received_at, modified(fs, beside, files[beside]))
    size, tag = int(info["size"]), info.get("ETag")
    return Arrived(path, origin, period, sender, parts[-1], received_at, size, sidecar, problems, tag, secret)


def _read_sidecar(data: bytes) -> dict[str, Any]:
    """The statements of a sidecar; :class:`ValueError` with a reason that names keys and never values."""
    if len(data) > _SIDECAR_BYTES:
        raise ValueError(messages.text("detail", "too_long", n=_SIDECAR_BYTES))
    try:
        # the C parser: the other takes seconds for a few thousand open brackets
        found = yaml.load(data.decode("utf-8-sig"), Loader=yaml.CSafeLoader)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        raise ValueError(messages.text("detail", "yaml_line", line=mark.line + 1) if mark else "YAML") from None
    except ValueError:
        raise ValueError(messages.text("detail", "no_such_day")) from None
    if not isinstance(found, dict):
        raise ValueError(messages.text("detail", "not_lines"))
    out: dict[str, Any] = {}
    for key, value in found.items():
        if not all(part.isprintable() for part in (key, value) if isinstance(part, str)):
            raise ValueError(messages.text("detail", "unprintable"))
        kind = _SIDECAR.get(str(key))
        if kind is None:
            raise ValueError(messages.text("detail", "unknown_key", name=key, names=", ".join(_SIDECAR)))
        if kind is date and isinstance(value, str):
            try:
                value = date.fromisoformat(value)
            except ValueError:
                raise ValueError(messages.text("detail", "not_a_day", name=key)) from None
        if not isinstance(value, kind) or isinstance(value, datetime):
            raise ValueError(messages.text("detail", "wrong_kind", name=key))
        if key == "dataset":  # the name of one, so it cannot be a number; whatever stands there is kept
            value = without_numbers(value)
        out[str(key)] = value.isoformat() if isinstance(value, date) else value
    return out


def content_id(sha256: str, sidecar: dict[str, Any]) -> str:
    """What a submission says: its bytes and the statements of its sidecar."""
    if not sidecar:
        return sha256
    return hashlib.sha256(f"{sha256}|{json.dumps(sidecar, sort_keys=True)}".encode()).hexdigest()


def delivery_id(sha256: str, arrived: Arrived) -> str:
    """The delivery's name: the same for the same bytes, place, statements and time of arrival."""
    said = json.dumps(arrived.sidecar, sort_keys=True)
    text = "|".join((sha256, arrived.origin, arrived.received_at.astimezone(UTC).isoformat(), said))
    return "D" + hashlib.sha256(text.encode()).hexdigest()[:15]


def submission_id(delivery: str, dataset: str | None, part: str | None = None) -> str:
    """The submission's name: its delivery and dataset and, where a delivery has several of one dataset, its period."""
    text = f"{delivery}|{dataset or ''}" + (f"|{part}" if part else "")
    return "S" + hashlib.sha256(text.encode()).hexdigest()[:11]
