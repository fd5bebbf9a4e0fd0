"""The archive: bytes in, the same bytes out, whole or not at all, each content once, and none of them readable on the disk."""

from __future__ import annotations

import hashlib
import io
import tracemalloc
import uuid
from datetime import UTC, datetime
from pathlib import Path

import pytest

from assets.intake.archive import Archive, Changed, Damaged, Destroyed, Stored
from assets.intake.object_keys import KeyDestroyed, MemoryKeys, ObjectKeys
from assets.intake.sealing import CHUNK, HEAD, sealed_size

TEXT = "Nguyễn Văn Một,056085001234\n".encode()
SIZES = [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 2 * CHUNK + 7]


@pytest.fixture(params=["file, clear", "file, sealed", "memory, clear", "memory, sealed"])
def archive(request: pytest.FixtureRequest, tmp_path: Path) -> Archive:
    where = str(tmp_path / "a" / "b") if "file" in request.param else f"memory://archive-{uuid.uuid4().hex}"
    return Archive(where, MemoryKeys() if "sealed" in request.param else None)


@pytest.fixture
def keys() -> MemoryKeys:
    return MemoryKeys()


@pytest.fixture
def sealed(tmp_path: Path, keys: MemoryKeys) -> Archive:
    return Archive(str(tmp_path), keys)


def place(archive: Archive, stored: Stored) -> Path:
    return Path(archive.path(stored.sha256))


