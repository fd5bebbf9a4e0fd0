"""The reads that apps make find their rows by an index, whatever the size of the table: what the server plans is looked at."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from schemas.contract import builtin_folder, load_contracts
from schemas.migrate import quote
from schemas.tables import index_statements
from tests.benchmarks.exports import READS, fill


@pytest.fixture(scope="module")
def connection(server_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[psycopg.Connection]:
    with psycopg.connect(server_url, autocommit=True) as admin:
        admin.execute("create database point_reads template template0 encoding 'UTF8'")
        url = f"postgresql://postgres@/point_reads?host={admin.info.host}"
        fill(url, 40_000, tmp_path_factory.mktemp("home"))
        with psycopg.connect(url, autocommit=True) as opened:
            yield opened
        admin.execute("drop database point_reads with (force)")


def scans(connection: psycopg.Connection, query: str, key: Any) -> dict[str, list[tuple[str, str]]]:
    """Table -> (kind of scan, condition on its index) of each time that it is read, as it is planned for a query."""
    plan = psycopg.ClientCursor(connection).execute(f"explain (format json) {query}", key).fetchone()
    assert plan is not None
    found: dict[str, list[tuple[str, str]]] = {}
    waiting = [plan[0][0]["Plan"]]
    while waiting:
        node = waiting.pop()
        waiting += node.get("Plans", [])
        if "Relation Name" in node:
            found.setdefault(node["Relation Name"], []).append((node["Node Type"], _condition(node)))
    return found


def _condition(node: dict[str, Any]) -> str:
    """Conditions on the index of a scan, or on those that its bitmap is made of."""
    return " ".join([node.get("Index Cond", ""), *map(_condition, node.get("Plans", []))])


INDEXED = ("Index Scan", "Index Only Scan", "Bitmap Heap Scan")
CONDITIONS = {
    "one unit's indicators": {"indicator_value": ("unit =", "period =")},
    "one entity's history": {"villages": ("entity_id =",)},
    "one of two million": {"dossiers": ("entity_id =",)},
    "a page of a list": {"dossiers": ("entity_id >",)},
    "a day's changes": {"dossiers": ("valid_from =",)},
    "one person's posts": {"assignments": ("citizen_id =",), "member": ("dataset =",)},
    "one post's history": {"assignments": ("entity_id =",), "member": ("record =",)},
    "one person's evaluations": {"kpi_evaluations": ("citizen_id =",), "member": ("dataset =",)},
}


@pytest.mark.parametrize("name", READS)
def test_an_index_finds_it(name: str, connection: psycopg.Connection) -> None:
    read = READS[name]
    key = connection.execute(read.keys).fetchone()
    assert key is not None
    planned = scans(connection, read.asked, key)
    for table, conditions in CONDITIONS[name].items():
        for kind, condition in planned.pop(table):
            assert kind in INDEXED and all(c in condition for c in conditions), (table, kind, condition)
    assert set(planned) == {"pointer"}  # nothing else is read
    if name == "a page of a list":  # in order, so that what comes after the page is not looked at
        text = connection.execute(f"explain {read.asked}", key).fetchall()
        assert "Index Scan" in str(text) and "Sort" not in str(text)


@pytest.mark.parametrize("dataset", sorted(load_contracts([builtin_folder()])))
def test_an_entity_of_any_dataset_is_found_by_an_index(dataset: str, connection: psycopg.Connection) -> None:
    contract = load_contracts([builtin_folder()])[dataset]
    # of evaluations the view names the persons
    entity = ("person_id", "citizen_id =") if dataset == "kpi_evaluations" else (contract.entity_id, "entity_id =")
    with connection.transaction(force_rollback=True):
        for statement in index_statements(contract, floor="core"):
            connection.execute(statement)
        connection.execute("set local enable_seqscan = off")
        for column, wanted in (entity, ("valid_from", "valid_from =")):
            value = "1" if column != "valid_from" else "date '2026-01-01'"
            planned = scans(
                connection, f"select * from mart_v1.{quote(dataset + '_history')} where {quote(column)} = {value}", []
            )
            assert all(wanted in condition for _, condition in planned[dataset]), planned
