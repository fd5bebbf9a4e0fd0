"""Reading JSON: lists of records, numbers digit by digit, pages, and what is refused."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets.intake.jsonfile import plain_number, read_json
from assets.intake.workbook import Limits
from schemas.grid import Kind, Unreadable

from .test_readers import cells

B, T, N, D, L, E, U, *_ = (int(k) for k in Kind)


def read(text: str) -> dict[str, tuple[str, int]]:
    (grid,) = read_json(text.encode())
    return cells(grid)


def refused(data: bytes, limits: Limits | None = None) -> tuple[str, object]:
    with pytest.raises(Unreadable) as caught:
        read_json(data, limits)
    problem = caught.value.problem
    return problem.code, problem.params.get("line")


def test_records_have_their_keys_in_row_1_whatever_their_order() -> None:
    found = read('[{"ten": "Nà Lụa", "so": 120}, {"so": 488, "ma": "00123", "ten": null}, {}]')
    assert found == {
        "A1": ("ten", T), "B1": ("so", T), "C1": ("ma", T), "A2": ("Nà Lụa", T), "B2": ("120", N), "B3": ("488", N),
        "C3": ("00123", T),
    }  # fmt: skip


def test_objects_in_records_are_made_flat() -> None:
    found = read('[{"dia_chi": {"xa": {"ma": 1}, "ten": "x"}}]')
    assert found == {"A1": ("dia_chi.xa.ma", T), "B1": ("dia_chi.ten", T), "A2": ("1", N), "B2": ("x", T)}
    assert refused(b'[{"a": {"b": 1}, "a.b": 2}]')[0] == "JSON_SHAPE"
    assert refused(b'[{"a": [1]}]')[0] == "JSON_SHAPE"


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("488", "488"), ("-0", "0"), ("1.50", "1.5"), ("12.0", "12"), ("1e3", "1000"), ("1.5E-3", "0.0015"), ("-2.500", "-2.5"),
        ("12345678901234567890.123456789", "12345678901234567890.123456789"), ("0.1", "0.1"), ("100", "100"), ("0.000", "0"),
    ],
)  # fmt: skip
def test_numbers_keep_their_digits(written: str, text: str) -> None:
    assert read(f"[[{written}]]") == {"A1": (text, N)}


@given(st.decimals(allow_nan=False, allow_infinity=False, places=6))
def test_a_plain_number_is_the_same_number(number: object) -> None:
    text = plain_number(str(number))
    assert text is not None and json.loads(text, parse_float=str, parse_int=str) == text
    assert type(number)(text) == number  # type: ignore[call-arg]


def test_numbers_that_nobody_means_stay_texts() -> None:
    assert read("[[1e999999999, 1e-400]]") == {"A1": ("1e999999999", T), "B1": ("1e-400", T)}
    assert read(f"[[{'9' * 5_000}]]") == {"A1": ("9" * 5_000, N)}  # beyond what int() takes


def test_other_values() -> None:
    assert read(r'[{"a": true, "b": "", "c": "\ud800x", "\udc00": "#REF!"}]') == {
        "A1": ("a", T), "B1": ("b", T), "C1": ("c", T), "D1": ("\ufffd", T), "A2": ("true", L), "C2": ("\ufffdx", T),
        "D2": ("#REF!", T),
    }  # fmt: skip


def test_one_record_a_line() -> None:
    assert read('{"a": 1}\n\n{"a": 2}\r\n') == {"A1": ("a", T), "A2": ("1", N), "A3": ("2", N)}
    assert read('{"a": 1}') == {"A1": ("a", T), "A2": ("1", N)}
    assert refused(b'{"a": 1}\n{"a": 2}\n{"a": ') == ("BROKEN_JSON", 3)
    assert refused(b'{"a": 1} {"a": 2}\n') == ("BROKEN_JSON", 1)


def test_the_list_may_lie_in_an_object_or_in_pages() -> None:
    want = {"A1": ("a", T), "A2": ("1", N), "A3": ("2", N)}
    assert read('{"ok": true, "result": {"items": [{"a": 1}, {"a": 2}], "errors": []}}') == want
    assert read('[{"page": 1, "data": [{"a": 1}]}, {"page": 2, "data": [{"a": 2}], "total": 2}]') == want
    assert [g.name for g in read_json(b'{"thon": [{"a": 1}], "xa": [{"b": 1}]}')] == ["thon", "xa"]


@pytest.mark.parametrize(
    "more",
    ['"total": 3', '"hasNext": true', '"next": "https://x/?p=2"', '"page": {"totalElements": 3}', '"@odata.count": 3'],
)
def test_a_page_of_a_longer_list_is_not_the_list(more: str) -> None:
    assert refused(f'{{"data": [{{"a": 1}}, {{"a": 2}}], {more}}}'.encode())[0] == "JSON_SHAPE"


def test_complete_pages() -> None:
    for more in ('"total": 2', '"hasNext": false', '"next": null', '"next": ""', '"total": "9"'):
        assert read(f'{{"data": [{{"a": 1}}, {{"a": 2}}], {more}}}')["A3"] == ("2", N)


def test_encodings() -> None:
    text = '[["Đào"]]'
    for name in ("utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"):
        assert cells(read_json(text.encode(name))[0]) == {"A1": ("Đào", T)}
    assert refused(b'[["a"],\n["\xe0"]]') == ("BROKEN_JSON", 2)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b'[{"a": NaN}]', "BROKEN_JSON"),
        (b'[{"a": -Infinity}]', "BROKEN_JSON"),
        (b'[{"a": 1,}]', "BROKEN_JSON"),
        (b'[{"a": 1}', "BROKEN_JSON"),
        (b"", "BROKEN_JSON"),
        (b'[{"a": 1, "a": 1}]', "JSON_SHAPE"),
        (b'[{"a": 1}, [1]]', "JSON_SHAPE"),
        (b"[1, 2]", "JSON_SHAPE"),
        (b'"x"', "JSON_SHAPE"),
        (b"[" * 100_000, "JSON_SHAPE"),
        (b'{"a":' * 300 + b"1" + b"}" * 300, "JSON_SHAPE"),
        (b"[" + b'{"a":' * 300 + b"1" + b"}" * 300 + b"]", "JSON_SHAPE"),
    ],
)
def test_what_is_refused(data: bytes, expected: str) -> None:
    assert refused(data)[0] == expected


@pytest.mark.parametrize("limits", [Limits(tree_bytes=5), Limits(columns=1), Limits(rows=2), Limits(cells=3)])
def test_bounds(limits: Limits) -> None:
    assert refused(b'[{"a": 1, "b": 2}, {"a": 1, "b": 2}]', limits)[0] == "TOO_LARGE"


def test_an_empty_list_is_a_grid_without_rows() -> None:
    assert [g.frame.height for g in read_json(b"[]")] == [0]
    assert [g.frame.height for g in read_json(b'{"data": []}')] == [0]
