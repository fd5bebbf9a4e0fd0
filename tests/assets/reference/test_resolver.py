"""Places as people write them: the vectors of domain.md §6.2 and the traps of §3, each with its exact outcome."""

from __future__ import annotations

import unicodedata
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets.reference.resolver import Resolver
from assets.reference.units import Reference, load_reference
from schemas.contract import Column
from schemas.grid import Kind
from schemas.semantic import Context, clean

Answer = tuple[str | None, str | None, str | None, str | None]
OLD, NEW = date(2024, 6, 30), date(2026, 6, 30)


@pytest.fixture(scope="module")
def resolver(reference: Reference) -> Resolver:
    return Resolver(reference)


def ask(resolver: Resolver, *rows: tuple[str | None, date | None]) -> list[Answer]:
    frame = pl.DataFrame(
        [(text, as_of, "22366") for text, as_of in rows],
        schema={"text": pl.String, "as_of": pl.Date, "sender": pl.String},
        orient="row",
    )
    return resolver.resolve(frame).rows()


@pytest.mark.parametrize(
    ("text", "as_of", "code", "how"),
    [
        # codes
        ("22852", OLD, "22852", None),
        ("22852", NEW, "22852", None),
        ("22333.0", NEW, "22333", "PADDED"),
        (" 22333 ", NEW, "22333", None),
        ("'22333", NEW, "22333", "PADDED"),
        ("4", NEW, "00004", "PADDED"),
        ("22330", OLD, "22330", None),
        # spelling
        ("Phường Ninh Hòa", NEW, "22528", "NAME"),
        ("phường Ninh Hoà", NEW, "22528", "NAME"),
        ("P. Ninh Hoà", NEW, "22528", "NAME"),
        ("P.Ninh Hòa", NEW, "22528", "NAME"),
        ("PHƯỜNG NINH HÒA", NEW, "22528", "NAME"),
        (unicodedata.normalize("NFD", "Phường  Ninh\u00a0Hòa"), NEW, "22528", "NAME"),
        ("ĐK Trường Sa", NEW, "22736", "NAME"),
        ("X. Suối Dầu", NEW, "22708", "NAME"),
        ("Xã Mĩ Sơn", NEW, "22822", "NAME"),
        ("phuong ninh hoa", NEW, "22528", "UNACCENTED"),
        ("P1, Q.3, TP. Hồ Chí Minh", OLD, "27160", "NAME"),
        ("Phường 01, quận 3", OLD, "27160", "NAME"),
        # the unit of the day before the unit of the past
        ("Xã Ninh Hải", NEW, "22852", "NAME"),
        ("Xã Ninh Phước", NEW, "22870", "NAME"),
        ("Xã Ninh Sơn", NEW, "22810", "NAME"),
        ("Xã Vĩnh Hải", NEW, "22846", "NAME"),
        ("Đại Lãnh", NEW, "22504", "NAME"),
        ("Phường Đông Hải", NEW, "22780", "NAME"),
        ("Phường Đông Hải", OLD, "22768", "NAME"),
        ("Phường Ninh Hải", OLD, "22543", "NAME"),
        # old names, types and districts after the reform
        ("Phường Ninh Hải", NEW, "22561", "NAME:22543"),
        ("Vĩnh Hải, Nha Trang", NEW, "22333", "NAME:22330"),
        ("Vĩnh Hải (TP. Nha Trang)", NEW, "22333", "NAME:22330"),
        ("TT. Diên Khánh", NEW, "22651", "NAME:22651"),
        ("Phương Hải", NEW, "22852", "NAME:22852"),
        ("phuong hai", NEW, "22852", "UNACCENTED:22852"),
        ("Xã Ninh Sơn, thị xã Ninh Hòa", NEW, "22546", "NAME:22531"),
        ("P. Ninh Hòa, TX. Ninh Hòa, tỉnh Khánh Hòa", NEW, "22528", "NAME"),
        ("Xã Ninh Hải, tỉnh Ninh Thuận", NEW, "22852", "NAME"),
        ("Phước Hải, huyện Ninh Phước", NEW, "22870", "NAME:22894"),
        ("Phước Hải, TP Nha Trang", NEW, "22402", "NAME:22357"),
        # twins
        ("Vĩnh Hải, Ninh Hải", OLD, "22846", "NAME"),
        ("Thành Hải", OLD, "22774", "NAME"),
        ("Thanh Hải", OLD, "22868", "NAME"),
        # own province before namesakes elsewhere, the country if there is none
        ("Vạn Thắng", NEW, "22516", "NAME"),
        ("Lam Son", NEW, "22813", "UNACCENTED"),
        ("Phường Ba Đình", NEW, "00004", "NAME"),
    ],
)
def test_resolved(resolver: Resolver, text: str, as_of: date, code: str, how: str | None) -> None:
    assert ask(resolver, (text, as_of)) == [(code, None, None, how)]


