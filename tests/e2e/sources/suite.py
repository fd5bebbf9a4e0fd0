"""What each kind of source must do: whole, what is new, empty, drifted, broken off, taken up again, twice."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from assets.intake.sources.pull import Pulled, pull
from schemas.sources import Source
from tests.e2e.flows import World
from tests.e2e.sources.kinds import DOSSIER, HEAD, Kind

THEN = datetime(2026, 7, 2, 1, 0, 0, 5)
NOW = datetime(2026, 9, 30, 1, tzinfo=UTC)


def villages(*names: str, households: int = 100) -> list[tuple[Any, ...]]:
    """Rows of a list of villages: some with what breaks pipelines in their names."""
    return [(name, "Thôn", households + n, 400 + n, THEN + timedelta(minutes=n)) for n, name in enumerate(names)]


def dossiers(*numbers: str, minute: int = 0, office: str = "SNV") -> list[tuple[Any, ...]]:
    """Rows of dossiers, all changed in one minute."""
    at = THEN + timedelta(minutes=minute)
    return [(n, "1.001", "Toàn trình", office, "20/04/2026", "10/05/2026", "Trực tuyến", at) for n in numbers]


class Suite:
    """The tests; a module parametrises the fixture ``kind``."""

    @pytest.fixture
    def house(self, world: World) -> World:
        return world

    def pull(self, world: World, source: Source, now: datetime = NOW) -> Pulled:
        with world.pipeline.connection() as connection:
            return pull(
                connection,
                world.pipeline.archive,
                source,
                world.pipeline.contracts[source.spec.dataset],
                now,
                pause=0.01,
            )

    def names(self, world: World) -> list[str]:
        return sorted(
            r[0] for r in world.rows("select village_name from mart_v1.villages_history where valid_to is null")
        )

    def state(self, world: World) -> list[tuple[Any, ...]]:
        return world.rows("select source, watermark, boundary, sha256, delivery_id from ops.source_state")

    def test_whole(self, kind: Kind, house: World) -> None:
        sender = house.communes[0]
        source = kind.source(sender, "villages")
        kind.hold(HEAD, villages("Thôn Đông", "Thôn 01", "Thôn O'Brien; --", "Thôn Ngọc Hội"))
        done = self.pull(house, source)
        assert (done.outcome, done.rows) == ("delivered", 4), done
        assert house.rows("select sender, period, state, sidecar from intake.delivery") == [
            (sender, "2026-Q3", "received", {"dataset": "villages", "as_of": "2026-09-30"})
        ]
        house.run()
        assert house.rows("select state, rows_read, rows_accepted from intake.submission") == [("accepted", 5, 4)]
        assert self.names(house) == ["Thôn 01", "Thôn Ngọc Hội", "Thôn O'Brien; --", "Thôn Đông"]
        households = house.rows("select households, population from mart_v1.villages where village_name = 'Thôn 01'")
        assert households == [(101, 401)]
        # the bytes are archived under their hash, like any other's
        sha256, size = house.rows("select sha256, size from intake.delivery")[0]
        with house.pipeline.archive.open(sha256) as file:
            assert len(file.read()) == size == done.bytes

    def test_twice(self, kind: Kind, house: World) -> None:
        source = kind.source(house.communes[0], "villages")
        kind.hold(HEAD, villages("A", "B", "C"))
        assert self.pull(house, source).outcome == "delivered"
        house.run()
        again = self.pull(house, source, NOW + timedelta(minutes=5))
        assert (again.outcome, again.rows) == ("unchanged", 3)
        assert house.run().published is None
        assert house.rows("select count(*) from intake.delivery") == [(1,)]
        # the same in the next period is said again: it is true there too
        assert self.pull(house, source, NOW + timedelta(days=5)).outcome == "delivered"
        house.run()
        assert house.rows("select outcome from ops.source_pull order by pull_id") == [
            ("delivered",),
            ("unchanged",),
            ("delivered",),
        ]

    def test_a_later_list_ends_what_it_leaves_out(self, kind: Kind, house: World) -> None:
        source = kind.source(house.communes[0], "villages")
        kind.hold(HEAD, villages(*"ABCDE"))
        self.pull(house, source)
        house.run()
        kind.hold(HEAD, villages(*"ABCD"))
        self.pull(house, source, NOW + timedelta(days=1))
        house.run()
        assert self.names(house) == ["A", "B", "C", "D"]

    def test_empty(self, kind: Kind, house: World) -> None:
        source = kind.source(house.communes[0], "villages")
        kind.hold(HEAD, villages(*"ABC"))
        self.pull(house, source)
        house.run()
        before = self.state(house)
        kind.hold(HEAD, [])
        done = self.pull(house, source, NOW + timedelta(days=1))
        # everything gone at once is a fault to be looked at, not the end of everything
        assert (done.outcome, done.fault) == ("failed", "NOTHING_LEFT") and done.remedy
        house.run()
        assert self.names(house) == ["A", "B", "C"] and self.state(house) == before

    def test_schema_drift(self, kind: Kind, house: World) -> None:
        source = kind.source(house.communes[0], "villages")
        other = house.communes[1]
        kind.hold(HEAD, villages(*"ABC"))
        self.pull(house, source)
        house.run()
        kind.hold(("Tên thôn", "Loại", "hh_cnt", "Số khẩu", "updated_at"), villages(*"ABCD"))
        assert self.pull(house, source, NOW + timedelta(days=1)).outcome == "delivered"
        house.drop(other, "Tên thôn,Loại,Số hộ,Số khẩu\nThôn X,Thôn,50,200\n".encode(), "x.csv")
        house.run()
        states = house.rows("select sender, state from intake.submission order by submission_no")
        assert states == [(house.communes[0], "accepted"), (house.communes[0], "rejected"), (other, "accepted")]
        problem = house.rows("select problems -> 0 ->> 'code' from intake.submission where state = 'rejected'")
        assert problem == [("MISSING_HEADER",)]
        assert self.names(house) == ["A", "B", "C", "Thôn X"]

    def test_only_what_is_new(self, kind: Kind, house: World) -> None:
        source = kind.source("VP_UBND", "dossiers", incremental=True)
        kind.hold(DOSSIER, [*dossiers("A1", "A2"), *dossiers("B1", "B2", minute=5)])
        first = self.pull(house, source)
        assert (first.outcome, first.rows) == ("delivered", 4), first
        # nothing new: what stands at the watermark comes again and is not taken twice
        assert self.pull(house, source, NOW + timedelta(minutes=1)).outcome == "empty"
        # a row that came late into the same minute, one that was changed, one that is new
        kind.hold(DOSSIER, [*dossiers("A1", "A2"), *dossiers("B1", "B3", minute=5), *dossiers("B2", office="STC", minute=7),
                            *dossiers("C1", minute=9)])  # fmt: skip
        next_ = self.pull(house, source, NOW + timedelta(minutes=2))
        assert (next_.outcome, next_.rows) == ("delivered", 3)
        house.run()
        found = house.rows(
            "select dossier_number, organization_code from mart_v1.dossiers_history where valid_to is null order by 1"
        )
        assert [r[0] for r in found] == ["A1", "A2", "B1", "B2", "B3", "C1"] and dict(found)["B2"] == "STC"
        assert self.pull(house, source, NOW + timedelta(minutes=3)).outcome == "empty"

    def test_what_comes_late_within_the_lookback_is_taken_once(self, kind: Kind, house: World) -> None:
        source = kind.source("VP_UBND", "dossiers", incremental=True, how={"lookback": "1h"})
        kind.hold(DOSSIER, [*dossiers("A1"), *dossiers("B1", minute=50)])
        assert self.pull(house, source).rows == 2
        kind.hold(DOSSIER, [*dossiers("A1"), *dossiers("L1", minute=10), *dossiers("B1", minute=50)])
        assert self.pull(house, source, NOW + timedelta(minutes=1)).rows == 1
        assert self.pull(house, source, NOW + timedelta(minutes=2)).outcome == "empty"

    def test_an_empty_increment_is_no_delivery(self, kind: Kind, house: World) -> None:
        source = kind.source("VP_UBND", "dossiers", incremental=True)
        kind.hold(DOSSIER, [])
        assert self.pull(house, source).outcome == "empty"
        assert house.rows("select count(*) from intake.delivery") == [(0,)] and self.state(house) == []
        kind.hold(DOSSIER, dossiers("A1"))
        assert self.pull(house, source).rows == 1

    def test_broken_off_in_the_middle_and_taken_up_again(self, kind: Kind, house: World) -> None:
        source = kind.source(house.communes[0], "villages")
        kind.hold(HEAD, villages(*"ABCDEF"))
        kind.break_off()
        done = self.pull(house, source)
        assert (done.outcome, done.delivery_id) == ("failed", None) and done.fault and done.remedy
        assert house.rows("select count(*) from intake.delivery") == [(0,)] and self.state(house) == []
        assert house.rows("select outcome, fault from ops.source_pull") == [("failed", done.fault)]
        kind.mend()
        assert self.pull(house, source, NOW + timedelta(minutes=1)).rows == 6
        house.run()
        assert len(self.names(house)) == 6

    def test_killed_between_archive_and_ledger(self, kind: Kind, house: World, monkeypatch: pytest.MonkeyPatch) -> None:
        source = kind.source("VP_UBND", "dossiers", incremental=True)
        kind.hold(DOSSIER, dossiers("A1", "A2"))
        put = type(house.pipeline.archive).put

        class Killed(BaseException):
            pass

        def archived_and_killed(*given: Any, **more: Any) -> Any:
            put(*given, **more)
            raise Killed

        with monkeypatch.context() as patched:
            patched.setattr(type(house.pipeline.archive), "put", archived_and_killed)
            with pytest.raises(Killed):
                self.pull(house, source)
        assert self.state(house) == [] and house.rows("select outcome from ops.source_pull") == [("running",)]
        assert self.pull(house, source, NOW + timedelta(minutes=1)).rows == 2
        assert house.rows("select outcome from ops.source_pull order by pull_id") == [("lost",), ("delivered",)]
        assert self.pull(house, source, NOW + timedelta(minutes=2)).outcome == "empty"

    def test_limits(self, kind: Kind, house: World) -> None:
        kind.hold(HEAD, villages(*"ABCDEF"))
        limits = {"rate": 10_000.0}
        for more, fault in (({"rows": 5}, "TOO_MANY_ROWS"), ({"bytes": 100}, "TOO_MANY_BYTES")):
            done = self.pull(house, kind.source(house.communes[0], "villages", limits={**limits, **more}))
            assert (done.outcome, done.fault) == ("failed", fault)
        assert house.rows("select count(*) from intake.delivery") == [(0,)]
