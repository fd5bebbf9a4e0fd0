"""The inbox and its truth as a whole."""

from __future__ import annotations

import unicodedata
import zipfile
from collections import Counter, defaultdict
from dataclasses import asdict, replace
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest

from pipelines.sample import DEFECTS, SHAPES, Truth, compare, generate
from schemas.codes import CODES

from . import reading

COMMUNES = [(f"{22300 + 3 * n}", f"{'Phường' if n % 4 == 0 else 'Xã'} Số {n}") for n in range(40)]
PERIODS = ("2025-Q4", "2026-Q1", "2026-Q2")
LAST = {"2025-Q4": date(2025, 12, 31), "2026-Q1": date(2026, 3, 31), "2026-Q2": date(2026, 6, 30)}


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Truth]:
    folder = tmp_path_factory.mktemp("sample") / "inbox"
    return folder, generate(folder, communes=COMMUNES)


def by_defect(truth: Truth, defect: str) -> list[tuple[str, str | None, bool]]:
    return [(s.state, s.code, s.in_force) for s in truth.submissions if s.defect == defect]


def answers(truth: Truth) -> list[dict[str, object]]:
    """What a right product would say."""
    return [
        {
            "path": f"inbox/{s.path}",
            "state": s.state,
            "rows_accepted": s.rows_accepted,
            "rows_quarantined": len(s.quarantined),
            "codes": [*([s.code] if s.code else []), *s.warnings],
            "quarantined": [asdict(row) for row in s.quarantined],
        }
        for s in truth.submissions
    ]


def test_the_same_seed_gives_the_same_bytes_and_times(tmp_path: Path) -> None:
    def everything(folder: Path) -> dict[str, tuple[bytes, float]]:
        files = (p for p in sorted(folder.rglob("*")) if p.is_file())
        return {str(p.relative_to(folder)): (p.read_bytes(), p.stat().st_mtime) for p in files}

    few, defects = COMMUNES[:8], ("password", "uncalculated", "late")
    first = generate(tmp_path / "a", communes=few, defects=defects)
    assert generate(tmp_path / "b", communes=few, defects=defects) == first
    assert everything(tmp_path / "a") == everything(tmp_path / "b")
    other = generate(tmp_path / "c", seed=7, communes=few, defects=defects)
    assert other.villages != first.villages


def test_the_inbox_holds_the_files_of_the_truth_and_no_others(sample: tuple[Path, Truth]) -> None:
    folder, truth = sample
    there = {str(p.relative_to(folder)): p.stat().st_mtime for p in folder.rglob("*") if p.is_file()}
    assert there == {s.path: s.received_at.timestamp() for s in truth.submissions}
    for s in truth.submissions:
        assert s.path.split("/")[:2] == [s.period, s.sender]
        assert s.received_at.utcoffset() == timedelta(hours=7)
        assert s.received_at.date() >= LAST[s.period] - timedelta(days=2)


def test_every_shape_and_every_defect_is_there(sample: tuple[Path, Truth]) -> None:
    _, truth = sample
    assert {s.shape for s in truth.submissions} == {*SHAPES, ""}
    assert {s.defect for s in truth.submissions} == {*DEFECTS, "unknown_sender", ""} - {"silent"}
    assert len(truth.silent) == 1
    assert truth.silent[0] not in {s.sender for s in truth.submissions}
    shapes = defaultdict(set)
    for s in truth.submissions:
        if s.shape:
            shapes[s.sender].add(s.shape)
    assert all(len(used) == 1 for used in shapes.values()), "a shape is typical for its commune"


def test_every_code_is_one_that_the_product_can_say(sample: tuple[Path, Truth]) -> None:
    _, truth = sample
    said = {s.code for s in truth.submissions if s.code} | {w for s in truth.submissions for w in s.warnings}
    assert said | {row.code for s in truth.submissions for row in s.quarantined} <= CODES.keys()


