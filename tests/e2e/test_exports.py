"""Exports of an invented province: what readers saw at each publish, who may take what, the open-data set read by a stranger."""

from __future__ import annotations

import csv
import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pyarrow.parquet as parquet
import pytest

from assets.marts import publish as publishing
from assets.marts.exports import export as module
from assets.marts.exports.export import Personal, export
from assets.marts.exports.open_data import HIDDEN, export_open
from assets.marts.exports.small_cells import BELOW
from assets.marts.exports.views import ExportRefused, open_to_apps
from assets.marts.opened import open_datasets, people_columns
from schemas.roles import APP, STEWARD
from tests.e2e import invented
from tests.e2e.conftest import Make
from tests.e2e.flows import World, villages

Rows = Counter[str]


@pytest.fixture(scope="module")
def world(make_world: Make) -> World:
    """A world with an invented province at publish 1, and another list of one commune's villages at publish 2."""
    world = make_world()
    invented.send(world, invented.province(world.communes))
    assert world.run().published == 1
    world.drop(world.communes[0], villages(("Thôn Một", 111, 400), ("=Hai", 222, 800)), "khac.xlsx", period="2026-Q3")
    assert world.run().published == 2
    return world


def seen(world: World, view: str) -> Rows:
    """Rows of a view as texts, in no order."""
    return Counter(r[0] for r in world.rows(f"select v::text from {view} v"))


def exported(path: Path) -> Rows:
    return Counter(json.dumps(r, default=str, ensure_ascii=False) for r in parquet.read_table(path).to_pylist())


def out(world: World, names: list[str], folder: Path, form: Any = "parquet", **more: Any) -> Any:
    pipeline = world.pipeline
    with world.connection() as connection, closing(pipeline):
        return export(connection, pipeline.contracts, pipeline.indicators, names, folder, form, **more)


def test_every_view_at_the_present_publish_is_the_view(world: World, tmp_path: Path) -> None:
    names = [
        f"{s}.{v}" for s, v in world.rows(
            "select n.nspname, c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace "
            "where c.relkind = 'v' and n.nspname in ('mart_v1', 'vault')"
        )
    ]  # fmt: skip
    assert len(names) > 50
    who = Personal("so sánh", "test")
    now = out(world, names, tmp_path / "now", personal=who)
    then = out(world, names, tmp_path / "then", personal=who, at=datetime.now(UTC))
    assert [f.rows for f in now.files] == [f.rows for f in then.files]
    rows = {f.name: f.rows for f in now.files}
    for name in names:
        file = f"{name.removeprefix('mart_v1.')}.parquet"
        assert exported(tmp_path / "now" / file) == exported(tmp_path / "then" / file), name
        assert rows[file] == world.rows(f"select count(*) from {name}")[0][0]
    assert rows["villages.parquet"] > 20 and rows["vault.staff.parquet"] > 10 and rows["indicator_value.parquet"] > 1000
    # nothing of it stays with the connection or the database
    assert world.rows("select relname from pg_class where relpersistence = 't'") == []


def test_an_earlier_publish_is_what_readers_saw(world: World, tmp_path: Path) -> None:
    names = ["villages_history", "indicator_value", "submission_log", "population_of_todays_units", "mandate_answers"]
    newest = {n: seen(world, f"mart_v1.{n}") for n in names}
    present = out(world, names, tmp_path / "2")
    first = out(world, names, tmp_path / "1", number=1)
    (published,) = world.rows("select published_at from core.publish where number = 1")[0]
    (after,) = world.rows("select published_at from core.publish where number = 2")[0]
    timed = out(world, names, tmp_path / "timed", at=published + (after - published) / 2)
    assert (first.moment.number, timed.moment.number, present.moment.number) == (1, 1, 2)
    before = {n: exported(tmp_path / "1" / f"{n}.parquet") for n in names}
    for n in names:
        assert exported(tmp_path / "timed" / f"{n}.parquet") == before[n]
    latest = exported(tmp_path / "2" / "villages_history.parquet")
    assert before["villages_history"] != latest
    told = {"Thôn Một", "=Hai"}
    names_of = {r["village_name"] for r in parquet.read_table(tmp_path / "1" / "villages_history.parquet").to_pylist()}
    assert told.isdisjoint(names_of)
    # taken back: publish 3 shows publish 1 again, which the export of 1 is compared with
    with world.connection() as connection:
        publishing.back_to(connection, 1)
    try:
        back = out(world, names, tmp_path / "back")
        assert (back.moment.number, back.moment.shows) == (3, 1)
        for n in names:
            assert exported(tmp_path / "back" / f"{n}.parquet") == before[n], n
        again = out(world, names, tmp_path / "again", number=2)
        assert again.moment.shows == 2
        for n in names:
            assert exported(tmp_path / "again" / f"{n}.parquet") == exported(tmp_path / "2" / f"{n}.parquet"), n
    finally:
        with world.connection() as connection:
            publishing.back_to(connection, 2)
    assert {n: seen(world, f"mart_v1.{n}") for n in names} == newest