@pytest.mark.parametrize(
    ("text", "as_of", "issue", "detail"),
    [
        ("Xã Ninh Hải", OLD, "UNKNOWN_UNIT", "22543 Phường Ninh Hải, Thị xã Ninh Hòa"),
        ("xã Cam Tân", NEW, "AMBIGUOUS_UNIT", "22435 Xã Cam Hiệp; 22453 Xã Cam Lâm; 22708 Xã Suối Dầu"),
        ("Cam Tân, huyện Cam Lâm", NEW, "AMBIGUOUS_UNIT", "22435 Xã Cam Hiệp; 22453 Xã Cam Lâm; 22708 Xã Suối Dầu"),
        ("Phước Hải", NEW, "AMBIGUOUS_UNIT", "22402 Phường Nam Nha Trang; 22870 Xã Ninh Phước"),
        (
            "Vĩnh Hải",
            OLD,
            "AMBIGUOUS_UNIT",
            "22330 Phường Vĩnh Hải, Thành phố Nha Trang; 22846 Xã Vĩnh Hải, Huyện Ninh Hải",
        ),
        (
            "THANH HAI",
            OLD,
            "AMBIGUOUS_UNIT",
            "22774 Xã Thành Hải, Thành phố Phan Rang - Tháp Chàm; 22868 Xã Thanh Hải, Huyện Ninh Hải",
        ),
        # some accents, but wrong ones: not a text without accents, so what looks like it is only proposed
        ("Vinh Hải", NEW, "UNKNOWN_UNIT", "22846 Xã Vĩnh Hải; 22852 Xã Ninh Hải"),
        ("Phường Bắc Nha Trag", NEW, "UNKNOWN_UNIT", "22333 Phường Bắc Nha Trang; 22390 Phường Tây Nha Trang"),
        ("Đặc khu Trường Xa", NEW, "UNKNOWN_UNIT", "22736 Đặc khu Trường Sa"),
        ("22330", NEW, "UNKNOWN_UNIT", "22333 Phường Bắc Nha Trang"),
        ("22435", None, "UNKNOWN_UNIT", None),
        ("Xã Ninh Hải", None, "UNKNOWN_UNIT", None),
        ("99999", NEW, "UNKNOWN_UNIT", None),
        ("223333", NEW, "UNKNOWN_UNIT", None),
        ("Phường Bắc Nha Trang", OLD, "UNKNOWN_UNIT", "22333 Phường Bắc Nha Trang"),
        ("Xã Bắc Nha Trang", NEW, "UNKNOWN_UNIT", "22333 Phường Bắc Nha Trang"),
        ("Vĩnh Hải, huyện Khánh Sơn", NEW, "UNKNOWN_UNIT", "22846 Xã Vĩnh Hải; 22852 Xã Ninh Hải"),
        ("Tổ dân phố 3", NEW, "UNKNOWN_UNIT", None),
        (".", NEW, "UNKNOWN_UNIT", None),
    ],
)
def test_not_resolved(resolver: Resolver, text: str, as_of: date | None, issue: str, detail: str | None) -> None:
    assert ask(resolver, (text, as_of)) == [(None, issue, detail, None)]


