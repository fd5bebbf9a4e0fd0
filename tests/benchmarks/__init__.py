"""Benchmarks: how long the pipeline takes beside plain tools that do less, and how much memory.

`python -m tests.benchmarks` runs them all (`make bench`), `python -m tests.benchmarks.small --json` one of them. They need
minutes and a quiet machine, and are never part of the tests. What is measured, and how: docs/benchmarks.md.
"""
