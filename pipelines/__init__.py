"""When and how it runs: definitions, jobs, schedules, sensors, resources, settings, the ``lienthong`` command."""