@pytest.mark.parametrize(
    "name",
    ["Cam Tân", "Cam Hòa", "Suối Tân", "Cam Hiệp Bắc", "Cam Hiệp Nam", "Cam An Bắc", "Cam An Nam"],
)
def test_figures_of_the_split_communes_are_never_mapped(resolver: Resolver, name: str) -> None:
    [(code, issue, detail, _)] = ask(resolver, (f"Xã {name}", NEW))
    assert (code, issue) == (None, "AMBIGUOUS_UNIT")
    assert detail is not None and "; " in detail


def test_the_split_ward_dong_hai_is_found_by_its_old_town_only_as_candidates(resolver: Resolver) -> None:
    [(code, issue, detail, _)] = ask(resolver, ("Đông Hải, Phan Rang - Tháp Chàm", date(2025, 6, 30)))
    assert (code, issue, detail) == ("22768", None, None)


def test_blank_texts_are_left_to_the_contract(resolver: Resolver) -> None:
    assert ask(resolver, (None, NEW), ("", NEW), (" \u00a0", NEW)) == [(None,) * 4] * 3


def test_the_first_day_of_the_reform_is_the_new_side(resolver: Resolver) -> None:
    answers = ask(resolver, ("Xã Phương Hải", date(2025, 6, 30)), ("Xã Phương Hải", date(2025, 7, 1)))
    assert [how for *_, how in answers] == ["NAME", "NAME:22852"]


def test_old_codes_are_carried_over_only_if_asked_for(reference: Reference) -> None:
    carrying = Resolver(reference, carry_codes=True)
    assert ask(carrying, ("22330", NEW), ("22852", NEW)) == [
        ("22333", None, None, "CODE:22330"),
        ("22852", None, None, None),
    ]
    [(code, issue, detail, how)] = ask(carrying, ("22438", NEW))  # Cam Hòa, split in three
    assert (code, issue, how) == (None, "AMBIGUOUS_UNIT", None)


def test_lists_of_a_folder(shared: Path) -> None:
    resolver = Resolver(load_reference(shared / "cases/_reference"))
    assert ask(
        resolver,
        ("05961", NEW),
        ("5961", NEW),
        ("xã bản lụa", OLD),
        ("Xã Lụa Thượng", NEW),
        ("Mây Đào", NEW),
        ("05831", NEW),
    ) == [
        ("05961", None, None, None),
        ("05961", None, None, "PADDED"),
        ("05961", None, None, "NAME"),
        ("05961", None, None, "NAME:05831"),
        (None, "AMBIGUOUS_UNIT", "05962 Xã Khau Mây; 05964 Xã Nà Đào", None),
        (None, "UNKNOWN_UNIT", "05961 Xã Bản Lụa", None),
    ]


def test_a_part_of_a_unit_with_one_known_successor_is_not_mapped(tmp_path: Path) -> None:
    (tmp_path / "communes.csv").write_text("code,name\n00001,Xã Một\n", encoding="utf-8")
    (tmp_path / "commune_changes.csv").write_text(
        "old_code,old_name,new_code,how,effective\n00002,Xã Hai,00001,divided,2025-07-01\n", encoding="utf-8"
    )
    assert ask(Resolver(load_reference(tmp_path)), ("Xã Hai", NEW)) == [(None, "AMBIGUOUS_UNIT", "00001 Xã Một", None)]


