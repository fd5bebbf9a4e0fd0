"""What officers read: plain Vietnamese, whole, and with something to do about it; the catalogue and the contracts alike."""

from __future__ import annotations

import ast
import re
import string
import unicodedata
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import polib
import pytest

from schemas import messages
from schemas.codes import CELL, CODES, SET_ASIDE
from schemas.contract import Column, EnumValue, builtin_folder, load_contracts
from schemas.semantic.explain import FORMS, worded
from schemas.syllables import is_consonants, is_syllable, lacks_tone

ROOT = Path(messages.__file__).parents[2]
CONTRACTS = load_contracts([builtin_folder()])
ENTRIES = list(polib.pofile(str(Path(messages.__file__).with_name("vi.po"))))
TEXTS = {(e.msgctxt, e.msgid): e.msgstr for e in ENTRIES}
_FRAGMENTS = """
alert alert_letter aside as_of bound detail difference due example fact field format header letter_title limit list log_state period
removed repair same severity sheet state status tab theme where
"""
FRAGMENTS = frozenset(_FRAGMENTS.split())
"""Contexts whose texts stand within a line or a cell: no sentences."""
_FOREIGN = "excel text csv html json utf unicode yaml nothing to report true dataset as of inbox internet vneid byte web parquet"
# what operators type and look at
_FOREIGN += " lienthong show alerts dagster sources test"
FOREIGN = frozenset(_FOREIGN.split())
"""Words of no Vietnamese, which officers meet on their screens or must write as they are."""
_UNMARKED = """
ai an anh ba cao chi chia cho chung danh di do dung ghi giao hai hay hoa khai khi kho khu kia mang minh ngay nghi nhau qua
nay quan quanh quay quy ra sai sang sao sau sinh so sung thay theo tin tra trang trong trung web xem xin
"""
UNMARKED = frozenset(_UNMARKED.split())
"""Words without a mark that have none in Vietnamese; any other word of plain letters is taken for one that has lost its marks."""
JARGON = re.compile(
    r"\b(null|hash|regex|format|error|schema|sql|string|integer|parse|encoding|header|row|sheet|column)\b", re.I
)
PLACEHOLDER = re.compile(r"\{[a-z_]*\}")
TOKEN = re.compile(r"<[^>]*>|[\w./_-]*[\d_/.][\w./_-]*|#\w+!?|-NNN|“[=+@x-]”")
"""Paths, names of files and keys, codes in examples, signs: no words."""


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def problems(text: str, sentence: bool = True) -> list[str]:
    """What a review has against a text."""
    found = []
    if not unicodedata.is_normalized("NFC", text):
        found.append("not NFC")
    if not text or text != text.strip() or "  " in text:
        found.append("blank, or spaces too many")
    if sentence and not (text.endswith((".", "{message}")) and (text[0].isupper() or text[0] in "{“")):
        found.append("no whole sentence")
    if re.search("[\"'‘’«»]", text) or text.count("“") != text.count("”"):
        found.append("quotation marks other than “ ”")
    if jargon := JARGON.findall(PLACEHOLDER.sub(" ", text)):
        found.append(f"jargon: {jargon}")
    plain = TOKEN.sub(" ", PLACEHOLDER.sub(" ", text))
    for word in re.findall(r"[^\W\d_]+", plain):
        lower = word.lower()
        if lower in FOREIGN or (word.isupper() and is_consonants(word)):
            continue
        if word.isupper() and len(word) > 1 and lower not in UNMARKED:  # an abbreviation: UBND, CNTT
            continue
        if not is_syllable(word) or lacks_tone(word) or (word.isascii() and lower not in UNMARKED):
            found.append(f"“{word}” is no Vietnamese word, or has lost its marks")
    return found


# --- the review -----------------------------------------------------------------------------------------------------


def test_the_texts_of_the_catalogue_are_plain_whole_vietnamese() -> None:
    reviewed = {(c, key): problems(text, c not in FRAGMENTS) for (c, key), text in TEXTS.items()}
    assert {key: wrong for key, wrong in reviewed.items() if wrong} == {}


@pytest.mark.parametrize("contract", CONTRACTS.values(), ids=lambda c: c.dataset)
def test_the_rules_of_a_contract_are_too(contract) -> None:  # type: ignore[no-untyped-def]
    said = {
        (r.id, what): getattr(r, what) for r in (*contract.rules, *contract.across) for what in ("message", "remedy")
    }
    assert {key: wrong for key, text in said.items() if (wrong := problems(text))} == {}


@pytest.mark.parametrize(
    "text",
    [
        "", "Sửa ô này", "sửa ô này.", "Sửa  ô này.", "Sửa o nay.", "Khong sửa.", "Sửa giá trị NULL.", "Sai format ở đây.",
        'Ghi "x" vào ô.', "Ghi “x vào ô.", unicodedata.normalize("NFD", "Sửa ô này."), "Duơc sửa.", "Thiêt bị hỏng.",
        "Please fix it.",
    ],
)  # fmt: skip
def test_the_review_refuses(text: str) -> None:
    assert problems(text)


