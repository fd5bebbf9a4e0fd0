"""Intake in Dagster: the inbox as a board of period × sender, and the deliveries that a run receives.

``inbox/<dataset>`` are external assets: nobody runs them, intake reports what arrived (:func:`told`). Here: partitions,
specs, the thin asset function, ledger words as Dagster events. Not here: any work on files or rows.
"""

# no postponed annotations: Dagster looks at those of the functions that it is given
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

import dagster as dg
import psycopg

from assets.installation import Installation, connected
from schemas.contract import Contract
from schemas.periods import periods_between

from .ledger import senders_of
from .outbox import Place, Word, last_words, sweep
from .submissions import SenderInfo, may_send

DELIVERIES = dg.AssetKey(["intake", "deliveries"])
FIRST_DAY = date(2025, 7, 1)
"""The two-level administration begins; nobody owes anything about the time before (domain.md §3)."""
VERDICT = "verdict"
SECRETS = "no_secret_markings"
FOLDERS = "readable_folders"
_LEVELS = {"warning": dg.AssetCheckSeverity.WARN, "error": dg.AssetCheckSeverity.ERROR}


def inbox_key(dataset: str) -> dg.AssetKey:
    """Key of a dataset's board."""
    return dg.AssetKey(["inbox", dataset])


def partitions_of(contract: Contract, senders: Mapping[str, SenderInfo], today: date) -> dg.MultiPartitionsDefinition:
    """Periods of the contract up to the end of next year × senders that it allows."""
    periods = periods_between(contract.period_type, FIRST_DAY, date(today.year + 1, 12, 31), contract.calendar)
    allowed = sorted(code for code, sender in senders.items() if may_send(contract, sender))
    return dg.MultiPartitionsDefinition(
        {
            "period": dg.StaticPartitionsDefinition([p.label for p in periods]),
            "sender": dg.StaticPartitionsDefinition(allowed),
        }
    )


def partition_key(period: str | None, sender: str) -> dg.MultiPartitionKey:
    """The place of a period and sender on a board."""
    return dg.MultiPartitionKey({"period": period or "", "sender": sender})


Boards = Mapping[str, dg.MultiPartitionsDefinition]
"""Dataset -> its partitions."""


def inbox_specs(contracts: Mapping[str, Contract], boards: Boards) -> list[dg.AssetSpec]:
    """The external assets."""
    return [
        dg.AssetSpec(
            inbox_key(dataset),
            partitions_def=boards[dataset],
            group_name="inbox",
            description=f"{contract.title}: những gì đã nhận, theo kỳ và đơn vị gửi.",
        )
        for dataset, contract in contracts.items()
    ]


def verdict_checks(boards: Boards) -> list[dg.AssetChecksDefinition]:
    """One check per board: the verdict on the last word of a period and sender. Intake reports it; run by hand, it is
    derived from the ledger again."""
    return [_verdict_check(dataset, partitions) for dataset, partitions in boards.items()]


def _verdict_check(dataset: str, partitions: dg.MultiPartitionsDefinition) -> dg.AssetChecksDefinition:
    with warnings.catch_warnings():
        # partitions of a check are in preview in this (pinned) version
        warnings.simplefilter("ignore", dg.PreviewWarning)

        @dg.asset_check(
            name=VERDICT,
            asset=inbox_key(dataset),
            description="Kết quả xử lý bản gửi gần nhất của kỳ và đơn vị.",
            partitions_def=partitions,
        )
        def check(
            context: dg.AssetCheckExecutionContext, installation: dg.ResourceParam[Installation]
        ) -> dg.AssetCheckResult:
            period, sender = context.partition_key.split("|")
            place: Place = (dataset, period, sender)
            with connected(installation) as connection:
                word = last_words(connection, [place])[place]
            passed, severity, metadata = _verdict(word)
            return dg.AssetCheckResult(passed=passed, severity=severity, metadata=metadata)

    return check


Links = Callable[[Word], Mapping[str, str]]
"""Of a submission: what lies where about it, name -> path."""


def _nowhere(word: Word) -> Mapping[str, str]:
    return {}


class Receive(dg.Config):
    """What a run takes from the inbox: everything, or one period folder, or another inbox."""

    period: str | None = None
    inbox: str | None = None


