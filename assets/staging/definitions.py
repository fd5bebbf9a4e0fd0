"""Staging in Dagster: one step for all pending deliveries, and every expectation as an asset check.

The checks are made from the contracts and report what staging has written. None of them is blocking in Dagster's sense:
a rule that could not run is an ERROR and holds its submission and no other (``assets.core.standing``), while a blocking
check would stop the whole province.
"""

# no postponed annotations: Dagster looks at those of the functions that it is given
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import dagster as dg
import psycopg

from assets.installation import Installation, connected
from assets.intake.definitions import DELIVERIES
from assets.reference.definitions import UNITS
from expectations.suite import checks_of
from schemas.contract import Contract

from .checks import CELLS, KEYS, ROWS, Result, results

_GENERAL = {
    CELLS: "Mọi ô đều đọc được theo kiểu dữ liệu của cột.",
    KEYS: "Không có hai dòng khác nhau cùng một khóa trong một bản gửi.",
    ROWS: "Số dòng đã đọc = đạt + cách ly + để riêng.",
}


def staging_key(dataset: str) -> dg.AssetKey:
    """Key of a dataset's observations."""
    return dg.AssetKey(["staging", dataset])


def observations(contracts: Mapping[str, Contract]) -> dg.AssetsDefinition:
    """``staging/<dataset>`` of all contracts: the submissions found in the pending deliveries."""
    specs = [
        dg.AssetSpec(
            staging_key(dataset),
            deps=[DELIVERIES, UNITS],
            group_name="staging",
            description=f"{contract.title}: typed observations, verdicts, quarantine.",
            metadata={"contract_version": contract.version},
        )
        for dataset, contract in contracts.items()
    ]

    @dg.multi_asset(name="stage", specs=specs)
    def stage(
        context: dg.AssetExecutionContext, installation: dg.ResourceParam[Installation]
    ) -> Iterator[dg.MaterializeResult[None]]:
        with connected(installation) as connection:
            done = installation.stage(connection)
            counts = _counts(connection, [*done.staged, *done.rejected])
        if unknown := counts.get(None):
            context.log.warning(f"{unknown['rejected']} deliveries were rejected before a dataset was known")
        for dataset in contracts:
            yield dg.MaterializeResult(asset_key=staging_key(dataset), metadata=counts.get(dataset, {"submissions": 0}))

    return stage


def _counts(connection: psycopg.Connection, ids: list[str]) -> dict[str | None, dict[str, Any]]:
    lines = connection.execute(
        "select dataset, count(*), count(*) filter (where state = 'rejected'), sum(rows_read)::bigint, "
        "sum(rows_accepted)::bigint, sum(rows_quarantined)::bigint, sum(rows_set_aside)::bigint, "
        "(array_agg(submission_id order by submission_no))[1:100] "
        "from intake.submission where submission_id = any (%s) group by dataset",
        [ids],
    )
    names = ("submissions", "rejected", "rows_read", "rows_accepted", "rows_quarantined", "rows_set_aside", "ids")
    return {line[0]: dict(zip(names, line[1:], strict=True)) for line in lines}


def check_name(contract: Contract, check_id: str) -> str:
    """The check's name in Dagster, which takes letters, digits and underscores only."""
    return re.sub(r"\W", "_", check_id.removeprefix(contract.dataset + ".").replace(".", "__"))


def expectation_checks(contract: Contract) -> dg.AssetChecksDefinition:
    """Every expectation of the contract and the three general checks, as checks of ``staging/<dataset>``."""
    key = staging_key(contract.dataset)
    described = {c.id: c.message for c in checks_of(contract)} | _GENERAL
    names = {check_id: check_name(contract, check_id) for check_id in described}
    if len(set(names.values())) != len(names):
        raise ValueError(f"two checks of {contract.dataset} have one name in Dagster; rename a rule in its contract")
    specs = [
        dg.AssetCheckSpec(names[check_id], asset=key, description=text, metadata={"check": check_id})
        for check_id, text in described.items()
    ]

    @dg.multi_asset_check(name=f"checks_{contract.dataset}", specs=specs, can_subset=True)
    def checks(
        context: dg.AssetCheckExecutionContext, installation: dg.ResourceParam[Installation]
    ) -> Iterator[dg.AssetCheckResult]:
        with connected(installation) as connection:
            found = results(connection, contract)
        wanted = {k.name for k in context.selected_asset_check_keys}
        for check_id, name in names.items():
            if name in wanted:
                yield _result(key, name, found[check_id])

    return checks


def place_table(places: Iterable[tuple[str, str]]) -> dg.TableMetadataValue:
    """(submission, addresses of cells) as the table that Dagster shows of a check."""
    records = [dg.TableRecord({"submission": name, "addresses": addresses}) for name, addresses in places]
    return dg.MetadataValue.table(records)


def _result(key: dg.AssetKey, name: str, result: Result) -> dg.AssetCheckResult:
    metadata: dict[str, Any] = {
        "status": result.status,
        "submissions": result.submissions,
        "rows_evaluated": result.evaluated,
        "rows_failing": result.unexpected,
    }
    if result.places:
        metadata["first_places"] = place_table(place.partition(" ")[::2] for place in result.places)
    if result.by_code:
        metadata["by_code"] = result.by_code
    if result.could_not_run:
        metadata["submissions_blocked"] = result.could_not_run[:20]
    error = result.status == "could_not_run" or (name == ROWS and result.status == "failed")
    return dg.AssetCheckResult(
        asset_key=key,
        check_name=name,
        passed=result.status == "passed",
        severity=dg.AssetCheckSeverity.ERROR if error else dg.AssetCheckSeverity.WARN,
        metadata=metadata,
        description="not evaluated: no rows" if result.status == "not_evaluated" else None,
    )
