"""A round trip by machine: faulty files are mended by what their returned workbooks say, and sent again.

What a commune would do is done here without knowing the fault: at each address that a comment calls a mistake stands what the same
list without fault has there; where that list has nothing, the row is one too many, and is emptied. Nothing else is touched.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping
from datetime import UTC, datetime

import pytest
from openpyxl import Workbook, load_workbook

from assets.returns.package import FILLS
from pipelines.sample import SHAPES, SMALL, deliveries, generate, layouts
from schemas import messages
from tests.e2e.conftest import Make
from tests.e2e.flows import World, saved
from tests.e2e.test_returned import answered, back

KINDS = (
    "word", "pending", "decimal", "blank_figure", "missing_name", "duplicate_key", "error_cell", "uncalculated", "total_off",
)  # fmt: skip
PERIODS = ("2026-Q1", "2026-Q2")
FAULTS = (*KINDS, *KINDS[:-1])
"""One of each commune: enough that files of every shape are mended."""
_ERROR = messages.text("severity", "error") + ":"


@pytest.fixture(scope="module")
def trip(make_world: Make) -> tuple[World, Mapping[str, Workbook]]:
    """A world after the faulty files, and what each of them should have been: place -> workbook."""
    world = make_world()
    senders = world.pipeline.senders
    communes = [(code, senders[code].name) for code in world.communes[: len(FAULTS)]]
    truth = generate(world.home / "inbox", communes=communes, periods=PERIODS, defects=FAULTS)
    plan = deliveries._plan(2026, communes, FAULTS, tuple(SHAPES))
    assert {shape for shape, kind in plan.values() if kind != "total_off"} == set(SHAPES)
    sound = {}
    for sent in truth.submissions:
        if sent.defect:
            shape, kind = plan[sent.sender]
            name = dict(communes)[sent.sender]
            commune = deliveries._Commune(2026, (sent.sender, name), "", shape, kind, (6, 30), PERIODS)
            lines = commune.lines(commune.struck)
            as_sent = lines[:-1] if kind == "missing_name" else lines  # that file leaves a village out besides
            sound[sent.path] = as_workbook(commune.send(commune.struck, as_sent).data, sent.shape)
    answered(world)
    return world, sound


def as_workbook(data: bytes, shape: str) -> Workbook:
    if shape in layouts.WORKBOOKS:
        return load_workbook(io.BytesIO(data), data_only=True)
    book = Workbook()
    text = data.decode("utf-8-sig")
    for row in csv.reader(io.StringIO(text), delimiter=";" if ";" in text.splitlines()[0] else ","):
        assert book.active is not None
        book.active.append(row)
    return book


def mend(returned: bytes, sound: Workbook) -> tuple[bytes, int]:
    """The returned workbook with the truth at the addresses that its comments name, and how many there were.

    Formulas are saved as their results: openpyxl would save them without, where an officer's program calculates.
    """
    book, mended = load_workbook(io.BytesIO(returned)), 0
    results = load_workbook(io.BytesIO(returned), data_only=True)
    for sheet in book.worksheets[1:]:
        for cell in (c for row in sheet.iter_rows() for c in row if c.data_type == "f"):
            cell.value = results[sheet.title][cell.coordinate].value
    for sheet, right in zip(book.worksheets[1:], sound.worksheets, strict=True):
        wrong = [
            c for row in sheet.iter_rows() for c in row
            if c.fill.fgColor.rgb == FILLS["error"] and c.comment is not None and _ERROR in c.comment.text
        ]  # fmt: skip
        for cell in wrong:
            mended += 1
            value = right[cell.coordinate].value
            if value is None:
                for other in sheet[cell.row]:
                    other.value = None
            else:
                cell.value = value
    return saved(book), mended


def test_every_faulty_list_is_accepted_once_it_is_mended(trip: tuple[World, Mapping[str, Workbook]]) -> None:
    world, sound = trip
    faulty = {place: answer for place in sound if (answer := world.submission(place))["state"] == "partly"}
    assert len(faulty) == len(FAULTS) - 1  # a total that does not fit is a warning
    again = {}
    for place, answer in faulty.items():
        data, mended = mend(back(world, answer["submission_id"]), sound[place])
        assert mended >= 1
        period, sender, name = place.split("/")
        name = f"da_sua_{re.sub('[.].*', '', name)}.xlsx"
        again[place] = world.drop(sender, data, name, period=period, at=datetime(2026, 9, 1, tzinfo=UTC))
    answered(world)
    left = {place: world.submission(new) for place, new in again.items()}
    assert {p: (a["state"], a["rows"], a["problems"]) for p, a in left.items() if a["state"] != "accepted"} == {}
    for place, answer in left.items():
        assert answer["counts"]["quarantined"] == 0
        assert world.submission(place)["state"] == "superseded"


@pytest.fixture(scope="module")
def provincial(make_world: Make) -> World:
    """A world after the lists of the province's bodies, some of which have rows that are nobody's."""
    world = make_world()
    senders = world.pipeline.senders
    communes = [(code, senders[code].name) for code in world.communes[:3]]
    generate(world.home / "inbox", communes=communes, periods=("2025-Q4", "2026-Q1"), defects=False, province=SMALL)
    answered(world)
    return world


def test_lists_of_the_province_are_accepted_without_the_rows_that_are_nobodys(provincial: World) -> None:
    world = provincial
    faulty = world.rows(
        "select d.origin, u.submission_id, u.dataset from intake.submission u join intake.delivery d using (delivery_id) "
        "where u.state = 'partly' order by 1"
    )
    assert {dataset for *_, dataset in faulty} >= {
        "service_statistics",
        "dossiers",
        "kpi_evaluations",
        "staff",
        "organizations",
    }
    again = {}
    for place, name, dataset in faulty:
        book, wrong = load_workbook(io.BytesIO(back(world, name))), set()
        results = load_workbook(io.BytesIO(back(world, name)), data_only=True)
        for sheet in book.worksheets[1:]:
            for row in sheet.iter_rows():
                for cell in row:
                    if cell.data_type == "f":
                        cell.value = results[sheet.title][cell.coordinate].value
                    if cell.comment is not None and _ERROR in cell.comment.text:
                        wrong.add((sheet.title, cell.row))
        assert wrong, place
        for title, number in wrong:
            for cell in book[title][number]:
                cell.value = None
        period, sender, file = place.split("/")
        new = f"da_sua_{re.sub('[.].*', '', file)}.xlsx"
        at = datetime(2026, 9, 1, tzinfo=UTC)
        again[place] = world.drop(sender, saved(book), new, period=period, at=at, sidecar={"dataset": dataset})
    answered(world)
    left = {place: world.submission(new) for place, new in again.items()}
    assert {p: (a["state"], a["rows"][:2], a["problems"]) for p, a in left.items() if a["state"] != "accepted"} == {}
    assert len(left) > 10
