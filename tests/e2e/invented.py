"""An invented province for the indicators: what offices and communes send of it, as frames of text by dataset.

Here: making the frames (a function of a seed) and the files that carry them. Not here: what the indicators of them are
(:mod:`tests.e2e.indicator_truth`).
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from datetime import date, timedelta

import pandas as pd

from schemas.contract import Contract
from tests.e2e.flows import World, text_csv

DAY = date(2026, 6, 30)
"""Last day of what is sent first: month 2026-06, quarter 2026-Q2."""
REPORTING_DAY = date(2026, 6, 14)
"""The same in the calendar of reports, which statistics and the figures of D10 keep."""
FIELDS = ("CNTT_CDS", "KHCN", "LUAT_TU_PHAP", "TC_KE_TOAN", "NONG_NGHIEP")

NORMS = [
    ("SO_MAX", "", "14"), ("DEPUTIES_PER_SO", "", "3"), ("DEPUTIES_EXTRA_MERGED_SO", "", "1"),
    ("DEPUTIES_PHONG_SO", "<10", "1"), ("DEPUTIES_PHONG_SO", "10-14", "2"), ("DEPUTIES_PHONG_SO", ">=15", "3"),
    ("DEPUTIES_EXCESS_YEARS", "", "5"), ("HAMLET_MERGE_SHARE", "", "0,5"),
    ("HAMLET_MIN_HOUSEHOLDS", "THON|DONG_BANG", "250"), ("HAMLET_MIN_HOUSEHOLDS", "THON|MIEN_NUI", "150"),
    ("HAMLET_MIN_HOUSEHOLDS", "TDP|DONG_BANG", "350"),
    ("KPI_BAND_MIN", "XS", "90"), ("KPI_BAND_MIN", "T", "70"), ("KPI_BAND_MIN", "HT", "50"), ("KPI_XS_SHARE", "", "0,2"),
    ("KPI_TOLERANCE", "", "0,05"), ("AUTONOMY_MIN_PCT", "1", "100"), ("AUTONOMY_MIN_PCT", "2", "100"),
    ("AUTONOMY_MIN_PCT", "3", "10"), ("TRAINING_HOURS_MIN", "", "40"), ("YOUNG_AGE", "TINH", "42"), ("YOUNG_AGE", "XA", "40"),
    ("LEASED_LINE_MIN_MBPS", "", "100"), ("EVENT_LAG_DAYS", "", "3"), ("REMINDERS_LEVEL1", "", "3"), ("REMINDERS_LEVEL2", "", "6"),
]  # fmt: skip
"""Norm, what it applies to, value: invented for tests, near to those of the domain brief."""

TARGETS = [
    ("I04", "AT_MOST", "4,5", ""), ("I05", "AT_MOST", "0", "31/12/2030"), ("I06", "AT_MOST", "0", "31/12/2030"),
    ("I07", "AT_MOST", "2", ""), ("I08", "AT_LEAST", "100", "31/12/2030"), ("I09", "AT_MOST", "0", "31/12/2030"),
    ("I15", "AT_LEAST", "100", ""), ("I16", "AT_LEAST", "100", ""), ("I29", "AT_LEAST", "20", "31/12/2030"),
    ("I32", "AT_LEAST", "", ""), ("I45", "AT_MOST", "2", ""),
]  # fmt: skip

SENDERS = {
    "organizations": ("SNV", "2026-06"), "assignments": ("BTC", "2026-06"), "annual_quotas": ("SNV", "2026"),
    "specialist_needs": ("SNV", "2026"), "service_statistics": ("VP_UBND", "2026-06"), "public_service_units": ("STC", "2026"),
    "norms": ("SNV", "2026-06"), "targets": ("SNV", "2026-06"), "administrative_units": ("SNV", "2026-Q2"),
    "staff": (None, "2026-Q2"), "villages": (None, "2026-Q2"), "digital_transformation": (None, "2026-Q2"),
    "kpi_evaluations": (None, "2026-06"),
}  # fmt: skip
"""Dataset -> who sends it (None: each commune its own) and for which period."""

Frames = dict[str, pd.DataFrame]


def _day(day: date | None) -> str:
    return f"{day:%d/%m/%Y}" if day is not None else ""


class _People:
    """Persons with numbers that fit their birth and sex; no two are alike."""

    def __init__(self, luck: random.Random) -> None:
        self.luck, self.count = luck, 0

    def new(self) -> dict[str, str]:
        self.count += 1
        born = date(1966, 1, 1) + timedelta(days=self.luck.randrange(34 * 365))
        woman = self.luck.random() < 0.4
        century = (2 if born.year >= 2000 else 0) + woman
        return {
            "citizen_id": f"056{century}{born:%y}{self.count:06}",
            "full_name": f"{self.luck.choice(('Lê', 'Trần', 'Mai', 'Đỗ'))} Thị Số {_letters(self.count)}",
            "date_of_birth": _day(born),
            "gender": "Nữ" if woman else "Nam",
        }


def _letters(n: int) -> str:
    """A name that no other number has, in syllables (names of people have no digits)."""
    parts = ("An", "Bình", "Chi", "Dung", "Giang", "Hạnh", "Khanh", "Liên", "Mai", "Nga")
    return " ".join(parts[int(d)] for d in str(n))


def province(communes: Sequence[str], seed: int = 1) -> Frames:
    """Frames of text by dataset, with a column ``_commune`` where each commune sends its own rows."""
    luck = random.Random(seed)
    people = _People(luck)
    organizations: list[dict[str, str]] = []
    staff: list[dict[str, str]] = []
    posts: list[dict[str, str]] = []
    quotas: list[dict[str, str]] = []

    def body(code: str, bloc: str, level: str, kind: str, parent: str = "", commune: str = "", **more: str) -> str:
        organizations.append({
            "organization_code": code, "organization_name": f"Tổ chức {code}", "bloc": bloc, "level": level,
            "organization_type": kind, "parent_code": parent, "commune_code": commune, "from_two_provinces": "không",
            "restructured_on": "", "status": "HOAT_DONG", "effective_from": "01/07/2025", "effective_to": "", **more,
        })  # fmt: skip
        return code

    def person(organization: str, commune: str, **more: str) -> dict[str, str]:
        one = people.new()
        staff.append({
            **one, "position": "Cán bộ", "commune_code": commune, "started_on": "01/07/2025", "left_on": "",
            "organization_code": organization, "employment_type": luck.choice(("Cán bộ", "CC", "Viên chức", "")),
            "education": luck.choice(("TS", "ThS", "DH", "CD", "TC", "")), "specialism": luck.choice((*FIELDS, "")),
            "digital_skills": luck.choice(("có", "không", "")), "training_hours": luck.choice(("20", "40", "55,5", "")),
            "_commune": commune, **more,
        })  # fmt: skip
        return staff[-1]

    def post(one: Mapping[str, str], organization: str, kind: str, main: str = "có", **more: str) -> None:
        posts.append({
            "citizen_id": one["citizen_id"], "organization_code": organization, "post": kind, "specialism": "", "is_main": main,
            "local_origin": "", "started_on": _day(date(2025, 7, 1) + timedelta(days=luck.randrange(300))), "ended_on": "", **more,
        })  # fmt: skip

    def quota(organization: str, civil: int, deputies: int) -> None:
        appointed, proposed = luck.randrange(12), luck.randrange(8)
        quotas.append({
            "organization_code": organization, "civil_servant_posts": str(civil), "deputies_allowed": str(deputies),
            "appointments": str(appointed), "appointments_published": str(luck.randint(0, appointed)), "proposals": str(proposed),
            "proposals_approved": str(luck.randint(0, proposed)), "talents_attracted": str(luck.randrange(3)),
        })  # fmt: skip

    senders = communes[:6]
    for n in range(6):
        so = body(f"S{n:02}", "CHINH_QUYEN", "TINH", "SO", from_two_provinces="có" if n < 4 else "không",
                  restructured_on="01/07/2025" if n != 2 else "01/03/2020")  # fmt: skip
        quota(so, luck.randint(40, 90), luck.randint(1, 3))
        for _ in range(luck.randint(2, 6)):
            post(person(so, senders[n]), so, "CAP_PHO")
        for k in range(luck.randint(1, 3)):
            division = body(f"{so}.P{k}", "CHINH_QUYEN", "TINH", "PHONG_SO", so)
            if luck.random() < 0.8:
                quota(division, luck.randint(6, 18), luck.randint(1, 2))
            for _ in range(luck.randint(0, 4)):
                post(person(division, senders[n]), division, "CAP_PHO")
    body("S99", "CHINH_QUYEN", "TINH", "SO", status="SAP_NHAP", effective_to="31/12/2025")
    inspection = body("UBKT.T", "DANG", "TINH", "BAN_DANG")
    post(person(inspection, senders[0]), inspection, "CN_UBKT", local_origin="KHONG")
    for k, bloc in enumerate(("MTTQ", "TCCTXH", "HOI_QC", "DNNN")):
        body(
            f"X{k}",
            bloc,
            "TINH",
            "KHAC",
            status="SAP_NHAP" if k == 2 else "HOAT_DONG",
            effective_to="30/06/2026" if k == 2 else "",
        )
    units = []
    for k in range(8):
        unit = body(f"D{k}", "DVSNCL", "TINH", "DVSN")
        revenue = luck.randint(5, 130) * 100_000_000
        units.append({
            "organization_code": unit, "kind": "THUC_HIEN", "field": luck.choice(("GD_DT", "Y_TE", "VH_TT")),
            "autonomy_group": luck.choice("1234"), "own_revenue": str(revenue),
            "recurrent_spending": str(10_000_000_000 if k else 0),
            "state_budget": "0", "funds_investment": "có",
        })  # fmt: skip
        units.append({**units[-1], "kind": "KE_HOACH", "autonomy_group": "4"})
    needs = []
    for n, c in enumerate(communes[:12]):
        party, council = (
            body(f"{c}.DU", "DANG", "XA", "DANG_UY_XA", commune=c),
            body(f"{c}.UBND", "CHINH_QUYEN", "XA", "UBND", commune=c),
        )
        home = senders[n % 6]
        for organization, kind in ((party, "BI_THU"), (council, "CT_UBND"), (party, "CN_UBKT")):
            if luck.random() < 0.85:
                origin = luck.choice(("KHONG", "KHONG", "CO", "CHUA_RO"))
                post(person(organization, home), organization, kind, local_origin=origin)
        member = person(party, home)
        post(member, party, "UV_BCH", main="không")
        post(member, party, "UV_BTV", main="không")
        for suffix, kind in (("KT", "PHONG_XA"), ("VX", "PHONG_XA"), ("HCC", "TT_PVHCC")):
            division = body(f"{c}.{suffix}", "CHINH_QUYEN", "XA", kind, council, c)
            if n < 8:
                quota(division, luck.randint(4, 9), luck.randint(1, 2))
            post(person(division, home), division, "CAP_TRUONG")
            for _ in range(luck.randint(0, 3)):
                post(person(division, home), division, "CAP_PHO")
            for _ in range(luck.randint(0, 3)):
                one = person(division, home)
                if one["specialism"]:
                    post(one, division, "CHUYEN_MON", specialism=one["specialism"] if luck.random() < 0.8 else "Y_TE")
        if n < 7:
            for field in luck.sample(FIELDS, 2):
                needs.append({"organization_code": f"{c}.KT", "specialism": field, "needed": str(luck.randint(0, 2))})
    statistics = []
    for organization in [f"S{n:02}" for n in range(6)] + [f"{c}.HCC" for c in communes[:12]]:
        for procedure in luck.sample(("1.001", "1.002", "1.003", "1.004", "1.005"), 3):
            f = {name: luck.randrange(200) for name in (
                "opening_stock", "received_online", "received_in_person", "received_by_post", "withdrawn", "resolved_early",
                "resolved_on_time", "resolved_late", "pending_in_time", "pending_overdue", "digitised",
                "results_digital")}  # fmt: skip
            f["resolved_late"] //= 20
            resolved = f["resolved_early"] + f["resolved_on_time"] + f["resolved_late"]
            # what came in is what went out or is pending; a part is no more than its whole
            f["withdrawn"] += 1000
            f["opening_stock"] = (
                f["withdrawn"]
                + resolved
                + f["pending_in_time"]
                + f["pending_overdue"]
                - sum(f[c] for c in ("received_online", "received_in_person", "received_by_post"))
            )
            f["digitised"] = min(f["digitised"], f["received_online"] + f["received_in_person"] + f["received_by_post"])
            f["results_digital"] = min(f["results_digital"], resolved)
            statistics.append({
                "organization_code": organization, "procedure_code": procedure,
                "service_level": luck.choice(("TOAN_TRINH", "MOT_PHAN", "KHONG")), **{k: str(v) for k, v in f.items()},
            })  # fmt: skip
    villages, digital = [], []
    for n, c in enumerate(senders):
        for k in range(luck.randint(3, 6)):
            workers = luck.randint(2, 5)
            villages.append({
                "commune_code": c, "village_name": f"Làng {_letters(k + 1)}", "village_type": luck.choice(("THON", "TDP", "")),
                "households": str(luck.randint(40, 500)), "population": str(luck.randint(900, 2000)),
                "region": luck.choice(("DONG_BANG", "MIEN_NUI", "")), "non_professional_workers": str(workers),
                "concurrent_workers": str(luck.randint(0, workers)), "is_special": luck.choice(("có", "không")),
                "has_digital_team": luck.choice(("có", "không")), "_commune": c,
            })  # fmt: skip
        if n < 5:
            whole = {
                "adults": luck.randint(5000, 9000),
                "officials": luck.randint(40, 70),
                "households": luck.randint(2000, 4000),
            }
            part = {"vneid_level2": "adults", "digitally_skilled_adults": "adults", "skilled_officials": "officials",
                    "connected_households": "households", "officials_needing_computer": "officials"}  # fmt: skip
            digital.append({
                "commune_code": c, **{k: str(v) for k, v in whole.items()},
                **{k: str(luck.randint(whole[w] // 2, whole[w])) for k, w in part.items()},
                "computers": str(luck.randint(20, 60)), "leased_line_mbps": luck.choice(("50", "100", "300", "")),
                "it_officials": str(luck.randint(0, 2)), "_commune": c,
            })  # fmt: skip
    kpi = []
    for one in staff:
        if luck.random() < 0.7:
            common, result = luck.randint(15, 30), luck.randint(20, 70)
            total = common + result + luck.choice((0, 0, 0, 3))
            fits = "XS" if total >= 90 else "T" if total >= 70 else "HT" if total >= 50 else "KHT"
            kpi.append({
                "citizen_id": one["citizen_id"], "organization_code": one["organization_code"],
                "task_group": luck.choice(("Chuyên môn", "Lãnh đạo")), "common_score": str(common), "quantity_pct": "80",
                "quality_pct": "80", "progress_pct": "80", "result_score": str(result), "total_score": str(min(total, 100)),
                "rating": fits if luck.random() < 0.8 else luck.choice(("XS", "T")),
                "failing_reason": luck.choice(("", "", "", "Vi phạm")),
                "approved_on": luck.choice(("30/06/2026", "30/06/2026", "")), "commune_code": one["commune_code"],
                "_commune": one["_commune"],
            })  # fmt: skip
    norms = [
        {"norm_code": n, "applies_to": a, "effective_from": "01/07/2025", "value": v, "legal_source": "Thử nghiệm"}
        for n, a, v in NORMS
    ]
    targets = [
        {"indicator_code": i, "bloc_or_unit": "", "effective_from": "23/02/2026", "value": v, "direction": d, "due_on": due,
         "legal_source": "Chương trình hành động 23/2/2026"}
        for i, d, v, due in TARGETS
    ]  # fmt: skip
    lists = {
        "organizations": organizations, "staff": staff, "assignments": posts, "annual_quotas": quotas, "specialist_needs": needs,
        "public_service_units": units, "service_statistics": statistics, "villages": villages, "digital_transformation": digital,
        "kpi_evaluations": kpi, "norms": norms, "targets": targets,
    }  # fmt: skip
    return {name: pd.DataFrame(rows).astype(str) for name, rows in lists.items()}


def table(contract: Contract, frame: pd.DataFrame) -> bytes:
    """A CSV of the dataset with the columns' own names as headers."""
    columns = [c for c in frame.columns if not c.startswith("_")]
    heads = [contract.column(c).label for c in columns]
    return text_csv([heads, *frame[columns].itertuples(index=False)])


def send(world: World, frames: Mapping[str, pd.DataFrame], periods: Mapping[str, str] | None = None) -> None:
    """Put the frames into the inbox, each from who sends it."""
    contracts = world.pipeline.contracts
    for dataset, frame in frames.items():
        sender, usual = SENDERS[dataset]
        period = (periods or {}).get(dataset, usual)
        groups = [(sender, frame)] if sender is not None else list(frame.groupby("_commune"))
        for who, part in groups:
            world.drop(
                str(who), table(contracts[dataset], part), f"{dataset}.csv", period=period, sidecar={"dataset": dataset}
            )
