"""The lists against the official files, and lists from a folder in their place."""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from assets.reference.units import REFORM, Reference, load_reference

ROOT = Path(__file__).resolve().parents[3]


def of_province(reference: Reference, code: str) -> pl.DataFrame:
    return reference.units.filter(
        pl.col("level") == "commune", pl.col("province_code") == code, pl.col("valid_to").is_null()
    )


def test_khanh_hoa_is_48_xa_16_phuong_1_dac_khu(reference: Reference) -> None:
    types = of_province(reference, "56")["type"].value_counts()
    assert dict(types.iter_rows()) == {"XA": 48, "PHUONG": 16, "DAC_KHU": 1}


def test_every_code_and_name_of_khanh_hoa_is_that_of_the_official_list(reference: Reference, shared: Path) -> None:
    text = (shared / "data/real/admin/1027_CTK-CSCL.md").read_text(encoding="utf-8")
    rows = [
        (m[1], " ".join(m[2].replace("<br>", " ").split()))
        for m in re.finditer(r"^\|[^|]*\| (\d{5}) \|([^|]*)\|[^|]*Khánh Hòa[^|]*\|", text, re.MULTILINE)
    ]
    assert len(rows) == 65
    assert set(rows) == set(of_province(reference, "56").select("code", "name").iter_rows())


def test_old_units_are_132_and_62_and_all_in_the_crosswalk(reference: Reference) -> None:
    old = reference.units.filter(
        pl.col("level") == "commune", pl.col("valid_to") == REFORM, pl.col("province_code").is_in(["56", "58"])
    )
    assert dict(old["province_code"].value_counts().iter_rows()) == {"56": 132, "58": 62}
    changes = reference.changes.filter(pl.col("new_code").is_in(of_province(reference, "56")["code"].to_list()))
    assert changes.height == 205
    assert set(changes["old_code"]) == set(old["code"])
    assert dict(changes["kind"].value_counts().iter_rows()) == {"TOAN_BO": 186, "MOT_PHAN": 19}
    split = changes.group_by("old_code").len().filter(pl.col("len") > 1)
    assert set(split["old_code"]) == {"22435", "22438", "22711", "22450", "22456", "22465", "22471", "22768"}


def test_all_65_new_codes_are_codes_of_older_units(reference: Reference) -> None:
    ended = reference.units.filter(pl.col("level") == "commune", pl.col("valid_to").is_not_null())
    assert set(of_province(reference, "56")["code"]) <= set(ended["code"])


def test_a_code_names_one_unit_at_most_on_a_day(reference: Reference) -> None:
    current = pl.col("valid_to").is_null()
    for units in (reference.units.filter(current), reference.units.filter(~current)):
        assert units["code"].n_unique() == units.height
    assert reference.units.filter(pl.col("type").is_null()).is_empty()


@pytest.mark.parametrize(
    ("code", "on", "name"),
    [
        ("22852", date(2024, 6, 30), "Xã Phương Hải"),
        ("22852", date(2025, 6, 30), "Xã Phương Hải"),
        ("22852", date(2025, 7, 1), "Xã Ninh Hải"),
        ("58", date(2025, 6, 30), "Tỉnh Ninh Thuận"),
        ("58", date(2025, 7, 1), None),
        ("22330", date(2026, 1, 1), None),
        ("99999", date(2026, 1, 1), None),
    ],
)
def test_unit_at(reference: Reference, code: str, on: date, name: str | None) -> None:
    unit = reference.unit_at(code, on)
    assert (unit and unit["name"]) == name


def test_senders_are_the_communes_and_the_agencies_known_to_exist(reference: Reference) -> None:
    kinds = dict(reference.senders.select("code", "kind").iter_rows())
    assert kinds["22366"] == "commune" and kinds["SNV"] == "department" and kinds["CTK"] == "office"
    assert sum(kind == "commune" for kind in kinds.values()) == 65
    assert "SDL" not in kinds  # a department of tourism is optional and not confirmed
    assert reference.senders["code"].is_unique().all()


def test_another_province_is_a_setting() -> None:
    assert load_reference(province="48").senders.filter(pl.col("kind") == "commune").height == 94
    with pytest.raises(ValueError, match="province 58"):  # merged into 56
        load_reference(province="58")


def test_loading_imports_nothing_of_the_package() -> None:
    code = (
        "import sys; from assets.reference.units import load_reference; load_reference();"
        "print([m for m in sys.modules if m.startswith(('vietnamadminunits', 'pandas', 'psycopg'))])"
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_the_lists_of_the_cases_take_the_place_of_the_real_ones(shared: Path) -> None:
    given = load_reference(shared / "cases/_reference")
    assert given.units.filter(pl.col("valid_to").is_null())["code"].to_list() == [
        "05961", "05962", "05963", "05964", "05965", "05966",
    ]  # fmt: skip
    assert given.senders.filter(pl.col("kind") == "department")["code"].to_list() == ["SNV", "STC"]
    assert given.changes.select("old_code", "new_code", "kind").rows() == [
        ("05831", "05961", "TOAN_BO"),
        ("05834", "05961", "TOAN_BO"),
        ("05852", "05962", "MOT_PHAN"),
        ("05852", "05964", "MOT_PHAN"),
    ]
    assert given.units.filter(pl.col("code") == "05963")["type"].item() == "PHUONG"


def folder(path: Path, **files: str) -> Path:
    for name, text in files.items():
        (path / f"{name}.csv").write_text(text, encoding="utf-8")
    return path


def test_the_version_follows_the_content(tmp_path: Path, reference: Reference) -> None:
    assert reference.version == load_reference().version
    first = load_reference(folder(tmp_path, communes="code,name\n00001,Xã Một\n")).version
    assert first != load_reference(folder(tmp_path, communes="code,name\n00001,Xã Hai\n")).version


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({}, "communes.csv is missing"),
        ({"communes": "code\n00001\n"}, "lacks the column name"),
        ({"communes": "code,name\n00001,Thôn Một\n"}, "must begin with its type"),
        (
            {
                "communes": "code,name\n00001,Xã Một\n",
                "commune_changes": "old_code,old_name,new_code,how,effective\n00002,Xã Hai,00003,merged,2025-07-01\n",
            },
            "needs a new_code of communes.csv",
        ),
        (
            {
                "communes": "code,name\n00001,Xã Một\n",
                "commune_changes": "old_code,old_name,new_code,how,effective\n00002,Xã Hai,00001,merged,31/02/2025\n",
            },
            "effective = YYYY-MM-DD",
        ),
    ],
)
def test_lists_that_cannot_be_used_say_why(tmp_path: Path, files: dict[str, str], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        load_reference(folder(tmp_path, **files))
