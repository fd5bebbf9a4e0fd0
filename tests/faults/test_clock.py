"""Clocks that are wrong, of a machine and of the database, ahead and behind, between runs and within one.

What counts as received when is a fact of the ledger; in which order things came, numbers and locks say. So the warehouse is as
before or as after, the next run completes it, and where a wrong time decided something, the doctor says so.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest

from assets.core import closing
from assets.core.decisions import CannotDecide, decide, withdraw
from assets.core.trace import NotFound, shown_at
from assets.intake.archive import Archive
from assets.intake.ledger import not_before
from assets.intake.sources.pull import pull
from assets.marts.due import derive_due
from assets.returns.expiry import expired
from pipelines.clock import ClockDoubted, believed
from pipelines.doctor import Finding, examine
from pipelines.flow import Pipeline
from pipelines.settings import Settings
from schemas.sources import Source
from tests.e2e.flows import HEAD, World, text_csv
from tests.e2e.sources.kinds import HEAD as SOURCE_HEAD
from tests.e2e.sources.kinds import Rest
from tests.e2e.sources.suite import villages
from tests.faults.clocks import move_server, under
from tests.faults.driver import Countdown, Sizes, die, watch
from tests.faults.test_server_stopped import first, second
from tests.faults.worlds import Copies, picture, same, whole

YEARS = timedelta(days=3650).total_seconds()
NOW = datetime(2026, 7, 2, 3, tzinfo=UTC)


def _killed(settings: Settings, moment: str) -> None:
    watch(Countdown(die, moment, 1), Sizes())
    Pipeline(settings).run()


def _ran(settings: Settings) -> None:
    Pipeline(settings).run()


@pytest.fixture(scope="module")
def begun(copies: Copies) -> World:
    world = copies.new()
    first(world)
    world.run()
    second(world)
    return world


@pytest.fixture(scope="module")
def after(begun: World, copies: Copies) -> dict[str, list[Any]]:
    world = copies.of(begun)
    world.run()
    return picture(world)


@pytest.mark.parametrize(("moment", "ahead"), [("staged", YEARS), ("merged", -YEARS)])
def test_a_run_is_killed_under_a_wrong_clock(
    moment: str, ahead: float, begun: World, after: dict[str, list[Any]], copies: Copies
) -> None:
    """What it held it holds no longer, however far its clock was: no lock waits for a time."""
    world = copies.of(begun)
    before = picture(world)
    move_server(world, ahead)
    assert under(ahead, _killed, world.settings, moment) == -9
    same(before, picture(world), ["villages", "history", "standings", "conflicts"])
    move_server(world, 0)
    world.run()
    same(picture(world), after)
    whole(world)
    copies.drop(world)


@pytest.mark.parametrize("ahead", [YEARS, -YEARS])
def test_a_run_under_a_wrong_clock(ahead: float, begun: World, after: dict[str, list[Any]], copies: Copies) -> None:
    """It publishes the same; what was known when goes by the numbers of publishes; nothing is done again with the time right."""
    world = copies.of(begun)
    ((number, earlier),) = world.rows("select max(number), max(published_at) from core.publish where number > 0")
    move_server(world, ahead)
    assert under(ahead, _ran, world.settings) == 0
    same(picture(world), after)
    move_server(world, 0)
    assert world.run().published is None
    same(picture(world), after)
    with world.connection() as connection:
        # readers see the later one, now and at any time from that of the later one on
        if ahead < 0:
            assert shown_at(connection, earlier) == shown_at(connection, None) > number
            with pytest.raises(NotFound):
                shown_at(connection, earlier - timedelta(days=7300))
        else:
            assert shown_at(connection, datetime.now(UTC)) == number  # its time has not come
    said = [f.text for f in _times(world)]
    assert any("the clock of the database was put back" in text for text in said) == (ahead < 0), said
    third = (["Thôn 0", "Thôn", 99, 400],)
    world.drop(world.communes[5], text_csv([HEAD, *third]), "c.csv", period="2026-Q2")
    assert world.run().published is not None
    with world.connection() as connection:
        assert shown_at(connection, datetime.now(UTC)) == shown_at(connection, None)
    copies.drop(world)


def _times(world: World) -> list[Finding]:
    return [f for f in examine(world.pipeline) if f.check == "times"]


@pytest.fixture
def rest(tmp_path: Path) -> Iterator[Rest]:
    made = Rest(tmp_path / "token")
    yield made
    made.close()


def _pull(settings: Settings, source: Source) -> None:
    pipeline = Pipeline(settings)
    with pipeline.connection() as connection:
        done = pull(connection, pipeline.archive, source, pipeline.contracts["villages"])
    assert done.outcome == "delivered", done


def test_extracts_count_in_the_order_in_which_they_were_taken(rest: Rest, world: World) -> None:
    """The machine's clock is put back, or was ahead, between two pulls: the later one replaces the earlier one all the same."""
    sender = world.communes[0]
    source = rest.source(sender, "villages")
    clock = [NOW, NOW - timedelta(hours=1), NOW + timedelta(days=40), NOW + timedelta(minutes=1)]
    for moment, names in zip(clock, ("ABC", "ABCD", "ABCDE", "ABCDEF"), strict=True):
        rest.hold(SOURCE_HEAD, villages(*names))
        ahead = (moment - datetime.now(UTC)).total_seconds()
        assert under(ahead, partial(_pull, world.settings), source) == 0
    times = [
        r[0]
        for r in world.rows(
            "select received_at from intake.delivery join ops.source_pull using (delivery_id) order by pull_id"
        )
    ]
    assert times == sorted(times) and len(set(times)) == 4
    world.run()
    shown = world.rows(
        "select village_name from mart_v1.villages_history where valid_to is null and commune_code = %s order by 1",
        [sender],
    )
    assert [r[0] for r in shown] == list("ABCDEF")


