"""What is printed: nothing is lost in a narrow window, nothing that a sender wrote is obeyed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.cli_output import Screen, plain


@pytest.mark.parametrize("width", [20, 40, 80, 200])
def test_a_table_keeps_its_text_in_any_width(
    width: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    row = ["S0123456789a", "Phường Bắc Nha Trang", "số hộ không phải là số", 17]
    Screen(as_json=False).table(["!Id", "Sender", "Because", ">rows"], [row])
    printed = "".join(capsys.readouterr().out.split())
    for word in " ".join(map(str, row)).split():
        assert word in printed


def test_markup_and_escapes_of_a_sender_are_text(capsys: pytest.CaptureFixture[str]) -> None:
    screen = Screen(as_json=False)
    screen.table(["Value"], [["[bold]x[/bold] \x1b[2J :smile:"]])
    screen.say("[red]\x1b]0;title\x07")
    out = capsys.readouterr().out
    assert "[bold]x[/bold]" in out
    assert ":smile:" in out
    assert "[red]" in out
    assert "\x1b" not in out
    assert "\x07" not in out


def test_with_json_sentences_are_messages(capsys: pytest.CaptureFixture[str]) -> None:
    screen = Screen(as_json=True)
    screen.say("a sentence")
    screen.json({"a": 1})
    said = capsys.readouterr()
    assert json.loads(said.out) == {"a": 1}
    assert said.err == "a sentence\n"


def test_json_forms() -> None:
    @dataclass
    class Thing:
        day: date

    value = [Decimal("0.10"), datetime(2026, 7, 1, 8, tzinfo=UTC), Thing(date(2026, 7, 1))]
    assert json.loads(json.dumps(value, default=plain)) == ["0.10", "2026-07-01T08:00:00+00:00", {"day": "2026-07-01"}]
    with pytest.raises(TypeError):
        plain(object())


@given(st.text(), st.integers(1, 60))
def test_any_text_can_be_printed(text: str, width: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COLUMNS", str(width))
        Screen(as_json=False).table(["!a", ">b", "c"], [[text, 1, text]], title=text)
