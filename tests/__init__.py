"""Tests, in the order of the floors; ``e2e`` and ``faults`` cross them, ``benchmarks`` are run by ``make bench``."""
