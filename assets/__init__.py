"""What exists, in the order in which data flows: reference, intake, staging, core, marts, returns.

Plain functions do the work and import no Dagster; ``definitions`` modules beside them are thin callers.
"""

import schemas  # noqa: F401  # its settings of the process come before any other import
