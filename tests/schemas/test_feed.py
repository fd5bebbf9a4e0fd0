"""What the feed follows is made of what readers see: a view of one's own that it could not follow is refused."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from schemas import feed
from schemas.contract import builtin_folder, load_contracts
from schemas.feed import followed

CONTRACTS = load_contracts([builtin_folder()])


def test_all_datasets_are_followed_with_what_readers_see_of_their_keys() -> None:
    everything = {one.name: one for one in followed(CONTRACTS)}
    assert set(everything) == {*CONTRACTS, feed.INDICATORS}
    for name, contract in CONTRACTS.items():
        personal = {c.name for c in contract.columns if c.personal}
        assert not personal & set(everything[name].key)
        # a subject that stands for a number is read where it finds the person, and shown under no name of its own
        shown = everything[name].at("1").replace("h.citizen_id as person_id", "")
        shown = re.sub(r"\sfrom [(c].*?(\sunion all\s|$)", "", shown, flags=re.DOTALL)
        assert not [c for c in personal if re.search(rf"\b{c}\b", shown)]
    assert everything["villages"].key == CONTRACTS["villages"].key
    # whoever is evaluated is seen by the person's id alone, not by the subject of a number
    assert everything["kpi_evaluations"].key == () and not everything["kpi_evaluations"].own_id
    assert {one.name for one in everything.values() if one.joined} == {"assignments", "kpi_evaluations"}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (
            "select h.entity_id as village_id, u.name, h.valid_from, h.valid_to from core.pointer p cross join core.villages h "
            "join core.unit u on u.code = h.commune_code where h.publish_from <= p.shows",
            "reads core.unit: the feed must know when that changes it",
        ),
        (
            "select * from mart_v1.others",
            "must be one select, or several under 'union all', that each read 'core.pointer p' once",
        ),
        (
            "select h.village_name from core.villages h, core.pointer p union all select h.village_name from core.villages h",
            "must be one select, or several under 'union all'",
        ),
        ("with x as (select 1) select * from core.villages h, core.pointer p", "must be one select"),
        ("select v.village_name from core.villages v, core.pointer p", "must read core.villages under the name h"),
    ],
)
def test_a_view_that_cannot_be_followed_is_refused(text: str, why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "history_text", lambda contract: text)
    with pytest.raises(ValueError, match=why):
        followed({"villages": CONTRACTS["villages"]})


def test_a_view_says_with_what_else_it_changes() -> None:
    one = next(o for o in followed(CONTRACTS) if o.name == "assignments")
    assert len(one.selects) == 2
    assert "join core.member m on m.dataset = 'staff' and m.record = h.citizen_id" in one.touched
    assert Path(feed.__file__).parent.joinpath("marts", "feed", "indicator_value.sql").exists()
