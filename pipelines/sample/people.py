"""An invented province's officers and what senders report about them, with the truth: which report is about whom.

Belongs here: the making of people (names, IDs, offices), of the lists in which offices report them, and of the slips and
gaps that such lists have. Does not belong here: anything of the product's linkage, of which nothing is imported, so that
a fault of it cannot hide; files and layouts (:mod:`pipelines.sample.layouts`).

The office where someone works keeps the personnel file, so its list hardly ever lacks the ID; other lists (courses,
delegates, ratings) are typed from sheets of paper. ``slips`` scales all errors at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import partial
from random import Random

import polars as pl

from .slips import i_for_y, other_tone, tone_placed_otherwise, typed_wrong, unaccented

RECORDS: dict[str, pl.DataType | type[pl.DataType]] = {
    "record": pl.Int64, "keyed": pl.Boolean, "registered": pl.Int64, "name": pl.String, "born": pl.Date,
    "sex": pl.String, "personal_id": pl.String, "id_card": pl.String, "commune": pl.String, "agency": pl.String,
    "lists": pl.List(pl.Int64),
}  # fmt: skip

# fmt: off
_SURNAMES = (
    ("Nguyễn", 300), ("Trần", 110), ("Lê", 90), ("Phạm", 65), ("Huỳnh", 50), ("Phan", 42), ("Võ", 48), ("Đặng", 25),
    ("Bùi", 22), ("Đỗ", 18), ("Hồ", 22), ("Ngô", 20), ("Dương", 14), ("Lý", 10), ("Đinh", 10), ("Trương", 16),
    ("Mai", 9), ("Cao", 10), ("Lương", 9), ("Tạ", 5), ("Đoàn", 8), ("Lâm", 7), ("Hà", 6), ("Thái", 5), ("Châu", 4),
)
_MIDDLE = {
    "NAM": (
        ("Văn", 26), ("Hữu", 8), ("Đức", 8), ("Minh", 9), ("Quốc", 8), ("Thanh", 8), ("Ngọc", 6), ("Xuân", 5), ("Công", 5),
        ("Đình", 5), ("Trọng", 4), ("Anh", 4), ("Hoàng", 5), ("Thành", 4), ("Duy", 4), ("", 4),
    ),
    "NU": (
        ("Thị", 34), ("Thị Thanh", 7), ("Thị Ngọc", 7), ("Thị Kim", 6), ("Thị Thu", 6), ("Thị Mỹ", 5), ("Ngọc", 6),
        ("Thanh", 5), ("Thùy", 4), ("Kim", 4), ("Bích", 3), ("Thị Hồng", 5), ("Hoài", 2), ("Diệu", 2), ("", 2),
    ),
}
_GIVEN = {
    "NAM": (
        "An", "Bảo", "Bình", "Cường", "Dũng", "Duy", "Đạt", "Đức", "Hải", "Hiếu", "Hòa", "Hoàng", "Hùng", "Huy", "Khánh",
        "Khoa", "Lâm", "Long", "Lộc", "Lý", "Minh", "Nam", "Nghĩa", "Nhân", "Phong", "Phúc", "Phương", "Quân", "Quang",
        "Quý", "Sang", "Sơn", "Tài", "Tâm", "Tân", "Thái", "Thành", "Thắng", "Thịnh", "Thọ", "Tiến", "Toàn", "Trí", "Trung",
        "Tú", "Tuấn", "Tùng", "Vinh", "Vũ", "Vỹ",
    ),
    "NU": (
        "Anh", "Ánh", "Bích", "Châu", "Chi", "Dung", "Duyên", "Điệp", "Giang", "Hà", "Hạnh", "Hằng", "Hiền", "Hoa", "Hòa",
        "Hồng", "Huệ", "Hương", "Hường", "Lan", "Liên", "Linh", "Loan", "Ly", "Mai", "My", "Nga", "Ngân", "Ngọc", "Nhung",
        "Oanh", "Phương", "Phượng", "Quyên", "Quỳnh", "Tâm", "Thảo", "Thắm", "Thu", "Thúy", "Thủy", "Trâm", "Trang", "Trinh",
        "Tuyền", "Tuyết", "Vân", "Vy", "Xuân", "Yến",
    ),
}
_RAGLAI = (
    ("Mấu", "Cao", "Tro", "Bo Bo", "Pi Năng", "Chamaléa", "Katơr", "Pinăng", "Patâu Axá", "Tà Ngãi"),
    {"NAM": ("Điêu", "Quế", "Tới", "Điệp", "Thoại", "Sinh", "Hoan", "Bân"),
     "NU": ("Thị Sính", "Thị Liên", "Thị Hạnh", "Thị Chiến", "Thị Bảy", "Thị Đỗ")},
)
_CHAM = (
    ("Thành", "Đàng", "Hán", "Não", "Bá", "Thập", "Trượng", "Quảng", "Kiều", "Lưu", "Ka", "Đạo"),
    {"NAM": ("Ngọc Có", "Năng Hòa", "Văn Sơn", "Trung Phụ", "Văn Món", "Đại Hồng", "Minh Trị", "Xuân Hổ"),
     "NU": ("Thị Báo", "Thị Hiền", "Maily", "Thị Xuân", "Thị Đẹp", "Nữ Thanh", "Thị Bông")},
)
_HIGHLAND = (
    {"NAM": "Y ", "NU": "H'"},
    ("Lan", "Bliă", "Thuyên", "Ngọt", "Suôi", "Rin"),
    ("Niê", "Mlô", "Êban", "Byă", "Ksơr"),
)
_OFFICES = (
    ("Ủy ban nhân dân {}", "UBND {}"), ("Hội đồng nhân dân {}", "HĐND {}"), ("Đảng ủy {}", "ĐU {}"),
    ("Ủy ban Mặt trận Tổ quốc Việt Nam {}", "UBMTTQVN {}"), ("Phòng Kinh tế {}", "P. Kinh tế {}"),
    ("Phòng Văn hóa - Xã hội {}", "P. VH-XH {}"), ("Văn phòng HĐND và UBND {}", "VP HĐND và UBND {}"),
    ("Trung tâm Phục vụ hành chính công {}", "TT. Phục vụ hành chính công {}"),
    ("Trường Tiểu học {}", "TH {}"), ("Trạm Y tế {}", "TYT {}"), ("Công an {}", "CA {}"),
)
_DEPARTMENTS = (
    ("Sở Nội vụ", "Sở NV"), ("Sở Tài chính", "Sở TC"), ("Sở Y tế", "SYT"), ("Sở Giáo dục và Đào tạo", "Sở GD&ĐT"),
    ("Văn phòng Ủy ban nhân dân tỉnh", "VP UBND tỉnh"), ("Ban Tổ chức Tỉnh ủy", "BTC Tỉnh ủy"),
    ("Sở Xây dựng", "Sở XD"), ("Thanh tra tỉnh", "TT tỉnh"), ("Ủy ban Mặt trận Tổ quốc Việt Nam tỉnh", "UBMTTQ tỉnh"),
)
_WORDS = (
    "Văn", "Thị", "Hữu", "Minh", "Thanh", "Ngọc", "Xuân", "Kim", "Hồng", "Hoàng", "Thành", "Anh", "Bình", "Hải", "Hà",
    "Lan", "Long", "Mai", "Nam", "Nga", "Sơn", "Tâm",
)
# fmt: on


@dataclass(frozen=True)
class Officer:
    """One person as they are. ``card``: the nine digits of the card they had before the twelve."""

    name: str
    born: date
    sex: str
    personal_id: str
    card: str | None
    commune: str
    office: tuple[str, str]


@dataclass(frozen=True)
class People:
    """Reports in the shape that the linkage takes, and the truth, which must never be shown to it.

    ``truth``: record, person, slips (the errors made in this report, by name). ``officers``: the people themselves.
    """

    records: pl.DataFrame
    truth: pl.DataFrame
    officers: tuple[Officer, ...]


def generate_people(
    seed: int,
    *,
    people: int = 20_000,
    communes: Sequence[tuple[str, str]],
    slips: float = 1.0,
    namesakes: float = 0.01,
) -> People:
    """People and what is reported about them. ``communes``: (code, name with its type). The same arguments give the same.

    A fifth of the people are reported by two senders or more. ``namesakes``: the share of people who have the name and sex
    of another one; a quarter of them the day of birth too, and half of these live in the same commune.
    """
    rng = Random(f"people/{seed}")
    officers = _officers(rng, people, communes, namesakes)
    lists = _Lists(communes)
    rows: list[tuple[object, ...]] = []
    facts: list[tuple[int, str]] = []
    for person, officer in enumerate(officers):
        known = 1 if rng.random() >= 0.2 else rng.choices((2, 3, 4), (75, 20, 5))[0]
        told = _told(rng, officer, communes, known)
        for number, (sender, moved) in enumerate(told):
            row, made = _report(rng, moved, slips * (0.2 if number == 0 else 1.0), home=number == 0)
            rows.append((*row, [lists.of(sender)]))
            facts.append((person, " ".join(made)))
    order = list(range(len(rows)))
    rng.shuffle(order)
    registered = list(range(1, len(rows) + 1))
    rng.shuffle(registered)
    names = [name for name in RECORDS if name not in ("record", "registered")]
    data = pl.DataFrame([rows[i] for i in order], {name: RECORDS[name] for name in names}, orient="row")
    numbers = pl.Series("record", range(1, len(rows) + 1), pl.Int64)
    records = data.with_columns(numbers, pl.Series("registered", registered, pl.Int64)).select(*RECORDS)
    truth = pl.DataFrame(
        [facts[i] for i in order], {"person": pl.Int64, "slips": pl.String}, orient="row"
    ).with_columns(numbers)
    return People(records, truth.select("record", "person", "slips"), tuple(officers))


def communes_of(units: pl.DataFrame, province: str) -> list[tuple[str, str]]:
    """Code and name of a province's communes of today, from the list of units."""
    home = (pl.col("level") == "commune") & (pl.col("province_code") == province) & pl.col("valid_to").is_null()
    return units.filter(home).select("code", "name").sort("code").rows()