@given(st.data())
def test_every_unit_is_found_however_it_is_written(
    reference: Reference, resolver: Resolver, data: st.DataObject
) -> None:
    territory = reference.units.filter(pl.col("level") == "commune", pl.col("province_code").is_in(["56", "58"]))
    unit = data.draw(st.sampled_from(territory.rows(named=True)))
    word, place = {
        "XA": ("Xã", "X."), "PHUONG": ("Phường", "P."), "THI_TRAN": ("Thị trấn", "TT."), "DAC_KHU": ("Đặc khu", "ĐK"),
    }[unit["type"]], unit["name"].split(" ", 2 if unit["type"] in ("THI_TRAN", "DAC_KHU") else 1)[-1]  # fmt: skip
    text = f"{data.draw(st.sampled_from(word))} {place}"
    if unit["district_name"]:
        text += ", " + unit["district_name"].replace("Thành phố", data.draw(st.sampled_from(["Thành phố", "TP."])))
    for change in data.draw(st.lists(st.sampled_from(["upper", "lower", "nfd", "space", "tone"]))):
        text = {
            "upper": text.upper(),
            "lower": text.lower(),
            "nfd": unicodedata.normalize("NFD", text),
            "space": text.replace(" ", "\u00a0 "),
            "tone": text.replace("òa", "oà").replace("ủy", "uỷ"),
        }[change]
    [(code, issue, *_)] = ask(resolver, (text, OLD if unit["valid_to"] else NEW))
    assert (code, issue) == (unit["code"], None)


@given(st.lists(st.sampled_from(["22852", "4", "Vĩnh Hải", "xã Cam Tân", None, "?"]), max_size=30))
def test_answers_stand_at_their_rows(resolver: Resolver, texts: list[str | None]) -> None:
    rows = [(text, OLD if i % 2 else NEW) for i, text in enumerate(texts)]
    alone = {row: ask(resolver, row)[0] for row in set(rows)}
    assert ask(resolver, *rows) == [alone[row] for row in rows]


@pytest.mark.parametrize(
    ("code", "name", "as_of", "issue", "detail"),
    [
        ("22852", "Xã Phương Hải", OLD, None, None),
        ("22852", "Xã Phương Hải", NEW, "ENDED_UNIT", "01/07/2025"),
        ("22852", "Xã Ninh Hải", NEW, None, None),
        ("22852", "Xã Ninh Hải", OLD, None, None),  # a unit of that code exists: a list may spell otherwise
        ("22330", "phường Vĩnh Hải", OLD, None, None),
        ("22330", "Phường Vĩnh Hải", NEW, "ENDED_UNIT", "01/07/2025"),
        ("22330", "Phường Khác", NEW, "ENDED_UNIT", "01/07/2025"),  # no unit has that code any more
        ("22528", "Phường Ninh Hoà", NEW, None, None),
        ("99999", "Xã Mới", NEW, None, None),
    ],
)
def test_an_entry_of_a_list(
    code: str, name: str, as_of: date, issue: str | None, detail: str | None, resolver: Resolver
) -> None:
    frame = pl.DataFrame({"code": [code], "name": [name], "as_of": [as_of]})
    assert resolver.listed(frame).rows() == [(issue, detail)]


def test_a_name_with_its_old_district_in_a_column_beside_it(resolver: Resolver) -> None:
    """Namesakes among the old units are told apart; a district where the name is not gives no unit."""
    of = Column("unit", "Xã", "string", "commune_code", options={"district": "district"})
    names = ["Vĩnh Hải", "Vĩnh Hải", "Phước Hòa", "Phước Hòa", "22852", "Vĩnh Hải"]
    districts = ["TP. Nha Trang", "Huyện Ninh Hải", "TP Nha Trang", "huyện Bác Ái", "Nha Trang", None]
    got = clean(
        of,
        pl.Series(names),
        pl.Series([int(Kind.TEXT)] * len(names), dtype=pl.UInt8),
        Context(
            as_of=pl.Series([OLD] * len(names)),
            received_on=pl.Series([NEW] * len(names)),
            sender=pl.Series(["22366"] * len(names)),
            resolve_unit=resolver.resolve,
            today=NEW,
            siblings={"district": pl.Series(districts)},
        ),
    )
    assert got.issue.to_list() == [None] * 5 + ["AMBIGUOUS_UNIT"]
    assert got.value[0] == "22330" and got.value[4] == "22852"
    assert len(set(got.value.to_list()[:4])) == 4
