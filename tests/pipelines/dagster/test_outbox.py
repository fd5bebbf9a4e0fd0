"""The outbox: nothing is left untold by a crash, and what has no place on a board is counted and not told."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from itertools import islice

import dagster as dg
import pytest

from assets.intake.definitions import partitions_of, told
from assets.intake.outbox import Word, last_words, sweep

from .conftest import TODAY, House

ROWS = ("Thôn Một,Thôn,10,40", "Thôn Hai,Thôn,20,80")


@pytest.fixture
def untold(house: House) -> House:
    """Three communes have sent, everything is published and nobody was told."""
    for sender in ("22333", "22366", "22390"):
        house.send(sender, *(f"{sender},{row}" for row in ROWS))
    house.pipeline.run()
    return house


def waiting(house: House) -> int:
    return int(house.sql("select count(*) from intake.submission where announced_state is distinct from state")[0][0])


def test_what_a_run_without_dagster_did_is_told_by_the_next_with_it(untold: House) -> None:
    assert waiting(untold) == 3
    untold.run()
    assert untold.board() == {"2026-Q1|22333", "2026-Q1|22366", "2026-Q1|22390"}
    assert waiting(untold) == 0


@pytest.mark.parametrize("events", [1, 3, 5])
def test_a_crash_after_any_event_is_swept_up(untold: House, events: int) -> None:
    boards = {d: partitions_of(c, untold.pipeline.senders, TODAY) for d, c in untold.pipeline.contracts.items()}
    with untold.pipeline.connection() as connection:
        reporting = told(connection, boards)
        for event in islice(reporting, events):
            if isinstance(event, dg.AssetMaterialization):
                untold.instance.report_runless_asset_event(event)
        reporting.close()  # killed between reporting and marking
    assert waiting(untold) == 3
    untold.run()
    assert untold.board() == {"2026-Q1|22333", "2026-Q1|22366", "2026-Q1|22390"}
    assert untold.verdicts() == dict.fromkeys(untold.board(), (True, "WARN"))
    assert waiting(untold) == 0
    # told twice at most, and the same both times
    assert set(untold.events()) == {("materialised", place, "accepted") for place in untold.board()}


def test_a_state_that_changes_while_it_is_told_waits_again(untold: House) -> None:
    with untold.pipeline.connection() as connection:
        batches = sweep(connection)
        words = next(batches)
        connection.execute("update intake.submission set state = 'superseded' where sender = '22333'")
        assert list(batches) == []
        assert {w.sender: w.state for w in words} == dict.fromkeys(("22333", "22366", "22390"), "accepted")
        assert [(w.sender, w.state) for batch in sweep(connection) for w in batch] == [("22333", "superseded")]


def test_small_batches_tell_everything_once(untold: House) -> None:
    with untold.pipeline.connection() as connection:
        batches = [[w.sender for w in words] for words in sweep(connection, batch=2)]
    assert [len(senders) for senders in batches] == [2, 1]
    assert sorted(sum(batches, [])) == ["22333", "22366", "22390"]


def test_what_has_no_place_on_a_board_is_counted_and_not_told(untold: House) -> None:
    untold.send("99999", "99999,Thôn Một,Thôn,10,40")
    untold.send("22333", f"22333,{ROWS[0]}", period="2019-Q1", day=2)  # before there were any such units
    result = untold.run()
    metadata = result.asset_materializations_for_node("returns__answers")[0].metadata
    assert (metadata["reported"].value, metadata["without_place"].value) == (3, 2)
    assert untold.board() == {"2026-Q1|22333", "2026-Q1|22366", "2026-Q1|22390"}
    assert waiting(untold) == 0


def test_the_last_word_does_not_depend_on_the_order_of_telling(untold: House) -> None:
    place = ("villages", "2026-Q1", "22333")
    untold.send("22333", f"22333,{ROWS[0]}", "22333,Thôn Ba,Thôn,x,9", f"22333,{ROWS[1]}", name="sau.csv", day=5)
    untold.pipeline.run()
    with untold.pipeline.connection() as connection:
        word = last_words(connection, [place])[place]
        assert word is not None
        assert (word.state, word.rows_quarantined, word.level) == ("partly", 1, "warning")
        connection.execute("update intake.submission set state = 'withdrawn' where sender = '22333'")
        assert last_words(connection, [place]) == {place: None}


def test_only_a_rule_that_could_not_run_makes_a_hold_an_error(untold: House) -> None:
    with untold.pipeline.connection() as connection:
        word = next(sweep(connection))[0]
    assert isinstance(word, Word)
    levels = {
        state: replace(word, state=state, codes=codes).level
        for state, codes in {
            "accepted": ["HIDDEN_ROWS"], "partly": [], "held": ["TOO_MANY_BAD_ROWS"], "rejected": ["MISSING_HEADER"],
            "staged": [],
        }.items()
    }  # fmt: skip
    assert levels == {
        "accepted": "passed", "partly": "warning", "held": "warning", "rejected": "error", "staged": "warning",
    }  # fmt: skip
    assert replace(word, state="held", codes=["ENDS_TOO_MANY", "RULE_COULD_NOT_RUN"]).level == "error"


def test_a_board_has_the_contracts_periods_and_senders(house: House) -> None:
    contract = house.pipeline.contracts["villages"]
    board = partitions_of(contract, house.pipeline.senders, date(2026, 12, 31))
    dimensions = {d.name: d.partitions_def.get_partition_keys() for d in board.partitions_defs}
    assert dimensions["sender"] == ["22333", "22366", "22390"]
    assert (dimensions["period"][0], dimensions["period"][-1]) == ("2025-Q3", "2027-Q4")
    assert set(partitions_of(contract, house.pipeline.senders, date(2027, 1, 1)).get_partition_keys()) >= {
        "2028-Q4|22333"
    }
