"""When and how it runs: definitions, jobs, schedules, sensors, resources, settings, the ``lienthong`` command."""

import schemas  # noqa: F401  # its settings of the process come before any other import