class _Lists:
    """Numbers of submissions: a sender's list is one submission, in which a person stands once."""

    def __init__(self, communes: Sequence[tuple[str, str]]) -> None:
        self._numbers: dict[str, int] = {}

    def of(self, sender: str) -> int:
        return self._numbers.setdefault(sender, len(self._numbers) + 1)


# --- people -------------------------------------------------------------------------------------------------------


def _weighted(rng: Random, choices: Sequence[tuple[str, int]]) -> str:
    return rng.choices([c for c, _ in choices], [w for _, w in choices])[0]


def _name(rng: Random, sex: str) -> str:
    draw = rng.random()
    if draw < 0.04:
        surnames, given = _RAGLAI
        return f"{rng.choice(surnames)} {rng.choice(given[sex])}"
    if draw < 0.07:
        families, names = _CHAM
        return f"{rng.choice(families)} {rng.choice(names[sex])}"
    if draw < 0.075:
        marks, given_names, clans = _HIGHLAND
        return f"{marks[sex]}{rng.choice(given_names)} {rng.choice(clans)}"
    parts = (_weighted(rng, _SURNAMES), _weighted(rng, _MIDDLE[sex]), rng.choice(_GIVEN[sex]))
    return " ".join(part for part in parts if part)


def _officers(rng: Random, people: int, communes: Sequence[tuple[str, str]], namesakes: float) -> list[Officer]:
    ids: set[str] = set()
    cards: set[str] = set()
    made: list[Officer] = []
    for _ in range(people):
        sex = rng.choice(("NAM", "NU"))
        name, born = _name(rng, sex), _born(rng)
        commune, unit = rng.choice(communes)
        if made and rng.random() < namesakes:
            other = rng.choice(made)
            name, sex = other.name, other.sex
            if rng.random() < 0.25:
                born = other.born
                if rng.random() < 0.5:
                    commune, unit = other.commune, dict(communes)[other.commune]
        office = rng.choice(_DEPARTMENTS) if rng.random() < 0.25 else _office(rng, unit)
        personal_id = _fresh(ids, partial(_personal_id, rng, sex, born))
        card = None
        if born.year < 2005 and rng.random() < 0.7:
            card = _fresh(cards, lambda: f"{rng.choice(('225', '264', '022'))}{rng.randrange(10**6):06}")
        made.append(Officer(name, born, sex, personal_id, card, commune, office))
    return made


