"""Organisations and villages: the frozen artefact, the forms of names, the laws, and that no order of rows shows."""

from __future__ import annotations

import hashlib
import json
from random import Random
from typing import Any

import polars as pl
import pytest

from assets.core.linkage import DECISIONS, Linked
from assets.core.linkage.compile import statement
from assets.core.linkage.model import Model
from assets.core.linkage.naming import PROVINCE, forms
from assets.core.linkage.units import ARTEFACT, UNIT, UNITS, link_units, score_names, unit
from pipelines.sample.units import VILLAGE_TYPES, generate_organizations, generate_villages

from .making import as_set

HERE, THERE = "22366", "22453"
COMMUNES = pl.DataFrame({"code": [HERE, THERE], "name": ["Phường Nha Trang", "Xã Cam Lâm"]})


def row(number: int, name: str, *, keyed: bool = False, lists: list[int] | None = None, **said: Any) -> dict[str, Any]:
    """One record; each stands in a list of its own."""
    blank = {"place": HERE, "type": None, "parent": None, "code": None}
    own = [1000 + number] if lists is None else lists
    registered = number if keyed else 2**62
    return {"record": number, "keyed": keyed, "registered": registered, "name": name, "lists": own, **blank, **said}


def frame(*rows: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), UNITS)


def organizations(*rows: dict[str, Any], **more: Any) -> Linked:
    return link_units(frame(*rows), communes=COMMUNES, **more)


def villages(*rows: dict[str, Any], **more: Any) -> Linked:
    return link_units(frame(*rows), communes=COMMUNES, types=VILLAGE_TYPES, joining=True, **more)


def level(one: str, other: str, types: dict[str, str] | None = None) -> str:
    prepared = forms(frame(row(1, one, keyed=True), row(2, other)), COMMUNES, types or {}).with_row_index("at")
    pairs = pl.DataFrame({"left": [0], "right": [1]})
    found: str = score_names(pairs, prepared.cast({"at": pl.Int64}), unit())["name"][0]
    return found


# --- the artefact ----------------------------------------------------------------------------------------------------


def test_the_artefact_is_the_one_that_was_released() -> None:
    """A change of a weight or threshold is a new version beside this one, never an edit: links must stay explainable."""
    assert hashlib.sha256(ARTEFACT.read_bytes()).hexdigest().startswith("b0266bdec437a315")
    assert unit().name == "unit.v1"
    assert Model.load(ARTEFACT, UNIT).text() == ARTEFACT.read_text(encoding="utf-8")


def test_the_frozen_statement_is_the_one_that_splink_makes_of_the_artefact() -> None:
    assert as_set(statement(unit())) == as_set(unit().sql)


def test_the_same_pair_weighs_the_same_for_ever() -> None:
    rows = frame(
        row(1, "Phòng Kinh tế phường Nha Trang", keyed=True, type="PHONG_XA"),
        row(2, "P. KT", type="PHONG_XA"),
        row(3, "Phòng Kinh té", code="H32.1"),
        row(4, "Trạm Y tế", type="DVSN"),
    )
    prepared = forms(rows, COMMUNES, {}).with_row_index("at").cast({"at": pl.Int64})
    scored = score_names(pl.DataFrame({"left": [0, 0, 0], "right": [1, 2, 3]}), prepared, unit())
    assert scored["weight"].to_list() == [10.12, 6.47, -16.91]
    for told in scored.iter_rows(named=True):
        levels = [unit().weights[field][told[field]] for field in UNIT.levels if told[field] != "missing"]
        assert told["weight"] == pytest.approx((unit().odds + sum(levels)) / 100)


