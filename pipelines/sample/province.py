"""All datasets but the villages of the invented province: what is sent when, and what the warehouse must then hold.

Belongs here: the order in which the generators of this package work, one quarter after the other, and the truth that follows from
them by the meaning of each dataset. Does not belong here: what is invented (the modules that are called), how lists look
(:mod:`.lists`). Of a full province one month of dossiers and one of ratings are in memory at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from importlib.resources import files
from pathlib import Path

import polars as pl

from . import bodies as b
from . import officers, work
from .bodies import Size
from .casework import Casework, offices, reporting_month
from .frames import Frames, stream
from .lists import Bad, Mailbox, moment
from .truth import Delivered, Fact
from .world import last_day

Progress = Callable[[str, int, int], None]
"""(what, done, total)."""

_DAY = timedelta(days=1)
PROVINCE = ("56", "Khánh Hòa")

_WRONG_BODIES: Bad = (
    ({"Mã tổ chức": "SKHAC", "Tên tổ chức": "Sở lạ", "Khối": "Khối lạ"}, "NOT_IN_LIST"),
    (
        {"Mã tổ chức": "PHONGLA", "Cấp": "Xã", "Loại tổ chức": "Phòng cấp xã", "Mã xã": None},
        "organization_of_commune_names_it",
    ),
    ({"Mã tổ chức": "SCU", "Tên tổ chức": "Sở cũ", "Hiệu lực từ ngày": "31/02/2025"}, "BAD_DATE"),
)
_WRONG_STAFF: Bad = (  # the number says a man, the row a woman
    (
        {"Số CCCD": "056070999999", "Họ và tên": "Hồ Thị Lệ", "Ngày sinh": "01/02/1970", "Giới tính": "Nữ"},
        "ID_MISMATCH",
    ),
)
_WRONG_POSTS: Bad = (
    ({"Số CCCD": "056099999901", "Chức danh": "Bí thư Đoàn xã"}, "NOT_IN_LIST"),
    ({"Số CCCD": "056099999902", "Chức danh": "Chủ tịch UB MTTQ xã"}, "NOT_IN_LIST"),
    (
        {"Số CCCD": "056099999903", "Chức danh": "Bí thư Đảng ủy kiêm Chủ tịch HĐND", "Người địa phương": "Không"},
        "TWO_FACTS",
    ),
    ({"Số CCCD": "056099999904", "Chức danh": "Chuyên viên", "Lĩnh vực": None}, "assignment_specialist_has_field"),
)
_WRONG_RATINGS: Bad = (
    ({"Số CCCD": "056099999905", "Xếp loại": "Khá"}, "NOT_IN_LIST"),
    ({"Số CCCD": "056099999906", "Tổng điểm": "trên 90"}, "NOTED_NUMBER"),
)
_WRONG_DOSSIERS: Bad = (
    ({"Số hồ sơ": "H32.LOI-000001", "Ngày hẹn trả": "31/02/2026"}, "BAD_DATE"),
    ({"Số hồ sơ": "H32.LOI-000002", "Hình thức nộp": "Qua bưu tá"}, "NOT_IN_LIST"),
    ({"Số hồ sơ": "H32.LOI-000003", "Ngày tiếp nhận": None}, "MISSING"),
    (
        {"Số hồ sơ": "H32.LOI-000004", "Ngày trả kết quả": "01/01/2020", "Ngày rút, từ chối": None},
        "finished_not_before_received",
    ),
)
_WRONG_SUMS: Bad = (({"Mã TTHC": "9.999999", "Tồn đầu kỳ": "9999"}, "statistics_flow"),)
_WRONG_NEEDS: Bad = (({"Lĩnh vực chuyên môn": "Ngoại cảm"}, "NOT_IN_LIST"),)


def write_province(
    folder: Path, seed: int, communes: Sequence[tuple[str, str]], periods: Sequence[str], size: Size, census: pl.DataFrame,
    frames: Frames, progress: Progress = lambda _what, _done, _total: None,
) -> tuple[list[Fact], list[Delivered]]:  # fmt: skip
    """Write the lists of all datasets but the villages into the inbox, and put what must follow into ``frames``.

    ``communes``: those that send, as (code, name); none, or no periods: nothing. ``census``: commune_code, quarter (number),
    households, population. Successions are the facts that are returned, beside the answers to the lists.
    """
    if not communes or not periods:
        return [], []
    mail = Mailbox(folder)
    bodies = b.make_bodies(seed, communes, periods, size)
    people = officers.make_people(seed, bodies, periods, size)
    facts = _organizations(mail, frames, bodies, periods)
    snapshots = [officers.staff_at(people, q) for q in range(len(periods))]
    _staff(mail, frames, snapshots, communes, periods)
    posts = officers.posts(people, seed)
    _posts(mail, frames, posts, periods)
    _years(mail, frames, people, seed, posts)
    _territory(mail, frames, communes, periods, census, seed, snapshots, people)
    _norms(mail, frames, work.months_of(periods[0])[0])
    planted = []
    cases = Casework(seed, periods, offices(bodies, census), size.dossiers)
    place = bodies.select(organization_code="code", commune_code="commune")
    for number, month in enumerate(cases.months):
        progress("write", number, len(cases.months))
        planted.append(_ratings(mail, frames, seed, snapshots[number // 3], month))
        planted.append(_casework(mail, frames, cases, number, place, seed))
    for number, month in enumerate(cases.months):
        now = cases.known(number).join(place, on="organization_code", how="left")
        frames.put("dossiers", now, month)
    progress("write", len(cases.months), len(cases.months))
    frames.put("planted", pl.concat(planted))
    return facts, mail.delivered


def region(code: str, commune: str) -> str:
    """The region of a commune: islands, highlands and the plain, as the norms for villages tell them apart."""
    if commune.lower().startswith("đặc khu"):
        return "BIEN_GIOI_HAI_DAO"
    if not commune.lower().startswith("phường") and int(code) % 3 == 0:
        return "MIEN_NUI"
    return "DONG_BANG"


def _next_month(month: str, day: int) -> date:
    return (work.month_end(month) + _DAY).replace(day=day)


def _organizations(mail: Mailbox, frames: Frames, bodies: pl.DataFrame, periods: Sequence[str]) -> list[Fact]:
    told = b.organizations(bodies, periods)
    for quarter, period in enumerate(periods):
        month = work.months_of(period)[0]
        for lists in ("SNV", "BTC"):
            rows = told.filter((pl.col("quarter") == quarter) & (pl.col("lists") == lists))
            bad = _WRONG_BODIES if (quarter, lists) == (0, "SNV") else ()
            name = "danh_muc_to_chuc.xlsx" if quarter == 0 else "sap_xep_to_chuc.xlsx"
            mail.send("organizations", lists, month, name, _next_month(month, 5), rows, bad)
    frames.put("organizations", b.history(told, bodies, periods))
    gone = bodies.filter(pl.col("into").is_not_null() & (pl.col("ends") < len(periods)))
    days = [b.first_day(p) for p in periods]
    return [
        Fact("successions", ("", code, into), ("MERGE",), days[ends], None)
        for code, into, ends in gone.select("code", "into", "ends").iter_rows()
    ]


def _staff(
    mail: Mailbox,
    frames: Frames,
    snapshots: Sequence[pl.DataFrame],
    communes: Sequence[tuple[str, str]],
    periods: Sequence[str],
) -> None:
    for quarter, (period, staff) in enumerate(zip(periods, snapshots, strict=True)):
        for (sender,), rows in sorted(staff.group_by("sender", maintain_order=True)):
            received = last_day(period) + timedelta(days=2 + len(str(sender)) + sum(map(ord, str(sender))) % 7)
            # its number cannot be read, so that in a later list it would end nobody (law 7)
            bad = _WRONG_STAFF if sender == communes[-1][0] and quarter == 0 else ()
            mail.send("staff", str(sender), period, f"can_bo_{period}.xlsx", received, rows, bad)
    told = [s.drop("number", "body", "role", "sender") for s in snapshots]
    frames.put("staff", officers.versions(told, ["citizen_id"], [last_day(p) for p in periods]))


def _posts(mail: Mailbox, frames: Frames, posts: pl.DataFrame, periods: Sequence[str]) -> None:
    """All posts in the first month; from then on those that begin or end, in the month in which they do."""
    months = [m for p in periods for m in work.months_of(p)]
    posts = posts.with_columns(lists=pl.when(pl.col("lists") == "commune").then("commune_code").otherwise("lists"))
    for number, month in enumerate(months):
        end = work.month_end(month)
        start = end.replace(day=1) if number else date.min
        happens = pl.col("started_on").is_between(start, end) | pl.col("ended_on").is_between(start, end)
        known = posts.filter(happens & (pl.col("started_on") <= end)).with_columns(
            ended_on=pl.when(pl.col("ended_on") <= end).then("ended_on")
        )
        for (sender,), rows in sorted(known.group_by("lists", maintain_order=True)):
            bad = _WRONG_POSTS if (number, sender) == (0, "BTC") else ()
            name = "chuc_danh.xlsx" if number == 0 else "bien_dong_chuc_danh.xlsx"
            mail.send("assignments", str(sender), month, name, _next_month(month, 5), rows, bad)
    # an inclusive end of a list is the day after it in the warehouse
    ended = pl.col("ended_on") + pl.duration(days=1)
    frames.put("assignments", posts.drop("lists").with_columns(ended_on=ended, valid_from="started_on", valid_to=ended))


def _years(mail: Mailbox, frames: Frames, people: officers.People, seed: int, posts: pl.DataFrame) -> None:
    """Quotas, needs and finances: at the start of a year, and again when what happened in it is known."""
    quotas, needs, finances = work.quotas(people, seed, posts), work.needs(people, seed), work.finances(people, seed)
    periods = people.periods
    counted = ["appointments", "appointments_published", "proposals", "proposals_approved", "talents_attracted"]
    for year in work.years_of(periods):
        start = b.first_day(next(p for p in periods if int(p[:4]) == year))
        over, settled = f"{year}-Q4" in periods, f"{year + 1}-Q2" in periods
        for lists in ("SNV", "BTC"):
            rows = quotas.filter((pl.col("year") == year) & (pl.col("lists") == lists))
            blank = rows.with_columns(pl.lit(None, pl.Int64).alias(c) for c in counted)
            mail.send("annual_quotas", lists, f"{year}", "giao_chi_tieu.xlsx", start + timedelta(days=20), blank)
            if over:
                mail.send("annual_quotas", lists, f"{year}", "tong_hop_cuoi_nam.xlsx", date(year + 1, 1, 15), rows)
        for (sender,), rows in sorted(needs.filter(year=year).group_by("commune_code", maintain_order=True)):
            bad = _WRONG_NEEDS if sender == needs["commune_code"][0] else ()
            mail.send(
                "specialist_needs",
                str(sender),
                f"{year}",
                "nhu_cau_chuyen_mon.xlsx",
                start + timedelta(days=15),
                rows,
                bad,
            )
        for kind, known, day in (
            ("KE_HOACH", True, start + timedelta(days=25)),
            ("THUC_HIEN", settled, date(year + 1, 6, 25)),
        ):
            if known:
                rows = finances.filter(year=year, kind=kind)
                mail.send("public_service_units", "STC", f"{year}", f"tu_chu_{kind.lower()}.xlsx", day, rows)
        if not settled:
            finances = finances.filter((pl.col("year") != year) | (pl.col("kind") == "KE_HOACH"))
    whole = [
        ("annual_quotas", quotas.drop("lists")), ("specialist_needs", needs),
        ("public_service_units", finances.drop("sender", "commune_code")),
    ]  # fmt: skip
    for dataset, frame in whole:
        dated = frame.with_columns(valid_from=pl.date(pl.col("year"), 1, 1), valid_to=pl.date(pl.col("year") + 1, 1, 1))
        frames.put(dataset, dated.drop("year") if dataset == "public_service_units" else dated)


def _territory(
    mail: Mailbox, frames: Frames, communes: Sequence[tuple[str, str]], periods: Sequence[str], census: pl.DataFrame, seed: int,
    snapshots: Sequence[pl.DataFrame], people: officers.People,
) -> None:  # fmt: skip
    """The communes themselves: their list, their people, their digital transformation."""
    digital = work.digital(seed, snapshots, people, census)
    named = pl.DataFrame(list(communes), ["commune_code", "unit_name"], orient="row").with_columns(
        unit_level=pl.col("unit_name").str.extract(r"^(Phường|Đặc khu|Xã)"), province_code=pl.lit(PROVINCE[0]),
        province_name=pl.lit(f"Tỉnh {PROVINCE[1]}"),
        region=pl.Series([region(code, name) for code, name in communes]),
    )  # fmt: skip
    kept: dict[str, list[pl.DataFrame]] = {"digital_transformation": [], "population": [], "administrative_units": []}
    for quarter, period in enumerate(periods):
        start, end = b.first_day(period), last_day(period)
        for (sender,), rows in sorted(digital[quarter].group_by("commune_code", maintain_order=True)):
            day = end.replace(day=15) + timedelta(days=int(str(sender)) % 5)
            mail.send("digital_transformation", str(sender), period, "chuyen_doi_so.xlsx", day, rows)
        # the reporting quarter ends on the 14th of its last month
        first, last = reporting_month(work.months_of(period)[0])[0], end.replace(day=14)
        kept["digital_transformation"].append(
            digital[quarter].with_columns(valid_from=pl.lit(first), valid_to=pl.lit(last + _DAY))
        )
        counted = census.filter(pl.col("quarter") == quarter).select("commune_code", "households", total="population")
        people_ = named.join(counted, on="commune_code").with_columns(
            urban=pl.when(pl.col("unit_level") == "Phường").then("total").otherwise(0)
        ).with_columns(rural=pl.col("total") - pl.col("urban"))  # fmt: skip
        mail.send("population", "CTK", period, "dan_so.xlsx", end + timedelta(days=10), people_)
        mail.send("administrative_units", "CTK", period, "danh_muc_dvhc.xlsx", end + timedelta(days=9),
                  named.rename({"commune_code": "unit_code"}))  # fmt: skip
        span = {"valid_from": pl.lit(start), "valid_to": pl.lit(end + _DAY)}
        kept["population"].append(
            people_.select("province_name", "unit_name", "total", "urban", "rural", "households", unit_code="commune_code",
                           source=pl.lit("CTK"), as_of=pl.lit(end)).with_columns(**span)
        )  # fmt: skip
        kept["administrative_units"].append(named.rename({"commune_code": "unit_code"}).with_columns(**span))
    for dataset, parts in kept.items():
        frames.put(dataset, pl.concat(parts))


_DIRECTIONS = {"Tối thiểu": "AT_LEAST", "Tối đa": "AT_MOST"}
_NORMS = {
    "Mã định mức": "norm_code", "Áp dụng cho": "applies_to", "Mã chỉ tiêu": "indicator_code", "Khối hoặc đơn vị": "bloc_or_unit",
    "Hiệu lực từ ngày": "effective_from", "Hiệu lực đến ngày": "effective_to", "Giá trị": "value", "Đơn vị tính": "unit",
    "Chiều mục tiêu": "direction", "Thời hạn đạt": "due_on", "Căn cứ pháp lý": "legal_source",
}  # fmt: skip


def _norms(mail: Mailbox, frames: Frames, month: str) -> None:
    """Norms and targets: the province's own files (``assets/reference``), as they are."""
    for dataset in ("norms", "targets"):
        data = (files("assets.reference") / f"{dataset}.csv").read_bytes()
        rows = pl.read_csv(data, infer_schema=False).rename(lambda header: _NORMS[header])
        at = moment(_next_month(month, 2), "SNV", dataset)
        mail.put(dataset, "SNV", month, f"{dataset}.csv", at, data, rows.height)
        days = [c for c in ("effective_from", "effective_to", "due_on") if c in rows.columns]
        rows = rows.with_columns(pl.col(days).str.to_date(), pl.col("value").cast(pl.Float64))
        rows = rows.with_columns(pl.col("effective_to") + pl.duration(days=1))
        if dataset == "targets":
            rows = rows.with_columns(pl.col("direction").replace(_DIRECTIONS))
        frames.put(dataset, rows.with_columns(valid_from="effective_from", valid_to="effective_to"))


