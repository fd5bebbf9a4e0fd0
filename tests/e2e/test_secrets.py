"""A file with a secret marking: refused before a byte of it is kept, told to sender and province, and no other file is hindered."""

from __future__ import annotations

import hashlib
import io
import json
import logging
import shutil
from pathlib import Path
from typing import Any

import psycopg
import pytest

from assets.intake.archive import Archive, Changed
from assets.intake.inbox import NOT_KEPT, look
from assets.intake.ledger import receive
from assets.returns.answers import write_answers
from pipelines import report
from pipelines.cli_output import Screen
from pipelines.cli_run import show_account
from pipelines.preview import check_file, dry_run
from tests.e2e.flows import HEAD, World, codes, text_csv, villages, worded, workbook

WORD = "Zyxquân"
"""Stands in everything that must not be kept."""


def _secrets(world: World) -> dict[str, bytes]:
    """A marked file of every kind, each from another commune: place -> bytes."""
    rows = [HEAD, (f"Thôn {WORD}", "Thôn", 10, 40)]
    a, b, c, d, e = world.communes[1:6]
    titled = workbook([("UBND XÃ", None, None, "TUYỆT MẬT"), *rows])
    plain = workbook(rows)
    csv = text_csv([*rows, ("Độ mật: MẬT", "", "", "")])
    return {
        world.drop(a, titled, f"{WORD}.xlsx"): titled,
        world.drop(b, csv, f"{WORD}.csv"): csv,
        world.drop(c, plain, f"{WORD}_MAT_.xlsx"): plain,
        world.drop(
            d, text_csv([*rows, ("x", "", 1, 2)]), f"{WORD}.csv", sidecar=f"# {WORD}\nlinh_tinh: TỐI MẬT\n"
        ): b"",
        world.drop(e, b"%PDF-1.4\n", "Quy hoạch cán bộ.pdf"): b"%PDF-1.4\n",
    }


def _on_disk(world: World) -> str:
    """Every byte under the home but for the inbox, which is the senders'."""
    inbox = world.home / "inbox"
    files = [p for p in world.home.rglob("*") if p.is_file() and inbox not in p.parents]
    return "\n".join([*map(str, files), *(p.read_bytes().decode("utf-8", "replace") for p in files)])


def _stored(world: World) -> str:
    tables = world.rows(
        "select format('select to_jsonb(t)::text from %I.%I t', table_schema, table_name) from information_schema.tables "
        "where table_schema in ('intake', 'staging', 'core', 'ops', 'mart_v1', 'vault')"
    )
    return "\n".join(row[0] for (query,) in tables for row in world.rows(query))


