"""A huge CSV staged in slices, and one that shares rows with an earlier file, say what staging them whole says."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

from assets.intake.ledger import pending
from assets.staging import large
from assets.staging.stage import stage
from pipelines.flow import Pipeline
from pipelines.settings import Settings

CONTRACT = """\
apiVersion: v3.2.0
kind: DataContract
id: payments
name: Khoản chi
version: 1.0.0
status: active
description: {purpose: Bộ dữ liệu của phép thử.}
customProperties:
  - {property: delivery, value: DELIVERY}
  - {property: validTime, value: asOf}
  - {property: senderScope, value: all}
  - {property: senders, value: [STC]}
  - {property: periodType, value: month}
  - {property: maxBadShare, value: 1}
  - {property: maxEndedShare, value: 1}
slaProperties:
  - {property: frequency, value: 1, unit: month}
schema:
  - name: payments
    logicalType: object
    businessName: Khoản chi
    properties:
      - name: voucher_no
        businessName: Số chứng từ
        logicalType: string
        required: true
        primaryKey: true
        primaryKeyPosition: 1
        customProperties: [{property: semanticType, value: code}]
      - name: amount
        businessName: Số tiền
        logicalType: integer
        customProperties: [{property: semanticType, value: integer}]
        quality:
          - id: amount_small
            type: custom
            engine: greatExpectations
            severity: warning
            implementation:
              type: expect_column_values_to_be_between
              kwargs: {min_value: 0, max_value: 500}
            customProperties:
              - {property: message, value: Số tiền lớn.}
              - {property: remedy, value: Kiểm tra số tiền.}
      - name: paid_on
        businessName: Ngày chi
        logicalType: date
        customProperties: [{property: semanticType, value: date}]
      - name: note
        businessName: Nội dung
        logicalType: string
        customProperties: [{property: semanticType, value: text}]
