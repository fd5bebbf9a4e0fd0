"""An invented province's organisations and villages as lists name them, with the truth: which record is of which.

Belongs here: the bodies of communes and departments, schools, villages, and the ways in which other lists write their names:
without a code, abbreviated, without accents, with a letter wrong, by another spelling of 'tổ dân phố'. Does not belong here:
anything of the product's linkage, of which nothing is imported, so that a fault of it cannot hide; files and layouts.

Namesakes are everywhere: each commune has a Phòng Kinh tế and a Thôn 1, each department a Văn phòng.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

import polars as pl

from .names import village_names
from .slips import i_for_y, other_tone, tone_placed_otherwise, typed_wrong, unaccented

RECORDS: dict[str, pl.DataType | type[pl.DataType]] = {
    "record": pl.Int64, "keyed": pl.Boolean, "registered": pl.Int64, "name": pl.String, "place": pl.String,
    "type": pl.String, "parent": pl.String, "code": pl.String, "lists": pl.List(pl.Int64),
}  # fmt: skip
VILLAGE_TYPES = {
    "thon": "THON", "buon": "THON", "to dan pho": "TDP", "tdp": "TDP", "to": "TDP", "kp": "TDP", "khu pho": "TDP", "to dp": "TDP",
}  # fmt: skip
"""Words before a village's name, as the contract of villages has them."""

# fmt: off
_BODIES = (
    ("UBND", "Ủy ban nhân dân {}", ("UBND {}", "UBND", "Uỷ ban ND {}")),
    ("HDND", "Hội đồng nhân dân {}", ("HĐND {}", "HĐND")),
    ("DANG_UY_XA", "Đảng ủy {}", ("ĐU {}", "Đảng uỷ")),
    ("MTTQ", "Ủy ban Mặt trận Tổ quốc Việt Nam {}", ("UBMTTQVN {}", "UB MTTQ", "Ủy ban MTTQ Việt Nam {}")),
    ("PHONG_XA", "Phòng Kinh tế", ("P. KT", "P. Kinh tế", "Phòng KT", "P.Kinh tế {}")),
    ("PHONG_XA", "Phòng Văn hóa - Xã hội", ("P. VH-XH", "Phòng VHXH", "P. Văn hóa, Xã hội")),
    ("PHONG_XA", "Văn phòng HĐND và UBND", ("VP HĐND-UBND", "VP HĐND & UBND {}", "Văn phòng HĐND-UBND {}")),
    ("TT_PVHCC", "Trung tâm Phục vụ hành chính công", ("TT PVHCC", "TT. Phục vụ HCC", "TTPVHCC {}")),
    ("KHAC", "Ban Chỉ huy Quân sự {}", ("BCH Quân sự {}", "BCHQS", "Ban CHQS")),
    ("DVSN", "Trạm Y tế {}", ("TYT {}", "Trạm YT", "TYT")),
)
_SCHOOLS = (("Trường Mầm non", "Trường MN", "MN"), ("Trường Tiểu học", "Trường TH", "TH"),
            ("Trường Trung học cơ sở", "Trường THCS", "THCS"))
_AFTER = ("Hoa Hồng", "Hướng Dương", "Sao Mai", "Lê Lợi", "Trần Phú", "Nguyễn Du", "Phan Bội Châu", "Lý Tự Trọng", "Võ Thị Sáu",
          "Hùng Vương", "Quang Trung", "Kim Đồng", "Hoàng Diệu", "Chu Văn An")
_DEPARTMENTS = (
    ("Sở Nội vụ", "Sở NV"), ("Sở Tài chính", "Sở TC"), ("Sở Y tế", "Sở YT"), ("Sở Xây dựng", "Sở XD"), ("Sở Tư pháp", "Sở TP"),
    ("Sở Giáo dục và Đào tạo", "Sở GD&ĐT"), ("Sở Khoa học và Công nghệ", "Sở KH&CN"), ("Sở Công Thương", "Sở CT"),
    ("Sở Nông nghiệp và Môi trường", "Sở NN&MT"), ("Sở Văn hóa, Thể thao và Du lịch", "Sở VHTTDL"),
    ("Sở Dân tộc và Tôn giáo", "Sở DT&TG"), ("Thanh tra tỉnh", "TTr tỉnh"), ("Văn phòng Ủy ban nhân dân tỉnh", "VP UBND tỉnh"),
    ("Ban Quản lý Khu kinh tế Vân Phong", "BQL KKT Vân Phong"), ("Ban Tổ chức Tỉnh ủy", "BTC Tỉnh ủy"),
    ("Ủy ban Kiểm tra Tỉnh ủy", "UBKT Tỉnh ủy"), ("Ban Nội chính Tỉnh ủy", "BNC Tỉnh ủy"),
)
_SECTIONS = ("Văn phòng", "Phòng Tổ chức cán bộ", "Phòng Kế hoạch - Tài chính", "Thanh tra", "Phòng Pháp chế",
             "Phòng Quản lý chuyên ngành")
