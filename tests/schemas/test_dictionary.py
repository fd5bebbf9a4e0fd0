"""The dictionary says of each column what its contract says, once, in tables that stay tables."""

from __future__ import annotations

import html
import json
import re
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import pytest

from schemas.contract import INDICATORS, builtin_folder, load_contract, load_contracts
from schemas.dictionary import FORMS, LANGUAGES, Form, Language, dictionary, dictionary_rows

from .contracts import spoilt, write


def test_rows_are_one_per_column_and_survive_json() -> None:
    contracts = load_contracts([builtin_folder()])
    rows = json.loads(json.dumps(dictionary_rows(contracts.values())))
    assert [(r["dataset"], r["column"]) for r in rows] == [(d, c.name) for d, k in contracts.items() for c in k.columns]
    households = next(r for r in rows if (r["dataset"], r["column"]) == ("villages", "households"))
    assert (households["label"], households["unit"], households["required"]) == ("Số hộ", "hộ", True)
    assert [r["id"] for r in households["rules"]] == ["households_bounds", "population_at_least_households"]
    kind = next(r for r in rows if (r["dataset"], r["column"]) == ("unit_changes", "kind"))
    assert [v["value"] for v in kind["code_list"]] == ["TOAN_BO", "MOT_PHAN"] and kind["source_column"] == "note"


def test_the_markdown_names_every_column_list_header_and_rule() -> None:
    contracts = load_contracts([builtin_folder()])
    text = dictionary(contracts.values())
    for contract in contracts.values():
        assert f"(`{contract.dataset}`)" in text
        for column in contract.columns:
            assert f"| `{column.name}` | {column.label} |" in text
            assert all(header in text for header in column.synonyms)
            assert all(f"| `{column.name}` | `{v.value}` | {v.label} |" in text for v in column.enum)
        assert all(r.message in text and r.remedy in text for r in contract.rules)
    assert "| `kind` | lấy từ cột Ghi chú |" in text
    assert "hằng quý, theo lịch; hạn nộp: ngày 05 sau kỳ" in text


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("form", FORMS)
def test_every_form_and_language_says_all_that_a_contract_says(language: Language, form: Form) -> None:
    contracts = load_contracts([builtin_folder()])
    names = {code: (f"Tên của {code}", f"Name of {code} <&>") for code in INDICATORS}
    text = dictionary(
        contracts.values(), language, form, indicators=names, across={"person_unknown": "people | nobody knows"}
    )
    plain = html.unescape(re.sub(r"<[^>]*>", "", text)) if form == "html" else text.replace("\\|", "|")
    for contract in contracts.values():
        assert contract.owner in plain and contract.title in plain
        for column in contract.columns:
            assert column.name in plain and column.label in plain
            assert all(v.value in plain and v.label in plain for v in column.enum)
        for rule in (*contract.rules, *contract.across):
            assert rule.id in plain and rule.message in plain
    assert all(names[code][LANGUAGES.index(language)] in plain for code in INDICATORS)
    if language == "en":
        assert "people | nobody knows" in plain
        assert "appointments` ≥ `appointments_published" in text or form == "html"
    if form == "html":
        assert f'lang="{language}"' in text and "<&>" not in text
        parser = HTMLParser()
        parser.feed(text)
        tags = re.findall(r"<(/?)(\w+)", text)
        opened = Counter(name for closing, name in tags if not closing and name not in ("meta",))
        assert opened == Counter(name for closing, name in tags if closing)
        assert set(re.findall(r'href="#(\w+)"', text)) <= set(re.findall(r'id="(\w+)"', text))
    else:
        tables = [block.splitlines() for block in text.split("\n\n") if block.startswith("| ")]
        assert all(len({len(re.findall(r"(?<!\\)\|", line)) for line in table}) == 1 for table in tables)


def test_the_order_of_contracts_does_not_matter() -> None:
    contracts = list(load_contracts([builtin_folder()]).values())
    assert dictionary(contracts) == dictionary(reversed(contracts))
    assert dictionary_rows(contracts) == dictionary_rows(reversed(contracts))


def test_whose_value_stands_is_said_where_it_is_not_the_usual(tmp_path: Path) -> None:
    villages = load_contracts([builtin_folder()])["villages"]
    households = next(r for r in dictionary_rows([villages]) if r["column"] == "households")
    assert (households["survivorship"], households["precedence"], households["survives_with"]) == (
        "precedence", [], ["population"],
    )  # fmt: skip
    assert "Luôn lấy từ cùng một dòng với: Số nhân khẩu." in dictionary([villages])
    text = spoilt(
        "{property: unit, value: quầy}",
        "{property: unit, value: quầy}\n          - {property: survivorship, value: majority}\n"
        "          - {property: precedence, value: [SCT, STC]}",
        spoilt("  - {property: periodType", "  - {property: precedence, value: [STC]}\n  - {property: periodType"),
    )
    contract = load_contract(write(tmp_path, text))
    said = dictionary([contract])
    assert "Nhiều đơn vị cùng báo thì lấy giá trị được nhiều đơn vị báo nhất (SCT > STC)." in said
    assert "- **Thứ tự ưu tiên khi nhiều đơn vị cùng báo**: STC" in said
    assert {r["column"]: r["precedence"] for r in dictionary_rows([contract])}["rank"] == ["STC"]
    assert not {"survivorship", "precedence"} & set(contract.column("stalls").options)


def test_a_bar_or_line_break_does_not_break_a_table(tmp_path: Path) -> None:
    contract = load_contract(write(tmp_path, spoilt("businessName: Ngày mở", 'businessName: "Ngày | giờ\\nmở"')))
    lines = dictionary([contract]).splitlines()
    assert any(line.startswith("| `opened_on` | Ngày \\| giờ mở | ngày |") for line in lines)


def test_a_personal_column_shows_purpose_and_ground(tmp_path: Path) -> None:
    text = spoilt(
        "        logicalType: date\n        customProperties:\n",
        "        logicalType: date\n        classification: P2\n        customProperties:\n"
        "          - {property: purpose, value: Chỉ tiêu I46}\n"
        "          - {property: legalGround, value: LUAT_CBCC}\n",
    )
    assert "| P2 cá nhân | Mục đích: Chỉ tiêu I46 (LUAT_CBCC). |" in dictionary([load_contract(write(tmp_path, text))])
