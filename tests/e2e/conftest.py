"""Worlds: databases copied from one that is migrated and has its contracts and reference lists, each with a home."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import pytest
from psycopg import sql

from tests.e2e.flows import World

_numbers = count(1)
Make = Callable[..., World]


@pytest.fixture(scope="session")
def _template(server_url: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    name = f"e2e_template_{next(_numbers)}"  # other folders have these fixtures too, in the same server
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(
            sql.SQL(
                "create database {} template template0 encoding 'UTF8' locale_provider builtin builtin_locale 'C.UTF-8' "
                "strategy file_copy"
            ).format(sql.Identifier(name))
        )
        url = f"postgresql://postgres@/{name}?host={quote(connection.info.host, safe='/')}"
    with World(url, tmp_path_factory.mktemp("template")).pipeline.connection():
        pass
    return name


@pytest.fixture(scope="session")
def make_world(server_url: str, _template: str, tmp_path_factory: pytest.TempPathFactory) -> Make:
    """Make worlds, as many as a module wants; they end with the session."""

    def make(**settings: Any) -> World:
        name = f"e2e_{next(_numbers)}"
        with psycopg.connect(server_url, autocommit=True) as connection:
            connection.execute(
                sql.SQL("create database {} template {} strategy file_copy").format(
                    sql.Identifier(name), sql.Identifier(_template)
                )
            )
            host = quote(connection.info.host, safe="/")
        home: Path = tmp_path_factory.mktemp("world")
        return World(f"postgresql://postgres@/{name}?host={host}", home, **settings)

    return make


@pytest.fixture
def world(make_world: Make) -> World:
    """A world of the test's own."""
    return make_world()
