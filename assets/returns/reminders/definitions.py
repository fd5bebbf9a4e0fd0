"""Reminders and alerts in Dagster: after what is expected is known."""

# no postponed annotations: Dagster looks at those of the functions that it is given
import dagster as dg

from assets.installation import Installation, connected

NOTICES = dg.AssetKey(["ops", "notices"])


def notices(after: dg.AssetKey) -> dg.AssetsDefinition:
    """The asset that reminds and alerts; ``after``: what is expected."""

    @dg.asset(
        key=NOTICES,
        deps=[after],
        group_name="ops",
        description="Reminders to senders (off until switched on), and alerts to operators.",
    )
    def told(installation: dg.ResourceParam[Installation]) -> dg.MaterializeResult[None]:
        with connected(installation) as connection:
            done = installation.notice(connection)
        round_ = done.reminders
        return dg.MaterializeResult(
            metadata={
                "sending": round_ is not None,
                "letters_sent": len(round_.sent) if round_ else 0,
                "letters_failed": len(round_.failed) + len(round_.refused) if round_ else 0,
                "alerts_told": done.alerts,
                **({"not_told": done.untold} if done.untold else {}),
            }
        )

    return told
