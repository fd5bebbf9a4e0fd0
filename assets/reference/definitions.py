"""Reference in Dagster: the lists of units and senders that everything else resolves against."""

# no postponed annotations: Dagster looks at those of the functions that it is given
import dagster as dg

from assets.installation import Installation, connected

UNITS = dg.AssetKey(["reference", "units"])


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