def test_a_better_level_never_weighs_less() -> None:
    for field in UNIT.levels:
        weights = list(unit().weights[field].values())
        assert weights == sorted(weights, reverse=True)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("Ủy ban nhân dân phường Nha Trang", "UBND P. Nha Trang", "abbreviated"),
        ("Ủy ban nhân dân phường Nha Trang", "Uỷ ban nhân dân", "exact"),
        ("Ủy ban Mặt trận Tổ quốc Việt Nam phường Nha Trang", "UBMTTQVN phường Nha Trang", "abbreviated"),
        ("Văn phòng HĐND và UBND", "VP HĐND-UBND", "abbreviated"),
        ("Văn phòng HĐND và UBND", "Văn phòng HĐND-UBND phường Nha Trang", "exact"),
        ("Trung tâm Phục vụ hành chính công", "TT PVHCC", "abbreviated"),
        ("Sở Khoa học và Công nghệ", "Sở KH&CN", "abbreviated"),
        ("Phòng Văn hóa - Xã hội", "P.VHXH", "abbreviated"),
        ("Phòng Văn hóa - Xã hội", "Phong Van hoa Xa hoi", "unaccented"),
        ("Phòng Kinh tế", "Phòng Kính tế", "one_tone"),
        ("Phòng Kinh tế", "Phòng Kinh tếe", "one_letter"),
        ("Trường Tiểu học Lý Tự Trọng", "TH Lí Tự Trọng", "abbreviated"),
        ("Trường Tiểu học số 2", "Trường Tiểu học 02", "exact"),
        ("Trường Mầm non Hoa Hồng", "Trường Mầm non Hồng", "left_out"),
        ("Phòng Kinh tế", "Trạm Y tế", "other"),
        ("Phòng Kinh tế", "…", "missing"),
    ],
)
def test_levels_of_organisations(one: str, other: str, expected: str) -> None:
    assert level(one, other) == expected


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("Tổ dân phố số 3", "TDP3", "exact"),
        ("Thôn Hòa Bình", "Hoà Bình", "exact"),
        ("Thôn II", "Thôn 2", "exact"),
        ("Thôn Hòa Bình", "Hoa Binh", "unaccented"),
        ("Hòa Bình", "Hóa Bình", "one_tone_of_few"),
        ("Thôn 1", "Thônn 1", "one_letter_of_few"),
    ],
)
def test_levels_of_villages(one: str, other: str, expected: str) -> None:
    assert level(one, other, VILLAGE_TYPES) == expected


# --- the laws --------------------------------------------------------------------------------------------------------


def test_namesakes_of_two_communes_are_never_one() -> None:
    here, there = row(1, "Phòng Kinh tế", keyed=True), row(2, "Phòng Kinh tế", keyed=True, place=THERE)
    linked = organizations(
        here, there, row(3, "Phòng Kinh tế"), row(4, "P. KT", place=THERE), row(5, "P. KT", place="22999")
    )
    assert linked.links.select("record", "root").rows() == [(3, 1), (4, 2)]
    assert linked.queue.is_empty() and linked.unmatched["record"].to_list() == [5]


def test_a_name_that_states_its_commune_is_there() -> None:
    here, there = row(1, "Phòng Kinh tế", keyed=True), row(2, "Phòng Kinh tế", keyed=True, place=THERE)
    linked = organizations(here, there, row(3, "Phòng Kinh tế xã Cam Lâm", place=PROVINCE))
    assert linked.links.select("record", "root", "rule").rows() == [(3, 2, "same_name")]


def test_of_no_place_namesakes_are_asked() -> None:
    here, there = row(1, "Phòng Kinh tế", keyed=True), row(2, "Phòng Kinh tế", keyed=True, place=THERE)
    linked = organizations(here, there, row(3, "Phòng Kinh tế", place=None))
    assert linked.links.is_empty() and linked.queue["why"].to_list() == ["not_clear", "not_clear"]


def test_namesakes_under_two_parents_are_never_one() -> None:
    sections = [row(n, "Văn phòng", keyed=True, place=PROVINCE, parent=f"S{n}") for n in (1, 2)]
    linked = organizations(
        *sections, row(3, "VP", place=PROVINCE, parent="S2"), row(4, "VP", place=PROVINCE, parent="S9")
    )
    assert linked.links.select("record", "root").rows() == [(3, 2)] and linked.queue.is_empty()


