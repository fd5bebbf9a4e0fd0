"""Bytes of a JSON file (a list of records, or one record a line) -> grids of text and kinds.

Here: which lists in a document are tables, records made flat, numbers kept digit by digit. Not here: which file is JSON
(:mod:`.sniff`), what a text means.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from schemas import messages
from schemas.grid import Grid, Kind, Unreadable

from .cells import Cells
from .limits import Limits

_EXPONENT_MAX = 30
_DEPTH_MAX = 20
_SPACE = " \t\r\n"
_MORE = re.compile(r"(?i)has_?(?:more|next)(?:_?page)?")
_NEXT = re.compile(r"(?i)next(?:_?(?:page|url|link|cursor|token))?|@odata\.nextlink")
_TOTAL = re.compile(r"(?i)total(?:_?(?:count|elements|records|items|rows))?|@odata\.count")


def read_json(data: bytes, limits: Limits | None = None) -> list[Grid]:
    """Each list of records in the document as a grid; one record a line (JSON Lines) is one list.

    Row 1 holds the keys, in the order in which they first come, so that the first record is row 2. An object in a record
    is made flat with a dot ('dia_chi.xa'). A number is NUMBER with its own digits, without '.0' and exponent; null is BLANK.
    A list of lists is a table as it stands. Lists of the same name in several pages are one list.

    Raises :class:`Unreadable`: BROKEN_JSON (``line``; also another encoding than UTF-8, UTF-16, UTF-32, NaN), JSON_SHAPE
    (``detail``: a list in a record, a key that comes twice, no list of records, one page of several), TOO_LARGE.
    """
    limits = limits or Limits()
    if len(data) > limits.tree_bytes:
        raise Unreadable("TOO_LARGE", limit=messages.text("limit", "json_mb", n=limits.tree_bytes >> 20))
    try:
        text = data.decode(_encoding(data))
    except UnicodeDecodeError as error:
        raise Unreadable("BROKEN_JSON", line=data.count(b"\n", 0, error.start) + 1) from None
    tables = _tables(_document(text.lstrip("\ufeff")))
    return [_grid(name, index, rows, limits) for index, (name, rows) in enumerate(tables.items())]


def _encoding(data: bytes) -> str:
    return "utf-8-sig" if data.startswith(codecs.BOM_UTF8) else json.detect_encoding(data)


class _Number(str):
    """A number as it is written."""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise Unreadable("JSON_SHAPE", detail=messages.text("detail", "repeated_key"))
    return found


def _no_constant(_: str) -> Any:
    raise json.JSONDecodeError("constant", "", 0)


_DECODER = json.JSONDecoder(
    object_pairs_hook=_unique, parse_float=_Number, parse_int=_Number, parse_constant=_no_constant
)


def _document(text: str) -> Any:
    """The whole document; or the list of its lines' values where each line is a value of its own."""
    try:
        value, end = _DECODER.raw_decode(text, len(text) - len(text.lstrip(_SPACE)))
    except json.JSONDecodeError as error:
        raise Unreadable("BROKEN_JSON", line=error.lineno if error.doc else 1) from None
    except RecursionError:
        raise Unreadable("JSON_SHAPE", detail=messages.text("detail", "too_deep")) from None
    if not text[end:].strip(_SPACE):
        return value
    values = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip(_SPACE):
            continue
        try:
            values.append(_DECODER.decode(line))
        except json.JSONDecodeError:
            raise Unreadable("BROKEN_JSON", line=number) from None
        except RecursionError:
            raise Unreadable("JSON_SHAPE", detail=messages.text("detail", "too_deep")) from None
    return values


# ---------------------------------------------------------------------------------------------------------------- tables


def _tables(document: Any) -> dict[str, list[Any]]:
    """Name -> records of each table; '' where the document is the table itself."""
    found: dict[str, list[Any]] = {}
    if isinstance(document, list):
        pages = bool(document) and all(isinstance(p, dict) and _lists(p) for p in document)
        if not pages:
            return {"": _records(document)}
        for page in document:
            for name, rows in _lists(page):
                found.setdefault(name, []).extend(_records(rows))
        _complete(document[-1], max(len(rows) for rows in found.values()))
    elif isinstance(document, dict):
        for name, rows in _lists(document):
            found.setdefault(name, []).extend(_records(rows))
        if not found:
            return {"": _records([document])}  # one line of one record a line
        _complete(document, max(len(rows) for rows in found.values()))
    else:
        raise Unreadable("JSON_SHAPE", detail=messages.text("detail", "no_list"))
    if any(found.values()):
        found = {name: rows for name, rows in found.items() if rows}
    return {"": next(iter(found.values()))} if len(found) == 1 else found


