"""From raw rows to observations: hashes that never change, repeats and contradictions, scope, defaults, addresses."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from assets.staging.observe import Observed, Pending, Sender, duplicates, key_hash, observe, value_hash
from expectations.run import Outcome
from schemas.contract import Column, Contract
from schemas.grid import KIND, Kind, SheetLayout

CONTRACT = Contract(
    "things", "1.0.0", "", "",
    (
        Column("unit", "Mã xã", "string", "code", required=True, key_position=1, default_from="sender", options={"width": 5}),
        Column("name", "Tên", "string", "name", required=True, key_position=2),
        Column("n", "Số hộ", "integer", "integer", required=True),
        Column("since", "Từ ngày", "date", "date", default_from="asOf"),
        Column("twice", "Chép", "string", "text", options={"sameAs": "name"}),
    ),
    (), "snapshot", "asOf", "ownCommune", "quarter", scope_column="unit",
)  # fmt: skip
NOTHING = Outcome(
    pl.DataFrame(schema={"_id": pl.Int64, "check": pl.String, "severity": pl.String}),
    pl.DataFrame(
        schema={
            "_sub": pl.Int64, "check": pl.String, "status": pl.String, "evaluated": pl.Int64, "unexpected": pl.Int64
        }
    ),
)  # fmt: skip
AS_OF = date(2026, 6, 30)


def pending(no: int = 0, scope: frozenset[str] | None = frozenset({"00001"}), **columns: str) -> Pending:
    letters = columns or {"unit": "A", "name": "B", "n": "C"}
    layout = SheetLayout(
        sheet=0, name="", hidden=False, header_rows=(1, 1), columns=letters, headers={}, unmatched={}, rows_below_header=0
    )  # fmt: skip
    commune = next(iter(scope)) if scope else None
    return Pending(no, Sender("00001", commune, scope), AS_OF, datetime(2026, 7, 1, 20, tzinfo=UTC), [layout])


def raw(*rows: dict[str, Any]) -> pl.DataFrame:
    """Rows by column; '_sub' and '_row' by default 0 and the place from 2 on."""
    names = sorted({k for r in rows for k in r if not k.startswith("_")})
    data: dict[str, Any] = {
        "_sub": pl.Series([r.get("_sub", 0) for r in rows], dtype=pl.Int64),
        "_sheet": pl.Series([0] * len(rows), dtype=pl.Int16),
        "_row": pl.Series([r.get("_row", i) for i, r in enumerate(rows, 2)], dtype=pl.Int32),
    }
    for name in names:
        texts = [r.get(name, "") for r in rows]
        data[name] = pl.Series(texts, dtype=pl.String)
        data[name + KIND] = pl.Series([int(Kind.TEXT) if t else int(Kind.BLANK) for t in texts], dtype=pl.UInt8)
    return pl.DataFrame(data)


def seen(frame: pl.DataFrame, senders: Sequence[Pending] = (pending(),), outcome: Outcome = NOTHING) -> Observed:
    return observe(
        CONTRACT, frame, senders, None, lambda rows, bad: outcome, {"big": ("error", "n"), "odd": ("warning", None)}
    )


def verdicts(observed: Observed) -> list[tuple[str, str, str]]:
    return sorted(observed.verdicts.select("address", "rule", "severity").iter_rows())


def test_good_and_bad_rows_with_their_addresses() -> None:
    observed = seen(raw({"name": "A", "n": "1"}, {"name": "B", "n": "x"}, {"name": "", "n": "3"}))
    rows = observed.observations.select("_row", "_ok", "unit", "name", "n", "since", "twice").rows()
    assert rows == [
        (2, True, "00001", "A", 1, AS_OF, "A"),
        (3, False, "00001", "B", None, AS_OF, "B"),
        (4, False, "00001", None, 3, AS_OF, None),
    ]
    assert verdicts(observed) == [("B4", "MISSING", "error"), ("C3", "NOT_A_NUMBER", "error")]
    assert observed.observations["_key"].is_null().to_list() == [False, False, True]
    assert [(r, json.loads(t)) for r, t in observed.quarantine.select("_row", "raw").rows()] == [
        (3, {"name": "B", "n": "x"}),
        (4, {"name": "", "n": "3"}),
    ]


def test_a_blank_that_the_sender_fills_is_a_repair_only_where_the_form_has_the_column() -> None:
    assert seen(raw({"name": "A", "n": "1"})).repairs.is_empty()
    filled = seen(raw({"unit": "", "name": "A", "n": "1"})).repairs
    assert filled.select("column_name", "rule").rows() == [("unit", "DEFAULT_SENDER")]
    stated = seen(raw({"unit": "1", "name": "A", "n": "1"})).repairs
    assert stated.select("column_name", "rule", "raw").rows() == [("unit", "LEADING_ZERO", "1")]


def test_rows_of_others_are_set_aside_whatever_is_wrong_in_them() -> None:
    observed = seen(raw({"unit": "00002", "name": "A", "n": "x"}, {"unit": "hỏng", "name": "B", "n": "1"}))
    assert observed.set_aside.select("_row", "reason").rows() == [(2, "OUT_OF_SCOPE")]
    assert verdicts(observed) == [("A3", "BAD_CODE", "error")]
    assert json.loads(observed.set_aside["text"][0]) == {"name": "A", "n": "x", "unit": "00002"}
    anyone = seen(raw({"unit": "00002", "name": "A", "n": "1"}), [pending(scope=None)])
    assert anyone.set_aside.is_empty() and anyone.observations["_ok"].to_list() == [True]


def test_repeats_are_set_aside_and_contradictions_quarantined_within_a_submission_only() -> None:
    frame = raw(
        {"name": "A", "n": "1"},
        {"name": "a ", "n": "1"},
        {"name": "A", "n": "1"},
        {"name": "B", "n": "1"},
        {"name": "B", "n": "2"},
        {"name": "B", "n": "2"},
        {"name": "B", "n": "x"},
        {"_sub": 1, "name": "B", "n": "9"},
    )
    observed = seen(frame, [pending(), pending(1)])
    # 'a ' is the same key, spelled otherwise: two words for one name contradict each other
    assert verdicts(observed) == [
        ("B2", "DUPLICATE_KEY", "error"),
        ("B3", "DUPLICATE_KEY", "error"),
        ("B5", "DUPLICATE_KEY", "error"),
        ("B6", "DUPLICATE_KEY", "error"),
        ("B8", "DUPLICATE_KEY", "error"),
        ("C8", "NOT_A_NUMBER", "error"),
    ]
    assert observed.set_aside.select("_row", "reason").rows() == [(4, "REPEAT"), (7, "REPEAT")]
    assert observed.observations.filter("_ok").select("_sub", "_row").rows() == [(1, 9)]
    rows = dict(observed.verdicts.filter(rule="DUPLICATE_KEY").select("address", "params").rows())
    assert json.loads(rows["B5"]) == {"rows": "5, 6, 8"}


def test_rules_flag_or_quarantine_a_row_and_keep_its_values() -> None:
    failures = pl.DataFrame(
        {"_id": [0, 1], "check": ["big", "odd"], "severity": ["error", "warning"]}, schema=NOTHING.failures.schema
    )
    observed = seen(raw({"name": "A", "n": "1"}, {"name": "B", "n": "2"}), outcome=Outcome(failures, NOTHING.results))
    assert verdicts(observed) == [("3", "odd", "warning"), ("C2", "big", "error")]
    assert observed.observations.select("_ok", "n").rows() == [(False, 1), (True, 2)]


def test_keys_and_values_have_the_same_hash_on_every_machine_and_in_every_version() -> None:
    """Entity ids rest on these: a change of a library or of the code that moves them must not pass unseen."""
    observed = seen(raw({"name": "Mỹ Hòa", "n": "1"}, {"name": "MỸ HOÀ", "n": "1", "_row": 9}))
    assert observed.observations["_key"].to_list() == [KEY, KEY]
    assert observed.observations["_value"].to_list() == VALUES


KEY = 5623505093519408362
VALUES = [8805527142712645810, 7942205755397569976]


def test_a_hash_tells_apart_what_differs() -> None:
    def key(unit: str | None, name: str | None) -> int | None:
        values = pl.DataFrame({"unit": [unit], "name": [name]}, schema={"unit": pl.String, "name": pl.String})
        return key_hash(CONTRACT, values)[0]  # type: ignore[no-any-return]

    keys = [key("1", "23"), key("12", "3"), key("1", "2 3"), key("", "123")]
    assert len(set(keys)) == 4 and all(k is not None and 0 <= k < 2**63 for k in keys)
    assert key("1", None) is None and key(None, "1") is None
    frame = pl.DataFrame({"a": ["", None, "x"], "b": [None, "", "x"]})
    nobody = pl.DataFrame(schema={"_id": pl.Int64})
    assert value_hash(frame, frame, nobody).n_unique() == 3
    # cells that could not be read count with what stands in them
    unread = pl.DataFrame({"a": [None, None]}, schema={"a": pl.String})
    texts = pl.DataFrame({"a": ["x", "y"]})
    assert value_hash(unread, texts, pl.DataFrame({"_id": [0, 1]})).n_unique() == 2


@given(st.lists(st.tuples(st.integers(0, 1), st.none() | st.integers(0, 2), st.integers(0, 2)), max_size=12))
def test_duplicates_are_those_of_a_plain_reading(rows: list[tuple[int, int | None, int]]) -> None:
    frame = pl.DataFrame(
        [(i, s, 0, i, k, v) for i, (s, k, v) in enumerate(rows)],
        schema={
            "_id": pl.Int64, "_sub": pl.Int64, "_sheet": pl.Int16, "_row": pl.Int32, "_key": pl.Int64, "_value": pl.Int64
        },
        orient="row",
    )  # fmt: skip
    repeated, differing = duplicates(frame)
    first: dict[tuple[int, int], dict[int, int]] = {}
    again = []
    for i, (s, k, v) in enumerate(rows):
        if k is not None and first.setdefault((s, k), {}).setdefault(v, i) != i:
            again.append(i)
    assert sorted(repeated) == again
    assert sorted(differing["_id"]) == sorted(
        i for values in first.values() if len(values) > 1 for i in values.values()
    )


DITTO = replace(
    CONTRACT,
    columns=(
        *CONTRACT.columns[:1],
        replace(CONTRACT.columns[1], key_position=None, options={"ditto": True}),
        replace(CONTRACT.columns[2], key_position=2, unit="người", options={"ditto": True}),
    ),
)


def dittos(frame: pl.DataFrame, layouts: Sequence[SheetLayout] = (), whole: bool = True) -> Observed:
    sender = replace(pending(), layouts=[*pending().layouts, *layouts])
    return observe(DITTO, frame, [sender], None, lambda rows, bad: NOTHING, {}, whole=whole)


def test_ditto_marks_repeat_the_cell_above_and_blanks_do_not() -> None:
    marks = ['"', "nt", "Như trên", "-nt-", "″", "- nt -"]
    rows = [
        {"name": "A", "n": "1"},
        *({"name": m, "n": str(n)} for n, m in enumerate(marks, 2)),
        {"name": "", "n": "9"},
    ]
    observed = dittos(raw(*rows))
    assert observed.observations["name"].to_list() == ["A"] * 7 + [None]
    assert verdicts(observed) == [("B9", "MISSING", "error")]
    assert observed.repairs.filter(rule="DITTO")["raw"].to_list() == marks


def test_a_ditto_mark_under_nothing_a_blank_or_an_error_is_no_value() -> None:
    frame = raw({"name": "nt", "n": "1"}, {"name": "A", "n": "#REF!"}, {"name": "B", "n": "nt"}, {"name": "C", "n": ""})
    frame = pl.concat([frame, raw({"name": "D", "n": "nt", "_row": 6})])
    observed = dittos(frame)
    assert verdicts(observed) == [
        ("B2", "DITTO_MARK", "error"),
        ("C3", "EXCEL_ERROR", "error"),
        ("C4", "EXCEL_ERROR", "error"),
        ("C5", "MISSING", "error"),
        ("C6", "MISSING", "error"),
    ]
    told = {r: json.loads(t)["n"] for r, t in observed.quarantine.select("_row", "raw").rows()}
    assert (told[4], told[6]) == ("nt", "nt")  # as sent


def test_ditto_marks_stay_in_their_sheet_and_need_the_whole() -> None:
    one, two = raw({"name": "A", "n": "1"}), raw({"name": "nt", "n": "2"}).with_columns(_sheet=pl.lit(1, pl.Int16))
    assert verdicts(dittos(pl.concat([one, two]))) == [("2", "DITTO_MARK", "error")]
    part = dittos(raw({"name": "A", "n": "1"}, {"name": "nt", "n": "2"}), whole=False)
    assert verdicts(part) == [("B3", "DITTO_MARK", "error")]


def test_two_dittos_under_different_cells_are_no_repeat() -> None:
    frame = raw({"name": "A", "n": "1"}, {"name": "nt", "n": "7"}, {"name": "B", "n": "2"}, {"name": "nt", "n": "7"})
    observed = dittos(frame)
    assert observed.set_aside.is_empty()
    assert [r for _, r, _ in verdicts(observed)] == ["DUPLICATE_KEY"] * 2


def test_a_sheet_is_scaled_by_its_own_unit() -> None:
    thousands = replace(pending().layouts[0], sheet=1, units={"n": "nghìn người"})
    frame = raw({"name": "A", "n": "12"}, {"name": "B", "n": "12,5"})
    frame = frame.with_columns(_sheet=pl.Series([0, 1], dtype=pl.Int16))
    observed = dittos(frame, [thousands])
    assert observed.observations["n"].to_list() == [12, 12_500]
    assert observed.repairs.select("_sheet", "rule", "raw").rows() == [(1, "UNIT_SCALED", "12,5")]
