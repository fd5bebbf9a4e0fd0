"""The conformance suite on a second database of the embedded PostgreSQL and on a REST API; others: tests/services."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from psycopg import sql

from assets.intake.sources.pull import unmarked_text
from assets.intake.sources.trial import try_source
from tests.e2e.flows import World
from tests.e2e.sources.kinds import Kind, Rest, Sql, declared
from tests.e2e.sources.suite import Suite


@pytest.fixture(scope="session")
def department(server_url: str) -> str:
    """URL of a department's database beside ours."""
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(sql.SQL("create database department template template0 encoding 'UTF8'"))
        return f"postgresql://postgres@/department?host={connection.info.host}"


@pytest.fixture(params=["sql", "rest"])
def kind(request: pytest.FixtureRequest, department: str, tmp_path: Path) -> Iterator[Kind]:
    made: Kind = (
        Rest(tmp_path / "token")
        if request.param == "rest"
        else Sql("postgresql", department.replace("postgresql", "postgresql+psycopg", 1))
    )
    yield made
    made.close()


class TestConformance(Suite):
    pass


@pytest.fixture
def numbered(department: str) -> Iterator[tuple[Sql, Any]]:
    """A table whose watermark is a number, and what makes its source."""
    database = Sql("postgresql", department.replace("postgresql", "postgresql+psycopg", 1))
    with database.engine.begin() as connection:
        connection.execute(sa.text("drop table if exists numbered"))
        connection.execute(sa.text("create table numbered (id int primary key, w numeric)"))
        connection.execute(sa.text("insert into numbered values (1, 10), (2, 1000)"))
    spec: dict[str, Any] = {"name": "x", "dataset": "dossiers", "kind": "sql", "url": database.url, "table": "numbered"}
    yield (
        database,
        lambda lookback, **more: declared("VP_UBND", **spec, incremental={"column": "w", "lookback": lookback}, **more),
    )
    database.close()


def test_a_lookback_of_numbers(numbered: tuple[Sql, Any], world: World) -> None:
    """A number of them, and not a time."""
    database, source = numbered
    suite = Suite()
    assert suite.pull(world, source(100)).rows == 2
    with database.engine.begin() as connection:  # late within the lookback, too late, and new
        connection.execute(sa.text("insert into numbered values (3, 901), (4, 899), (5, 1001)"))
    assert suite.pull(world, source(100)).rows == 2
    assert suite.pull(world, source(100)).outcome == "empty"
    done = suite.pull(world, source("2h"))
    assert (done.outcome, done.fault) == ("failed", "NO_LOOKBACK") and "write lookback as one" in (done.remedy or "")


def test_rows_without_a_watermark_are_said(numbered: tuple[Sql, Any], world: World) -> None:
    database, source = numbered
    suite = Suite()
    assert suite.pull(world, source(0)).unmarked == 0
    with database.engine.begin() as connection:
        connection.execute(sa.text("insert into numbered values (6, null), (7, null)"))
    done = suite.pull(world, source(0))
    assert (done.outcome, done.unmarked) == ("empty", 2)  # they would never come
    assert world.rows("select unmarked from ops.source_pull order by pull_id") == [(0,), (2,)]
    tried = try_source(source(0), world.pipeline.contracts["dossiers"])
    assert any("2 rows have no value in w" in remark for remark in tried.remarks)
    with database.engine.begin() as connection:
        connection.execute(sa.text("insert into numbered select n, null from generate_series(10, 2000) n"))
    assert unmarked_text(suite.pull(world, source(0)).unmarked or 0, "w").startswith("more than 1000 rows")


def test_an_api_that_gives_rows_without_a_watermark_each_time(world: World, tmp_path: Path) -> None:
    """They are taken once, and said."""
    rest = Rest(tmp_path / "token")
    try:
        source = rest.source("VP_UBND", "dossiers", incremental=True)
        rest.api.rows = [
            *({"Mã hồ sơ": n, "updated_at": None} for n in "AB"),
            {"Mã hồ sơ": "C", "updated_at": "2026-07-01"},
        ]
        suite = Suite()
        first = suite.pull(world, source)
        assert (first.rows, first.unmarked) == (3, 2)
        again = suite.pull(world, source)
        assert (again.outcome, again.unmarked) == ("empty", 2)
        assert "2 rows have no value in updated_at" in str(
            try_source(source, world.pipeline.contracts["dossiers"]).remarks
        )
    finally:
        rest.close()


def test_as_many_are_pulled_at_once_as_the_source_says(numbered: tuple[Sql, Any], world: World) -> None:
    _, source = numbered
    suite = Suite()
    with world.connection() as one, world.connection() as other:
        for connection in (one, other):
            enter = "select pg_advisory_lock_shared(hashtext('lienthong.sender'), hashtext(%s))"
            connection.execute(enter, ["VP_UBND"])
        connection.execute(enter, ["STC"])  # another sender's
        done = suite.pull(world, source(0, limits={"at_once": 2}))
        assert done.outcome == "busy" and "limits.at_once" in (done.remedy or "")
        assert world.rows("select count(*) from ops.source_pull") == [(0,)]
        assert suite.pull(world, source(0, limits={"at_once": 3})).rows == 2
        one.close()  # a process that is killed counts no more
        assert suite.pull(world, source(0, limits={"at_once": 2})).outcome == "empty"
    assert suite.pull(world, source(0)).outcome == "empty"


def test_a_watermark_may_be_a_fraction(department: str, world: World) -> None:
    database = Sql("postgresql", department.replace("postgresql", "postgresql+psycopg", 1))
    how: dict[str, Any] = {"name": "x", "dataset": "dossiers", "kind": "sql", "url": database.url, "table": "fractions"}
    source = declared("VP_UBND", **how, incremental={"column": "w"})
    with database.engine.begin() as connection:
        connection.execute(sa.text("drop table if exists fractions"))
        connection.execute(sa.text("create table fractions (id int primary key, w float8)"))
        connection.execute(sa.text("insert into fractions values (1, 0.1), (2, 0.3)"))
    suite = Suite()
    assert suite.pull(world, source).rows == 2
    assert suite.pull(world, source).outcome == "empty"
    with database.engine.begin() as connection:
        connection.execute(sa.text("insert into fractions values (3, 0.3), (4, 0.7)"))
    assert suite.pull(world, source).rows == 2
    database.close()
