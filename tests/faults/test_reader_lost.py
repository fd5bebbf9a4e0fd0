"""Deliveries over which the reading process is lost, among sound ones: each answered, none in the way of another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from assets.intake import reader
from assets.intake.limits import MIB, Limits
from tests.e2e.flows import World, codes

SOUND = "Tên thôn,Loại,Số hộ,Số khẩu\nBình An,Thôn,10,40\n".encode()
LIMITS = Limits(memory_bytes=128 * MIB, seconds=2)
LOST = {
    "a_segfault.csv": (b"segfault", "READER_DIED"),
    "b_loop.csv": (b"loop", "READER_TIMEOUT"),
    "c_memory.csv": (b"python memory", "TOO_LARGE"),
    "d_panic.csv": (b"panic", "INTERNAL"),
    "e_nonsense.csv": (b"garbage", "READER_DIED"),
}


@pytest.fixture(autouse=True)
def _broken(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    near = reader.Reader("tests.assets.intake.broken_reader")
    monkeypatch.setattr(reader, "_reader", near)
    yield
    near.close()


def test_a_run_over_files_that_break_the_parser(world: World) -> None:
    world.settings = replace(world.settings, limits=LIMITS)
    senders = world.communes[: len(LOST) + 1]
    lost = [
        world.drop(sender, data, name=name) for sender, (name, (data, _)) in zip(senders, LOST.items(), strict=False)
    ]
    for sender in senders:
        world.drop(sender, SOUND, name="thon.csv")
    world.run()
    assert [codes(world.submission(origin))[0] for origin in lost] == [code for _, code in LOST.values()]
    for sender in senders:
        assert world.open_villages(sender) == {"Bình An": (10, 40)}
    world.conserved()
