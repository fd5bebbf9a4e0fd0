"""``lienthong vault``: what is said of the keys, a rotation, and the right words where the keys are missing."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from .conftest import House


@pytest.fixture
def key_file(house: House, tmp_path: Path) -> Path:
    """A copy of the house's keys: those of other tests stay as they are."""
    return Path(shutil.copy(house.home / "keys", tmp_path / "keys"))


def test_the_state_of_the_keys(house: House, key_file: Path) -> None:
    found = house("vault", "status", "--json", LIENTHONG_KEY_FILE=str(key_file))
    assert found.code == 0
    (version,) = found.json["versions"]
    assert (version["version"], version["retired_at"], found.json["key_file"]) == (1, None, str(key_file))
    assert version["objects"] >= len(house.query("select distinct sha256 from intake.delivery"))
    said = house("vault", "status", LIENTHONG_KEY_FILE=str(key_file)).out
    assert str(key_file) in said and version["fingerprint"] in said
    assert key_file.read_text().split()[1] not in said + found.out


def test_a_rotation(house: House, key_file: Path) -> None:
    before = key_file.read_text()
    done = house("vault", "rotate", "--json", LIENTHONG_KEY_FILE=str(key_file))
    assert (done.code, done.json["version"]) == (0, 2)
    assert key_file.read_text().split()[0] == "2"
    versions = house("vault", "status", "--json", LIENTHONG_KEY_FILE=str(key_file)).json["versions"]
    assert [(v["version"], v["retired_at"] is None) for v in versions] == [(2, True), (1, False)]
    assert versions[1]["objects"] == 0
    assert "Back the file up" in house("vault", "rotate", LIENTHONG_KEY_FILE=str(key_file)).out
    # the file from before the rotation is not that of this database any more
    key_file.write_text(before)
    assert house("vault", "status", LIENTHONG_KEY_FILE=str(key_file)).code == 2


@pytest.mark.parametrize("command", [("vault", "status"), ("vault", "rotate"), ("replay",)])
def test_without_its_keys_a_command_says_what_to_do(house: House, tmp_path: Path, command: tuple[str, ...]) -> None:
    done = house(*command, "--json", LIENTHONG_KEY_FILE=str(tmp_path / "none"))
    assert done.code == 2
    assert "LIENTHONG_KEY_FILE" in done.json["error"][0] and "restore it from its backup" in done.json["error"][0]
    assert not (tmp_path / "none").exists()
