"""An installation of a test's own: empty database, empty inbox, three communes and an instance of Dagster in memory."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any

import dagster as dg
import psycopg
import pytest

from pipelines.flow import Pipeline
from pipelines.graph import definitions
from pipelines.jobs import run_config
from pipelines.settings import Settings
from schemas.contract import Contract, builtin_folder, load_contract

HEADER = "Mã xã,Tên thôn,Loại,Số hộ,Số khẩu"
TODAY = date(2026, 11, 25)
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
COMMUNES = {"22333": "Phường Bắc Nha Trang", "22366": "Phường Nha Trang", "22390": "Phường Tây Nha Trang"}


@cache
def contracts() -> dict[str, Contract]:
    """One dataset, read and linted once for all tests: each check of another would cost each run two events."""
    return {"villages": load_contract(builtin_folder() / "villages.odcs.yaml")}


@dataclass
class House:
    """One installation with its Dagster instance."""

    settings: Settings
    instance: dg.DagsterInstance
    pipeline: Pipeline = field(init=False)
    graph: dg.Definitions = field(init=False)

    def __post_init__(self) -> None:
        self.pipeline = Pipeline(self.settings)
        self.pipeline.contracts = contracts()
        self.graph = definitions(self.settings, TODAY, opened=self.pipeline)

    def send(
        self,
        sender: str,
        *rows: str,
        period: str = "2026-Q1",
        name: str = "thon.csv",
        day: int = 1,
        header: str = HEADER,
    ) -> Path:
        """Put a CSV into the inbox as if it had arrived on that day of April 2026."""
        path = Path(self.settings.inbox) / period / sender / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join([header, *rows, ""]), encoding="utf-8")
        arrived = datetime(2026, 4, day, 8, tzinfo=UTC).timestamp()
        os.utime(path, (arrived, arrived))
        return path

    def run(self, **config: Any) -> dg.ExecuteInProcessResult:
        """The main job, once; raises where it fails."""
        job = self.graph.resolve_job_def("main")
        return job.execute_in_process(run_config=run_config(**config) | QUIET, instance=self.instance)

    def board(self) -> set[str]:
        """Places of ``inbox/villages`` with a materialisation."""
        return set(self.instance.get_materialized_partitions(dg.AssetKey(["inbox", "villages"])))

    def links(self) -> set[str]:
        """Paths that the events of ``inbox/villages`` name."""
        records = self.instance.fetch_materializations(dg.AssetKey(["inbox", "villages"]), limit=100).records
        events = [r.asset_materialization for r in records]
        return {str(e.metadata[name].value) for e in events if e is not None for name in ("answer", "workbook")}

    def events(self) -> list[tuple[str, str, Any]]:
        """(kind, partition, state) of everything that was told to ``inbox/villages``, oldest first."""
        key = dg.AssetKey(["inbox", "villages"])
        found = []
        for kind, records in (
            ("materialised", self.instance.fetch_materializations(key, limit=100).records),
            ("observed", self.instance.fetch_observations(key, limit=100).records),
        ):
            for record in records:
                event = record.asset_materialization or record.asset_observation
                assert event is not None
                found.append((record.storage_id, kind, record.partition_key, event.metadata["state"].value))
        return [(kind, partition, state) for _, kind, partition, state in sorted(found)]

    def verdicts(self) -> dict[str, tuple[bool, str]]:
        """Partition -> (passed, severity) of the last verdict on ``inbox/villages``."""
        key = dg.AssetCheckKey(dg.AssetKey(["inbox", "villages"]), "verdict")
        history = self.instance.event_log_storage.get_asset_check_execution_history(key, limit=100)
        found: dict[str, tuple[bool, str]] = {}
        for record in history:  # newest first
            evaluation = record.evaluation
            if evaluation is not None and record.partition is not None:
                found.setdefault(record.partition, (evaluation.passed, evaluation.severity.name))
        return found

    def sql(self, query: str) -> list[Any]:
        """Rows of a query."""
        with psycopg.connect(self.pipeline.url, autocommit=True) as connection:
            cursor = connection.execute(query)  # type: ignore[call-overload]
            return list(cursor.fetchall()) if cursor.description else []


@pytest.fixture
def house(tmp_path: Path, database_url: str) -> Iterator[House]:
    """An installation that knows three communes."""
    lists = tmp_path / "reference"
    lists.mkdir()
    text = "\n".join(["code,name", *(f"{code},{name}" for code, name in COMMUNES.items()), ""])
    (lists / "communes.csv").write_text(text, encoding="utf-8")
    settings = Settings(
        home=tmp_path / "home", database_url=database_url, inbox=str(tmp_path / "inbox"),
        archive=str(tmp_path / "archive"), reference=lists, settle_seconds=0,
    )  # fmt: skip
    with dg.DagsterInstance.ephemeral() as instance:
        yield House(settings, instance)
