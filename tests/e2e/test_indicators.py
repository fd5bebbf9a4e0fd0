"""The indicators of an invented province through the whole flow: against a second computation, the worked figures of the domain
brief, and what the laws ask of them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pandas as pd
import pytest

from tests.e2e import invented
from tests.e2e.conftest import Make
from tests.e2e.flows import World
from tests.e2e.indicator_truth import Truth

OWN_TESTS = {
    ("I46", "LATE"), ("I42", ""), ("I43", ""), ("I44", ""), ("I45", ""), ("I45", "FRESHNESS"), ("I45", "LEVEL1"),
    ("I45", "LEVEL2"),
}  # fmt: skip
"""Figures that need more than one sending or the ledger: test_indicators_of_ledger.py."""

VALUES = (
    "select indicator, variant, unit_kind, unit, period_kind, period, numerator, denominator, value, unknown, status "
    "from core.indicator_value where publish_to is null order by 1, 2, 3, 4, 5, 6"
)


@pytest.fixture(scope="module")
def sent(make_world: Make) -> tuple[World, invented.Frames]:
    """A world to which an invented province was sent once."""
    world = make_world()
    frames = invented.province(world.communes)
    invented.send(world, frames)
    world.run()
    assert not world.rows("select submission_id, state, problems from intake.submission where state <> 'accepted'")
    return world, frames


def test_every_figure_of_every_unit_is_that_of_a_second_computation(sent: tuple[World, invented.Frames]) -> None:
    world, frames = sent
    # on 14 June, when the reporting quarter ends, nobody had sent a list of villages yet
    truth = Truth({**frames, "villages_reported": frames["villages"].iloc[:0]}, world.communes)
    found: dict[Any, Any] = {}
    for row in world.rows(VALUES):
        if row[:2] not in OWN_TESTS:
            found.setdefault(row[:4], set()).add((row[6], row[7], row[8]))
    # units that have rows but none that counts: there is a line for them that says so
    wanted = {key: {(*sums, truth.value(key))} for key, sums in truth.sums.items()}
    silent = {(None, None, None)}
    assert {k: v for k, v in found.items() if k not in wanted and v != silent} == {}
    assert {k: (found.get(k), v) for k, v in wanted.items() if found.get(k) != v} == {}
    assert len(wanted) > 1000


# ---------------------------------------------------------------------------------------------- the brief's own figures


def _frame(*rows: dict[str, Any]) -> pd.DataFrame:
    return pd.DataFrame(rows).fillna("").astype(str)


def _body(code: str, kind: str, level: str = "TINH", bloc: str = "CHINH_QUYEN", **more: str) -> dict[str, str]:
    return {
        "organization_code": code, "organization_name": f"Tổ chức {code}", "bloc": bloc, "level": level, "organization_type": kind,
        "parent_code": "", "commune_code": "", "from_two_provinces": "không", "status": "HOAT_DONG", "effective_from": "01/07/2025",
        **more,
    }  # fmt: skip


def _post(number: int, organization: str, post: str, **more: str) -> dict[str, str]:
    return {
        "citizen_id": f"05608500{number:04}", "organization_code": organization, "post": post, "is_main": "có",
        "started_on": "01/07/2025", **more,
    }  # fmt: skip


def _statistics(organization: str, early: int, on_time: int, late: int) -> dict[str, str]:
    zero = dict.fromkeys(
        ("opening_stock", "received_in_person", "received_by_post", "withdrawn", "pending_in_time",
         "pending_overdue", "digitised", "results_digital"), "0",
    )  # fmt: skip
    return {
        "organization_code": organization, "procedure_code": "1.001", "service_level": "TOAN_TRINH", **zero,
        "received_online": str(early + on_time + late), "resolved_early": str(early),
        "resolved_on_time": str(on_time), "resolved_late": str(late),
    }  # fmt: skip


NORMS = _frame(*(
    {"norm_code": n, "applies_to": a, "effective_from": "01/07/2025", "value": v, "legal_source": "Thử nghiệm"}
    for n, a, v in invented.NORMS
))  # fmt: skip


@pytest.fixture(scope="module")
def worked(make_world: Make) -> World:
    """A world with the situations of the domain brief, §6.2 and §3."""
    world = make_world()
    communes = world.communes
    departments = [_body(f"S{n:02}", "SO", from_two_provinces="có" if n < 12 else "không") for n in range(14)]
    divisions = {"S00.A": (9, 2), "S00.B": (12, 2), "S00.C": (15, 4)}
    bodies = [_body(code, "PHONG_SO", parent_code="S00") for code in divisions]
    parties = [_body(f"{c}.DU", "DANG_UY_XA", "XA", "DANG", commune_code=c) for c in communes]
    posts = [_post(n, f"S{n % 14:02}", "CAP_PHO") for n in range(60)]
    posts += [
        _post(100 * k + n, code, "CAP_PHO") for k, (code, (_, p)) in enumerate(divisions.items(), 1) for n in range(p)
    ]
    origins = ["KHONG"] * 60 + ["CO"] * 2 + ["CHUA_RO"]
    posts += [_post(1000 + n, f"{communes[n]}.DU", "CN_UBKT", local_origin=origin) for n, origin in enumerate(origins)]
    quotas = [
        {"organization_code": code, "civil_servant_posts": str(q), "deputies_allowed": "2"}
        for code, (q, _) in divisions.items()
    ]
    kpi = [
        {"citizen_id": f"05608500{2000 + 100 * g + n:04}", "organization_code": "S01", "task_group": f"Nhóm {g}",
         "common_score": "27",
         "quantity_pct": "100", "quality_pct": "95", "progress_pct": "90", "result_score": "66,5" if best else "50",
         "total_score": "93,5" if best else "77", "rating": "XS" if best else "T", "approved_on": "30/06/2026"}
        for g, excellent in enumerate((2, 3))
        for n in range(14 + excellent)
        for best in (n < excellent,)
    ]  # fmt: skip
    hamlets = [
        {"village_name": name, "village_type": "THON", "households": h, "population": "900", "region": "DONG_BANG"}
        for name, h in (("Hạ", "120"), ("Trung", "130"), ("Thượng", "250"))
    ]
    unit = {"organization_code": "D1", "kind": "THUC_HIEN", "field": "Y_TE", "own_revenue": "8200000000",
            "recurrent_spending": "10000000000"}  # fmt: skip
    frames = {
        "organizations": _frame(*departments, *bodies, *parties), "assignments": _frame(*posts), "annual_quotas": _frame(*quotas),
        "norms": NORMS,
        "targets": _frame({"indicator_code": "I15", "bloc_or_unit": "", "effective_from": "23/02/2026", "value": "100",
                           "direction": "AT_LEAST", "due_on": "", "legal_source": "Chương trình hành động 23/2/2026"}),
        "kpi_evaluations": _frame(*kpi).assign(_commune=communes[0]), "villages": _frame(*hamlets).assign(_commune=communes[0]),
        "public_service_units": _frame({**unit, "autonomy_group": "3"}, {**unit, "organization_code": "D2", "autonomy_group": "2"}),
    }  # fmt: skip
    invented.send(world, frames)
    # the third quarter of 2025: of its three months two say the same
    for month, early, on_time, late in (
        ("07", 20_000, 25_000, 3_000),
        ("08", 20_000, 25_000, 3_000),
        ("09", 17_884, 30_000, 3_934),
    ):
        rows = _frame(_statistics("S02", early, on_time, late))
        invented.send(world, {"service_statistics": rows}, {"service_statistics": f"2025-{month}"})
    world.run()
    assert not world.rows("select dataset, state, problems from intake.submission where state <> 'accepted'")
    return world


def _value(
    world: World, indicator: str, variant: str = "", unit: str = "56", period: str | None = None
) -> tuple[Any, ...]:
    rows = world.rows(
        "select value, numerator, denominator, unknown, status from mart_v1.indicator_value where indicator = %s and variant = %s "
        "and unit = %s and (%s::text is null or period = %s) order by as_of desc limit 1",
        [indicator, variant, unit, period, period],
    )
    return rows[0] if rows else (None,) * 5


def test_the_worked_figures_of_the_brief(worked: World) -> None:
    # 14 departments, 12 of them merged: 54 are allowed, 60 there are
    assert _value(worked, "I05")[:3] == (6, 60, 54)
    # q = 9, p = 2: one too many; q = 12, p = 2: none; q = 15, p = 4: one
    assert _value(worked, "I06")[:2] == (2, 2) and _value(worked, "I06", unit="S00")[0] == 2
    # of 14 rated good at most two may be excellent
    assert _value(worked, "I19")[:3] == (Decimal("50.00"), 1, 2)
    assert _value(worked, "I20")[:3] == (Decimal("100.00"), 33, 33)
    # 120 households where 250 are the least: below the norm, and below its half
    assert _value(worked, "I27")[:3] == (Decimal("66.67"), 2, 3)
    assert _value(worked, "I27", "MUST_MERGE")[:3] == (Decimal("33.33"), 1, 3)
    # 8,2 of 10 tỷ are 82 %: group 3, and not 2
    assert _value(worked, "I30", unit="D1")[0] == 82 and _value(worked, "I31")[0] == 1
    assert _value(worked, "I31", unit="D1")[0] == 0 and _value(worked, "I31", unit="D2")[0] == 1
    # 65 chairs are due: 60 not local, 2 local, 1 unclear, 2 vacant
    assert _value(worked, "I15") == (Decimal("95.24"), 60, 63, 1, "NOT_MET")
    assert _value(worked, "I15", "VACANT")[0] == 2
    # the third quarter of 2025
    assert _value(worked, "I32", period="2025-Q3") == (Decimal("93.28"), 137_884, 147_818, 0, "NO_TARGET")


def test_what_is_not_known_stays_null(worked: World) -> None:
    # nobody said how long ago the decisions were, nor set a day: no number is made of that
    assert _value(worked, "I09") == (None, None, None, 3, "NO_DATA")
    assert _value(worked, "I09", "EXCESS")[0] == 2
    assert _value(worked, "I47")[:3] == (None, None, None)
    # whom no list of staff knows has no known sex
    assert _value(worked, "I23")[0] is None and _value(worked, "I23")[3] > 60
