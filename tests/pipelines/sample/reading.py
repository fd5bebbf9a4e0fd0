"""A reader for the tests of the sample: openpyxl and csv, by the headers of the sample's shapes; nothing of ours."""

from __future__ import annotations

import csv
import unicodedata
from io import BytesIO, StringIO
from typing import Any

from openpyxl import load_workbook

NAME = {"Tên thôn", "Tên thôn, TDP", "Tên thôn, tổ dân phố"}
KIND = {"Loại", "Loại hình"}
HOUSEHOLDS = {"Số hộ", "Tổng số hộ gia đình"}
POPULATION = {"Số khẩu", "Nhân khẩu"}


def clean(value: Any) -> Any:
    """NFC, without no-break and zero-width spaces; numbers stay."""
    if not isinstance(value, str):
        return value
    text = unicodedata.normalize("NFC", value).replace("\u00a0", " ").replace("\u200b", "")
    return " ".join(text.split())


def number(value: Any) -> int:
    """A number cell or a number as Vietnamese text."""
    return int(str(value).replace(".", ""))


def grids(data: bytes) -> dict[str, list[list[Any]]]:
    """Visible sheets (a CSV: one named '') as rows of cleaned cells."""
    if data[:2] != b"PK":
        text = data.decode("utf-8-sig")
        rows = csv.reader(StringIO(text), delimiter=";" if ";" in text.splitlines()[0] else ",")
        return {"": [[clean(v) for v in row] for row in rows]}
    book = load_workbook(BytesIO(data), data_only=True)
    return {
        page.title: [[clean(v) for v in row] for row in page.iter_rows(values_only=True)]
        for page in book
        if page.sheet_state == "visible"
    }


def columns(rows: list[list[Any]]) -> tuple[int, int, int, int]:
    """Positions of name, type, households, population, by their headers."""

    def position(headers: set[str]) -> int:
        return next(i for row in rows[:12] for i, v in enumerate(row) if v in headers)

    return position(NAME), position(KIND), position(HOUSEHOLDS), position(POPULATION)


def villages(data: bytes) -> dict[str, tuple[str, int, int]]:
    """All villages of a sound file: the rows that have a type and stand below the headers."""
    found = {}
    for rows in grids(data).values():
        name, kind, households, population = columns(rows)
        for row in rows:
            word = {"Thôn": "THON", "Tổ dân phố": "TDP", "TDP": "TDP"}.get(row[kind])
            if word:
                assert row[name] not in found
                found[row[name]] = (word, number(row[households]), number(row[population]))
    return found
