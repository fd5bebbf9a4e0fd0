"""The board in Dagster: after the answers, the public site is brought up to date."""

# no postponed annotations: Dagster looks at those of the functions that it is given
from pathlib import Path

import dagster as dg

from assets.installation import Installation, connected
from assets.reference.units import load_places

from .read import PUBLIC
from .site import build

BOARD = dg.AssetKey(["returns", "board"])


def board(after: dg.AssetKey) -> dg.AssetsDefinition:
    """The asset that builds the public board; ``after``: the answers, which it comes after."""

    @dg.asset(
        key=BOARD,
        deps=[after],
        group_name="returns",
        description="The public board: who sent what, the quality of each dataset, indicators with trend, target and map.",
    )
    def site(installation: dg.ResourceParam[Installation]) -> dg.MaterializeResult[None]:
        settings = installation.settings
        folder = Path(settings.home) / "board" / PUBLIC
        with connected(installation) as connection:
            places = load_places(settings.reference, settings.province)
            built = build(connection, installation.contracts, places, folder)
        return dg.MaterializeResult(
            metadata={
                "site": dg.MetadataValue.path(str(folder / "index.html")),
                "publish": built.publish,
                "files_written": built.written,
                "files_unchanged": built.same,
                "pictures_drawn": built.drawn,
            }
        )

    return site
