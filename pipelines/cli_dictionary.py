"""The data dictionary with what the floors above the contracts know: names of indicators, what rules across datasets look for.

Here: gathering these. Not here: what the dictionary says of a contract (:mod:`schemas.dictionary`).
"""

from __future__ import annotations

from collections.abc import Iterable

from assets.marts.indicators.catalogue import load_indicators
from expectations.across import says
from schemas.contract import Contract
from schemas.dictionary import FORMS, LANGUAGES, dictionary
from schemas.expectation_types import ACROSS

from .report import Unclear


def text(contracts: Iterable[Contract], language: str, form: str) -> str:
    """The dictionary; :class:`Unclear` for a language or form that there is none of."""
    for name, value, known in (("language", language, LANGUAGES), ("form", form, FORMS)):
        if value not in known:
            raise Unclear(f"there is no {name} {value!r}; there are: {', '.join(known)}")
    spoken = next(known for known in LANGUAGES if known == language)
    shaped = next(known for known in FORMS if known == form)
    names = {code: (one.name_vi, one.name_en) for code, one in load_indicators().items()}
    return dictionary(contracts, spoken, shaped, indicators=names, across={kind: says(kind) for kind in ACROSS})
