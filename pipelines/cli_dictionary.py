"""The data dictionary with what the floors above the contracts know: names of indicators, what rules across datasets look for.

Here: gathering these. Not here: what the dictionary says of a contract (:mod:`schemas.dictionary`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import assets.marts
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
    return dictionary(
        contracts, spoken, shaped, indicators=indicator_names(), across={kind: says(kind) for kind in ACROSS}
    )


def indicator_names() -> dict[str, tuple[str, str]]:
    """Code -> Vietnamese and English name of each indicator, as the head of its file has them."""
    found = {}
    for path in sorted((Path(assets.marts.__file__).parent / "indicators").glob("i[0-9][0-9]_*.sql")):
        said = dict(re.findall(r"^-- (code|name_vi|name_en): (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE))
        found[said["code"]] = (said["name_vi"], said["name_en"])
    return found