_SECTION_SHORT = {"Phòng Tổ chức cán bộ": "P. TCCB", "Phòng Kế hoạch - Tài chính": "P. KH-TC", "Văn phòng": "VP"}
# fmt: on


@dataclass(frozen=True)
class Units:
    """Records in the shape that the linkage takes, and the truth (record, unit, slip), which must never be shown to it.

    ``joining``: whether keyed records may be one unit; ``types``: words before a name that say its type.
    """

    records: pl.DataFrame
    truth: pl.DataFrame
    joining: bool
    types: dict[str, str]


@dataclass(frozen=True)
class _Unit:
    name: str
    place: str
    type: str
    parent: str | None = None
    code: str | None = None
    shorts: tuple[str, ...] = ()
    commune: str = ""


def generate_organizations(
    seed: int, *, communes: Sequence[tuple[str, str]], slips: float = 1.0, mentions: int = 3
) -> Units:
    """Organisations with their codes, and ``mentions`` records of each without one. ``communes``: (code, name with its type).
    The same arguments give the same."""
    rng = Random(f"organizations/{seed}")
    units = [*_of_communes(rng, communes), *_of_province(rng)]
    rows: list[tuple[object, ...]] = []
    facts: list[tuple[int, int, str]] = []
    for number, unit in enumerate(units):
        shown = (
            f"{unit.name} {unit.commune}"
            if "{}" not in unit.name and unit.commune and rng.random() < 0.2
            else unit.name
        )
        rows.append(
            _row(len(rows), True, shown.format(unit.commune), unit.place, unit.type, unit.parent, unit.code, [1])
        )
        facts.append((len(facts), number, ""))
        for mention in range(mentions):
            name, slip = _written(rng, unit, slips)
            said = (
                _type(rng, unit, slips), unit.parent if rng.random() < 0.98 else None,
                unit.code if rng.random() < 0.1 else None,
            )  # fmt: skip
            rows.append(_row(len(rows), False, name, unit.place, *said, [2 + mention * 1000 + _list_of(unit)]))
            facts.append((len(facts), number, slip))
    return _made(rows, facts, joining=False, types={})


def generate_villages(
    seed: int, *, communes: Sequence[tuple[str, str]], slips: float = 1.0, quarters: int = 4
) -> Units:
    """Villages of which each commune sends a list a quarter, in which some names are written otherwise. A record is a spelling.
    The same arguments give the same."""
    rng = Random(f"villages/{seed}")
    spelled: dict[tuple[str, str], int] = {}
    lists: list[list[int]] = []
    said: list[tuple[str, str, str]] = []
    facts: list[tuple[int, int, str]] = []
    number = 0
    for at, (code, commune) in enumerate(communes):
        kind = "Tổ dân phố" if commune.startswith("Phường") else "Thôn"
        names = village_names(rng, kind)
        villages = [next(names) for _ in range(rng.randint(6, 30))]
        for quarter in range(quarters):
            taken: set[str] = set()
            for offset, name in enumerate(villages):
                written, slip = name, ""
                if quarter and rng.random() < 0.06 * slips:
                    written, slip = _respelled(rng, name, kind)
                if written != name and (written in taken or written in villages or (code, written) in spelled):
                    written, slip = name, ""
                taken.add(written)
                record = spelled.setdefault((code, written), len(spelled))
                if record == len(lists):
                    lists.append([])
                    said.append((written, code, "TDP" if kind == "Tổ dân phố" else "THON"))
                    facts.append((record, number + offset, slip))
                lists[record].append(at * quarters + quarter)
        number += len(villages)
    rows = [_row(n, True, name, place, type_, None, None, lists[n]) for n, (name, place, type_) in enumerate(said)]
    return _made(rows, facts, joining=True, types=VILLAGE_TYPES)


