"""Resources: the installation that the assets work on. Opened when an asset needs it, not when code is loaded."""

from __future__ import annotations

import dagster as dg

from .flow import Pipeline


def installation(loaded: Pipeline, *, shared: bool = False) -> dg.ResourceDefinition:
    """The resource that hands out a :class:`Pipeline` a run.

    With the contracts and lists of the one that the definitions were made from, so that both mean the same, and a
    database of its own, which may have been stopped since. ``shared``: that one itself, whose caller wants to see what
    the run did.
    """

    def opened(_: dg.InitResourceContext) -> Pipeline:
        if shared:
            return loaded
        pipeline = Pipeline(loaded.settings)
        pipeline.contracts, pipeline.reference = loaded.contracts, loaded.reference
        return pipeline

    return dg.ResourceDefinition(opened, description="Settings, contracts, reference, database.")
