"""What must hold: contract -> Great Expectations suites, own expectation types, results -> verdicts.

Does not belong here: cleaning of values (``schemas.semantic``), storage of verdicts (``assets.staging``).
"""

import schemas  # noqa: F401  # its settings of the process come before any other import
