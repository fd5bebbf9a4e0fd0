"""The rules and laws of :mod:`assets.core.linkage.joining`, one small world each."""

from __future__ import annotations

import json
from datetime import date

import polars as pl
import pytest

from assets.core.linkage import link
from assets.core.linkage.model import LEVELS

from .making import ID, asked, decided, frame, joined, record

OTHER_ID = "056185998877"
ONE_DIGIT = "056185001239"
TRANSPOSED = "056185001243"


# --- by ID and by card ------------------------------------------------------------------------------------------------


def test_keyed_records_with_one_id_and_name_are_one_person_named_after_the_oldest() -> None:
    linked = link(
        frame(
            record(1, keyed=True, registered=9),
            record(2, keyed=True, registered=3),
            record(3, keyed=True, name="NGUYEN THI THU HOA", registered=5),
        )
    )
    assert linked.members.select("record", "root").rows() == [(1, 2), (2, 2), (3, 2)]
    assert set(linked.members["rule"]) == {"same_id"}
    assert linked.queue.is_empty() and linked.unmatched.is_empty() and linked.links.is_empty()


def test_one_id_under_two_names_is_not_joined_but_asked() -> None:
    linked = link(frame(record(1, keyed=True), record(2, keyed=True, name="Trần Văn Bảo")))
    assert joined(linked) == set()
    assert asked(linked) == {(1, 2): "name_differs"}


def test_a_slip_in_one_syllable_does_not_contradict_one_id() -> None:
    linked = link(frame(record(1, keyed=True), record(2, keyed=True, name="Nguyễn Thị Thu Hằng")))
    assert joined(linked) == {frozenset([1, 2])}


def test_an_id_that_contradicts_its_own_row_still_names_its_owner() -> None:
    linked = link(frame(record(1, keyed=True), record(2, personal_id=ID, born=date(1958, 2, 1), sex="NAM")))
    assert linked.members.is_empty()
    linked = link(frame(record(1, keyed=True), record(2, personal_id=ID, born=date(1986, 2, 1))))
    ((number, root, other, rule, weight, fields),) = linked.links.rows()
    assert (number, root, other, rule) == (2, 1, 1, "same_id")
    assert weight > 20
    assert json.loads(fields)["birth"]["level"] == "one_digit"


def test_one_id_with_another_day_of_birth_altogether_is_asked() -> None:
    linked = link(frame(record(1, keyed=True), record(2, personal_id=ID, born=date(1971, 11, 23))))
    assert joined(linked) == set()
    assert asked(linked) == {(1, 2): "birth_differs"}
    assert linked.unmatched["record"].to_list() == [2]


def test_an_old_card_names_the_one_entity_that_has_it_beside_its_id() -> None:
    linked = link(
        frame(record(1, keyed=True, id_card="225123456"), record(2, personal_id="225123456", commune=None, agency=None))
    )
    assert linked.links.select("record", "root", "other", "rule").rows() == [(2, 1, 1, "old_card")]


def test_an_old_card_in_the_column_for_it_counts_as_well() -> None:
    linked = link(frame(record(1, keyed=True, id_card="225123456"), record(2, id_card="225123456", born=None)))
    assert linked.links["rule"].to_list() == ["old_card"]


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"born": date(1985, 7, 19)}, "birth_differs"),
        ({"born": date(1972, 7, 19)}, "birth_differs"),
        ({"name": "Trần Văn Bảo"}, "name_differs"),
    ],
)
def test_a_card_that_birth_or_name_contradict_is_asked_and_not_linked(said: dict[str, object], why: str) -> None:
    linked = link(frame(record(1, keyed=True, id_card="225123456"), record(2, personal_id="225123456", **said)))
    assert joined(linked) == set()
    assert asked(linked) == {(1, 2): why}


def test_a_contradicted_card_does_not_go_to_a_better_fitting_namesake_either() -> None:
    linked = link(
        frame(
            record(1, keyed=True, id_card="225123456", name="Trần Văn Bảo", personal_id=OTHER_ID),
            record(2, keyed=True),
            record(3, personal_id="225123456"),
        )
    )
    assert joined(linked) == set()
    assert asked(linked)[1, 3] == "name_differs"


def test_a_card_that_two_entities_have_is_no_proof() -> None:
    linked = link(
        frame(
            record(1, keyed=True, id_card="225123456"),
            record(2, keyed=True, id_card="225123456", personal_id=OTHER_ID),
            record(3, personal_id="225123456"),
        )
    )
    assert joined(linked) == set()
    assert {pair for pair, why in asked(linked).items() if why == "not_clear"} == {(1, 3), (2, 3)}


# --- namesakes and mistyped IDs ---------------------------------------------------------------------------------------


def test_namesakes_born_on_one_day_stay_two_people() -> None:
    linked = link(frame(record(1, keyed=True), record(2, keyed=True, personal_id=OTHER_ID)))
    assert joined(linked) == set()
    assert linked.queue.is_empty()


