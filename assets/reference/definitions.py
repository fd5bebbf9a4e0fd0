"""Reference in Dagster: the lists of units and senders that everything else resolves against."""

# no postponed annotations: Dagster looks at those of the functions that it is given
import dagster as dg

from assets.installation import KEY, opened

UNITS = dg.AssetKey(["reference", "units"])


@dg.asset(
    key=UNITS,
    group_name="reference",
    description="Administrative units with their dates, the crosswalk of 1 July 2025, senders.",
    required_resource_keys={KEY},
)
def units(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
    """Bring the lists in the database to the version that is loaded (opening a connection does it)."""
    with opened(context) as (installation, _):
        lists = installation.reference
    return dg.MaterializeResult(
        metadata={
            "version": lists.version,
            "units": lists.units.height,
            "changes": lists.changes.height,
            "senders": lists.senders.height,
        }
    )