def test_nothing_is_kept_and_everybody_is_told(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    good = world.communes[0]
    world.drop(good, villages(("Bình An", 10, 40)))
    secret = _secrets(world)
    before = {p: p.read_bytes() for p in (world.home / "inbox").rglob("*") if p.is_file()}
    ran = world.run()
    # the others go on
    assert set(world.open_villages(good)) == {"Bình An"}
    assert len(ran.withheld) == len(ran.rejected) == len(secret) and len(ran.received) == len(secret) + 1
    # hash, size, sender, period, times
    kept = world.rows(
        "select sender, period, file_name, origin, sidecar, sha256, size from intake.delivery where withheld is not null"
    )
    assert {k[0] for k in kept} == set(world.communes[1:6])
    assert all(k[1:5] == ("2026-Q2", NOT_KEPT, f"2026-Q2/{k[0]}/{NOT_KEPT}", {}) for k in kept)
    hashes = {hashlib.sha256(data).hexdigest(): len(data) for data in secret.values() if data}
    assert hashes.items() <= {k[5]: k[6] for k in kept}.items()
    # and nothing else, anywhere that is ours
    with world.connection() as connection:
        write_answers(connection, world.pipeline.contracts, world.home / "answers", [*ran.staged, *ran.rejected])
    ours = "\n".join(r.getMessage() for r in caplog.records if not r.name.startswith("fsspec"))
    for said in (_stored(world), _on_disk(world), ours):
        for word in (WORD, "linh_tinh", "Quy hoạch cán bộ.pdf"):
            assert word not in said
    assert len(world.archived()) == 1
    # the sender's file is the sender's
    assert {p: p.read_bytes() for p in before} == before
    # the answer
    for name in ran.rejected:
        answered = world.answer(name)
        assert (answered["state"], codes(answered), answered["rows"]) == ("rejected", ["SECRET_MARKING"], [])
        assert answered["file"] == NOT_KEPT
        worded(answered)
    # the alert
    with world.connection() as connection:
        found = report.overview(connection)["secrets"]
    assert {f["submission_id"] for f in found} == set(ran.rejected)
    assert {f["sender"] for f in found} == set(world.communes[1:6]) and all(f["sender_name"] for f in found)


def test_it_lies_there_and_is_not_taken_again(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    _secrets(world)
    first = world.run()
    before = world.counts()
    again = world.run()
    assert (again.received, again.staged, again.rejected) == ([], [], [])
    assert sorted(again.withheld) == sorted(first.withheld)
    assert {t for t, n in world.counts().items() if before[t] != n} <= {"core.publish"}
    with world.connection() as connection:
        done: dict[str, Any] = {
            "received": 0, "submissions": [], "growing": [], "unreadable": [], "publish": None,
            "secrets": report.secrets(connection, again.withheld),
        }  # fmt: skip
    show_account(Screen(as_json=False), done)
    said = capsys.readouterr().out
    assert "ALERT: 5 files with a secret marking" in said and WORD not in said
    # replayed, it is what it was; removed by its sender, it alarms no more
    with world.pipeline.connection() as connection:
        assert sorted(world.pipeline.replay(connection).rejected) == sorted(first.rejected)
    shutil.rmtree(world.home / "inbox")
    assert world.run().withheld == []
    with world.connection() as connection:
        assert len(report.overview(connection)["secrets"]) == 5


def test_a_check_and_a_dry_run_keep_nothing_either(world: World, tmp_path: Path) -> None:
    _secrets(world)
    planned = dry_run(world.pipeline)
    assert [codes(a) for a in planned.answers] == [["SECRET_MARKING"]] * 5
    assert WORD not in json.dumps(planned.answers, ensure_ascii=False, default=str)
    path = tmp_path / f"{WORD} tuyệt mật.csv"
    path.write_bytes(text_csv([HEAD, ("A", "Thôn", 1, 2)]))
    (told,) = check_file(world.pipeline, path, sender=world.communes[0], period="2026-Q2").answers
    assert codes(told) == ["SECRET_MARKING"] and WORD not in json.dumps(told, ensure_ascii=False, default=str)
    assert world.archived() == {} and world.rows("select count(*) from intake.delivery") == [(0,)]


def test_folders_that_are_no_codes_are_not_kept(world: World) -> None:
    inbox = world.home / "inbox"
    for folder in (f"{WORD}/22366", "2026-Q2/TUYET_MAT", f"2026-Q2/{WORD} tối mật", "2026-Q2/22366/x"):
        (inbox / folder).mkdir(parents=True)
        (inbox / folder / f"{WORD} (mật).csv").write_bytes(text_csv([HEAD, ("A", "Thôn", 1, 2)]))
    world.run()
    assert WORD not in _stored(world) and "TUYET_MAT" not in _stored(world)
    assert codes_of(world) == ["SECRET_MARKING"] * 4


def codes_of(world: World) -> list[str]:
    return [c for a in world.answers() for c in codes(a)]


def test_the_same_bytes_under_an_open_name_are_shown_beside_the_alert(world: World) -> None:
    a = world.communes[0]
    data = villages(("Bình An", 10, 40))
    kept = world.drop(a, data, "thon.xlsx")
    world.drop(a, data, "thon_MAT.xlsx")
    world.run()
    with world.connection() as connection:
        (found,) = report.overview(connection)["secrets"]
    assert found["kept"] == [world.submission(kept)["submission_id"]]


def test_the_database_itself_refuses_the_name_of_such_a_file(world: World) -> None:
    world.drop(world.communes[0], villages(("Bình An", 10, 40)))
    world.run()
    with pytest.raises(psycopg.errors.CheckViolation):
        world.execute("update intake.delivery set withheld = 'SECRET_MARKING'")


def test_a_growing_file_s_name_is_not_shown(world: World) -> None:
    folder = world.home / "inbox" / "2026-Q2" / "22366"
    folder.mkdir(parents=True)
    (folder / "ong").write_bytes(b"")
    (folder / f"{WORD}_MẬT").symlink_to(folder / "ong")
    assert look(str(world.home / "inbox"), settle_seconds=0).growing == [f"2026-Q2/22366/{NOT_KEPT}"]


def test_what_changes_between_the_look_and_the_copy_is_left(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = Archive(str(world.home / "archive"))
    with pytest.raises(Changed):
        archive.put(io.BytesIO(b"abc"), hashlib.sha256(b"abd").hexdigest())
    assert world.archived() == {}
    # a file too large to be held: looked through, then written to by somebody
    monkeypatch.setattr("assets.intake.ledger._IN_MEMORY", 8)
    place = world.drop(world.communes[0], text_csv([HEAD, ("Bình An", "Thôn", 10, 40)]))
    path = world.home / "inbox" / place
    before = path.read_bytes()

    def looked(source: io.BufferedReader, size: int) -> bool:
        path.write_bytes(before.replace("Bình".encode(), "MẬT,".encode()))
        return False

    with monkeypatch.context() as patch, world.connection() as connection:
        patch.setattr("assets.intake.ledger.marked", looked)
        inbox = str(world.home / "inbox")
        assert receive(connection, archive, inbox, look(inbox, settle_seconds=0).arrived).fresh == []
    assert world.archived() == {}
    assert [codes(world.answer(name)) for name in world.run().rejected] == [["SECRET_MARKING"]]
