"""Exports of views with every type and hostile texts, and the folder that they are written into."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import psycopg
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from assets.core.person import Unreasonable
from assets.marts.exports import folder as folder_module
from assets.marts.exports.export import Exported, Form, Personal, export
from assets.marts.exports.folder import Sink, exporting
from assets.marts.exports.forms import CsvFile
from assets.marts.exports.stream import arrow_schema, stream
from assets.marts.exports.views import ExportRefused, Field
from schemas.migrate import migrate
from schemas.text import FORMULA_SIGNS, inert_expr, inert_one

ROOT = Path(__file__).parents[3]
HOSTILE = [
    *(f"{sign}1+1" for sign in FORMULA_SIGNS),
    "a\nb",
    'x"y',
    "a,b",
    "",
    " =1",
    "'đã có",
    "\\N",
    "Xã Diên Khánh",
    "\\",
    "\\\\n",
    "a\\tb\tc\rd\be\x0bf\x0c",
    "\\N\\N",
]


@pytest.fixture(scope="module")
def url(server_url: str) -> Iterator[str]:
    with psycopg.connect(server_url, autocommit=True) as admin:
        admin.execute("create database exports template template0 encoding 'UTF8'")
        found = f"postgresql://postgres@/exports?host={admin.info.host}"
        migrate(found)
        with psycopg.connect(found, autocommit=True) as connection:
            connection.execute(
                "create view mart_v1.kinds as select n::bigint as number, n::smallint as small, n / 8.0 as part,"
                " n / 8.0::float8 as inexact,"
                " n % 2 = 0 as flag, date '2026-02-28' + n::int as day,"
                " timestamptz '2026-01-01 00:00:00.25+07' + n * interval '1 hour' as moment,"
                " case when n <> 3 then n::text end as text,"
                " array['a', null, 'b,\"c'] as names, array[n::bigint] as numbers, jsonb_build_object('k', n) as said,"
                " -n::int as minus from generate_series(1, 5) n"
            )
            values = ", ".join(f"({n}, E{psycopg.sql.quote(text)})" for n, text in enumerate(HOSTILE)).replace(
                "E E'", "E'"
            )
            connection.execute(
                f"create view mart_v1.hostile as select * from (values {values}, (99, null)) v (n, text)"
            )  # type: ignore[call-overload]
        yield found
        admin.execute("drop database exports with (force)")


@pytest.fixture
def connection(url: str) -> Iterator[psycopg.Connection]:
    with closing(psycopg.connect(url, autocommit=True)) as opened:
        yield opened


@pytest.fixture
def write(connection: psycopg.Connection, tmp_path: Path) -> Callable[..., Exported]:
    def to(*names: str, form: Form = "parquet", folder: Path = tmp_path / "out", **more: Any) -> Exported:
        more.setdefault("personal", _purpose())
        return export(connection, {}, {}, names, folder, form, **more)

    return to


def _purpose() -> Personal:
    return Personal("kiểm thử", "test")


def test_parquet_has_every_value_with_its_type(write: Callable[..., Exported], connection: psycopg.Connection) -> None:
    done = write("kinds", "hostile")
    table = parquet.read_table(done.folder / "kinds.parquet")
    kinds = {f.name: f.type for f in table.schema}
    assert kinds["part"] == pa.decimal128(38, 19) or pa.types.is_decimal(kinds["part"])
    assert kinds["day"] == pa.date32() and kinds["flag"] == pa.bool_() and kinds["moment"] == pa.timestamp("us", "UTC")
    assert kinds["names"] == pa.list_(pa.string()) and kinds["numbers"] == pa.list_(pa.int64())
    found = table.to_pylist()
    columns = [f.name for f in table.schema]
    wanted = [dict(zip(columns, r, strict=True)) for r in connection.execute("select * from mart_v1.kinds").fetchall()]
    for row in wanted:
        row["said"] = json.dumps(row["said"])
    assert found == wanted
    texts = parquet.read_table(done.folder / "hostile.parquet").to_pylist()
    assert [r["text"] for r in texts] == [*HOSTILE, None]
    assert table.schema.metadata[b"lienthong.publish"] == b"0"
    assert done.files[0].rows == 5 and done.files[1].rows == len(HOSTILE) + 1


@pytest.mark.parametrize("form", ["csv", "package"])
def test_csv_runs_nothing_and_keeps_numbers(form: Form, write: Callable[..., Exported]) -> None:
    done = write("kinds", "hostile", form=form)
    data = (done.folder / "hostile.csv").read_bytes()
    assert data.startswith(b"\xef\xbb\xbf") == (form == "csv")
    assert data.count(b"\r\n") == len(HOSTILE) + 2 and b",\r\n" in data and b',""\r\n' in data
    with (done.folder / "hostile.csv").open(encoding="utf-8-sig", newline="") as file:
        texts = [r["text"] for r in csv.DictReader(file)]
    assert texts == [*map(inert_one, HOSTILE), ""]
    assert not any(t.startswith(FORMULA_SIGNS) for t in texts)
    with (done.folder / "kinds.csv").open(encoding="utf-8-sig", newline="") as file:
        first = next(csv.DictReader(file))
    assert (first["number"], first["minus"], first["flag"], first["day"]) == ("1", "-1", "false", "2026-03-01")
    assert Decimal(first["part"]) == Decimal("0.125")
    assert datetime.fromisoformat(first["moment"]) == datetime(2025, 12, 31, 18, 0, 0, 250000, tzinfo=UTC)
    assert first["moment"].endswith("+07:00")
    assert json.loads(first["names"]) == ["a", None, 'b,"c'] and json.loads(first["said"]) == {"k": 1}


@given(
    st.lists(
        st.one_of(st.none(), st.text(), st.sampled_from(FORMULA_SIGNS).flatmap(lambda s: st.text().map(s.__add__)))
    )
)
def test_no_text_runs_and_each_is_read_back(texts: list[str | None]) -> None:
    texts = [t and t.encode("utf-8", "ignore").decode().replace("\0", "") for t in texts]
    column = pl.Series(texts, dtype=pl.String)
    wanted = [t if t is None else inert_one(t) for t in texts]
    assert inert_expr(column).to_list() == wanted
    assert not any(t is not None and t.startswith(FORMULA_SIGNS) for t in wanted)
    table = pa.table(
        {"number": pa.array([-n for n in range(len(texts))], pa.int64()), "text": pa.array(texts, pa.string())}
    )
    out = io.BytesIO()
    with CsvFile(Sink(out), table.schema, mark=True) as writer:
        writer.write(table)
    read = list(csv.reader(io.StringIO(out.getvalue().decode("utf-8-sig"), newline="")))
    assert read == [["number", "text"], *([str(-n), t or ""] for n, t in enumerate(wanted))]


def test_blocks_cut_nothing(connection: psycopg.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("assets.marts.exports.stream._BLOCK", 1000)
    fields = [Field("n", "int4"), Field("text", "text")]
    text = "case when n % 7 = 0 then E'a\\nb\"' when n % 5 = 0 then '' end"
    relation = f"(select n, {text} as text from generate_series(1, 5000) n) v"
    schema, tables = arrow_schema(connection, relation, fields), []
    with connection.transaction():
        assert stream(connection, relation, fields, schema, tables.append) == 5000
    assert len(tables) > 20
    texts = {7: 'a\nb"', 5: ""}
    assert pa.concat_tables(tables).to_pylist() == [
        {"n": n, "text": texts[7] if n % 7 == 0 else texts[5] if n % 5 == 0 else None} for n in range(1, 5001)
    ]


_WIRE = st.text(
    st.one_of(st.sampled_from("\\Nntrbfv.\t\n\r\"'"), st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
)


@given(st.lists(st.one_of(st.none(), _WIRE), max_size=20), st.booleans())
@example([None, "", "\\.", "\\N", None], False)
def test_every_text_comes_through(connection: psycopg.Connection, texts: list[str | None], alone: bool) -> None:
    with connection.transaction(force_rollback=True):
        connection.execute("create temporary table said (n integer, text text) on commit drop")
        connection.execute("insert into said select n, t from unnest(%s::text[]) with ordinality u (t, n)", [texts])
        fields = [Field("text", "text")] if alone else [Field("text", "text"), Field("n", "int4")]
        schema = arrow_schema(connection, "said", fields)
        tables: list[pa.Table] = []
        assert stream(connection, "said", fields, schema, tables.append, " order by n") == len(texts)
    assert [t for table in tables for t in table["text"].to_pylist()] == texts


def test_an_empty_view_has_its_columns(write: Callable[..., Exported]) -> None:
    done = write("successions", "submission_log")
    table = parquet.read_table(done.folder / "successions.parquet")
    assert table.num_rows == 0 and "predecessor_id" in table.column_names
    assert write("successions", form="csv").files[0].rows == 0
    assert (done.folder / "successions.csv").read_bytes().startswith(b"\xef\xbb\xbfdataset,predecessor_id,")


@pytest.mark.parametrize("value", ["date 'infinity'", "timestamptz 'infinity'", "1e60::numeric", "'NaN'::numeric"])
def test_a_value_without_a_place_is_refused_and_not_told(
    value: str, write: Callable[..., Exported], connection: psycopg.Connection, tmp_path: Path
) -> None:
    connection.execute(f"create or replace view mart_v1.odd as select {value} as v from generate_series(1, 100000)")  # type: ignore[call-overload]
    try:
        with pytest.raises(ExportRefused, match="does not fit") as refused:
            write("odd")
        assert not any(said in str(refused.value) for said in ("infinity", "0044", "000000"))
        assert not (tmp_path / "out").exists()
        # the connection goes on
        assert connection.execute("select 1").fetchone() == (1,)
    finally:
        connection.execute("drop view mart_v1.odd")


def test_a_query_that_fails_half_way_leaves_nothing(
    write: Callable[..., Exported], connection: psycopg.Connection, tmp_path: Path
) -> None:
    write("hostile")
    before = {p.name: p.read_bytes() for p in (tmp_path / "out").iterdir()}
    connection.execute("create view mart_v1.failing as select 1 / (90000 - n) as v from generate_series(1, 100000) n")
    try:
        with pytest.raises(psycopg.errors.DivisionByZero):
            write("hostile", "failing")
    finally:
        connection.execute("drop view mart_v1.failing")
    assert {p.name: p.read_bytes() for p in (tmp_path / "out").iterdir()} == before


def test_what_cannot_be_had_is_said(write: Callable[..., Exported]) -> None:
    for asked, more, said in (
        (["kindz"], {}, "did you mean kinds"),
        (["vault.nothing"], {}, "there is no view vault.nothing"),
        (["hostile"], {"number": 7}, "no publish 7; the newest is 0"),
        (["hostile"], {"at": datetime(2020, 1, 1, tzinfo=UTC)}, "nothing was published before 2020-01-01"),
        (["findings"], {"personal": None}, "findings: apps may not read this; say --personal"),
        (["kinds"], {"personal": None}, "--personal"),
        ([], {}, "at least one view"),
    ):
        with pytest.raises(ExportRefused, match=said):
            write(*asked, **more)


# ----------------------------------------------------------------------------------------------------------- the folder


def test_only_what_is_ours_is_replaced(write: Callable[..., Exported], tmp_path: Path) -> None:
    out = tmp_path / "out"
    write("kinds", "hostile")
    (out / "mine.txt").write_text("của tôi")
    done = write("hostile", form="csv")
    assert done.removed == ["hostile.parquet", "kinds.parquet"]
    assert sorted(p.name for p in out.iterdir()) == ["export.json", "hostile.csv", "mine.txt"]
    package = write("hostile", form="package")
    assert sorted(p.name for p in out.iterdir()) == ["datapackage.json", "dictionary.md", "hostile.csv", "mine.txt"]
    assert package.removed == []
    (out / "kinds.csv").write_text("của tôi")
    with pytest.raises(ExportRefused, match=r"kinds\.csv is there already"):
        write("kinds", "hostile", form="package")
    (out / "kinds.csv").unlink()
    (out / "hostile.csv").write_text("sửa tay")
    for again in ({"form": "csv"}, {"form": "parquet"}):
        with pytest.raises(ExportRefused, match=r"hostile\.csv was changed since"):
            write("hostile", **again)
    assert (out / "hostile.csv").read_text() == "sửa tay" and not list(out.glob(".lienthong*"))


def test_a_description_of_somebody_else_is_no_licence_to_remove(write: Callable[..., Exported], tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (tmp_path / "outside.txt").write_text("x")
    (out / "datapackage.json").write_text('{"resources": [{"path": "a.csv", "hash": ""}]}')
    with pytest.raises(ExportRefused, match=r"datapackage\.json is there already"):
        write("hostile")
    (out / "datapackage.json").unlink()
    listed = {"made_by": "lienthong export", "files": [{"path": "../outside.txt", "sha256": ""}, {"path": 1}]}
    for text in (json.dumps(listed), "[1", "[]", '{"made_by": "lienthong export"}'):
        (out / "export.json").write_text(text)
        if text.startswith("[") or "files" not in text:
            with pytest.raises(ExportRefused, match=r"export\.json is there already"):
                write("hostile")
    assert (tmp_path / "outside.txt").read_text() == "x"


def test_one_export_at_a_time(write: Callable[..., Exported], tmp_path: Path) -> None:
    with exporting(tmp_path / "out"), pytest.raises(ExportRefused, match="another export"):
        write("hostile")
    (tmp_path / "file").write_text("")
    with pytest.raises(ExportRefused, match="is no folder"):
        write("hostile", folder=tmp_path / "file" / "in")
    assert not (tmp_path / "out").exists()


_KILLED = """
import os, signal, sys
import psycopg
from pathlib import Path
from assets.marts.exports import export, folder
url, out, where, count = sys.argv[1], Path(sys.argv[2]), sys.argv[3], int(sys.argv[4])
kind = folder.Folder if where.startswith("_") else folder.Sink
plain = getattr(kind, where)
def counted(self, *arguments):
    global count
    if not count:
        os.kill(os.getpid(), signal.SIGKILL)
    count -= 1
    return plain(self, *arguments)