def test_all_files_are_of_one_publish_whatever_is_published_meanwhile(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, written = module._file, []

    def then_publish(*arguments: Any) -> Any:
        written.append(file(*arguments))
        if len(written) == 1:  # neither waits for the other: this runs while the export is open
            with world.connection() as other:
                publishing.back_to(other, 1)
        return written[-1]

    before = exported(out(world, ["villages_history"], tmp_path / "before").folder / "villages_history.parquet")
    monkeypatch.setattr(module, "_file", then_publish)
    try:
        done = out(world, ["villages", "villages_history"], tmp_path / "during")
        assert exported(done.folder / "villages_history.parquet") == before
        (number,) = world.rows("select max(publish) from mart_v1.publishes")[0]
        assert done.moment.number == number - 1
    finally:
        with world.connection() as connection:
            publishing.back_to(connection, 2)


@pytest.fixture
def app(world: World) -> Iterator[psycopg.Connection]:
    with world.connection() as connection:
        connection.execute(f"set role {APP}")
        yield connection


def test_an_app_exports_what_it_may_read(world: World, app: psycopg.Connection, tmp_path: Path) -> None:
    pipeline = world.pipeline
    both = (pipeline.contracts, pipeline.indicators)
    done = export(app, *both, ["villages", "indicator_value"], tmp_path / "app", "csv")
    assert [f.rows for f in done.files] == [
        world.rows(f"select count(*) from mart_v1.{v}")[0][0] for v in ("villages", "indicator_value")
    ]
    with pytest.raises(ExportRefused, match="may not read findings"):
        export(app, *both, ["findings"], tmp_path / "no")
    with pytest.raises(ExportRefused, match=r"may not read vault\.staff"):
        export(app, *both, ["vault.staff"], tmp_path / "no", personal=Personal("x", "y"))
    with pytest.raises(ExportRefused, match="the user of the pipeline only"):
        export(app, *both, ["villages"], tmp_path / "no", number=1)
    app.execute("reset role")
    app.execute(f"set role {STEWARD}")
    with pytest.raises(ExportRefused, match="may not write into the audit log"):
        export(app, *both, ["vault.staff"], tmp_path / "no", personal=Personal("x", "y"))
    assert not (tmp_path / "no").exists()
    for name in ("villages", "indicator_value", "population_of_todays_units", "theme_services"):
        assert f"mart_v1.{name}" in open_to_apps(pipeline.contracts.values(), pipeline.indicators)


def test_what_is_declared_for_apps_is_what_the_server_gives_them(world: World) -> None:
    given = {
        r[0] for r in world.rows(
            "select n.nspname || '.' || c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace "
            "where c.relkind = 'v' and n.nspname in ('mart_v1', 'vault') and has_table_privilege(%s, c.oid, 'select')", [APP]
        )
    }  # fmt: skip
    pipeline = world.pipeline
    assert open_to_apps(pipeline.contracts.values(), pipeline.indicators) == given


# ------------------------------------------------------------------------------------------------------- the open set


def read(folder: Path, package: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """Rows of a resource as a stranger reads them, who has the description and nothing else."""
    (resource,) = [r for r in package["resources"] if r["name"] == name]
    data = (folder / resource["path"]).read_bytes()
    assert len(data) == resource["bytes"] and resource["hash"] == f"sha256:{hashlib.sha256(data).hexdigest()}"
    fields = {f["name"]: f["type"] for f in resource["schema"]["fields"]}
    kinds: dict[str, Any] = {
        "integer": int, "number": float, "boolean": {"true": True, "false": False}.__getitem__,
        "date": datetime.fromisoformat, "datetime": datetime.fromisoformat, "array": json.loads, "object": json.loads,
    }  # fmt: skip
    rows = csv.DictReader(data.decode(resource["encoding"]).splitlines(keepends=True), **_dialect(resource["dialect"]))
    assert rows.fieldnames == list(fields)
    return [{k: None if v == "" else kinds.get(fields[k], str)(v) for k, v in r.items()} for r in rows]


def _dialect(said: dict[str, Any]) -> dict[str, Any]:
    return {"delimiter": said["delimiter"], "quotechar": said["quoteChar"], "doublequote": said["doubleQuote"]}


def test_a_package_keeps_what_it_says(world: World, tmp_path: Path) -> None:
    pipeline = world.pipeline
    names = sorted(
        {*open_to_apps(pipeline.contracts.values(), pipeline.indicators), "mart_v1.staff_masked", "vault.staff"}
    )
    out(world, names, tmp_path / "all", "package", personal=Personal("đối chiếu", "test"))
    said = json.loads((tmp_path / "all" / "datapackage.json").read_text(encoding="utf-8"))
    keyed = 0
    for resource in said["resources"]:
        if "schema" not in resource:
            continue
        rows = read(tmp_path / "all", said, resource["name"])
        assert len(rows) == resource["lienthong"]["rows"]
        for entry in resource["schema"]["fields"]:
            listed = {None, *entry.get("constraints", {}).get("enum", ())}
            assert len(listed) == 1 or {r[entry["name"]] for r in rows} <= listed, (resource["name"], entry["name"])
        if key := resource["schema"].get("primaryKey"):
            keyed += 1
            assert len({tuple(r[k] for k in key) for r in rows}) == len(rows), resource["name"]
    assert keyed > 20


@pytest.fixture(scope="module")
def package(world: World, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("open") / "set"
    pipeline = world.pipeline
    with world.connection() as connection, closing(pipeline):
        done = export_open(connection, pipeline.contracts, pipeline.indicators, folder)
    assert {p.name for p in folder.iterdir()} == {f.name for f in done.files} | {"datapackage.json", "dictionary.md"}
    return folder, json.loads((folder / "datapackage.json").read_text(encoding="utf-8"))


def test_the_open_set_says_what_it_is(world: World, package: tuple[Path, dict[str, Any]]) -> None:
    folder, said = package
    assert said["licenses"][0]["name"] == "CC-BY-4.0" and said["sources"] and said["created"]
    (number, at) = world.rows("select number, published_at from core.publish order by number desc limit 1")[0]
    assert said["version"] == str(number) and datetime.fromisoformat(said["lienthong"]["published_at"]) == at
    names = {r["name"] for r in said["resources"]}
    assert names == {c.dataset for c in open_datasets(world.pipeline.contracts)} | {
        "indicators",
        "indicator_value",
        "dictionary",
    }
    # no count of the same units stands in two tables, of which each could tell what the other hides
    columns = {r["name"]: {f["name"] for f in r["schema"]["fields"]} for r in said["resources"] if "schema" in r}
    assert "households" in columns["household_sizes"] and "households" not in columns["population"]
    (resource,) = [r for r in said["resources"] if r["name"] == "digital_transformation"]
    contract = world.pipeline.contracts["digital_transformation"]
    assert (resource["title"], resource["description"]) == (contract.title, contract.description)
    fields = {f["name"]: f for f in resource["schema"]["fields"]}
    assert fields["adults"]["title"] == contract.column("adults").label and fields["adults"]["unit"] == "người"
    words = (folder / "dictionary.md").read_text(encoding="utf-8")
    assert contract.column("adults").label in words and contract.title in words


def test_the_open_set_hides_small_counts_and_nothing_else(world: World, package: tuple[Path, dict[str, Any]]) -> None:
    folder, said = package
    contract = world.pipeline.contracts["digital_transformation"]
    people = [c.name for c in people_columns(contract)]
    columns = ", ".join(people)
    true = {(r[0], str(r[1])): dict(zip(people, r[2:], strict=True)) for r in world.rows(
        f"select commune_code, valid_from, {columns} from mart_v1.digital_transformation")}  # fmt: skip
    rows = read(folder, said, "digital_transformation")
    assert len(rows) == len(true) > 0
    hidden: Counter[str] = Counter()
    for row in rows:
        wanted = true[row["commune_code"], f"{row['valid_from']:%Y-%m-%d}"]
        for name in people:
            value, told = wanted[name], (row[HIDDEN] or "").split()
            assert row[name] == (None if name in told else value)
            assert value is None or not 1 <= value < BELOW or name in told, (row, name)
            hidden[name] += name in told
    assert hidden["it_officials"] > 1 and 1 not in hidden.values()


def test_indicators_of_people_are_told_of_nobody_alone(world: World, package: tuple[Path, dict[str, Any]]) -> None:
    folder, said = package
    rows = read(folder, said, "indicator_value")
    (resource,) = [r for r in said["resources"] if r["name"] == "indicator_value"]
    assert resource["lienthong"]["rows"] == len(rows)
    told = {r["indicator"] for r in rows}
    assert {"I26", "I32", "I37"} <= told
    # what is made of persons' own rows, or of the ledger
    assert told.isdisjoint({"I10", "I13", "I17", "I18", "I21", "I24", "I42", "I45"})
    assert not [r for r in rows if r["indicator"] == "I37" and r["unit_kind"] == "COMMUNE"]
    for row in rows:
        if row["indicator"] in ("I28", "I37", "I38", "I47", "I49") and row["status"] != "HIDDEN":
            for value in (row["numerator"], row["denominator"]):
                assert value is None or not 1 <= value < BELOW, row
        if row["status"] == "HIDDEN":
            assert row["value"] is row["numerator"] is row["denominator"] is None


def test_the_open_set_twice_is_the_same(world: World, package: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    pipeline = world.pipeline
    with world.connection() as connection, closing(pipeline):
        done = export_open(connection, pipeline.contracts, pipeline.indicators, tmp_path / "again", number=None)
    hashes = {r["path"]: r["hash"] for r in package[1]["resources"]}
    for file in done.files:
        assert f"sha256:{file.sha256}" == hashes[file.name], file.name


def hidden_cells(folder: Path) -> dict[tuple[str, str, str], str | None]:
    """(commune, day, column) of digital_transformation -> what stands there, None where it is hidden."""
    said = json.loads((folder / "datapackage.json").read_text(encoding="utf-8"))
    return {
        (row["commune_code"], str(row["valid_from"]), name): None if name in (row[HIDDEN] or "").split() else str(value)
        for row in read(folder, said, "digital_transformation")
        for name, value in row.items()
        if name not in (HIDDEN, "commune_code", "valid_from")
    }


def release(world: World, folder: Path, number: int | None = None) -> Any:
    pipeline = world.pipeline
    with world.connection() as connection, closing(pipeline):
        return export_open(connection, pipeline.contracts, pipeline.indicators, folder, number=number, by="An")


def test_what_one_release_hid_no_later_one_tells(
    world: World, package: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    kept = "select count(*), count(*) filter (where hidden) from ops.open_cell"
    before = world.rows(kept)[0]
    assert before[1] > 0
    first = hidden_cells(package[0])
    # of one small count another number comes: no small one, by which all that was hidden with it could be computed
    frame = invented.province(world.communes)["digital_transformation"]
    ((commune, day, _), *_) = [k for k, v in first.items() if v is None and k[2] == "it_officials"]
    corrected = frame[frame["commune_code"] == commune].assign(it_officials="17", adults="8888")
    invented.send(world, {"digital_transformation": corrected})
    published = world.run().published
    assert world.rows("select it_officials from mart_v1.digital_transformation where commune_code = %s", [commune]) == [
        (17,)
    ]
    done = release(world, tmp_path / "corrected")
    second = hidden_cells(tmp_path / "corrected")
    unchanged = {k for k in first if k[0] != commune or k[2] not in ("it_officials", "adults")}
    assert {k for k in unchanged if first[k] is None} <= {k for k in unchanged if second[k] is None}
    assert second[commune, day, "adults"] == "8888"
    (told,) = [f.hidden for f in done.files if f.name == "digital_transformation.csv"]
    assert told.earlier + told.small + told.complement == sum(v is None for v in second.values())
    after = world.rows(kept)[0]
    assert 0 < after[0] - before[0] < 10  # what has changed, and what figures are made of it
    # an earlier publish after a later one, and one that was taken back, are releases of what was told already
    release(world, tmp_path / "earlier", number=2)
    with world.connection() as connection:
        publishing.back_to(connection, 2)
    release(world, tmp_path / "back")
    for name in ("earlier", "back"):
        assert hidden_cells(tmp_path / name) == first
    assert world.rows(kept)[0] == after
    newest = world.rows("select shows, released_by from ops.open_release order by release desc limit 3")
    assert newest == [(2, "An"), (2, "An"), (published, "An")]


def test_who_cannot_keep_what_a_release_tells_makes_none(world: World, app: psycopg.Connection, tmp_path: Path) -> None:
    pipeline = world.pipeline
    releases = world.rows("select count(*) from ops.open_release")
    with pytest.raises(ExportRefused, match="by the user of the pipeline alone"):
        export_open(app, pipeline.contracts, pipeline.indicators, tmp_path / "no")
    assert not (tmp_path / "no").exists() and world.rows("select count(*) from ops.open_release") == releases


def test_a_release_that_fails_on_the_way_is_none_and_the_next_one_waits_for_nobody(
    world: World, tmp_path: Path
) -> None:
    releases = world.rows("select count(*) from ops.open_release")
    with pytest.raises(ExportRefused, match="there is no publish 99"):
        release(world, tmp_path / "none", number=99)
    assert not (tmp_path / "none").exists() and world.rows("select count(*) from ops.open_release") == releases
    assert release(world, tmp_path / "none").files
