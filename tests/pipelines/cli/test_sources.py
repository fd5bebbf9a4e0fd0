"""``lienthong sources``: one that is shown, declarations that are wrong beside those that are right."""

from __future__ import annotations

from pathlib import Path

import pytest

from .conftest import House

DECLARED = """\
sender: "22366"
sources:
  - {{name: hop_thu, kind: inbox, url: "{folder}", options: {{password: "${{env:NOT_SET_HERE}}"}}}}
  - name: ho_so
    dataset: dossiers
    kind: sql
    url: postgresql://reader@127.0.0.1:1/hr
    password: ${{file:/etc/lienthong/x}}
    table: ho_so
    incremental: {{column: updated_at, lookback: 2h}}
"""


@pytest.fixture
def declared(house: House, tmp_path: Path) -> dict[str, str]:
    folder = tmp_path / "sources"
    folder.mkdir()
    (folder / "22366.yaml").write_text(DECLARED.format(folder=tmp_path / "own"), encoding="utf-8")
    return {"LIENTHONG_SOURCES": str(folder)}


def test_a_source_is_shown(house: House, declared: dict[str, str]) -> None:
    house.execute(
        "insert into ops.source_state (source, watermark, taken_at) "
        'values (\'22366/ho_so\', \'{"type": "datetime", "value": "2026-07-01T08:00:00"}\', now());'
        "insert into ops.source_pull (source, kind, started_at, outcome, rows, unmarked) "
        "values ('22366/ho_so', 'sql', now(), 'empty', 0, 3)"
    )
    shown = house("sources", "show", "22366/ho_so", **declared)
    assert shown.code == 0 and "updated_at is taken up to 2026-07-01T08:00:00" in shown.out
    assert "${file:/etc/lienthong/x}" in shown.out and "3 rows have no value in updated_at" in shown.out
    told = house("sources", "show", "22366/ho_so", "--json", **declared).json
    assert told["declared"]["incremental"] == {"column": "updated_at", "lookback": "PT2H"}
    assert told["pulls"][0]["outcome"] == "empty" and told["state"]["watermark"]["type"] == "datetime"
    new = house("sources", "show", "22366/hop_thu", **declared)
    assert "Nothing was taken of it yet" in new.out
    several = house("sources", "show", "22366", **declared)
    assert several.code == 2 and "name one: 22366/hop_thu, 22366/ho_so" in several.err
    doctor = house("doctor", "--json", **declared).json["findings"]
    assert any(f["text"] == "22366/ho_so: 3 rows have no watermark" for f in doctor)


def test_what_is_wrong_is_said_and_the_rest_goes_on(house: House, declared: dict[str, str], tmp_path: Path) -> None:
    Path(declared["LIENTHONG_SOURCES"], "x.yaml").write_text("sender: none\n", encoding="utf-8")
    listed = house("sources", "list", **declared)
    assert listed.code == 0 and "x.yaml, line 1" in listed.out and "22366/hop_thu" in listed.out
    told = house("sources", "list", "--json", **declared).json
    assert [s["source"] for s in told["sources"]] == ["22366/hop_thu", "22366/ho_so"] and told["findings"][0][
        "file"
    ] == "x.yaml"
    pulled = house("sources", "pull", "22366/hop_thu", "--json", **declared)
    assert pulled.code == 1 and [s["fault"] for s in pulled.json["sources"]] == ["NO_SECRET"]
    unknown = house("sources", "pull", "x/y", **declared)
    assert unknown.code == 2 and "there is no source x/y" in unknown.err and "x.yaml, line 1" in unknown.err
    said = house("doctor", "--json", **declared).json["findings"]
    assert any("x.yaml, line 1" in f["text"] and "none of its sources is pulled" in f["remedy"] for f in said)
