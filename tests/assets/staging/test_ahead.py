"""Reading ahead: contents in the order of the deliveries, and never more of them waiting than the bound."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import polars as pl
import pytest

from assets.intake.archive import Archive
from assets.intake.ledger import Delivery
from assets.intake.limits import Limits
from assets.intake.submissions import SenderInfo
from assets.staging import ahead
from assets.staging.ahead import ReadAhead
from schemas.grid import Grid, Problem, Unreadable

SENDERS = {"22333": SenderInfo("22333", "Xã Một", "commune", "22333")}


def deliveries(archive: Archive, count: int) -> list[Delivery]:
    found = []
    for n in range(count):
        data = f"{n}".encode() * 100
        stored = archive.put(io.BytesIO(data))
        found.append(
            Delivery(str(n), stored.sha256, len(data), "22333", "2026-Q2", f"{n}.xlsx", "", datetime.now(UTC), {})
        )
    return found


@pytest.mark.parametrize("rows", [1, 1000])
def test_what_waits_is_bounded_by_what_it_is(tmp_path, monkeypatch, rows: int) -> None:  # type: ignore[no-untyped-def]
    read: list[str] = []

    def read_apart(data: bytes, file_name: str, limits: Limits) -> tuple[list[Grid], list[Problem]]:
        read.append(file_name)
        if file_name == "3.xlsx":
            raise Unreadable("DAMAGED_WORKBOOK")
        return [Grid(file_name, 0, pl.DataFrame({"A": ["x" * 100] * rows}))], []

    monkeypatch.setattr(ahead, "read_apart", read_apart)
    monkeypatch.setattr(ahead, "_WAITING_MAX", 10_000)  # ten files unread, a tenth of one that has a thousand rows
    archive = Archive(str(tmp_path))
    wanted = deliveries(archive, 40)
    with ReadAhead(archive, SENDERS, Limits()) as contents:
        contents.expect(wanted[:25])
        contents.expect(wanted)
        for n, delivery in enumerate(wanted):
            content = contents.take(delivery)
            if n == 3:
                assert isinstance(content, Unreadable)
            else:
                assert not isinstance(content, Unreadable)
                assert content[0][0].name == delivery.file_name
            assert len(read) <= n + (11 if rows > 1 else 101)
    assert read == [f"{n}.xlsx" for n in range(40)]


def test_deliveries_may_be_taken_in_another_order_and_unexpected(tmp_path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    read: list[str] = []

    def read_apart(data: bytes, file_name: str, limits: Limits) -> tuple[list[Grid], list[Problem]]:
        read.append(file_name)
        return [Grid(file_name, 0, pl.DataFrame({"A": ["x" * 1000]}))], []

    monkeypatch.setattr(ahead, "read_apart", read_apart)
    monkeypatch.setattr(ahead, "_WAITING_MAX", 3_000)
    archive = Archive(str(tmp_path))
    wanted = deliveries(archive, 12)
    with ReadAhead(archive, SENDERS, Limits()) as contents:
        contents.expect(wanted[:10])
        for delivery in reversed(wanted):
            content = contents.take(delivery)
            assert not isinstance(content, Unreadable)
            assert content[0][0].name == delivery.file_name
    assert sorted(read) == sorted(d.file_name for d in wanted)  # each once