def _fresh(seen: set[str], draw: Callable[[], str]) -> str:
    while (value := draw()) in seen:
        pass
    seen.add(value)
    return value


def _born(rng: Random) -> date:
    if rng.random() < 0.01:  # a day that nobody remembers becomes the first of January
        return date(rng.randint(1964, 2002), 1, 1)
    return date(1964, 1, 1) + timedelta(days=rng.randrange(39 * 365))


def _personal_id(rng: Random, sex: str, born: date) -> str:
    province = rng.choices(("056", "058", "054", "066", "001", "040", "079"), (55, 25, 6, 5, 3, 3, 3))[0]
    century = 2 * (born.year // 100 - 19) + (sex == "NU")
    return f"{province}{century}{born.year % 100:02}{rng.randrange(10**6):06}"


def _office(rng: Random, unit: str) -> tuple[str, str]:
    full, short = rng.choice(_OFFICES)
    return full.format(unit), short.format(unit.replace("Phường ", "P. ").replace("Xã ", "xã "))


# --- reports ------------------------------------------------------------------------------------------------------


def _told(rng: Random, officer: Officer, communes: Sequence[tuple[str, str]], known: int) -> list[tuple[str, Officer]]:
    """Who reports the person, each once, and as working where: the own office first; after a transfer an old place too."""
    told = [(f"{officer.commune}/{officer.office[0]}", officer)]
    others = ["BTC/khóa học", "SNV/danh sách", "HĐND/đại biểu", "KHCN/kỹ năng số", "MTTQ/ủy viên"]
    rng.shuffle(others)
    for number in range(known - 1):
        moved = officer
        sender = others[number]
        if rng.random() < 0.15:
            commune, unit = rng.choice(communes)
            moved = replace(officer, commune=commune, office=_office(rng, unit))
            sender = f"{commune}/{moved.office[0]}"
        if sender not in [s for s, _ in told]:
            told.append((sender, moved))
    return told


def _report(rng: Random, officer: Officer, slips: float, *, home: bool) -> tuple[tuple[object, ...], list[str]]:
    """One line of a list: keyed, name, born, sex, personal_id, id_card, commune, agency; and the slips made in it."""
    made: list[str] = []

    def slip(kind: str, share: float) -> bool:
        if rng.random() < share * slips:
            made.append(kind)
            return True
        return False

    name = officer.name
    for kind, share, change in _NAME_SLIPS:
        if slip(kind, share):
            name = change(rng, name)
    if rng.random() < 0.2:
        name = name.upper()
    born: date | None = officer.born
    assert born is not None
    if slip("swapped", 0.015) and born.day <= 12:
        born = date(born.year, born.day, born.month)
    if slip("year_only", 0.008):
        born = date(born.year, 1, 1)
    if slip("birth_digit", 0.012):
        born = _one_digit_of(rng, born)
    if slip("no_birth", 0.01):
        born = None
    sex: str | None = officer.sex
    if slip("no_sex", 0.04):
        sex = None
    if slip("other_sex", 0.003):
        sex = "NU" if officer.sex == "NAM" else "NAM"
    stated: str | None = officer.personal_id
    card = officer.card if officer.card and rng.random() < 0.35 else None
    if slip("no_id", 0.10):
        stated = card = None
    elif officer.card and slip("old_card", 0.06):
        stated, card = officer.card, None
    elif slip("id_digit", 0.01):
        stated = _other_digit(rng, officer.personal_id, rng.randrange(12))
    elif slip("id_swapped", 0.002):
        at = rng.randrange(11)
        d = officer.personal_id
        stated = d[:at] + d[at + 1] + d[at] + d[at + 2 :]
    elif slip("id_short", 0.005):
        at = rng.randrange(12)
        stated = officer.personal_id[:at] + officer.personal_id[at + 1 :]
    if stated and len(stated) == 11 and stated[0] != "0" and born and sex and _valid("0" + stated, born, sex):
        stated = "0" + stated  # what cleaning puts back
    keyed = stated is not None and _valid(stated, born, sex)
    commune: str | None = None if slip("no_commune", 0.03) else officer.commune
    agency: str | None = officer.office[1] if not home and rng.random() < 0.45 else officer.office[0]
    if slip("no_agency", 0.05):
        agency = None
    return (keyed, name, born, sex, stated, card, commune, agency), made


def _valid(digits: str, born: date | None, sex: str | None) -> bool:
    """What makes a personal ID the key of a row: twelve digits that do not contradict the row."""
    if len(digits) != 12 or digits.startswith("000"):
        return False
    century, year = int(digits[3]), int(digits[4:6])
    fits_year = born is None or 1900 + 100 * (century // 2) + year == born.year
    fits_sex = sex is None or (century % 2 == 1) == (sex == "NU")
    return fits_year and fits_sex and 1900 + 100 * (century // 2) + year <= 2026


def _other_digit(rng: Random, digits: str, at: int) -> str:
    return digits[:at] + rng.choice([d for d in "0123456789" if d != digits[at]]) + digits[at + 1 :]


def _one_digit_of(rng: Random, day: date) -> date:
    """Another real day, of which one digit is another one."""
    while True:
        text = _other_digit(rng, day.strftime("%Y%m%d"), rng.randrange(2, 8))
        try:
            return date(int(text[:4]), int(text[4:6]), int(text[6:]))
        except ValueError:
            continue


def _wrong_syllable(rng: Random, name: str) -> str:
    words = name.split(" ")
    words[rng.randrange(len(words))] = rng.choice(_WORDS)
    return " ".join(words)


def _given_first(rng: Random, name: str) -> str:
    words = name.split(" ")
    return " ".join([words[-1], *words[:-1]])


def _shortened(rng: Random, name: str) -> str:
    """A middle name left out, or written as an initial."""
    words = name.split(" ")
    if len(words) < 3:
        return name
    at = rng.randrange(1, len(words) - 1)
    initial = [f"{words[at][0]}."] if rng.random() < 0.4 else []
    return " ".join([*words[:at], *initial, *words[at + 1 :]])


_NAME_SLIPS: tuple[tuple[str, float, Callable[[Random, str], str]], ...] = (
    ("tone_place", 0.25, tone_placed_otherwise),
    ("i_y", 0.05, i_for_y),
    ("tone", 0.03, other_tone),
    ("wrong_syllable", 0.015, _wrong_syllable),
    ("shortened", 0.012, _shortened),
    ("typed_wrong", 0.012, typed_wrong),
    ("given_first", 0.012, _given_first),
    ("unaccented", 0.05, unaccented),
)
