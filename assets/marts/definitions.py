"""Core and marts in Dagster: one step that merges and publishes.

One step and not two, because both happen under the publisher's lock, which belongs to a connection: between two steps
another publisher could sweep the number under which the first has written. Its assets are two per dataset all the same.

After it what is expected (``ops/due``), with a check that says who is late. Freshness of an asset cannot know it: a partition that
nobody has sent is no event, and a file that came in time may have been refused.
"""

# no postponed annotations: Dagster looks at those of the functions that it is given
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

import dagster as dg

from assets.installation import Installation, connected
from assets.staging.definitions import place_table, staging_key
from schemas.contract import Contract
from schemas.tables import SQL_TYPES, published_columns

from .due import derive_due, worst
from .findings import places, results
from .indicators.compute import Indicated


def core_key(dataset: str) -> dg.AssetKey:
    """Key of a dataset's history."""
    return dg.AssetKey(["core", dataset])


def mart_key(dataset: str) -> dg.AssetKey:
    """Key of a dataset's published view."""
    return dg.AssetKey(["mart_v1", dataset])


INDICATORS = dg.AssetKey(["mart_v1", "indicator_value"])
"""Key of the values of the indicators."""


def publication(contracts: Mapping[str, Contract]) -> dg.AssetsDefinition:
    """``core/<dataset>`` and ``mart_v1/<dataset>`` of all contracts, and the values of the indicators."""
    specs = [spec for contract in contracts.values() for spec in _specs(contract)]
    specs.append(
        dg.AssetSpec(
            INDICATORS,
            deps=[core_key(dataset) for dataset in contracts],
            group_name="marts",
            description="Values of the indicators, by unit and period, of what changed; with the log of submissions.",
        )
    )

    @dg.multi_asset(name="publish", specs=specs)
    def publish(
        context: dg.AssetExecutionContext, installation: dg.ResourceParam[Installation]
    ) -> Iterator[dg.MaterializeResult[None]]:
        with connected(installation) as connection:
            prepared, number = installation.publish(connection)
        context.log.info("nothing changed" if number is None else f"published {number}")
        publish_metadata = {} if number is None else {"publish": number}
        for merged in prepared.merged:
            yield dg.MaterializeResult(
                asset_key=core_key(merged.dataset),
                metadata={
                    "entities_touched": merged.entities,
                    "versions_opened": merged.opened,
                    "versions_closed": merged.closed,
                    "standings_changed": merged.standings_changed,
                },
            )
            yield dg.MaterializeResult(
                asset_key=mart_key(merged.dataset), metadata={"changed": merged.changed, **publish_metadata}
            )

        indicated = prepared.indicated or Indicated()
        yield dg.MaterializeResult(
            asset_key=INDICATORS,
            metadata={
                "indicators_computed": len(indicated.computed),
                "periods_computed": sum(c.periods for c in indicated.computed),
                "values_opened": indicated.opened,
                "values_closed": indicated.closed,
                "log_changed": indicated.log_changed,
            },
        )

    return publish


def _specs(contract: Contract) -> Iterator[dg.AssetSpec]:
    yield dg.AssetSpec(
        core_key(contract.dataset),
        deps=[staging_key(contract.dataset)],
        group_name="core",
        description=f"{contract.title}: history of entities, by valid time and publish.",
    )
    columns = [
        dg.TableColumn(c.name, SQL_TYPES[c.logical_type], description=c.label) for c in published_columns(contract)
    ]
    yield dg.AssetSpec(
        mart_key(contract.dataset),
        deps=[core_key(contract.dataset)],
        group_name="marts",
        description=f"{contract.title}: what apps read.",
        metadata={"dagster/column_schema": dg.TableSchema(columns=columns), "contract_version": contract.version},
    )


def across_checks(contract: Contract) -> list[dg.AssetChecksDefinition]:
    """The contract's rules across submissions as checks of ``mart_v1/<dataset>``; none where it has none. They report what
    the last publish has found: a flag is a WARN, and a rule that had nothing to judge has not passed."""
    if not contract.across:
        return []
    key = mart_key(contract.dataset)
    specs = [
        dg.AssetCheckSpec(r.id, asset=key, description=r.remedy, metadata={"rule": r.kind}) for r in contract.across
    ]

    @dg.multi_asset_check(name=f"across_{contract.dataset}", specs=specs, can_subset=True)
    def checks(
        context: dg.AssetCheckExecutionContext, installation: dg.ResourceParam[Installation]
    ) -> Iterator[dg.AssetCheckResult]:
        with connected(installation) as connection:
            found, where = results(connection, contract.dataset), places(connection, contract)
        for rule in sorted(k.name for k in context.selected_asset_check_keys):
            status, evaluated, failed = found.get(rule, ("not_evaluated", 0, 0))
            yield dg.AssetCheckResult(
                asset_key=key,
                check_name=rule,
                passed=status == "passed",
                severity=dg.AssetCheckSeverity.WARN,
                metadata={
                    "status": status,
                    "rows_evaluated": evaluated,
                    "rows_flagged": failed,
                    **({"first_places": place_table(where[rule])} if rule in where else {}),
                },
                description="not evaluated: no rows" if status == "not_evaluated" else None,
            )

    return [checks]


DUE = dg.AssetKey(["ops", "due"])
"""Key of what is expected from whom until when."""


@dg.asset(
    key=DUE,
    deps=[INDICATORS],
    group_name="ops",
    description="What is expected from whom until when, and what became of it: a row for each sender, dataset and period.",
)
def due(installation: dg.ResourceParam[Installation]) -> dg.MaterializeResult[None]:
    """Bring ``ops.due`` up to now."""
    with connected(installation) as connection:
        found = derive_due(connection, installation.contracts, datetime.now(UTC), installation.settings.due_since)
    return dg.MaterializeResult(
        metadata={"rows_changed": found.changed, **{s.lower(): n for s, n in found.states.items()}}
    )


@dg.asset_check(asset=DUE, name="nobody_is_late", description="Every period that is due has been sent, and stands.")
def nobody_is_late(installation: dg.ResourceParam[Installation]) -> dg.AssetCheckResult:
    """WARN with those who are late, by dataset and period."""
    with connected(installation) as connection:
        late = worst(connection)
        row = connection.execute("select count(*) from ops.due where now() >= due_at").fetchone()
    assert row is not None
    rows = [
        dg.TableRecord({**{k: r[k] for k in ("dataset", "period", "state", "senders")}, "due_on": r["due_on"].isoformat(),
                        "first": ", ".join(r["first"])})
        for r in late
    ]  # fmt: skip
    columns = [dg.TableColumn(n, "int" if n == "senders" else "string") for n in
               ("dataset", "period", "due_on", "state", "senders", "first")]  # fmt: skip
    return dg.AssetCheckResult(
        # nothing due is no pass
        passed=not late and row[0] > 0,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={
            "due": row[0],
            "late": sum(r["senders"] for r in late),
            **({"by_period": dg.MetadataValue.table(rows, dg.TableSchema(columns))} if rows else {}),
        },
        description=None if row[0] else "not evaluated: nothing has been due yet",
    )
