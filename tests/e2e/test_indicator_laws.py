"""What the laws ask of indicators: any order, only what changed, taken back with a publish, traced to the cells; and what is said
of those who did not report."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pandas as pd
import pytest

from assets.marts.indicators import read
from assets.marts.publish import back_to, publishing
from tests.e2e import invented
from tests.e2e.conftest import Make
from tests.e2e.flows import World, villages

VALUES = (
    "select indicator, variant, unit_kind, unit, unit_name, period_kind, period, as_of, numerator, denominator, value, unknown, "
    "target, target_due, status from mart_v1.indicator_value order by 1, 2, 3, 4, 6, 7"
)
LOG = (
    "select dataset, sender, period, due_on, due, received_at, state, nothing_to_report, rows_read, rows_accepted, rows_faulty, "
    "required_cells, required_cells_empty, reminders, content_hash, submission_id from mart_v1.submission_log order by 1, 2, 3"
)


def _pieces(world: World) -> list[dict[str, Any]]:
    """What is sent of an invented province over two quarters, as the arguments of :meth:`World.drop`."""
    first = invented.province(world.communes)
    pieces: list[dict[str, Any]] = []
    for name, frame in first.items():
        sender, period = invented.SENDERS[name]
        groups = [(sender, frame)] if sender else list(frame.groupby("_commune"))
        pieces += [_piece(world, name, str(who), period, part) for who, part in groups]
    # the next quarter: other villages, fewer people, posts that ended, other norms and targets from July on
    later = {who: part.iloc[1:] for who, part in first["villages"].groupby("_commune") if len(part) > 3}
    pieces += [_piece(world, "villages", str(who), "2026-Q3", part) for who, part in list(later.items())[:2]]
    staff = {who: part.iloc[2:] for who, part in first["staff"].groupby("_commune")}
    pieces += [_piece(world, "staff", str(who), "2026-Q3", part) for who, part in list(staff.items())[:2]]
    posts = first["assignments"].iloc[:40].assign(ended_on="31/07/2026")
    pieces.append(_piece(world, "assignments", "BTC", "2026-09", posts))
    norms = first["norms"][first["norms"]["norm_code"] == "HAMLET_MIN_HOUSEHOLDS"].assign(
        effective_from="01/07/2026", value="400"
    )
    pieces.append(_piece(world, "norms", "SNV", "2026-09", norms))
    goal = first["targets"].iloc[:3].assign(effective_from="01/08/2026", value="1")
    pieces.append(_piece(world, "targets", "SNV", "2026-09", goal))
    months = {"2026-08": first["service_statistics"], "2026-09": first["service_statistics"].iloc[:20]}
    pieces += [_piece(world, "service_statistics", "VP_UBND", month, part) for month, part in months.items()]
    # a correction of what was sent for June
    pieces.append(
        _piece(world, "service_statistics", "VP_UBND", "2026-06", first["service_statistics"].iloc[5:], "lan 2.csv")
    )
    for n, piece in enumerate(pieces):
        piece["at"] = datetime(2026, 10, 12, 1, n % 60, tzinfo=UTC)
    return pieces


def _piece(
    world: World, dataset: str, sender: str, period: str, frame: pd.DataFrame, name: str | None = None
) -> dict[str, Any]:
    data = invented.table(world.pipeline.contracts[dataset], frame)
    name = name or f"{dataset}.csv"
    return {"sender": sender, "data": data, "name": name, "period": period, "sidecar": {"dataset": dataset}}


def _arrive(world: World, pieces: Sequence[dict[str, Any]]) -> None:
    for piece in pieces:
        world.drop(**piece)


@pytest.fixture(scope="module")
def whole(make_world: Make) -> World:
    """A world to which all pieces were sent before one run."""
    world = make_world()
    _arrive(world, _pieces(world))
    world.run()
    assert not world.rows(
        "select dataset, state, problems from intake.submission where state not in ('accepted', 'superseded')"
    )
    return world


@pytest.mark.parametrize("seed", [1])
def test_any_order_and_number_of_runs_gives_the_same_and_as_much_as_computing_all_again(
    seed: int, whole: World, make_world: Make
) -> None:
    world, luck = make_world(), random.Random(seed)
    pieces = _pieces(world)
    luck.shuffle(pieces)
    cuts = sorted(luck.sample(range(1, len(pieces)), 4))
    for start, end in zip([0, *cuts], [*cuts, len(pieces)], strict=True):
        _arrive(world, pieces[start:end])
        world.run()
        # what was computed for what changed is what all of it computed again is: nothing is different
        world.execute("update core.indicator_run set fingerprint = ''")
        world.execute("update core.submission_log_run set fingerprint = ''")
        world.execute("update core.rule_result set fingerprint = ''")
        assert world.run().published is None
    assert world.rows(VALUES) == whole.rows(VALUES)
    assert world.rows(LOG) == whole.rows(LOG)


def test_two_quarters_are_counted_each_on_its_day(whole: World) -> None:
    def values(indicator: str, variant: str = "", unit: str = "56") -> dict[str, Decimal | None]:
        return dict(
            whole.rows(
                "select period, value from mart_v1.indicator_value where indicator = %s and variant = %s and unit = %s",
                [indicator, variant, unit],
            )
        )

    (before, after) = (values("I26")[quarter] for quarter in ("2026-Q2", "2026-Q3"))
    assert before is not None and after == before - 2
    cut = values("I26", "CUT")
    assert cut == {"2026-Q2": 0, "2026-Q3": (Decimal(200) / before).quantize(Decimal("0.01"))}
    # the norm of July holds for the third quarter and not for the second
    assert values("I27")["2026-Q2"] != values("I27")["2026-Q3"]
    # villages of June as they were on the last day of the reporting quarter of September
    assert "2026-Q2" not in values("I40", "TEAMS")
    # flows add up over months, also where August and September say the same
    months, quarters = values("I32"), values("I36")
    assert {"2026-06", "2026-08", "2026-09", "2026-Q2", "2026-Q3"} <= set(months)
    assert quarters["2026-Q3"] == quarters["2026-09"]  # a stock is that of the last day
    sums = dict(whole.rows(
        "select period, numerator from mart_v1.indicator_value where indicator = 'I32' and variant = '' and unit = '56'"
    ))  # fmt: skip
    assert sums["2026-Q3"] == sums["2026-08"] + sums["2026-09"]
    # the target of August replaces that of February for the third quarter only
    targets = dict(whole.rows(
        "select period, target from mart_v1.indicator_value where indicator = 'I05' and period_kind = 'quarter'"
    ))  # fmt: skip
    assert targets == {"2026-Q2": 0, "2026-Q3": 1}


def test_only_what_changed_is_computed_and_written(make_world: Make) -> None:
    world = make_world()
    pieces = _pieces(world)
    first = [p for p in pieces if p["period"] not in ("2026-Q3", "2026-09", "2026-08") and p["name"] != "lan 2.csv"]
    _arrive(world, first)
    ran = world.run()
    assert ran.published == 1 and ran.indicated is not None and len(ran.indicated.computed) == 49
    again = world.run()
    assert again.published is None and again.indicated is not None and not again.indicated.computed
    known = {r[:4] + (r[6],): r for r in world.rows(VALUES)}
    (piece,) = [p for p in pieces if p["period"] == "2026-Q3" and p["name"] == "villages.csv"][:1]
    _arrive(world, [piece])
    ran = world.run()
    assert ran.indicated is not None
    done = {c.indicator: c.periods for c in ran.indicated.computed}
    log = {"I42", "I43", "I44", "I45"}
    assert set(done) - log == {"I26", "I27", "I28"} and {done[i] for i in ("I26", "I27", "I28")} == {1}
    begun = world.rows(
        "select distinct indicator, period from core.indicator_value where publish_from = %s", [ran.published]
    )
    assert {p for i, p in begun if i not in log} == {"2026-Q3"}
    ended = world.rows("select indicator, period from core.indicator_value where publish_to = %s", [ran.published])
    assert {p for i, p in ended if i not in log} == {"2026-Q3"}  # that commune's villages of June went on until then
    now = {r[:4] + (r[6],): r for r in world.rows(VALUES)}
    assert {k: r for k, r in known.items() if now[k] != r and k[4] != "2026-Q3" and k[0] not in log} == {}
    # a norm of which two indicators know nothing touches the third alone, from its day on
    _arrive(world, [p for p in pieces if p["period"] == "2026-09" and p["name"] == "norms.csv"])
    ran = world.run()
    assert ran.indicated is not None
    assert {c.indicator: c.periods for c in ran.indicated.computed if c.indicator not in log} == {"I27": 1}


def test_a_post_that_ends_touches_no_period_before_its_end(make_world: Make) -> None:
    world = make_world()
    pieces = _pieces(world)
    _arrive(world, [p for p in pieces if p["period"] not in ("2026-Q3", "2026-09", "2026-08")])
    world.run()
    _arrive(world, [p for p in pieces if p["period"] == "2026-09" and p["name"] == "assignments.csv"])
    ran = world.run()
    assert ran.indicated is not None
    done = {c.indicator: c.periods for c in ran.indicated.computed}
    # they ended on 31 July: August, September and the third quarter, and none of the second
    assert {done[i] for i in ("I05", "I07", "I13", "I21", "I23")} == {3}


def test_somebody_new_touches_no_quarter_before_they_came(make_world: Make) -> None:
    world = make_world()
    _arrive(world, [p for p in _pieces(world) if p["period"] not in ("2026-Q3", "2026-09", "2026-08")])
    world.run()
    who, staff = next(iter(invented.province(world.communes)["staff"].groupby("_commune")))
    new = staff.iloc[[0]].assign(citizen_id=staff.iloc[0]["citizen_id"][:6] + "999999")
    piece = _piece(world, "staff", str(who), "2026-Q3", pd.concat([staff, new]))
    _arrive(world, [piece | {"at": datetime(2026, 10, 12, 2, tzinfo=UTC)}])
    ran = world.run()
    assert ran.indicated is not None
    done = {c.indicator: c.periods for c in ran.indicated.computed}
    assert done["I24"] == done["I39"] == 1
    # who was there goes on, and so does what was computed of them
    begun = world.rows(
        "select distinct period from core.indicator_value where publish_from = %s and indicator in ('I24', 'I39')",
        [ran.published],
    )
    assert begun == [("2026-Q3",)]


def test_a_publish_is_taken_back_with_its_values_and_an_abandoned_one_leaves_nothing(make_world: Make) -> None:
    world = make_world()
    one = world.communes[0]
    world.drop(one, villages(("A", 100, 400), ("B", 200, 800)), period="2026-Q2")
    world.run()
    first = world.rows(VALUES), world.rows(LOG)
    world.drop(
        one,
        villages(("A", 100, 400), ("B", 150, 800), ("C", 10, 40)),
        period="2026-Q3",
        at=datetime(2026, 10, 2, tzinfo=UTC),
    )
    pipeline = world.pipeline
    with pipeline.connection() as connection:
        pipeline.receive(connection)
        pipeline.stage(connection)
        with publishing(connection):
            pipeline.prepare(connection)  # and no more: the publisher dies
    assert (world.rows(VALUES), world.rows(LOG)) == first
    assert world.run().published == 3
    second = world.rows(VALUES), world.rows(LOG)
    assert second != first
    assert not world.rows("select 1 from core.indicator_value where publish_from = 2 or publish_to = 2")
    for number, wanted in ((1, first), (3, second)):
        with world.connection() as connection:
            back_to(connection, number)
        assert (world.rows(VALUES), world.rows(LOG)) == wanted
    assert world.run().published is None


# ------------------------------------------------------------------------------------- those who did not report


@pytest.fixture(scope="module")
def reported(make_world: Make) -> World:
    """Villages of a quarter: one commune in time, one late, one with a faulty row, one that says there are none, one whose file
    is no list, and sixty that are silent. The last receipt is after the day for sending."""
    world = make_world()
    a, b, c, d, e = world.communes[:5]
    july = [datetime(2026, 7, day, 3, tzinfo=UTC) for day in (1, 2, 4, 5, 20)]
    world.drop(a, villages(("A", 100, 400), ("B", 300, 900)), at=july[0])
    world.drop(c, villages(("A", 100, 400), ("B", "nhiều", 900), ("C", 50, 90)), at=july[1])
    world.drop(d, b"nothing_to_report: true\ndataset: villages\n", "khong.yaml", at=july[2])
    world.drop(e, b"%PDF-1.4", "thon.pdf", at=july[3])
    world.drop(b, villages(("A", 70, 400)), at=july[4])
    world.run()
    return world


def test_who_did_not_report_is_named_and_never_zero(reported: World) -> None:
    a, b, c, d, e, *rest = reported.communes
    lines = {
        r[0]: r[1:]
        for r in reported.rows(
            "select unit, unit_name, reason from mart_v1.indicator_missing where indicator = 'I26' and period = '2026-Q2'"
        )
    }
    assert lines.pop(d)[1] == "NOTHING_TO_REPORT"
    assert {unit: reason for unit, (_, reason) in lines.items()} == dict.fromkeys([e, *rest], "NOT_REPORTED")
    assert all(name.startswith(("Xã ", "Phường ", "Đặc khu ")) for name, _ in lines.values())
    units = dict(
        reported.rows("select unit, value from mart_v1.indicator_value where indicator = 'I26' and variant = ''")
    )
    assert units == {a: 2, b: 1, c: 2, "56": 5}


def test_the_log_says_who_was_due_and_the_indicators_of_it_follow(reported: World) -> None:
    a, b, c, d, e, *rest = reported.communes
    log = {r[0]: r[1:] for r in reported.rows(
        "select sender, due_on, state, rows_accepted, rows_faulty, required_cells, required_cells_empty, reminders, "
        "nothing_to_report "
        "from mart_v1.submission_log where dataset = 'villages' and period = '2026-Q2'"
    )}  # fmt: skip
    due = date(2026, 7, 6)  # the 5th is a Sunday
    needed = sum(col.required for col in reported.pipeline.contracts["villages"].columns)
    assert log.pop(a) == (due, "DAT", 2, 0, 2 * needed, 0, 0, False)
    assert log.pop(b) == (due, "DAT", 1, 0, needed, 0, 1, False)
    assert log.pop(c) == (due, "DAT_MOT_PHAN", 2, 1, 3 * needed, 0, 0, False)
    assert log.pop(d) == (due, "DAT", 0, 0, 0, 0, 0, True)
    assert set(log) == {e, *rest}
    assert set(log.values()) == {(due, "CHUA_NOP", 0, 0, 0, 0, 1, False)}

    def value(indicator: str, variant: str = "", unit: str = "56") -> Any:
        rows = reported.rows(
            "select value, numerator, denominator from mart_v1.indicator_value where indicator = %s and variant = %s and unit = %s "
            "and period = '2026-Q2'",
            [indicator, variant, unit],
        )
        return rows[0] if rows else None

    # in time and accepted: a, c (in part), d
    assert value("I42") == (Decimal("4.62"), 3, 65) and value("I42", unit=b)[0] == 0 and value("I42", unit=e)[0] == 0
    assert value("I43", unit=a)[0] == 100
    assert value("I44") == (Decimal("83.33"), 5, 6)
    assert value("I45")[0] == 62 and value("I45", unit=b)[0] == 1
    assert value("I45", "FRESHNESS", a)[0] == 0 and value("I45", "FRESHNESS", e)[0] == 90
    assert value("I45", "LEVEL1")[0] is None  # no norm was sent


def test_a_clock_that_goes_on_changes_nothing(reported: World) -> None:
    before = reported.rows(VALUES)
    reported.execute("update core.submission_log_run set fingerprint = ''")
    assert reported.run().published is None and reported.rows(VALUES) == before


def test_an_empty_required_cell_counts_against_completeness(make_world: Make) -> None:
    world = make_world()
    one = world.communes[0]
    world.drop(one, villages(("A", 100, 400), ("B", None, 900)), at=datetime(2026, 7, 3, tzinfo=UTC))
    world.run()
    needed = 2 * sum(col.required for col in world.pipeline.contracts["villages"].columns)
    found = world.rows(
        "select numerator, denominator from mart_v1.indicator_value where indicator = 'I43' and unit = %s", [one]
    )
    assert set(found) == {(needed - 1, needed)}


# ------------------------------------------------------------------------------------------------ small counts


def test_small_counts_of_people_are_hidden_with_what_would_give_them_away(make_world: Make) -> None:
    world = make_world()
    quotas = pd.DataFrame([
        {"organization_code": code, "civil_servant_posts": "50", "deputies_allowed": "2", "appointments": str(n),
         "appointments_published": str(p)}
        for code, n, p in (("S1", 30, 20), ("S2", 12, 10), ("S3", 20, 12), ("S4", 9, 9), ("D1", 40, 30), ("D2", 10, 3),
                           ("D3", 50, 40))
    ])  # fmt: skip
    bodies = pd.DataFrame([
        {"organization_code": code, "organization_name": f"Tổ chức {code}", "level": "TINH",
         "organization_type": "KHAC", "parent_code": "", "commune_code": "", "from_two_provinces": "không", "status": "HOAT_DONG",
         "effective_from": "01/07/2025"}
        for code in ("S1", "S2", "S3", "S4", "D1", "D2", "D3")
    ])  # fmt: skip
    bodies["bloc"] = ["CHINH_QUYEN" if code.startswith("S") else "DANG" for code in bodies["organization_code"]]
    invented.send(world, {"annual_quotas": quotas, "organizations": bodies})
    world.run()
    rows = {r[0]: r[1:] for r in world.rows(
        "select unit, value, numerator, denominator, unknown, status from mart_v1.indicator_value where indicator = 'I47'"
    )}  # fmt: skip
    hidden = (None, None, None, None, "HIDDEN")
    # two of S2's appointments were not published, three of D2's were: these are hidden, and of each bloc the smallest of the
    # others, so that none can be had by subtraction from the bloc's own figure
    assert {u for u, r in rows.items() if r == hidden} == {"S2", "S4", "D2", "D1"}
    assert {u: r[1:3] for u, r in rows.items() if r != hidden} == {
        "S1": (20, 30), "S3": (12, 20), "D3": (40, 50), "CHINH_QUYEN": (51, 71), "DANG": (73, 100), "56": (124, 171),
    }  # fmt: skip
    assert not world.rows("select 1 from mart_v1.theme_key_posts where i47 is not null and unit in ('S2', 'S4')")
    pipeline = world.pipeline
    with world.connection() as connection, pytest.raises(read.NotFound, match="hidden"):
        read.value_of(connection, pipeline.indicators["I47"], "", "S2", None)


# ---------------------------------------------------------------------------------------------- the way back


def test_every_figure_of_the_province_goes_back_to_its_cells(whole: World) -> None:
    pipeline = whole.pipeline
    contracts, seen = pipeline.contracts, 0
    with whole.connection() as connection:
        for value in read.newest(connection):
            if not value["unit"] or value["measure"] in ("pace", "most"):
                continue
            indicator = pipeline.indicators[value["indicator"]]
            parts = read.parts(connection, indicator, contracts, value, limit=3)
            assert parts, value
            n = [p.numerator for p in parts if p.numerator is not None]
            d = [p.denominator for p in parts if p.denominator is not None]
            assert (sum(n) if n else None) == value["numerator"], value
            if value["denominator"] is not None:
                assert sum(d) == value["denominator"], value
            assert sum(p.unknown or 0 for p in parts) == value["unknown"], value
            for part in parts[:3]:
                if part.entity_id is not None:
                    assert part.versions, (value, part)
                    for version in part.versions:
                        assert version.sources and all(s["cells"] and s["row"] > 1 for s in version.sources)
                    seen += 1
                elif part.dataset == "submission_log" and part.submission_id is not None:
                    assert whole.answer(part.submission_id)["submission_id"] == part.submission_id
    assert seen > 100


def test_norms_of_a_figure_come_with_their_source(whole: World) -> None:
    pipeline = whole.pipeline
    with whole.connection() as connection:
        value = read.value_of(connection, pipeline.indicators["I27"], "", None, "2026-Q3")
        norms = read.norms_of(connection, pipeline.indicators["I27"], pipeline.contracts, value)
    assert {(n["norm_code"], n["applies_to"]): n["value"] for n in norms} == {
        ("HAMLET_MERGE_SHARE", ""): Decimal("0.5"), ("HAMLET_MIN_HOUSEHOLDS", "THON|DONG_BANG"): 400,
        ("HAMLET_MIN_HOUSEHOLDS", "THON|MIEN_NUI"): 400, ("HAMLET_MIN_HOUSEHOLDS", "TDP|DONG_BANG"): 400,
    }  # fmt: skip
    assert {n["legal_source"] for n in norms} == {"Thử nghiệm"}


def test_every_mandate_is_answered_with_the_way_back(whole: World) -> None:
    rows = whole.rows(
        "select mandate, indicator, variant, value, numerator, as_of, status, way_back from mart_v1.mandate_answers "
        "where mandate <> 'M23' or variant = ''"
    )
    assert {r[0] for r in rows} == {f"M{n}" for n in range(1, 24)}
    for mandate, indicator, variant, value, _, as_of, status, way in rows:
        assert value is not None and as_of is not None and status != "NO_DATA", (mandate, indicator, variant)
        assert way.startswith(f"lienthong trace {indicator}")
        words = dict(zip(way.split()[3::2], way.split()[4::2], strict=True))
        with whole.connection() as connection:
            said = read.value_of(
                connection, whole.pipeline.indicators[indicator], variant, words["--unit"], words["--period"]
            )
        assert said["value"] == value


def test_the_path_to_2030_is_planned_against_actual_by_quarter(whole: World) -> None:
    found = whole.rows(
        "select quarter, planned, actual from mart_v1.indicator_path where indicator = 'I08' and unit_kind = 'PROVINCE' "
        "order by as_of"
    )
    assert (found[0][0], found[-1][0], len(found)) == ("2026-Q2", "2030-Q4", 19)
    assert found[0][1] == found[0][2] and found[1][2] is not None and all(a is None for _, _, a in found[2:])
    assert found[-1][1] == 100 and [p for _, p, _ in found] == sorted(p for _, p, _ in found)
    excess = whole.rows(
        "select planned from mart_v1.indicator_path where indicator = 'I06' and unit_kind = 'PROVINCE' order by as_of"
    )
    assert [p for (p,) in excess] == sorted((p for (p,) in excess), reverse=True) and excess[-1][0] in (0, 1)


def test_status_is_that_of_the_target_that_is_meant(whole: World) -> None:
    def statuses(indicator: str, kind: str) -> set[tuple[str, Decimal | None]]:
        return set(whole.rows(
            "select status, target from mart_v1.indicator_value where indicator = %s and variant = '' and unit_kind = %s",
            [indicator, kind],
        ))  # fmt: skip

    # how often each sender may be reminded says nothing of the sum over all
    assert statuses("I45", "PROVINCE") == {("NO_TARGET", None)}
    assert {t for _, t in statuses("I45", "COMMUNE")} == {2}
    assert statuses("I32", "PROVINCE") == {("NO_TARGET", None)}  # a target whose value is not known
    assert {s for s, _ in statuses("I08", "PROVINCE")} == {"NOT_YET"}  # until the end of 2030
    assert {s for s, _ in statuses("I04", "PROVINCE")} == {"MET"}


def test_a_theme_has_a_line_for_each_unit_and_period(whole: World) -> None:
    found = whole.rows(
        "select i26, i26_cut, i27, i27_status from mart_v1.theme_villages where unit_kind = 'PROVINCE' and period = '2026-Q3'"
    )
    wide = whole.rows(
        "select indicator || variant, value from mart_v1.indicator_value where unit_kind = 'PROVINCE' and period = '2026-Q3' "
        "and indicator in ('I26', 'I27') and variant in ('', 'CUT') order by 1"
    )
    assert [v for _, v in wide] == list(found[0][:3]) and found[0][3] == "NO_TARGET"
    # a family, whose members come from the data, is one column
    ((each,),) = whole.rows(
        "select i01_each from mart_v1.theme_organisation where unit_kind = 'PROVINCE' and period = '2026-Q3'"
    )
    long = whole.rows(
        "select variant, value from mart_v1.indicator_value where indicator = 'I01' and variant not in ('', 'FIELD') "
        "and unit_kind = 'PROVINCE' and period = '2026-Q3'"
    )
    assert each == {variant: int(value) for variant, value in long} and {"TINH", "XA", "TINH/SO"} <= each.keys()
