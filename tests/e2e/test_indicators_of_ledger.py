"""Indicators of the ledger itself, who sent what when and how good it was, against a second computation of what was put into the
inbox; and changes in posts that were told too late."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.e2e import invented
from tests.e2e.conftest import Make
from tests.e2e.flows import World, text_csv
from tests.e2e.indicator_truth import half_up

FATES = {
    "villages": ("good", "late", "bad", "blank", "mended", "mended late", "silent", "refused"),
    "kpi_evaluations": ("good", "late", "bad", "blank", "mended", "mended late", "silent", "none"),
}
VILLAGES = ("Tên thôn", "Loại", "Số hộ", "Số khẩu")
KPI = ("Số CCCD", "Mã đơn vị", "Điểm chung", "Số lượng (%)", "Chất lượng (%)", "Tiến độ (%)", "Điểm kết quả", "Tổng điểm",
       "Xếp loại")  # fmt: skip
REQUIRED = {"villages": 4, "kpi_evaluations": 9}
"""Columns that the contracts require."""
LEVELS = {"LEVEL1": 2, "LEVEL2": 4}
LAG = 3
HOLIDAYS = [f"2026-{d}" for d in ["01-01", "02-16", "02-17", "02-18", "02-19", "02-20", "04-27", "04-30", "05-01"]]


@dataclass
class Sent:
    """What a sender was due to send for a period, and what stands of it. ``received``: when the first file came."""

    dataset: str
    sender: str
    first: date
    last: date
    due: date
    received: date | None = None
    taken: bool = False
    good: int = 0
    faulty: int = 0
    blank: int = 0


def _periods(dataset: str) -> list[tuple[str, date, date, date]]:
    """(label, first day, last day, last day for sending) of all that was due by the last receipt."""
    if dataset == "villages":
        starts = [(f"{d:%Y}-Q{(d.month + 2) // 3}", d, 3) for d in pd.date_range("2025-10-01", "2026-06-01", freq="QS")]
        return [(label, d.date(), _end(d, n), _monday(_end(d, n) + timedelta(5))) for label, d, n in starts]
    starts = [(f"{d:%Y-%m}", d, 1) for d in pd.date_range("2026-01-01", "2026-06-01", freq="MS")]
    return [(label, d.date(), _end(d, n), _end(d, n) + timedelta(24)) for label, d, n in starts]


def _monday(day: date) -> date:
    """The day, or the Monday after it where it is one of a weekend (none of these days is a holiday)."""
    return day + timedelta(max(0, 7 - day.weekday()) if day.weekday() > 4 else 0)


def _end(start: pd.Timestamp, months: int) -> date:
    return (start + pd.DateOffset(months=months) - pd.Timedelta(days=1)).date()


def _rows(dataset: str, n: int, bad: int, blank: int) -> bytes:
    """A file of ``n`` rows, the last of which have a number that is none or an empty required cell."""
    wrong = ["nhiều"] * bad + [""] * blank
    good = [70 if dataset == "villages" else 81] * (n - len(wrong))
    rows: list[tuple[Any, ...]]
    if dataset == "villages":
        rows = [VILLAGES, *((f"Thôn {chr(65 + i)}", "Thôn", cell, 400) for i, cell in enumerate(good + wrong))]
    else:
        scores = (25, 80, 80, 80, 56)
        rows = [KPI, *((f"0560{80 + i}0001{i:02}", "SNV", *scores, cell, "T") for i, cell in enumerate(good + wrong))]
    return text_csv(rows)


def _send(world: World, luck: random.Random, dataset: str, sender: str, period: tuple[str, date, date, date]) -> Sent:
    label, first, last, due = period
    told = Sent(dataset, sender, first, last, due)
    fate, n = luck.choice(FATES[dataset]), luck.randint(7, 8)
    name = f"{dataset}.csv"

    def put(day: date, data: bytes, as_name: str = name) -> None:
        told.received = min(told.received or day, day)
        when = datetime(day.year, day.month, day.day, 3, luck.randrange(60), tzinfo=UTC)
        world.drop(sender, data, as_name, period=label, at=when, sidecar={"dataset": dataset})

    in_time, late = due - timedelta(luck.randrange(3)), due + timedelta(luck.randint(1, 9))
    bad, blank = {"bad": (2, 0), "blank": (1, 2), "mended": (2, 1), "mended late": (1, 1)}.get(fate, (0, 0))
    if fate == "none":
        when = datetime(in_time.year, in_time.month, in_time.day, 3, tzinfo=UTC)
        world.drop(
            sender, f"nothing_to_report: true\ndataset: {dataset}\n".encode(), "khong.yaml", period=label, at=when
        )
        told.received, told.taken = in_time, True
    elif fate == "refused":  # too many rows that cannot be used
        put(in_time, _rows(dataset, n, n, 0))
    elif fate != "silent":
        put(late if fate == "late" else in_time, _rows(dataset, n, bad, blank))
        told.taken, told.good, told.faulty, told.blank = True, n - bad - blank, bad + blank, blank
        if fate.startswith("mended"):
            put(late if fate == "mended late" else in_time + timedelta(1), _rows(dataset, n + 1, 0, 0), f"lan 2 {name}")
            told.good, told.faulty, told.blank = n + 1, 0, 0
    return told


@pytest.fixture(scope="module")
def ledger(make_world: Make) -> tuple[World, pd.DataFrame]:
    """A world in which some senders have sent for three quarters and six months, and a line for everything that was due."""
    world, luck = make_world(), random.Random(5)
    communes = world.communes
    departments = sorted(s.code for s in world.pipeline.senders.values() if s.kind != "commune")
    told = []
    for dataset, senders in (("villages", communes), ("kpi_evaluations", communes + departments)):
        for period in _periods(dataset):
            for sender in senders:
                if sender in communes[:12] or sender in departments[:3]:
                    told.append(_send(world, luck, dataset, sender, period))
                else:
                    told.append(Sent(dataset, sender, *period[1:]))
    norms = [("Mã định mức", "Áp dụng cho", "Từ ngày", "Giá trị", "Căn cứ")]
    norms += [(f"REMINDERS_{name}", "", "01/01/2026", value, "Thử nghiệm") for name, value in LEVELS.items()]
    world.drop("SNV", text_csv(norms), "dinh_muc.csv", period="2026-07", at=datetime(2026, 8, 3, 3, tzinfo=UTC))
    world.run()
    log = pd.DataFrame(told).assign(kind=["COMMUNE" if t.sender in communes else "ORGANIZATION" for t in told])
    return world, log


def _figures(log: pd.DataFrame, first: date, last: date) -> dict[tuple[str, str, str, str], tuple[Any, Any, Any]]:
    """(indicator, variant, kind of unit, unit) -> (numerator, denominator, value) for a period."""
    within = log[(log["last"] >= first) & (log["last"] <= last)]
    past = log[log["last"] <= last]
    year = past[past["last"] >= last.replace(month=1, day=1)]
    found: dict[tuple[str, str, str, str], tuple[Any, Any, Any]] = {}

    def say(code: str, frame: pd.DataFrame, share: bool, variant: str = "", most: bool = False) -> None:
        whole = [("PROVINCE", "56", frame)] if len(frame) else []
        for kind, unit, part in [*whole, *((k, u, p) for (k, u), p in frame.groupby(["kind", "sender"]))]:
            n = int(part["n"].max() if most else part["n"].sum())
            d = int(part["d"].sum()) if share else None
            found[code, variant, kind, unit] = n, d, n if d is None else half_up(Decimal(n), Decimal(d)) if d else None

    in_time = [
        t and r is not None and r <= due
        for t, r, due in zip(within["taken"], within["received"], within["due"], strict=True)
    ]
    say("I42", within.assign(n=np.array(in_time, dtype=int), d=1), True)
    stands = within[within["taken"]]
    cells = (stands["good"] + stands["faulty"]) * stands["dataset"].map(REQUIRED)
    say("I43", stands.assign(n=cells - stands["blank"], d=cells), True)
    say("I44", stands.assign(n=stands["good"], d=stands["good"] + stands["faulty"]), True)
    late = [r is None or r > due for r, due in zip(year["received"], year["due"], strict=True)]
    reminded = year.assign(n=np.array(late, dtype=int))
    say("I45", reminded, False)
    ages = []
    for (dataset, sender, kind), part in past.groupby(["dataset", "sender", "kind"]):
        newest = part.loc[part["taken"], "last"].max() if part["taken"].any() else part["first"].min()
        ages.append({"dataset": dataset, "sender": sender, "kind": kind, "n": (last - newest).days})
    if ages:
        say("I45", pd.DataFrame(ages), False, "FRESHNESS", most=True)
    for name, least in LEVELS.items():
        if len(reminded):
            by_sender = reminded.groupby(["kind", "sender"], as_index=False)["n"].sum()
            say("I45", by_sender.assign(n=(by_sender["n"] >= least).astype(int)), False, name)
    return found


def test_every_figure_of_the_ledger_is_that_of_a_second_computation(ledger: tuple[World, pd.DataFrame]) -> None:
    world, log = ledger
    assert dict(world.rows("select state, count(*) from intake.submission group by 1")).keys() == {
        "accepted", "partly", "superseded", "held",
    }  # fmt: skip
    periods = world.rows(
        "select distinct period, first_day, as_of from core.indicator_value where publish_to is null "
        "and indicator in ('I42', 'I43', 'I44', 'I45') and as_of < '2026-07-31'"
    )
    assert {p for p, *_ in periods} >= {"2025", "2025-Q4", "2026-Q1", "2026-Q2", "2026-01", "2026-06"}
    count = 0
    for period, first, last in periods:
        found = {
            tuple(r[:4]): tuple(r[4:])
            for r in world.rows(
                "select indicator, variant, unit_kind, unit, numerator, denominator, value from core.indicator_value "
                "where publish_to is null and indicator in ('I42', 'I43', 'I44', 'I45') and period = %s",
                [period],
            )
        }
        wanted = _figures(log, first, last)
        if last < date(2026, 1, 1):  # no norm yet: nobody knows
            wanted |= {k: (None, None, None) for k in wanted if k[1].startswith("LEVEL")}
        assert {
            k: (found.get(k), wanted.get(k)) for k in found.keys() | wanted.keys() if found.get(k) != wanted.get(k)
        } == {}, period
        count += len(wanted)
    assert count > 3000


def test_changes_told_too_late_are_counted_in_working_days(make_world: Make) -> None:
    world, luck = make_world(), random.Random(3)
    head = ("Số CCCD", "Mã tổ chức", "Chức danh", "Chính", "Số quyết định", "Từ ngày")
    norms = [
        ("Mã định mức", "Áp dụng cho", "Từ ngày", "Giá trị", "Căn cứ"),
        ("EVENT_LAG_DAYS", "", "01/03/2026", LAG, "Thử nghiệm"),
    ]
    world.drop("SNV", text_csv(norms), "dinh_muc.csv", period="2026-03", at=datetime(2026, 3, 1, tzinfo=UTC))
    begun: list[tuple[date, date]] = []
    for month in (2, 3, 4):
        rows: list[tuple[Any, ...]] = []
        for day in sorted(luck.sample(range(18, 29), 3)):  # three letters a month, each with all that came before it
            received = date(2026, month, day)
            for _ in range(5):
                start = min(received, date(2026, month, luck.randint(9, 28)))
                rows.append(
                    (
                        f"0560{80 + len(rows) % 10}0{month:02}{len(begun):03}",
                        "SNV",
                        "Phó Giám đốc Sở",
                        "x",
                        "1",
                        f"{start:%d/%m/%Y}",
                    )
                )
                begun.append((start, received))
            at = datetime(2026, month, received.day, 3, len(begun) % 60, tzinfo=UTC)
            world.drop("BTC", text_csv([head, *rows]), f"thay_doi_{len(begun)}.csv", period=f"2026-{month:02}", at=at)
    world.run()
    posts = pd.DataFrame(begun, columns=["start", "told"])
    assert world.rows("select count(*) from mart_v1.assignments_history") == [(len(posts),)]
    # the day of the decision does not count, the day of receipt does
    days = np.busday_count(posts["start"].to_numpy("M8[D]") + 1, posts["told"].to_numpy("M8[D]") + 1, holidays=HOLIDAYS)
    posts["late"] = days > LAG
    for month, known in ((2, False), (3, True), (4, True)):
        late = int(posts.loc[[s.month == month for s in posts["start"]], "late"].sum())
        found = world.rows(
            "select unit_kind, unit, numerator, value, unknown from core.indicator_value where publish_to is null "
            "and indicator = 'I46' and variant = 'LATE' and period = %s order by 1",
            [f"2026-{month:02}"],
        )
        value = (late, late, 0) if known else (None, None, 15)
        assert found == [("ORGANIZATION", "SNV", *value), ("PROVINCE", "56", *value)]
        assert 0 < late < 15


def test_the_plan_of_a_year_is_due_before_it_begins(make_world: Make) -> None:
    world = make_world()
    whole = invented.province(world.communes)["public_service_units"]
    contract = world.pipeline.contracts["public_service_units"]

    def send(frame: pd.DataFrame, period: str, day: datetime) -> None:
        data = invented.table(contract, frame)
        world.drop("STC", data, f"{day:%m%d}.csv", period=period, at=day, sidecar={"dataset": "public_service_units"})

    rows = whole[whole["kind"] == "THUC_HIEN"]
    plan = rows.iloc[:3].assign(kind="KE_HOACH")
    send(plan, "2026", datetime(2025, 12, 20, 3, tzinfo=UTC))
    mixed = pd.concat([rows.iloc[:4], plan.iloc[:2], plan.iloc[2:].assign(own_revenue="nhiều")])
    send(mixed, "2025", datetime(2026, 7, 15, 3, tzinfo=UTC))
    world.run()
    found = world.rows(
        "select period, period_last, due_on, due, state, rows_accepted, rows_faulty, reminders from mart_v1.submission_log "
        "where dataset = 'public_service_units' order by 1"
    )
    assert found == [
        # the result of a year is due on 30 June, and came late; its plan came a year and a half late
        ("2025", date(2025, 12, 31), date(2026, 6, 30), True, "DAT_MOT_PHAN", 4, 0, 1),
        ("2025/KE_HOACH", date(2024, 12, 31), date(2024, 12, 31), True, "DAT_MOT_PHAN", 2, 1, 1),
        # a plan is no result: that of 2026 is not due yet
        ("2026/KE_HOACH", date(2025, 12, 31), date(2025, 12, 31), True, "DAT", 3, 0, 0),
    ]
    assert world.run().published is None
