"""``lienthong indicators`` and ``lienthong trace I26``: what is printed is what is published, as JSON too."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from pipelines.cli_indicators import spark
from tests.pipelines.cli.conftest import House


@pytest.mark.parametrize(
    ("values", "bars"),
    [
        ([], ""),
        ([None], ""),
        ([Decimal(3)], "▄"),
        ([Decimal(1), None, Decimal(2)], "▁ █"),
        ([Decimal(n) for n in range(8)], "▁▂▃▄▅▆▇█"),
        ([Decimal("2.5"), Decimal("2.5")], "▄▄"),
    ],
)
def test_a_sparkline(values: list[Decimal | None], bars: str) -> None:
    assert spark(values) == bars


def _published(house: House, indicator: str, unit: str) -> list[tuple[Any, ...]]:
    return house.query(
        "select period, value, numerator from mart_v1.indicator_value "
        f"where indicator = '{indicator}' and variant = '' and unit = '{unit}' order by as_of"
    )


def test_the_board_has_each_indicator_with_its_course(house: House) -> None:
    said = house("indicators", "--json").json["indicators"]
    assert {v["indicator"] for v in said} == {f"I{n:02}" for n in range(1, 50)}
    (hamlets,) = [v for v in said if (v["indicator"], v["variant"]) == ("I26", "")]
    rows = _published(house, "I26", "56")
    assert [(p["period"], Decimal(p["value"])) for p in hamlets["series"]] == [r[:2] for r in rows]
    assert (hamlets["period"], Decimal(hamlets["value"])) == rows[-1][:2]
    shown = house("indicators")
    assert shown.code == 0 and spark([r[1] for r in rows]) in shown.out
    assert "no target set" in shown.out and "Số thôn, tổ dân phố" in shown.out and "Tỉnh Khánh Hòa (56)" in shown.out


def test_one_indicator_by_unit_and_one_unit_by_period(house: House) -> None:
    (unit,) = house.query(
        "select unit, unit_name from mart_v1.indicator_value where indicator = 'I26' and unit_kind = 'COMMUNE' "
        "order by unit limit 1"
    )
    of_all = house("indicators", "i26")
    assert of_all.code == 0 and unit[1] in of_all.out and "I26 by unit" in of_all.out
    (one,) = [v for v in house("indicators", "I26", "--unit", unit[0], "--json").json["indicators"] if not v["variant"]]
    assert [(p["period"], Decimal(p["value"])) for p in one["series"]] == [
        r[:2] for r in _published(house, "I26", unit[0])
    ]
    first = one["series"][0]["period"]
    (then,) = [v for v in house("indicators", "I26", "--unit", unit[0], "--period", first, "--json").json["indicators"]
               if not v["variant"]]  # fmt: skip
    assert (then["period"], then["value"]) == (first, one["series"][0]["value"])


def test_the_way_back_ends_at_cells(house: House) -> None:
    found = house("trace", "I26", "--unit", "22453", "--json").json
    value, parts = found["indicator"], found["parts"]
    assert sum(Decimal(p["numerator"]) for p in parts) == Decimal(value["value"]) == len(parts)
    for part in parts:
        assert part["dataset"] == "villages"
        source = part["versions"][0]["sources"][0]
        assert source["sender"] == "22453" and source["cells"]["households"]
    shown = house("trace", "I26", "--unit", "22453", "--limit", "1")
    assert shown.code == 0 and parts[0]["versions"][0]["sources"][0]["origin"] in shown.out
    assert f"trace villages --id {parts[0]['entity_id']}" in shown.out and "more; --limit" in shown.out


def test_a_role_that_is_made_later_may_read_the_views_of_themes(house: House) -> None:
    may = "select has_table_privilege('lienthong_app', 'mart_v1.theme_villages', 'select')"
    assert house.query(may) == [(True,)]
    house.execute("revoke select on mart_v1.theme_villages from lienthong_app")
    assert house("db", "migrate").code == 0 and house.query(may) == [(True,)]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["indicators", "I99"], "there is no indicator I99; there are I01 to I49"),
        (["indicators", "I26", "--unit", "nowhere"], "there is no value of I26 for nowhere"),
        (["trace", "I77"], "there is no indicator I77"),
        (["trace", "I26", "--period", "1999-Q1"], "I26 has no such value"),
        (["trace", "I26", "--variant", "NONE"], "I26 has no such value"),
    ],
)
def test_what_is_not_there_says_what_there_is(arguments: list[str], said: str, house: House) -> None:
    done = house(*arguments)
    assert done.code == 2 and said in done.err
    assert said in house(*arguments, "--json").json["error"][0]
