"""``lienthong export`` from the outside: what is printed, written and refused."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

from assets.marts.exports.describe import Hidden, Written
from assets.marts.exports.export import Exported
from assets.marts.exports.known import Moment
from assets.marts.exports.views import View
from pipelines import cli_export as layout
from pipelines.cli_output import Screen
from tests.pipelines.cli.conftest import House


def test_a_view_into_parquet(house: House, tmp_path: Path) -> None:
    done = house("export", "villages", "indicator_value", "--to", str(tmp_path / "out"), "--json")
    assert done.code == 0, done.err
    said = done.json
    assert [f["path"] for f in said["files"]] == ["villages.parquet", "indicator_value.parquet"]
    (count,) = house.query("select count(*) from mart_v1.villages")[0]
    assert said["files"][0]["rows"] == count == parquet.read_metadata(tmp_path / "out" / "villages.parquet").num_rows
    again = house("export", "villages", "--to", str(tmp_path / "out"), "--format", "package")
    assert again.code == 0 and "villages.csv" in again.out and "Removed, of the export that was there" in again.out
    package = json.loads((tmp_path / "out" / "datapackage.json").read_text(encoding="utf-8"))
    assert package["lienthong"]["publish"] == said["publish"] and package["licenses"][0]["name"] == "lienthong-agencies"


def test_the_open_set(house: House, tmp_path: Path) -> None:
    done = house("export", "--open", "--to", str(tmp_path / "open"), "--licence", "ODbL-1.0", "--json")
    assert done.code == 0, done.err
    assert done.json["description"] == "datapackage.json"
    package = json.loads((tmp_path / "open" / "datapackage.json").read_text(encoding="utf-8"))
    assert package["licenses"] == [{"name": "ODbL-1.0", "title": "ODbL-1.0"}]
    for file in done.json["files"]:
        why = file["hidden_because"]
        assert file["hidden"] == why["small"] + why["complement"] + why["earlier"] and why["exposed"] == 0


def test_hidden_counts_that_releases_together_give_away_are_told_without_values(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def file(name: str, hidden: Hidden) -> Written:
        return Written(name, View("mart_v1", name, 0, (), None, False), (), pa.schema([]), 10, 100, "", hidden)

    moment = Moment(4, 4, datetime(2026, 7, 1, 8, tzinfo=UTC))
    files = [file("a.csv", Hidden(3, 2, 4, exposed=2)), file("b.csv", Hidden())]
    layout.show(Screen(as_json=False), Exported(Path("mo"), moment, files, "datapackage.json"))
    said = " ".join(capsys.readouterr().out.split())
    assert "hidden: small complement as before" in said and "a.csv 10 100 3 2 4" in said
    assert "Warning: 2 hidden counts of a.csv can be found, or nearly" in said and "of b.csv" not in said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["vilages"], "did you mean villages?"),
        (["villages", "--publish", "77"], "there is no publish 77"),
        (["villages", "--at", "2001-01-01"], "nothing was published before 2001-01-01"),
        (["villages", "--at", "2026-01-01", "--publish", "1"], "give one"),
        ([], "name at least one view"),
        (["villages", "--open"], "name at least one view, or say --open"),
        (["--open", "--format", "csv"], "leave --format and --personal out"),
        (["vault.staff"], "say --personal"),
        (["vault.staff", "--personal"], "--personal needs --purpose"),
        (["villages", "--purpose", "x"], "--personal needs --purpose"),
        (["villages", "--licence", "a b"], "no name of a licence"),
    ],
)
def test_what_is_refused(arguments: list[str], said: str, house: House, tmp_path: Path) -> None:
    done = house("export", *arguments, "--to", str(tmp_path / "out"), "--json")
    assert done.code == 2 and said in " ".join(done.json["error"])
    assert not (tmp_path / "out").exists()


def test_persons_leave_with_a_purpose(house: House, tmp_path: Path) -> None:
    given = ("--personal", "--purpose", "đối chiếu", "--by", "thanh.tra")
    done = house("export", "vault.staff", "staff_masked", "--to", str(tmp_path / "out"), *given)
    assert done.code == 0, done.err
    noted = house.query("select who, action, dataset, reason from ops.audit order by audit_id desc limit 2")
    assert sorted(noted) == [
        ("thanh.tra", "export", "mart_v1.staff_masked", "đối chiếu"),
        ("thanh.tra", "export", "vault.staff", "đối chiếu"),
    ]
