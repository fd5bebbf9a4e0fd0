"""Sources in Dagster: an asset for each, which takes what is new. What it took waits for the main job."""

# no postponed annotations: Dagster looks at those of the functions that it is given
from collections.abc import Mapping
from typing import Any

import dagster as dg

from assets.installation import Installation, connected
from assets.intake.definitions import DELIVERIES
from schemas.sources import Source


def source_key(source: Source) -> dg.AssetKey:
    """Key of a source."""
    return dg.AssetKey(["sources", source.sender, source.spec.name])


def pulled(sources: Mapping[str, Source]) -> dict[str, dg.AssetsDefinition]:
    """An asset for each source, by id. One that fails fails its own run and no other."""
    return {name: _asset(name, source) for name, source in sources.items()}


def _asset(name: str, source: Source) -> dg.AssetsDefinition:
    @dg.asset(
        key=source_key(source),
        group_name="sources",
        description=f"Takes what is new of the source {name} ({source.spec.kind}).",
        metadata={"dataset": source.spec.dataset or "by headers", "period": source.spec.period},
    )
    def take(installation: dg.ResourceParam[Installation]) -> dg.MaterializeResult[None]:
        with connected(installation) as connection:
            done: Any = installation.pull(connection, name)
        if done.outcome == "failed":
            raise dg.Failure(f"{done.fault}: {done.remedy}", allow_retries=False)
        unmarked = {} if not done.unmarked else {"rows_without_watermark": done.unmarked}
        return dg.MaterializeResult(
            metadata={"outcome": done.outcome, "rows": done.rows, "bytes": done.bytes, **unmarked}
        )

    return take


@dg.asset_check(
    asset=DELIVERIES,
    name="sources_declared",
    description="Mọi tệp khai báo nguồn dữ liệu đều đúng; tệp sai không được lấy dữ liệu.",
)
def sources_declared(installation: dg.ResourceParam[Installation]) -> dg.AssetCheckResult:
    """ERROR with file, line and remedy of what is wrong; the sources of the other files are pulled."""
    wrong = installation.source_findings()
    return dg.AssetCheckResult(
        passed=not wrong,
        severity=dg.AssetCheckSeverity.ERROR,
        metadata={"count": len(wrong), "findings": wrong[:50]},
    )
