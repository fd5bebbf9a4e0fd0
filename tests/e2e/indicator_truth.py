"""What the indicators of an invented province are, worked out a second time: with pandas, from the lists as they were sent.

Here: the formulas of the domain brief §9 in another language than that of the files that are tested, each figure as numerator and
denominator by unit. It knows nothing of history: it is given what holds on one day.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from math import ceil, floor
from typing import Any

import numpy as np
import pandas as pd

from tests.e2e.invented import DAY, NORMS, Frames

Key = tuple[str, str, str, str]
"""Indicator, variant, kind of unit, unit."""
Sums = tuple[Decimal | None, Decimal | None]
KINDS = {"COMMUNE": "commune", "ORGANIZATION": "organization", "BLOC": "bloc", "FIELD": "field"}
REFORM = pd.Timestamp("2025-07-01")


def half_up(part: Decimal, whole: Decimal, factor: int = 100) -> Decimal:
    """``factor`` · part / whole with two decimals, halves up."""
    return (factor * part / whole).quantize(Decimal("0.01"), ROUND_HALF_UP)


class Truth:
    """Figures by unit, worked out from frames of text."""

    def __init__(
        self,
        frames: Frames,
        communes: Sequence[str],
        province: str = "56",
        day: date = DAY,
        norms: Sequence[tuple[str, str, str]] = NORMS,
        due: date = date(2030, 12, 31),
    ) -> None:
        """``frames``: what holds on the day, but for organizations (all that ever were); where they are not the same,
        ``villages_base`` are the villages of the first day, ``villages_reported`` those of the last day of the reporting quarter.
        ``norms``: (code, what it applies to, value). ``due``: the day of the path's target."""
        self.province, self.communes = province, list(communes)
        self.now, self.due = pd.Timestamp(day), pd.Timestamp(due)
        self.norms = {(n, a): float(v.replace(",", ".")) for n, a, v in norms}
        self.sums: dict[Key, Sums] = {}
        self.measures: dict[tuple[str, str], str] = {}
        typed = {name: frame.replace("", np.nan) for name, frame in frames.items()}
        self.organizations = self._active(typed["organizations"]).pipe(
            lambda f: f.set_index(f["organization_code"].rename("code"))
        )
        self.all_organizations = typed["organizations"]
        self.staff = self._homes(typed["staff"])
        self.posts = self._posts(typed["assignments"], typed["staff"])
        self.quotas = self._homes(_numbers(typed["annual_quotas"]))
        self.needs = self._homes(_numbers(typed["specialist_needs"]))
        self.units = _numbers(typed["public_service_units"])
        self.statistics = self._homes(_numbers(typed["service_statistics"]))
        self.villages = _numbers(typed["villages"]).rename(columns={"commune_code": "commune"})
        self.villages_base = typed.get("villages_base", typed["villages"]).rename(columns={"commune_code": "commune"})
        reported = typed.get("villages_reported", typed["villages"])
        self.villages_reported = reported.rename(columns={"commune_code": "commune"})
        self.digital = _numbers(typed["digital_transformation"]).rename(columns={"commune_code": "commune"})
        self.kpi = self._homes(_numbers(typed["kpi_evaluations"]))
        for work in (self._bodies, self._deputies, self._people, self._kpi, self._staff, self._villages, self._autonomy,
                     self._services, self._digital, self._quotas, self._profiles):  # fmt: skip
            work()

    # ------------------------------------------------------------------------------------------------------- frames

    def norm(self, code: str, of: str = "") -> float:
        """The value of a norm; NaN where nobody knows it."""
        return self.norms.get((code, of), np.nan)

    def _active(self, frame: pd.DataFrame, on: pd.Timestamp | None = None) -> pd.DataFrame:
        on = on or self.now
        begin, end = (pd.to_datetime(frame[c], dayfirst=True) for c in ("effective_from", "effective_to"))
        return frame[(begin <= on) & (end.isna() | (end >= on))]

    def _homes(self, frame: pd.DataFrame) -> pd.DataFrame:
        """With the commune, bloc, level, type and parent of the row's organisation; the commune that was sent where unknown."""
        code = frame["organization_code"]
        of = {
            name: code.map(self.organizations[name]) for name in ("bloc", "level", "organization_type", "parent_code")
        }
        commune = code.map(self.organizations["commune_code"])
        if "commune_code" in frame:
            commune = commune.where(commune.notna(), frame["commune_code"])
        return frame.assign(**of, commune=commune, organization=code)

    def _posts(self, posts: pd.DataFrame, staff: pd.DataFrame) -> pd.DataFrame:
        people = staff.set_index("citizen_id")
        one = posts["citizen_id"]
        return self._homes(posts).assign(
            gender=one.map(people["gender"]),
            date_of_birth=one.map(people["date_of_birth"]),
            studied=one.map(people["specialism"]),
        )

    def _say(self, code: str, frame: pd.DataFrame, numerator: Any, denominator: Any, kinds: str, variant: str = "",
             measure: str = "share") -> None:  # fmt: skip
        """Add the sums of a figure by unit. Rows without a numerator or denominator count for neither."""
        rows = frame.assign(_n=numerator, _d=denominator)
        rows["_n"] = pd.to_numeric(rows["_n"])
        rows = rows[rows["_n"].notna()]
        if measure != "count":
            rows = rows[pd.to_numeric(rows["_d"]).notna()]
        self.measures[code, variant] = measure
        groups: list[tuple[str, str, pd.DataFrame]] = []
        for kind in kinds.split():
            if kind == "PROVINCE":
                groups.append((kind, self.province, rows))
            else:
                groups += [(kind, str(unit), part) for unit, part in rows.groupby(KINDS[kind])]
        for kind, unit, part in groups:
            if part.empty:
                if len(frame):
                    self.sums[code, variant, kind, unit] = None, None
                continue
            whole = None if measure == "count" else _exact(part["_d"].sum())
            self.sums[code, variant, kind, unit] = _exact(part["_n"].sum()), whole

    def value(self, key: Key) -> Decimal | None:
        """What the figure of a unit comes to."""
        n, d = self.sums[key]
        measure = self.measures[key[:2]]
        if measure == "count" or n is None:
            return n
        if not d:
            return None
        if measure == "excess":
            return max(Decimal(0), n - d)
        if measure == "pace":
            return Decimal(ceil(n / d))
        return half_up(n, d, 100 if measure == "share" else 1)

    # --------------------------------------------------------------------------------------------------- indicators

    def _bodies(self) -> None:
        now = self.organizations.assign(commune=self.organizations["commune_code"])
        self._say("I01", now, 1, None, "COMMUNE BLOC PROVINCE", measure="count")
        for level, part in now.groupby("level"):
            self._say("I01", part, 1, None, "COMMUNE BLOC PROVINCE", str(level), "count")
            for kind, of in part.groupby("organization_type"):
                self._say("I01", of, 1, None, "COMMUNE BLOC PROVINCE", f"{level}/{kind}", "count")
        field = self.units.drop_duplicates("organization_code").set_index("organization_code")["field"]
        told = now.join(field, on="organization_code").dropna(subset="field")
        self._say("I01", told, 1, None, "COMMUNE BLOC FIELD PROVINCE", "FIELD", "count")
        base = self._active(self.all_organizations, REFORM)
        self._fixed("I02", len(base) - len(now), len(base), "share")
        for bloc in set(base["bloc"]) | set(now["bloc"]):
            before, after = (base["bloc"] == bloc).sum(), (now["bloc"] == bloc).sum()
            self.sums["I02", "", "BLOC", str(bloc)] = _exact(before - after), _exact(before)
        departments = now[now["organization_type"] == "SO"]
        self._say("I03", departments, 1, None, "PROVINCE", measure="count")
        bodies = now["organization_type"].isin(["PHONG_XA", "TT_PVHCC"]).sum()
        self._fixed("I04", bodies, len(self.communes), "ratio")

    def _fixed(self, code: str, n: Any, d: Any, measure: str, variant: str = "") -> None:
        self.measures[code, variant] = measure
        self.sums[code, variant, "PROVINCE", self.province] = _exact(n), None if d is None else _exact(d)

    def _deputies(self) -> None:
        now = self.organizations
        deputies = self.posts[self.posts["post"] == "CAP_PHO"]
        departments = now[now["organization_type"] == "SO"]
        persons = deputies.loc[deputies["organization_type"] == "SO", "citizen_id"].nunique()
        merged = (departments["from_two_provinces"] == "có").sum()
        cap = self.norm("DEPUTIES_PER_SO") * len(departments) + self.norm("DEPUTIES_EXTRA_MERGED_SO") * merged
        self._fixed("I05", persons, cap, "excess")
        count = deputies.groupby("organization_code")["citizen_id"].nunique()
        posts = self.quotas.set_index("organization_code")["civil_servant_posts"]
        divisions = now[now["organization_type"] == "PHONG_SO"].assign(
            p=lambda f: f["organization_code"].map(count).fillna(0), q=lambda f: f["organization_code"].map(posts),
            organization=lambda f: f["parent_code"],
        )  # fmt: skip
        over = [np.nan if pd.isna(q) else max(0, p - (1 if q < 10 else 2 if q <= 14 else 3))
                for p, q in zip(divisions["p"], divisions["q"], strict=True)]  # fmt: skip
        self._say("I06", divisions, over, None, "ORGANIZATION PROVINCE", measure="count")
        communal = deputies[deputies["organization_type"].isin(["PHONG_XA", "TT_PVHCC"])]
        bodies = now["organization_type"].isin(["PHONG_XA", "TT_PVHCC"]).sum()
        self._fixed("I07", len(communal.drop_duplicates(["citizen_id", "organization_code"])), bodies, "ratio")
        quotas = self.quotas.assign(p=self.quotas["organization_code"].map(count).fillna(0))
        every = "ORGANIZATION COMMUNE BLOC PROVINCE"
        self._say("I08", quotas, (quotas["p"] <= quotas["deputies_allowed"]).astype(int), 1, every)
        excess = (quotas["p"] - quotas["deputies_allowed"]).clip(lower=0)
        self._say("I09", quotas, excess, None, every, "EXCESS", "count")
        left = (self.due.year * 4 + self.due.quarter) - (self.now.year * 4 + self.now.quarter)
        for key in [k for k in self.sums if k[:2] == ("I09", "EXCESS")]:
            self.sums[("I09", "", *key[2:])] = self.sums[key][0], Decimal(left)
        self.measures["I09", ""] = "pace"
        decided = pd.to_datetime(quotas["organization_code"].map(now["restructured_on"]), dayfirst=True)
        late = (decided + pd.DateOffset(years=int(self.norm("DEPUTIES_EXCESS_YEARS"))) < self.now).astype(float)
        late[decided.isna()] = np.nan
        late[excess == 0] = 0
        self._say("I09", quotas, late, None, every, "OVERDUE", "count")

    def _people(self) -> None:
        for code, post in (("I13", "BI_THU"), ("I14", "CT_UBND"), ("I15", "CN_UBKT")):
            held = self.posts[(self.posts["post"] == post) & (self.posts["level"] == "XA")]
            self._fixed(code, (held["local_origin"] == "KHONG").sum(), len(held), "share")
            self._fixed(code, len(set(self.communes) - set(held["commune"])), None, "count", "VACANT")
        top = self.posts[(self.posts["post"] == "CN_UBKT") & (self.posts["level"] == "TINH")]
        self._fixed("I16", (top["local_origin"] == "KHONG").sum(), len(top), "share")
        committee = self.posts[self.posts["post"].isin(["UV_BCH", "UV_BTV"])].drop_duplicates(
            ["citizen_id", "organization_code"]
        )
        born = pd.to_datetime(committee["date_of_birth"], dayfirst=True)
        age = (
            self.now.year
            - born.dt.year
            - ((born.dt.month > self.now.month) | ((born.dt.month == self.now.month) & (born.dt.day > self.now.day)))
        )
        limit = committee["level"].map({x: self.norm("YOUNG_AGE", x) for x in ("TINH", "XA")})
        young = (age < limit).astype(float).where(limit.notna())
        for code, mark in (("I21", (committee["gender"] == "Nữ").astype(int)), ("I22", young)):
            self._say(code, committee, mark, 1, "COMMUNE BLOC PROVINCE")
            for level, part in committee.groupby("level"):
                self._say(code, part, mark[part.index], 1, "COMMUNE BLOC PROVINCE", str(level))
        leading = ["BI_THU", "PHO_BI_THU", "CT_HDND", "PCT_HDND", "CT_UBND", "PCT_UBND", "CAP_TRUONG", "CAP_PHO"]
        key = self.posts[self.posts["post"].isin(leading)].drop_duplicates(["citizen_id", "organization_code"])
        self._say("I23", key, (key["gender"] == "Nữ").astype(int), 1, "COMMUNE BLOC PROVINCE")

    def _kpi(self) -> None:
        grain = "ORGANIZATION COMMUNE PROVINCE"
        approved = set(self.kpi.loc[self.kpi["approved_on"].notna(), "citizen_id"])
        self._say("I17", self.staff, self.staff["citizen_id"].isin(approved).astype(int), 1, grain)
        self._say("I18", self.kpi, 1, None, grain, measure="count")
        for rating in ("XS", "T", "HT", "KHT"):
            self._say("I18", self.kpi, (self.kpi["rating"] == rating).astype(int), 1, grain, rating)
        kept = []
        for (_, _), group in self.kpi.groupby(["organization_code", "task_group"], dropna=False):
            good, best = (group["rating"] == "T").sum(), (group["rating"] == "XS").sum()
            kept.append({**group.iloc[0], "kept": int(best <= floor(self.norm("KPI_XS_SHARE") * good))})
        groups = pd.DataFrame(kept)
        self._say("I19", groups, groups["kept"], 1, grain)
        k = self.kpi
        adds_up = (k["total_score"] - k["common_score"] - k["result_score"]).abs() <= self.norm("KPI_TOLERANCE")
        fitting = k["total_score"].map(lambda t: "XS" if t >= 90 else "T" if t >= 70 else "HT" if t >= 50 else "KHT")
        self._say("I20", k, (adds_up & (k["failing_reason"].notna() | (fitting == k["rating"]))).astype(int), 1, grain)

    def _staff(self) -> None:
        s, every = self.staff, "ORGANIZATION COMMUNE BLOC PROVINCE"
        # at work in a body of a commune, or in one that nobody knows, for a commune
        communal = s[s["level"].fillna("XA") == "XA"]
        quotas = self.quotas[self.quotas["level"] == "XA"]
        both = pd.concat([
            communal.assign(_a=communal["employment_type"].isin(["Cán bộ", "CC"]).astype(int), _b=0),
            quotas.assign(_a=0, _b=quotas["civil_servant_posts"]),
        ])  # fmt: skip
        self._say("I10", both, both["_a"], both["_b"], "COMMUNE PROVINCE")
        specialists = self.posts[
            (self.posts["post"] == "CHUYEN_MON") & (self.posts["specialism"] == self.posts["studied"])
        ]
        have = specialists.groupby(["commune", "specialism"])["citizen_id"].nunique()
        needs = self.needs.groupby(["commune", "specialism"], as_index=False)["needed"].sum()
        needs["have"] = [have.get((c, f), 0) for c, f in zip(needs["commune"], needs["specialism"], strict=True)]
        covered = needs.assign(ok=needs["have"] >= needs["needed"]).groupby("commune")["ok"].all()
        self._fixed("I11", covered.sum(), len(covered), "share")
        short = (needs["needed"] - needs["have"]).clip(lower=0)
        self._say("I12", needs, short, None, "COMMUNE PROVINCE", measure="count")
        for field, part in needs.groupby("specialism"):
            self._say("I12", part, short[part.index], None, "COMMUNE PROVINCE", str(field), "count")
        modern = s["specialism"].isin(["CNTT_CDS", "KHCN"]) & s["education"].isin(["TS", "ThS", "DH", "CD"])
        self._say("I24", s, modern.astype(int), 1, every)
        hours = s["training_hours"].map(lambda t: 0.0 if pd.isna(t) else float(t.replace(",", ".")))
        self._say("I25", s, (hours >= self.norm("TRAINING_HOURS_MIN")).astype(int), 1, every)
        self._say("I39", s, (s["digital_skills"] == "có").astype(int), 1, every)

    def _villages(self) -> None:
        v, grain = self.villages, "COMMUNE PROVINCE"
        self._say("I26", v, 1, None, grain, measure="count")
        base = self.villages_base
        both = pd.concat([base.assign(_a=1, _b=1), v[v["commune"].isin(base["commune"])].assign(_a=-1, _b=0)])
        self._say("I26", both, both["_a"], both["_b"], grain, "CUT")
        least = [
            self.norm("HAMLET_MIN_HOUSEHOLDS", f"{t}|{r}") for t, r in zip(v["village_type"], v["region"], strict=True)
        ]
        for variant, share in (("", 1.0), ("MUST_MERGE", self.norm("HAMLET_MERGE_SHARE"))):
            small = [
                0 if special == "có" else np.nan if np.isnan(m) else int(h < m * share)
                for special, m, h in zip(v["is_special"], least, v["households"], strict=True)
            ]
            self._say("I27", v, small, 1, grain, variant)
        self._say("I28", v, v["non_professional_workers"], 1, grain, measure="ratio")
        self._say("I28", v, v["concurrent_workers"], v["non_professional_workers"], grain, "CONCURRENT")

    def _autonomy(self) -> None:
        done = self.units[self.units["kind"] == "THUC_HIEN"].assign(organization=lambda f: f["organization_code"])
        self._say("I29", done, done["autonomy_group"].isin(["1", "2"]).astype(int), 1, "FIELD PROVINCE")
        a, b = done["own_revenue"], done["recurrent_spending"]
        self._say("I30", done, a, b, "ORGANIZATION FIELD PROVINCE")
        wrong = []
        for revenue, spending, group in zip(a, b, done["autonomy_group"], strict=True):
            degree = 100 * revenue / spending if spending else None
            fits = None if degree is None else "12" if degree >= 100 else "3" if degree >= 10 else "4"
            wrong.append(np.nan if fits is None else int(group not in fits))
        self._say("I31", done, wrong, None, "ORGANIZATION FIELD PROVINCE", measure="count")

    def _services(self) -> None:
        s, grain = self.statistics, "ORGANIZATION COMMUNE PROVINCE"
        in_time, received = (
            s["resolved_early"] + s["resolved_on_time"],
            s["received_online"] + s["received_in_person"] + s["received_by_post"],
        )
        resolved = in_time + s["resolved_late"]
        self._say("I32", s, in_time, resolved, grain)
        for level, part in s.groupby("level"):
            self._say("I32", part, in_time[part.index], resolved[part.index], grain, str(level))
        online = s[s["service_level"] != "KHONG"]
        self._say("I33", online, online["received_online"], received[online.index], grain)
        whole = s.groupby("procedure_code")["service_level"].agg(lambda levels: (levels == "TOAN_TRINH").any())
        self._fixed("I34", whole.sum(), len(whole), "share")
        self._say("I35", s, s["results_digital"], resolved, grain)
        self._say("I35", s, s["digitised"], received, grain, "DIGITISED")
        self._say("I36", s, s["pending_overdue"], None, grain, measure="count")

    def _digital(self) -> None:
        d, grain = self.digital, "COMMUNE PROVINCE"
        self._say("I37", d, d["vneid_level2"], d["adults"], grain)
        self._say("I38", d, d["digitally_skilled_adults"], d["adults"], grain)
        self._say("I39", d, d["skilled_officials"], d["officials"], grain, "REPORTED")
        self._say("I40", d, d["connected_households"], d["households"], grain)
        v = self.villages_reported
        self._say("I40", v, v["has_digital_team"].map({"có": 1, "không": 0}), 1, grain, "TEAMS")
        self._say("I41", d, d["computers"], d["officials_needing_computer"], grain)
        least = self.norm("LEASED_LINE_MIN_MBPS")
        line = [
            0 if people < 1 else np.nan if pd.isna(speed) or np.isnan(least) else int(speed >= least)
            for speed, people in zip(d["leased_line_mbps"], d["it_officials"], strict=True)
        ]
        self._say("I41", d, line, 1, grain, "LINE")

    def _quotas(self) -> None:
        q = self.quotas
        self._say("I47", q, q["appointments_published"], q["appointments"], "ORGANIZATION BLOC PROVINCE")
        self._say("I48", q, q["proposals_approved"], q["proposals"], "BLOC PROVINCE")
        self._say("I49", q, q["talents_attracted"], None, "BLOC PROVINCE", measure="count")

    def _profiles(self) -> None:
        columns = ["citizen_id", "full_name", "date_of_birth", "gender", "employment_type", "education", "specialism",
                   "organization_code", "started_on"]  # fmt: skip
        s, p = self.staff, self.posts
        origin = p["post"].isin(["BI_THU", "CT_UBND", "CN_UBKT"])
        field = p["post"] == "CHUYEN_MON"
        filled = p[["citizen_id", "organization_code", "post", "is_main", "started_on"]].notna().sum(axis=1)
        filled += (field & p["specialism"].notna()).astype(int) + (origin & p["local_origin"].notna()).astype(int)
        both = pd.concat([
            s.assign(_a=s[columns].notna().sum(axis=1), _b=9),
            p.assign(_a=filled, _b=5 + (field | origin).astype(int)),
        ])  # fmt: skip
        self._say("I46", both, both["_a"], both["_b"], "ORGANIZATION COMMUNE PROVINCE")


def _numbers(frame: pd.DataFrame) -> pd.DataFrame:
    """Columns whose every value is a number as numbers."""
    kept = {"organization_code", "commune_code", "citizen_id", "procedure_code", "autonomy_group", "_commune"}
    text = [c for c in frame.columns if c not in kept]
    typed = frame.copy()
    for column in text:
        values = frame[column].dropna().astype(str)
        if len(values) and values.str.fullmatch(r"-?\d+(?:,\d+)?").all():
            typed[column] = pd.to_numeric(frame[column].str.replace(",", "."))
    return typed


def _exact(value: Any) -> Decimal:
    return Decimal(str(value)).normalize() + 0 if not isinstance(value, Decimal) else value
