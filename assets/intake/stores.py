"""Stores: any address that fsspec knows, with the options that its driver needs, which are in a file and in no address.

``LIENTHONG_STORES`` names a YAML file: address or its beginning -> options of the driver; the longest beginning counts. Secrets
stand as ``${env:NAME}`` or ``${file:path}``. It is an environment variable and not only a setting because processes that read
files open the archive by themselves.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import fsspec
import yaml

from schemas.sources import resolved


class BadStores(ValueError):
    """The file of stores cannot be used; the text says why, and holds no secret."""


def open_store(url: str, options: Mapping[str, Any] | None = None) -> tuple[Any, str]:
    """The file system of an address and the root in it. Raises :class:`BadStores` and :class:`schemas.sources.NoSecret`."""
    fs, root = fsspec.core.url_to_fs(url, **(options_of(url) if options is None else with_secrets(options)))
    return fs, root.rstrip("/")


def modified(fs: Any, path: str, info: Mapping[str, Any]) -> datetime:
    """When a file was written to last, by its store's clock; ``info`` as the store lists it."""
    for key in ("mtime", "LastModified", "created"):
        value = info.get(key)
        if isinstance(value, int | float):
            return datetime.fromtimestamp(value, UTC)
        if isinstance(value, datetime):
            return value if value.tzinfo else value.replace(tzinfo=UTC)
    found: datetime = fs.modified(path)
    return found


def options_of(url: str) -> dict[str, Any]:
    """The options that the file of stores has for an address; none where there is no file."""
    if not (where := os.environ.get("LIENTHONG_STORES")):
        return {}
    path = Path(where).expanduser()
    try:
        known = _read(path, path.stat().st_mtime_ns)
    except OSError as error:
        raise BadStores(f"LIENTHONG_STORES: {path.name} cannot be read ({error.strerror})") from None
    best = max((begin for begin in known if url.startswith(begin)), key=len, default=None)
    return with_secrets(known[best]) if best is not None else {}


def with_secrets(options: Mapping[str, Any]) -> dict[str, Any]:
    """Options with what their references stand for."""
    return {
        k: resolved(v) if isinstance(v, str) else with_secrets(v) if isinstance(v, Mapping) else v
        for k, v in options.items()
    }


@lru_cache(maxsize=4)
def _read(path: Path, changed: int) -> dict[str, dict[str, Any]]:
    try:
        found = yaml.load(path.read_text(encoding="utf-8-sig"), Loader=yaml.CSafeLoader)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        raise BadStores(f"{path.name}, line {mark.line + 1 if mark else 1}: this is no YAML") from None
    if not isinstance(found, dict) or not all(isinstance(v, dict) for v in found.values()):
        raise BadStores(
            f"{path.name}: write an address or its beginning, and beneath it the options: 's3://': {{key: …}}"
        )
    return {str(k): v for k, v in found.items()}