@pytest.mark.parametrize(
    ("defect", "expected"),
    [
        ("late", [("accepted", None, True)]),
        ("corrected", [("accepted", None, False), ("accepted", None, True)]),
        ("same_again", [("accepted", None, True), ("repeated", "SAME_AS_IN_FORCE", False)]),
        (
            "resend_of_older",
            [("accepted", None, False), ("accepted", None, True), ("held", "RESEND_OF_OLDER", False)],
        ),
        ("shrunken", [("held", "ENDS_TOO_MANY", False)]),
        ("header_only", [("rejected", "NO_DATA_ROWS", False)]),
        ("empty_file", [("rejected", "EMPTY_FILE", False)]),
        ("broken_off", [("rejected", "DAMAGED_WORKBOOK", False)]),
        ("password", [("rejected", "PASSWORD", False)]),
        ("html", [("rejected", "NO_TABLE_IN_PAGE", False)]),
        ("unknown_header", [("rejected", "MISSING_HEADER", False)]),
        ("unknown_dataset", [("rejected", "UNKNOWN_DATASET", False)]),
        ("unknown_sender", [("rejected", "UNKNOWN_SENDER", False)]),
        ("wrong_date", [("held", "AS_OF_OUTSIDE_PERIOD", False)]),
        ("unchanged_quarter", [("accepted", None, True)]),
        ("out_of_scope", [("accepted", None, True)]),
        ("exact_repeat", [("accepted", None, True)]),
        ("total_off", [("accepted", None, True)]),
        *((kind, [("partly", None, True)]) for kind in ("word", "pending", "decimal", "missing_name", "duplicate_key")),
    ],
)
def test_the_answer_to_each_defect(
    sample: tuple[Path, Truth], defect: str, expected: list[tuple[str, str | None, bool]]
) -> None:
    truth = sample[1]
    found = by_defect(truth, defect)
    if defect == "resend_of_older":  # the correction itself carries the kind of its chain
        assert sorted(found, key=str) == sorted(expected, key=str)
    else:
        assert found == expected


def test_nothing_is_held_by_accident(sample: tuple[Path, Truth]) -> None:
    assert all(s.defect for s in sample[1].submissions if s.state != "accepted")


def test_intervals_neither_overlap_nor_are_empty_nor_repeat_a_value(sample: tuple[Path, Truth]) -> None:
    versions = defaultdict(list)
    for v in sample[1].villages:
        versions[v.commune_code, v.village_name].append(v)
        assert unicodedata.is_normalized("NFC", v.village_name)
        assert v.valid_to is None or v.valid_from < v.valid_to
        assert {v.valid_from, v.valid_to} <= {*LAST.values(), None}
    for mine in versions.values():
        for before, after in zip(mine, mine[1:], strict=False):
            assert before.valid_to is not None
            assert before.valid_to <= after.valid_from
            if before.valid_to == after.valid_from:
                assert before != replace(after, valid_from=before.valid_from, valid_to=before.valid_to)
    names = Counter(name for _, name in versions)
    assert max(names.values()) > 1, "twins over communes"
    assert any(v.valid_to for v in sample[1].villages)


def test_without_defects_the_truth_at_each_date_is_what_the_files_say(tmp_path: Path) -> None:
    truth = generate(tmp_path, communes=COMMUNES[:11], defects=False)
    assert {s.shape for s in truth.submissions} == {*SHAPES}
    assert {(s.state, s.in_force) for s in truth.submissions} == {("accepted", True)}
    for s in truth.submissions:
        day = LAST[s.period]
        at = {
            v.village_name: (v.village_type, v.households, v.population)
            for v in truth.villages
            if v.commune_code == s.sender and v.valid_from <= day and (v.valid_to is None or day < v.valid_to)
        }
        assert reading.villages((tmp_path / s.path).read_bytes()) == at
        assert s.rows_accepted == len(at)


def test_broken_files_are_broken_in_their_own_way(sample: tuple[Path, Truth]) -> None:
    folder, truth = sample
    code = {s.code: (folder / s.path).read_bytes() for s in truth.submissions if s.state == "rejected"}
    assert code["EMPTY_FILE"] == b""
    assert code["PASSWORD"].startswith(bytes.fromhex("d0cf11e0a1b11ae1"))
    assert "EncryptedPackage".encode("utf-16-le") in code["PASSWORD"]
    assert len(code["PASSWORD"]) % 512 == 0
    assert code["DAMAGED_WORKBOOK"].startswith(b"PK")
    damaged = folder / "damaged"
    damaged.write_bytes(code["DAMAGED_WORKBOOK"])
    assert not zipfile.is_zipfile(damaged)
    damaged.unlink()
    assert b"<html" in code["NO_TABLE_IN_PAGE"] and b"<table" not in code["NO_TABLE_IN_PAGE"]