def test_two_digits_that_differ_are_two_people_also_through_a_third_record() -> None:
    chain = [
        record(1, keyed=True),
        record(2, keyed=True, personal_id="056185001239"),
        record(3, keyed=True, personal_id="056185001739"),
    ]
    linked = link(frame(*chain))
    assert joined(linked) == set()
    assert asked(linked) == {(1, 2): "must_not_link", (2, 3): "must_not_link"}


def test_one_wrong_digit_joins_where_all_else_agrees() -> None:
    linked = link(
        frame(record(1, keyed=True), record(2, keyed=True, personal_id=ONE_DIGIT, commune="22333", agency=None))
    )
    assert linked.members.select("record", "root").rows() == [(1, 1), (2, 1)]


@pytest.mark.parametrize(
    "said",
    [
        {"name": "Nguyen Thi Thu Hoa"},
        {"name": "Nguyễn Thị Thu Hoa"},
        {"born": date(1985, 1, 2)},
        {"born": None},
        {"sex": None},
        {"lists": [1001]},
    ],
)
def test_one_wrong_digit_does_not_join_where_anything_differs(said: dict[str, object]) -> None:
    linked = link(frame(record(1, keyed=True), record(2, keyed=True, personal_id=ONE_DIGIT, **said)))
    assert joined(linked) == set()
    assert set(asked(linked)) == {(1, 2)}


def test_the_place_of_the_tone_mark_is_no_difference() -> None:
    linked = link(frame(record(1, keyed=True), record(2, keyed=True, personal_id=ONE_DIGIT, name="NGUYỄN THỊ THU HOÀ")))
    assert joined(linked) == {frozenset([1, 2])}


def test_transposed_digits_are_asked() -> None:
    linked = link(frame(record(1, keyed=True), record(2, keyed=True, personal_id=TRANSPOSED)))
    assert joined(linked) == set()
    assert asked(linked) == {(1, 2): "id_transposed"}


# --- records without a valid ID ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"name": "NGUYỄN THỊ THU HOÀ"},
        {"name": "nguyen thi thu hoa"},
        {"name": "Nguyễn Thị Thu Hoá"},
        {"name": "Hòa Nguyễn Thị Thu"},
        {"name": "Nguyễn Thị Hòa"},
        {"name": "Nguyễn T. Thu Hòa"},
        {"name": "Nguyễn Thị Thu Hoàn"},
        {"born": date(1985, 1, 2)},
        {"born": date(1985, 2, 11)},
        {"sex": None},
        {"personal_id": "56185001234"},
        {"personal_id": "056185001239"},
        {"agency": "UBND P. Nha Trang"},
        {"commune": None},
    ],
)
def test_a_record_with_one_slip_finds_its_person(said: dict[str, object]) -> None:
    linked = link(frame(record(1, keyed=True), record(2, **said)))
    ((number, root, other, rule, weight, fields),) = linked.links.rows()
    assert (number, root, other, rule) == (2, 1, 1, "model:person.v1")
    told = json.loads(fields)
    assert list(told) == list(LEVELS)
    assert weight >= 6


def test_a_name_alone_is_not_enough() -> None:
    linked = link(frame(record(1, keyed=True), record(2, born=None, commune="22333", agency=None)))
    assert joined(linked) == set()
    assert linked.unmatched["record"].to_list() == [2]


def test_between_two_namesakes_people_decide() -> None:
    people = [record(1, keyed=True), record(2, keyed=True, personal_id=OTHER_ID), record(3)]
    linked = link(frame(*people))
    assert joined(linked) == set()
    assert asked(linked) == {(1, 3): "not_clear", (2, 3): "not_clear"}
    elsewhere = link(
        frame(
            record(1, keyed=True),
            record(2, keyed=True, personal_id=OTHER_ID, commune="22333", agency="Sở Y tế"),
            record(3),
        )
    )
    assert joined(elsewhere) == {frozenset([1, 3])}


# --- lists ------------------------------------------------------------------------------------------------------------


def test_two_entries_of_one_list_are_two_people() -> None:
    linked = link(frame(record(1, keyed=True, lists=[7]), record(2, lists=[7, 8])))
    assert joined(linked) == set()
    assert asked(linked) == {(1, 2): "same_list"}


def test_also_those_with_one_id() -> None:
    linked = link(frame(record(1, keyed=True, lists=[7]), record(2, keyed=True, lists=[7]), record(3, keyed=True)))
    assert joined(linked) == {frozenset([1, 3])}
    assert asked(linked) == {(1, 2): "same_list", (2, 3): "same_list"}


def test_a_list_sends_a_record_to_the_other_namesake() -> None:
    linked = link(
        frame(record(1, keyed=True, lists=[7]), record(2, keyed=True, personal_id=OTHER_ID), record(3, lists=[7]))
    )
    assert joined(linked) == {frozenset([2, 3])}


