"""Law 6, for people: no number of an identity card outside the vault, wherever senders write it.

Marked numbers stand in every place of a file that a number could stand in. Everything is run as an installation runs it, the
job through Dagster with its event log, and then everything that is kept or said is searched: every table but those of the vault,
every file under the home, the logs, and what the commands print. The sender's own answer may hold a mask.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest
from typer.testing import CliRunner

from pipelines.cli import app
from tests.e2e.flows import World, text_csv, workbook

HEAD = ("Số CCCD", "Số CMND", "Họ và tên", "Ngày sinh", "Giới tính", "Chức vụ", "Đơn vị công tác")


class Marks:
    """Numbers that are nobody's and stand nowhere else: each is given out once."""

    def __init__(self) -> None:
        self.given: list[str] = []

    def citizen(self) -> str:
        """A valid number of a man born in 1985."""
        return self._next(f"056085{731000 + len(self.given) * 7:06d}")

    def card(self) -> str:
        """An old card's."""
        return self._next(f"22573{1000 + len(self.given) * 7:04d}")

    def _next(self, number: str) -> str:
        self.given.append(number)
        return number

    @property
    def pattern(self) -> re.Pattern[str]:
        # the digits alone: also of one that has lost its leading zero
        return re.compile("|".join(re.escape(n.lstrip("0")) for n in self.given))


def spaced(number: str, separator: str) -> str:
    return separator.join(number[i : i + 3] for i in range(0, len(number), 3))


def person(number: Any, name: str = "Nguyễn Văn Mốc", *, card: Any = None, born: str = "01/02/1985", sex: str = "Nam",
           position: Any = "Kế toán", place: Any = "Văn phòng") -> tuple[Any, ...]:  # fmt: skip
    return (number, card, name, born, sex, position, place)


