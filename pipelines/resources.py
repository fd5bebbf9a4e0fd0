"""Resources: the installation that the assets work on. Opened when an asset needs it, not when code is loaded."""

from __future__ import annotations

import dagster as dg

from .flow import Pipeline


def installation(pipeline: Pipeline) -> dg.ResourceDefinition:
    """The resource that hands out the installation: it reads its settings, contracts and lists once a process."""
    return dg.ResourceDefinition(lambda _: pipeline, description="Settings, contracts, reference, database.")
