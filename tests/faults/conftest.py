"""Fixtures: copies of worlds, and an empty one that is migrated and has its contracts and reference lists."""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.conftest import Make
from tests.e2e.flows import World
from tests.faults.worlds import Copies, _database


@pytest.fixture(scope="session")
def copies(server_url: str, tmp_path_factory: pytest.TempPathFactory) -> Copies:
    """Makes worlds; they end with the session."""
    return Copies(server_url, tmp_path_factory.mktemp("faults"))


@pytest.fixture(scope="session")
def _empty(copies: Copies) -> World:
    world = copies.new()
    with world.pipeline.connection():
        pass
    return world


@pytest.fixture
def world(copies: Copies, _empty: World) -> World:
    """A world of the test's own, on the real reference lists."""
    return copies.of(_empty)


@pytest.fixture
def make_world(copies: Copies, _empty: World) -> Make:
    """Make worlds with settings of their own, on the real reference lists."""

    def make(**settings: Any) -> World:
        return copies.new(_database(_empty), **settings)

    return make
