"""The archive: bytes in, the same bytes out, whole or not at all, each content once."""

from __future__ import annotations

import hashlib
import io
import uuid
from pathlib import Path

import pytest

from assets.intake.archive import Archive, Damaged


@pytest.fixture(params=["file", "memory"])
def archive(request: pytest.FixtureRequest, tmp_path: Path) -> Archive:
    return Archive(str(tmp_path / "a" / "b") if request.param == "file" else f"memory://archive-{uuid.uuid4().hex}")


@pytest.mark.parametrize("data", [b"", b"x", bytes(range(256)) * 10_000], ids=["empty", "small", "several chunks"])
def test_the_same_bytes_come_out(data: bytes, archive: Archive) -> None:
    stored = archive.put(io.BytesIO(data))
    assert (stored.sha256, stored.size) == (hashlib.sha256(data).hexdigest(), len(data))
    assert archive.read(stored.sha256) == data
    with archive.open(stored.sha256) as opened:
        assert opened.read() == data


def test_a_content_is_kept_once(tmp_path: Path) -> None:
    archive = Archive(str(tmp_path))
    first = archive.put(io.BytesIO(b"abc"))
    inode = (tmp_path / first.sha256[:2] / first.sha256).stat().st_ino
    assert archive.put(io.BytesIO(b"abc")) == first
    files = [p for p in tmp_path.rglob("*") if p.is_file()]
    assert [f.stat().st_ino for f in files] == [inode]


def test_a_damaged_object_is_noticed_and_mended(tmp_path: Path) -> None:
    archive = Archive(str(tmp_path))
    stored = archive.put(io.BytesIO(b"abcdef"))
    place = tmp_path / stored.sha256[:2] / stored.sha256
    for damaged in (b"abc", b"abcdeX"):
        place.write_bytes(damaged)
        assert archive.holds(stored) is (len(damaged) == stored.size)
        with pytest.raises(Damaged):
            archive.read(stored.sha256)
        with pytest.raises(Damaged), archive.open(stored.sha256) as opened:
            opened.read()
        archive.put(io.BytesIO(b"abcdef"))
        assert archive.read(stored.sha256) == b"abcdef"


def test_a_broken_source_leaves_no_object(tmp_path: Path) -> None:
    class Broken(io.RawIOBase):
        asked = 0

        def read(self, size: int = -1) -> bytes:
            self.asked += 1
            if self.asked > 1:
                raise OSError("the line is down")
            return b"a" * size

    archive = Archive(str(tmp_path))
    with pytest.raises(OSError, match="line is down"):
        archive.put(Broken())  # type: ignore[arg-type]
    assert [p for p in tmp_path.rglob("*") if p.is_file() and not p.name.startswith(".partial")] == []


def test_what_is_not_kept_is_not_found(archive: Archive) -> None:
    with pytest.raises(FileNotFoundError):
        archive.read("0" * 64)
    with pytest.raises(FileNotFoundError):
        archive.open("0" * 64)
