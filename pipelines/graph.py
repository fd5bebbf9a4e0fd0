"""The graph: everything that exists in one installation, derived from its contracts, and when it runs.

Making it reads contracts and reference lists; it starts no database and looks at no inbox. Not here: what an asset does
(``assets/*/definitions.py``), jobs, schedules, sensors and resources (beside this module).
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import date

import dagster as dg

from assets.core.definitions import worklists
from assets.installation import KEY
from assets.intake.definitions import deliveries, inbox_specs, partitions_of, verdict_checks
from assets.intake.sources.definitions import pulled, sources_declared
from assets.marts.definitions import DUE, across_checks, due, nobody_is_late, publication
from assets.reference.definitions import units
from assets.returns.board.definitions import board
from assets.returns.definitions import ANSWERS, answers
from assets.returns.reminders.definitions import notices
from assets.staging.definitions import expectation_checks, observations
from schemas.sources import Source

from . import close_job, schedules
from .flow import Pipeline
from .jobs import executor_of, main_job, notices_job, pull_job, turn_of
from .resources import installation
from .retention_job import retention_job, weekly
from .sensors import failure_sensor, inbox_sensor
from .settings import Settings

log = logging.getLogger(__name__)


def definitions(settings: Settings, today: date | None = None, opened: Pipeline | None = None) -> dg.Definitions:
    """The definitions of an installation; the boards reach to the end of the year after ``today``.

    ``opened``: a pipeline of these settings to work with, so that its caller sees what a run did.
    """
    pipeline = opened or Pipeline(settings)
    contracts = pipeline.contracts
    boards = {d: partitions_of(c, pipeline.senders, today or date.today()) for d, c in contracts.items()}
    assets = [
        units,
        deliveries(contracts),
        observations(contracts),
        publication(contracts),
        due,
        worklists(contracts),
        answers(contracts, boards),
        board(ANSWERS),
    ]
    told = notices(DUE)
    sources = declared(pipeline)
    taken = pulled(sources)
    return dg.Definitions(
        assets=[*inbox_specs(contracts, boards), *assets, told, *taken.values()],
        asset_checks=[
            *map(expectation_checks, contracts.values()),
            *(check for contract in contracts.values() for check in across_checks(contract)),
            *verdict_checks(boards),
            nobody_is_late,
            sources_declared,
        ],
        jobs=[
            main_job(assets, executor_of(settings.executor)),
            notices_job([due, told]),
            retention_job,
            close_job.close_job,
            *(pull_job(source, taken[name], turn_of(source, sources)) for name, source in sources.items()),
        ],
        schedules=[
            schedules.nightly(),
            schedules.notices(),
            weekly(),
            close_job.daily(),
            *schedules.pulls(sources.values()),
        ],
        sensors=[inbox_sensor(), failure_sensor(pipeline)],
        resources={KEY: installation(pipeline, shared=opened is not None)},
        executor=dg.in_process_executor,
    )


def declared(pipeline: Pipeline) -> Mapping[str, Source]:
    """The sources; without those of a file in which something is wrong: what is received by other ways goes on, and the log says
    what to mend."""
    for finding in pipeline.source_findings():
        log.error("%s", finding)
    return pipeline.sources
