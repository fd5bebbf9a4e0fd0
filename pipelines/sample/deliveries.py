"""Who sends what, when, and what is wrong with it: writes the inbox and derives the truth.

Belongs here: the plan (a shape and at most one defect per commune), the deliveries of each kind of defect with the
answer that they must get, and the writing of the files. Does not belong here: the world, its history, the shapes.
"""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, time, timedelta, timezone
from pathlib import Path
from random import Random

import polars as pl

from . import layouts
from .bodies import Size
from .frames import Frames
from .layouts import Line, Report, Written
from .province import Progress, region, write_province
from .truth import BadRow, Delivered, Fact, State, Truth, Version
from .workbook import Formula, Sheet, Value, broken_off, password_protected, write_workbook
from .world import Snapshot, Village, besides, history, last_day, live, sort_versions

VIETNAM = timezone(timedelta(hours=7))
_VILLAGES = {
    "commune_code": pl.String, "village_name": pl.String, "village_type": pl.String, "households": pl.Int64,
    "population": pl.Int64, "valid_from": pl.Date, "valid_to": pl.Date, "region": pl.String,
    "non_professional_workers": pl.Int64, "concurrent_workers": pl.Int64, "is_special": pl.Boolean,
    "has_digital_team": pl.Boolean, "predecessors": pl.String,
}  # fmt: skip


@dataclass(frozen=True)
class _Sent:
    """One file on its way. ``snapshot``: what it says if it is read and stands."""

    period: int
    received_at: datetime
    file_name: str
    data: bytes
    shape: str
    defect: str = ""
    state: State = "accepted"
    code: str | None = None
    warnings: tuple[str, ...] = ()
    places: tuple[tuple[Line, str, int], ...] = ()
    snapshot: Snapshot | None = None


class _Commune:
    """One sender: its habits, its world, and what it hands in."""

    def __init__(
        self, seed: int, commune: tuple[str, str], neighbour: str, shape: str, defect: str,
        villages: tuple[int, int], periods: Sequence[str],
    ) -> None:  # fmt: skip
        self.code, self.name = commune
        self.neighbour, self.shape, self.defect, self.periods = neighbour, shape, defect, periods
        self.rng = Random(f"{seed}/{self.code}")
        self.ends = [last_day(period) for period in periods]
        self.facts: list[Fact] = []
        self.world = live(self.rng, self.name, villages, len(periods))
        self.short = self.rng.random() < 0.4
        self.naming = self.rng.randrange(4)
        self.promptness = self.rng.randint(-2, 9)
        # where a defect strikes: not in the first quarter, so that something is there to be kept or lost
        self.struck = self.rng.randint(1, len(periods) - 1) if len(periods) > 1 else 0

    def received(self, period: int, days: int = 0) -> datetime:
        """Some days after the end of the quarter (a prompt commune: just before it), in office hours."""
        day = self.ends[period] + timedelta(days=max(self.promptness + self.rng.randint(0, 3), -2) + days)
        seconds = self.rng.randint(7 * 3600 + 1800, 17 * 3600)
        return datetime.combine(day, time(), VIETNAM) + timedelta(seconds=seconds)

    def file_name(self, period: int, suffix: str, note: str = "") -> str:
        """In the commune's own manner; decomposed where its texts are."""
        year, _, quarter = self.periods[period].partition("-Q")
        name = (
            f"thon_tdp_quy{quarter}_{year}",
            f"Báo cáo thôn, TDP quý {layouts.ROMAN[int(quarter) - 1]}-{year}",
            f"Bieu 01 - {self.code} - Q{quarter}.{year}",
            f"{self.name} - số hộ, số khẩu ({quarter}-{year})",
        )[self.naming]
        return unicodedata.normalize("NFD" if self.shape == "nfd" else "NFC", f"{name}{note}{suffix}")

    def lines(self, period: int) -> list[Line]:
        """The true lines of a quarter."""
        where = region(self.code, self.name)
        return [
            Line(self.code, v.name, v.kind, v.households, v.population,
                 besides=None if self.shape in layouts.WITHOUT_BESIDES else besides(where, self.code, v.name))
            for v in self.world[period]
        ]  # fmt: skip

    def report(self, period: int, lines: Sequence[Line], received_at: datetime) -> Report:
        """A report without fault."""
        return Report(self.name, lines, self.ends[period], received_at, self.short)

    def send(self, period: int, lines: Sequence[Line] | None = None, *, days: int = 0, note: str = "",
             change: Callable[[Report], Report] = lambda report: report, defect: str = "",
             state: State = "accepted", code: str | None = None, warnings: tuple[str, ...] = ()) -> _Sent:  # fmt: skip
        """A file in the commune's shape; what it says becomes a snapshot unless ``state`` says that it cannot stand."""
        received_at = self.received(period, days)
        told = self.lines(period) if lines is None else list(lines)
        written: Written = layouts.SHAPES[self.shape](change(self.report(period, told, received_at)))
        places = tuple((line, *place) for line, place in zip(told, written.places, strict=True))
        if state == "accepted" and any(line.fault for line in told):
            state = "partly"
        readable = state in ("accepted", "partly")
        return _Sent(
            period, received_at, self.file_name(period, written.suffix, note), written.data, self.shape, defect, state,
            code, (*layouts.WARNINGS.get(self.shape, ()), *warnings) if readable else (),
            places if readable else (), self.snapshot(period, told) if readable else None,
        )  # fmt: skip

    def snapshot(self, period: int, lines: Sequence[Line]) -> Snapshot:
        """What lines say about the commune's own villages."""
        own = [line for line in lines if line.aside is None]
        return Snapshot(
            self.ends[period],
            tuple(_village(line) for line in own if line.fault is None),
            frozenset(line.name for line in own if line.fault and line.name),
            sum(line.name is None for line in own),
        )

    def spoilt(self, data: bytes, suffix: str, code: str, note: str = "", days: int = 0) -> _Sent:
        """A file of the struck quarter that cannot be read: a rejection."""
        received_at, name = self.received(self.struck, days), self.file_name(self.struck, suffix, note)
        return _Sent(self.struck, received_at, name, data, "", self.defect, "rejected", code)

    def all_but(self, *periods: int) -> list[_Sent]:
        """Sound files for all quarters but these."""
        return [self.send(period) for period in range(len(self.periods)) if period not in periods]


