"""The seeded sample province: what communes send over some quarters, and the truth that the warehouse must then hold.

Belongs here: an invented world of bodies, people, villages and dossiers in real communes, the shapes in which they are reported,
the ways in which deliveries go wrong, and the comparison of a warehouse with the truth. Used by ``make demo``, the tests and the
benchmarks. Does not belong here: anything of the product's reading, cleaning or merging. The truth is derived from the
world alone, so that a fault of the product cannot hide in it.
"""

from __future__ import annotations

from .bodies import SMALL, Size
from .deliveries import DEFECTS, generate
from .frames import PERIODIC, Frames
from .layouts import SHAPES
from .truth import (
    BadRow,
    Delivered,
    Fact,
    Truth,
    Version,
    arrived_by,
    compare,
    compare_answers,
    compare_facts,
    compare_frame,
)

__all__ = [
    "DEFECTS",
    "PERIODIC",
    "SHAPES",
    "SMALL",
    "BadRow",
    "Delivered",
    "Fact",
    "Frames",
    "Size",
    "Truth",
    "Version",
    "arrived_by",
    "compare",
    "compare_answers",
    "compare_facts",
    "compare_frame",
    "generate",
]
