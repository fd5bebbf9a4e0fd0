"""The catalogue of what officers read: every Vietnamese text that no contract says.

Here: ``vi.po``, in the format of GNU gettext, so that any gettext editor can open it, and the look-up of a text by its context
and key. ``vi.mo`` is made of it by ``make messages``; a test holds them together. Not here: when what is said
(:mod:`schemas.codes` and whoever asks), the words of a contract's own rules (the contract).
"""

from __future__ import annotations

import gettext
from functools import cache
from pathlib import Path
from typing import Any

CATALOGUE = Path(__file__).with_name("vi.mo")


class Words(dict[str, Any]):
    """Parameters of a text; one that is missing shows as '…'."""

    def __missing__(self, key: str) -> str:
        return "…"


@cache
def _catalogue() -> gettext.GNUTranslations:
    with CATALOGUE.open("rb") as file:
        return gettext.GNUTranslations(file)


def known(context: str, key: str) -> bool:
    """Whether the catalogue has such a text."""
    return _catalogue().pgettext(context, key) != key


def template(context: str, key: str) -> str:
    """A text with its ``{placeholders}``; :class:`KeyError` where the catalogue has none."""
    found = _catalogue().pgettext(context, key)
    if found == key:
        raise KeyError(f"the catalogue of messages has no {context} {key}")
    return found


def text(context: str, key: str, /, **params: Any) -> str:
    """A text with its parameters filled in; :class:`KeyError` where the catalogue has none."""
    return template(context, key).format_map(Words(params))
