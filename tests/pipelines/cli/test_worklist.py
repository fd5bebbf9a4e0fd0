"""``lienthong worklist``: counts, rows, the workbook, exit codes, and who has read lists of persons."""

from __future__ import annotations

import stat
from pathlib import Path

from openpyxl import load_workbook

from tests.pipelines.cli.conftest import House


def test_without_a_name_it_counts(house: House) -> None:
    said = house("worklist", "--json")
    lists = said.json["lists"]
    assert said.code == 1 and lists["held_submissions"] == 1 and lists["clerical_pairs"] == 0
    shown = house("worklist")
    assert shown.code == 1
    line = next(line for line in shown.out.splitlines() if "held_submissions" in line)
    assert "1" in line and "█" in line and "submissions that wait for a decision" in line


def test_with_a_name_it_lists_and_an_empty_list_is_0(house: House) -> None:
    said = house("worklist", "held_submissions", "--json")
    (row,) = said.json["rows"]
    assert said.code == 1 and row["submission_id"] == house.one("held")
    shown = house("worklist", "held_submissions")
    assert shown.code == 1 and house.one("held") in shown.out and "decide SUBMISSION accept" in shown.out
    empty = house("worklist", "clerical_pairs")
    assert (empty.code, empty.out.strip()) == (0, "clerical_pairs: empty.")
    assert house("worklist", "unknown_codes", "--json").json == {"list": "unknown_codes", "rows": []}


def test_a_village_without_a_name_is_nobody_s(house: House) -> None:
    (row,) = house("worklist", "unmatched_rows", "--json").json["rows"]
    assert (row["dataset"], row["rules"]) == ("villages", ["MISSING"])
    assert row["why"] == ["Tên thôn, tổ dân phố bị bỏ trống."]


def test_a_name_that_is_none(house: House) -> None:
    said = house("worklist", "held-submission")
    assert said.code == 2 and "did you mean held_submissions?" in said.err
    assert "there are: held_submissions" in house("worklist", "qqqq").err
    assert house("worklist", "qqqq", "--json").json["error"]


def test_the_workbook_is_for_its_owner_and_never_written_over(house: House, tmp_path: Path) -> None:
    file = tmp_path / "viec.xlsx"
    assert house("worklist", "--xlsx", str(file)).code == 1
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "Tạm giữ" in load_workbook(file).sheetnames
    before = file.read_bytes()
    again = house("worklist", "--xlsx", str(file))
    assert again.code == 2 and "name another file" in again.err and file.read_bytes() == before
    one = house("worklist", "unknown_codes", "--xlsx", str(tmp_path / "ma.xlsx"), "--json")
    assert one.code == 0 and load_workbook(tmp_path / "ma.xlsx").sheetnames == ["Trống"] and one.json["rows"] == []


def test_who_has_read_a_list_of_persons_is_kept(house: House) -> None:
    house.execute(
        "insert into core.doubt (dataset, left_record, right_record, why, weight, publish_from) "
        "values ('staff', 5, 6, 'unsure', 7.5, 1)"
    )
    said = house("worklist", "clerical_pairs", "--by", "lan")
    assert said.code == 1 and "(no longer there)" in said.out
    assert house.query("select who, action, details from ops.audit where action = 'read'") == [
        ("lan", "read", {"list": "clerical_pairs", "rows": 1})
    ]
    house("worklist", "held_submissions", "--by", "lan")
    assert len(house.query("select from ops.audit where action = 'read'")) == 1
