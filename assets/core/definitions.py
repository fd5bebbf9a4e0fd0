"""Work lists in Dagster: what waits for a person, counted after each publish.

Here: ``worklists/<name>`` for every list of :mod:`.worklists`, in one step, each with a check that it is empty. Not here: the
history of entities (``core/<dataset>``), which is written by the step that publishes (:mod:`assets.marts.definitions`). Metadata
are counts and places: no value of a row.
"""

# no postponed annotations: Dagster looks at those of the functions that it is given
from collections.abc import Iterator, Mapping

import dagster as dg

from assets.installation import Installation, connected
from schemas.contract import Contract

from .worklists import LISTS, Source, WorkList

_FIRST = 20
"""Places that are shown of a list."""


def worklist_key(name: str) -> dg.AssetKey:
    """Key of a work list."""
    return dg.AssetKey(["worklists", name])


def worklists(contracts: Mapping[str, Contract]) -> dg.AssetsDefinition:
    """The asset of every work list, and the check that nothing waits in it."""
    published = [dg.AssetKey(["mart_v1", dataset]) for dataset in contracts]
    about = {
        "unmatched_rows": [dg.AssetKey(["mart_v1", c.dataset]) for c in contracts.values() if c.identity],
        "crosswalk_differences": [dg.AssetKey(["reference", "units"]), dg.AssetKey(["mart_v1", "unit_changes"])],
    }
    specs = [
        dg.AssetSpec(
            worklist_key(one.name),
            deps=about.get(one.name) or published,
            group_name="worklists",
            description=f"{one.title}: {one.waits}. It should be empty.",
        )
        for one in LISTS.values()
    ]
    checks = [
        dg.AssetCheckSpec("empty", asset=worklist_key(name), description="Nothing is left to clear.") for name in LISTS
    ]

    @dg.multi_asset(name="worklists", specs=specs, check_specs=checks)
    def lists(installation: dg.ResourceParam[Installation]) -> Iterator[dg.MaterializeResult[None]]:
        with connected(installation) as connection:
            source = Source(connection, installation.contracts)
            for one in LISTS.values():
                yield _result(one, source)

    return lists


def _result(one: WorkList, source: Source) -> dg.MaterializeResult[None]:
    found = one.find(source)
    first = "\n".join(one.place(row) for row in found[:_FIRST])
    return dg.MaterializeResult(
        asset_key=worklist_key(one.name),
        metadata={"rows": len(found), "first": dg.MetadataValue.text(first)},
        check_results=[
            dg.AssetCheckResult(
                check_name="empty",
                asset_key=worklist_key(one.name),
                passed=not found,
                severity=dg.AssetCheckSeverity.WARN,
                metadata={"rows": len(found)},
            )
        ],
    )
