"""The whole province: what is invented is consistent with itself, and what is told of it follows from it."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest

from pipelines.sample import PERIODIC, SMALL, Size, Truth, compare_frame, generate
from pipelines.sample.bodies import DEPARTMENTS, make_bodies
from pipelines.sample.casework import Casework, reporting_month
from pipelines.sample.lists import FORMS
from pipelines.sample.officers import MEMBER, make_people, posts, staff_at
from pipelines.sample.work import month_end, months_of
from pipelines.sample.world import last_day
from schemas.contract import builtin_folder, load_contracts

COMMUNES = [
    ("22333", "Phường Bắc Nha Trang"),
    ("22366", "Phường Nha Trang"),
    ("22651", "Xã Diên Khánh"),
    ("22852", "Xã Ninh Hải"),
]
PERIODS = ("2025-Q3", "2025-Q4", "2026-Q1", "2026-Q2")
EIGHT = (*PERIODS, "2026-Q3", "2026-Q4", "2027-Q1", "2027-Q2")
MONTHS = [m for p in PERIODS for m in months_of(p)]


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Truth]:
    folder = tmp_path_factory.mktemp("province") / "inbox"
    return folder, generate(folder, communes=COMMUNES, periods=PERIODS, defects=False, province=SMALL)


def planted(truth: Truth, dataset: str, what: str) -> pl.DataFrame:
    return truth.frames.planted.filter(dataset=dataset, what=what)


def test_the_same_seed_gives_the_same_files_and_frames(tmp_path: Path) -> None:
    first, again = (
        generate(tmp_path / n, communes=COMMUNES[:2], periods=PERIODS[:2], defects=False, province=SMALL) for n in "ab"
    )
    assert first == again
    for s in first.submissions:
        one, other = (tmp_path / n / s.path for n in "ab")
        assert one.read_bytes() == other.read_bytes()
        assert one.stat().st_mtime == other.stat().st_mtime == s.received_at.timestamp()
    assert first.frames.datasets() == again.frames.datasets()
    for dataset in first.frames.datasets():
        assert getattr(first.frames, dataset).equals(getattr(again.frames, dataset)), dataset
    other_seed = generate(
        tmp_path / "c", seed=7, communes=COMMUNES[:2], periods=PERIODS[:2], defects=False, province=SMALL
    )
    for dataset in ("staff", "dossiers", "kpi_evaluations", "annual_quotas", "public_service_units"):
        assert not getattr(other_seed.frames, dataset).equals(getattr(first.frames, dataset)), dataset


def test_the_truth_is_kept_with_its_frames(sample: tuple[Path, Truth], tmp_path: Path) -> None:
    _, truth = sample
    truth.save(tmp_path)
    found = Truth.load(tmp_path)
    assert found == truth
    assert found.frames.datasets() == truth.frames.datasets()
    for dataset in truth.frames.datasets():
        assert getattr(found.frames, dataset).equals(getattr(truth.frames, dataset)), dataset
    with pytest.raises(AttributeError):
        _ = found.frames.elephants


def test_frames_have_the_columns_of_the_contracts(sample: tuple[Path, Truth]) -> None:
    _, truth = sample
    contracts = load_contracts([builtin_folder()])
    assert set(truth.frames.datasets()) > PERIODIC
    for dataset in truth.frames.datasets():
        if dataset != "planted":
            known = {c.name for c in contracts[dataset].columns} | {"valid_from", "valid_to"}
            assert set(getattr(truth.frames, dataset).columns) <= known, dataset


def test_lists_are_written_under_headers_that_the_contracts_know() -> None:
    contracts = load_contracts([builtin_folder()])
    for dataset, form in FORMS.items():
        headers = {c.name: {h.casefold() for h in c.synonyms} for c in contracts[dataset].columns}
        for name, header in form.headers.items():
            assert header.casefold() in headers[name], (dataset, name, header)


def test_the_whole_province_has_its_size_and_comes_to_its_norms() -> None:
    communes = [(f"{22300 + 3 * n}", f"{'Phường' if n % 4 == 0 else 'Xã'} Số {n}") for n in range(65)]
    bodies = make_bodies(1, communes, EIGHT, Size())
    people = make_people(1, bodies, EIGHT, Size())
    staff = [staff_at(people, q) for q in range(len(EIGHT))]
    assert staff[0].height == 44_700
    assert all(abs(s.height - 44_700) < 400 for s in staff)
    departments = bodies.filter(kind="SO")
    assert departments.height == len(DEPARTMENTS) == 15
    assert departments.filter(pl.col("ends") > 2).height == 14
    held = posts(people, 1).filter(
        pl.col("organization_code").is_in(departments["code"].implode()) & (pl.col("post") == "CAP_PHO")
    )
    counts = []
    for period in EIGHT:
        day = last_day(period)
        there = (pl.col("started_on") <= day) & (pl.col("ended_on").is_null() | (pl.col("ended_on") >= day))
        counts.append(held.filter(there).height)
    assert counts == sorted(counts, reverse=True)
    assert 54 < counts[-1] < counts[0]
    # four to five bodies in a commune; those with a fifth come down
    five = bodies.filter(pl.col("kind").is_in(["PHONG_XA", "TT_PVHCC"]))
    assert 4 * 65 < five.filter(pl.col("ends") == len(EIGHT)).height < five.height <= 4.5 * 65
    # who has no computer scientist at first, and finds one later
    it = [
        s.filter((pl.col("specialism") == "CNTT_CDS") & pl.col("organization_code").str.ends_with(".VP")) for s in staff
    ]
    lacking = [65 - i["organization_code"].n_unique() for i in it]
    assert 30 <= lacking[0] <= 48
    assert lacking[-1] < lacking[0]


def test_people_are_told_apart_and_their_numbers_fit(sample: tuple[Path, Truth]) -> None:
    staff = sample[1].frames.staff
    people = staff.unique("citizen_id")
    ids = people["citizen_id"]
    assert ids.str.len_chars().unique().to_list() == [12]
    assert (ids.str.slice(4, 2).cast(pl.Int64) == people["date_of_birth"].dt.year() % 100).all()
    assert ((ids.str.slice(3, 1).cast(pl.Int64) % 2 == 1) == (people["gender"] == "NU")).all()
    assert people["citizen_id"].str.slice(6).n_unique() == people.height
    # one place at a time, and no version that says what the one before said
    order = staff.sort("citizen_id", "valid_from")
    after = pl.col("valid_from").shift(-1).over("citizen_id")
    assert order.filter(pl.col("valid_to").is_null() & after.is_not_null()).is_empty()
    assert order.filter(pl.col("valid_to") > after).is_empty()


def test_posts_are_held_by_those_on_the_lists_and_by_one_at_a_time(sample: tuple[Path, Truth]) -> None:
    frames = sample[1].frames
    held = frames.assignments
    assert set(held["citizen_id"]) <= set(frames.staff["citizen_id"])
    assert set(held["organization_code"]) <= set(frames.organizations["organization_code"])
    assert held.select("citizen_id", "organization_code", "post", "started_on").is_unique().all()
    for period in PERIODS:
        day = last_day(period)
        now = held.filter((pl.col("started_on") <= day) & (pl.col("valid_to").is_null() | (pl.col("valid_to") > day)))
        keys = now.filter(pl.col("post").is_in(["BI_THU", "CT_UBND", "CN_UBKT"]))
        assert keys.group_by("organization_code", "post").len().filter(pl.col("len") > 1).is_empty()
        assert keys["local_origin"].null_count() == 0
        assert now.filter("is_main").group_by("citizen_id").len()["len"].max() == 1
    ended = held.filter(pl.col("ended_on").is_not_null())
    assert (ended["ended_on"] > ended["started_on"]).all()
    assert ended.filter(pl.col("ended_on") > last_day(PERIODS[-1]) + timedelta(days=1)).is_empty()


def test_ratings_follow_from_scores_but_for_what_is_planted(sample: tuple[Path, Truth]) -> None:
    _, truth = sample
    rated = truth.frames.kpi_evaluations.with_columns(period=pl.col("valid_from").dt.to_string("%Y-%m"))
    sums = planted(truth, "kpi_evaluations", "SUM").select("period", citizen_id="key")
    bands = planted(truth, "kpi_evaluations", "BAND").select("period", citizen_id="key")
    off = rated.filter((pl.col("total_score") - pl.col("common_score") - pl.col("result_score")).abs() > 0.051)
    assert set(off.select("period", "citizen_id").iter_rows()) == set(sums.iter_rows())
    score = pl.col("total_score")
    band = (
        pl.when(score >= 90)
        .then(pl.lit("XS"))
        .when(score >= 70)
        .then(pl.lit("T"))
        .when(score >= 50)
        .then(pl.lit("HT"))
        .otherwise(pl.lit("KHT"))
    )
    odd = rated.filter(pl.col("rating") != band)
    assert set(odd.select("period", "citizen_id").iter_rows()) == set(bands.iter_rows())
    parts = [c for c in rated.columns if c.endswith("_pct")]
    mean = pl.mean_horizontal(parts) * 0.7
    assert rated.filter((pl.col("result_score") - mean).abs() > 0.006).is_empty()
    group = ["period", "organization_code", "task_group"]
    caps = set(planted(truth, "kpi_evaluations", "CAP").select("period", citizen_id="key").iter_rows())
    wrong = {*caps, *sums.iter_rows(), *bands.iter_rows()}
    count = rated.group_by(group).agg(
        xs=(pl.col("rating") == "XS").sum(), t=(pl.col("rating") == "T").sum(), people=pl.col("citizen_id")
    )
    over = count.filter(pl.col("xs") > (pl.col("t") * 0.2).floor())
    for row in over.iter_rows(named=True):
        assert {(row["period"], person) for person in row["people"]} & wrong
    assert rated.group_by("period").len().height == len(MONTHS)


def test_statistics_follow_from_dossiers_but_for_what_is_planted(sample: tuple[Path, Truth]) -> None:
    _, truth = sample
    cases = truth.frames.dossiers.to_pandas()
    assert len(cases) == SMALL.dossiers
    assert cases["dossier_number"].is_unique
    sums = truth.frames.service_statistics
    key = pl.col("organization_code") + " " + pl.col("procedure_code")
    came = sums["received_online"] + sums["received_in_person"] + sums["received_by_post"] + sums["opening_stock"]
    went = sums.select(
        pl.sum_horizontal(
            "withdrawn", "resolved_early", "resolved_on_time", "resolved_late", "pending_in_time", "pending_overdue"
        )
    ).to_series()
    for month in MONTHS:
        first, last = reporting_month(month)
        here = pl.lit(sums["valid_from"] == first)
        off = sums.filter(here & pl.lit(came != went)).select(key).to_series().to_list()
        assert off == []
        told = sums.filter(here).with_columns(key=key).to_pandas().set_index("key")
        wrong = set(truth.frames.planted.filter(dataset="service_statistics", period=month)["key"])
        days = pl.Series([first, last]).dt.to_string().to_list()
        at = {c: cases[c].astype("datetime64[ns]") for c in ("received_on", "due_on", "finished_on", "withdrawn_on")}
        name = cases["organization_code"] + " " + cases["procedure_code"]
        received = at["received_on"].between(*days)
        finished = at["finished_on"].between(*days)
        ended = at["finished_on"].fillna(at["withdrawn_on"])
        pending = (at["received_on"] <= days[1]) & ~(ended <= days[1])
        counted = {
            "received_online": received & (cases["channel"] == "TRUC_TUYEN"),
            "resolved_early": finished & (at["finished_on"] < at["due_on"]),
            "resolved_late": finished & (at["finished_on"] > at["due_on"]),
            "withdrawn": at["withdrawn_on"].between(*days),
            "pending_overdue": pending & (at["due_on"] < days[1]),
            "pending_in_time": pending & (at["due_on"] >= days[1]),
            "opening_stock": (at["received_on"] < days[0]) & ~(ended < days[0]),
            "digitised": received & cases["digitised"],
        }
        for column, which in counted.items():
            right = which.groupby(name).sum()
            right = right[right.index.isin(told.index)]
            differs = set(right.index[(told[column].reindex(right.index) != right).to_numpy()])
            assert differs <= wrong, (month, column)


def test_dossiers_are_known_as_of_the_last_month_and_none_takes_for_ever(sample: tuple[Path, Truth]) -> None:
    cases = sample[1].frames.dossiers
    end = month_end(MONTHS[-1])
    assert cases.select(pl.max_horizontal("received_on", "finished_on", "withdrawn_on").max()).item() <= end
    assert cases.filter(pl.col("finished_on").is_not_null() & pl.col("withdrawn_on").is_not_null()).is_empty()
    open_ = cases.filter(pl.col("finished_on").is_null() & pl.col("withdrawn_on").is_null())
    assert open_["received_on"].min() > end - timedelta(days=140)  # type: ignore[operator]
    assert 0 < open_.height < cases.height / 5


def test_quotas_needs_and_finances_fit_the_bodies(sample: tuple[Path, Truth]) -> None:
    frames = sample[1].frames
    codes = set(frames.organizations["organization_code"])
    for dataset in ("annual_quotas", "specialist_needs", "public_service_units", "kpi_evaluations"):
        assert set(getattr(frames, dataset)["organization_code"]) <= codes, dataset
    quotas = frames.annual_quotas
    assert (quotas["appointments"].drop_nulls() >= quotas["appointments_published"].drop_nulls()).all()
    assert (quotas["proposals"].drop_nulls() >= quotas["proposals_approved"].drop_nulls()).all()
    # a year is counted when it is over
    assert quotas.filter(pl.col("appointments").is_null())["year"].unique().to_list() == [2026]
    named = frames.assignments.filter((pl.col("appointment") == "BO_NHIEM") & (pl.col("started_on").dt.year() == 2025))
    assert quotas.filter(year=2025)["appointments"].sum() == named.height
    there = (
        frames.staff.filter(pl.col("valid_from") == last_day(PERIODS[0])).group_by("organization_code").len("people")
    )
    seats = quotas.filter(year=2025).join(there, on="organization_code")
    assert (seats["people"] <= seats["civil_servant_posts"] + seats["public_employee_posts"]).all()
    money = frames.public_service_units
    assert set(money["kind"]) == {"KE_HOACH", "THUC_HIEN"}
    assert money.filter(kind="THUC_HIEN")["valid_from"].unique().to_list() == [date(2025, 1, 1)]
    assert (money["state_budget"] == (money["recurrent_spending"] - money["own_revenue"]).clip(0)).all()


def test_a_commune_says_the_same_in_all_its_lists(sample: tuple[Path, Truth]) -> None:
    frames = sample[1].frames
    for number, period in enumerate(PERIODS):
        day = last_day(period)
        now = frames.villages.filter(
            (pl.col("valid_from") <= day) & (pl.col("valid_to").is_null() | (pl.col("valid_to") > day))
        )
        counted = now.group_by("commune_code").agg(pl.col("households").sum(), people=pl.col("population").sum())
        digital = frames.digital_transformation.filter((pl.col("valid_from") <= day) & (pl.col("valid_to") <= day))
        digital = digital.sort("valid_from").group_by("commune_code").last()
        both = counted.join(digital, on="commune_code")
        assert both.height == len(COMMUNES)
        assert (both["households"] == both["households_right"]).all(), number
        parts = {
            "vneid_level2": "adults",
            "digitally_skilled_adults": "adults",
            "skilled_officials": "officials",
            "it_officials": "officials",
            "connected_households": "households_right",
            "officials_needing_computer": "officials",
            "adults": "people",
        }
        for part, whole in parts.items():
            assert (both[part] <= both[whole]).all(), (period, part)


def test_every_dataset_is_sent_in_every_quarter_that_it_is_due(sample: tuple[Path, Truth]) -> None:
    _, truth = sample
    sent = {(s.dataset, s.period) for s in truth.submissions}
    for period in PERIODS:
        assert {
            (d, period) for d in ("villages", "staff", "digital_transformation", "population", "administrative_units")
        } <= sent
    for month in MONTHS:
        assert {(d, month) for d in ("kpi_evaluations", "dossiers", "service_statistics")} <= sent
    for year in ("2025", "2026"):
        assert {(d, year) for d in ("annual_quotas", "specialist_needs", "public_service_units")} <= sent


def test_a_frame_that_differs_is_told_by_row() -> None:
    right = pl.DataFrame({"a": ["x", "y"], "n": [1, None]}, schema={"a": pl.String, "n": pl.Int64})
    assert compare_frame("d", right, right.reverse()) == []
    lacks, holds = compare_frame("d", right, right.with_columns(n=pl.col("n").fill_null(3)))
    assert lacks == "d: the warehouse lacks a y"
    assert holds == "d: the warehouse holds, and the truth does not, a y, n 3"
    assert len(compare_frame("d", right, pl.concat([right, right]))) == 2


def test_members_are_no_leaders() -> None:
    bodies = make_bodies(3, COMMUNES, PERIODS, SMALL)
    staff = staff_at(make_people(3, bodies, PERIODS, SMALL), 2)
    leads = staff.filter(pl.col("role") != MEMBER)
    assert leads.filter(pl.col("position").is_in(["Chuyên viên", "Giáo viên", "Nhân viên y tế"])).is_empty()
    assert leads.filter(pl.col("role") == 0).group_by("body").len()["len"].max() == 1


def test_a_body_that_ends_leaves_no_dossier_open() -> None:
    offices = pl.DataFrame(
        {"code": ["A", "B"], "commune": [None, None], "weight": [0.5, 0.5], "ends": [1, 99]},
        schema_overrides={"commune": pl.String},
    )
    cases = Casework(1, ("2026-Q1", "2026-Q2"), offices, 6000)
    last = date(2026, 3, 31)
    all_ = pl.concat([cases.received(m) for m in range(6)]).with_columns(
        done=pl.coalesce("finished_on", "withdrawn_on")
    )
    ended = all_.filter(organization_code="A")
    assert ended.height > 1000 and ended["done"].max() == last and (ended["received_on"] <= ended["done"]).all()
    assert all_.filter(organization_code="B")["done"].max() > last
    # it is in the statistics of the reporting month in which it ended, and of none after
    told = [cases.statistics(m)["organization_code"].unique().sort().to_list() for m in range(6)]
    assert told == [["A", "B"]] * 4 + [["B"]] * 2
    assert cases.statistics(3).filter(organization_code="A").select(
        pl.col("pending_in_time", "pending_overdue").sum()
    ).row(0) == (0, 0)
