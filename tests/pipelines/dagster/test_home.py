"""Dagster's home and the way into its web interface."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from pipelines.dagster_home import dagster_home, ui_command
from pipelines.settings import Settings


def test_the_home_is_written_once_and_then_left_alone(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home")
    folder = dagster_home(settings)
    assert folder == tmp_path / "home" / "dagster"
    mine = (folder / "dagster.yaml").read_text(encoding="utf-8") + "nux:\n  enabled: false\n"
    (folder / "dagster.yaml").write_text(mine, encoding="utf-8")
    assert dagster_home(settings) == folder
    assert (folder / "dagster.yaml").read_text(encoding="utf-8") == mine


def test_the_interface_sees_the_settings_that_were_given_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIENTHONG_REFERENCE", str(tmp_path))
    monkeypatch.setenv("LIENTHONG_CONTRACTS", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    settings = Settings(
        home=tmp_path / "home", database_url="postgresql:///x", inbox="memory://inbox", archive="memory://archive",
        province="79", settle_seconds=2.5, key_file=tmp_path / "keys",
    )  # fmt: skip
    arguments, environment = ui_command(settings, host="127.0.0.1", port=3001)
    assert arguments[0] == sys.executable
    assert arguments[arguments.index("--port") + 1] == "3001"
    assert Settings.from_environment(environment) == settings
    assert environment["DAGSTER_HOME"] == str(tmp_path / "home" / "dagster")
    assert (Path(environment["PYTHONPATH"].split(os.pathsep)[0]) / "pipelines" / "definitions.py").exists()
