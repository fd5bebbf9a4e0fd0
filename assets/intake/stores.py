"""Stores: any address that fsspec knows, with the options that its driver needs, which are in a file and in no address.

``LIENTHONG_STORES`` names a YAML file: address or its beginning -> options of the driver; the longest beginning counts. Secrets
stand as ``${env:NAME}`` or ``${file:path}``. It is an environment variable and not only a setting because processes that read
files open the archive by themselves.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import fsspec
import yaml

from schemas.sources import no_secret_in, resolved


class BadStores(ValueError):
    """The file of stores cannot be used; the text says why, and holds no secret."""


def open_store(url: str, options: Mapping[str, Any] | None = None) -> tuple[Any, str]:
    """The file system of an address and the root in it. Raises :class:`BadStores` and :class:`schemas.sources.NoSecret`.

    A store that does not answer is given up after a while: each driver's own time is for ever, or minutes.
    """
    scheme = url.partition("://")[0] if "://" in url else "file"
    own = options_of(url) if options is None else with_secrets(options)
    if scheme in ("sftp", "ssh"):
        if not own.get("known_hosts"):  # without it the driver takes any host for the right one
            raise BadStores("an SFTP store needs known_hosts among its options: the file that has its host key")
        own = {**_SFTP, **own}
    elif scheme in ("s3", "s3a"):
        own = {**own, "config_kwargs": {**_S3, **own.get("config_kwargs", {})}}
    fs, root = fsspec.core.url_to_fs(url, **own)
    if scheme in ("s3", "s3a"):
        fs.retries = _S3_TRIES
    if scheme in ("sftp", "ssh") and not _alive(fs):
        type(fs).clear_instance_cache()  # a server that was started anew knows nothing of the old connection
        fs, root = fsspec.core.url_to_fs(url, **own)
    return fs, root.rstrip("/")


def is_local(url: str) -> bool:
    """Whether an address is a folder of this machine, or memory."""
    return "://" not in url or url.startswith(("file://", "local://", "memory://"))


class StoreFailed(Exception):
    """A store could not be used; the text names which, and no key or address."""


class reaching:
    """While a store is used: what its driver raises leaves as :class:`StoreFailed`; what the file system of this machine
    raises, the database's errors and our own leave as they are, and so does what ``but`` names."""

    def __init__(self, what: str, url: str, *but: type[Exception]) -> None:
        self.what, self.url, self.but = what, url, but

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if not isinstance(error, Exception) or isinstance(error, self.but) or is_local(self.url):
            return
        forget()
        if type(error).__module__.partition(".")[0] in ("assets", "schemas", "pipelines", "expectations", "psycopg"):
            return
        raise StoreFailed(
            f"the {self.what} cannot be reached or failed ({type(error).__name__}); see that the store is up, and its address and "
            "options (LIENTHONG_STORES), then run again: nothing is lost"
        ) from None


_SFTP = {"connect_timeout": 15, "login_timeout": 30, "keepalive_interval": 15, "keepalive_count_max": 3}
# total_max_attempts, since the library writes its other words for it into what it is given
_S3 = {"connect_timeout": 10, "read_timeout": 30, "retries": {"total_max_attempts": 2}}
_S3_TRIES = 2
"""The driver tries five times what its library has tried as often as it likes: 20 minutes of silence instead of two."""
_FRESH = 10.0
_looked: dict[int, float] = {}


def forget() -> None:
    """Look at every kept connection again before it is used: one has failed."""
    _looked.clear()


def _alive(fs: Any) -> bool:
    """Whether a kept connection still answers; asked now and then."""
    if time.monotonic() - _looked.get(id(fs), 0.0) < _FRESH:
        return True
    try:
        fs.exists("/")
    except Exception:
        return False
    _looked[id(fs)] = time.monotonic()
    return True


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
        text = path.read_text(encoding="utf-8-sig")
        found = yaml.load(text, Loader=yaml.CSafeLoader)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        raise BadStores(f"{path.name}, line {mark.line + 1 if mark else 1}: this is no YAML") from None
    if not isinstance(found, dict) or not all(isinstance(v, dict) for v in found.values()):
        raise BadStores(
            f"{path.name}: write an address or its beginning, and beneath it the options: 's3://': {{key: …}}"
        )
    lines = {str(k.value): k.start_mark.line + 1 for k, _ in yaml.compose(text, Loader=yaml.CSafeLoader).value}
    for address, options in found.items():
        try:
            no_secret_in(str(address), options)
        except ValueError as error:
            raise BadStores(f"{path.name}, line {lines.get(str(address), 1)}: {error}") from None
    return {str(k): v for k, v in found.items()}