def test_what_was_withdrawn_holds_up_no_later_extract(rest: Rest, world: World) -> None:
    source = rest.source(world.communes[0], "villages")
    rest.hold(SOURCE_HEAD, villages(*"ABC"))
    with world.pipeline.connection() as connection:
        pull(
            connection, world.pipeline.archive, source, world.pipeline.contracts["villages"], NOW + timedelta(days=9999)
        )
        assert not_before(connection, source.sender, NOW) > NOW + timedelta(days=9998)
        assert not_before(connection, world.communes[1], NOW) == NOW
    world.run()
    world.execute("update intake.submission set state = 'withdrawn'")
    with world.connection() as connection:
        assert not_before(connection, source.sender, NOW) == NOW


def test_a_file_from_the_future_or_the_past_is_said_and_can_be_put_right(world: World) -> None:
    """The time of a file is its store's, whenever it is seen: the same files make the same warehouse in any order (law 2). So
    a clock that was wrong decides; but not unseen."""
    sender, other = world.communes[:2]
    ahead = datetime.now(UTC) + timedelta(days=400)
    world.drop(sender, text_csv([HEAD, ["Thôn A", "Thôn", 10, 40]]), "a.csv", at=ahead)
    world.drop(other, text_csv([HEAD, ["Thôn A", "Thôn", 10, 40]]), "a.csv", at=NOW)
    world.run()
    (said,) = _times(world)
    assert said.severity == "error" and f"1 deliveries (of {sender}) count as received after this moment" in said.text
    # the correction, with the time right, does not replace it, and that is said too
    world.drop(sender, text_csv([HEAD, ["Thôn A", "Thôn", 11, 44]]), "b.csv", at=NOW)
    world.run()
    assert world.open_villages(sender) == {"Thôn A": (10, 40)}
    assert [f.severity for f in _times(world)] == ["error", "warning"]
    assert f"1 submissions (of {sender}) came after others" in _times(world)[1].text
    # what the doctor says to do puts it right
    ((name,),) = world.rows("select submission_id from intake.submission where received_at > now()")
    with world.pipeline.connection() as connection:
        withdraw(connection, name, reason="đồng hồ sai", by="kiểm thử")
    world.run()
    assert world.open_villages(sender) == {"Thôn A": (11, 44)} and _times(world) == []