def test_of_two_entries_of_a_list_only_the_clearly_better_one_is_a_third_persons_record() -> None:
    alike = link(frame(record(1, keyed=True), record(2, lists=[7]), record(3, lists=[7])))
    assert joined(alike) == set()
    assert set(asked(alike)) == {(1, 2), (1, 3)}
    better = link(
        frame(
            record(1, keyed=True), record(2, lists=[7]), record(3, lists=[7], born=date(1985, 2, 7), name="Nguyễn Hòa")
        )
    )
    assert joined(better) == {frozenset([1, 2])}


# --- the word of people -----------------------------------------------------------------------------------------------


def test_not_the_same_outweighs_everything() -> None:
    rows = frame(record(1, keyed=True), record(2), record(3, keyed=True))
    linked = link(rows, decided((2, 1, False)))
    assert joined(linked) == {frozenset([1, 3])}
    assert linked.queue.is_empty() and linked.unmatched["record"].to_list() == [2]
    assert joined(link(rows, decided((1, 3, False), (2, 3, False)))) == {frozenset([1, 2])}


def test_the_same_outweighs_ids_names_and_lists() -> None:
    rows = frame(
        record(1, keyed=True, lists=[7]),
        record(2, keyed=True, personal_id=OTHER_ID, name="Trần Văn Bảo", lists=[7]),
        record(3, name="Cao Liên", lists=[7]),
    )
    linked = link(rows, decided((1, 2, True), (3, 2, True)))
    assert linked.members.select("record", "root").rows() == [(1, 1), (2, 1)]
    assert linked.links.rows() == [(3, 1, 2, "decision", None, None)]
    assert linked.queue.is_empty()


def test_what_people_joined_goes_where_one_of_it_goes() -> None:
    linked = link(frame(record(1, keyed=True), record(2), record(3, name="Cao Liên", born=None)), decided((2, 3, True)))
    assert linked.links.select("record", "root", "other", "rule").rows() == [
        (2, 1, 1, "model:person.v1"),
        (3, 1, 1, "decision"),
    ]


def test_not_the_same_as_one_of_those_that_people_joined_is_not_the_same_as_any() -> None:
    rows = frame(record(1, keyed=True), record(2, name="Cao Liên"), record(3))
    assert joined(link(rows, decided((1, 2, True), (2, 3, False)))) == {frozenset([1, 2])}


def test_what_came_together_by_way_of_others_is_not_asked() -> None:
    middle = record(3, keyed=True, name="Nguyễn Thu Hòa", registered=1)
    linked = link(frame(record(1, keyed=True), record(2, keyed=True, name="Thu Hòa Nguyễn"), middle))
    assert joined(linked) == {frozenset([1, 2, 3])}
    assert linked.queue.is_empty()


def test_words_that_contradict_each_other_are_asked_again() -> None:
    rows = frame(record(1, keyed=True), record(2, keyed=True, personal_id=OTHER_ID), record(3))
    linked = link(rows, decided((1, 3, True), (2, 3, True), (1, 2, False)))
    assert joined(linked) == {frozenset([1, 3])}
    assert asked(linked) == {(2, 3): "decisions"}


def test_decisions_about_records_that_are_gone_are_ignored() -> None:
    assert joined(link(frame(record(1, keyed=True), record(2)), decided((1, 99, True), (98, 97, False)))) == {
        frozenset([1, 2])
    }


# --- the frame --------------------------------------------------------------------------------------------------------


def test_no_records_no_links() -> None:
    linked = link(frame())
    assert all(f.is_empty() for f in (linked.members, linked.links, linked.queue, linked.unmatched))


def test_the_columns_are_the_same_whether_there_is_something_or_not() -> None:
    full = link(
        frame(record(1, keyed=True), record(2, keyed=True), record(3), record(4, name="Cao Liên")),
        decided((1, 4, True)),
    )
    some = link(frame(record(1, keyed=True), record(2, keyed=True, personal_id=TRANSPOSED)))
    none = link(frame())
    assert full.members.schema == none.members.schema
    assert full.links.schema == some.links.schema == none.links.schema
    assert list(full.links.schema.values()) == [*[pl.Int64] * 3, pl.String, pl.Float64, pl.String]
    assert full.queue.schema == some.queue.schema == none.queue.schema
    assert list(some.queue.schema.values()) == [pl.Int64, pl.Int64, pl.Float64, pl.String, pl.String]
    assert full.unmatched.schema == none.unmatched.schema == {"record": pl.Int64}


@pytest.mark.parametrize(
    "rows",
    [
        [record(1, keyed=True), record(1)],
        [record(1, keyed=True, personal_id="225123456")],
        [record(1, keyed=True, personal_id=None)],
    ],
)
def test_a_frame_of_another_shape_is_refused_without_its_values(rows: list[dict[str, object]]) -> None:
    with pytest.raises(ValueError, match="record") as refused:
        link(frame(*rows))
    assert "225123456" not in str(refused.value) and "Nguyễn" not in str(refused.value)
