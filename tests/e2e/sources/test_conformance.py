"""The conformance suite on a second database of the embedded PostgreSQL and on a REST API; others: tests/services."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from psycopg import sql

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