def planted(world: World, m: Marks) -> list[str]:
    """Fill the inbox; the places of the files."""
    a, b, c, d, e, f, g, h = world.communes[:8]
    rows = [
        (f"DANH SÁCH CÁN BỘ, người lập {m.citizen()}",),
        (f"Số giấy tờ {spaced(m.citizen(), ' ')} kèm theo công văn",),
        HEAD,
        person(m.citizen(), card=m.card()),
        person(m.citizen(), born="01/02/1986"),  # contradicts itself
        person(m.citizen(), sex="Nữ"),
        person(m.citizen()[1:]),  # a lost zero
        person(int(m.citizen())),  # a number cell
        person(spaced(m.citizen(), ".")), person(spaced(m.citizen(), " ")), person(spaced(m.citizen(), "-")),
        person(spaced(m.citizen(), "\u00a0")), person(spaced(m.citizen(), "\u200b")), person(f"'{m.citizen()}"),
        person(f"CCCD {m.citizen()}"), person(f"{m.citizen()}; {m.citizen()}"), person(m.citizen() + "9"),
        person(m.citizen() + ".0"), person(f"={m.citizen()}"), person(f"{m.citizen()} (cũ {m.card()})"),
        person(m.card()),  # an old card in the column of the new
        person(None, card=m.card()), person(m.citizen(), card=m.citizen()), person(m.citizen(), card=f"{m.card()}x"),
        person(m.citizen(), name=f"Nguyễn Văn {m.citizen()}"),
        person(m.citizen(), name=m.citizen()),
        person(m.citizen(), position=f"Kế toán {m.citizen()}"),
        person(m.citizen(), place=f"VP {spaced(m.citizen(), '.')}"),
        person(m.citizen(), born=m.citizen()), person(m.citizen(), sex=m.citizen()),
        person(m.citizen(), name=None), person(None, name=f"{m.card()}"),
        *[person(twice := m.citizen()), person(twice), person(twice, position="Thủ quỹ")],
        *[person(again := m.citizen()), person(again)],
        ("Tổng cộng", m.citizen(), m.card()),
        (f"Ghi chú: {m.citizen()} nghỉ việc",),
        ("Người lập biểu", None, f"Lê Văn Ghi {spaced(m.citizen(), ' ')}"),
        (None, None, f"CCCD số {m.citizen()}"),
    ]  # fmt: skip
    elsewhere = [
        ("Mã xã", *HEAD), (b, *person(m.citizen())), (c, *person(m.citizen())), (m.citizen(), *person(m.citizen())),
        (f"xã {m.card()}", *person(m.citizen())),
    ]  # fmt: skip
    named = workbook(
        [HEAD, person(m.citizen())], sheet=f"T{m.citizen()}", **{f"S {m.card()}": [HEAD, person(m.citizen())]}
    )
    books = [
        world.drop(a, workbook(rows), "can_bo.xlsx"),
        world.drop(a, text_csv([["" if v is None else v for v in r] for r in rows[2:]]), "can_bo.csv", period="2026-Q1"),
        world.drop(b, workbook(elsewhere), "ngoai.xlsx"),
        world.drop(c, workbook([(*HEAD, f"Cột {m.citizen()}"), (*person(m.citizen()), m.citizen())]), "cot.xlsx"),
        world.drop(c, workbook([(f"Số CCCD {m.citizen()}", *HEAD[1:]), person(m.citizen())]), "dau.xlsx", period="2026-Q1"),
        world.drop(d, workbook([person(m.citizen()), person(m.citizen())]), "khong_dau.xlsx"),  # no header at all
        world.drop(d, text_csv([person(m.citizen(), card="")]), "khong_dau.csv", period="2026-Q1"),
        world.drop(e, named, "trang.xlsx"),
        world.drop(f, workbook([HEAD, person(m.citizen())]), "ben.xlsx", sidecar=f"as_of: {m.citizen()}\n"),
        world.drop(f, workbook([HEAD, person(m.citizen())]), "ben2.xlsx", sidecar=f"{m.citizen()}: x\n"),
        world.drop(f, workbook([HEAD, person(m.citizen())]), "ben3.xlsx", sidecar=f"dataset: '{m.citizen()}'\n"),
        world.drop(g, f"Số CCCD,Họ và tên\n\"{m.citizen()},Nguyễn\n{m.citizen()},Lê\n".encode(), "hong.csv"),
        world.drop(g, f"Số CCCD,Họ tên,Ngày sinh\n{m.citizen()},Lê,1,{m.citizen()}\n".encode(), "lech.csv", period="2026-Q1"),
        world.drop(h, json.dumps([{"Số CCCD": m.citizen(), "Họ và tên": "Lê", m.citizen(): 1}]).encode(), "a.json"),
        world.drop(h, f"<table><tr><td>{m.citizen()}</td></tr></table>".encode(), "a.xls", period="2026-Q1"),
        world.drop(world.communes[9], workbook([HEAD, person(shared := m.citizen())]), "hai.xlsx"),
        world.drop(world.communes[10], workbook([HEAD, person(shared)]), "hai.xlsx"),
    ]  # fmt: skip
    posts = [("Số CCCD", "Mã tổ chức", "Chức danh", "Từ ngày"), (m.citizen(), m.citizen(), m.citizen(), m.citizen())]
    books.append(world.drop("SNV", workbook(posts), "chuc_danh.xlsx", period="2026-06"))
    return books


def tables(world: World) -> Iterator[tuple[str, str]]:
    """(table, text) of every row outside the vault."""
    with closing(psycopg.connect(world.url, autocommit=True)) as connection:
        names = connection.execute(
            "select table_schema || '.' || table_name, quote_ident(table_schema) || '.' || quote_ident(table_name) "
            "from information_schema.tables where table_schema not in ('vault', 'pg_catalog', 'information_schema')"
        ).fetchall()
        for name, quoted in names:
            for (text,) in connection.execute(f"select to_jsonb(t)::text from {quoted} t"):  # type: ignore[call-overload]
                yield name, text