setattr(kind, where, counted)
with psycopg.connect(url, autocommit=True) as connection:
    export.export(connection, {}, {}, ["kinds", "hostile"], out, "csv", personal=export.Personal("t", "t"))
"""


@pytest.mark.parametrize(("where", "count"), [("write", 5), ("_rename", 0), ("_rename", 1), ("_rename", 3)])
def test_killed_in_the_middle_nothing_looks_whole(
    where: str, count: int, url: str, write: Callable[..., Exported], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    write("successions", "hostile", form="csv")
    before = {p.name: p.read_bytes() for p in out.iterdir()}
    (out / "mine.txt").write_text("của tôi")
    done = subprocess.run(
        [sys.executable, "-c", _KILLED, url, str(out), where, str(count)],
        env={**os.environ, "PYTHONPATH": str(ROOT)}, check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == -signal.SIGKILL, done.stderr
    left = {p.name: p.read_bytes() for p in out.iterdir() if not p.name.startswith(".") and p.name != "mine.txt"}
    whole = [n for n in folder_module.DESCRIPTIONS if n in left]
    assert (left == before) if whole else ("export.json" not in left)
    again = write("kinds", form="csv")
    assert sorted(p.name for p in out.iterdir()) == ["export.json", "kinds.csv", "mine.txt"]
    assert again.files[0].rows == 5


def test_files_of_persons_are_for_their_owner(
    write: Callable[..., Exported], connection: psycopg.Connection, tmp_path: Path
) -> None:
    done = write("findings")
    assert (done.folder / "findings.parquet").stat().st_mode & 0o777 == 0o600
    row = connection.execute(
        "select who, action, dataset, reason, details from ops.audit order by audit_id desc limit 1"
    ).fetchone()
    assert row == ("test", "export", "mart_v1.findings", "kiểm thử", {"form": "parquet", "publish": None, "at": None})
    write("submission_log", personal=None, folder=tmp_path / "other", by="ai đó")
    assert (tmp_path / "other" / "export.json").stat().st_mode & 0o044
    newest = "select who, dataset, reason from ops.audit order by audit_id desc limit 1"
    assert connection.execute(newest).fetchone() == ("ai đó", "mart_v1.submission_log", "open to apps")
    with pytest.raises(Unreasonable, match="identity card"):
        write("findings", personal=Personal("CCCD 056085001234", "test"), folder=tmp_path / "third")
    assert not (tmp_path / "third").exists()
