"""Jobs: one for the whole flow, one for what is to be told. Every step takes what is pending in the ledger, so a run that was
stopped is taken up by the next.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import dagster as dg

from assets.intake.definitions import DELIVERIES
from schemas.sources import Source

if TYPE_CHECKING:
    from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

MAIN = "main"
NOTICES = "notices"
SOURCE_TAG = "lienthong/source"
"""Runs that pull; its value: the sender, or one of its queues. Limited in ``dagster.yaml`` (:mod:`pipelines.dagster_home`)."""
WAREHOUSE = {"lienthong/turn": "warehouse"}
"""Tag of runs that take turns: a second publisher would wait for the first, and in the end say that it is busy."""


def executor_of(name: Literal["in_process", "celery"]) -> dg.ExecutorDefinition:
    """How the steps of the main job are carried out. Celery's broker and results are ``LIENTHONG_BROKER`` and
    ``LIENTHONG_RESULTS``."""
    if name == "in_process":
        return dg.in_process_executor
    from dagster_celery import celery_executor

    return celery_executor.configured(
        {
            "broker": {"env": "LIENTHONG_BROKER"},
            "backend": {"env": "LIENTHONG_RESULTS"},
            # a worker that dies gives its step back
            "config_source": {
                "task_acks_late": True,
                "task_reject_on_worker_lost": True,
                "worker_prefetch_multiplier": 1,
            },
        }
    )


def main_job(
    assets: Sequence[dg.AssetsDefinition], executor: dg.ExecutorDefinition = dg.in_process_executor
) -> UnresolvedAssetJobDefinition:
    """From the inbox to the answers and the board, with the checks of what it stages."""
    return dg.define_asset_job(
        MAIN,
        selection=dg.AssetSelection.assets(*assets),
        description="Inbox, deliveries, submissions, history, publish, answers, board.",
        tags=WAREHOUSE,
        executor_def=executor,
    )


def notices_job(assets: Sequence[dg.AssetsDefinition]) -> UnresolvedAssetJobDefinition:
    """What is expected, then reminders and alerts."""
    return dg.define_asset_job(
        NOTICES,
        selection=dg.AssetSelection.assets(*assets),
        description="What is expected by now; reminders to senders (off until switched on), alerts to operators.",
        tags=WAREHOUSE,
        executor_def=dg.in_process_executor,
    )


def turn_of(source: Source, sources: Mapping[str, Source]) -> str:
    """In which of its sender's queues a source stands: of each queue one is pulled at a time, and there are as many as
    ``limits.at_once``."""
    own = [name for name, other in sources.items() if other.sender == source.sender]
    queue = own.index(source.id) % source.spec.limits.at_once
    return f"{source.sender}/{queue + 1}" if queue else source.sender


def pull_job(source: Source, asset: dg.AssetsDefinition, turn: str) -> UnresolvedAssetJobDefinition:
    """Takes what is new of one source. Runs carry the tag of their queue (:func:`turn_of`), by which they are kept apart."""
    return dg.define_asset_job(
        pull_name(source),
        selection=dg.AssetSelection.assets(asset),
        description=f"Takes what is new of the source {source.id}.",
        tags={SOURCE_TAG: turn},
        executor_def=dg.in_process_executor,
    )


def pull_name(source: Source) -> str:
    """Name of the job of a source."""
    return f"pull_{source.sender}__{source.spec.name}"


def run_config(*, period: str | None = None, inbox: str | None = None) -> dict[str, Any]:
    """Configuration of a run that takes one period folder only, or another inbox."""
    return {"ops": {DELIVERIES.to_python_identifier(): {"config": {"period": period, "inbox": inbox}}}}
