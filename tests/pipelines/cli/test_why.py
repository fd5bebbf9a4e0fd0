"""``lienthong why``: the entity by its id or its key, one column or all, on a screen and for machines; and how it says no."""

from __future__ import annotations

import pytest

from .conftest import House


def _village(house: House) -> tuple[str, str, str, int]:
    ((id_, commune, name, households),) = house.query(
        "select village_id, commune_code, village_name, households from mart_v1.villages_history "
        "where valid_to is null order by village_id limit 1"
    )
    return str(id_), commune, name, households


def test_why_explains_every_column_by_id_and_by_key(house: House) -> None:
    id_, commune, name, households = _village(house)
    said = house("why", id_, "--json")
    assert said.code == 0
    assert (said.json["dataset"], said.json["entity_id"], said.json["key"]["village_name"]) == (
        "villages",
        int(id_),
        name,
    )
    reasons = {r["attribute"]: r for r in said.json["reasons"]}
    assert reasons["households"]["value"] == households and reasons["households"]["rule"] == "only sender"
    source = reasons["households"]["chosen"]["source"]
    assert source["origin"].split("/")[1] == commune and source["cell"] and source["submission_id"]
    key = (f"commune_code={commune}", f"village_name={name}")
    assert house("why", *key, "--json").json == said.json
    one = house("why", *key, "households", "--json").json
    assert [r["attribute"] for r in one["reasons"]] == ["households"]
    shown = house("why", id_, "households", "--dataset", "villages", COLUMNS="300").out
    assert "only sender" in shown and source["origin"] in shown and str(households) in shown


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["households"], "say which entity"),
        (["1"], "there is no such entity"),
        (["1", "--dataset", "villages"], "no such entity was published"),
        (["1", "--dataset", "village"], "there is no dataset village"),
        (["village_name=A"], "villages by commune_code=… village_name=…"),
        (["village_name=A", "village_name=B"], "given twice"),
        (["commune_code=22366", "village_name=Không có"], "there is no such entity"),
    ],
)
def test_why_says_how_to_ask(house: House, words: list[str], said: str) -> None:
    done = house("why", *words)
    assert (done.code, done.out) == (2, "") and said in done.err


def test_why_knows_the_columns_and_the_days(house: House) -> None:
    id_ = _village(house)[0]
    assert "has no column so_ho; there are: commune_code" in house("why", id_, "so_ho").err
    assert "one column at most" in house("why", id_, "households", "population").err
    late = house("why", id_, "--at", "2001-01-01", "--json")
    assert late.code == 2 and "no version on 2001-01-01" in late.json["error"][0]
    assert "nothing had been published" in house("why", id_, "--known-at", "2001-01-01").err