def _lists(value: dict[str, Any], depth: int = 0) -> list[tuple[str, list[Any]]]:
    """The lists of records in an object, in objects in it too, with their keys; a list of plain values is none."""
    if depth > _DEPTH_MAX:
        raise Unreadable("JSON_SHAPE", detail=messages.text("detail", "too_deep"))
    found: list[tuple[str, list[Any]]] = []
    for key, inner in value.items():
        if isinstance(inner, list) and all(isinstance(r, (dict, list)) for r in inner):
            found.append((key, inner))
        elif isinstance(inner, dict):
            found += _lists(inner, depth + 1)
    return found


def _records(rows: list[Any]) -> list[Any]:
    if all(isinstance(r, dict) for r in rows) or all(isinstance(r, list) for r in rows):
        return rows
    raise Unreadable("JSON_SHAPE", detail=messages.text("detail", "not_all_records"))


def _complete(wrapper: dict[str, Any], count: int) -> None:
    """A page that says that others follow, or of more records than it holds, is not the whole list."""
    for holder in (wrapper, *(v for v in wrapper.values() if isinstance(v, dict))):
        for key, value in holder.items():
            follows = value is True and bool(_MORE.fullmatch(key))
            if isinstance(value, _Number) and value.isdecimal() and _TOTAL.fullmatch(key):
                follows = len(value) > 9 or int(value) > count
            elif isinstance(value, str) and value:
                follows = bool(_NEXT.fullmatch(key))
            if follows:
                raise Unreadable("JSON_SHAPE", detail=messages.text("detail", "one_page"))


# ------------------------------------------------------------------------------------------------------------------ grid


def _grid(name: str, index: int, rows: list[Any], limits: Limits) -> Grid:
    cells = Cells(limits)
    if rows and isinstance(rows[0], list):
        for number, row in enumerate(rows, 1):
            for column, value in enumerate(row, 1):
                cells.put(number, column, *_cell(value))
        return cells.grid(name, index)
    columns: dict[str, int] = {}
    for number, record in enumerate(rows, 2):
        own = set()
        for key, value in _flat(record):
            if key in own:
                raise Unreadable("JSON_SHAPE", detail=messages.text("detail", "repeated_key"))
            own.add(key)
            if key not in columns:
                columns[key] = len(columns) + 1
                cells.put(1, columns[key], key, int(Kind.TEXT))
            cells.put(number, columns[key], *_cell(value))
    return cells.grid(name, index)


def _flat(record: dict[str, Any], before: str = "", depth: int = 0) -> Iterator[tuple[str, Any]]:
    if depth > _DEPTH_MAX:
        raise Unreadable("JSON_SHAPE", detail=messages.text("detail", "too_deep"))
    for key, value in record.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{before}{key}.", depth + 1)
        else:
            yield _whole(before + key), value


def _whole(text: str) -> str:
    """Half of a surrogate pair can be written as an escape: it becomes U+FFFD."""
    return text if text.isascii() else text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _cell(value: Any) -> tuple[str, int]:
    if value is None:
        return "", int(Kind.BLANK)
    if isinstance(value, bool):
        return ("true" if value else "false"), int(Kind.BOOLEAN)
    if isinstance(value, _Number):
        number = plain_number(value)
        return (number, int(Kind.NUMBER)) if number is not None else (str(value), int(Kind.TEXT))
    if isinstance(value, str):
        return _whole(value), int(Kind.TEXT)
    raise Unreadable("JSON_SHAPE", detail=messages.text("detail", "nested_list"))


def plain_number(text: str) -> str | None:
    """Every digit of a decimal number, without exponent and without zeros behind the last digit of its fraction; None
    for one that would have to be written with more than 30 zeros."""
    if text.isdecimal():
        return text.lstrip("0") or "0"
    try:
        number = Decimal(text)
        exponent = number.adjusted()
    except ArithmeticError:
        return None
    if not number.is_finite() or abs(exponent) > max(_EXPONENT_MAX, len(text)):
        return None
    plain = format(number, "f")
    if "." in plain:
        plain = plain.rstrip("0").rstrip(".")
    return "0" if plain == "-0" else plain