def _of_communes(rng: Random, communes: Sequence[tuple[str, str]]) -> list[_Unit]:
    units = []
    for code, commune in communes:
        for number, (type_, name, shorts) in enumerate(_BODIES):
            units.append(_Unit(name, code, type_, None, f"H32.{code}.{number}", shorts, commune))
        for full, *shorts_ in _SCHOOLS:
            for n, after in enumerate(rng.sample(_AFTER, 3)):
                name = f"{full} {after}" if n else f"{full} số {rng.randint(1, 3)}"
                rest = name.removeprefix(full)
                units.append(
                    _Unit(name, code, "DVSN", None, None, tuple(f"{short}{rest}" for short in shorts_), commune)
                )
    return units


def _of_province(rng: Random) -> list[_Unit]:
    units = []
    for number, (name, short) in enumerate(_DEPARTMENTS):
        units.append(_Unit(name, "*", "SO", None, f"H32.{number}", (short,)))
        for section in _SECTIONS:
            shorts = (_SECTION_SHORT[section],) if section in _SECTION_SHORT else ()
            units.append(_Unit(section, "*", "PHONG_SO", f"D{number}", None, shorts))
    return units


def _type(rng: Random, unit: _Unit, slips: float) -> str | None:
    if rng.random() < 0.5:
        return None
    return "KHAC" if rng.random() < 0.03 * slips else unit.type


def _list_of(unit: _Unit) -> int:
    """Each list is one sender's: that of a commune, or of a department."""
    return int(sum(ord(c) * 31**i for i, c in enumerate(f"{unit.place}{unit.parent or ''}")) % 900)


def _written(rng: Random, unit: _Unit, slips: float) -> tuple[str, str]:
    """A name as another list writes it, and what is wrong with it."""
    name, slip = unit.name, ""
    if unit.shorts and rng.random() < 0.35:
        name, slip = rng.choice(unit.shorts), "abbreviated"
    place = unit.commune if rng.random() < 0.8 else unit.commune.replace("Phường ", "P. ").replace("Xã ", "X. ")
    name = name.format(place).strip()
    if not slip and unit.commune and place not in name and rng.random() < 0.25:
        name = f"{name} {place}"
    return _slipped(rng, name, slip, slips)


def _slipped(rng: Random, name: str, slip: str, slips: float) -> tuple[str, str]:
    if rng.random() < 0.25:
        name = tone_placed_otherwise(rng, name)
    if rng.random() < 0.1:
        name = i_for_y(rng, name)
    for what, share, make in _SLIPS:
        if rng.random() < share * slips:
            return make(rng, name), f"{slip} {what}".strip()
    return name, slip


def _respelled(rng: Random, name: str, kind: str) -> tuple[str, str]:
    """A village's name as the same commune writes it another time."""
    if name.startswith(kind) and rng.random() < 0.6:
        rest = name.removeprefix(kind).strip()
        short = ("TDP", "Tổ DP", "Tổ") if kind == "Tổ dân phố" else ("thôn", "THÔN", "Thôn")
        number = rng.choice((f"số {rest}", f"0{rest}", rest)) if rest.isdigit() and len(rest) == 1 else rest
        return f"{rng.choice(short)} {number}", "type"
    if not name.startswith(kind) and rng.random() < 0.35:
        return f"{kind} {name}", "type"
    draw = rng.random()
    if draw < 0.55:
        return unaccented(rng, name), "unaccented"
    if draw < 0.8:
        return other_tone(rng, name), "tone"
    return typed_wrong(rng, name), "typed_wrong"


def _without_a_word(rng: Random, name: str) -> str:
    words = name.split(" ")
    if len(words) < 4:
        return name
    at = rng.randrange(1, len(words) - 1)
    return " ".join([*words[:at], *words[at + 1 :]])


_SLIPS: tuple[tuple[str, float, Callable[[Random, str], str]], ...] = (
    ("tone", 0.03, other_tone),
    ("typed_wrong", 0.015, typed_wrong),
    ("left_out", 0.01, _without_a_word),
    ("unaccented", 0.08, unaccented),
)


def _row(
    number: int, keyed: bool, name: str, place: str, type_: str | None, parent: str | None, code: str | None, lists: list[int]
) -> tuple[object, ...]:  # fmt: skip
    return (number, keyed, number if keyed else 2**62, name, place, type_, parent, code, lists)


def _made(
    rows: list[tuple[object, ...]], facts: list[tuple[int, int, str]], *, joining: bool, types: dict[str, str]
) -> Units:
    truth = pl.DataFrame(facts, {"record": pl.Int64, "unit": pl.Int64, "slip": pl.String}, orient="row")
    return Units(pl.DataFrame(rows, RECORDS, orient="row"), truth, joining, types)
