"""The crosswalk of reference against that of the statistics office."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import psycopg
from polars.testing import assert_frame_equal

from assets.reference.compare import DIFFERENCES_SQL, compare_changes
from assets.reference.store import sync_reference
from assets.reference.units import Reference
from schemas.migrate import migrate
from schemas.text import clean_text


def of_the_statistics_office(path: Path) -> pl.DataFrame:
    """Pairs of the CSV file with an old code, and the kind that its note means."""
    names = ["province", "new_name", "new_code", "old_name", "old_code", "note", "district", "old_province", "empty"]
    rows = pl.read_csv(path, has_header=False, skip_rows=2, infer_schema=False, new_columns=names)
    note = clean_text(pl.col("note")).str.to_lowercase()
    kind = (
        pl.when(note == "nhập toàn bộ diện tích")  # Kỳ Lợi: two more rows take part of its people
        .then(pl.lit("MOT_PHAN"))
        .when(note.str.contains("toàn bộ") | note.is_in(["giữ nguyên", "đổi tên", "đổi loại hình"]))
        .then(pl.lit("TOAN_BO"))
        .when(note.str.contains("một phần"))
        .then(pl.lit("MOT_PHAN"))
    )
    return rows.select(clean_text(pl.col("old_code", "new_code")), kind=kind).filter(pl.col("old_code") != "")


def test_the_real_file(reference: Reference, shared: Path) -> None:
    ours = of_the_statistics_office(shared / "data/real/admin/BangChuyendoiDVHCmoi_cu_khong_merge.csv")
    assert ours.height == 10_565 and ours["kind"].null_count() == 0
    differences = compare_changes(ours, reference)
    assert differences.filter(pl.col("province_code") == "56").is_empty()
    assert dict(differences["difference"].value_counts().iter_rows()) == {
        "only_in_file": 4,
        "only_in_reference": 41,
        "kind_differs": 88,
    }
    assert differences["old_name"].null_count() == differences["new_name"].null_count() == 0


def test_each_kind_of_difference(reference: Reference) -> None:
    ours = pl.concat(
        [
            reference.changes.select("old_code", "new_code", "kind")
            .filter(pl.col("old_code") != "22330")
            .with_columns(kind=pl.when(pl.col("old_code") == "22543").then(pl.lit("MOT_PHAN")).otherwise("kind")),
            pl.DataFrame([("22330", "22846", "TOAN_BO")], schema=["old_code", "new_code", "kind"], orient="row"),
        ]
    )
    assert compare_changes(ours, reference).rows() == [
        ("22330", "Phường Vĩnh Hải", "22333", "Phường Bắc Nha Trang", "56", "only_in_reference", None, "TOAN_BO"),
        ("22330", "Phường Vĩnh Hải", "22846", "Xã Vĩnh Hải", "56", "only_in_file", "TOAN_BO", None),
        ("22543", "Phường Ninh Hải", "22561", "Phường Đông Ninh Hòa", "56", "kind_differs", "MOT_PHAN", "TOAN_BO"),
    ]


def test_the_query_says_the_same(database_url: str, reference: Reference, shared: Path) -> None:
    ours = of_the_statistics_office(shared / "data/real/admin/BangChuyendoiDVHCmoi_cu_khong_merge.csv")
    expected = compare_changes(ours, reference)
    migrate(database_url)
    with psycopg.connect(database_url) as connection:
        sync_reference(connection, reference)
        # The view as it is published, with the columns that the query reads.
        connection.execute(
            "create table mart_v1.unit_changes (old_code text, new_code text, kind text, province_code text,"
            " effective_date date default '2025-07-01')"
        )
        assert connection.execute(DIFFERENCES_SQL).fetchall() == []  # nothing published, nothing compared
        with (
            connection.cursor() as cursor,
            cursor.copy("copy mart_v1.unit_changes (old_code, new_code, kind) from stdin (format csv)") as copy,
        ):
            copy.write(ours.write_csv(include_header=False))
        found = pl.DataFrame(connection.execute(DIFFERENCES_SQL).fetchall(), schema=expected.schema, orient="row")
    assert_frame_equal(found, expected, check_row_order=False)