def _village(line: Line) -> Village:
    assert line.name is not None
    assert isinstance(line.households, int)
    assert isinstance(line.population, int)
    return Village(line.name, line.kind, line.households, line.population, line.besides, line.predecessors)


# --- kinds of defects: a commune -> everything that it sends over all quarters ---


def _late(c: _Commune) -> list[_Sent]:
    """An older quarter arrives after the newest one."""
    late = max(len(c.periods) - 2, 0)
    delay = (c.ends[-1] - c.ends[late]).days + 21
    return [*c.all_but(late), c.send(late, days=delay, note=" (nộp muộn)", defect=c.defect)]


def _wrong_figures(c: _Commune) -> list[Line]:
    """The struck quarter with every third village's figures wrong, and no other fault."""
    return [
        replace(line, households=v.households + 40, population=v.population + 150) if number % 3 == 0 else line
        for number, (v, line) in enumerate(zip(c.world[c.struck], c.lines(c.struck), strict=True))
    ]


def _corrected(c: _Commune) -> list[_Sent]:
    """A second file for the quarter replaces the first."""
    first = c.send(c.struck, _wrong_figures(c), defect=c.defect)
    return [*c.all_but(c.struck), first, c.send(c.struck, days=12, note=" (bản sửa)", defect=c.defect)]


def _again(sent: _Sent, days: int, note: str, state: State, code: str | None) -> _Sent:
    """The same bytes under another name, later."""
    stem, dot, suffix = sent.file_name.rpartition(".")
    return replace(
        sent, received_at=sent.received_at + timedelta(days=days, minutes=17), file_name=f"{stem}{note}{dot}{suffix}",
        state=state, code=code, warnings=(), places=(), snapshot=None,
    )  # fmt: skip


def _same_again(c: _Commune) -> list[_Sent]:
    """The bytes in force once more: answered, no change."""
    first = c.send(c.struck, defect=c.defect)
    return [*c.all_but(c.struck), first, _again(first, 2, " (1)", "repeated", "SAME_AS_IN_FORCE")]


def _resend_of_older(c: _Commune) -> list[_Sent]:
    """First version, correction, and the first version once more: held."""
    *others, first, second = _corrected(c)
    return [*others, first, second, _again(first, 40, " (gửi lại)", "held", "RESEND_OF_OLDER")]


