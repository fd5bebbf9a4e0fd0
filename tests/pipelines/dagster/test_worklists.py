"""Work lists as assets: counts, places without a value of a row, and a check that warns."""

from __future__ import annotations

import dagster as dg

from assets.core.worklists import LISTS
from tests.pipelines.dagster.conftest import House

ROWS = [f"22366,Zyxquân {n},Thôn,{n},{3 * n}" for n in range(1, 8)]


def results(run: dg.ExecuteInProcessResult) -> dict[str, tuple[bool, str, int]]:
    """List -> (passed, severity, rows) of its check."""
    found = [e for e in run.get_asset_check_evaluations() if e.asset_key.path[0] == "worklists"]
    assert all(e.check_name == "empty" for e in found)
    return {e.asset_key.path[1]: (e.passed, e.severity.name, e.metadata["rows"].value) for e in found}  # type: ignore[misc]


def test_every_list_is_counted_after_each_run(house: House) -> None:
    house.send("22366", *ROWS)
    assert results(house.run()) == dict.fromkeys(LISTS, (True, "WARN", 0))
    house.send("22366", ROWS[0], period="2026-Q2", day=2)
    house.send("22390", "22390,Zyxquân,Zyxlạ,1,2", *(r.replace("22366", "22390") for r in ROWS), day=3)
    run = house.run()
    found = results(run)
    assert found["held_submissions"] == (False, "WARN", 1) and found["unknown_codes"] == (False, "WARN", 1)
    assert {name for name, (passed, _, _) in found.items() if not passed} == {"held_submissions", "unknown_codes"}
    events = {
        m.asset_key.path[1]: str(m.metadata["first"].value)
        for name in LISTS
        for m in run.asset_materializations_for_node("worklists")
        if m.asset_key.path[1] == name
    }
    assert "ENDS_TOO_MANY" in events["held_submissions"] and "village_type: 1 rows" in events["unknown_codes"]
    assert "Zyx" not in repr(events)
