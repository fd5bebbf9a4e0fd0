"""Returns in Dagster: after the publish, answers to the senders and the board brought up to date."""

# no postponed annotations: Dagster looks at those of the functions that it is given
from collections.abc import Iterator, Mapping

import dagster as dg

from assets.installation import Installation, connected
from assets.intake.definitions import Boards, Links, told, unplaced
from assets.intake.outbox import Word
from assets.marts.definitions import mart_key
from schemas.contract import Contract

from .answers import place_of

ANSWERS = dg.AssetKey(["returns", "answers"])


def answers(contracts: Mapping[str, Contract], boards: Boards) -> dg.AssetsDefinition:
    """The asset that answers each submission whose state has changed, and tells the inbox's boards."""

    @dg.asset(
        key=ANSWERS,
        deps=[mart_key(dataset) for dataset in contracts],
        group_name="returns",
        description="The answer to each submission: what was taken, what was not, which cell to mend.",
    )
    def answer(
        context: dg.AssetExecutionContext, installation: dg.ResourceParam[Installation]
    ) -> Iterator[dg.AssetCheckEvaluation | dg.MaterializeResult[None]]:
        reported, without_place = 0, []
        with connected(installation) as connection:
            # the answers first: telling the board takes a submission off the list that both work from
            written = installation.answer(connection)
            for event in told(connection, boards, _links(installation)):
                if isinstance(event, Word):
                    without_place.append(event)
                elif isinstance(event, dg.AssetCheckEvaluation):
                    # the run's own event: Dagster keeps one runless evaluation per partition and refuses a second
                    yield event
                else:
                    context.instance.report_runless_asset_event(event)
                    reported += 1
        if without_place:
            context.log.warning(f"{len(without_place)} submissions have no place on a board: {unplaced(without_place)}")
        yield dg.MaterializeResult(
            metadata={"answers": len(written), "reported": reported, "without_place": len(without_place)}
        )

    return answer


def _links(installation: Installation) -> Links:
    """Where the answer to a submission and the workbook for its sender lie."""
    answers, returned = installation.settings.answered, installation.settings.returned

    def links(word: Word) -> dict[str, str]:
        place = place_of(word.period, word.sender, word.submission_id)
        return {"answer": f"{answers}/{place}.json", "workbook": f"{returned}/{place}.xlsx"}

    return links