@pytest.mark.parametrize("period", ["1926-Q2", "2206-Q2"])
def test_a_file_of_another_century_stops_nobody(period: str, world: World) -> None:
    """By its time (a clock that lost its battery) and by the name of its folder: nobody knows the holidays of then."""
    sender, other = world.communes[:2]
    for at in (datetime(1980, 1, 1, tzinfo=UTC), datetime(2199, 1, 1, tzinfo=UTC)):
        world.drop(
            sender, text_csv([HEAD, ["Thôn A", "Thôn", at.year % 100, 400]]), f"{at.year}.csv", period=period, at=at
        )
    world.run()
    world.drop(other, text_csv([HEAD, ["Thôn B", "Thôn", 10, 40]]), "b.csv", at=NOW)
    world.run()
    assert world.open_villages(other) == {"Thôn B": (10, 40)} and len(world.open_villages(sender)) == 1
    with world.connection() as connection:
        derive_due(connection, world.pipeline.contracts, NOW)
    # and nobody is late with what is due until then
    assert world.rows("select max(due_on) from mart_v1.submission_log")[0][0] is None or (
        world.rows("select max(due_on) from mart_v1.submission_log")[0][0] < datetime(2026, 7, 3).date()
    )


def test_of_two_decisions_the_later_counts_though_the_clock_was_put_back(world: World) -> None:
    sender = world.communes[0]
    full = [[f"Thôn {n}", "Thôn", 10, 40] for n in range(10)]
    world.drop(sender, text_csv([HEAD, *full]), "a.csv")
    world.run()
    world.drop(sender, text_csv([HEAD, *full[:2]]), "b.csv")
    world.run()
    ((held,),) = world.rows("select submission_id from intake.submission where state = 'held'")
    with world.connection() as connection:
        decide(connection, held, accept=False, reason="thiếu thôn", by="a")
    move_server(world, -YEARS)
    with world.connection() as connection:
        decide(connection, held, accept=True, reason="đã sáp nhập", by="b")
    assert len(world.rows("select * from intake.decision order by decided_at")) == 2
    world.run()
    assert len(world.open_villages(sender)) == 2
    with world.connection() as connection, pytest.raises(CannotDecide):
        decide(connection, "S0", accept=True, reason="x", by="x")


def test_a_period_is_opened_and_closed_in_the_order_of_the_decisions(world: World) -> None:
    """Though the clock is put back in between; and what slips under a close with an old time is said."""
    sender, other = world.communes[:2]
    contract = world.pipeline.contracts["villages"]
    world.drop(sender, text_csv([HEAD, ["Thôn A", "Thôn", 10, 40]]), "a.csv", at=NOW)
    world.run()
    day = NOW + timedelta(days=60)
    with world.connection() as connection:
        closing.close(connection, contract, "2026-Q2", early=True, reason="chốt quý", by="a", now=day)
        closing.reopen(connection, contract, "2026-Q2", reason="sửa", by="b", now=day - timedelta(days=1))
    assert world.rows("select closed_at from ops.close") == [(None,)]
    with world.connection() as connection:
        closing.close(connection, contract, "2026-Q2", early=True, reason="chốt", by="a", now=NOW)
    assert world.rows("select closed_at >= %s from ops.close", [day]) == [(True,)]
    world.drop(other, text_csv([HEAD, ["Thôn B", "Thôn", 10, 40]]), "b.csv", at=NOW)
    world.run()
    world.execute("update intake.delivery set recorded_at = %s where sender = %s", [day + timedelta(days=3), other])
    world.execute("update intake.delivery set recorded_at = %s where sender = %s", [NOW, sender])
    assert [f.text for f in _times(world)] == [
        f"1 submissions (of {other}) were taken in more than a day after their period was closed, and not held: "
        "their files bear a time from before"
    ]


