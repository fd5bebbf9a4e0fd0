"""The end of retention: bytes go, what was read from them stays, and a trace says what became of them."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from assets.intake.archive import Archive
from assets.returns import expiry
from assets.returns.expiry import Expired, expire, expired
from tests.e2e.flows import FIRST_ARRIVAL, World, villages

OLD = FIRST_ARRIVAL
LATER = datetime(2028, 8, 1, tzinfo=UTC)


def run_out(world: World, now: datetime = LATER, **more: Any) -> Expired:
    pipeline = world.pipeline
    folders = [world.settings.answered, world.settings.returned]
    world.execute("update intake.delivery set recorded_at = received_at where recorded_at > received_at")
    with pipeline.connection() as connection:
        planned = expired(connection, now)
        done = expire(connection, pipeline.archive, folders, now, by="An", **more)
    assert planned == done or more
    pipeline.close()
    return done


def published(world: World) -> list[tuple[Any, ...]]:
    return world.rows("select * from mart_v1.villages_history order by 1, 2, 3, 4, 5, 6")


def files(folder: str) -> set[str]:
    return {p.stem for p in Path(folder).rglob("*") if p.is_file()}


def test_old_bytes_go_and_what_was_read_from_them_stays(world: World) -> None:
    commune, other, third = world.communes[:3]
    first = world.drop(commune, villages(("Thôn Một", 10, 40), ("Thôn Hai", 20, 80)))
    held = world.drop(other, villages(("Thôn Ba", 5, 20), ("Thôn Bốn", 6, 20)))
    world.run()
    young = world.drop(third, villages(("Thôn Tư", 7, 30)), period="2028-Q2", at=LATER - timedelta(days=30))
    world.run()
    gap = world.drop(other, villages(*((f"Thôn {n}", 5, 20) for n in range(3))), "b.xlsx")
    world.run()
    assert world.submission(gap)["state"] == "held"  # it leaves out what was there
    with world.pipeline.connection() as connection:
        world.pipeline.answer(connection)
    before = published(world)
    names = {o: world.submission(o)["submission_id"] for o in (first, held, young, gap)}
    assert set(names.values()) <= files(world.settings.answered) and set(names.values()) <= files(
        world.settings.returned
    )

    soon = OLD + timedelta(days=700)
    assert run_out(world, soon) == Expired(0, 0, 0, 0)
    done = run_out(world)
    assert (done.deliveries, done.objects, done.kept) == (2, 2, 1)
    assert len(world.archived()) == 2
    for place in (world.settings.answered, world.settings.returned):
        assert files(place) & set(names.values()) == {names[young], names[gap]}
    assert published(world) == before
    assert world.submission(first)["destroyed"]["why"] == "the end of retention: 24 months after receipt"
    assert (
        world.trace("villages", commune_code=commune, village_name="Thôn Một")[0].sources[0]["cells"]["households"]
        == "C2"
    )
    # the copies in the inbox are no new deliveries; and a second time there is nothing more to do
    ran = world.run()
    assert (ran.received, ran.published) == ([], None)
    assert run_out(world) == Expired(0, 0, 0, 1)
    said = world.rows("select who, details ->> 'deliveries' from ops.audit where action = 'expire'")
    assert said == [("An", "2")]


def test_the_same_bytes_sent_again_later_are_kept(world: World) -> None:
    commune = world.communes[0]
    data = villages(("Thôn Một", 10, 40))
    world.drop(commune, data)
    world.run()
    world.drop(commune, data, period="2028-Q2", at=LATER - timedelta(days=9))
    world.run()
    assert run_out(world) == Expired(0, 0, 0, 1)
    assert run_out(world, LATER + timedelta(days=900)).deliveries == 2


def test_what_comes_after_the_end_is_a_new_delivery_with_its_bytes(world: World) -> None:
    commune = world.communes[0]
    data = villages(("Thôn Một", 10, 40))
    world.drop(commune, data)
    world.run()
    assert run_out(world).objects == 1
    again = world.drop(commune, data, period="2028-Q2", at=LATER)
    world.run()
    assert world.submission(again)["state"] == "accepted"
    run_out(world, LATER + timedelta(days=1))  # the sweep leaves it alone
    (sha256,) = world.rows("select distinct sha256 from intake.delivery")[0]
    assert world.archived_bytes(sha256) == data


def test_killed_between_key_and_file_the_next_one_removes_the_rest(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.drop(world.communes[0], villages(("Thôn Một", 10, 40)))
    world.run()

    def dies(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(expiry, "_sweep", dies)
        with pytest.raises(KeyboardInterrupt):
            run_out(world)
    assert len(world.archived()) == 1
    assert run_out(world) == Expired(0, 0, 0, 0)
    assert world.archived() == {}


def test_bytes_that_are_being_taken_are_waited_for(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file with the bytes of an old one arrives while those are destroyed: between finding them and writing the row down."""
    commune = world.communes[0]
    data = villages(("Thôn Một", 10, 40))
    world.drop(commune, data)
    world.run()
    again = world.drop(commune, data, period="2028-Q2", at=LATER)
    found, go_on = threading.Event(), threading.Event()
    put = Archive.put

    def slow(self: Archive, *arguments: Any) -> Any:
        stored = put(self, *arguments)
        found.set()
        assert go_on.wait(60)
        return stored

    monkeypatch.setattr(Archive, "put", slow)
    running = threading.Thread(target=world.pipeline.run)
    running.start()
    assert found.wait(60)
    ended: list[Expired] = []
    ending = threading.Thread(target=lambda: ended.append(run_out(world, months=24)))
    ending.start()
    waiting = (
        "select count(*) from pg_locks where locktype = 'advisory' and not granted "
        "and database = (select oid from pg_database where datname = current_database())"
    )
    for _ in range(600):
        if world.rows(waiting)[0][0]:
            break
        threading.Event().wait(0.05)
    go_on.set()
    running.join()
    ending.join()
    assert ended == [Expired(0, 0, 0, 1)]
    world.run()
    assert world.submission(again)["state"] in ("accepted", "repeated")
    (sha256,) = world.rows("select distinct sha256 from intake.delivery")[0]
    assert world.archived_bytes(sha256) == data


def test_bytes_are_kept_for_a_year_at_least(world: World) -> None:
    with world.pipeline.connection() as connection, pytest.raises(ValueError, match="12 months at least"):
        expired(connection, LATER, 11)
