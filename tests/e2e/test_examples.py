"""The examples of the docs, each run as a program of its own under the role that it is written for."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from assets.marts.publish import back_to
from tests.e2e.conftest import Make
from tests.e2e.flows import World, villages
from tests.e2e.test_access import Logins

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"


@pytest.fixture(scope="module")
def logins(make_world: Make) -> Iterator[Logins]:
    world = make_world()
    for commune in world.communes[:2]:
        world.drop(commune, villages(*((f"Thôn {n}", 10 + n, 40) for n in range(5))))
    world.run()
    world.drop(world.communes[0], villages(*((f"Thôn {n}", 20 + n, 50) for n in range(5))), period="2026-Q3")
    world.run()
    made = Logins(world)
    yield made
    made.close()


def ran(world: World, name: str, login: str, *more: str, driver: str = "postgresql") -> str:
    url = world.url.replace("postgres@", f"{login}@").replace("postgresql", driver, 1)
    done = subprocess.run([sys.executable, EXAMPLES / name, url, *more], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_pandas_reads_figures_of_one_publish(logins: Logins) -> None:
    login = logins.new("ex_pandas")
    logins.granted(login, "public")
    said = ran(logins.world, "read_with_pandas.py", login)
    assert said.startswith("publish 2\n") and "2026-Q3" in said
    expected = logins.world.rows(
        "select value from mart_v1.indicator_value "
        "where (indicator, variant, unit_kind, period) = ('I26', '', 'PROVINCE', '2026-Q3')"
    )
    assert f"{expected[0][0]:.1f}" in said


def test_an_app_of_a_commune_sees_its_own_page_by_page(logins: Logins) -> None:
    login = logins.new("ex_xa")
    logins.granted(login, "commune", unit=logins.world.communes[0])
    said = ran(logins.world, "sqlalchemy_app.py", login, driver="postgresql+psycopg").splitlines()
    assert said == [f"page {n // 2 + 1}: Thôn {n}, {20 + n} households, 2 versions" for n in range(5)]


def test_a_follower_is_in_step_after_every_publish_however_long_it_was_away(make_world: Make, tmp_path: Path) -> None:
    world = make_world()
    logins = Logins(world)
    try:
        _followed(world, logins, tmp_path / "copy.sqlite")
    finally:
        logins.close()


def _followed(world: World, logins: Logins, copy: Path) -> None:
    commune, other = world.communes[:2]
    world.drop(commune, villages(("Thôn Một", 10, 40), ("Thôn Hai", 20, 80)))
    first = world.run().published
    login = logins.new("ex_feed")
    logins.granted(login, "app")

    def in_step() -> str:
        said = ran(world, "follow_the_feed.py", login, str(copy))
        with closing(sqlite3.connect(copy)) as own:
            mine = own.execute("select * from village order by 1, 2").fetchall()
        assert mine == world.rows(
            "select village_id, valid_from::text, valid_to::text, village_name, households "
            "from mart_v1.villages_history order by 1, 2"
        )
        return said

    assert in_step() == "0 changes; 2 rows\n"
    assert in_step() == "0 changes; 2 rows\n"
    # away for two publishes, one of them with values that end
    world.drop(commune, villages(("Thôn Một", 11, 44), ("Thôn Hai", 20, 80)), period="2026-Q3")
    world.run()
    world.drop(other, villages(("Thôn Ba", 5, 20)))
    world.run()
    assert in_step().endswith("4 rows\n")
    # taken back, and shown again
    assert first is not None
    with world.connection() as connection:
        back_to(connection, first)
    assert in_step().endswith("2 rows\n")
    world.drop(other, villages(("Thôn Ba", 6, 20)), "b.xlsx")
    world.run()
    assert in_step().endswith("4 rows\n")


def test_every_example_is_run() -> None:
    text = Path(__file__).read_text(encoding="utf-8")
    assert all(f'"{path.name}"' in text for path in EXAMPLES.glob("*.py"))
