"""Masks: what of a personal value may be shown where the value itself may not.

Here: the mask of a number on an identity card and the search for such numbers in any text. Not here: which column is personal
(the contracts), who may see what (views and roles).
"""

from __future__ import annotations

import re
from typing import Any, TypeVar

import polars as pl

Text = TypeVar("Text", pl.Expr, pl.Series)

_GAP = r"[\s.,'’·\-\u00ad\u200b-\u200f\u2010-\u2015\u202a-\u202e\u2060\ufeff]{0,2}"
RUN = rf"\d(?:{_GAP}\d){{8,}}"
"""Nine digits and more that may belong together: no number of our forms is as long as a number on an identity card."""
_SHOWN = rf"(\d{_GAP}\d{_GAP}\d)(?:{_GAP}\d){{3,}}({_GAP}\d{_GAP}\d{_GAP}\d)"

_SHOWN_ONE = re.compile(_SHOWN)


def masked(text: Text) -> Text:
    """Texts with every long run of digits as '056******789' (String; null stays null)."""
    return text.str.replace_all(_SHOWN, "${1}******${2}")


def without_numbers(value: Any) -> Any:
    """A value as JSON has it, with every text in it as :func:`masked`: what senders write of a file's structure is told back."""
    if isinstance(value, str):
        return _SHOWN_ONE.sub(r"\1******\2", value)
    if isinstance(value, dict):
        return {without_numbers(k): without_numbers(v) for k, v in value.items()}
    return [without_numbers(v) for v in value] if isinstance(value, list | tuple) else value


def hidden_one(text: str) -> str:
    """:func:`hidden` of one text."""
    return str(hidden(pl.Series([text]))[0])


def hidden(text: Text) -> Text:
    """Cells of a column that is kept in the vault, right or wrong: as :func:`masked`, and of shorter ones the first digits."""
    return masked(text).str.replace(r"^([^*]{3})[^*]+$", "${1}******")