def some(size: int) -> bytes:
    return (TEXT * (size // len(TEXT) + 1))[:size]


@pytest.mark.parametrize("size", SIZES)
def test_the_same_bytes_come_out(size: int, archive: Archive) -> None:
    data = some(size)
    stored = archive.put(io.BytesIO(data))
    assert (stored.sha256, stored.size) == (hashlib.sha256(data).hexdigest(), len(data))
    assert archive.read(stored.sha256) == data
    with archive.open(stored.sha256) as opened:
        assert opened.read() == data
    with archive.open(stored.sha256) as opened:
        assert opened.read(10) == data[:10]
    assert archive.holds(stored)


@pytest.mark.parametrize("size", SIZES)
def test_nothing_of_an_object_can_be_read_on_the_disk(size: int, sealed: Archive) -> None:
    stored = sealed.put(io.BytesIO(some(size)))
    kept = place(sealed, stored).read_bytes()
    assert len(kept) == sealed_size(size)
    assert b"056085001234" not in kept and "Nguyễn".encode() not in kept


def test_equal_bytes_look_different(tmp_path: Path) -> None:
    seen = set()
    for name in "ab":
        archive = Archive(str(tmp_path / name), MemoryKeys())
        seen.add(place(archive, archive.put(io.BytesIO(TEXT))).read_bytes()[HEAD:])
    assert len(seen) == 2


def test_a_content_is_kept_once(sealed: Archive, tmp_path: Path) -> None:
    first = sealed.put(io.BytesIO(b"abc"))
    inode = place(sealed, first).stat().st_ino
    assert sealed.put(io.BytesIO(b"abc"), first.sha256) == first
    files = [p for p in tmp_path.rglob("*") if p.is_file()]
    assert [f.stat().st_ino for f in files] == [inode]


@pytest.mark.parametrize("keyed", [False, True], ids=["clear", "sealed"])
def test_a_damaged_object_is_noticed_and_mended(keyed: bool, tmp_path: Path) -> None:
    archive = Archive(str(tmp_path), MemoryKeys() if keyed else None)
    data = some(2 * CHUNK + 7)
    stored = archive.put(io.BytesIO(data))
    whole = place(archive, stored).read_bytes()
    step = CHUNK + 16
    first, second, last = (whole[HEAD + i * step : HEAD + (i + 1) * step] for i in range(3))
    structure = [
        whole[: HEAD + step], whole[: HEAD + 2 * step], whole[:HEAD] + second + first + last,
        whole[:HEAD] + first + first + last, whole[:HEAD] + last,
    ]  # fmt: skip
    bytes_ = [
        whole[:-1], whole + b"x", b"", whole[:7], whole[:HEAD],
        *(whole[:n] + bytes([whole[n] ^ 1]) + whole[n + 1 :] for n in (len(whole) - 9, 100)),
    ]  # fmt: skip
    for damaged in bytes_ + structure if keyed else bytes_:
        place(archive, stored).write_bytes(damaged)
        with pytest.raises(Damaged):
            archive.read(stored.sha256)
        with pytest.raises(Damaged), archive.open(stored.sha256) as opened:
            opened.read()
        archive.put(io.BytesIO(data))
        assert archive.read(stored.sha256) == data


def test_a_chunk_of_another_object_does_not_open(sealed: Archive) -> None:
    one, other = (sealed.put(io.BytesIO(data)) for data in (b"one" * 9, b"two" * 9))
    ours, theirs = (place(sealed, stored).read_bytes() for stored in (one, other))
    for mixed in (ours[:HEAD] + theirs[HEAD:], theirs[:HEAD] + ours[HEAD:], theirs):
        place(sealed, one).write_bytes(mixed)
        with pytest.raises(Damaged):
            sealed.read(one.sha256)


def test_objects_from_before_are_read_and_sealed_when_asked(tmp_path: Path, keys: MemoryKeys) -> None:
    data = some(CHUNK + 5)
    stored = Archive(str(tmp_path)).put(io.BytesIO(data))
    sealed = Archive(str(tmp_path), keys)
    assert sealed.holds(stored) and sealed.key_id(stored.sha256) is None
    assert sealed.read(stored.sha256) == data
    with sealed.open(stored.sha256) as opened:
        assert opened.read() == data
    sealed.seal([stored.sha256, "0" * 64])
    assert data[:50] not in place(sealed, stored).read_bytes()
    key = sealed.key_id(stored.sha256)
    assert key is not None and keys.objects[key] == stored.sha256
    sealed.seal([stored.sha256])
    assert sealed.key_id(stored.sha256) == key and sealed.read(stored.sha256) == data


def test_a_destroyed_object_says_when_and_why_until_it_is_delivered_again(sealed: Archive, keys: MemoryKeys) -> None:
    stored = sealed.put(io.BytesIO(TEXT))
    key = sealed.key_id(stored.sha256)
    assert key is not None
    keys.keys[key] = KeyDestroyed(datetime(2026, 8, 1, tzinfo=UTC), "a person asked for it")
    said = "destroyed on 2026-08-01 because a person asked for it"
    with pytest.raises(Destroyed, match=said):
        sealed.read(stored.sha256)
    with pytest.raises(Destroyed, match=said):
        sealed.open(stored.sha256)
    assert sealed.put(io.BytesIO(TEXT)) == stored
    assert sealed.read(stored.sha256) == TEXT
    assert sealed.key_id(stored.sha256) != key and isinstance(keys.keys[key], KeyDestroyed)


def test_an_object_whose_key_nobody_knows_is_damaged_and_mended(sealed: Archive, keys: MemoryKeys) -> None:
    stored = sealed.put(io.BytesIO(TEXT))
    keys.keys.clear()
    with pytest.raises(Damaged, match="no key"):
        sealed.read(stored.sha256)
    sealed.put(io.BytesIO(TEXT))
    assert sealed.read(stored.sha256) == TEXT


def test_a_key_is_kept_before_anything_is_written_under_it(tmp_path: Path) -> None:
    class Lost(MemoryKeys):
        def take(self) -> tuple[uuid.UUID, bytes]:
            raise RuntimeError

    keys: ObjectKeys = Lost()
    with pytest.raises(RuntimeError):
        Archive(str(tmp_path), keys).put(io.BytesIO(TEXT))
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == []


def test_bytes_that_changed_are_not_kept(archive: Archive) -> None:
    with pytest.raises(Changed):
        archive.put(io.BytesIO(b"abc"), "0" * 64)
    assert list(archive.fs.find(archive.root)) == []


def test_a_broken_source_leaves_no_object(sealed: Archive, tmp_path: Path) -> None:
    class Broken(io.RawIOBase):
        asked = 0

        def read(self, size: int = -1) -> bytes:
            self.asked += 1
            if self.asked > 1:
                raise OSError("the line is down")
            return b"a" * size

    with pytest.raises(OSError, match="line is down"):
        sealed.put(Broken())  # type: ignore[arg-type]
    assert [p for p in tmp_path.rglob("*") if p.is_file() and not p.name.startswith(".partial")] == []
    ((_, key),) = sealed.remains()
    assert key is not None


def test_a_source_that_gives_little_at_a_time(sealed: Archive) -> None:
    class Dripping(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            return super().read(min(size or 0, 1000))

    data = some(CHUNK + 50)
    assert sealed.read(sealed.put(Dripping(data)).sha256) == data


def test_memory_is_that_of_some_chunks(sealed: Archive, tmp_path: Path) -> None:
    source = tmp_path / "large"
    with source.open("wb") as target:
        for _ in range(40):
            target.write(some(CHUNK))
    tracemalloc.start()
    try:
        with source.open("rb") as opened:
            stored = sealed.put(opened)
        with sealed.open(stored.sha256) as read:
            while read.read(CHUNK):
                pass
        assert tracemalloc.get_traced_memory()[1] < 10 * CHUNK
    finally:
        tracemalloc.stop()


def test_what_is_not_kept_is_not_found(archive: Archive) -> None:
    with pytest.raises(FileNotFoundError):
        archive.read("0" * 64)
    with pytest.raises(FileNotFoundError):
        archive.open("0" * 64)
    assert not archive.holds(Stored("0" * 64, 3))
