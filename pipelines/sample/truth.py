"""The truth of a sample province: the history that the warehouse must hold and the answer to each delivery.

Belongs here: the truth as data, its files, and the comparison with a warehouse in plain words. Does not belong here:
how the truth is derived (``world``, ``deliveries``) or how a warehouse is read (the caller does).
"""

from __future__ import annotations

import csv
import json
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import date, datetime
from pathlib import Path, PurePosixPath
from typing import Any, Literal

import polars as pl

from .frames import Frames

State = Literal["accepted", "partly", "held", "rejected", "repeated"]


@dataclass(frozen=True)
class Version:
    """One village over one interval ``[valid_from, valid_to)``; an open one has no ``valid_to``."""

    commune_code: str
    village_name: str
    village_type: str
    households: int
    population: int
    valid_from: date
    valid_to: date | None
    region: str | None = None
    non_professional_workers: int | None = None
    concurrent_workers: int | None = None
    is_special: bool | None = None
    has_digital_team: bool | None = None
    predecessors: str | None = None


@dataclass(frozen=True)
class BadRow:
    """A data row that is not accepted. ``row``: the Excel row; in a CSV (``sheet`` '') the record, header = 1."""

    sheet: str
    row: int
    code: str


@dataclass(frozen=True)
class Delivered:
    """One file of the inbox and what must become of it.

    ``path`` is ``<period>/<sender>/<file name>``. ``code`` is the reason of a hold, rejection or repetition,
    ``warnings`` are codes that must be said besides. ``set_aside`` lists data rows only (OUT_OF_SCOPE, REPEAT).
    ``in_force``: it stands in the warehouse, unlike a held, rejected, repeated or superseded one; the ``state`` of a
    superseded one is what it was when it stood.
    """

    path: str
    period: str
    sender: str
    received_at: datetime
    shape: str
    defect: str
    state: State
    code: str | None
    warnings: tuple[str, ...]
    rows_accepted: int
    quarantined: tuple[BadRow, ...]
    set_aside: tuple[BadRow, ...]
    in_force: bool
    dataset: str = "villages"


@dataclass(frozen=True)
class Fact:
    """What else must hold: of a dataset (or 'successions') one entity by its key, with some of its values, over an interval."""

    dataset: str
    key: tuple[str, ...]
    values: tuple[str, ...]
    valid_from: date
    valid_to: date | None


@dataclass(frozen=True)
class Truth:
    """All of it. ``silent``: codes of communes that sent nothing."""

    seed: int
    periods: tuple[str, ...]
    communes: tuple[tuple[str, str], ...]
    silent: tuple[str, ...]
    villages: tuple[Version, ...]
    submissions: tuple[Delivered, ...]
    facts: tuple[Fact, ...] = ()
    frames: Frames = field(default_factory=Frames, compare=False)
    """Every dataset as a frame (:mod:`.frames`), where the whole province was asked for."""

    def save(self, folder: Path) -> None:
        """Write ``truth.json``, ``villages.csv`` and ``submissions.csv`` (to look at) into a folder, and the frames into
        ``frames/<dataset>/`` unless they lie there already."""
        folder.mkdir(parents=True, exist_ok=True)
        plain = {name.name: getattr(self, name.name) for name in fields(self) if name.name != "frames"}
        text = json.dumps(plain, ensure_ascii=False, indent=1, default=_plain)
        (folder / "truth.json").write_text(text + "\n", encoding="utf-8")
        _write_csv(folder / "villages.csv", Version, self.villages)
        _write_csv(folder / "submissions.csv", Delivered, self.submissions)
        self.frames.keep(folder / "frames")

    @classmethod
    def load(cls, folder: Path) -> Truth:
        """What :meth:`save` wrote; :class:`OSError` or :class:`ValueError` where it is not there or not whole."""
        raw = json.loads((folder / "truth.json").read_text(encoding="utf-8"))
        return cls(
            seed=raw["seed"],
            periods=tuple(raw["periods"]),
            communes=tuple((code, name) for code, name in raw["communes"]),
            silent=tuple(raw["silent"]),
            villages=tuple(
                Version(**{**v, "valid_from": _day(v["valid_from"]), "valid_to": _day(v["valid_to"])})
                for v in raw["villages"]
            ),
            submissions=tuple(
                Delivered(
                    **{
                        **s,
                        "received_at": datetime.fromisoformat(s["received_at"]),
                        "warnings": tuple(s["warnings"]),
                        "quarantined": tuple(BadRow(**row) for row in s["quarantined"]),
                        "set_aside": tuple(BadRow(**row) for row in s["set_aside"]),
                    }
                )
                for s in raw["submissions"]
            ),
            facts=tuple(
                Fact(
                    f["dataset"],
                    tuple(f["key"]),
                    tuple(f["values"]),
                    _day(f["valid_from"]) or date.min,
                    _day(f["valid_to"]),
                )
                for f in raw["facts"]
            ),
            frames=Frames(folder / "frames"),
        )


