"""Published views may grow, not break: ``schemas/marts/published.json`` is what apps were promised.

After an addition or other words it is renewed, which gives the view its next version::

    RENEW_SNAPSHOTS=1 python -m pytest tests/e2e/test_published.py

What breaks an app is refused, then too: it belongs into a new version of the schema.
"""

from __future__ import annotations

import json
import os
from datetime import date

import pytest
import yaml

from assets.marts.published import document, state
from schemas.contract import Contract, builtin_folder, load_contracts
from schemas.lint import _validator
from schemas.published import PROMISED, compare, promised, renewed
from tests.e2e.conftest import Make


@pytest.fixture(scope="module")
def contracts() -> dict[str, Contract]:
    return load_contracts([builtin_folder()])


def test_nothing_that_was_promised_is_broken_and_all_that_is_there_is_promised(make_world: Make) -> None:
    world = make_world()
    pipeline = world.pipeline
    with pipeline.connection() as connection:
        found = state(connection, pipeline.contracts, pipeline.indicators)
    made = renewed(promised(), found, date.today())
    if os.environ.get("RENEW_SNAPSHOTS"):
        PROMISED.write_text(json.dumps(made, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    assert promised() == made, (
        "\n".join(map(str, compare(promised(), found))) + "\nRENEW_SNAPSHOTS=1 renews it; see above"
    )
    assert len(found) > 60 and found["mart_v1.villages"]["columns"]["households"]["semantic"] == "integer"
    themes = [m for n, v in found.items() if n.startswith("mart_v1.theme_") for m in v["columns"].values()]
    assert sum("formula" in m for m in themes) > 30


@pytest.mark.parametrize("view", sorted(promised()))
def test_every_view_has_a_contract_that_the_standard_accepts(view: str, contracts: dict[str, Contract]) -> None:
    made = document(view, promised()[view], contracts)
    assert [e.message for e in _validator().iter_errors(json.loads(json.dumps(made)))] == []
    assert yaml.safe_load(yaml.safe_dump(made, allow_unicode=True)) == made
    assert [p["name"] for p in made["schema"][0]["properties"]] == list(promised()[view]["columns"])


def test_a_deprecated_view_says_until_when_and_what_comes_after(contracts: dict[str, Contract]) -> None:
    promise = promised()["mart_v1.villages"] | {"deprecated": {"until": "2028-01-01", "successor": "mart_v2.villages"}}
    made = document("mart_v1.villages", promise, contracts)
    assert (
        made["status"] == "deprecated" and "2028-01-01; after it mart_v2.villages" in made["description"]["limitations"]
    )
