"""The board in Dagster: after the answers, the public site is brought up to date."""

# no postponed annotations: Dagster looks at those of the functions that it is given
import dagster as dg

from assets.installation import Installation, connected

from .site import build_board

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
        with connected(installation) as connection:
            built = build_board(connection, installation)
        return dg.MaterializeResult(
            metadata={
                "site": dg.MetadataValue.path(str(built.folder / "index.html")),
                "publish": built.publish,
                "files_written": built.written,
                "files_unchanged": built.same,
                "pictures_drawn": built.drawn,
            }
        )

    return site