def _unchanged_quarter(c: _Commune) -> list[_Sent]:
    """The same bytes for two quarters: each counts for its own quarter."""
    before = max(c.struck - 1, 0)
    c.world[c.struck] = c.world[before]
    first = c.send(before)
    if c.struck == before:
        return [first]
    copy = replace(
        first,
        period=c.struck,
        received_at=c.received(c.struck),
        file_name=c.file_name(c.struck, Path(first.file_name).suffix),
        defect=c.defect,
        snapshot=c.snapshot(c.struck, c.lines(before)),
    )
    return [*c.all_but(before, c.struck), first, copy]


def _shrunken(c: _Commune) -> list[_Sent]:
    """A list broken off after four tenths of its villages. The history finds that it is to be held."""
    lines = c.lines(c.struck)
    return [*c.all_but(c.struck), c.send(c.struck, lines[: len(lines) * 2 // 5], defect=c.defect)]


def _header_only(c: _Commune) -> list[_Sent]:
    """The template, not filled in."""
    return [*c.all_but(c.struck), c.send(c.struck, [], defect=c.defect, state="rejected", code="NO_DATA_ROWS")]


def _empty_file(c: _Commune) -> list[_Sent]:
    """Nothing at all: 0 bytes."""
    return [*c.all_but(c.struck), c.spoilt(b"", ".xlsx", "EMPTY_FILE")]


def _broken_off(c: _Commune) -> list[_Sent]:
    """A transfer that broke off, and the whole file two days later."""
    whole = c.send(c.struck, note=" (gửi lại)", days=16)
    return [*c.all_but(c.struck), c.spoilt(broken_off(whole.data), ".xlsx", "DAMAGED_WORKBOOK"), whole]


def _password(c: _Commune) -> list[_Sent]:
    """A workbook with a password, and the open one some days later."""
    locked = c.spoilt(password_protected(c.rng), ".xlsx", "PASSWORD")
    return [*c.all_but(c.struck), locked, c.send(c.struck, note=" (bỏ mật khẩu)", days=15)]


def _html(c: _Commune) -> list[_Sent]:
    """The login page of an export whose session had ended, saved under the name of a workbook."""
    form = "<form method='post'><p>Tên đăng nhập <input name='u'></p><p>Mật khẩu <input name='p' type='password'></p></form>"
    head = "<head><meta charset='utf-8'><title>Đăng nhập</title></head>"
    page = f"<!DOCTYPE html>\n<html>{head}<body>\n<h1>{c.code}: phiên làm việc đã hết</h1>\n{form}</body></html>\n"
    return [*c.all_but(c.struck), c.spoilt(page.encode(), ".xls", "NO_TABLE_IN_PAGE")]


def _unknown_header(c: _Commune) -> list[_Sent]:
    """A required column under a name that means nothing to anyone."""

    def rename(report: Report) -> Report:
        return replace(report, headers={"Số hộ": "Đang theo dõi"})

    bad = c.send(c.struck, change=rename, defect=c.defect, state="rejected", code="MISSING_HEADER")
    return [*c.all_but(c.struck), bad]


def _unknown_dataset(c: _Commune) -> list[_Sent]:
    """A sound list of something that nobody asked for."""
    sheet = Sheet("Sheet1")
    sheet.put(1, 1, "STT", "Tên tài sản", "Năm sử dụng", "Số lượng", "Nguyên giá (đồng)")
    for number, what in enumerate(("Máy vi tính", "Máy in", "Bàn làm việc", "Tủ hồ sơ"), 1):
        sheet.put(1 + number, 1, number, what, 2019 + number, 3 * number, 12_500_000 + number * 1000)
    stray = write_workbook([sheet], c.received(c.struck))
    return [*c.all_but(c.struck), c.spoilt(stray, ".xlsx", "UNKNOWN_DATASET", " - tài sản")]


def _wrong_date(c: _Commune) -> list[_Sent]:
    """The title of the printed form still states the end of the quarter before: held."""

    def misdate(report: Report) -> Report:
        return replace(report, stated=_quarter_before(report.stated))

    bad = c.send(c.struck, change=misdate, defect=c.defect, state="held", code="AS_OF_OUTSIDE_PERIOD")
    return [*c.all_but(c.struck), bad]


def _quarter_before(end: date) -> date:
    year, quarter = (end.year, end.month // 3 - 1) if end.month > 3 else (end.year - 1, 4)
    return last_day(f"{year}-Q{quarter}")


def _spoil(column: str, value: Value, fault: str) -> Callable[[_Commune], list[_Sent]]:
    """One cell of a line in the middle (and, of the figures, none else) is bad; its key stays readable."""

    def send(c: _Commune) -> list[_Sent]:
        lines = c.lines(c.struck)
        at = len(lines) // 2
        bad = replace(lines[at], households=value) if column == "households" else replace(lines[at], population=value)
        lines[at] = replace(bad, fault=fault)
        return [*c.all_but(c.struck), c.send(c.struck, lines, defect=c.defect)]

    return send


def _missing_name(c: _Commune) -> list[_Sent]:
    """A row without its name, and one village left out: nobody ends, for the nameless row may be any of them."""
    lines = c.lines(c.struck)
    at = len(lines) // 2
    lines[at] = replace(lines[at], name=None, fault="MISSING")
    return [*c.all_but(c.struck), c.send(c.struck, lines[:-1], defect=c.defect)]


def _duplicate_key(c: _Commune) -> list[_Sent]:
    """A village twice with different figures: both rows are bad, the village is present."""
    lines = c.lines(c.struck)
    at = len(lines) // 2
    lines[at] = replace(lines[at], fault="DUPLICATE_KEY")
    lines.append(replace(lines[at], households=c.world[c.struck][at].households + 5))
    return [*c.all_but(c.struck), c.send(c.struck, lines, defect=c.defect)]


def _exact_repeat(c: _Commune) -> list[_Sent]:
    """A row pasted twice: the second one is set aside."""
    lines = c.lines(c.struck)
    at = len(lines) // 2
    lines.insert(at + 2, replace(lines[at], aside="REPEAT"))
    return [*c.all_but(c.struck), c.send(c.struck, lines, defect=c.defect)]


def _total_off(c: _Commune) -> list[_Sent]:
    """The stated total does not fit: said, and no more."""

    def shift(report: Report) -> Report:
        return replace(report, odd_total=10)

    return [*c.all_but(c.struck), c.send(c.struck, change=shift, defect=c.defect, warnings=("TOTAL_DIFFERS",))]


def _out_of_scope(c: _Commune) -> list[_Sent]:
    """One row carries the code of the neighbour."""
    lines = c.lines(c.struck)
    lines.insert(len(lines) // 2, Line(c.neighbour, "Giáp Ranh", lines[0].kind, 88, 340, aside="OUT_OF_SCOPE"))
    return [*c.all_but(c.struck), c.send(c.struck, lines, defect=c.defect)]


def _succession(c: _Commune) -> list[_Sent]:
    """One village is renamed and two become one, and the list says so (of names that hold no separator themselves)."""
    before = c.world[max(c.struck - 1, 0)]
    old, one, two = [v for v in before if not set(v.name) & set(";,")][:3]
    renamed = replace(old, name=f"{old.name} Mới")
    both = replace(
        one, name="Hợp Nhất", households=one.households + two.households, population=one.population + two.population
    )
    became = {old: renamed, one: both}
    for quarter in range(c.struck, len(c.periods)):
        c.world[quarter] = [became.get(v, v) for v in before if v is not two]
    said = {renamed.name: old.name, both.name: f"{one.name}; {two.name}"}
    lines = [replace(line, predecessors=said.get(line.name or "")) for line in c.lines(c.struck)]
    c.facts += [
        Fact("successions", (c.code, v.name, new.name), (kind,), c.ends[c.struck], None)
        for v, new, kind in ((old, renamed, "RENAME"), (one, both, "MERGE"), (two, both, "MERGE"))
    ]
    return [*c.all_but(c.struck), c.send(c.struck, lines, defect=c.defect)]


def _silent(c: _Commune) -> list[_Sent]:
    """Sends nothing, ever."""
    return []


_ANY = frozenset(layouts.SHAPES)

DEFECTS: Mapping[str, tuple[Callable[[_Commune], list[_Sent]], frozenset[str]]] = {
    "late": (_late, _ANY),
    "corrected": (_corrected, _ANY),
    "same_again": (_same_again, _ANY),
    "resend_of_older": (_resend_of_older, _ANY),
    "unchanged_quarter": (_unchanged_quarter, frozenset({"csv_semicolon", "csv_comma"})),
    "shrunken": (_shrunken, _ANY - {"halves"}),
    "header_only": (_header_only, frozenset({"plain", "moved", "offset", "nfd", "text_numbers", "csv_semicolon"})),
    "empty_file": (_empty_file, _ANY),
    "broken_off": (_broken_off, layouts.WORKBOOKS),
    "password": (_password, layouts.WORKBOOKS),
    "html": (_html, _ANY),
    "unknown_header": (_unknown_header, frozenset({"plain", "csv_semicolon", "csv_comma", "offset"})),
    "unknown_dataset": (_unknown_dataset, _ANY),
    "wrong_date": (_wrong_date, frozenset({"form"})),
    "word": (_spoil("population", "trên một trăm", "NOT_A_NUMBER"), _ANY),
    "pending": (_spoil("population", "chưa thống kê", "PENDING_VALUE"), _ANY),
    "decimal": (_spoil("households", "12,5", "NOT_WHOLE"), _ANY),
    "blank_figure": (_spoil("households", None, "MISSING"), _ANY),
    "error_cell": (_spoil("population", "#REF!", "EXCEL_ERROR"), layouts.WORKBOOKS),
    "uncalculated": (_spoil("population", Formula("=300+12", None), "UNCALCULATED"), layouts.WORKBOOKS),
    "missing_name": (_missing_name, _ANY),
    "duplicate_key": (_duplicate_key, _ANY - {"form"}),
    "exact_repeat": (_exact_repeat, _ANY - {"form", "formulas", "halves"}),
    "total_off": (_total_off, frozenset({"form", "formulas"})),
    "out_of_scope": (_out_of_scope, layouts.WITH_CODE - {"halves"}),
    "succession": (_succession, frozenset({"plain"})),
    "silent": (_silent, _ANY),
}
"""Kinds of defects: what a commune with it sends, and the shapes in which it can be. ``unknown_sender`` is apart."""


def _plan(
    seed: int, communes: Sequence[tuple[str, str]], defects: Sequence[str], names: Sequence[str]
) -> dict[str, tuple[str, str]]:
    """Shape and defect of each commune: every shape about equally often, a defect to one commune each.

    Where no commune of a fitting shape is left, one changes its shape; defects beyond the number of communes fall away.
    """
    rng = Random(f"{seed}/plan")
    codes = [code for code, _ in communes]
    rng.shuffle(codes)
    shapes = {code: names[i % len(names)] for i, code in enumerate(codes)}
    free = list(codes)
    struck: dict[str, str] = {}
    for defect in sorted(defects, key=lambda d: len(DEFECTS[d][1])):
        if not free:
            break
        fitting = DEFECTS[defect][1]
        code = next((code for code in free if shapes[code] in fitting), free[0])
        if shapes[code] not in fitting:
            shapes[code] = sorted(fitting)[0]
        free.remove(code)
        struck[code] = defect
    return {code: (shapes[code], struck.get(code, "")) for code in codes}


def _stray(seed: int, communes: Sequence[tuple[str, str]], template: _Commune) -> tuple[str, _Sent]:
    """A sound file in the folder of a sender that does not exist."""
    known = {code for code, _ in communes}
    code = next(f"{number:05}" for number in range(99_999, 0, -1) if f"{number:05}" not in known)
    sent = template.send(len(template.periods) - 1, defect="unknown_sender", state="rejected", code="UNKNOWN_SENDER")
    return code, sent


def generate(
    folder: Path,
    *,
    seed: int = 2026,
    communes: Sequence[tuple[str, str]],
    villages_per_commune: tuple[int, int] = (6, 30),
    periods: Sequence[str] = ("2025-Q4", "2026-Q1", "2026-Q2"),
    defects: bool | Sequence[str] = True,
    shapes: Sequence[str] = tuple(layouts.SHAPES),
    province: Size | None = None,
    frames: Frames | None = None,
    progress: Progress = lambda _what, _done, _total: None,
) -> Truth:
    """Write an inbox (``folder/<period>/<commune code>/<file>``) and return the truth about it, which is not written.

    ``communes``: (code, name with its type: 'Phường Nha Trang'); the code is the sender. ``periods``: consecutive civil
    quarters, oldest first. ``defects``: all kinds of :data:`DEFECTS` and a file of an unknown sender, or none, or the
    named kinds; a commune has at most one, so all kinds need as many communes. ``shapes``: of :data:`SHAPES`, those that
    are sent; a commune whose defect does not fit its shape sends another. A file's modification time is its
    ``received_at``. ``province``: also all other datasets, of a province of that size (:mod:`pipelines.sample.province`), and the
    truth of all as ``frames`` (in memory, unless one with a folder is given). The same arguments give the same bytes and times.

    Raises :class:`ValueError` for a label that is no quarter, an unknown kind, or defects in communes of under 4
    villages; :class:`OSError` where the folder cannot be written.
    """
    kinds = [*DEFECTS, "unknown_sender"] if defects is True else list(defects or ())
    if unknown := set(kinds) - {*DEFECTS, "unknown_sender"}:
        raise ValueError(f"unknown kinds of defects: {', '.join(sorted(unknown))}")
    if kinds and villages_per_commune[0] < 4:
        raise ValueError("defects need communes of at least 4 villages")
    plan = _plan(seed, communes, [kind for kind in kinds if kind != "unknown_sender"], shapes)
    versions: list[Version] = []
    delivered: list[Delivered] = []
    facts: list[Fact] = []
    silent: list[str] = []
    census: list[tuple[str, int, int, int]] = []
    for index, (code, name) in enumerate(communes):
        shape, defect = plan[code]
        neighbour = communes[index - 1][0]
        commune = _Commune(seed, (code, name), neighbour, shape, defect, villages_per_commune, periods)
        sent = DEFECTS[defect][0](commune) if defect else commune.all_but()
        if not sent:
            silent.append(code)
        made, answers = _settle(folder, code, periods, sent)
        versions += made
        delivered += answers
        # in a first list nobody is known who could be succeeded to; one of few villages, of which three go, is held
        if commune.struck and any(answer.in_force and answer.defect == "succession" for answer in answers):
            facts += commune.facts
        census += [
            (code, quarter, sum(v.households for v in now), sum(v.population for v in now))
            for quarter, now in enumerate(commune.world)
        ]
    kept = Frames() if frames is None else frames
    if province is not None:
        speaking = [c for c in communes if c[0] not in silent]
        counted = pl.DataFrame(census, ["commune_code", "quarter", "households", "population"], orient="row")
        more, files = write_province(folder, seed, speaking, periods, province, counted, kept, progress)
        facts += more
        delivered += files
        rows = [asdict(v) for v in sort_versions(versions)]
        kept.put("villages", pl.DataFrame(rows, schema=_VILLAGES))
    if "unknown_sender" in kinds and communes:
        template = _Commune(seed + 1, communes[0], "", "plain", "", villages_per_commune, periods)
        code, stray = _stray(seed, communes, template)
        delivered += _settle(folder, code, periods, [stray])[1]
    return Truth(
        seed,
        tuple(periods),
        tuple((code, name) for code, name in communes),
        tuple(silent),
        tuple(sort_versions(versions)),
        tuple(sorted(delivered, key=lambda d: (d.received_at, d.path))),
        tuple(sorted(facts, key=repr)),
        kept,
    )


def _settle(
    folder: Path, code: str, periods: Sequence[str], sent: Sequence[_Sent]
) -> tuple[list[Version], list[Delivered]]:
    """Write one sender's files; its history and the answers follow from the set of them."""
    latest: dict[int, _Sent] = {}
    for one in sorted(sent, key=lambda s: s.received_at):
        if one.snapshot is not None:
            latest[one.period] = one
    versions, held = history(code, [one.snapshot for one in latest.values() if one.snapshot is not None])
    answers = []
    for one in sent:
        stands = latest.get(one.period) is one
        if stands and one.snapshot in held:
            one = replace(one, state="held", code="ENDS_TOO_MANY", places=(), warnings=())
            stands = False
        path = folder / periods[one.period] / code / one.file_name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(one.data)
        stamp = one.received_at.timestamp()
        os.utime(path, (stamp, stamp))
        answers.append(
            Delivered(
                path=f"{periods[one.period]}/{code}/{one.file_name}",
                period=periods[one.period],
                sender=code,
                received_at=one.received_at,
                shape=one.shape,
                defect=one.defect,
                state=one.state,
                code=one.code,
                warnings=one.warnings,
                rows_accepted=sum(not line.fault and not line.aside for line, _, _ in one.places),
                quarantined=tuple(BadRow(sheet, row, line.fault) for line, sheet, row in one.places if line.fault),
                set_aside=tuple(BadRow(sheet, row, line.aside) for line, sheet, row in one.places if line.aside),
                in_force=stands,
            )
        )
    return versions, answers