def squeezed(text: str) -> str:
    """Without what may stand between digits."""
    return re.sub(r"[\s.,'’\-\u00ad\u200b-\u200f]|\\u00a0|\\u200b", "", text)


def searched(found: Iterator[tuple[str, str]], pattern: re.Pattern[str]) -> list[str]:
    out = []
    for where, text in found:
        for form in (text, squeezed(text)):
            if hit := pattern.search(form):
                out.append(f"{where}: …{form[max(hit.start() - 80, 0) : hit.end() + 30]}…")
                break
    return out


def files(home: Path) -> Iterator[tuple[str, str]]:
    """(name, text) of every file of the installation but what senders put there; also as the bytes of UTF-16."""
    for path in sorted(p for p in home.rglob("*") if p.is_file()):
        if path.is_relative_to(home / "inbox"):
            continue
        yield path.name, str(path.relative_to(home))
        data = path.read_bytes()
        yield path.name, data.decode("latin-1")
        yield f"{path.name} (UTF-16)", data.replace(b"\0", b"").decode("latin-1")


def test_no_number_is_outside_the_vault(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    marks = Marks()
    places = planted(world, marks)
    environment = {
        "LIENTHONG_HOME": str(world.home),
        "LIENTHONG_DATABASE_URL": world.url,
        "LIENTHONG_SETTLE_SECONDS": "0",
    }
    said: list[tuple[str, str]] = []

    def call(*arguments: str) -> Any:
        done = CliRunner().invoke(app, list(arguments), env=environment)
        said.append((" ".join(arguments), done.stdout + done.stderr))
        assert done.exit_code in (0, 1), (arguments, done.stderr)
        return done

    call("run", "--dry-run", "--json")
    call("run", "--json")
    call("replay")
    states = dict(
        world.rows(
            "select d.origin, array_agg(s.state) from intake.submission s join intake.delivery d using (delivery_id) group by 1"
        )
    )
    assert set(states) == set(places)
    assert world.rows("select count(*) > 10 from vault.staff_history") == [(True,)]
    call("status")
    call("status", "--json")
    for dataset in ("staff", "assignments"):
        call("status", "--dataset", dataset, "--json")
    for (name,) in world.rows("select submission_id from intake.submission"):
        call("show", name)
        call("show", name, "--json")
    for (entity,) in world.rows("select distinct person_id from mart_v1.staff_history order by 1 limit 10"):
        call("trace", "staff", "--id", str(entity), "--json")
        call("trace", "staff", "--id", str(entity))
        call("why", str(entity), "--dataset", "staff", "--json")
    from assets.core.worklists import LISTS

    call("worklist", "--json")
    for name in LISTS:
        call("worklist", name, "--json")
    call("worklist", "--xlsx", str(world.home / "worklists.xlsx"))
    call("vault", "status", "--json")
    for origin in places[:2]:
        sender, period = origin.split("/")[1], origin.split("/")[0]
        call("check", str(world.home / "inbox" / origin), "--sender", sender, "--period", period, "--json")
        call("check", str(world.home / "inbox" / origin), "--sender", sender, "--period", period)
    logged = "\n".join(logging.Formatter("%(name)s %(message)s").format(r) for r in caplog.records)
    found = [
        *(f"table {w}" for w in searched(tables(world), marks.pattern)),
        *(f"file {w}" for w in searched(files(world.home), marks.pattern)),
        *(f"output {w}" for w in searched(iter(said), marks.pattern)),
        *(f"log {w}" for w in searched(iter([("log", logged)]), marks.pattern)),
    ]
    assert not found, f"{len(found)} places:\n" + "\n".join(found[:40])
    # the answer to the sender shows which number it was
    answer = json.dumps(world.submission(places[0]), ensure_ascii=False, default=str)
    assert re.search(r"056\*{6}\d{3}", answer)
    assert (world.home / "dagster").is_dir() and len(logged) > 1000
