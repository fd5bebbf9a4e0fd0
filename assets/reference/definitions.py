"""Reference in Dagster: the lists of units and senders that everything else resolves against."""

# no postponed annotations: Dagster looks at those of the functions that it is given
from collections.abc import Iterator

import dagster as dg

from assets.installation import Installation, connected

from .compare import published_differences

UNITS = dg.AssetKey(["reference", "units"])
DIFFERENCES = dg.AssetKey(["worklists", "crosswalk_differences"])


@dg.asset(
    key=UNITS,
    group_name="reference",
    description="Administrative units with their dates, the crosswalk of 1 July 2025, senders.",
)
def units(installation: dg.ResourceParam[Installation]) -> dg.MaterializeResult[None]:
    """Bring the lists in the database to the version that is loaded (opening a connection does it)."""
    with connected(installation):
        lists = installation.reference
    return dg.MaterializeResult(
        metadata={
            "version": lists.version,
            "units": lists.units.height,
            "changes": lists.changes.height,
            "senders": lists.senders.height,
        }
    )


@dg.asset(
    key=DIFFERENCES,
    deps=[UNITS, dg.AssetKey(["mart_v1", "unit_changes"])],
    group_name="worklists",
    description="Where the published unit_changes and the crosswalk of reference disagree. It should be empty.",
    check_specs=[dg.AssetCheckSpec("empty", asset=DIFFERENCES, description="Nothing is left to clear.")],
)
def crosswalk_differences(installation: dg.ResourceParam[Installation]) -> Iterator[dg.MaterializeResult[None]]:
    """Compare what is published with the reference; administrative codes are no personal data, so the rows are shown."""
    with connected(installation) as connection:
        found = published_differences(connection)
    own = sum(row["province_code"] == installation.reference.province for row in found)
    counts = {"rows": len(found), "own_province": own}
    listed = "\n".join(f"{r['difference']}: {r['old_code']} → {r['new_code']}" for r in found[:200])
    yield dg.MaterializeResult(
        metadata={**counts, "first": dg.MetadataValue.text(listed)},
        check_results=[
            dg.AssetCheckResult(
                check_name="empty", passed=not found, severity=dg.AssetCheckSeverity.WARN, metadata=counts
            )
        ],
    )