# --- the catalogue ----------------------------------------------------------------------------------------------------


def test_the_compiled_catalogue_is_that_of_the_texts(tmp_path: Path) -> None:
    polib.pofile(str(messages.CATALOGUE.with_suffix(".po"))).save_as_mofile(str(tmp_path / "vi.mo"))
    assert (tmp_path / "vi.mo").read_bytes() == messages.CATALOGUE.read_bytes(), "vi.mo is old: make messages"


def test_every_text_is_translated_once_and_explained() -> None:
    assert len(TEXTS) == len(ENTRIES)
    for entry in ENTRIES:
        assert entry.msgstr and not entry.fuzzy and not entry.obsolete, entry.msgid
        assert entry.comment.isascii() or "Ông" in entry.comment or "QĐ" in entry.comment, entry.msgid
        assert entry.comment or entry.msgctxt in ("remedy", "check remedy"), (
            f"{entry.msgid}: say what it means and when"
        )


def test_every_code_has_a_message_and_a_remedy_and_nothing_else_does() -> None:
    said = {key for context, key in TEXTS if context in ("message", "remedy")}
    assert said == {*CODES, *FORMS, "MISSING_HEADER.alone"}
    for key in said:
        assert ("message", key) in TEXTS and ("remedy", key) in TEXTS, key


def test_a_text_speaks_only_of_what_is_given_with_its_code() -> None:
    for (context, key), text in TEXTS.items():
        if context in ("message", "remedy"):
            code = CODES[key.split(".")[0]]
            assert placeholders(text) <= {*code.params, *FORMS.get(key, ())}, key


def test_what_a_code_speaks_of_is_given_wherever_it_is_said() -> None:
    """By the calls that name a code and what goes with it in one place."""
    seen = set()
    for where, call in _calls():
        code = CODES[call.args[0].value]  # type: ignore[attr-defined]
        if len(call.args) > 1 and not isinstance(call.args[1], ast.Dict):
            continue
        given = {k.arg for k in call.keywords}
        if len(call.args) > 1:
            given |= {k.value for k in call.args[1].keys}  # type: ignore[attr-defined]
        assert set(code.params) <= given, f"{where}: {code.code}"
        seen.add(code.code)
    assert len(seen) > 30


