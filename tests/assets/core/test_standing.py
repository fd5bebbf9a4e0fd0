"""The fold over the set of submissions: what is in force, held, repeated, superseded, withdrawn."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets.core.standing import Decision, Staged, Standing, derive
from schemas.contract import Column, Contract
from schemas.periods import parse_period


def contract(delivery: str = "snapshot", **more: object) -> Contract:
    columns = (Column("k", "Khóa", "string", "name", required=True, key_position=1),)
    return Contract(
        "things", "1.0.0", "", "", columns, (), delivery, "asOf", "ownCommune", "quarter", **more,  # type: ignore[arg-type]
    )  # fmt: skip


KEYS: dict[int, frozenset[str]] = {}


def sub(
    no: int, period: str = "2026-Q2", hour: int | None = None, content: str | None = None, **more: object
) -> Staged:
    p = parse_period(period)
    received = datetime(2026, 7, 1, tzinfo=UTC) + timedelta(hours=no if hour is None else hour)
    values: dict[str, object] = {"as_of": p.last, "accepted": 4} | more
    return Staged(
        no, f"S{no}", "22366", period, p.first, p.last, received_at=received, content=content or f"c{no}", assessment_no=no,
        **values,  # type: ignore[arg-type]
    )  # fmt: skip


def nobody_ends(before: Staged, after: Staged) -> tuple[int, int]:
    return 0, 4


def words(found: list[Standing]) -> dict[int, str]:
    return {s.no: s.standing for s in found}


def codes(found: list[Standing], no: int) -> list[str]:
    return [r["code"] for s in found if s.no == no for r in s.reasons]


def test_a_later_snapshot_of_a_period_replaces_the_earlier_one() -> None:
    assert words(derive(contract(), [sub(1), sub(2)], [], nobody_ends)) == {1: "superseded", 2: "in_force"}


def test_increments_stand_beside_each_other() -> None:
    assert words(derive(contract("increment"), [sub(1), sub(2)], [], nobody_ends)) == {1: "in_force", 2: "in_force"}


def test_same_bytes_as_in_force_change_nothing_and_older_bytes_are_held() -> None:
    found = derive(
        contract(),
        [sub(1, content="a"), sub(2, content="b"), sub(3, content="b"), sub(4, content="a")],
        [],
        nobody_ends,
    )
    assert words(found) == {1: "superseded", 2: "in_force", 3: "repeated", 4: "held"}
    assert codes(found, 4) == ["RESEND_OF_OLDER"]


def test_same_bytes_in_the_next_period_are_a_new_word() -> None:
    found = derive(contract(), [sub(1, "2026-Q1", content="a"), sub(2, "2026-Q2", content="a")], [], nobody_ends)
    assert words(found) == {1: "in_force", 2: "in_force"}


def test_a_shrunken_list_is_held_against_its_predecessor_in_valid_time_not_in_arrival() -> None:
    def ended(before: Staged, after: Staged) -> tuple[int, int]:
        return (3, 4) if (before.no, after.no) == (1, 3) else (0, 4)

    # number 2 is newer in valid time, and arrived before 3
    found = derive(contract(), [sub(1, "2025-Q4"), sub(2, "2026-Q2"), sub(3, "2026-Q1")], [], ended)
    assert words(found) == {1: "in_force", 2: "in_force", 3: "held"}
    assert codes(found, 3) == ["ENDS_TOO_MANY"]


def test_a_list_of_one_may_be_replaced_by_another_one_but_not_by_nothing() -> None:
    def ended(before: Staged, after: Staged) -> tuple[int, int]:
        return 1, 1

    for rows, expected in ((1, []), (0, ["ENDS_TOO_MANY"])):
        assert codes(derive(contract(), [sub(1, accepted=1), sub(2, accepted=rows)], [], ended), 2) == expected


def test_a_decision_names_the_pair_and_lapses_with_it() -> None:
    def ended(before: Staged, after: Staged) -> tuple[int, int]:
        return (3, 4) if after.no == 3 else (0, 4)

    first, shrunken = sub(1, "2026-Q1"), sub(3, "2026-Q2", hour=9)
    accept = Decision("accept", "S3", "S1")
    assert words(derive(contract(), [first, shrunken], [accept], ended))[3] == "in_force"
    between = sub(2, "2026-Q1", hour=2)  # a correction of the predecessor: another pair
    assert words(derive(contract(), [first, between, shrunken], [accept], ended))[3] == "held"


def test_a_refusal_holds_what_would_be_in_force() -> None:
    found = derive(contract(), [sub(1)], [Decision("refuse", "S1", None)], nobody_ends)
    assert words(found) == {1: "held"}
    assert codes(found, 1) == ["REFUSED"]


def test_withdrawing_brings_the_earlier_one_back() -> None:
    found = derive(contract(), [sub(1), sub(2)], [Decision("withdraw", "S2")], nobody_ends)
    assert words(found) == {1: "in_force", 2: "withdrawn"}


def test_a_sender_withdraws_its_own_submissions_only() -> None:
    own = derive(contract(), [sub(1), sub(2, "2026-Q3", withdraws="S1")], [], nobody_ends)
    assert words(own)[1] == "withdrawn"
    from dataclasses import replace

    other = replace(sub(2, "2026-Q3", withdraws="S1"), sender="22390")
    assert words(derive(contract(), [sub(1), other], [], nobody_ends))[1] == "in_force"


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"as_of": date(2026, 9, 1)}, "AS_OF_OUTSIDE_PERIOD"),
        ({"accepted": 0, "quarantined": 4}, "TOO_MANY_BAD_ROWS"),
        ({"could_not_run": ("r",)}, "RULE_COULD_NOT_RUN"),
        ({"accepted": 0, "out_of_scope": 3}, "NOTHING_OF_ITS_OWN"),
    ],
)
def test_what_holds_a_submission_by_itself(more: dict[str, object], code: str) -> None:
    found = derive(contract(), [sub(1, **more)], [], nobody_ends)
    assert words(found) == {1: "held"}
    assert codes(found, 1) == [code]


def test_totals_hold_only_where_the_contract_says_so() -> None:
    one = [sub(1, totals_differ=True)]
    assert words(derive(contract(), one, [], nobody_ends)) == {1: "in_force"}
    assert codes(derive(contract(control_severity="hold"), one, [], nobody_ends), 1) == ["TOTALS_HOLD"]


def test_rows_without_a_key_end_nobody_until_somebody_decides() -> None:
    def all_end(before: Staged, after: Staged) -> tuple[int, int]:
        return 4, 4

    pair = [sub(1, "2026-Q1"), sub(2, "2026-Q2", unkeyed=1, quarantined=1)]
    found = derive(contract(), pair, [], all_end)
    assert [(s.standing, s.ends_nobody) for s in found] == [("in_force", False), ("in_force", True)]
    decided = derive(contract(), pair, [Decision("accept", "S2", "S1")], all_end)
    assert [(s.standing, s.ends_nobody) for s in decided] == [("in_force", False), ("in_force", False)]


@given(st.data())
def test_the_order_of_the_input_does_not_matter(data: st.DataObject) -> None:
    subs = [
        sub(n, data.draw(st.sampled_from(["2025-Q4", "2026-Q1", "2026-Q2"])), hour=data.draw(st.integers(0, 3)),
            content=data.draw(st.sampled_from("abc")), unkeyed=data.draw(st.integers(0, 1)))
        for n in range(1, 7)
    ]  # fmt: skip

    def ended(before: Staged, after: Staged) -> tuple[int, int]:
        return (before.no * 7 + after.no * 3) % 5, 5

    decisions = [
        Decision(
            data.draw(st.sampled_from(["accept", "refuse", "withdraw"])),
            f"S{n}",
            data.draw(st.sampled_from([None, "S1", "S2"])),
        )
        for n in data.draw(st.lists(st.integers(1, 6), max_size=2, unique=True))
    ]
    shuffled = random.Random(data.draw(st.integers(0, 99))).sample(subs, len(subs))
    assert sorted(derive(contract(), subs, decisions, ended), key=lambda s: s.no) == sorted(
        derive(contract(), shuffled, decisions, ended), key=lambda s: s.no
    )


def test_a_withdrawal_alone_is_no_list_and_may_be_taken_back_itself() -> None:
    alone = sub(3, accepted=0, withdraws="S2", statement=True)
    found = derive(contract(), [sub(1), sub(2), alone], [], nobody_ends)
    assert words(found) == {1: "in_force", 2: "withdrawn", 3: "in_force"}
    assert [s.ends_nobody for s in found] == [False, False, True]
    undone = derive(contract(), [sub(1), sub(2), alone], [Decision("withdraw", "S3")], nobody_ends)
    assert words(undone) == {1: "superseded", 2: "in_force", 3: "withdrawn"}


def at(hour: float) -> datetime:
    return datetime(2026, 7, 1, tzinfo=UTC) + timedelta(hours=hour)


def test_what_comes_after_a_close_is_held_until_it_is_accepted_or_the_period_opened_again() -> None:
    first, second = sub(1, closed_at=at(1)), sub(2, closed_at=at(1))  # at the very moment of the close is in time
    found = derive(contract(), [first, second], [], nobody_ends)
    assert (words(found), codes(found, 2)) == ({1: "in_force", 2: "held"}, ["PERIOD_CLOSED"])
    assert found[1].reasons[0]["params"] == {"period": "2026-Q2", "closed_on": "01/07/2026"}
    accepted = [Decision("accept", "S2", "S1", at(3))]
    assert words(derive(contract(), [first, second], accepted, nobody_ends)) == {1: "superseded", 2: "in_force"}
    opened = [sub(1), sub(2)]
    assert words(derive(contract(), opened, [], nobody_ends)) == {1: "superseded", 2: "in_force"}


def test_the_same_bytes_after_a_close_wait_for_nobody() -> None:
    found = derive(contract(), [sub(1, closed_at=at(1)), sub(2, content="c1", closed_at=at(1))], [], nobody_ends)
    assert words(found) == {1: "in_force", 2: "repeated"}


def test_nothing_is_taken_out_of_a_closed_period_unless_a_person_says_so() -> None:
    of = sub(1, closed_at=at(1))
    # under the closed period, or under another one that is open
    for taker in (sub(2, withdraws="S1", statement=True, accepted=0, closed_at=at(1)),
                  sub(2, "2026-Q3", withdraws="S1", statement=True, accepted=0)):  # fmt: skip
        found = derive(contract(), [of, taker], [], nobody_ends)
        assert (words(found), codes(found, 2)) == ({1: "in_force", 2: "held"}, ["PERIOD_CLOSED"])
        for verdict, outcome in (("accept", {1: "withdrawn", 2: "in_force"}), ("refuse", {1: "in_force", 2: "held"})):
            said = [Decision(verdict, "S2", None, at(5))]
            assert words(derive(contract(), [of, taker], said, nobody_ends)) == outcome
    early = sub(2, hour=1, withdraws="S1", statement=True, accepted=0, closed_at=at(2))
    assert words(derive(contract(), [sub(1, closed_at=at(2)), early], [], nobody_ends))[1] == "withdrawn"
