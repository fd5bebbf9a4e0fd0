"""The world that the communes report on, and the history that follows from what they sent.

Belongs here: how villages come, change, are renamed and go; and, written down a second time and independently of the
product, what snapshots mean for the history. Does not belong here: files, layouts, defects.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta
from random import Random

from .names import village_names
from .truth import Version

HOLD_LIMIT = 0.3
"""Share of the open villages that a snapshot may end before it is held (the contract's acceptance limit)."""


@dataclass(frozen=True)
class Besides:
    """What a list may say of a village besides its figures, all of it or nothing. The workers are counts of người."""

    region: str
    non_professional_workers: int
    concurrent_workers: int
    is_special: bool
    has_digital_team: bool


def besides(region: str, commune_code: str, name: str) -> Besides:
    """A function of the village's name, so that it stays as it is from quarter to quarter."""
    rng = Random(f"besides/{commune_code}/{name}")
    workers = rng.choices((2, 3, 4), (0.2, 0.6, 0.2))[0]
    return Besides(region, workers, rng.randint(0, 2), rng.random() < 0.06, rng.random() < 0.82)


@dataclass(frozen=True)
class Village:
    """One village in one quarter. ``kind``: THON or TDP; households and population are counts of hộ and người."""

    name: str
    kind: str
    households: int
    population: int
    besides: Besides | None = None
    predecessors: str | None = None
    """What a list says that it succeeds to; a list that no longer says so says something else."""


@dataclass(frozen=True)
class Snapshot:
    """What one readable submission says: its good rows, the keys of its bad rows, and how many bad rows have no key."""

    as_of: date
    good: tuple[Village, ...]
    carried: frozenset[str] = frozenset()
    without_key: int = 0


def last_day(quarter: str) -> date:
    """The last day of a civil quarter such as ``2026-Q2``; :class:`ValueError` for any other label."""
    year, _, part = quarter.partition("-Q")
    month = 3 * int(part)
    if not 1 <= month <= 12:
        raise ValueError(f"not a quarter: {quarter!r}")
    return date(int(year) + month // 12, month % 12 + 1, 1) - timedelta(days=1)


def live(rng: Random, commune: str, villages: tuple[int, int], quarters: int) -> list[list[Village]]:
    """The villages of one commune in each quarter, in the order in which the commune lists them.

    At most a tenth of the villages (one, from eight on) goes or is renamed in a quarter: even over a quarter that never
    arrived a true list stays under :data:`HOLD_LIMIT`.
    """
    ward = commune.lower().startswith("phường")
    town = not ward and rng.random() < 0.25
    thon, tdp = village_names(rng, "Thôn"), village_names(rng, "Tổ dân phố")
    seen: set[str] = set()

    def new(kind: str) -> Village:
        name = next(n for n in (tdp if kind == "TDP" else thon) if n not in seen)
        seen.add(name)
        households = rng.randint(18, 90) if rng.random() < 0.15 else rng.randint(90, 620 if kind == "THON" else 1150)
        return Village(name, kind, households, round(households * rng.uniform(3.1, 4.4)))

    count = rng.randint(*villages)
    groups = 2 if town else 0
    now = [new("TDP" if ward or i >= count - groups else "THON") for i in range(count)]
    told = [now]
    for _ in range(quarters - 1):
        ends = count // 10 or (1 if count >= 8 else 0)
        going = set(rng.sample(range(len(now)), rng.randint(0, ends))) if len(now) > 7 else set()
        following: list[Village] = []
        for place, village in enumerate(now):
            if place in going:
                if rng.random() < 0.5:
                    following.append(replace(village, name=new(village.kind).name))
                elif following:  # merged into its neighbour
                    home = following[-1]
                    following[-1] = replace(
                        home,
                        households=home.households + village.households,
                        population=home.population + village.population,
                    )
            elif rng.random() < 0.55:
                households = max(10, village.households + rng.randint(-2, 5))
                people = max(households * 2, village.population + rng.randint(-9, 16))
                following.append(replace(village, households=households, population=people))
            else:
                following.append(village)
        if rng.random() < 0.3:
            last = following[-1]
            following.append(new(last.kind))
        if following == now:
            following[0] = replace(following[0], population=following[0].population + 1)
        now = following
        told.append(now)
    return told


def history(commune_code: str, snapshots: Iterable[Snapshot]) -> tuple[list[Version], list[Snapshot]]:
    """The versions that the snapshots of one commune make, and those of the snapshots that are to be held.

    ``snapshots``: at most one per as-of date, in any order. A snapshot opens a version for each good row that differs
    from the open one, lets the last value of a bad row's key carry on, and ends every other open village at its as-of
    date; but it ends nobody where a bad row has no key, and is held as a whole where it would end more than
    :data:`HOLD_LIMIT` of the open ones. Intervals are half-open.
    """
    open_versions: dict[str, Version] = {}
    versions: list[Version] = []
    held: list[Snapshot] = []
    for snapshot in sorted(snapshots, key=lambda s: s.as_of):
        good = {village.name: village for village in snapshot.good}
        present = good.keys() | snapshot.carried
        ended = [] if snapshot.without_key else [name for name in open_versions if name not in present]
        if open_versions and len(ended) / len(open_versions) > HOLD_LIMIT:
            held.append(snapshot)
            continue
        for name in ended:
            versions.append(replace(open_versions.pop(name), valid_to=snapshot.as_of))
        for name, village in good.items():
            said = {"predecessors": village.predecessors} | (asdict(village.besides) if village.besides else {})
            version = Version(
                commune_code, name, village.kind, village.households, village.population, snapshot.as_of, None, **said
            )
            before = open_versions.get(name)
            if before is not None:
                if replace(before, valid_from=snapshot.as_of) == version:
                    continue
                versions.append(replace(before, valid_to=snapshot.as_of))
            open_versions[name] = version
    return sort_versions([*versions, *open_versions.values()]), held


def sort_versions(versions: Sequence[Version]) -> list[Version]:
    """By commune, name and start."""
    return sorted(versions, key=lambda v: (v.commune_code, v.village_name, v.valid_from))
