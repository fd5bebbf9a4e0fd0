"""A run killed at every step boundary and at random points, or cut off from its database, and taken up by the next one.

The same inbox, undisturbed, says what must come of it. It is the second run of a world, so that what it publishes ends
versions as well as begins them.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import psycopg
import pytest

from pipelines.sample import generate
from tests.e2e.flows import World, text_csv, workbook
from tests.faults.driver import Countdown, Sizes, killed, moments, watch
from tests.faults.worlds import Copies, picture, same, whole

OFFICE = (
    "Tỉnh, thành phố", "Mã xã mới", "Tên xã mới", "Mã xã cũ", "Tên xã cũ", "Ghi chú", "Quận, huyện cũ",
    "Tỉnh, thành phố cũ",
)  # fmt: skip
CHANGES = [
    OFFICE,
    *(
        ("Khánh Hòa (56)", "22333", "Xã A", f"223{n}", f"Xã B{n}", "Nhập toàn bộ", "Huyện (568)", "Khánh Hòa (56)")
        for n in range(30, 60)
    ),
    ("Khánh Hòa (56)", "22333", "Xã A", None, "Xã C", None, "Huyện (568)", "Khánh Hòa (56)"),
]
SMALL, SLICED = Sizes(batch_deliveries=6), Sizes(batch_deliveries=20, large_bytes=1500)
"""Batches of few deliveries; and the two CSVs that are longer than the rest read as if they were huge."""

FATES = (
    "late", "corrected", "same_again", "resend_of_older", "shrunken", "header_only", "broken_off", "word", "missing_name",
    "duplicate_key", "out_of_scope", "unknown_sender",
)  # fmt: skip
"""Kinds of defects of the sample that are in the inbox."""
STEPS = [("received", 1), ("batch", 2), ("staged", 1), ("merged", 1), ("prepared", 1), ("published", 1)]
"""The boundaries of the steps; 'merged 1' is between two datasets, 'published' before anyone is answered."""


@dataclass
class Story:
    """A world after its first run, with the second run's files in its inbox; and the picture of the undisturbed outcome."""

    begun: World
    outcome: dict[str, list[Any]]
    copies: Copies
    folder: Path

    def world(self) -> World:
        return self.copies.of(self.begun)


def _first(path: Path) -> bool:
    return path.parts[-3] == "2025-Q4"


@pytest.fixture(scope="module")
def story(copies: Copies, tmp_path_factory: pytest.TempPathFactory) -> Story:
    begun = copies.new()
    names = {s.code: s.name for s in begun.pipeline.senders.values() if s.kind == "commune"}
    everything = tmp_path_factory.mktemp("sample")
    communes = [(c, names[c]) for c in begun.communes[: len(FATES) + 1]]
    generate(everything, seed=7, communes=communes, villages_per_commune=(4, 7), defects=FATES)

    def arrive(wanted: bool) -> None:
        for path in (p for p in sorted(everything.rglob("*")) if p.is_file() and _first(p) is wanted):
            target = begun.home / "inbox" / path.relative_to(everything)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, target)

    arrive(True)
    begun.run()
    arrive(False)
    # a correction of a CSV that is all but the same: read in slices, it shares rows with what it corrects
    sender, rows = (
        begun.communes[-1],
        [("Tên thôn", "Số hộ", "Số khẩu"), *((f"Thôn số {n}", n, 3 * n) for n in range(100, 200))],
    )
    begun.drop(sender, text_csv(rows), "thon.csv")
    begun.drop(sender, text_csv([*rows[:-1], ("Thôn số 199", 200, 601)]), "thon_sua.csv")
    begun.drop("CTK", workbook(CHANGES), "doi_chieu.xlsx", period="2025")
    calm = copies.of(begun)
    calm.run()
    whole(calm)
    return Story(begun, picture(calm), copies, tmp_path_factory.mktemp("moments"))


def _recovered(story: Story, world: World) -> None:
    world.run()
    same(picture(world), story.outcome)
    whole(world)
    assert world.run().published is None
    story.copies.drop(world)


def test_the_story_has_all_that_can_become_of_a_file(story: Story) -> None:
    assert {s[13] for s in story.outcome["submissions"]} >= {
        "accepted", "partly", "held", "repeated", "superseded", "rejected",
    }  # fmt: skip
    assert any(v[-1] is not None for v in story.outcome["history"]), "nothing is carried on"
    assert len(story.outcome["unit changes"]) == 30, [s for s in story.outcome["submissions"] if s[3] == "CTK"]


@pytest.mark.parametrize(("moment", "nth"), STEPS)
def test_killed_between_two_steps(moment: str, nth: int, story: Story) -> None:
    world = story.world()
    assert killed(world.settings, SMALL, moment, nth)
    _recovered(story, world)


@pytest.mark.parametrize("sizes", [SMALL, SLICED], ids=["in batches", "in slices"])
def test_killed_at_random_moments(sizes: Sizes, story: Story) -> None:
    world = story.world()
    seen = moments(world.settings, sizes, story.folder / "moments")
    same(picture(world), story.outcome)  # sizes make no difference
    story.copies.drop(world)
    random = Random(f"{sizes}")
    for _ in range(2):
        world = story.world()
        for _ in range(random.choice((1, 1, 2))):  # a run that takes up the work may be killed as well
            killed(world.settings, sizes, None, random.randint(1, seen.total()))
        _recovered(story, world)


@pytest.mark.parametrize("seed", range(3))
def test_cut_off_from_the_database(seed: int, story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    world = story.world()
    random = Random(seed)

    def cut() -> None:
        world.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity "
            "where application_name = 'lienthong' and datname = current_database()"
        )

    with monkeypatch.context() as patch:
        countdown = Countdown(cut, "sql", random.randint(10, 100))
        watch(countdown, random.choice((SMALL, SLICED)), patch.setattr)
        with pytest.raises(psycopg.OperationalError) as lost:
            world.pipeline.run()
    assert "Thôn" not in str(lost.value)
    _recovered(story, world)