def compare(
    truth: Truth,
    history: pl.DataFrame | Iterable[Mapping[str, Any]],
    submissions: pl.DataFrame | Iterable[Mapping[str, Any]] | None = None,
    facts: Iterable[Mapping[str, Any]] | None = None,
) -> list[str]:
    """The differences between a warehouse and the truth, a sentence each; empty = equal.

    ``history``: rows with the fields of :class:`Version` (``mart_v1.villages_history``); others are ignored, dates may
    be ISO text. ``submissions``: a row per delivered file, or None to leave them out: ``path`` (its last three parts
    count), ``state`` (the words of :data:`State`, or 'superseded'), ``rows_accepted``, ``rows_quarantined``, and where
    the caller has them ``codes`` (everything that was said about the submission or delivery) and ``quarantined``
    (mappings with ``row`` and ``code``, one per row and code). ``facts``: rows with the fields of :class:`Fact`, or None.
    """
    differences = _compare_history(truth, _rows(history))
    if submissions is not None:
        differences += compare_answers(truth, _rows(submissions))
    if facts is not None:
        differences += compare_facts(truth, facts)
    return differences


def compare_facts(truth: Truth, rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """As :func:`compare`, of facts alone."""
    held = {
        Fact(r["dataset"], tuple(r["key"]), tuple(r["values"]), r["valid_from"], r["valid_to"]) for r in rows
    }  # fmt: skip
    right = set(truth.facts)
    return [
        f"{f.dataset} {' '.join(f.key)}: {verb} {' '.join(f.values)} from {f.valid_from} to {f.valid_to or 'now'}"
        for verb, facts in (
            ("the warehouse lacks", right - held),
            ("the warehouse holds, and the truth does not,", held - right),
        )
        for f in sorted(facts, key=repr)
    ]


def compare_frame(dataset: str, right: pl.DataFrame, held: pl.DataFrame) -> list[str]:
    """The differences between a frame of the truth and what a warehouse holds of it, a sentence for each row; ``held`` has the
    columns of ``right``. Order does not count, how often a row stands does."""
    held = held.select(pl.col(c).cast(t) for c, t in right.schema.items())
    # an empty text and none are one in what was written as CSV
    right, held = (f.with_columns(pl.col(pl.String).replace("", None)) for f in (right, held))
    sides = [right.with_columns(_more=pl.lit(1)), held.with_columns(_more=pl.lit(-1))]
    odd = pl.concat(sides).group_by(right.columns).agg(pl.col("_more").sum()).filter(pl.col("_more") != 0)
    verb = {True: "the warehouse lacks", False: "the warehouse holds, and the truth does not,"}
    return [
        f"{dataset}: {verb[row.pop('_more') > 0]} " + ", ".join(f"{c} {v}" for c, v in row.items() if v is not None)
        for row in odd.sort(right.columns).iter_rows(named=True)
    ]


def arrived_by(truth: Truth, period: str | None) -> list[str]:
    """The files that have arrived when a quarter is taken, 25 days after its end; all of them without one."""
    if period is None:
        return [s.path for s in truth.submissions]
    year, _, quarter = period.partition("-Q")
    month = 3 * int(quarter)
    taken = date(int(year) + month // 12, month % 12 + 1, 25)
    return [s.path for s in truth.submissions if s.received_at.date() <= taken]


def _compare_history(truth: Truth, rows: Iterable[Mapping[str, Any]]) -> list[str]:
    names = dict(truth.communes)
    wanted: dict[tuple[str, str], list[Version]] = defaultdict(list)
    found: dict[tuple[str, str], list[Version]] = defaultdict(list)
    for version in truth.villages:
        wanted[version.commune_code, version.village_name].append(version)
    for row in rows:
        told: dict[str, Any] = {name.name: row.get(name.name) for name in fields(Version)}
        version = Version(
            **told | {"valid_from": _day(row["valid_from"]) or date.min, "valid_to": _day(row["valid_to"])}
        )
        found[version.commune_code, version.village_name].append(version)
    differences = []
    for key in sorted(wanted.keys() | found.keys()):
        right = sorted(wanted[key], key=lambda v: v.valid_from)
        held = sorted(found[key], key=lambda v: v.valid_from)
        if right != held:
            where = f"{names.get(key[0], 'commune')} ({key[0]}), village “{key[1]}”"
            differences.append(f"{where}: the warehouse holds {_told(held)}; the truth is {_told(right)}")
    return differences


def compare_answers(truth: Truth, rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """As :func:`compare`, of the submissions alone."""
    found: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        found[_place(row["path"])].append(row)
    differences = []
    for right in truth.submissions:
        here = found.pop(_place(right.path), [])
        if len(here) != 1:
            differences.append(f"{right.path}: {len(here) or 'no'} answers; the truth has one ({right.state})")
        else:
            differences += [f"{right.path}: {said}" for said in _compare_answer(right, here[0])]
    return differences + [f"{path}: an answer to a file that was never sent" for path in sorted(found)]


def _compare_answer(right: Delivered, row: Mapping[str, Any]) -> Iterable[str]:
    superseded = right.state in ("accepted", "partly") and not right.in_force
    if row["state"] != right.state and not (superseded and row["state"] == "superseded"):
        why = f" ({right.code})" if right.code else ""
        yield f"is {row['state']}; the truth is {right.state}{why}"
    if right.state in ("accepted", "partly"):
        for word, count in (("accepted", right.rows_accepted), ("quarantined", len(right.quarantined))):
            if (row[f"rows_{word}"] or 0) != count:
                yield f"{row[f'rows_{word}'] or 0} rows {word}; the truth is {count}"
    if (codes := row.get("codes")) is not None:
        for code in (*((right.code,) if right.code else ()), *right.warnings):
            if code not in codes:
                yield f"{code} was not said (said: {', '.join(sorted(set(codes))) or 'nothing'})"
        if "TOTAL_DIFFERS" in codes and "TOTAL_DIFFERS" not in right.warnings and not right.quarantined:
            yield "TOTAL_DIFFERS was said, but the totals fit"
    if right.state in ("accepted", "partly") and (bad := row.get("quarantined")) is not None:
        said: dict[int, set[str]] = defaultdict(set)
        for entry in bad:
            said[entry["row"]].add(entry["code"])
        for want in right.quarantined:
            if want.code not in (here := said.pop(want.row, set())):
                yield f"row {want.row} has {', '.join(sorted(here)) or 'no fault'}; the truth is {want.code}"
        wanted = {want.row for want in right.quarantined}
        for number in sorted(said.keys() - wanted):
            yield f"row {number} is quarantined ({', '.join(sorted(said[number]))}); it is sound"


def _told(versions: Sequence[Version]) -> str:
    return (
        "; ".join(
            f"{v.village_type} {v.households} households, {v.population} people{_besides(v)} from {v.valid_from} "
            f"to {v.valid_to or 'now'}"
            for v in versions
        )
        or "nothing"
    )


def _besides(version: Version) -> str:
    """What the list says besides the figures, where it says anything."""
    words = [f"succeeds to {version.predecessors}"] if version.predecessors else []
    if version.region is not None:
        words += [version.region, f"{version.non_professional_workers}/{version.concurrent_workers} workers"]
        words += ["special"] * bool(version.is_special) + ["digital team"] * bool(version.has_digital_team)
    return f" ({', '.join(words)})" if words else ""


def _plain(value: object) -> object:
    return asdict(value) if isinstance(value, Version | Delivered | Fact) else str(value)


def _rows(rows: pl.DataFrame | Iterable[Mapping[str, Any]]) -> Iterable[Mapping[str, Any]]:
    return rows.to_dicts() if isinstance(rows, pl.DataFrame) else rows


def _place(path: str) -> str:
    """The last three parts in NFC: the product may keep the inbox before them, and another form of the name."""
    return unicodedata.normalize("NFC", "/".join(PurePosixPath(path).parts[-3:]))


def _day(value: date | str | None) -> date | None:
    return date.fromisoformat(value) if isinstance(value, str) else value


def _write_csv(path: Path, kind: type[Version] | type[Delivered], rows: Sequence[Version | Delivered]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(field.name for field in fields(kind))
        writer.writerows([_cell(getattr(row, field.name)) for field in fields(kind)] for row in rows)


def _cell(value: object) -> object:
    if isinstance(value, tuple):
        parts = (f"{v.sheet}!{v.row} {v.code}".lstrip("!") if isinstance(v, BadRow) else str(v) for v in value)
        return "; ".join(parts)
    return value
