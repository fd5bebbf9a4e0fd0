"""Twenty datasets, hundreds of headers: a form of one is taken for no other, whichever spellings and optional columns it has."""

from __future__ import annotations

from functools import cache
from random import Random

import pytest

from assets.intake.headers import choose, match_headers, vocabulary
from schemas.contract import builtin_folder, load_contracts
from schemas.grid import Unreadable

_contracts = cache(lambda: load_contracts([builtin_folder()]))
FORMS = 60
"""Forms that are tried of each dataset."""


@pytest.mark.parametrize("dataset", sorted(p.name.partition(".")[0] for p in builtin_folder().glob("*.odcs.yaml")))
def test_a_form_is_recognised_by_any_of_its_headers(dataset: str) -> None:
    known, contract, random = vocabulary(list(_contracts().values())), _contracts()[dataset], Random(dataset)
    own = [c for c in contract.columns if c.source == c.name]
    for _ in range(FORMS):
        chosen = [c for c in own if c.header_required or random.random() < 0.5]
        random.shuffle(chosen)
        headers = {f"C{n}": [random.choice(c.synonyms)] for n, c in enumerate(chosen)}
        try:
            found = choose(match_headers(headers, known)).contract.dataset
        except Unreadable as refused:
            found = refused.code
        assert found == dataset, [h[0] for h in headers.values()]
