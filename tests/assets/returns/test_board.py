"""The board: its figures are those of ``mart_v1``, each audience sees what it may, and the site stands by itself."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from posixpath import dirname, join, normpath

import pytest
from lxml import html

from assets.reference.units import load_places
from assets.returns.board import pictures
from assets.returns.board.read import PROVINCE, PUBLIC
from assets.returns.board.site import Built, build
from tests.e2e import invented
from tests.e2e.conftest import Make, _template, make_world  # noqa: F401
from tests.e2e.flows import World, villages

HOSTILE = '<script>alert(1)\u202e=cmd|".xlsx'


@pytest.fixture(scope="module")
def world(make_world: Make) -> World:  # noqa: F811
    """An invented province of a quarter, with a list that has a faulty row under a hostile name."""
    found = make_world()
    frames = invented.province(found.communes)
    invented.send(found, {k: v for k, v in frames.items() if k != "villages"})
    a, b, c = found.communes[:3]
    found.drop(a, villages(("Thôn Một", 100, 400), ("Thôn Hai", 250, 900)), at=datetime(2026, 7, 1, 3, tzinfo=UTC))
    found.drop(
        b,
        villages(("Thôn Ba", "nhiều lắm", 400), ("Thôn Bốn", 90, 300)),
        HOSTILE,
        at=datetime(2026, 7, 20, 3, tzinfo=UTC),
    )
    found.drop(c, b"%PDF-1.4", "thon.pdf", at=datetime(2026, 7, 2, 3, tzinfo=UTC))
    found.run()
    return found


def made(world: World, folder: Path, audience: str = PUBLIC) -> Built:
    with world.connection() as connection:
        return build(connection, world.pipeline.contracts, load_places(), folder, audience)


@pytest.fixture(scope="module")
def public(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("board") / "public"
    built = made(world, folder)
    assert built.written == len([p for p in folder.rglob("*") if p.is_file()]) and built.drawn > 20
    return folder


def pages(folder: Path) -> Iterator[tuple[str, html.HtmlElement]]:
    for path in sorted(folder.rglob("*.html")):
        yield path.relative_to(folder).as_posix(), html.fromstring(path.read_text(encoding="utf-8"))


def rows(folder: Path, path: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO((folder / path).read_text(encoding="utf-8-sig"))))


def test_its_figures_are_those_of_the_warehouse(world: World, public: Path) -> None:
    wanted = world.rows(
        "select distinct on (indicator, variant) indicator, variant, value, period from mart_v1.indicator_value v "
        "where unit_kind = 'PROVINCE' and (indicator, variant) in (select indicator, variant from mart_v1.indicators) "
        "order by indicator, variant, value is null, as_of desc, "
        "array_position(array['month', 'quarter', 'half', 'year'], period_kind)"
    )
    shown = {}
    for theme in sorted((public / "themes").iterdir()):
        page = html.fromstring(theme.read_text(encoding="utf-8"))
        for line in page.xpath("(//table)[1]/tbody/tr"):
            cells = [" ".join(c.text_content().split()) for c in line.xpath("./th|./td")]
            shown[cells[0]] = (cells[1], cells[3])
    names = {
        (r[0], r[1]): f"{r[0]} {r[2]}" for r in world.rows("select indicator, variant, name_vi from mart_v1.indicators")
    }
    vietnamese = str.maketrans(",.", ".,")
    for indicator, variant, value, period in wanted:
        text = "" if value is None else f"{value:,f}".rstrip("0").rstrip(".") if "." in f"{value:f}" else f"{value:,f}"
        assert shown[names[indicator, variant]] == (text.translate(vietnamese), period), (indicator, variant)
    assert len(wanted) > 60


def test_the_table_of_units_and_its_csv_say_the_same_as_the_warehouse(world: World, public: Path) -> None:
    head, *lines = rows(public, "csv/I26_don_vi.csv")
    assert head[:3] == ["Đơn vị", "Kỳ", "Giá trị"]
    wanted = world.rows(
        "select unit_name, period, value from mart_v1.indicator_value where indicator = 'I26' "
        "and variant = '' and unit_kind = 'COMMUNE'"
    )
    assert sorted(tuple(line[:3]) for line in lines) == sorted((n, p, str(v)) for n, p, v in wanted)
    tiles = html.fromstring((public / "indicators" / "I26.html").read_text(encoding="utf-8")).xpath(
        "(//table[@class='tiles'])[1]//td/b"
    )
    assert len(tiles) == 65 and sum(t.text != "?" for t in tiles) == len(wanted)


def test_the_matrix_says_who_sent_what(world: World, public: Path) -> None:
    a, b, c, d = world.communes[:4]
    lines = {
        r[0]: dict(zip(rows(public, "csv/nop_2026-Q2.csv")[0], r, strict=True))
        for r in rows(public, "csv/nop_2026-Q2.csv")[1:]
    }
    assert [lines[s]["villages"] for s in (a, b, c, d)] == ["DAT", "DAT_MOT_PHAN", "CHUA_NOP", "CHUA_NOP"]
    page = html.fromstring((public / "index.html").read_text(encoding="utf-8"))
    assert len(page.xpath("//table[contains(@class, 'matrix')]/tbody/tr")) == len(lines)
    log = dict(
        world.rows(
            "select state, count(*) from mart_v1.submission_log where dataset = 'villages' and period = '2026-Q2' group by 1"
        )
    )
    told = [line["villages"] for line in lines.values() if line["villages"]]
    assert {state: told.count(state) for state in set(told)} == log


def test_what_a_sender_and_a_dataset_come_to_over_time_is_what_the_log_says(world: World, public: Path) -> None:
    sender = world.communes[1]
    sums = (
        "select {step}, count(*) filter (where due)::text, count(received_at)::text, count(*) filter (where due and "
        "(received_at at time zone 'Asia/Ho_Chi_Minh')::date <= due_on)::text, sum(rows_accepted)::text, sum(rows_faulty)::text "
        "from mart_v1.submission_log where {whose} group by 1 order by 1 desc"
    )
    of_sender = sums.format(step="to_char(period_last, 'YYYY-\"Q\"Q')", whose=f"sender = '{sender}'")
    assert rows(public, f"csv/don_vi_{sender}_quy.csv")[1:] == [list(r) for r in world.rows(of_sender)]
    of_dataset = sums.format(step="period", whose="dataset = 'villages'")
    found = rows(public, "csv/bo_villages.csv")[1:]
    assert found == [list(r) for r in world.rows(of_dataset)] and any(r[5] != "0" for r in found)


def test_each_sees_what_they_may(world: World, public: Path, tmp_path: Path) -> None:
    a, b = world.communes[:2]
    made(world, tmp_path / "own", b)
    made(world, tmp_path / "province", PROVINCE)

    def says(folder: Path, text: str) -> set[str]:
        return {
            p.relative_to(folder).as_posix()
            for p in folder.rglob("*")
            if p.is_file() and text in p.read_text(encoding="utf-8-sig")
        }

    (mine,) = [
        r[0]
        for r in world.rows(
            "select submission_id from intake.submission where sender = %s and dataset = 'villages'", [b]
        )
    ]
    (other,) = [
        r[0]
        for r in world.rows(
            "select submission_id from intake.submission where sender = %s and dataset = 'villages'", [a]
        )
    ]
    assert not says(public, mine) and not says(public, "cmd|")
    own = {f"senders/{b}.html", f"csv/ban_nop_{b}.csv", f"answers/{mine}.html"}
    assert says(tmp_path / "own", mine) == own and not says(tmp_path / "own", other)
    # the answer, with what stands in the cell, is for its sender alone
    (row,) = [r for r in world.submission(f"2026-Q2/{b}/{HOSTILE}")["rows"] if r["severity"] == "error"]
    page = html.fromstring((tmp_path / "own" / "answers" / f"{mine}.html").read_text(encoding="utf-8"))
    told = [" ".join(c.text_content().split()) for c in page.xpath("(//table)[last()]/tbody/tr[1]/*")]
    assert told[3:] == ["nhiều lắm", row["message"], row["remedy"]] and told[0].endswith(row["address"])
    answers = {f"answers/{mine}.html", f"csv/tra_loi_{mine}.csv"}
    assert says(tmp_path / "own", "nhiều lắm") == answers
    # the trend is drawn for who may look closer
    drawn = {
        f: "<figure>" in (f / "senders" / f"{b}.html").read_text(encoding="utf-8") for f in (public, tmp_path / "own")
    }
    assert drawn == {public: False, tmp_path / "own": True}
    assert says(tmp_path / "province", other) == {f"senders/{a}.html", f"csv/ban_nop_{a}.csv"}
    assert not says(public, "nhiều lắm") and not says(tmp_path / "province", "nhiều lắm")
    # nothing that a sender wrote is more than a text
    for folder in (public, tmp_path / "own", tmp_path / "province"):
        assert not [f for f in says(folder, "<script") if f.endswith(".html")]
    with pytest.raises(ValueError, match="there is no sender 99999"):
        made(world, tmp_path / "none", "99999")


def test_the_site_stands_by_itself_and_can_be_read_without_seeing(public: Path) -> None:
    files = {p.relative_to(public).as_posix() for p in public.rglob("*") if p.is_file()}
    linked = {"index.html", "style.css"}
    for name, page in pages(public):
        assert page.get("lang") == "vi" and page.xpath("//title")[0].text.strip() and len(page.xpath("//h1")) == 1, name
        ids = page.xpath("//@id")
        assert len(ids) == len(set(ids)), name
        assert not page.xpath("//script|//iframe|//*[@style]"), name
        for image in page.xpath("//img"):
            assert image.get("alt"), name
        for table in page.xpath("//table[not(@class='tiles')]"):
            assert (
                table.xpath("./caption") and table.xpath(".//th[@scope='col']") and table.xpath(".//th[@scope='row']")
            ), name
        for link in page.xpath("//@href|//@src"):
            if link.startswith(("#", "data:")):
                continue
            assert not re.match(r"[a-z]+:|//", link), (name, link)
            target = normpath(join(dirname(name), link))
            assert target in files, (name, link)
            linked.add(target)
    assert files == linked
    for path in public.rglob("*.svg"):
        text = path.read_text(encoding="utf-8")
        assert "<text" in text and not re.search(r"(?:href|url)\s*[=(]\s*[\"']?https?:", text)


def test_what_did_not_change_is_left_alone_and_what_is_gone_is_removed(world: World, public: Path) -> None:
    before = {p: p.stat().st_mtime_ns for p in public.rglob("*") if p.is_file()}
    (public / "senders" / "old.html").write_text("old")
    half = public / "index.html"
    half.write_text("<!doctype html><p>broken off")
    again = made(world, public)
    assert (again.written, again.removed, again.drawn) == (1, 1, 0) and again.same == len(before) - 1
    assert {p for p in before if p.stat().st_mtime_ns != before[p]} == {half}


def test_an_empty_warehouse_has_a_board_that_says_so(make_world: Make, tmp_path: Path) -> None:  # noqa: F811
    empty = make_world()
    with empty.connection() as connection:
        build(connection, empty.pipeline.contracts, {}, tmp_path)
    assert "Chưa có đơn vị nào nộp số liệu" in (tmp_path / "index.html").read_text(encoding="utf-8")


def test_every_commune_has_a_tile_of_its_own() -> None:
    places = load_places()
    grid = pictures.tiles(places)
    assert len(grid) == 65 == len(set(grid.values()))
    assert max(row for row, _ in grid.values()) <= 8 >= max(column for _, column in grid.values())
    north, south = (min(places, key=lambda c: sign * places[c][0]) for sign in (-1, 1))
    assert grid[north][0] == 0 and grid[south][0] == max(row for row, _ in grid.values())