def test_what_is_expected_is_a_function_of_the_moment(begun: World, copies: Copies) -> None:
    """Looked at with the clock ahead, then with the time right: as if nobody had looked before."""
    world = copies.of(begun)
    world.run()

    def due(*moments: datetime) -> list[tuple[Any, ...]]:
        with world.connection() as connection:
            for moment in moments:
                derive_due(connection, world.pipeline.contracts, moment)
        return world.rows(
            "select sender, dataset, period, state, late, due_at, working_days_late, received_at from ops.due order by 1, 2, 3"
        )

    right = due(NOW)
    wrong = due(NOW + timedelta(days=120))
    assert wrong != right and due(NOW) == right == due(NOW - timedelta(days=60), NOW)
    copies.drop(world)


def test_a_copy_that_is_taken_for_a_crashs_is_made_again(tmp_path: Path) -> None:
    """Retention under a clock that is ahead while something is being archived: no object without a name is ever whole."""
    archive = Archive(str(tmp_path))

    class Source:
        """The clock jumps while it is read."""

        left = [b"a" * (1 << 20), b"b"]

        def read(self, size: int) -> bytes:
            for path, _ in archive.abandoned(datetime.now(UTC) + timedelta(days=2)):
                archive.drop(path)
            return self.left.pop(0) if self.left else b""

    with pytest.raises(FileNotFoundError):
        archive.put(Source())  # type: ignore[arg-type]
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == []
    stored = archive.put(io.BytesIO(b"a" * (1 << 20) + b"b"))
    assert archive.holds(stored) and archive.abandoned(datetime.now(UTC) - timedelta(days=2)) == []


def test_nothing_is_destroyed_or_sent_by_a_clock_that_is_doubted(begun: World, copies: Copies) -> None:
    world = copies.of(begun)
    world.run()
    now = datetime.now(UTC)
    with world.connection() as connection:
        assert believed(connection) - now < timedelta(minutes=1)
        for ahead in (timedelta(minutes=11), -timedelta(days=1), timedelta(days=3650)):
            with pytest.raises(ClockDoubted, match="this machine says .*set both by NTP"):
                believed(connection, now + ahead)
    for ahead in (
        YEARS,
        -YEARS,
    ):  # both are wrong alike: nothing was written for years, or it was written in time to come
        move_server(world, ahead)
        with world.connection() as connection, pytest.raises(ClockDoubted, match="set the clock"):
            believed(connection, now + timedelta(seconds=ahead))
    move_server(world, 0)
    # the alerts go on, and say why no letter went
    world.execute("update intake.delivery set recorded_at = now() - interval '1 year'")
    world.execute("update core.publish set published_at = now() - interval '1 year'")
    world.execute("insert into ops.reminder_switch (sending, who, reason) values (true, 'x', 'x')")
    with world.pipeline.connection() as connection:
        noticed = world.pipeline.notice(connection)
    assert noticed.reminders is None and "set the clock" in (noticed.untold or "")
    copies.drop(world)


def test_bytes_that_came_with_an_old_date_are_kept_for_as_long_as_others(world: World) -> None:
    world.drop(
        world.communes[0], text_csv([HEAD, ["Thôn A", "Thôn", 10, 40]]), "a.csv", at=datetime(1980, 1, 1, tzinfo=UTC)
    )
    world.run()
    with world.connection() as connection:
        assert expired(connection, datetime.now(UTC)).deliveries == 0
        assert expired(connection, datetime.now(UTC) + timedelta(days=740)).deliveries == 1


def test_the_time_of_a_file_is_compared_and_not_believed(world: World) -> None:
    """A file with a time to come is no file that is still being written: it is taken in the round in which it is seen."""
    path = world.drop(world.communes[0], text_csv([HEAD, ["Thôn A", "Thôn", 10, 40]]), "a.csv")
    stamp = (datetime.now(UTC) + timedelta(days=1)).timestamp()
    os.utime(world.home / "inbox" / path, (stamp, stamp))
    with psycopg.connect(world.url, autocommit=True):
        done = world.run()
    assert len(done.received) == 1 and done.growing == []
