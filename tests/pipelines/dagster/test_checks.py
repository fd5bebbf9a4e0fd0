"""Checks say of a known file what is known of it; nothing to look at is no pass."""

from __future__ import annotations

from typing import Any

import dagster as dg

from .conftest import House

KEY = dg.AssetKey(["staging", "villages"])


def addresses(outcome: tuple[bool, str, dict[str, Any]]) -> list[dict[str, Any]]:
    """The table of first places of a check."""
    return [record.data for record in outcome[2]["first_places"].records]


def outcomes(result: dg.ExecuteInProcessResult) -> dict[str, tuple[bool, str, dict[str, Any]]]:
    """Check -> (passed, severity, metadata) of the villages in a run."""
    return {
        e.check_name: (e.passed, e.severity.name, {k: v.value for k, v in e.metadata.items()})
        for e in result.get_asset_check_evaluations()
        if e.asset_key == KEY
    }


def test_a_bad_file_fails_the_checks_that_it_breaks_and_no_other(house: House) -> None:
    house.send(
        "22333",
        "22333,Thôn Một,Thôn,10,40",
        "22333,Thôn Hai,Thôn,99999,99999",  # row 3: far too many households
        "22333,Thôn Ba,Thôn,50,20",  # row 4: fewer people than households, a warning
        "22333,Thôn Tư,Thôn,một,20",  # row 5: no number
        "22333,Thôn Năm,Thôn,5,20",  # rows 6 and 7: one key, two sayings
        "22333,Thôn Năm,Thôn,6,20",
    )
    found = outcomes(house.run())
    submission = house.sql("select submission_id from intake.submission")[0][0]
    # columns that the file has not: their rules say nothing, which is no pass
    silent = {name for name, outcome in found.items() if outcome[2]["status"] == "not_evaluated"}
    assert silent == {"region__in_set", "village_concurrent_within_workers"}
    failing = {name: outcome for name, outcome in found.items() if not outcome[0] and name not in silent}
    assert set(failing) == {"households_bounds", "population_at_least_households", "readable_cells", "keys_agree"}
    assert {severity for _, severity, _ in failing.values()} == {"WARN"}
    assert addresses(failing["households_bounds"]) == [{"submission": submission, "addresses": "D3"}]
    assert failing["households_bounds"][2]["rows_failing"] == 1
    assert addresses(failing["population_at_least_households"]) == [{"submission": submission, "addresses": "E4"}]
    assert failing["readable_cells"][2]["by_code"] == {"NOT_A_NUMBER": 1}
    assert addresses(failing["readable_cells"]) == [{"submission": submission, "addresses": "D5"}]
    assert failing["keys_agree"][2]["rows_failing"] == 2
    assert found["rows_conserved"][0]
    assert found["rows_conserved"][2]["rows_evaluated"] == 7  # the header is set aside


def test_nothing_to_look_at_is_not_a_pass(house: House) -> None:
    found = outcomes(house.run())
    assert found
    assert {(passed, severity, m["status"]) for passed, severity, m in found.values()} == {
        (False, "WARN", "not_evaluated")
    }


def test_the_next_run_says_the_same_and_a_corrected_file_mends_the_checks(house: House) -> None:
    house.send("22333", "22333,Thôn Một,Thôn,một,40", "22333,Thôn Hai,Thôn,5,40")
    first = outcomes(house.run())
    assert not first["readable_cells"][0]
    assert outcomes(house.run()) == first
    house.send("22333", "22333,Thôn Một,Thôn,1,40", "22333,Thôn Hai,Thôn,5,40", name="sua.csv", day=2)
    assert outcomes(house.run())["readable_cells"][0]


def test_a_rule_that_could_not_run_is_an_error_and_blocks_its_submission_only(house: House) -> None:
    house.send("22333", "22333,Thôn Một,Thôn,1,40")
    house.send("22366", "22366,Thôn Một,Thôn,1,40")
    with house.pipeline.connection() as connection:
        house.pipeline.receive(connection)
        house.pipeline.stage(connection)
    # no frame that the cleaners make stops a rule: what such a rule leaves behind is written by hand
    house.sql(
        "update staging.check_result r set status = 'could_not_run', evaluated = 0 from intake.submission u "
        "where u.assessment_no = r.assessment_no and u.sender = '22333' and r.check_id = 'households_bounds'"
    )
    passed, severity, metadata = outcomes(house.run())["households_bounds"]
    blocked = house.sql("select submission_id from intake.submission where sender = '22333'")[0][0]
    assert (passed, severity, metadata["submissions_blocked"]) == (False, "ERROR", [blocked])
    assert house.verdicts() == {"2026-Q1|22333": (False, "ERROR"), "2026-Q1|22366": (True, "WARN")}
    assert house.board() == {"2026-Q1|22366"}


def test_rows_that_went_missing_are_an_error(house: House) -> None:
    house.send("22333", "22333,Thôn Một,Thôn,1,40", "22333,Thôn Hai,Thôn,5,40")
    house.run()
    house.sql("delete from staging.villages where _row = 2")
    passed, severity, metadata = outcomes(house.run())["rows_conserved"]
    assert (passed, severity) == (False, "ERROR")
    assert metadata["submissions_blocked"] == [house.sql("select submission_id from intake.submission")[0][0]]


def test_one_check_can_be_run_by_itself(house: House) -> None:
    house.send("22333", "22333,Thôn Một,Thôn,1,40")
    house.pipeline.run()
    selection = dg.AssetSelection.checks(dg.AssetCheckKey(KEY, "households_bounds"))
    graph = dg.Definitions.merge(house.graph, dg.Definitions(jobs=[dg.define_asset_job("one", selection=selection)]))
    result = graph.resolve_job_def("one").execute_in_process(
        instance=house.instance, run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    )
    assert {name: outcome[0] for name, outcome in outcomes(result).items()} == {"households_bounds": True}


def test_the_verdict_of_one_place_can_be_derived_by_hand(house: House) -> None:
    house.send("22333", "22333,Thôn Một,Thôn,một,40", "22333,Thôn Hai,Thôn,5,40")
    house.pipeline.run()
    key = dg.AssetCheckKey(dg.AssetKey(["inbox", "villages"]), "verdict")
    job = dg.define_asset_job("by_hand", selection=dg.AssetSelection.checks(key))
    graph = dg.Definitions.merge(house.graph, dg.Definitions(jobs=[job]))
    for place, metadata in (
        ("2026-Q1|22333", {"state": "partly"}),
        ("2026-Q1|22366", {"state": "nothing stands"}),
    ):
        result = graph.resolve_job_def("by_hand").execute_in_process(
            instance=house.instance,
            tags={"dagster/partition": place},  # as the web interface asks for it
            run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
        )
        (evaluation,) = result.get_asset_check_evaluations()
        assert not evaluation.passed
        assert evaluation.metadata["state"].value == metadata["state"]
