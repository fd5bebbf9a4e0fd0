"""What is said of the work of the invented province's people and bodies: ratings by month, quotas and needs by year.

Belongs here: scores, ratings by their bands, the few that contradict themselves, quotas that fit the bodies. Does not belong here:
who the people are, files.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import numpy as np
import polars as pl

from .bodies import first_day
from .frames import stream
from .officers import DEPUTY, FIELDS, MEMBER, People, allowed_deputies

KPI_SHARE = 0.2
"""Of those who are rated T, how many more may be rated XS (NĐ 335/2025)."""


def months_of(period: str) -> list[str]:
    """The labels of a quarter's three months."""
    start = first_day(period)
    return [f"{start.year}-{start.month + n:02}" for n in range(3)]


def month_end(month: str) -> date:
    """The last day of a month."""
    year, number = int(month[:4]), int(month[5:])
    return date(year + number // 12, number % 12 + 1, 1) - timedelta(days=1)


def ratings(seed: int, staff: pl.DataFrame, month: str) -> pl.DataFrame:
    """The ratings of one month, of ``staff`` (as :func:`.officers.staff_at`): the contract's columns, sender, and planted: 'SUM'
    (the total is not that of its parts), 'BAND' (the rating is not that of its score), 'CAP' (of a group with too many XS) or null.

    Scores are in hundredths, so that sums are exact. One in fifty has no rating yet.
    """
    rng = stream(seed, "ratings", month)
    staff = staff.filter(pl.Series(rng.random(staff.height) >= 0.02))
    count = staff.height
    leads = staff["role"].to_numpy() != MEMBER
    number = staff["number"].to_numpy()
    gift = (number * 2654435761 % 1000) / 1000  # a person is much the same from month to month
    parts = np.clip(np.round(rng.normal(86 + 12 * gift, 7, (6, count))), 30, 100).astype(int) * 100
    weak = rng.random(count) < 0.03
    parts[:, weak] = np.round(rng.uniform(35, 70, (6, int(weak.sum())))).astype(int) * 100
    parts[3:, ~leads] = 0
    mean = np.where(leads, parts.sum(axis=0) / 6, parts[:3].sum(axis=0) / 3)
    result = np.round(mean * 0.7).astype(int)
    common = np.round(rng.uniform(2500, 3000, count) / 50).astype(int) * 50
    common[weak] = np.round(rng.uniform(1000, 2200, int(weak.sum())) / 50).astype(int) * 50
    body = staff["body"].to_numpy()
    group = body * 2 + leads
    careless = (stream(seed, "careless").random(int(body.max(initial=0)) + 1) < 0.02)[body]
    total = result + common
    excellent = total >= 9000
    # of those who come to 90 as many stay as the cap allows; the others lose points for what all must have in common
    frame = pl.DataFrame({"group": group, "total": total, "row": np.arange(count)})
    rank = frame.select(pl.col("total").rank("ordinal", descending=True).over("group")).to_series().to_numpy()
    good = frame.select(((pl.col("total") >= 7000).sum()).over("group")).to_series().to_numpy()
    room = np.floor(good * KPI_SHARE / (1 + KPI_SHARE) + 1e-9)
    over = excellent & (rank > room) & ~careless
    common = np.where(over, common - (total - 8990), common)
    total = result + common
    rating = np.select([total >= 9000, total >= 7000, total >= 5000], ["XS", "T", "HT"], "KHT")
    xs = (
        pl.DataFrame({"group": group, "xs": rating == "XS"})
        .select(pl.col("xs").sum().over("group"))
        .to_series()
        .to_numpy()
    )
    planted = np.where(careless & (rating == "XS") & (xs > room), "CAP", "")
    draw = rng.random(count)
    wrong = draw < 0.0008
    total = np.where(wrong, np.minimum(total + 150, 10000), total)
    planted = np.where(wrong & (total != result + common), "SUM", planted)
    keeps = np.select([total >= 9000, total >= 7000, total >= 5000], ["XS", "T", "HT"], "KHT")
    rating = np.where(wrong, keeps, rating)
    generous = (draw > 0.9993) & (rating == "HT")
    rating = np.where(generous, "T", rating)
    planted = np.where(generous, "BAND", planted)
    end = month_end(month)

    def score(values: np.ndarray, given: np.ndarray | bool = True) -> pl.Expr:
        return pl.when(pl.lit(pl.Series(np.broadcast_to(given, count)))).then(pl.lit(pl.Series(values / 100)))

    failed = rating == "KHT"
    return staff.select(
        "citizen_id",
        "organization_code",
        task_group=pl.when(pl.col("role") == MEMBER).then(pl.lit("Chuyên môn")).otherwise(pl.lit("Lãnh đạo, quản lý")),
        common_score=score(common),
        quantity_pct=score(parts[0]),
        quality_pct=score(parts[1]),
        progress_pct=score(parts[2]),
        unit_result_pct=score(parts[3], leads),
        organising_pct=score(parts[4], leads),
        uniting_pct=score(parts[5], leads),
        result_score=score(result),
        total_score=score(total),
        rating=pl.Series(rating),
        failing_reason=pl.when(pl.lit(pl.Series(failed))).then(pl.lit("Chậm tiến độ nhiều nhiệm vụ")),
        approved_on=pl.lit(end) + pl.duration(days=pl.lit(pl.Series(3 + number % 18))),
        commune_code="commune_code",
        sender="sender",
        planted=pl.Series(planted).replace("", None),
    )


def years_of(periods: Sequence[str]) -> list[int]:
    """The years in which the quarters lie."""
    return sorted({int(p[:4]) for p in periods})


def quotas(people: People, seed: int, posts: pl.DataFrame) -> pl.DataFrame:
    """Quotas by body and year: the contract's columns, and lists (SNV or BTC). What is counted over a year is known where the
    quarters hold its last one. ``posts``: as :func:`.officers.posts`."""
    bodies, periods = people.bodies, people.periods
    allowed = allowed_deputies(bodies)
    sizes = people.persons.filter(pl.col("joins") == 0).group_by("body").len("size")
    frames = []
    named = posts.filter(pl.col("appointment") == "BO_NHIEM")
    for year in years_of(periods):
        rng = stream(seed, "quotas", year)
        quarter = next(n for n, p in enumerate(periods) if int(p[:4]) == year)
        ended = pl.lit(f"{year}-Q4" in periods)
        base = bodies.with_row_index("body").with_columns(
            pl.col("body").cast(pl.Int64), allowed=pl.Series(allowed), proposals=pl.Series(rng.poisson(1.2, bodies.height)),
            kept=pl.Series(rng.random(bodies.height)), talents=pl.Series((rng.random(bodies.height) < 0.03).astype(int)),
        )  # fmt: skip
        counted = named.filter(pl.col("started_on").dt.year() == year).group_by("organization_code").agg(
            appointments=pl.len(), appointments_published=pl.col("published").sum()
        )  # fmt: skip
        frames.append(
            base.filter(pl.col("ends") > quarter)
            .join(sizes, on="body", how="left")
            .join(counted, left_on="code", right_on="organization_code", how="left")
            .select(
                organization_code="code",
                year=pl.lit(year),
                civil_servant_posts="seats",
                public_employee_posts=pl.when(pl.col("weight") > 0).then(pl.col("size").fill_null(0)).otherwise(0),
                deputies_allowed="allowed",
                appointments=pl.when(ended).then(pl.col("appointments").fill_null(0)),
                appointments_published=pl.when(ended).then(pl.col("appointments_published").fill_null(0)),
                proposals=pl.when(ended).then("proposals"),
                proposals_approved=pl.when(ended).then((pl.col("proposals") * pl.col("kept")).floor()),
                talents_attracted=pl.when(ended).then("talents"),
                lists="lists",
            )
        )
    return (
        pl.concat(frames)
        .with_columns(pl.exclude("organization_code", "lists").cast(pl.Int64))
        .sort("year", "organization_code")
    )


def needs(people: People, seed: int) -> pl.DataFrame:
    """What specialists each body of a commune needs in each year: the contract's columns. Every commune needs one for IT."""
    rng = stream(seed, "needs")
    bodies = people.bodies
    rows = []
    for year in years_of(people.periods):
        quarter = next(n for n, p in enumerate(people.periods) if int(p[:4]) == year)
        for suffix, fields in FIELDS.items():
            wanted = {field: fields.count(field) for field in dict.fromkeys(fields)}
            named = (pl.col("level") == "XA") & pl.col("code").str.ends_with(f".{suffix}")
            here = bodies.filter(named & (pl.col("ends") > quarter))
            for field, count in wanted.items():
                rows.append(
                    here.select(
                        organization_code="code", year=pl.lit(year), specialism=pl.lit(field),
                        needed=pl.Series(np.maximum(count - (rng.random(here.height) < 0.3), 1)), commune_code="commune",
                    )
                )  # fmt: skip
    order = ["commune_code", "year", "organization_code", "specialism"]
    return pl.concat(rows).with_columns(pl.col("needed").cast(pl.Int64)).sort(order)


def finances(people: People, seed: int) -> pl.DataFrame:
    """Revenue and spending of public service units, planned and actual, by year: the contract's columns, and sender. A few are in
    a group that their figures contradict."""
    units = people.bodies.with_row_index("body").filter(pl.col("kind") == "DVSN")
    frames = []
    for year in years_of(people.periods):
        quarter = next(n for n, p in enumerate(people.periods) if int(p[:4]) == year)
        here = units.filter(pl.col("ends") > quarter)
        rng = stream(seed, "finances", year)
        own = stream(seed, "degree").random(people.bodies.height)[here["body"].to_numpy()]
        health = (here["field"] == "Y_TE").to_numpy() & (here["level"] == "TINH").to_numpy()
        degree = np.where(health, 0.35 + 0.85 * own, np.where(own > 0.9, 0.6 * own, 0.08 * own)) + 0.01 * (year - 2025)
        weight = here["weight"].to_numpy()
        for kind, drift in (("KE_HOACH", 0.0), ("THUC_HIEN", 0.03)):
            spending = np.round(weight * rng.uniform(95, 125, here.height)).astype(np.int64) * 1_500_000
            share = np.maximum(degree + rng.normal(0, 0.005 + drift / 3, here.height), 0.0)
            revenue = np.floor(spending / 1000 * share).astype(np.int64) * 1000
            percent = 100 * revenue / spending
            group = np.select([percent >= 110, percent >= 100, percent >= 10], [1, 2, 3], 4)
            wrong = (rng.random(here.height) < 0.03) & (group >= 3)
            group = np.where(wrong, np.where(group == 3, 4, 3), group)
            frames.append(
                here.select(
                    organization_code="code",
                    year=pl.lit(year),
                    kind=pl.lit(kind),
                    field="field",
                    autonomy_group=pl.Series(group.astype(str)),
                    own_revenue=pl.Series(revenue),
                    recurrent_spending=pl.Series(spending),
                    state_budget=pl.Series(np.maximum(spending - revenue, 0)),
                    funds_investment=pl.Series(group == 1),
                    sender="sender",
                    commune_code="commune",
                )
            )
    return pl.concat(frames).sort("year", "kind", "organization_code")


def digital(seed: int, snapshots: Sequence[pl.DataFrame], people: People, census: pl.DataFrame) -> list[pl.DataFrame]:
    """Digital transformation of communes, a frame for each quarter: the contract's columns.

    ``census``: commune_code, quarter (number), households, population, as the lists of villages have them; ``snapshots``: the
    staff of each quarter."""
    frames = []
    for quarter, staff in enumerate(snapshots):
        civil = staff.filter(pl.col("commune_code").is_not_null() & (pl.col("employment_type") != "VIEN_CHUC"))
        officers = civil.group_by("commune_code").agg(
            officials=pl.len(), skilled_officials=pl.col("digital_skills").sum(),
            it_officials=(pl.col("specialism") == "CNTT_CDS").sum(), leaders=(pl.col("role") <= DEPUTY).sum(),
        )  # fmt: skip
        here = census.filter(pl.col("quarter") == quarter).join(officers, on="commune_code").sort("commune_code")
        base = stream(seed, "digital").random((5, here.height))
        step = 0.015 * quarter
        adults = (here["population"].to_numpy() * (0.70 + 0.06 * base[0])).astype(int)

        def share(
            whole: np.ndarray, low: float, high: float, row: int, base: np.ndarray = base, step: float = step
        ) -> np.ndarray:
            found: np.ndarray = np.floor(whole * np.minimum(low + (high - low) * base[row] + step, 1.0)).astype(int)
            return found

        officials = here["officials"].to_numpy()
        line = np.select([base[1] < 0.2, base[1] < 0.5], [0, 10], 50)
        needing = np.maximum(officials - here["leaders"].to_numpy() // 4, 1)
        frames.append(
            here.select(
                "commune_code",
                adults=pl.Series(adults),
                vneid_level2=pl.Series(share(adults, 0.55, 0.85, 1)),
                digitally_skilled_adults=pl.Series(share(adults, 0.25, 0.6, 2)),
                officials="officials",
                skilled_officials="skilled_officials",
                households="households",
                connected_households=pl.Series(share(here["households"].to_numpy(), 0.6, 0.95, 3)),
                computers=pl.Series(share(needing, 0.75, 1.0, 4)),
                officials_needing_computer=pl.Series(needing),
                leased_line_mbps=pl.Series(line + (10 if quarter > 3 else 0)),
                it_officials="it_officials",
            ).with_columns(pl.exclude("commune_code").cast(pl.Int64))
        )
    return frames
