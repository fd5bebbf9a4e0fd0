"""The files of the indicators: what the lint refuses, and that the documentation lists them as they are."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from assets.marts.indicators.catalogue import (
    HERE,
    IndicatorError,
    load_indicators,
    load_mandates,
    markdown,
    theme_views,
)
from schemas.contract import builtin_folder, load_contracts

ROOT = Path(__file__).parents[3]
HEAD = {
    "code": "I26", "name_vi": "Tên", "name_en": "Name", "formula": "n", "theme": "villages", "grain": "PROVINCE",
    "periods": "quarter", "measure": "share %", "direction": "up", "reads": "villages", "source": "D07",
}  # fmt: skip
FACTS = "select v.period_no, 'villages' as dataset, v.entity_id, 1 as numerator, 1 as denominator, 0 as unknown from villages_at v"


def test_there_are_49_of_existing_datasets_each_with_all_that_is_asked_of_it() -> None:
    contracts = load_contracts([builtin_folder()])
    indicators = load_indicators(datasets=contracts)
    assert list(indicators) == [f"I{n:02}" for n in range(1, 50)]
    assert {i.theme for i in indicators.values()} == {
        "organisation", "deputies", "key_posts", "kpi", "staff", "villages", "services", "autonomy", "digital", "data",
    }  # fmt: skip
    mandates = load_mandates(indicators)
    assert [m.code for m in mandates] == [f"M{n}" for n in range(1, 24)]
    assert all(m.answers for m in mandates)
    for mandate in mandates:
        for answer in mandate.answers:
            assert answer.unit_kind in indicators[answer.indicator].grain
            assert indicators[answer.indicator].variant(answer.variant)
    assert len(theme_views(indicators)) == 10


def test_no_norm_and_no_target_is_a_number_in_a_file() -> None:
    """The numbers that may stand in facts are counts, 100 per cent, years, and what limits a code."""
    for path in sorted(HERE.glob("i[0-9][0-9]_*.sql")):
        facts = re.sub(r"--.*|'[^']*'", "", path.read_text(encoding="utf-8"))
        numbers = set(re.findall(r"(?<![\w.])\d+(?:\.\d+)?(?![\w.])", facts))
        assert numbers <= {"0", "1", "2", "3", "4", "5", "6", "9", "100.0", "1000000"}, (path.name, numbers)


@pytest.mark.parametrize(
    ("changes", "facts", "said"),
    [
        ({"hiden_below": "5"}, FACTS, "there is no key hiden_below"),
        ({"theme": None}, FACTS, "the header has no theme"),
        ({"grain": "PROVINCE DISTRICT"}, FACTS, "DISTRICT is none of"),
        ({"periods": "week"}, FACTS, "week is none of"),
        ({"measure": "mean %"}, FACTS, "mean is none of"),
        ({"code": "I27"}, FACTS, "is not that of the file's name"),
        ({"direction": "left"}, FACTS, "direction is one of"),
        ({"variant": "CUT"}, FACTS, "a variant is NAME"),
        ({"reads": "villages staff"}, FACTS, "reads staff and does not use it"),
        ({"reads": "staff"}, FACTS.replace("villages_at", "staff_at") + " cross join villages_at w", "villages is not among what"),
        ({"reads": "towns"}, FACTS.replace("villages_at", "towns_at"), "reads towns, and no contract describes it"),
        ({"norms": "SO_MAX"}, FACTS, "says norms and reads none"),
    ],
)  # fmt: skip
def test_a_file_that_is_wrong_is_refused_with_what_and_where(
    changes: dict[str, str | None], facts: str, said: str, tmp_path: Path
) -> None:
    head = {k: v for k, v in {**HEAD, **changes}.items() if v is not None}
    text = "\n".join([*(f"-- {k}: {v}" for k, v in head.items()), facts])
    (tmp_path / "i26_villages.sql").write_text(text, encoding="utf-8")
    with pytest.raises(IndicatorError) as error:
        load_indicators(tmp_path, {"villages", "staff"})
    assert any(said in f for f in error.value.findings), error.value.findings
    assert all("i26_villages.sql" in f for f in error.value.findings)


def test_the_documentation_lists_them_as_they_are() -> None:
    path = ROOT / "docs" / "indicators.md"
    indicators = load_indicators()
    whole, mark, _ = path.read_text(encoding="utf-8").partition("## All of them\n")
    wanted = whole + mark + "\n" + markdown(indicators, load_mandates(indicators))
    if os.environ.get("RENEW_SNAPSHOTS"):
        path.write_text(wanted, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == wanted
