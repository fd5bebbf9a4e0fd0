"""Law 6: no value of a sender in a log, an event, an error's text or anything stored but where values belong.

Marked values stand in cells that fail in every way. Where they may be found: the observations and their history, the raw
cells of the quarantine, of rows set aside and of repairs, and the answer to the sender, which is made from those. What
the sender says of the file's structure (its name, its headers, the names of its sheets) is told back to the sender from
the ledger; it stands there and in no log.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import psycopg
import pytest

from assets.intake.outbox import sweep
from pipelines.cli_errors import explain, show_traceback
from pipelines.flow import Pipeline
from pipelines.preview import dry_run
from tests.e2e.flows import HEAD, World, text_csv, workbook
from tests.faults.driver import Countdown, Sizes, watch

NAME, NUMBER, PHONE = "Zyxquân", "012345678901", "0987654321"
QUOTING = f"{NAME} Vwzgh DETAIL: {NUMBER}"  # not in the line that raises it: tracebacks quote that
MARK = re.compile(f"{NAME}|{NUMBER}|{PHONE}|zyxquan", re.IGNORECASE)
"""Values in cells."""
STRUCTURE = re.compile("Vwzgh", re.IGNORECASE)
"""Words in names of files, sheets and headers, and in sidecars."""
DATABASE = re.compile(r"(?i)\bdetail:|\bcontext:|duplicate key|violates|failing row|copy villages|\binsert into\b")

VALUES = {
    "staging.villages": {"village_name", "households", "population"},
    "staging.villages_rows": {"village_name", "households", "population"},
    "core.villages": {"village_name"},
    "mart_v1.villages": {"village_name"},
    "mart_v1.villages_history": {"village_name"},
    "mart_v1.change_feed": {"key", "data"},  # what readers see of a row, as these views show it
    "staging.quarantine": {"raw"},
    "staging.set_aside": {"text"},
    "staging.repair": {"raw"},
}
"""Where values belong."""
WORDS = {
    "intake.delivery": {"file_name", "origin", "problems", "period", "sender", "sidecar"},
    "intake.submission": {"file_name", "problems", "period", "sender"},
    "intake.assessment": {"layout"},
}
"""Where the ledger keeps what a sender says of the structure of a file."""


def _stored(world: World) -> Iterator[tuple[str, str, str]]:
    """(table, column, text) of every cell of the database, views included."""
    with closing(psycopg.connect(world.url, autocommit=True)) as connection:
        tables = connection.execute(
            "select table_schema || '.' || table_name, quote_ident(table_schema) || '.' || quote_ident(table_name) "
            "from information_schema.tables where table_schema in ('intake', 'staging', 'core', 'ops', 'mart_v1', 'vault')"
        ).fetchall()
        for name, quoted in tables:
            rows = connection.execute(f"select distinct j.key, j.value from {quoted} t, jsonb_each_text(to_jsonb(t)) j")  # type: ignore[call-overload]
            for column, text in rows:
                if text is not None:
                    yield name, column, text


def _logged(caplog: pytest.LogCaptureFixture, *, but: str = "-") -> str:
    formatter = logging.Formatter("%(name)s %(message)s")
    return "\n".join(formatter.format(r) for r in caplog.records if not r.name.startswith(but))


def _clean(world: World, caplog: pytest.LogCaptureFixture) -> None:
    # the library of files names what it opens, to those who ask it to
    for pattern, said in (
        (MARK, _logged(caplog)),
        (DATABASE, _logged(caplog)),
        (STRUCTURE, _logged(caplog, but="fsspec")),
    ):
        found = pattern.search(said)
        assert found is None, said[max(found.start() - 300, 0) : found.end() + 100]
    for table, column, text in _stored(world):
        if column not in VALUES.get(table, ()):
            assert not MARK.search(text), (table, column, text)
        if column not in WORDS.get(table, ()):
            assert not STRUCTURE.search(text) or column in VALUES.get(table, ()), (table, column, text)
        assert not DATABASE.search(text), (table, column, text)
    with closing(psycopg.connect(world.url, autocommit=True)) as connection:
        # what Dagster is told, of periods and senders that it knows
        told = repr([replace(word, period=None, sender="") for words in sweep(connection) for word in words])
    assert not MARK.search(told) and not STRUCTURE.search(told)


BAD = [
    (NAME, f"{NAME} Mật", 10, 40),
    (f"={NAME}", "Thôn", 10, 40),
    (f"{NAME}?", "Thôn", 10, 40),
    (f"{NAME}\ufffd", "Thôn", 10, 40),
    (NAME * 60, "Thôn", 10, 40),
    (f"Thôn {NAME} A", "Thôn", f"{NAME} 12", 40),
    (f"Thôn {NAME} B", "Thôn", NUMBER, 40),
    (f"Thôn {NAME} C", "Thôn", PHONE, f"{NUMBER}.5"),
    (f"Thôn {NAME} D", "Thôn", f"{NAME},{NUMBER}", 40),
    (f"Thôn {NAME} E", "Thôn", 30_000, 40),
    (f"Thôn {NAME} F", "Thôn", 10, 5),
    (f"Thôn {NAME} G", "Thôn", 10, 40),
    (f"Thôn {NAME} G", "Thôn", 11, 41),
    (f"Thôn {NAME} H", "Thôn", 10, 40),
    (f"Thôn {NAME} H", "Thôn", 10, 40),
    (f"Thôn  {NAME}\u00a0I", "Thôn", f"chưa có {PHONE}", 40),
    (None, f"{PHONE}", NUMBER, NAME),
    (f"Người lập: {NAME} {PHONE}", None, None, None),
    ("Tổng cộng", None, NUMBER, 99),
    (f"Ghi chú: {NAME}", None, None, None),
]


def test_values_that_fail_in_every_way(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    a, b, c, d, e, f = world.communes[:6]
    titled = [(f"Người ký {NAME}, {NUMBER}",), (f"đến ngày 31/6/2026 {PHONE}",), HEAD, *BAD]
    world.drop(a, workbook(titled))
    world.drop(a, text_csv(["" if c is None else c for c in row] for row in [HEAD, *BAD]), "b.csv")
    coded = [("Mã xã", *HEAD), (NAME, "A", "Thôn", 1, 2), (NUMBER, "B", "Thôn", 1, 2), (b, f"{NAME} C", "Thôn", 1, 2)]
    world.drop(c, workbook(coded))
    world.drop(b, text_csv([("Mã xã", *HEAD), (a, f"{NAME} D", "Thôn", 1, 2)]), "ngoai.csv")
    world.drop(d, f'Tên thôn,Số hộ,Số khẩu\n"{NAME},1,2\n{NUMBER},3,4\n'.encode(), "ngoac.csv")
    world.drop(d, f"Tên thôn,Số hộ,Số khẩu\n{NAME},1,2\n".encode() + b"\xff\xfe", "ma.csv")
    world.drop(d, f"{NAME},{NUMBER},{PHONE}\n".encode(), "khong.csv")
    world.drop(d, f"Tên thôn,Số hộ,Số khẩu\n{NAME}, {NUMBER},1,{PHONE}\n".encode(), "lech.csv")
    world.drop(e, text_csv([HEAD]), "x.csv", sidecar="dataset: Vwzgh\n")
    world.drop(e, text_csv([HEAD, ("A", "Thôn", 1, 2)]), "y.csv", sidecar=f"as_of: {NUMBER}\nwithdraws: {PHONE} [\n")
    world.drop(e, text_csv([HEAD, ("A", "Thôn", 1, 2)]), "z.csv", sidecar=f"nothing_to_report: {NAME}\n")
    book = workbook([("Vwzgh", *HEAD), ("x", "A", "Thôn", 1, 2)], sheet="Vwzgh", **{"Vwzgh 2": [("Vwzgh",)]})
    world.drop(f, book, "Vwzgh.xlsx")
    world.drop(f, b"", "Vwzgh.csv", period="Vwzgh")
    world.drop("Vwzgh", b"", "Vwzgh.csv")
    dry_run(world.pipeline)
    world.run()
    rules = {r[0] for r in world.rows("select distinct rule from staging.verdict")}
    assert rules >= {
        "NOT_IN_LIST", "FORMULA_TEXT", "UNREADABLE_TEXT", "TOO_LONG", "NOT_A_NUMBER", "OUT_OF_RANGE", "DUPLICATE_KEY",
        "PENDING_VALUE", "UNKNOWN_UNIT", "MISSING", "MISPLACED", "households_bounds", "population_at_least_households",
    }  # fmt: skip
    assert {r[0] for r in world.rows("select distinct reason from staging.set_aside")} >= {
        "TITLE", "NOTE", "TOTAL", "REPEAT", "OUT_OF_SCOPE",
    }  # fmt: skip
    _clean(world, caplog)


@pytest.mark.parametrize("slices", [False, True], ids=["in batches", "in slices"])
def test_a_file_that_the_database_refuses(
    slices: bool, world: World, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.DEBUG)
    if slices:
        tools = Pipeline.tools
        monkeypatch.setattr(Pipeline, "tools", lambda *args: replace(tools(*args), large_bytes=1))
    world.execute("alter table staging.villages add constraint no_such check (households <> 4242)")
    bad, good = world.communes[:2]
    for sender, households in ((bad, 4242), (good, 42)):
        world.drop(sender, text_csv([HEAD, (f"Thôn {NAME}", "Thôn", households, 50)]), "thon.csv")
    world.run()
    states = dict(world.rows("select sender, state from intake.submission"))
    assert states == {bad: "rejected", good: "accepted"}
    assert world.rows("select problems from intake.submission where sender = %s", [bad]) == [
        ([{"code": "INTERNAL", "params": {"fault": "CheckViolation"}}],)
    ]
    assert "could not be staged" in _logged(caplog)
    _clean(world, caplog)


def _explained(error: BaseException, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    show_traceback(error)
    said = "\n".join([*explain(error), capsys.readouterr().err])
    for pattern in (MARK, STRUCTURE, DATABASE):
        assert not pattern.search(re.sub(r"^    .*$", "", said, flags=re.MULTILINE)), said


def test_a_run_that_the_database_refuses(
    world: World, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    world.execute("alter table core.villages add constraint no_such check (households <> 4242)")
    world.drop(world.communes[0], text_csv([HEAD, (f"Thôn {NAME}", "Thôn", 4242, 5000)]), "thon.csv")
    with pytest.raises(psycopg.errors.CheckViolation) as refused:
        world.pipeline.run()
    assert MARK.search(str(refused.value)), "the database says nothing that could be hidden"
    _explained(refused.value, capsys)
    _clean(world, caplog)
    # the next run takes the work up
    world.execute("alter table core.villages drop constraint no_such")
    world.run()
    assert len(world.open_villages(world.communes[0])) == 1


@pytest.mark.parametrize("fault", [ValueError, KeyError, psycopg.DataError], ids=lambda f: f.__name__)
@pytest.mark.parametrize("moment", [2, 30, 60])
def test_a_fault_of_ours_that_quotes_a_value(
    fault: type[Exception], moment: int, world: World, caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    caplog.set_level(logging.DEBUG)
    world.drop(world.communes[0], text_csv([HEAD, (f"Thôn {NAME}", "Thôn", 4, 50)]), "thon.csv")

    def fail() -> None:
        raise fault(QUOTING)

    with monkeypatch.context() as patch:
        watch(Countdown(fail, "sql", moment), Sizes(), patch.setattr)
        try:
            world.pipeline.run()
        except fault as error:
            _explained(error, capsys)
    _clean(world, caplog)
