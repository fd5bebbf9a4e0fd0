"""Looking through the inbox: what is whole, what is left, what a sidecar may say, and what makes a delivery itself."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import fsspec
import pytest

from assets.intake.inbox import Arrived, Look, content_id, delivery_id, look, open_arrived, submission_id

OLD = datetime(2026, 7, 2, 3, tzinfo=UTC)


def put(root: Path, place: str, data: bytes = b"x", at: datetime = OLD) -> Path:
    path = root / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    os.utime(path, (at.timestamp(), at.timestamp()))
    return path


def places(seen: Look) -> list[str]:
    return [a.origin for a in seen.arrived]


def one(root: Path) -> Arrived:
    (arrived,) = look(str(root), settle_seconds=0).arrived
    return arrived


def test_files_come_in_order_with_period_and_sender(tmp_path: Path) -> None:
    for place in ("2026-Q2/22366/b.xlsx", "2026-Q1/22366/a.xlsx", "2026-Q2/22333/thư mục.csv"):
        put(tmp_path, place)
    seen = look(str(tmp_path), settle_seconds=0)
    assert places(seen) == ["2026-Q1/22366/a.xlsx", "2026-Q2/22333/thư mục.csv", "2026-Q2/22366/b.xlsx"]
    first = seen.arrived[0]
    assert (first.period, first.sender, first.file_name, first.size) == ("2026-Q1", "22366", "a.xlsx", 1)
    assert first.received_at == OLD and first.problems == []
    assert places(look(str(tmp_path), period="2026-Q1", settle_seconds=0)) == ["2026-Q1/22366/a.xlsx"]


def test_an_inbox_that_is_not_there_is_empty(tmp_path: Path) -> None:
    assert look(str(tmp_path / "none")) == Look([], [])


@pytest.mark.parametrize("name", [".a.xlsx", "~$a.xlsx", "a.xlsx.part", "a.TMP", "a.crdownload", ".thu_muc/a.xlsx"])
def test_unfinished_and_hidden_names_are_not_files(name: str, tmp_path: Path) -> None:
    put(tmp_path, f"2026-Q2/22366/{name}")
    assert look(str(tmp_path), settle_seconds=0) == Look([], [])


@pytest.mark.parametrize("place", ["a.xlsx", "2026-Q2/a.xlsx", "2026-Q2/22366/x/a.xlsx"])
def test_a_place_of_another_depth_is_a_problem_and_no_reason_to_look_away(place: str, tmp_path: Path) -> None:
    put(tmp_path, place)
    assert [(p.code, p.params) for p in one(tmp_path).problems] == [("BAD_PATH", {"detail": place})]


def _during(sleep: Callable[[], None], monkeypatch: pytest.MonkeyPatch) -> None:
    """What others do while the inbox waits for a young file."""
    monkeypatch.setattr(time, "sleep", lambda seconds: sleep())


@pytest.mark.parametrize("fate", ["grows", "is touched", "goes"])
def test_a_file_that_changes_while_it_is_watched_is_left(
    fate: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    young = put(tmp_path, "2026-Q2/22366/a.xlsx", b"PK", datetime.now(UTC))
    put(tmp_path, "2026-Q2/22366/b.xlsx")

    def change() -> None:
        if fate == "goes":
            young.unlink()
        elif fate == "grows":
            before = young.stat()
            young.write_bytes(b"PK..")
            os.utime(young, ns=(before.st_atime_ns, before.st_mtime_ns))
        else:
            os.utime(young, (1, 1))

    _during(change, monkeypatch)
    seen = look(str(tmp_path), settle_seconds=30)
    assert places(seen) == ["2026-Q2/22366/b.xlsx"]
    assert seen.growing == ["2026-Q2/22366/a.xlsx"]


def test_a_young_file_that_does_not_change_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, "2026-Q2/22366/a.xlsx", at=datetime.now(UTC))
    waited: list[int] = []
    _during(lambda: waited.append(1), monkeypatch)
    assert places(look(str(tmp_path), settle_seconds=30)) == ["2026-Q2/22366/a.xlsx"]
    assert waited == [1]


def test_a_sidecar_speaks_for_its_file_from_the_later_of_both_times(tmp_path: Path) -> None:
    put(tmp_path, "2026-Q2/22366/a.xlsx")
    later = datetime(2026, 7, 3, tzinfo=UTC)
    put(tmp_path, "2026-Q2/22366/a.xlsx.yaml", b"\xef\xbb\xbfas_of: 2026-06-15\ndataset: villages\n", later)
    arrived = one(tmp_path)
    assert (arrived.file_name, arrived.received_at) == ("a.xlsx", later)
    assert arrived.sidecar == {"as_of": "2026-06-15", "dataset": "villages"}


def test_a_sidecar_alone_is_the_delivery(tmp_path: Path) -> None:
    put(tmp_path, "2026-Q2/22366/khong.yaml", b"dataset: villages\nnothing_to_report: true\n")
    arrived = one(tmp_path)
    assert (arrived.file_name, arrived.sidecar["nothing_to_report"], arrived.problems) == ("khong.yaml", True, [])


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"", "dòng"),
        (b"- a", "dòng"),
        (b"a: b: c", "YAML, dòng 1"),
        (b"\xff\xff", "YAML"),
        (b"as_of: 31/06/2026", "YYYY-MM-DD"),
        (b"as_of: 2026-06-31", "YYYY-MM-DD"),
        (b"as_of: 2026-06-30 10:00:00", "kiểu"),
        (b"nothing_to_report: 1", "kiểu"),
        (b"dataset: 12", "kiểu"),
        (b"asof: 2026-06-30", "asof"),
        (b'dataset: "a\\0"', "hiển thị"),
        (b'withdraws: "\\ud800"', "YAML"),
        (b"[" * 2000, "YAML"),
        (b"[" * 2000 + b"]" * 2000, "YAML"),
        (b"# " + b"x" * 5000, "byte"),
        (b"!!python/object/apply:os.system ['true']", "YAML"),
    ],
)
def test_a_sidecar_that_says_nothing_clear_is_a_problem_with_a_reason(text: bytes, reason: str, tmp_path: Path) -> None:
    put(tmp_path, "2026-Q2/22366/a.xlsx")
    put(tmp_path, "2026-Q2/22366/a.xlsx.yaml", text)
    arrived = one(tmp_path)
    assert arrived.sidecar == {}
    (problem,) = arrived.problems
    assert problem.code == "BAD_SIDECAR" and reason in problem.params["detail"]
    assert problem.params["detail"].encode()


def test_a_name_that_is_not_utf_8_can_be_read_and_written_down(tmp_path: Path) -> None:
    folder = tmp_path / "2026-Q2" / "22366"
    folder.mkdir(parents=True)
    for letter in (b"\xf4", b"\xf5"):
        Path(os.fsdecode(os.fsencode(folder) + b"/th" + letter + b"n.csv")).write_bytes(letter)
    seen = look(str(tmp_path), settle_seconds=0)
    assert len({a.origin.encode() for a in seen.arrived}) == 2
    assert sorted(open_arrived(str(tmp_path), a).read() for a in seen.arrived) == [b"\xf4", b"\xf5"]


def test_any_store_may_be_the_inbox() -> None:
    url = f"memory://inbox-{uuid.uuid4().hex}"
    fs, root = fsspec.core.url_to_fs(url)
    fs.pipe_file(f"{root}/2026-Q2/22366/a.csv", b"abc")
    (arrived,) = look(url, settle_seconds=0).arrived
    assert (arrived.origin, arrived.size, arrived.received_at.tzinfo is not None) == ("2026-Q2/22366/a.csv", 3, True)
    assert open_arrived(url, arrived).read() == b"abc"


def test_what_makes_a_delivery_itself() -> None:
    def arrived(origin: str = "2026-Q2/22366/a.csv", at: datetime = OLD, **sidecar: object) -> Arrived:
        return Arrived("p", origin, "2026-Q2", "22366", "a.csv", at, 1, sidecar)

    base = delivery_id("ab", arrived())
    assert base == delivery_id("ab", arrived(at=OLD.astimezone())) == "D2c1a6966c6ad8ff"
    others = {
        delivery_id("cd", arrived()),
        delivery_id("ab", arrived("2026-Q1/22366/a.csv")),
        delivery_id("ab", arrived(at=datetime(2026, 7, 2, 4, tzinfo=UTC))),
        delivery_id("ab", arrived(as_of="2026-06-30")),
    }
    assert len(others | {base}) == 5
    assert submission_id(base, "villages") != submission_id(base, None) != submission_id(base, "unit_changes")
    assert content_id("ab", {}) == "ab" != content_id("ab", {"as_of": "2026-06-30"})
    assert content_id("ab", {"a": 1, "b": 2}) == content_id("ab", {"b": 2, "a": 1})
