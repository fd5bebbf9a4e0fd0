"""The conformance suite on a second database of the embedded PostgreSQL and on a REST API; others: tests/services."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from tests.e2e.sources.kinds import Kind, Rest, Sql
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
