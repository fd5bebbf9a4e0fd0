"""All benchmarks, one after the other (``make bench``)."""

from __future__ import annotations

import sys
from datetime import date

from pipelines.sample import Size
from tests.faults import fuzz

from . import exports, feed, full, large, linkage, readers, small
from .measure import report

as_json = "--json" in sys.argv[1:]
report("Readers of workbooks", readers.measure(3), as_json)
report("585 small workbooks", small.measure(2, profile=True), as_json)
report("A million dossiers", large.measure(1_000_000, 2, profile=True), as_json)
report("Exports and point reads", exports.measure(2_000_000, 3), as_json)
report("The change feed", feed.measure(1000, 400_000), as_json)
report("Linkage of persons", linkage.measure(20_000, 9, len(linkage.SEEDS)), as_json)
few = Size(staff=20_000, dossiers=400_000)
report("The province, quarter by quarter", full.measure(65, 4, few, None, profile=True), as_json)
tally = fuzz.fuzz(seed=date.today().toordinal(), first=0, inputs=20_000, processes=2, progress=lambda _: None)
print(
    f"Fuzzing: {tally.inputs} damaged files in {tally.seconds:.0f} s, {len(tally.finds)} finds, peak {tally.peak_mb} MB"
)
print("\n".join(f"  FIND {number}: {find}" for number, find in sorted(tally.finds.items())))
