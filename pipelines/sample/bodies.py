"""The bodies of the invented province: departments, Party and Front, communes, schools and hospitals, and how they are merged.

Belongs here: which bodies there are, their seats, which goes into which in which quarter. Does not belong here: who works in
them (:mod:`.officers`), files.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from .frames import stream
from .world import last_day

FOUNDED = date(2025, 7, 1)


@dataclass(frozen=True)
class Size:
    """How large the province is. ``departments``: of :data:`DEPARTMENTS`, from the first on; ``divisions``: phòng in each;
    ``schools``: public service units in each commune; ``staff``: people at work at any time; ``dossiers``: received over
    all quarters."""

    departments: int = 15
    divisions: int = 7
    schools: int = 9
    staff: int = 44_700
    dossiers: int = 2_000_000


SMALL = Size(departments=5, divisions=2, schools=2, staff=900, dossiers=6_000)
"""What ``make demo`` takes."""

DEPARTMENTS = (
    # code, name, formed by the merger of the two provinces
    ("SNV", "Sở Nội vụ", True),
    ("SVHTTDL", "Sở Văn hóa, Thể thao và Du lịch", True),
    ("SDL", "Sở Du lịch", False),
    ("SYT", "Sở Y tế", True),
    ("VP_UBND", "Văn phòng Ủy ban nhân dân tỉnh", True),
    ("KHCN", "Sở Khoa học và Công nghệ", True),
    ("SGDDT", "Sở Giáo dục và Đào tạo", True),
    ("STC", "Sở Tài chính", True),
    ("STP", "Sở Tư pháp", True),
    ("SCT", "Sở Công Thương", True),
    ("SNNMT", "Sở Nông nghiệp và Môi trường", True),
    ("SXD", "Sở Xây dựng", True),
    ("TTT", "Thanh tra tỉnh", True),
    ("SDTTG", "Sở Dân tộc và Tôn giáo", True),
    ("SNGV", "Sở Ngoại vụ", False),
)
"""The third goes into the second on the first day of the third quarter: fourteen are left of fifteen."""

_PROVINCE = (
    # code, name, bloc, type, sender, seats
    ("TU", "Tỉnh ủy Khánh Hòa", "DANG", "KHAC", "BTC", 4),
    ("VPTU", "Văn phòng Tỉnh ủy", "DANG", "BAN_DANG", "BTC", 42),
    ("BTC", "Ban Tổ chức Tỉnh ủy", "DANG", "BAN_DANG", "BTC", 40),
    ("UBKT", "Ủy ban Kiểm tra Tỉnh ủy", "DANG", "BAN_DANG", "UBKT", 36),
    ("BTGDV", "Ban Tuyên giáo và Dân vận Tỉnh ủy", "DANG", "BAN_DANG", "BTC", 38),
    ("BNC", "Ban Nội chính Tỉnh ủy", "DANG", "BAN_DANG", "BTC", 24),
    ("DU_CQD", "Đảng ủy các cơ quan Đảng tỉnh", "DANG", "BAN_DANG", "BTC", 18),
    ("DU_UBND", "Đảng ủy Ủy ban nhân dân tỉnh", "DANG", "BAN_DANG", "BTC", 18),
    ("HDND", "Hội đồng nhân dân tỉnh", "CHINH_QUYEN", "HDND", "VP_UBND", 3),
    ("UBND", "Ủy ban nhân dân tỉnh", "CHINH_QUYEN", "UBND", "VP_UBND", 5),
    ("MTTQ", "Ủy ban Mặt trận Tổ quốc Việt Nam tỉnh", "MTTQ", "MTTQ", "MTTQ", 30),
    ("MTTQ.CD", "Liên đoàn Lao động tỉnh", "TCCTXH", "KHAC", "MTTQ", 14),
    ("MTTQ.ND", "Hội Nông dân tỉnh", "TCCTXH", "KHAC", "MTTQ", 12),
    ("MTTQ.PN", "Hội Liên hiệp Phụ nữ tỉnh", "TCCTXH", "KHAC", "MTTQ", 12),
    ("MTTQ.DTN", "Tỉnh đoàn", "TCCTXH", "KHAC", "MTTQ", 12),
    ("MTTQ.CCB", "Hội Cựu chiến binh tỉnh", "TCCTXH", "KHAC", "MTTQ", 8),
    ("MTTQ.HCTD", "Hội Chữ thập đỏ tỉnh", "HOI_QC", "KHAC", "MTTQ", 7),
    ("MTTQ.HVHNT", "Hội Văn học Nghệ thuật tỉnh", "HOI_QC", "KHAC", "MTTQ", 5),
    ("MTTQ.HLG", "Hội Luật gia tỉnh", "HOI_QC", "KHAC", "MTTQ", 3),
)
_COMMUNE = (
    # suffix, name ({} = the commune), bloc, type, above it, seats
    ("DU", "Đảng ủy {}", "DANG", "DANG_UY_XA", None, 3),
    ("XDD", "Ban Xây dựng Đảng", "DANG", "KHAC", "DU", 4),
    ("UBKT", "Ủy ban Kiểm tra Đảng ủy", "DANG", "KHAC", "DU", 3),
    ("HDND", "HĐND {}", "CHINH_QUYEN", "HDND", None, 2),
    ("UBND", "UBND {}", "CHINH_QUYEN", "UBND", None, 3),
    ("VP", "Văn phòng HĐND và UBND", "CHINH_QUYEN", "PHONG_XA", "UBND", 8),
    ("KT", "Phòng Kinh tế", "CHINH_QUYEN", "PHONG_XA", "UBND", 10),
    ("VHXH", "Phòng Văn hóa - Xã hội", "CHINH_QUYEN", "PHONG_XA", "UBND", 9),
    ("HCC", "Trung tâm Phục vụ hành chính công", "CHINH_QUYEN", "TT_PVHCC", "UBND", 5),
    ("MT", "Ủy ban MTTQ Việt Nam {}", "MTTQ", "MTTQ", None, 6),
)
_UNITS = (
    # suffix, kind of public service unit, weight of its size
    ("MN1", "Trường Mầm non", 28), ("TH1", "Trường Tiểu học", 34), ("THCS1", "Trường THCS", 38), ("MN2", "Trường Mẫu giáo", 22),
    ("TH2", "Trường Tiểu học", 27), ("TYT", "Trạm Y tế", 14), ("TH3", "Trường Tiểu học", 24), ("THCS2", "Trường THCS", 26),
    ("TTDV", "Trung tâm Cung ứng dịch vụ công", 9), ("MN3", "Trường Mầm non", 20), ("TH4", "Trường Tiểu học", 20),
)  # fmt: skip
_PROVINCE_UNITS = (
    # department, suffix, name, field, weight of its size, how many in the whole province
    ("SYT", "BV", "Bệnh viện Đa khoa khu vực", "Y_TE", 260, 10),
    ("SYT", "TT", "Trung tâm Y tế chuyên khoa", "Y_TE", 90, 4),
    ("SGDDT", "THPT", "Trường THPT", "GD_DT", 68, 40),
    ("SVHTTDL", "NVH", "Trung tâm Văn hóa", "VH_TT", 36, 5),
    ("KHCN", "UD", "Trung tâm Ứng dụng tiến bộ khoa học", "KHCN", 28, 3),
    ("SNNMT", "KN", "Trung tâm Khuyến nông", "KHAC", 55, 3),
    ("SXD", "QL", "Ban Quản lý dự án", "KHAC", 60, 3),
)
_DIVISION_NAMES = (
    "Văn phòng", "Phòng Kế hoạch - Tài chính", "Phòng Tổ chức cán bộ", "Phòng Nghiệp vụ 1", "Phòng Nghiệp vụ 2",
    "Phòng Nghiệp vụ 3", "Phòng Thanh tra, pháp chế", "Phòng Nghiệp vụ 4",
)  # fmt: skip
_TOLD_BY = {"SDL": "SVHTTDL", "SDTTG": "VP_UBND", "SNGV": "VP_UBND"}
"""Departments that are no senders yet, and who sends the list of their staff."""
_AGENCIES = {"SNNMT": 4, "SYT": 2, "SCT": 1, "SNV": 1, "KHCN": 1}
"""Chi cục of the departments that have some."""


def make_bodies(seed: int, communes: Sequence[tuple[str, str]], periods: Sequence[str], size: Size) -> pl.DataFrame:
    """A row for each body that ever is; its position is its number.

    code, name, bloc, level, kind (organization_type), parent, commune, two_provinces, lists (SNV or BTC: who keeps the list),
    sender (who sends the list of its staff), seats (posts of civil servants), weight (size of a public service unit), field
    (of such a unit), ends (quarter with whose beginning it goes into another, or the number of quarters) and into (its code).
    """
    rng = stream(seed, "bodies")
    rows: list[dict[str, object]] = []

    def add(code: str, name: str, bloc: str, kind: str, sender: str, seats: int, **more: object) -> None:
        base = dict.fromkeys(("parent", "commune", "field", "into")) | {"two_provinces": False, "weight": 0, "ends": -1}
        lists = "SNV" if bloc in ("CHINH_QUYEN", "DVSNCL") else "BTC"
        level = "XA" if more.get("commune") else "TINH"
        rows.append(base | {"code": code, "name": name, "bloc": bloc, "level": level, "kind": kind, "lists": lists,
                            "sender": sender, "seats": seats} | more)  # fmt: skip

    chosen = DEPARTMENTS[: size.departments]
    for code, name, bloc, kind, sender, seats in _PROVINCE:
        add(code, name, bloc, kind, sender, seats, parent=code.partition(".")[0] if "." in code else None)
    for code, name, two in chosen:
        sender = _TOLD_BY.get(code, code)
        add(code, name, "CHINH_QUYEN", "SO", sender, 7, two_provinces=two)
        for n in range(1, size.divisions + 1):
            seats = int(rng.integers(7, 18))
            said = _DIVISION_NAMES[(n - 1) % len(_DIVISION_NAMES)]
            add(f"{code}.P{n}", said, "CHINH_QUYEN", "PHONG_SO", sender, seats, parent=code)
        for n in range(1, _AGENCIES.get(code, 0) + 1):
            add(f"{code}.CC{n}", f"Chi cục {n} thuộc {name}", "CHINH_QUYEN", "CHI_CUC", sender, 9, parent=code)
            for m in range(1, 4):
                add(
                    f"{code}.CC{n}.P{m}",
                    f"Phòng {m}",
                    "CHINH_QUYEN",
                    "PHONG_CHI_CUC",
                    sender,
                    6,
                    parent=f"{code}.CC{n}",
                )
    share = 1.0 if size.schools >= 5 else 0.1
    for department, suffix, name, field, weight, count in _PROVINCE_UNITS:
        if department in {code for code, _, _ in chosen}:
            for n in range(1, max(1, round(count * share)) + 1):
                add(f"{department}.{suffix}{n}", f"{name} số {n}", "DVSNCL", "DVSN", department, 0, parent=department,
                    field=field, weight=weight)  # fmt: skip
    for number, (code, commune) in enumerate(communes):
        ward = commune.lower().startswith("phường")
        for suffix, name, bloc, kind, above, seats in _COMMUNE:
            told = "Phòng Kinh tế, Hạ tầng và Đô thị" if ward and suffix == "KT" else name.format(commune)
            add(
                f"{code}.{suffix}",
                told,
                bloc,
                kind,
                code,
                seats,
                commune=code,
                parent=f"{code}.{above}" if above else None,
            )
        if number % 4 == 1:  # a fifth body beside the four
            add(f"{code}.NN", "Phòng Nông nghiệp và Môi trường", "CHINH_QUYEN", "PHONG_XA", code, 6, commune=code,
                parent=f"{code}.UBND")  # fmt: skip
        for suffix, kind, weight in _UNITS[: size.schools]:
            field = "Y_TE" if suffix == "TYT" else "KHAC" if suffix == "TTDV" else "GD_DT"
            add(f"{code}.{suffix}", f"{kind} {suffix[-1:] if suffix[-1:].isdigit() else ''} {commune}".replace("  ", " "),
                "DVSNCL", "DVSN", code, 0, commune=code, parent=f"{code}.UBND", field=field, weight=weight)  # fmt: skip
    quarters = len(periods)
    plan = dict(_mergers(rng, rows, quarters))
    for row in rows:
        into, ends = plan.get(str(row["code"]), (None, quarters))
        row["into"], row["ends"] = into, ends
    return pl.DataFrame(rows, schema_overrides={"into": pl.String, "field": pl.String, "commune": pl.String})


def _mergers(
    rng: np.random.Generator, rows: Sequence[dict[str, object]], quarters: int
) -> Iterable[tuple[str, tuple[str, int]]]:
    """Which body goes into which other one, and in which quarter: from the second on. Nothing goes into what goes away."""
    codes = [str(r["code"]) for r in rows]
    there = set(codes)
    if "SDL" in there and quarters > 2:
        yield "SDL", ("SVHTTDL", 2)
        for code in codes:
            if code.startswith("SDL."):
                yield code, (code.replace("SDL.", "SVHTTDL."), 2)
    if quarters < 2:
        return
    for code in codes:
        commune, _, suffix = code.partition(".")
        if suffix == "NN" and rng.random() < 0.6:
            yield code, (f"{commune}.KT", int(rng.integers(1, quarters)))
        for gone, stays in (("TH3", "TH2"), ("MN2", "MN1"), ("TH2", "TH1")):
            if suffix == gone and f"{commune}.{stays}" in there and rng.random() < 0.12:
                if gone == "TH2" and f"{commune}.TH3" in there:
                    continue
                yield code, (f"{commune}.{stays}", int(rng.integers(1, quarters)))
    for code, _, _ in DEPARTMENTS:
        if f"{code}.P7" in there and code not in ("SDL", "SVHTTDL") and rng.random() < 0.5:
            yield f"{code}.P7", (f"{code}.P6", int(rng.integers(1, quarters)))


def first_day(period: str) -> date:
    """The first day of a civil quarter."""
    end = last_day(period)
    return end.replace(month=end.month - 2, day=1)


def organizations(bodies: pl.DataFrame, periods: Sequence[str]) -> pl.DataFrame:
    """What the lists say, a row for each body and for each that takes others in: the contract's columns, and ``quarter``: 0, or
    the quarter in which it is told."""
    days = [first_day(p) for p in periods]
    renamed = {"code": "organization_code", "name": "organization_name", "kind": "organization_type", "parent": "parent_code",
               "commune": "commune_code", "two_provinces": "from_two_provinces"}  # fmt: skip
    kept = ["organization_code", "organization_name", "bloc", "level", "organization_type", "parent_code", "commune_code",
            "from_two_provinces", "restructured_on", "predecessors", "status", "effective_from", "effective_to", "lists",
            "quarter"]  # fmt: skip
    base = bodies.rename(renamed).with_columns(
        restructured_on=pl.when(pl.col("organization_type").is_in(["SO", "PHONG_SO", "PHONG_XA", "TT_PVHCC", "CHI_CUC"]))
        .then(pl.lit(FOUNDED)),
        predecessors=pl.lit(None, pl.String),
        status=pl.lit("HOAT_DONG"),
        effective_from=pl.lit(FOUNDED),
        effective_to=pl.lit(None, pl.Date),
        quarter=pl.lit(0),
    )  # fmt: skip
    merged = pl.col("into").is_not_null() & (pl.col("ends") < len(periods))
    gone = bodies.filter(merged).group_by("into", "ends").agg(_gone=pl.col("code").sort().str.join("; "))
    taken = base.join(gone.rename({"into": "organization_code", "ends": "_ends"}), on="organization_code").with_columns(
        predecessors="_gone",
        quarter=pl.col("_ends").cast(pl.Int32),
        effective_from=_at(pl.col("_ends"), days),
        restructured_on=_at(pl.col("_ends"), days),
    )
    return pl.concat([base.select(kept), taken.select(kept)]).sort("quarter", "organization_code")


def _at(quarter: pl.Expr, days: Sequence[date]) -> pl.Expr:
    """The day of each quarter's number."""
    return quarter.replace_strict(dict(enumerate(days)), return_dtype=pl.Date)


def history(told: pl.DataFrame, bodies: pl.DataFrame, periods: Sequence[str]) -> pl.DataFrame:
    """The versions that the lists make: a body's row counts until its next one, or until it goes into another."""
    days = [first_day(p) for p in periods]
    gone = bodies.filter(pl.col("into").is_not_null()).select(organization_code="code", _gone=_at(pl.col("ends"), days))
    after = pl.col("effective_from").shift(-1).over("organization_code", order_by="effective_from")
    return (
        told.with_columns(valid_from="effective_from", valid_to=after)
        .join(gone, on="organization_code", how="left")
        .with_columns(valid_to=pl.min_horizontal("valid_to", "_gone"))
        .filter(pl.col("valid_to").is_null() | (pl.col("valid_from") < pl.col("valid_to")))
        .drop("_gone", "lists", "quarter")
        .sort("organization_code", "valid_from")
    )
