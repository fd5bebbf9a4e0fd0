"""``lienthong backup`` and ``restore``: what is made, what is refused, and an embedded server as the place to restore to."""

from __future__ import annotations

from pathlib import Path

from .conftest import House, new_database


def test_there_and_back(house: House, tmp_path: Path, server_url: str) -> None:
    to = str(tmp_path / "to")
    done = house("backup", to, "--json")
    assert done.code == 0 and done.json["objects"] == done.json["copied"] > 3
    assert "Keep a copy of the key file apart" in house("backup", to).out
    assert house("restore", to, "--verify-only").code == 0
    refused = house("restore", to)
    assert refused.code == 2 and "the database is not empty; restore into a new one" in refused.err
    none = house("restore", str(tmp_path / "none"))
    assert none.code == 2 and "there is no whole backup there; there are: none" in none.err
    _, url = new_database(server_url)
    other = House(tmp_path / "home", url, house.truth)
    told = other("restore", to, "--json", LIENTHONG_KEY_FILE=str(house.home / "keys"))
    assert told.code == 0 and told.json["counts"] == dict(told.json["counts"])
    count = "select count(*) from mart_v1.villages"
    assert other.query(count) == house.query(count) != [(0,)]
    wrong = House(tmp_path / "third", new_database(server_url)[1], house.truth)
    keys = tmp_path / "keys"
    keys.write_text("1 " + "A" * 43 + "=\n")
    said = wrong("restore", to, LIENTHONG_KEY_FILE=str(keys))
    assert said.code == 2 and "the key file is not the one" in said.err
