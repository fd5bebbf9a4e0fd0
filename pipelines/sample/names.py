"""Invented village names of the kinds that a coastal and highland province has. Only the making of names belongs here.

All names are in NFC. Several kinds are traps on purpose: names that begin like a total or a motto, numbered names,
hyphens, apostrophes, separators of CSV files, names that differ in diacritics only, words that libraries take for
missing values, and (by the smallness of the lists) the same name in several communes.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

# fmt: off
_FIRST = (
    "An", "Bình", "Đại", "Đông", "Hòa", "Hội", "Lạc", "Long", "Mỹ", "Ninh", "Phú", "Phước", "Quảng", "Tân", "Tây",
    "Thạnh", "Thuận", "Trung", "Vạn", "Vĩnh", "Xuân",
)
_SECOND = (
    "Bình", "Cang", "Điền", "Đức", "Hải", "Hậu", "Hội", "Ích", "Khánh", "Lộc", "Lợi", "Mỹ", "Nghĩa", "Phong", "Sơn",
    "Tài", "Thành", "Thọ", "Thủy", "Trường", "Tường", "Xương",
)
_HIGHLAND = (
    "A Thia", "Cà Rôm", "Chà Đung", "Đá Trắng", "Gia Rích", "Giồng Cày", "Hòn Dù", "Kà Rung", "La Vang", "Liên Bình",
    "Ma Dú", "Ma Lâm", "Ma Nai", "Pa Ràn", "Suối Cát Trên", "Suối Rua", "Tà Gụ", "Tà Lương", "Tà Nôi", "Tô Lang",
    "Xóm Cỏ", "Zơ Ró",
)
_MARKED = (
    "K'Rông Jú", "M'Đrung", "Y'Bơr", "Pi-Năng", "Ha-Cha", "Ma-Oai", "Lơ-ku", "Chơ-ré Dưới", "Bến Cỏ - Gò Dưa",
    "Xóm Mới (cầu Đá)", "Đồng Cát; Rọc Muống", "Phú Hữu, khu giãn dân",
)
_LIKE_OTHER_ROWS = (
    "Cộng Hòa", "Tổng Bình", "Toàn Thắng", "Cộng Đồng", "Na", "Mục Đồng", "Hạnh Phúc", "Độc Lập", "Kỳ Lộc",
)
# fmt: on
_TONE_PAIRS = (("Thanh Hải", "Thành Hải"), ("Phú Quý Đông", "Phú Quy Đông"), ("Lương Cách", "Lưỡng Cách"))


def village_names(rng: Random, kind: str) -> Iterator[str]:
    """Endless different names for one commune. ``kind``: the word before a number, 'Thôn' or 'Tổ dân phố'.

    A commune has one habit: numbers throughout, names with the word before them, or names alone.
    """
    habit = rng.choice(("numbered", "prefixed", "named", "named", "named"))
    number = 0
    used: set[str] = set()
    waiting: list[str] = []
    while True:
        draw = rng.random()
        if habit == "numbered" or draw < 0.06:
            number += 1
            name = f"{kind} {number}"
        elif waiting:
            name = waiting.pop()
        else:
            if draw < 0.10:
                name, other = rng.choice(_TONE_PAIRS)
                waiting.append(other)
            elif draw < 0.18:
                name = rng.choice(_LIKE_OTHER_ROWS)
            elif draw < 0.26:
                name = rng.choice(_MARKED)
            elif draw < 0.44:
                name = rng.choice(_HIGHLAND)
            else:
                first = rng.choice(_FIRST)
                name = f"{first} {rng.choice([second for second in _SECOND if second != first])}"
            if rng.random() < 0.08:
                name = f"{name} {rng.randint(1, 3)}"
        if habit == "prefixed" and not name.startswith(kind):
            name = f"{kind} {name}"
        if name not in used:
            used.add(name)
            yield name
