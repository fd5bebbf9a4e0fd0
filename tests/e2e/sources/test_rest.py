"""A REST API that throttles, fails and lies: what each of these comes to, and that the watermark does not move."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from assets.intake.sources.pull import Pulled, pull
from assets.intake.sources.trial import try_source
from schemas.sources import Source
from tests.e2e.flows import World
from tests.e2e.sources.api import TOKEN
from tests.e2e.sources.kinds import HEAD, Rest
from tests.e2e.sources.suite import NOW, villages


@pytest.fixture
def rest(tmp_path: Path) -> Iterator[Rest]:
    made = Rest(tmp_path / "token")
    made.hold(HEAD, villages(*"ABCDE"))
    yield made
    made.close()


def pulled(world: World, source: Source) -> Pulled:
    with world.connection() as connection:
        done = pull(connection, world.pipeline.archive, source, world.pipeline.contracts["villages"], NOW, pause=0.01)
    assert TOKEN not in str(done) and "056085001234" not in str(done)
    return done


@pytest.fixture(scope="module")
def house(make_world: Any) -> World:
    world: World = make_world()
    with world.pipeline.connection():
        pass
    return world


FAULTS: list[tuple[list[int | str | None], str]] = [
    ([None, "html"], "NOT_JSON"),
    ([None, "not_json"], "NOT_JSON"),
    ([None, "half"], "BROKEN_OFF"),
    ([None, *["drop"] * 6], "UNREACHABLE"),
    ([None, 404], "NOT_FOUND"),
    ([None, 403], "LOGIN_REFUSED"),
    ([None, 418], "ANSWER_418"),
    ([None, *[500] * 6], "ANSWER_500"),
    ([None, *[429] * 6], "ANSWER_429"),
    ([None, 302], "REDIRECTED"),
]


@pytest.mark.parametrize(("faults", "fault"), FAULTS, ids=[f"{f}-{n}" for n, (_, f) in enumerate(FAULTS)])
def test_what_fails_is_told_by_kind_and_takes_nothing(house: World, rest: Rest, faults: list[Any], fault: str) -> None:
    before = house.rows("select count(*) from intake.delivery"), house.rows("select * from ops.source_state")
    rest.api.faults = list(faults)
    done = pulled(house, rest.source(house.communes[0], "villages"))
    assert (done.outcome, done.fault) == ("failed", fault), done
    assert done.remedy and not rest.api.faults
    assert before == (house.rows("select count(*) from intake.delivery"), house.rows("select * from ops.source_state"))


LIES = {"same": "REPEATED_PAGE", "total": "TOTAL_DIFFERS", "shape": "NO_RECORDS", "values": "NOT_RECORDS"}


@pytest.mark.parametrize("lie", LIES)
def test_a_lie_is_not_believed(house: World, rest: Rest, lie: str) -> None:
    rest.api.lie = lie
    done = pulled(house, rest.source(house.communes[0], "villages"))
    assert (done.outcome, done.fault) == ("failed", LIES[lie])


def test_what_passes_is_tried_again(world: World, rest: Rest) -> None:
    rest.api.faults = [503, 429, None, 500, "drop"]
    done = pulled(world, rest.source(world.communes[0], "villages"))
    assert (done.outcome, done.rows) == ("delivered", 5)


def test_to_wait_longer_than_there_is_time_is_not_waited(house: World, rest: Rest) -> None:
    rest.api.faults, rest.api.retry_after = [429], "3600"
    done = pulled(house, rest.source(house.communes[0], "villages"))
    assert (done.outcome, done.fault) == ("failed", "ASKED_TO_WAIT")


def test_pages_that_never_end_and_links_that_lead_elsewhere(house: World, rest: Rest) -> None:
    rest.hold(HEAD, villages(*(f"Thôn {n}" for n in range(30))))
    limits = {"rate": 10_000.0, "pages": 5}
    done = pulled(house, rest.source(house.communes[0], "villages", limits=limits))
    assert (done.outcome, done.fault) == ("failed", "TOO_MANY_PAGES")
    rest.api.lie = "foreign"
    done = pulled(house, rest.source(house.communes[0], "villages", paging={"kind": "link", "next": "next"}))
    assert (done.outcome, done.fault) == ("failed", "FOREIGN_LINK")


def test_a_token_that_is_not_there_or_is_wrong(house: World, rest: Rest) -> None:
    source = rest.source(house.communes[0], "villages")
    rest.secret.write_text("other")
    assert pulled(house, source).fault == "LOGIN_REFUSED"
    rest.secret.chmod(0o644)
    done = pulled(house, source)
    assert done.fault == "NO_SECRET" and "chmod 600" in str(done.remedy)
    rest.secret.unlink()
    assert "cannot be read" in str(pulled(house, source).remedy)


@pytest.mark.parametrize(
    ("paging", "auth"),
    [
        ({"kind": "offset", "parameter": "offset", "size": 2}, None),
        ({"kind": "none"}, {"kind": "oauth", "url": "{url}/token", "client_id": "a", "client_secret": "{secret}"}),
    ],
)
def test_other_ways_of_paging_and_asking(
    world: World, rest: Rest, paging: dict[str, Any], auth: dict[str, str] | None
) -> None:
    more: dict[str, Any] = {"paging": paging}
    if auth is not None:
        places = {"url": rest.served.url, "secret": f"${{file:{rest.secret}}}"}
        more["auth"] = {k: v.format(**places) for k, v in auth.items()}
    rest.api.size = 100
    rest.api.lie = None
    done = pulled(world, rest.source(world.communes[0], "villages", **more))
    if paging["kind"] == "offset":  # the server knows no offset and says the same again
        assert done.fault == "REPEATED_PAGE"
    else:
        assert (done.outcome, done.rows) == ("delivered", 5), done


STRANGE = [
    (b'{"data":{"items":[{"a":"\\ud800"}]}}', "STRANGE_VALUE"),
    (b'{"data":{"items":' + b"[" * 200_000 + b"]" * 200_000 + b"}}", "NOT_JSON"),
]


@pytest.mark.parametrize(("said", "fault"), STRANGE, ids=["half a character", "nested"])
def test_what_no_library_can_take_is_a_failure_that_is_written_down(
    house: World, rest: Rest, said: bytes, fault: str
) -> None:
    rest.api.faults, rest.api.raw = ["raw"], said
    source = rest.source(house.communes[0], "villages", paging={"kind": "none"})
    assert pulled(house, source).fault == fault
    last = house.rows("select outcome, fault from ops.source_pull order by pull_id desc limit 1")
    assert last == [("failed", fault)]


def test_an_answer_that_comes_by_the_byte_is_left_at_the_deadline(house: World, rest: Rest) -> None:
    """Each byte comes well within the wait for one answer: only the time of the whole ends it."""
    rest.api.faults = ["slow"]
    limits = {"seconds": 1, "wait": 30, "rate": 10_000.0}
    assert pulled(house, rest.source(house.communes[0], "villages", limits=limits)).fault == "TOO_SLOW"


def test_an_answer_without_end_is_not_held_in_memory(house: World, rest: Rest) -> None:
    rest.api.faults = ["endless"]
    limits = {"bytes": "1MB", "rate": 10_000.0}
    assert pulled(house, rest.source(house.communes[0], "villages", limits=limits)).fault == "PAGE_TOO_LARGE"
    assert rest.api.given < 64 << 20


def test_numbers_keep_their_digits(world: World, rest: Rest) -> None:
    rest.api.rows = [
        {
            "Tên thôn": "A",
            "Loại": "Thôn",
            "Số hộ": 10,
            "Số khẩu": 40,
            "Mã": "00123",
            "x": 0.1,
            "y": 12345678901234567890,
        }
    ]
    rest.api.size = 10
    pulled(world, rest.source(world.communes[0], "villages"))
    sha256 = world.rows("select sha256 from intake.delivery")[0][0]
    with world.pipeline.archive.open(sha256) as file:
        text = file.read().decode()
    assert '"Mã": "00123"' in text and '"x": 0.1' in text and '"y": 12345678901234567890' in text


def test_a_trial_says_what_is_wrong_and_takes_nothing(world: World, rest: Rest) -> None:
    contract = world.pipeline.contracts["villages"]
    source = rest.source(world.communes[0], "villages")
    assert not try_source(source, contract).faults
    rest.hold(("Tên thôn", "Loại", "hh", "Số khẩu", "updated_at"), villages("A"))
    assert [f for f, _ in try_source(source, contract).faults] == ["MISSING_HEADER"]
    assert [
        f for f, _ in try_source(rest.source(world.communes[0], "villages", incremental=True), contract).faults
    ] == ["NOT_WHOLE"]
    rest.secret.write_text("other")
    assert [f for f, _ in try_source(source, contract).faults] == ["LOGIN_REFUSED"]
    rest.close()
    assert [f for f, _ in try_source(source, contract, pause=0.01).faults] == ["UNREACHABLE"]
    assert world.rows("select (select count(*) from ops.source_pull), (select count(*) from intake.delivery)") == [
        (0, 0)
    ]
