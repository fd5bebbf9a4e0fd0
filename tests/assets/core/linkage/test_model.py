"""The artefact and its statement are frozen, both are Splink's, the levels mean what they say, and no run loads Splink."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from assets.core.linkage import link
from assets.core.linkage.compile import predict, statement
from assets.core.linkage.joining import looked_at
from assets.core.linkage.keys import for_blocking, for_levels, short
from assets.core.linkage.model import ARTEFACT, LEVELS, LinkageError, Model, _engine, person, score, weigh
from pipelines.sample.people import generate_people

from .making import BORN, as_set, frame, record

ROOT = Path(__file__).parents[4]
PAIR = pl.DataFrame({"left": [1], "right": [2]})


def level(field: str, **said: Any) -> str:
    """Of the pair of WHO and a record that differs as said."""
    scored = score(PAIR, frame(record(1), record(2, **said)), person())
    found: str = scored[field][0]
    return found


def test_the_artefact_is_the_one_that_was_released() -> None:
    """A change of a weight or threshold is a new version beside this one, never an edit: links must stay explainable."""
    assert hashlib.sha256(ARTEFACT.read_bytes()).hexdigest().startswith("5b13955cc1240c6f")
    assert person().name == "person.v1"
    assert Model.load().text() == ARTEFACT.read_text(encoding="utf-8")


def test_the_frozen_statement_is_the_one_that_splink_makes_of_the_artefact() -> None:
    assert as_set(statement(person())) == as_set(person().sql)


def test_the_frozen_statement_weighs_as_splink_does() -> None:
    sample = generate_people(
        3, people=3000, communes=[("22366", "Phường Nha Trang"), ("22333", "Phường Bắc Nha Trang")], slips=3.0
    )
    asked = looked_at(for_blocking(sample.records)).scored()
    prepared = for_levels(sample.records)
    ours, splink = (f(asked, prepared, person()).sort("record_l", "record_r") for f in (weigh, predict))
    assert ours.height == asked.height > 300
    assert ours.equals(splink)


def test_what_was_compared_does_not_outlive_the_comparison() -> None:
    rows = frame(record(1, keyed=True), record(2))
    link(rows)
    with pytest.raises(LinkageError):
        weigh(PAIR, pl.DataFrame({"other": [1]}), person())
    with pytest.raises(Exception, match="does not exist"):
        _engine().cursor().execute("select * from records")


def test_the_same_pair_weighs_the_same_for_ever() -> None:
    rows = frame(
        record(1, keyed=True, id_card="225123456"),
        record(
            2,
            name="nguyen thi thu hoa",
            born=BORN.replace(day=7),
            personal_id="056185001239",
            agency="UBND P. Nha Trang",
        ),
        record(3, sex="NAM", commune="22333", agency=None, personal_id="225999999"),
    )
    pairs = pl.DataFrame({"left": [1, 1], "right": [2, 3]})
    scored = score(pairs, rows, person())
    assert scored["weight"].to_list() == [34.34, -8.56]
    weights = person().weights
    for row in scored.iter_rows(named=True):
        told = [weights[field][row[field]] for field in LEVELS if row[field] != "missing"]
        assert row["weight"] == pytest.approx((person().odds + sum(told)) / 100)


def test_a_better_level_never_weighs_less() -> None:
    for field in LEVELS:
        weights = list(person().weights[field].values())
        assert weights == sorted(weights, reverse=True)


def test_the_explanation_adds_up_to_the_weight() -> None:
    linked = link(frame(record(1, keyed=True), record(2, sex=None)))
    told = json.loads(linked.links["fields"][0])
    assert sum(one["weight"] for one in told.values()) + person().odds / 100 == pytest.approx(linked.links["weight"][0])
    assert told["sex"] == {"level": "missing", "weight": 0.0}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("NGUYỄN THỊ THU HOÀ", "exact"),
        ("Nguyễn Thị Thu Hoá", "one_tone"),
        ("Nguyên Thị Thu Hòa", "one_tone"),
        ("Nguyen Thi Thu Hoa", "unaccented"),
        ("Hòa Nguyễn Thị Thu", "other_order"),
        ("Nguyễn Thu Hòa", "shortened"),
        ("Nguyễn T. Thu Hòa", "shortened"),
        ("N.T.T. Hòa", "shortened"),
        ("Nguyễn Thị Thu Hoan", "one_letter"),
        ("Nguyễn Thị Bích Hòa", "other_middle"),
        ("Nguyễn Thị Thu Lan", "other_syllable"),
        ("Trần Văn Bảo", "other"),
        ("…", "missing"),
        (None, "missing"),
    ],
)
def test_levels_of_names(name: str | None, expected: str) -> None:
    assert level("name", name=name) == expected


def test_i_for_y_is_a_level_and_no_identity() -> None:
    rows = frame(record(1, name="Lý Mỹ Vy"), record(2, name="Lí Mĩ Vi"))
    assert score(PAIR, rows, person())["name"].to_list() == ["i_for_y"]


def test_names_of_other_peoples_are_compared_word_by_word() -> None:
    rows = frame(record(1, name="H'Lan Niê"), record(2, name="H’ Lan Niê"))
    assert score(PAIR, rows, person())["name"].to_list() == ["exact"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ủy ban nhân dân phường Nha Trang", "UBND P. Nha Trang"),
        ("Ủy ban Mặt trận Tổ quốc Việt Nam xã Diên Khánh", "UBMTTQVN xã Diên Khánh"),
        ("Văn phòng HĐND và UBND tỉnh", "VP HĐND & UBND tỉnh"),
        ("Trung tâm Phục vụ hành chính công xã Vạn Ninh", "TT. Phục vụ hành chính công X. Vạn Ninh"),
        ("Phòng Kinh tế phường Cam Ranh", "P.Kinh tế P.Cam Ranh"),
    ],
)
def test_offices_are_the_same_however_they_are_abbreviated(one: str, other: str) -> None:
    assert short(pl.Series([one])).to_list() == short(pl.Series([other])).to_list()
    assert level("agency", agency="Sở Y tế") == "other"


def test_what_cannot_be_scored_says_nothing_of_the_records() -> None:
    broken = for_levels(frame(record(1), record(2))).drop("tokens")
    for asked in (weigh, predict):
        with pytest.raises(LinkageError) as refused:
            asked(PAIR, broken, person())
        assert "Nguyễn" not in str(refused.value) and refused.value.__cause__ is None


def test_nothing_is_logged_or_printed(capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        link(frame(record(1, keyed=True), record(2)))
    assert capfd.readouterr() == ("", "")
    assert not [entry for entry in caplog.records if entry.name.startswith(("splink", "sqlglot"))]


def test_splink_is_never_loaded_and_duckdb_only_where_something_is_in_doubt() -> None:
    code = """
import sys
from tests.assets.core.linkage.making import frame, joined, record
from assets.core.linkage import link
clean = frame(record(1, keyed=True), record(2, keyed=True), record(3, keyed=True, personal_id="056185998877"))
assert joined(link(clean)) == {frozenset([1, 2])}
assert not {"splink", "duckdb", "pandas"} & set(sys.modules), sorted(sys.modules)
assert joined(link(frame(record(1, keyed=True), record(2)))) == {frozenset([1, 2])}
assert "duckdb" in sys.modules and not {"splink", "pandas"} & set(sys.modules), sorted(sys.modules)
"""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
