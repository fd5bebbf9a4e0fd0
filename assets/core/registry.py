"""The register of records: in which order the keys of a dataset were first seen.

An entity has the id of its oldest member (docs/decisions/0003), so that ids do not change while members do not."""

from __future__ import annotations

import polars as pl
import psycopg

from schemas.contract import Contract


def registered(connection: psycopg.Connection, contract: Contract, records: pl.Series) -> dict[int, int]:
    """Records with a key -> the order in which they were first seen; ``records`` are in the order of their receipt."""
    connection.execute(
        "insert into core.record (dataset, record) select %s, r from unnest(%s::bigint[]) with ordinality as t (r, n) "
        "where not exists (select from core.record c where c.dataset = %s and c.record = r) order by n",
        [contract.dataset, records.to_list(), contract.dataset],
    )
    rows = connection.execute("select record, registered_no from core.record where dataset = %s", [contract.dataset])
    return dict(rows.fetchall())
