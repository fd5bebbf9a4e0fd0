"""The real lists, loaded once for the tests of this folder."""

from __future__ import annotations

import pytest

from assets.reference.units import Reference, load_reference


@pytest.fixture(scope="session")
def reference() -> Reference:
    return load_reference()