def deliveries(contracts: Mapping[str, Contract]) -> dg.AssetsDefinition:
    """The asset that archives and writes down what is new in the inbox."""

    @dg.asset(
        key=DELIVERIES,
        deps=[inbox_key(dataset) for dataset in contracts],
        group_name="intake",
        description="Bytes that arrived, archived before anything reads them, with sender, period and time.",
        check_specs=[
            dg.AssetCheckSpec(
                SECRETS,
                asset=DELIVERIES,
                description="Không có tệp mang dấu chỉ độ mật trong hộp nhận; báo động đến khi đơn vị gửi xóa tệp.",
            ),
            dg.AssetCheckSpec(FOLDERS, asset=DELIVERIES, description="Mọi thư mục của hộp nhận đều đọc được."),
        ],
    )
    def receive(config: Receive, installation: dg.ResourceParam[Installation]) -> Iterator[dg.MaterializeResult[None]]:
        with connected(installation) as connection:
            taken = installation.receive(connection, inbox=config.inbox, period=config.period)
            secrets = senders_of(connection, taken.withheld)
        found: dict[str, Any] = {"count": len(taken.withheld), "senders": secrets, "deliveries": taken.withheld[:100]}
        yield dg.MaterializeResult(
            metadata={
                "new": len(taken.fresh),
                "left_growing": len(taken.growing),
                "deliveries": taken.fresh[:100],
                "secret_markings": len(taken.withheld),
            },
            check_results=[
                dg.AssetCheckResult(
                    check_name=SECRETS,
                    asset_key=DELIVERIES,
                    passed=not taken.withheld,
                    severity=dg.AssetCheckSeverity.ERROR,
                    metadata=found,
                ),
                dg.AssetCheckResult(
                    check_name=FOLDERS,
                    asset_key=DELIVERIES,
                    passed=not taken.unreadable,
                    severity=dg.AssetCheckSeverity.ERROR,
                    metadata={"count": len(taken.unreadable), "folders": taken.unreadable[:100]},
                ),
            ],
        )

    return receive


def told(
    connection: psycopg.Connection, boards: Boards, links: Links = _nowhere
) -> Iterator[dg.AssetMaterialization | dg.AssetObservation | dg.AssetCheckEvaluation | Word]:
    """What waits in the outbox as Dagster events; a :class:`Word` itself where the board has no place for it.

    A submission whose rows are in the warehouse materialises its place, any other state is an observation; the verdict
    of each place concerned follows. The caller reports each event before it asks for the next: words are marked as told
    only then. ``links``: paths that the events name. Dagster takes unknown partition keys in silence, so keys are checked here.
    """
    for words in sweep(connection):
        known = []
        for word in words:
            if _on_board(word, boards):
                known.append(word)
                yield _event(word, links)
            else:
                yield word
        for (dataset, period, sender), last in last_words(connection, [w.place for w in known]).items():
            passed, severity, metadata = _verdict(last, links)
            yield dg.AssetCheckEvaluation(
                asset_key=inbox_key(dataset or ""),
                check_name=VERDICT,
                passed=passed,
                severity=severity,
                metadata=metadata,
                partition=partition_key(period, sender),
            )


def _on_board(word: Word, boards: Boards) -> bool:
    board = boards.get(word.dataset or "")
    return (
        board is not None
        and word.period is not None
        and board.has_partition_key(partition_key(word.period, word.sender))
    )


def _event(word: Word, links: Links) -> dg.AssetMaterialization | dg.AssetObservation:
    kind = dg.AssetMaterialization if word.stands else dg.AssetObservation
    return kind(
        asset_key=inbox_key(word.dataset or ""),
        partition=partition_key(word.period, word.sender),
        metadata=_metadata(word, links),
    )


def _verdict(word: Word | None, links: Links = _nowhere) -> tuple[bool, dg.AssetCheckSeverity, dict[str, Any]]:
    if word is None:
        return False, dg.AssetCheckSeverity.WARN, {"state": "nothing stands"}
    return word.level == "passed", _LEVELS.get(word.level, dg.AssetCheckSeverity.WARN), _metadata(word, links)


def _metadata(word: Word, links: Links) -> dict[str, Any]:
    found: dict[str, Any] = {
        "state": word.state,
        "submission": word.submission_id,
        "delivery": word.delivery_id,
        "received_at": dg.MetadataValue.timestamp(word.received_at),
        "rows_read": word.rows_read,
        "rows_accepted": word.rows_accepted,
        "rows_quarantined": word.rows_quarantined,
        "rows_set_aside": word.rows_set_aside,
        "rows_flagged": word.rows_flagged,
        "codes": word.codes,
    }
    found |= {name: dg.MetadataValue.path(path) for name, path in links(word).items()}
    if word.as_of is not None:
        found["as_of"] = word.as_of.isoformat()
    if word.state_publish is not None:
        found["publish"] = word.state_publish
    return found


def unplaced(words: Sequence[Word]) -> dict[str, int]:
    """Number of submissions by code that no board has a place for."""
    counts: dict[str, int] = {}
    for word in words:
        for code in word.codes or ["UNKNOWN_PLACE"]:
            counts[code] = counts.get(code, 0) + 1
    return counts
