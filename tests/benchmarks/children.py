"""What is measured, each in a process of its own: ``python -m tests.benchmarks.children <name> <arguments>``.

Imports stand inside the functions, because they are part of what is measured.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any


def pipeline(url: str, home: str, contracts: str, profile: str) -> dict[str, Any]:
    """The product, from the inbox to published."""
    started = time.perf_counter()
    from pipelines.flow import Pipeline
    from pipelines.settings import Settings

    folder = Path(home)
    phases = None
    if profile == "profile":
        from .phases import Phases

        phases = Phases()
        phases.install()
    folders = (Path(contracts),) if contracts != "-" else ()
    settings = Settings(
        home=folder, database_url=url, inbox=str(folder / "inbox"), archive=str(folder / "archive"), contracts=folders,
        settle_seconds=0,
    )  # fmt: skip
    ran = Pipeline(settings).run()
    found = {"staged": len(ran.staged), "rejected": len(ran.rejected), "published": ran.published}
    if phases is not None:
        found["phases"] = phases.result() | {"all": round(time.perf_counter() - started, 3)}
    return found


def dagster(url: str, home: str) -> dict[str, Any]:
    """The same through the Dagster job, as the command runs it."""
    from pipelines.dagster_home import run_main
    from pipelines.settings import Settings

    folder = Path(home)
    settings = Settings(
        home=folder, database_url=url, inbox=str(folder / "inbox"), archive=str(folder / "archive"), settle_seconds=0
    )
    return {"ok": bool(run_main(settings))}


def make_small(home: str) -> dict[str, Any]:
    """Write the inbox of small files; here, so that its memory is not counted for what is measured."""
    from assets.reference.units import load_reference
    from pipelines.sample import generate
    from pipelines.sample.layouts import WORKBOOKS

    from .small import PERIODS

    senders = load_reference().senders.filter(kind="commune")
    communes = list(senders.select("code", "name").iter_rows())
    inbox = Path(home) / "inbox"
    generate(
        inbox,
        communes=communes,
        villages_per_commune=(60, 60),
        periods=PERIODS,
        defects=False,
        shapes=sorted(WORKBOOKS),
    )
    return {"files": sum(path.is_file() for path in inbox.rglob("*"))}


def make_large(folder: str, rows: str) -> dict[str, Any]:
    """Write the million dossiers and their twins."""
    from dataclasses import asdict

    from .dossiers import prepare

    return asdict(prepare(Path(folder), int(rows)))


def make_full(home: str, communes: str, quarters: str, staff: str, dossiers: str) -> dict[str, Any]:
    """Write what the sample province sends into an outbox, and the truth beside it."""
    from dataclasses import replace

    from assets.reference.units import load_reference
    from pipelines.demo import whole
    from pipelines.sample import Frames, generate

    cut, folder = whole(int(quarters)), Path(home)
    senders = load_reference().senders.filter(kind="commune")
    real = list(senders.select("code", "name").iter_rows())[: int(communes)]
    truth = generate(
        folder / "outbox", communes=real, periods=cut.periods, frames=Frames(folder / "demo-truth" / "frames"),
        province=replace(cut.size, staff=int(staff), dossiers=int(dossiers)),
    )  # fmt: skip
    truth.save(folder / "demo-truth")
    return {"files": len(truth.submissions)}


def compare_full(url: str, home: str) -> dict[str, Any]:
    """The differences between the warehouse and the truth, by dataset: the first ten of each."""
    import psycopg

    from pipelines.demo import compare_with_truth
    from pipelines.sample import Truth

    with psycopg.connect(url, autocommit=True) as connection:
        found = compare_with_truth(connection, Truth.load(Path(home) / "demo-truth"))
    return {dataset: lines[:10] for dataset, lines in found.items() if lines}


def export(url: str, folder: str, view: str) -> dict[str, Any]:
    """A view into Parquet; seconds of the export alone, without the imports."""
    from assets.marts.exports.export import export as write
    from assets.marts.indicators.catalogue import load_indicators
    from pipelines.database import connect
    from schemas.contract import builtin_folder, load_contracts

    contracts, indicators = load_contracts([builtin_folder()]), load_indicators()
    with connect(url) as connection:
        start = time.perf_counter()
        (file,) = write(connection, contracts, indicators, [view], Path(folder)).files
        return {"seconds": time.perf_counter() - start, "rows": file.rows, "bytes": file.size}


def copy_out(url: str, view: str) -> dict[str, Any]:
    """A bare COPY of a view by psql, whose bytes nobody reads."""
    import subprocess

    from pipelines.cli import _psql

    start = time.perf_counter()
    command = [str(_psql()), url, "-c", f"copy (select * from mart_v1.{view}) to stdout"]
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    return {"seconds": time.perf_counter() - start}


def openpyxl(home: str) -> dict[str, Any]:
    """Bare reading of the workbooks of an inbox with openpyxl, every cell."""
    from openpyxl import load_workbook

    cells = 0
    for path in sorted((Path(home) / "inbox").rglob("*.xlsx")):
        for sheet in load_workbook(path).worksheets:
            for row in sheet.iter_rows():
                cells += sum(cell.value is not None for cell in row)
    return {"cells": cells}


def copy(url: str, file: str) -> dict[str, Any]:
    """COPY of the bytes into a typed, logged table with its primary key."""
    import psycopg

    from .dossiers import SQL_COLUMNS

    with psycopg.connect(url) as connection:
        connection.execute(f"create table plain ({SQL_COLUMNS})")
        connection.execute("set datestyle to 'ISO, DMY'")
        with (
            open(file, "rb") as source,
            connection.cursor() as cursor,
            cursor.copy("copy plain from stdin (format csv, header true)") as target,
        ):
            while chunk := source.read(1 << 20):
                target.write(chunk)
        rows = connection.execute("select count(*) from plain").fetchone()
    assert rows is not None
    return {"rows": rows[0]}


def dlt(url: str, file: str, home: str) -> dict[str, Any]:
    """dlt's merge (upsert) of the typed rows, read by pyarrow, through its CSV loader files."""
    import dlt as library
    import pyarrow as pa
    import pyarrow.csv as reader
    from dlt.destinations import postgres

    from .dossiers import HEADERS

    types = {
        "received_at": pa.timestamp("s"), "due_at": pa.timestamp("s"), "finished_at": pa.timestamp("s"), "fee": pa.int64(),
        "documents": pa.int64(), "digitised": pa.bool_(),
    }  # fmt: skip
    convert = reader.ConvertOptions(
        column_types={HEADERS[n]: types.get(n, pa.string()) for n in HEADERS}, strings_can_be_null=True,
        timestamp_parsers=["%Y-%m-%dT%H:%M:%S", "%d/%m/%Y %H:%M:%S"],
    )  # fmt: skip

    @library.resource(
        name="dossiers", primary_key="dossier_no", write_disposition={"disposition": "merge", "strategy": "upsert"}
    )
    def rows() -> Any:
        for batch in reader.open_csv(file, reader.ReadOptions(block_size=1 << 24), convert_options=convert):
            yield pa.Table.from_batches([batch]).rename_columns(list(HEADERS))

    host = url.split("host=", 1)[1]
    name = url.split("/")[3].split("?")[0]
    target = postgres(credentials=f"postgresql://postgres:x@localhost/{name}?host={host}", create_indexes=True)
    pipeline = library.pipeline("bench", destination=target, dataset_name="dlt", pipelines_dir=home)
    pipeline.run(rows(), loader_file_format="csv")
    import psycopg

    with psycopg.connect(url) as connection:
        found = connection.execute("select count(*) from dlt.dossiers").fetchone()
    assert found is not None
    return {"rows": found[0]}


if __name__ == "__main__":
    what, *arguments = sys.argv[1:]
    found = {
        "pipeline": pipeline,
        "dagster": dagster,
        "openpyxl": openpyxl,
        "copy": copy,
        "dlt": dlt,
        "make_small": make_small,
        "make_large": make_large,
        "make_full": make_full,
        "compare_full": compare_full,
        "export": export,
        "copy_out": copy_out,
    }[what](*arguments)
    print(json.dumps(found))