def _ratings(mail: Mailbox, frames: Frames, seed: int, staff: pl.DataFrame, month: str) -> pl.DataFrame:
    rated = work.ratings(seed, staff, month)
    bad = _WRONG_RATINGS if month.endswith("-12") else ()
    mail.send("kpi_evaluations", "KHCN", month, f"danh_gia_kpi_{month}.csv", _next_month(month, 22), rated, bad)
    end = work.month_end(month)
    span = {"valid_from": pl.lit(end.replace(day=1)), "valid_to": pl.lit(end + _DAY)}
    frames.put("kpi_evaluations", rated.drop("sender", "planted").with_columns(**span), month)
    return rated.filter(pl.col("planted").is_not_null()).select(
        dataset=pl.lit("kpi_evaluations"), period=pl.lit(month), key="citizen_id", what="planted"
    )


def _casework(
    mail: Mailbox, frames: Frames, cases: Casework, number: int, place: pl.DataFrame, seed: int
) -> pl.DataFrame:
    month = cases.months[number]
    extract = cases.extract(number).join(place, on="organization_code", how="left")
    suffix = "parquet" if number % 3 == 2 else "csv"
    bad = _WRONG_DOSSIERS if number % 3 == 0 else ()
    mail.send("dossiers", "VP_UBND", month, f"ho_so_{month}.{suffix}", _next_month(month, 3), extract, bad)
    sums, planted = _disagreeing(cases.statistics(number), seed, month)
    first, last = reporting_month(month)
    day = last + timedelta(days=4)
    mail.send("service_statistics", "VP_UBND", month, f"thong_ke_tthc_{month}.xlsx", day, sums, _WRONG_SUMS)
    frames.put("service_statistics", sums.with_columns(valid_from=pl.lit(first), valid_to=pl.lit(last + _DAY)), month)
    return planted


def _disagreeing(sums: pl.DataFrame, seed: int, month: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The sums with two rows that say that more was received than there was: they add up, but neither with the dossiers nor with
    the next month; and the planted rows themselves."""
    at = stream(seed, "disagreeing", month).choice(sums.height, min(2, sums.height), replace=False).tolist()
    more = pl.when(pl.int_range(pl.len()).is_in(at)).then(3).otherwise(0)
    changed = sums.with_columns(
        received_online=pl.col("received_online") + more, pending_in_time=pl.col("pending_in_time") + more
    )
    return changed, _planted_rows(sums[at], "DOSSIERS", month)


def _planted_rows(rows: pl.DataFrame, what: str, month: str) -> pl.DataFrame:
    return rows.select(
        dataset=pl.lit("service_statistics"), period=pl.lit(month),
        key=pl.col("organization_code") + " " + pl.col("procedure_code"), what=pl.lit(what),
    )  # fmt: skip
