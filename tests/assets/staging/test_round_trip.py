"""A value written in every accepted way comes back as itself, or not at all: as a cell, through a workbook, through a CSV.

``WAYS`` is the list of what is accepted: type -> values and renderers. A renderer gives a text, or a Python value that a
workbook stores as a number, date or tick.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assets.intake.grids import grids_of
from schemas.contract import Column
from schemas.grid import KIND, Kind
from schemas.semantic import SEMANTIC_TYPES, clean
from schemas.semantic.identifiers import OLD_PROVINCES
from schemas.text import match_key_one
from tests.e2e.flows import text_csv, workbook
from tests.schemas.semantic.helpers import VILLAGE_TYPES, column, context

Render = Callable[[Any], Any]


@dataclass(frozen=True)
class Way:
    """Values of a column, and the ways to write one: those that must come back, and those that may be refused."""

    column: Column
    values: st.SearchStrategy[Any]
    sure: tuple[Render, ...]
    unsure: tuple[Render, ...] = ()
    siblings: Callable[[Any], dict[str, Any]] = lambda value: {}
    same: Callable[[Any, Any], bool] = lambda a, b: bool(a == b)


def vn(number: Any, places: int | None = None) -> str:
    """1.234,5"""
    return (f"{number:,}" if places is None else f"{number:,.{places}f}").translate(str.maketrans(",.", ".,"))


def _mst(nine: int) -> str:
    digits = f"{nine:09}"
    check = 10 - sum(int(d) * w for d, w in zip(digits, (31, 29, 23, 19, 17, 13, 7, 5, 3), strict=True)) % 11
    return f"{digits}{check}" if check < 10 and digits[2:] != "0000000" else "0100047516"


COUNTS = st.integers(0, 2_147_483_647)
PLACES = st.decimals(-(10**9), 10**9, places=2)
SHARES = st.decimals(0, 100, places=2)
DAYS = st.dates(date(1930, 1, 1), date(2026, 7, 1))
WORDS = st.sampled_from(["Nông", "Văn", "Tý", "Lụa", "Hoàng", "Thị", "Mây", "H'Hen", "Niê", "Y", "Ka", "Đào-Mây", "T."])
PEOPLE = st.lists(WORDS, min_size=2, max_size=5).map(" ".join).filter(lambda n: not n.isupper())
CITIZENS = st.builds(
    lambda p, g, y, n: f"0{p}{g}{y:02}{n:06}",
    st.sampled_from(sorted(OLD_PROVINCES)), st.sampled_from([0, 1]), st.integers(0, 99), st.integers(0, 999_999),
)  # fmt: skip
MOBILES = st.builds(
    lambda p, n: f"+84{p}{n:07}", st.sampled_from(["32", "70", "83", "90", "98"]), st.integers(0, 9_999_999)
)
FIXED = st.builds(lambda p, n: f"+84{p}3{n:06}", st.sampled_from(["258", "259"]), st.integers(0, 999_999))
OLD = {"32": "162", "70": "120", "83": "123"}
AGENCIES = st.builds(
    lambda depth, *parts: ".".join(parts[:depth]),
    st.integers(1, 4),
    st.integers(10, 63).map("H{}".format),
    st.integers(1, 99).map("{:02}".format),
    st.integers(1, 99).map("{:02}".format),
    st.integers(1, 999).map("{:03}".format),
)


def _bottom_up(code: str) -> str:
    parts = code.split(".") + ["00", "00", "000"][len(code.split(".")) - 1 :]
    return ".".join(parts[::-1])


def _row(citizen: str) -> dict[str, Any]:
    return {"sex": "NU" if int(citizen[3]) % 2 else "NAM", "born": date(1900 + int(citizen[4:6]), 5, 1)}


WAYS: dict[str, Way] = {
    "integer": Way(
        column("integer", unit="hộ"),
        COUNTS,
        (
            str,
            vn,
            int,
            lambda n: f" {n}\u00a0",
            lambda n: f"{n:,}".replace(",", " "),
            lambda n: f"{vn(n)} hộ",
            lambda n: f"{n},0",
        ),
        (
            lambda n: f"{n:,}",
            lambda n: f"≈{n}",
            lambda n: f"{n} (2 nữ)",
            lambda n: f"{n}/7",
            lambda n: f"{n} người",
            lambda n: str(n).replace("0", "O"),
        ),
    ),
    "decimal": Way(
        column("decimal", unit="km²"),
        PLACES,
        (str, lambda n: vn(n, 2), lambda n: f"{vn(n, 2)} km2", lambda n: f"{n:,.2f}"),
        (float, lambda n: f"{n}0", lambda n: f"{n} ha"),
    ),
    "money": Way(
        column("money"),
        st.integers(0, 10**12),
        (
            str,
            vn,
            int,
            lambda n: f"{vn(n)} đồng",
            lambda n: f"{vn(n)}\u20ab",
            lambda n: f"{n // 10**6},{n % 10**6:06} triệu đồng",
        ),
        (lambda n: f"{n:,} VNĐ", lambda n: f"{n / 1000} nghìn", lambda n: f"{vn(n)} USD"),
    ),
    "percent": Way(column("percent"), SHARES, (str, lambda n: f"{vn(n, 2)}%", lambda n: f"{n} %"), (float,)),
    "date": Way(
        column("date"),
        DAYS,
        (
            lambda d: d,
            lambda d: f"{d:%d/%m/%Y}",
            date.isoformat,
            lambda d: f"{d.day}/{d.month}/{d.year}",
            lambda d: f"{d:%d.%m.%Y}",
            lambda d: f"{d:%d-%m-%Y}",
            lambda d: f"ngày {d.day} tháng {d.month} năm {d.year}",
            lambda d: f"{d:%d/%m/%y}" if d.year > 1936 else d,
            lambda d: f"{d:%d/%m/%Y} 08:30",
            lambda d: (d - date(1899, 12, 30)).days if d.year > 1954 else d,
        ),
        (
            lambda d: f"{d:%m/%Y}",
            lambda d: f"{d.year}",
            lambda d: f"00/00/{d.year}",
            lambda d: str((d - date(1899, 12, 30)).days),
            lambda d: f"{d:%d/%m}",
        ),
    ),
    "datetime": Way(
        column("datetime"),
        st.datetimes(datetime(1990, 1, 1), datetime(2026, 7, 1)).map(lambda t: t.replace(microsecond=0)),
        (
            lambda t: t,
            datetime.isoformat,
            lambda t: f"{t:%d/%m/%Y %H:%M:%S}",
            lambda t: f"{t.isoformat()}+07:00",
            lambda t: f"{(t - timedelta(hours=7)).isoformat()}Z",
            lambda t: f"{t:%H:%M:%S %d/%m/%Y}",
        ),
        same=lambda got, meant: got.replace(tzinfo=None) + timedelta(hours=7) == meant,
    ),
    "boolean": Way(
        column("boolean"),
        st.booleans(),
        (
            bool,
            lambda b: "x" if b else "không",
            lambda b: "X" if b else "Ko",
            lambda b: "✓" if b else "☐",
            int,
            lambda b: "có" if b else "0",
        ),
        (lambda b: "v" if b else "-", lambda b: "?"),
    ),
    "names": Way(
        column("names"),
        st.lists(st.sampled_from(["Thôn 1", "Suối Cát", "TDP 3/2", "A.01", "Hòa Bình"]), min_size=1, max_size=4).map(
            "; ".join
        ),
        (
            str,
            lambda v: v.replace("; ", ";"),
            lambda v: v.replace("; ", ", ") + ";",
            lambda v: v.replace("; ", "\n"),
            lambda v: v.replace("; ", " ;\r\n "),
        ),
        (lambda v: v + "?", lambda v: "=" + v),
    ),
    "category": Way(
        column("category"),
        st.sampled_from([e.value for e in VILLAGE_TYPES]),
        (
            str,
            str.lower,
            *(lambda v, n=n: [e for e in VILLAGE_TYPES if e.value == v][0].synonyms[n].upper() for n in (0, 1)),
        ),
        (lambda v: v + "s", lambda v: v[:-1]),
    ),
    "code": Way(
        column("code", width=5),
        st.integers(0, 99_999).map("{:05}".format),
        (str, int, lambda c: f"{int(c)}.0", lambda c: f" {c} "),
        (lambda c: c + "0", lambda c: f"{int(c)}E+01"),
    ),
    "record_number": Way(
        column("record_number"),
        st.integers(1, 2**63 - 1).map(str),
        (str, lambda n: f"'{n}", lambda n: f" {n} "),
        (int, float, lambda n: f"{int(n):,}", lambda n: f"{float(n):.14E}", lambda n: f"0{n}"),
    ),
    "commune_code": Way(
        column("commune_code"), st.integers(0, 99_999).map("{:05}".format), (str, int, lambda c: f"{int(c)}.0")
    ),
    "province_code": Way(
        column("province_code"), st.integers(0, 99).map("{:02}".format), (str, int, lambda c: f"{int(c)}.0")
    ),
    "name": Way(
        column("name"),
        PEOPLE,
        (str, lambda n: n.replace(" ", "\u00a0"), lambda n: f" {n}\u200b"),
        same=lambda a, b: match_key_one(a) == match_key_one(b),
    ),
    "text": Way(column("text"), PEOPLE, (str, lambda n: n.replace(" ", "\u00a0 "))),
    "person_name": Way(
        column("person_name"),
        PEOPLE.filter(lambda n: n[:1] != "T" or n[:2] != "T."),
        (
            str,
            str.upper,
            lambda n: n.replace(" ", "  "),
            lambda n: f"Bà {n}",
            lambda n: f"Đ/c {n}",
            lambda n: f"ThS. {n}",
            lambda n: f"{n} (nữ)",
            lambda n: f"{n} *",
        ),
        (lambda n: f"Ông {n}", lambda n: f"{n} 01/02/1985"),
        same=lambda a, b: match_key_one(a) == match_key_one(b),
    ),
    "id_card": Way(
        column("id_card"),
        st.from_regex("[0-9]{9}", fullmatch=True) | CITIZENS,
        (str, lambda c: f"'{c}", lambda c: f"{c[:3]} {c[3:6]} {c[6:]}" if len(c) == 9 else c),
        (lambda c: c + "0", lambda c: c[2:], lambda c: c[:-3] + "A" + c[-2:]),
    ),
    "id_as_sent": Way(
        column("id_as_sent"),
        st.from_regex("[0-9]{8,14}", fullmatch=True),
        (str, lambda c: f"'{c}", lambda c: f"{c}.0", lambda c: f"{c[:3]}.{c[3:6]} {c[6:]}"),
        (lambda c: c[:7], lambda c: c + "0123456", lambda c: f"{c} A"),
    ),
    "citizen_id": Way(
        column("citizen_id", sex="sex", birthDate="born"),
        CITIZENS,
        (
            str,
            lambda c: int(c) if c[1] != "0" else c,
            lambda c: c[c[1] != "0" :],
            lambda c: f"{c[c[1] != '0' :]}.0",
            lambda c: f"{c[:3]}.{c[3:6]}.{c[6:]}",
            lambda c: f"'{c}",
            lambda c: f"{c[:3]} {c[3:6]} {c[6:9]} {c[9:]}",
        ),
        (
            *(lambda c, n=n: c[:n] + c[n + 1 :] for n in range(1, 12)),
            int,
            lambda c: c[1:],
            lambda c: c[2:],
            lambda c: f"{int(c):.4E}",
            lambda c: c + "0",
            lambda c: c[3:],
        ),
        siblings=_row,
    ),
    "tax_code": Way(
        column("tax_code"),
        st.builds(lambda n, b: _mst(n) + (f"-{b:03}" if b else ""), st.integers(10**7, 10**9 - 1), st.integers(0, 999)),
        (
            str,
            lambda c: c.replace("-", ""),
            lambda c: f"{c[:2]}.{c[2:4]}.{c[4:7]}.{c[7:]}",
            lambda c: c.replace("-", " - "),
        ),
        (lambda c: int(c.replace("-", "")), lambda c: c[:-1], lambda c: f"{float(c[:10]):.4E}"),
    ),
    "phone": Way(
        column("phone"),
        st.one_of(MOBILES, FIXED),
        (
            str,
            lambda p: "0" + p[3:],
            lambda p: int(p[3:]),
            lambda p: p[1:],
            lambda p: f"0{p[3:6]}.{p[6:9]}.{p[9:]}",
            lambda p: f"+84 (0){p[3:5]} {p[5:]}",
            lambda p: f"0{OLD.get(p[3:5], p[3:5])}{p[5:]}",
            lambda p: f"(0{p[3:6]}) {p[6:]}",
        ),
        (lambda p: p[:-1], lambda p: p + "0", lambda p: f"0{p[3:]}/0905", lambda p: f"{int(p[3:])}.5"),
    ),
    "agency_id": Way(
        column("agency_id"),
        AGENCIES,
        (str, str.lower, _bottom_up, lambda c: c.replace(".", " . ")),
        (lambda c: c[1:], lambda c: c + ".", lambda c: ".".join(c.split(".")[::-1])),
    ),
}


def cell_of(written: Any) -> tuple[str, Kind]:
    """The raw form of a cell, as reading would give it."""
    if isinstance(written, bool):
        return str(written).lower(), Kind.BOOLEAN
    if isinstance(written, int | float):
        return repr(written).removesuffix(".0"), Kind.NUMBER
    if isinstance(written, date):
        return written.isoformat(), Kind.DATE
    return written, Kind.TEXT


def read(way: Way, value: Any, cells: list[tuple[str, int]]) -> list[tuple[Any, str | None]]:
    beside = {name: pl.Series([v] * len(cells)) for name, v in way.siblings(value).items()}
    about = replace(context(len(cells)), siblings=beside)
    raw = pl.Series([t for t, _ in cells], dtype=pl.String)
    got = clean(way.column, raw, pl.Series([k for _, k in cells], dtype=pl.UInt8), about)
    return list(zip(got.value.to_list(), got.issue.to_list(), strict=True))


def judge(way: Way, value: Any, ways: list[Any], answers: list[tuple[Any, str | None]], sure: int) -> None:
    for n, (written, (got, issue)) in enumerate(zip(ways, answers, strict=True)):
        if n < sure and not (isinstance(written, str) and issue == "AMBIGUOUS_NUMBER"):
            assert issue is None, (value, written, issue)
        assert issue is not None or (got is not None and way.same(got, value)), (value, written, got)


def test_every_type_has_its_ways() -> None:
    # these are made of several columns: their ways are in test_places.py and test_records.py of tests/schemas/semantic
    assert set(WAYS) | {"place_path", "listed_unit", "record_pair"} == set(SEMANTIC_TYPES)


@pytest.mark.parametrize("name", WAYS)
@given(st.data())
def test_as_cells(name: str, data: st.DataObject) -> None:
    way = WAYS[name]
    value = data.draw(way.values)
    ways = [render(value) for render in (*way.sure, *way.unsure)]
    judge(way, value, ways, read(way, value, [cell_of(w) for w in ways]), len(way.sure))


@pytest.mark.parametrize("name", WAYS)
@pytest.mark.parametrize("form", ["xlsx", "csv"])
@settings(max_examples=5)
@given(st.data())
def test_through_a_file(form: str, name: str, data: st.DataObject) -> None:
    way = WAYS[name]
    value = data.draw(way.values)
    ways = [render(value) for render in (*way.sure, *way.unsure)]
    if form == "csv":
        ways = [w for w in ways if isinstance(w, str)]
    rows = [("Số", "Giá trị"), *((n, w) for n, w in enumerate(ways, 1))]
    (grid,), _ = grids_of(workbook(rows) if form == "xlsx" else text_csv(rows), f"thu.{form}")
    cells = list(grid.frame.select("B", "B" + KIND).slice(1).iter_rows())
    sure = sum(form == "xlsx" or isinstance(render(value), str) for render in way.sure)
    judge(way, value, ways, read(way, value, cells), sure)


def test_the_judge_can_refuse() -> None:
    way = WAYS["integer"]
    with pytest.raises(AssertionError):
        judge(way, 12, ["12"], [(13, None)], 1)
    with pytest.raises(AssertionError):
        judge(way, 12, ["12"], [(None, "NOT_A_NUMBER")], 1)
    with pytest.raises(AssertionError):
        judge(way, Decimal(12), ["x"], [(None, None)], 0)