"""
HEADER = ("Số chứng từ", "Số tiền", "Ngày chi", "Nội dung")
Row = tuple[str, str, str, str]

CELLS = (
    st.sampled_from(["C1", "C2", "C3", "C4", "C5", "C6", "C7", "C8", ""]),
    st.sampled_from(["1", "2", "3", "1.000", "1000", "x", ""]),
    st.sampled_from(["30/06/2025", "", "31/02/2025", "1/6/25"]),
    st.sampled_from(["", "chi thường xuyên", "hai\ndòng", "hai  dấu cách"]),
)
# a text alone in its row is a section or not by its neighbours, which a slice need not see: none of those here
DATA = st.tuples(*CELLS).filter(lambda cells: bool(cells[0] or cells[1]))
ROWS = st.one_of(DATA, st.sampled_from([("", "", "", ""), ("Cộng", "3", "", "")]))
TOTAL = [("Tổng cộng", "1005", "", "")]


def framed(rows: list[Row], place: str) -> list[Row]:
    """The rows, perhaps with a total above or below them (a first slice has a row of data below its header)."""
    return TOTAL * (place == "above") + [("C0", "1000", "", ""), *rows] + TOTAL * (place == "below")


PLACES = st.sampled_from(["", "above", "below"])
FILES = st.builds(framed, st.lists(ROWS, min_size=3, max_size=9), PLACES)


FACTS = {
    "submissions": "select state, rows_read, rows_accepted, rows_quarantined, rows_set_aside, rows_flagged, set_aside, problems "
    "from intake.submission order by submission_no",
    "rows": "select dense_rank() over (order by a.submission_no), r._sheet, r._row, r._key, r._value, r._ok, "
    "r.voucher_no, r.amount, r.paid_on, r.note "
    "from staging.payments_rows r join intake.assessment a on a.assessment_no = r._assessment order by 1, 2, 3",
    "verdicts": "select dense_rank() over (order by a.submission_no), sheet, row, rule, column_name, severity, address, params "
    "from staging.verdict join intake.assessment a using (assessment_no) order by 1, 2, 3, 4, 5",
    "quarantine": "select dense_rank() over (order by a.submission_no), sheet, row, key, raw "
    "from staging.quarantine join intake.assessment a using (assessment_no) order by 1, 2, 3",
    "repairs": "select dense_rank() over (order by a.submission_no), sheet, row, column_name, rule, raw "
    "from staging.repair join intake.assessment a using (assessment_no) order by 1, 2, 3, 4, 5",
    "aside": "select dense_rank() over (order by a.submission_no), sheet, row, reason, text "
    "from staging.set_aside join intake.assessment a using (assessment_no) order by 1, 2, 3",
    "assessments": "select dense_rank() over (order by submission_no), rows_accepted, rows_quarantined, unkeyed "
    "from intake.assessment order by 1",
    "history": "select entity_id, valid_from, valid_to, publish_from, publish_to, value_hash, carried_since, voucher_no, amount, "
    "paid_on, note from core.payments order by 1, 2, 4",
}
CHECKS = (
    "select dense_rank() over (order by a.submission_no), check_id, status, evaluated, unexpected, addresses "
    "from staging.check_result join intake.assessment a using (assessment_no) order by 1, 2"
)
SHARED = "select count(*) from intake.assessment where base_assessment is not null"
# what may only be added to refuses it otherwise
EMPTY = (
    "set session_replication_role = replica; "
    "truncate intake.delivery, intake.submission, intake.assessment, intake.decision, staging.verdict, staging.quarantine, "
    "staging.repair, staging.set_aside, staging.check_result, staging.dropped, staging.shift, core.standing, "
    "core.pair_difference, core.change, core.change_owner, staging.payments, core.payments restart identity cascade; "
    "set session_replication_role = origin; delete from core.publish where number > 0; update core.pointer set shows = 0"
)

Run = Callable[[Sequence[Sequence[Row]], bool], dict[str, Any]]


@pytest.fixture(params=["increment"])
def run(
    request: pytest.FixtureRequest, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Run]:
    """(files in the order of arrival, in slices or whole) -> all that the warehouse then says."""
    folder = tmp_path / "contracts"
    folder.mkdir()
    (folder / "payments.odcs.yaml").write_text(CONTRACT.replace("DELIVERY", request.param), encoding="utf-8")
    monkeypatch.setattr(large, "SLICE", 4)
    monkeypatch.setattr(large, "_SHARED_AT_LEAST", 0.0)
    places = {"inbox": str(tmp_path / "inbox"), "archive": "memory://archive"}
    pipeline = Pipeline(Settings(tmp_path, database_url, contracts=(folder,), **places))
    with pipeline.connection() as connection:

        def whole_run(files: Sequence[Sequence[Row]], sliced: bool) -> dict[str, Any]:
            connection.execute(EMPTY)
            pipeline.archive.fs.store.clear()
            for number, rows in enumerate(files):
                write(tmp_path / "inbox" / "2025-06" / "STC" / "chi.csv", rows, number)
                pipeline.receive(connection)
                tools = pipeline.tools(connection)
                tools.large_bytes = 0 if sliced else 1 << 60
                stage(tools, pending(connection))
                pipeline.publish(connection)
            return facts(connection)

        yield whole_run


def write(path: Path, rows: Sequence[Row], number: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([HEADER, *rows])
    os.utime(path, (1_751_400_000 + number,) * 2)


def facts(connection: psycopg.Connection) -> dict[str, Any]:
    found: dict[str, Any] = {name: connection.execute(query).fetchall() for name, query in FACTS.items()}
    shared = connection.execute(SHARED).fetchone()
    return found | {"checks": connection.execute(CHECKS).fetchall(), "shared": shared[0] if shared else 0}


def row(code: str, amount: str = "1", day: str = "30/06/2025", note: str = "") -> Row:
    return code, amount, day, note


# an example is some dozens of statements on a server: a failing one is small enough without shrinking
_PHASES = (Phase.explicit, Phase.reuse, Phase.generate)
SOME = [row(f"C{n}", str(n)) for n in range(1, 9)]


@settings(max_examples=6, phases=_PHASES)
@given(FILES)
@example([row("C1"), row("C1"), row("C2"), row("C1"), row("C3"), row("C1", "2")])
@example([row("C1"), row("C1", "2"), row("C2"), row("C3"), row("C1", "3"), row("C4")])
@example([row("C1", "x"), row("C2"), row("C3"), row("C1", "x"), row("C2", "700"), row("Tổng cộng", "702")])
def test_slices_say_what_the_whole_says(run: Run, rows: list[Row]) -> None:
    whole, sliced = run([rows], False), run([rows], True)
    for name in (*FACTS, "checks"):
        assert sliced[name] == whole[name], name


@st.composite
def _resent(draw: st.DrawFn) -> tuple[list[Row], list[Row]]:
    """A file, and another one that has most of its rows from it, in some order, some of them twice."""
    first = draw(st.lists(ROWS, min_size=3, max_size=8))
    kept = [r for r in first if draw(st.integers(0, 5))]
    for _ in range(draw(st.integers(0, 3))):
        kept.insert(draw(st.integers(0, len(kept))), draw(st.one_of(ROWS, st.sampled_from(first))))
    second = draw(st.permutations(kept)) if draw(st.booleans()) else kept
    return framed(first, draw(PLACES)), framed(list(second), draw(PLACES))


@pytest.mark.parametrize("run", ["increment", "snapshot"], indirect=True)
@settings(max_examples=4, phases=_PHASES)
@given(_resent())
@example((SOME, [*SOME[:2], row("C3", "30"), *SOME[3:]]))
@example((SOME, [row("C9"), *SOME[4:], *SOME[:3], SOME[0]]))
@example(([*SOME, row("C9", "700"), row("C9", "700")], [*SOME[1:], row("C9", "700"), row("C10", "x")]))
def test_a_file_that_shares_rows_says_what_it_says_alone(run: Run, files: tuple[list[Row], list[Row]]) -> None:
    whole, shared = run(files, False), run(files, True)
    for name in FACTS:
        assert shared[name] == whole[name], name


def test_rows_are_shared(run: Run) -> None:
    """The property above would hold as well if no row were ever shared."""
    assert run([SOME, [*SOME[:2], row("C3", "30"), *SOME[3:]]], True)["shared"] == 1
    third = [row("C9"), *SOME[4:], *SOME[:3]]
    assert run([SOME, [*SOME[:7], row("C8", "x")], third], True)["shared"] == 2


def test_a_row_of_which_something_was_said_is_said_again(run: Run) -> None:
    flagged = [*SOME, row("C9", "700")]
    found = run([flagged, [row("C10"), *flagged]], True)
    assert found["shared"] == 1
    assert [(v[0], v[2], v[3]) for v in found["verdicts"]] == [(1, 10, "amount_small"), (2, 11, "amount_small")]
    assert [s[5] for s in found["submissions"]] == [1, 1]
