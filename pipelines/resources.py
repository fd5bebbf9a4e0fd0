"""Resources: the installation that the assets work on. Opened when an asset needs it, not when code is loaded."""

from __future__ import annotations

import dagster as dg

from .flow import Pipeline
from .settings import Settings


def installation(settings: Settings) -> dg.ResourceDefinition:
    """The resource that hands out a :class:`Pipeline` of those settings, one a run."""
    return dg.ResourceDefinition(lambda _: Pipeline(settings), description="Settings, contracts, reference, database.")
