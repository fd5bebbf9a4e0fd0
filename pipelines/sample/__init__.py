"""The seeded sample province: what communes send over some quarters, and the truth that the warehouse must then hold.

Belongs here: an invented world of villages in real communes, the shapes in which communes report it, the ways in which
deliveries go wrong, and the comparison of a warehouse with the truth. Used by ``make demo``, the tests and the
benchmarks. Does not belong here: anything of the product's reading, cleaning or merging. The truth is derived from the
world alone, so that a fault of the product cannot hide in it.
"""

from __future__ import annotations

from .deliveries import DEFECTS, generate
from .layouts import SHAPES
from .truth import BadRow, Delivered, Fact, Truth, Version, compare

__all__ = ["DEFECTS", "SHAPES", "BadRow", "Delivered", "Fact", "Truth", "Version", "compare", "generate"]
