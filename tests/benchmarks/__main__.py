"""All benchmarks, one after the other (``make bench``)."""

from __future__ import annotations

import sys

from . import large, readers, small
from .measure import report

as_json = "--json" in sys.argv[1:]
report("Readers of workbooks", readers.measure(3), as_json)
report("585 small workbooks", small.measure(2, profile=True), as_json)
report("A million dossiers", large.measure(1_000_000, 2, profile=True), as_json)
