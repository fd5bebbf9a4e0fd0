"""Properties of the linkage over random small worlds, full of namesakes, slips, shared lists and contradicting words."""

from __future__ import annotations

from datetime import date
from itertools import combinations
from typing import Any

import polars as pl
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assets.core.linkage import Linked, link
from assets.core.linkage.model import person, score

from .making import decided, frame, joined, record

NAMES = (
    "Nguyễn Thị Thu Hòa",
    "Nguyen Thi Thu Hoa",
    "Hòa Nguyễn Thị Thu",
    "Nguyễn Thị Hòa",
    "Trần Văn Bảo",
    "H'Lan Niê",
    "",
)
DAYS = (date(1985, 2, 1), date(1985, 1, 2), date(1985, 2, 7), date(1971, 11, 23), None)
IDS = ("056185001234", "056185001239", "056185001243", "056185001739", "056171998877")
CARDS = ("225123456", "225123465", None)

one_record = st.fixed_dictionaries(
    {
        "keyed": st.booleans(),
        "registered": st.integers(1, 6),
        "name": st.sampled_from(NAMES),
        "born": st.sampled_from(DAYS),
        "sex": st.sampled_from(("NU", "NAM", None)),
        "personal_id": st.sampled_from(IDS),
        "loose": st.sampled_from((*IDS, "56185001234", "0561850012", "225123456", "không", None)),
        "id_card": st.sampled_from(CARDS),
        "commune": st.sampled_from(("22366", "22333", None)),
        "agency": st.sampled_from(("UBND P. Nha Trang", "Sở Y tế", None)),
        "lists": st.lists(st.integers(1, 4), max_size=2, unique=True),
    }
)
worlds = st.lists(one_record, min_size=2, max_size=8)
words = st.lists(st.tuples(st.integers(1, 8), st.integers(1, 8), st.booleans()), max_size=4)


def rows_of(world: list[dict[str, Any]]) -> list[dict[str, Any]]:
    made = []
    for number, one in enumerate(world, 1):
        said = dict(one)
        loose, keyed = said.pop("loose"), said.pop("keyed")
        if not keyed:
            said["personal_id"] = loose
        made.append(record(number, keyed=keyed, **said))
    return made


def same(one: Linked, other: Linked) -> bool:
    pairs = ((one.members, other.members), (one.links, other.links), (one.queue, other.queue))
    return all(a.equals(b) for a, b in (*pairs, (one.unmatched, other.unmatched)))


slow = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


@slow
@given(worlds, words, st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(
    world: list[dict[str, Any]], said: list[tuple[int, int, bool]], rng: Any
) -> None:
    rows = rows_of(world)
    # the last word per pair: the frame of decisions has one row for each
    said = list({frozenset(pair): (*pair, same) for *pair, same in said}.values())  # type: ignore[misc]
    shuffled, turned = list(rows), [(b, a, same) if rng.random() < 0.5 else (a, b, same) for a, b, same in said]
    rng.shuffle(shuffled)
    rng.shuffle(turned)
    assert same(link(frame(*rows), decided(*said)), link(frame(*shuffled), decided(*turned)))


@slow
@given(worlds, words)
def test_the_laws_hold(world: list[dict[str, Any]], said: list[tuple[int, int, bool]]) -> None:
    rows = rows_of(world)
    known = {row["record"]: row for row in rows}
    spoken = {frozenset((a, b)): word for a, b, word in said if a != b and a in known and b in known}
    said = [(*sorted(pair), word) for pair, word in spoken.items()]  # type: ignore[misc]
    linked = link(frame(*rows), decided(*said))
    clusters = joined(linked)
    by_word = {member for pair, word in spoken.items() if word for member in pair}
    for cluster in clusters:
        assert linked_once(linked)
        for a in cluster:
            for b in cluster:
                if a >= b:
                    continue
                assert spoken.get(frozenset((a, b))) is not False
                if a in by_word or b in by_word or cluster & by_word:
                    continue  # what people joined may bring records together that no rule would
                assert not set(known[a]["lists"]) & set(known[b]["lists"])
                if known[a]["keyed"] and known[b]["keyed"]:
                    digits = zip(known[a]["personal_id"], known[b]["personal_id"], strict=True)
                    assert sum(x != y for x, y in digits) <= 1
    roots = set(linked.members["root"]) | set(linked.links["root"])
    for root in roots:
        age = known[root]["registered"]
        cluster = next(c for c in clusters if root in c)
        assert known[root]["keyed"] and all(age <= known[k]["registered"] for k in cluster if known[k]["keyed"])
    for left, right, *_ in linked.queue.rows():
        assert left < right
        assert not any({left, right} <= cluster for cluster in clusters)
    loose = {number for number, row in known.items() if not row["keyed"]}
    assert loose == set(linked.links["record"]) | set(linked.unmatched["record"])


def linked_once(linked: Linked) -> bool:
    return not (linked.members["record"].is_duplicated().any() or linked.links["record"].is_duplicated().any())


@slow
@given(worlds)
def test_a_pair_weighs_what_it_weighs_whoever_else_is_there(world: list[dict[str, Any]]) -> None:
    rows = rows_of(world)
    pairs = pl.DataFrame(list(combinations(range(1, len(rows) + 1), 2)), ["left", "right"], orient="row")
    together = score(pairs, frame(*rows), person())
    left, right = pairs.row(0)
    alone = score(pairs.head(1), frame(rows[left - 1], rows[right - 1]), person())
    assert alone.equals(together.filter(pl.col("left") == left, pl.col("right") == right))
