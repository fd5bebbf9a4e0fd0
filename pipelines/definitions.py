"""What Dagster loads: the graph (:mod:`pipelines.graph`) of the installation that the environment names.

Nothing else belongs here, so that a run in a process of ours does not load two.
"""

from .graph import definitions
from .settings import Settings

defs = definitions(Settings.from_environment())
