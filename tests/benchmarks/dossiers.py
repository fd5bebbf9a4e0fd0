"""The million dossiers: a CSV as the provincial one-stop system exports it, its clean twin, and both with 1 % changed.

Belongs here: seeded data and the answers that it must get. Not here: running or timing anything.

The twin is for the plain tools, which a single bad row would stop: the same rows, with sound cells in place of the bad
ones, so that it has the same rows and all but the same bytes.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import polars as pl

PERIOD, SENDER = "2025-09", "VP_UBND"
CONTRACTS = Path(__file__).parent / "contracts"
CHANGED_NOTE = "Đã điều chỉnh lần 2"

HEADERS = {
    "dossier_no": "Số hồ sơ", "procedure_code": "Mã thủ tục", "unit_code": "Mã đơn vị tiếp nhận",
    "received_at": "Ngày tiếp nhận", "due_at": "Ngày hẹn trả", "finished_at": "Ngày trả", "channel": "Hình thức",
    "state": "Trạng thái", "fee": "Lệ phí", "documents": "Số giấy tờ", "digitised": "Đã số hóa", "note": "Ghi chú",
}  # fmt: skip
SQL_COLUMNS = (
    "dossier_no text primary key, procedure_code text, unit_code text, received_at timestamp, due_at timestamp, "
    "finished_at timestamp, channel text, state text, fee bigint, documents bigint, digitised boolean, note text"
)
"""The typed table of the plain COPY; its session reads dates day first (``datestyle``)."""

_PROCEDURES = (
    "1.004227", "1.004199", "1.000894", "1.001193", "1.000656", "1.004873", "2.000635", "2.000815", "2.000884", "2.001035",
    "1.001612", "2.000720", "1.001653", "1.001776", "2.000751", "1.010833", "1.009994", "1.004088", "1.003554", "1.010736",
)  # fmt: skip
_NOTES = (
    "", "", "", "", "Nộp qua Cổng Dịch vụ công", "Ủy quyền cho con", "Bổ sung bản sao CCCD", "Trả kết quả tại nhà",
    "Hồ sơ liên thông", "Thửa 214, tờ bản đồ số 7", "Đo đạc lại ranh giới", "Miễn lệ phí hộ nghèo",
    "Hẹn lại theo đề nghị của công dân", "Chuyển từ xã Pác Thông", "Kèm đơn đề nghị", "Đã gọi điện nhắc",
)  # fmt: skip
_RECEIVED = datetime(2025, 10, 2, 8, tzinfo=timezone(timedelta(hours=7)))


@dataclass(frozen=True)
class Expected:
    """What the pipeline must make of the files."""

    rows: int
    accepted: int
    quarantined: int
    repeats: int
    changed: int
    first_bytes: int
    clean_bytes: int


@dataclass(frozen=True)
class Files:
    """The four files in a folder."""

    folder: Path

    @property
    def first(self) -> Path:
        """As sent, a few hundred bad rows among them."""
        return self.folder / "first.csv"

    @property
    def second(self) -> Path:
        """The same with 1 % of its rows changed."""
        return self.folder / "second.csv"

    @property
    def clean(self) -> Path:
        """Twin of the first without bad rows."""
        return self.folder / "clean.csv"

    @property
    def clean_second(self) -> Path:
        """Twin of the second."""
        return self.folder / "clean_second.csv"


def write(folder: Path, rows: int, seed: int = 2025) -> Expected:
    """Write the four files; what must become of them. Rows stand in the order of receipt, as systems export them."""
    files = Files(folder)
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    clean = _rows(rng, rows)
    bad = min(300, rows // 20)
    twins = min(40, rows // 40)
    at = np.sort(rng.choice(np.arange(1, rows - 1), size=bad + twins, replace=False))
    rng.shuffle(at)
    spoilt_at, doubled_at = np.sort(at[:bad]), np.sort(at[bad:])
    changed_at = rng.choice(np.setdiff1d(np.arange(rows), [*at, *(doubled_at - 1)]), size=rows // 100, replace=False)
    changed = _changed(clean, changed_at)
    for frame, path, twin in ((clean, files.first, files.clean), (changed, files.second, files.clean_second)):
        _write(frame, twin)
        spoilt, repeats, quarantined = _spoil(frame, spoilt_at, doubled_at)
        _write(spoilt, path)
    return Expected(
        rows=rows,
        accepted=rows - repeats - quarantined,
        quarantined=quarantined,
        repeats=repeats,
        changed=len(changed_at),
        first_bytes=files.first.stat().st_size,
        clean_bytes=files.clean.stat().st_size,
    )


def deliver(file: Path, inbox: Path, hours: int = 0) -> None:
    """Put a file into the inbox, under one and the same name, as received so many hours after the first."""
    target = inbox / PERIOD / SENDER / "ho_so.csv"
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_suffix(".part")
    partial.write_bytes(file.read_bytes())
    stamp = (_RECEIVED + timedelta(hours=hours)).timestamp()
    os.utime(partial, (stamp, stamp))
    partial.rename(target)


def _rows(rng: np.random.Generator, rows: int) -> pl.DataFrame:
    start = datetime(2025, 9, 1, 7)
    received = np.sort(rng.integers(0, 30 * 24 * 3600 - 12 * 3600, rows))
    units = [f"000.{part:02}.{number:02}.H32" for part in (0, 21, 22) for number in range(1, 31)]
    frame = pl.DataFrame(
        {
            "unit_code": np.array(units)[rng.integers(0, len(units), rows)],
            "received": received,
            "due": received + rng.integers(1, 30, rows) * 86_400,
            "finished": received + rng.integers(3_600, 25 * 86_400, rows),
            "procedure_code": np.array(_PROCEDURES)[rng.integers(0, len(_PROCEDURES), rows)],
            "channel": np.array(["MANG", "QUAY", "BUU"])[rng.choice(3, rows, p=[0.6, 0.35, 0.05])],
            "done": rng.random(rows) < 0.8,
            "fee": rng.choice([0, 0, 8_000, 15_000, 50_000, 100_000, 150_000, 1_250_000], rows),
            "documents": rng.integers(1, 25, rows),
            "digitised": rng.integers(0, 2, rows),
            "note": np.array(_NOTES)[rng.integers(0, len(_NOTES), rows)],
        }
    )

    def moment(name: str, form: str) -> pl.Expr:
        return (pl.lit(start) + pl.duration(seconds=pl.col(name))).dt.to_string(form)

    day = moment("received", "%y%m%d")
    number = pl.int_range(1, pl.len() + 1).over("unit_code", day).cast(pl.String).str.zfill(6)
    return frame.select(
        (pl.col("unit_code") + "-" + day + "-" + number).alias("dossier_no"),
        "procedure_code",
        "unit_code",
        moment("received", "%Y-%m-%dT%H:%M:%S").alias("received_at"),
        moment("due", "%d/%m/%Y %H:%M:%S").alias("due_at"),
        pl.when("done").then(moment("finished", "%Y-%m-%dT%H:%M:%S")).otherwise(pl.lit("")).alias("finished_at"),
        "channel",
        pl.when("done").then(pl.lit("XONG")).otherwise(pl.lit("DANG")).alias("state"),
        pl.col("fee").cast(pl.String),
        pl.col("documents").cast(pl.String),
        pl.col("digitised").cast(pl.String),
        "note",
    )


def _changed(frame: pl.DataFrame, at: np.ndarray) -> pl.DataFrame:
    """Some rows with another state, fee and note, at their places."""
    here = pl.int_range(pl.len()).is_in(pl.Series(at).implode())
    return frame.with_columns(
        pl.when(here).then(pl.lit("CHO")).otherwise("state").alias("state"),
        pl.when(here).then(pl.lit("20000")).otherwise("fee").alias("fee"),
        pl.when(here).then(pl.lit(CHANGED_NOTE)).otherwise("note").alias("note"),
    )


def _spoil(frame: pl.DataFrame, spoilt: np.ndarray, doubled: np.ndarray) -> tuple[pl.DataFrame, int, int]:
    """One bad cell in each of some rows; some rows replaced by their neighbours, whole or under the same key.

    (frame, rows that repeat another, rows that must go to quarantine)."""
    faults = (
        ("due_at", "31/02/2025 08:00:00"), ("fee", "miễn phí"), ("channel", "Qua bưu tá"), ("received_at", ""),
        ("dossier_no", "H32-25093-12"), ("finished_at", "2025-08-01T00:00:00"), ("fee", "-5000"), ("procedure_code", "9.99"),
    )  # fmt: skip
    columns = {name: frame[name].to_list() for name in {name for name, _ in faults}}
    for number, row in enumerate(spoilt.tolist()):
        name, text = faults[number % len(faults)]
        # the malformed numbers differ, or they would be one key
        columns[name][row] = f"{text}{number}" if name == "dossier_no" else text
    out = frame.with_columns(pl.Series(name, cells) for name, cells in columns.items())
    order = np.arange(frame.height)
    neighbours = [row for row in doubled.tolist() if row - 1 not in set(spoilt.tolist()) | set(doubled.tolist())]
    order[neighbours] -= 1
    out = out[order]
    contradicting = neighbours[1::2]
    notes = out["note"].to_list()
    for row in contradicting:
        notes[row] = "Trùng số hồ sơ"
    out = out.with_columns(pl.Series("note", notes))
    return out, len(neighbours) - len(contradicting), len(spoilt) + 2 * len(contradicting)


def _write(frame: pl.DataFrame, path: Path) -> None:
    # an empty cell is nothing at all: COPY would take "" for a text
    frame.with_columns(pl.all().replace("", None)).rename(HEADERS).write_csv(path)


def prepare(folder: Path, rows: int) -> Expected:
    """As :func:`write`, once for a folder and number of rows."""
    note = folder / "expected.json"
    if note.exists():
        known = Expected(**json.loads(note.read_text(encoding="utf-8")))
        if known.rows == rows:
            return known
    expected = write(folder, rows)
    note.write_text(json.dumps(asdict(expected)), encoding="utf-8")
    return expected