def _calls() -> Iterator[tuple[str, ast.Call]]:
    for path in sorted((ROOT / "assets").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            named = (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id in ("Problem", "Unreadable")
            )
            if named and node.args and isinstance(node.args[0], ast.Constant) and node.args[0].value in CODES:  # type: ignore[attr-defined]
                yield f"{path.name}:{node.lineno}", node  # type: ignore[misc, attr-defined]


def test_nothing_in_the_catalogue_is_said_by_nobody() -> None:
    source = "\n".join(
        path.read_text(encoding="utf-8")
        for floor in ("schemas", "expectations", "assets", "pipelines")
        for kind in ("*.py", "*.sql", "*.yaml")
        for path in (ROOT / floor).rglob(kind)
    )
    words = {f'"{word}"' for word in re.findall(r"(?:value|theme): (\w+)", source)}
    for context, key in TEXTS:
        if context not in ("message", "remedy") and not key.startswith("DEFAULT_"):
            name = key.removeprefix("id_")
            written = {f"{quote}{start}{name}{quote}" for quote in "\"'" for start in ("", "id_")}
            assert written & words or any(one in source for one in written), f"{context} {key}"
    assert {key for context, key in TEXTS if context == "aside"} == set(SET_ASIDE)


def test_the_states_of_the_ledger_are_called_as_in_the_catalogue() -> None:
    script = (ROOT / "schemas" / "migrations" / "0001_system.sql").read_text(encoding="utf-8")
    block = script.split("insert into intake.state values", 1)[1].split(";", 1)[0]
    said = dict(re.findall(r"\('(\w+)', +'\w+', +'([^']+)'\)", block))
    assert said == {key: text for (context, key), text in TEXTS.items() if context == "state"}


def test_every_repair_has_its_words() -> None:
    """By the names in capitals of the modules that clean: codes, reasons, repairs, and these."""
    others = {"SEMANTIC_TYPES", "COMMON_OPTIONS", "UTC", "VN", "NAM", "NU"}
    defaults = {"DEFAULT_SENDER", "DEFAULT_SENDERCODE", "DEFAULT_ASOF"}
    cleaning = [*(ROOT / "schemas" / "semantic").glob("[!e]*.py"), ROOT / "assets" / "staging" / "observe.py"]
    named = {
        node.value
        for path in cleaning
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        if re.fullmatch("[A-Z]+(_[A-Z]+)*[A-Z]", node.value)
    }
    repairs = {key for context, key in TEXTS if context == "repair"}
    assert (named | defaults) - others - {*CODES, *SET_ASIDE} == repairs - {*SET_ASIDE}


def test_a_text_that_is_not_there_is_no_text() -> None:
    with pytest.raises(KeyError):
        messages.text("message", "NO_SUCH_CODE")
    assert messages.text("remedy", "MISSING", label="Số hộ") == "Điền Số hộ vào ô …."


# --- what exactly is wrong ---------------------------------------------------------------------------------------------


def column(semantic: str, logical: str = "string", enum: tuple[str, ...] = (), **options: object) -> Column:
    values = tuple(EnumValue(f"V{n}", label) for n, label in enumerate(enum))
    return Column("c", "Cột", logical, semantic, enum=values, options=options)  # type: ignore[arg-type]


ABOUT = {"as_of": date(2026, 6, 30), "received_at": datetime(2026, 7, 2, 20, tzinfo=UTC)}
DATE = column("date", "date")
FEW = ("Thôn", "Tổ dân phố")


@pytest.mark.parametrize(
    ("about", "code", "value", "told"),
    [
        (DATE, "BAD_DATE", "31/04/1990", "Cột “31/04/1990” không tồn tại: tháng 4 có 30 ngày."),
        (DATE, "BAD_DATE", "29/02/2023", "tháng 2 năm 2023 có 28 ngày"),
        (DATE, "BAD_DATE", "12/31/1990", "không có tháng 31; có thể tháng bị ghi trước ngày"),
        (DATE, "BAD_DATE", "31/13/1990", "không có tháng 13."),
        (DATE, "BAD_DATE", "0/5/1990", "không phải là ngày có thật"),
        (DATE, "BAD_DATE", "hôm qua", "không phải là ngày có thật"),
        (DATE, "OUT_OF_RANGE", "01/01/1800", "phải từ 01/01/1900 đến 31/12/2199"),
        (DATE, "FUTURE_DATE", "04/07/2026", "nằm sau ngày nhận tệp (03/07/2026)"),
        (
            column("decimal", "number"),
            "AMBIGUOUS_NUMBER",
            "1.234",
            "1234 (dấu ngăn hàng nghìn) hoặc 1,234 (phần thập phân)",
        ),
        (column("integer", "integer"), "AMBIGUOUS_NUMBER", "1,234", "mà cột này chỉ nhận số nguyên"),
        (column("percent", "number"), "AMBIGUOUS_PERCENT", "0.5", "có thể là 50% hoặc 0,5%"),
        (column("decimal", "number", minimum=0, maximum=30), "OUT_OF_RANGE", "31", "phải từ 0 đến 30."),
        (column("decimal", "number", minimum=0), "OUT_OF_RANGE", "-1", "phải từ 0 trở lên."),
        (column("decimal", "number", exclusiveMinimum=0.5), "OUT_OF_RANGE", "0", "phải lớn hơn 0,5."),
        (column("decimal", "number"), "OUT_OF_RANGE", "1E30", "nằm ngoài khoảng cho phép."),
        (column("integer", "integer"), "OUT_OF_RANGE", "-1", "phải từ 0 đến 2.147.483.647."),
        (column("integer", "integer"), "OTHER_YEAR", "2025", "năm của kỳ báo cáo (2026)"),
        (column("code", width=5), "BAD_CODE", "223334", "có 6 chữ số, mã phải có đủ 5 chữ số"),
        (column("code", width=5), "BAD_CODE", "A1", "không phải là mã gồm 5 chữ số"),
        (column("code", pattern="I[0-9]"), "BAD_CODE", "A1", "không đúng dạng mã"),
        (column("category", enum=FEW), "NOT_IN_LIST", "Tổ dân", "giá trị gần nhất là “Tổ dân phố”"),
        (column("category", enum=FEW), "NOT_IN_LIST", "xyz", "một trong các giá trị: Thôn; Tổ dân phố."),
        (column("category", enum=FEW * 9), "NOT_IN_LIST", "xyz", "Chọn một giá trị trong danh mục"),
        (column("name", maxLength=5), "TOO_LONG", "Bình An", "dài 7 ký tự, quá giới hạn 5 ký tự"),
    ],
)
def test_what_exactly_is_wrong_is_told(about: Column, code: str, value: str, told: str) -> None:
    said = worded(about, code, {"label": "Cột", "value": value, "address": "B7"}, ABOUT)
    assert told in " ".join(said) and "…" not in " ".join(said) and "B7" in said[1]


def test_the_candidates_of_a_verdict_are_told() -> None:
    words = {"label": "Mã xã", "value": "Ninh Hải", "address": "A2", "candidates": "22561 Phường Đông Ninh Hòa"}
    assert "gần nhất là: 22561 Phường Đông Ninh Hòa." in worded(column("commune_code"), "UNKNOWN_UNIT", words)[0]
    words = {"label": "Số CCCD", "value": "560******234", "address": "A2", "candidates": "11"}
    assert worded(column("citizen_id"), "BAD_CITIZEN_ID", words)[0].startswith("Số CCCD có 11 chữ số")


def test_of_what_the_vault_keeps_the_cell_is_not_asked() -> None:
    words = {"label": "Số CCCD", "value": "056******789", "address": "A2"}
    assert worded(column("citizen_id"), "BAD_CITIZEN_ID", words)[0] == CODES["BAD_CITIZEN_ID"].text(label="Số CCCD")
    assert set(CELL) >= placeholders(CODES["BAD_CITIZEN_ID"].message)