def test_numbers_tell_two_apart() -> None:
    schools = [row(n, f"Trường Tiểu học số {n}", keyed=True) for n in (1, 2)]
    assert organizations(*schools, row(3, "TH số 2")).links.select("record", "root").rows() == [(3, 2)]
    linked = villages(row(1, "Thôn 1", keyed=True), row(2, "Thôn 11", keyed=True), row(3, "Thôn A", keyed=True))
    assert linked.members.is_empty() and linked.queue.is_empty()


def test_two_of_one_list_are_two() -> None:
    one, other = row(1, "Phòng Kinh tế", keyed=True, lists=[7]), row(2, "Phòng Kinh tế", lists=[7])
    assert organizations(one, other).links.is_empty()
    both = [row(n, "P. KT", lists=[9], type=t) for n, t in ((3, None), (4, "PHONG_XA"))]
    assert organizations(row(1, "Phòng Kinh tế", keyed=True), *both).links.is_empty()


def test_keyed_organisations_are_joined_by_people_only() -> None:
    rows = (row(1, "Phòng Kinh tế", keyed=True), row(2, "Phòng Kinh tế", keyed=True))
    assert organizations(*rows).members.is_empty()
    same = pl.DataFrame([(1, 2, True)], DECISIONS, orient="row")
    assert organizations(*rows, decisions=same).members.select("record", "root").rows() == [(1, 1), (2, 1)]


def test_a_unit_and_its_successor_are_two() -> None:
    rows = (row(1, "Thôn Hòa Bình", keyed=True), row(2, "TDP Hòa Bình", keyed=True), row(3, "Hòa Bình", keyed=True))
    apart = pl.DataFrame({"left": [1], "right": [2]})
    linked = villages(*rows, apart=apart)
    assert linked.members.is_empty() and set(linked.queue["why"]) == {"not_clear"}


def test_i_for_y_makes_no_village_of_two() -> None:
    linked = villages(row(1, "Mỹ Lợi", keyed=True), row(2, "Mĩ Lợi", keyed=True))
    assert linked.members.is_empty() and linked.queue.is_empty()


def test_a_person_parts_and_joins() -> None:
    rows = (row(1, "Phước Hải Đông", keyed=True), row(2, "Phuoc Hai Dong", keyed=True), row(3, "Vĩnh Hải", keyed=True))
    assert villages(*rows).members["record"].to_list() == [1, 2]
    words = pl.DataFrame([(1, 2, False), (2, 3, True)], DECISIONS, orient="row")
    linked = villages(*rows, decisions=words)
    assert linked.members.select("record", "root").rows() == [(2, 2), (3, 2)] and linked.queue.is_empty()


def test_the_explanation_adds_up_to_the_weight() -> None:
    linked = organizations(row(1, "Phòng Kinh tế", keyed=True, type="PHONG_XA"), row(2, "P. KT", type="PHONG_XA"))
    told = json.loads(linked.links["fields"][0])
    assert sum(one["weight"] for one in told.values()) + unit().odds / 100 == pytest.approx(linked.links["weight"][0])


# --- order -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("make", [generate_organizations, generate_villages])
def test_no_order_of_rows_or_decisions_shows(make: Any, seed: int) -> None:
    places = [(HERE, "Phường Nha Trang"), (THERE, "Xã Cam Lâm"), ("22480", "Xã Nam Cam Ranh")]
    communes = pl.DataFrame(places, {"code": pl.String, "name": pl.String}, orient="row")
    sample = make(seed, communes=places, slips=3.0)
    rng = Random(seed)
    numbers = sample.records["record"].to_list()
    words = [(*rng.sample(numbers, 2), rng.random() < 0.5) for _ in range(12)]

    def told(records: pl.DataFrame, said: list[tuple[int, int, bool]]) -> list[list[tuple[Any, ...]]]:
        linked = link_units(
            records,
            pl.DataFrame(said, DECISIONS, orient="row"),
            communes=communes,
            types=sample.types,
            joining=sample.joining,
        )
        return [linked.members.rows(), linked.links.rows(), linked.queue.rows(), linked.unmatched.rows()]

    before = told(sample.records, words)
    assert before[0] or before[1]
    shuffled = words[:]
    rng.shuffle(shuffled)
    assert told(sample.records.sample(fraction=1, shuffle=True, seed=seed), shuffled) == before