def test_repeated_bytes_are_the_same_bytes(sample: tuple[Path, Truth]) -> None:
    folder, truth = sample
    of = {kind: [s for s in truth.submissions if s.defect == kind] for kind in ("same_again", "resend_of_older")}
    first, second = ((folder / s.path).read_bytes() for s in of["same_again"])
    assert first == second
    original, correction, resent = ((folder / s.path).read_bytes() for s in of["resend_of_older"])
    assert original == resent != correction


def test_save_and_load(sample: tuple[Path, Truth], tmp_path: Path) -> None:
    truth = sample[1]
    truth.save(tmp_path / "truth")
    assert Truth.load(tmp_path / "truth") == truth
    assert sorted(p.name for p in (tmp_path / "truth").iterdir()) == ["submissions.csv", "truth.json", "villages.csv"]
    assert pl.read_csv(tmp_path / "truth" / "villages.csv").height == len(truth.villages)


def test_compare_finds_no_difference_in_the_truth_itself(sample: tuple[Path, Truth]) -> None:
    truth = sample[1]
    frame = pl.DataFrame([asdict(v) for v in truth.villages], infer_schema_length=None)
    assert compare(truth, frame, answers(truth)) == []
    superseded = {s.path for s in truth.submissions if s.state == "accepted" and not s.in_force}
    said = [a | {"state": "superseded"} if str(a["path"])[6:] in superseded else a for a in answers(truth)]
    assert compare(truth, frame, said) == []


def test_compare_names_each_difference(sample: tuple[Path, Truth]) -> None:
    truth = sample[1]
    rows = [asdict(v) for v in truth.villages]
    rows[3]["population"] += 1
    [difference] = compare(truth, rows)
    assert rows[3]["village_name"] in difference
    assert str(rows[3]["population"]) in difference
    [difference] = compare(truth, rows[:3] + [asdict(v) for v in truth.villages[4:]])
    assert "the truth is" in difference
    extra = asdict(truth.villages[0]) | {"village_name": "Cộng"}
    [difference] = compare(truth, [asdict(v) for v in truth.villages] + [extra])
    assert "“Cộng”" in difference
    assert "the truth is nothing" in difference


@pytest.mark.parametrize(
    ("state", "change", "words"),
    [
        ("held", {"state": "accepted"}, "is accepted; the truth is held"),
        ("rejected", {"codes": []}, "was not said"),
        ("partly", {"rows_quarantined": 0}, "0 rows quarantined"),
        ("partly", {"quarantined": []}, "has no fault"),
        ("accepted", {"quarantined": [{"row": 2, "code": "MISSING"}]}, "row 2 is quarantined (MISSING); it is sound"),
        ("accepted", {"state": "rejected"}, "is rejected; the truth is accepted"),
        ("accepted", {"codes": ["TOTAL_DIFFERS", "HIDDEN_SHEET"]}, "but the totals fit"),
    ],
)
def test_compare_names_a_wrong_answer(
    sample: tuple[Path, Truth], state: str, change: dict[str, object], words: str
) -> None:
    truth = sample[1]
    said = answers(truth)
    at = next(i for i, s in enumerate(truth.submissions) if s.state == state and s.defect != "total_off")
    said[at] |= change
    [difference] = compare(truth, [asdict(v) for v in truth.villages], said)
    assert words in difference
    assert truth.submissions[at].path in difference


def test_compare_misses_no_file(sample: tuple[Path, Truth]) -> None:
    truth = sample[1]
    said = [*answers(truth)[1:], {"path": "2026-Q2/22300/khac.xlsx", "state": "accepted"}]
    missing, unsent = compare(truth, [asdict(v) for v in truth.villages], said)
    assert "no answers" in missing
    assert "never sent" in unsent


def test_what_cannot_be_asked_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="unknown kinds"):
        generate(tmp_path, communes=COMMUNES[:2], defects=("flood",))
    with pytest.raises(ValueError, match="at least 4"):
        generate(tmp_path, communes=COMMUNES[:2], villages_per_commune=(1, 3))


def test_a_village_succeeds_to_what_the_list_says(sample: tuple[Path, Truth]) -> None:
    _, truth = sample
    told = [f for f in truth.facts if f.dataset == "successions"]
    assert sorted(f.values[0] for f in told) == ["MERGE", "MERGE", "RENAME"]
    for fact in told:
        commune, before, after = fact.key
        ends = [v for v in truth.villages if (v.commune_code, v.village_name) == (commune, before)]
        starts = [v for v in truth.villages if (v.commune_code, v.village_name) == (commune, after)]
        assert max(v.valid_to or date.max for v in ends) == min(v.valid_from for v in starts) == fact.valid_from
