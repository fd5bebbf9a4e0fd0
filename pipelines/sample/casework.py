"""Dossiers of administrative procedures in the invented province, month by month, and the statistics that follow from them.

Belongs here: who applies for what where and when, how long it takes, and the sums over it. Does not belong here: files. A month is
made from the seed and its label alone, so that any month can be made again and never more than half a year is in memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import numpy as np
import polars as pl

from .frames import stream
from .work import month_end, months_of

LONGEST = 130
"""Days after which every dossier is finished or withdrawn."""
_BACK = 5
"""Months back in which a dossier may have been received that is pending now: :data:`LONGEST` days."""
_EPOCH = date(1970, 1, 1)

_LEVELS = ("TOAN_TRINH", "MOT_PHAN", "KHONG")
CHANNELS = ("TRUC_TUYEN", "TRUC_TIEP", "BUU_CHINH")


class Casework:
    """All dossiers over the quarters. ``weights``: bodies that receive dossiers, with columns code, commune (null: a department),
    weight, ends (quarter)."""

    def __init__(self, seed: int, periods: Sequence[str], offices: pl.DataFrame, dossiers: int) -> None:
        self.seed, self.offices = seed, offices
        self.periods = tuple(periods)
        self.months = [m for p in periods for m in months_of(p)]
        rng = stream(seed, "procedures")
        at_commune, at_department = 40, 90
        number = at_commune + at_department
        codes = np.sort(rng.choice(np.arange(100, 13_999), number, replace=False))
        rng.shuffle(codes)
        level = rng.choice(3, number, p=[0.45, 0.40, 0.15])
        self.procedures = pl.DataFrame(
            {
                "procedure_code": [f"{1 + n % 3}.{c:06}" for n, c in enumerate(codes.tolist())],
                "service_level": np.array(_LEVELS)[level],
                "days": rng.choice(
                    [1, 3, 5, 7, 10, 15, 20, 30], number, p=[0.2, 0.2, 0.2, 0.1, 0.12, 0.08, 0.05, 0.05]
                ),
                "commune": np.arange(number) < at_commune,
            }
        )
        season = 0.85 + 0.3 * rng.random(len(self.months))
        share = np.cumsum(season) / season.sum()
        self._counts = np.diff(np.round(share * dossiers).astype(int), prepend=0)
        self._cache: dict[int, pl.DataFrame] = {}

    def received(self, month: int) -> pl.DataFrame:
        """The dossiers received in a month (its number), with all that will become of them: the contract's columns."""
        if month not in self._cache:
            self._cache = {m: f for m, f in self._cache.items() if m > month - _BACK - 2}
            self._cache[month] = self._make(month)
        return self._cache[month]

    def _make(self, month: int) -> pl.DataFrame:
        label, count = self.months[month], int(self._counts[month])
        rng = stream(self.seed, "dossiers", label)
        offices = self.offices.filter(pl.col("ends") > month // 3)
        weight = offices["weight"].to_numpy().astype(float)
        office = rng.choice(len(weight), count, p=weight / weight.sum())
        commune = offices["commune"].is_not_null().to_numpy()[office]
        at_commune = int(self.procedures["commune"].sum())
        rest = self.procedures.height - at_commune
        # a few procedures make most of the work; a department has its own
        popular = np.minimum((rng.random(count) ** 2.2 * at_commune).astype(int), at_commune - 1)
        own = at_commune + (office * 7 + (rng.random(count) ** 2 * 9).astype(int)) % rest
        procedure = np.where(commune, popular, own)
        days = self.procedures["days"].to_numpy()[procedure]
        level = self.procedures["service_level"].to_numpy()[procedure]
        last = month_end(label)
        start = (last.replace(day=1) - _EPOCH).days
        received = np.sort(start + rng.integers(0, last.day, count))
        drift = 0.002 * month
        on_time = rng.random(count) < np.where(commune, 0.945, 0.90) + drift / 2
        within = np.floor(rng.random(count) ** 0.6 * (days + 1)).astype(int)
        beyond = days + 1 + np.floor(rng.exponential(9, count)).astype(int)
        taken = np.minimum(np.where(on_time, np.minimum(within, days), beyond), LONGEST)
        withdrawn = rng.random(count) < 0.015
        draw = rng.random(count)
        online = np.select([level == "TOAN_TRINH", level == "MOT_PHAN"], [0.62 + drift, 0.33 + drift], 0.0)
        channel = np.where(draw < online, 0, np.where(draw < online + 0.04, 2, 1))
        digitised = (channel == 0) | (rng.random(count) < 0.42 + drift)
        digital = rng.random(count) < np.where(level == "KHONG", 0.2, 0.62 + drift)
        # who is merged closes what is open before it ends: nobody could report it afterwards
        last_days = [self._last_day(ends) for ends in offices["ends"].to_list()]
        done = pl.Series(np.minimum(received + taken, np.array(last_days)[office]).astype(np.int32)).cast(pl.Date)
        gone = pl.Series(withdrawn)
        code = offices["code"].to_numpy()[office]
        frame = pl.DataFrame(
            {
                "office": code,
                "procedure_code": self.procedures["procedure_code"].to_numpy()[procedure],
                "service_level": level,
                "organization_code": code,
                "received_on": pl.Series(received.astype(np.int32)).cast(pl.Date),
                "due_on": pl.Series((received + days).astype(np.int32)).cast(pl.Date),
                "channel": np.array(CHANNELS)[channel],
                "digitised": digitised,
                "digital": digital,
                "done": done,
                "gone": gone,
            }
        )
        serial = pl.int_range(1, pl.len() + 1).cast(pl.String).str.zfill(6)
        return frame.select(
            dossier_number=pl.format("H32.{}-{}-{}", "office", pl.lit(label[2:4] + label[5:]), serial),
            procedure_code="procedure_code",
            service_level="service_level",
            organization_code="organization_code",
            received_on="received_on",
            due_on="due_on",
            finished_on=pl.when(~pl.col("gone")).then("done"),
            withdrawn_on=pl.when(pl.col("gone")).then("done"),
            channel="channel",
            digitised="digitised",
            result_digital=pl.when(~pl.col("gone")).then("digital"),
        )

    def _last_day(self, ends: int) -> int:
        """The last day of a body that ends with the beginning of a quarter, in days since 1970; far off where it goes on."""
        months = 3 * ends
        return (month_end(self.months[months - 1]) - _EPOCH).days if months < len(self.months) else 1 << 30

    def known(self, month: int, at: int | None = None) -> pl.DataFrame:
        """The dossiers received in a month as they stand at the end of another one (of the last one): the contract's columns."""
        end = month_end(self.months[len(self.months) - 1 if at is None else at])
        finished = pl.col("finished_on") <= end
        return self.received(month).with_columns(
            finished_on=pl.when(finished).then("finished_on"),
            withdrawn_on=pl.when(pl.col("withdrawn_on") <= end).then("withdrawn_on"),
            result_digital=pl.when(finished).then("result_digital"),
        )

    def extract(self, month: int) -> pl.DataFrame:
        """What the system's extract of a month holds: dossiers received in it, and older ones that ended in it."""
        start, end = self._days(month)
        parts = [self.known(month, month)]
        for earlier in range(max(month - _BACK, 0), month):
            ended = pl.coalesce("finished_on", "withdrawn_on").is_between(start, end)
            parts.append(self.known(earlier, month).filter(ended))
        return pl.concat(parts)

    def statistics(self, month: int) -> pl.DataFrame:
        """Sums of a reporting month (from the 15th of the month before to the 14th) by receiving office and procedure: the
        contract's columns, as they follow from the dossiers."""
        start, end = reporting_month(self.months[month])
        all_ = pl.concat([self.received(m) for m in range(max(month - _BACK - 1, 0), month + 1)])
        all_ = all_.filter(pl.col("received_on") <= end)
        done = pl.coalesce("finished_on", "withdrawn_on")
        here = all_.filter(done >= start)
        received = pl.col("received_on") >= start
        finished = pl.col("finished_on").is_not_null() & (pl.col("finished_on") <= end)
        pending = done > end

        def count(what: pl.Expr) -> pl.Expr:
            return what.fill_null(False).sum().cast(pl.Int64)

        return (
            here.group_by("organization_code", "procedure_code", "service_level")
            .agg(
                opening_stock=count(~received),
                received_online=count(received & (pl.col("channel") == "TRUC_TUYEN")),
                received_in_person=count(received & (pl.col("channel") == "TRUC_TIEP")),
                received_by_post=count(received & (pl.col("channel") == "BUU_CHINH")),
                withdrawn=count(pl.col("withdrawn_on") <= end),
                resolved_early=count(finished & (pl.col("finished_on") < pl.col("due_on"))),
                resolved_on_time=count(finished & (pl.col("finished_on") == pl.col("due_on"))),
                resolved_late=count(finished & (pl.col("finished_on") > pl.col("due_on"))),
                pending_in_time=count(pending & (pl.col("due_on") >= end)),
                pending_overdue=count(pending & (pl.col("due_on") < end)),
                digitised=count(received & pl.col("digitised")),
                results_digital=count(finished & pl.col("result_digital")),
            )
            .sort("organization_code", "procedure_code")
        )

    def _days(self, month: int) -> tuple[date, date]:
        end = month_end(self.months[month])
        return end.replace(day=1), end


def offices(bodies: pl.DataFrame, census: pl.DataFrame) -> pl.DataFrame:
    """The bodies that receive dossiers and their shares: of communes by their people, of departments alike."""
    people = census.filter(pl.col("quarter") == 0).select(commune="commune_code", people="population")
    communes = bodies.filter(pl.col("kind") == "TT_PVHCC").join(people, on="commune", how="left")
    whole = max(communes["people"].fill_null(0).sum(), 1)
    departments = bodies.filter(pl.col("kind") == "SO")
    return pl.concat(
        [
            communes.select("code", "commune", "ends", weight=0.78 * pl.col("people").fill_null(0) / whole),
            departments.select("code", "commune", "ends", weight=pl.lit(0.22 / max(departments.height, 1))),
        ]
    )


def reporting_month(month: str) -> tuple[date, date]:
    """First and last day of a reporting month (NĐ 09/2019)."""
    last = month_end(month).replace(day=14)
    return (last.replace(day=1) - timedelta(days=1)).replace(day=15), last
