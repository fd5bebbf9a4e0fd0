"""``lienthong board``: for whom it is built and where, and what is served of it."""

from __future__ import annotations

from http.client import HTTPConnection
from pathlib import Path
from threading import Thread

from pipelines.cli_board import server_of

from .conftest import House


def test_it_is_built_for_whom_it_is_asked_and_over_nothing_else(house: House, tmp_path: Path) -> None:
    out = tmp_path / "board"
    built = house("board", "build", "--for", "22366", "--out", str(out), "--json")
    assert (built.code, built.json["written"]) == (0, len([p for p in out.rglob("*") if p.is_file()]))
    assert "Phường Nha Trang" in (out / "index.html").read_text(encoding="utf-8")
    again = house("board", "build", "--for", "22366", "--out", str(out), "--json")
    assert (again.json["written"], again.json["drawn"]) == (0, 0)
    unknown = house("board", "build", "--for", "99999", "--out", str(tmp_path / "none"))
    assert unknown.code == 2 and "there is no sender 99999" in unknown.err and not (tmp_path / "none").exists()
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("kept")
    refused = house("board", "build", "--out", str(tmp_path / "mine"))
    assert refused.code == 2 and "holds something else than a board" in refused.err
    assert [p.name for p in (tmp_path / "mine").iterdir()] == ["letter.txt"]


def test_only_the_board_is_served(tmp_path: Path) -> None:
    (tmp_path / "board" / "csv").mkdir(parents=True)
    (tmp_path / "board" / "index.html").write_text("bảng", encoding="utf-8")
    (tmp_path / "key").write_text("secret")
    with server_of(tmp_path / "board", 0) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        assert server.server_address[0] == "127.0.0.1"
        answers = {}
        for path in ("/", "/csv/", "/../key", "/%2e%2e/key", "/csv/../../key", "//key"):
            link = HTTPConnection("127.0.0.1", server.server_port)
            link.request("GET", path)
            answers[path] = link.getresponse().status
            link.close()
        server.shutdown()
    assert answers == {path: 200 if path == "/" else 404 for path in answers}
