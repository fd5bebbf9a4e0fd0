"""Fuzzing of everything between bytes and observations: damaged workbooks, texts and packages of every format.

Input number ``n`` of a seed is always the same bytes. Each goes the way of a delivery: what it is, its sheets, its tables,
cleaning. The only exception that may come out is :class:`schemas.grid.Unreadable` with a code of the closed list, and no
row may be lost. Inputs run in sacrificial processes with a limit on memory; one that takes longer than the watchdog
allows, or that ends its process, is a find. A share is parsed by the real reading process as well.

``python -m tests.faults.fuzz --inputs 100000 --seed 1 [--first N] [--processes 2] [--json]``
"""

from __future__ import annotations

import argparse
import io
import json
import random
import re
import resource
import subprocess
import sys
import time
import traceback
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared"
WATCHDOG = 20.0
"""Seconds that one input may take."""
MEMORY = 6 << 30
"""Bytes of address space of a process that runs inputs."""
BATCH = 500
SHARE = 16
"""Of so many inputs one is also parsed by the real reading process, which must say the same."""

Rng = random.Random

# ------------------------------------------------------------------------------------------------------------- seeds


@cache
def seeds() -> list[tuple[str, bytes]]:
    """(file name, bytes) of sound files of every format, small, and the given cases where they are there."""
    from tests.assets.intake import books
    from tests.e2e.flows import text_csv, workbook

    head = ["STT", "Tên thôn", "Loại", "Số hộ", "Số khẩu"]
    data = [
        [n, f"Thôn {name}", "Thôn", 100 + n, 400 + n] for n, name in enumerate(("Nà Lụa", "Bản Mây", "Khau Sương"), 1)
    ]
    form = [
        ["UBND XÃ PÁC THÔNG"], ["BIỂU 01: DANH SÁCH THÔN (ĐVT: hộ)"], ["Tính đến ngày 30/06/2026"], head,
        ["(1)", "(2)", "(3)", "(4)", "(5)"], ["I", "CÁC THÔN"], *data, [None, "Cộng", None, 306, 1206], ["Người lập biểu"],
    ]  # fmt: skip
    dates = [
        ["Số hồ sơ", "Ngày"],
        ["A-1", datetime(2026, 6, 5)],
        ["A-2", "31/04/1990"],
        ["A-3", 32143],
        ["A-4", "=1/0"],
    ]
    counts = [
        ["Tỉnh", "Huyện", "Xã", "Dân số", "Thành thị", "Nông thôn"],
        ["Tỉnh A", "Huyện B", "Xã C", "1.234", "", "1.234"],
    ]
    made: list[tuple[str, bytes]] = [
        ("thon.xlsx", workbook([head, *data])),
        ("bieu.xlsx", workbook(form, merged=("A2:E2", "B6:E6"))),
        ("nhieu.xlsx", workbook([head, *data], sheet="T4", T5=[head, *data[:1]], Khac=dates)),
        ("dan_so.xlsx", workbook(counts)),
        ("thon.csv", text_csv([head, *data])),
        ("thon_cham_phay.csv", b"\xef\xbb\xbf" + text_csv([head, *data], separator=";", end="\r\n")),
        ("thon_utf16.csv", text_csv([head, *data], separator="\t", encoding="utf-16")),
        ("bieu.csv", text_csv([[c if c is not None else "" for c in row] for row in form])),
    ]
    table = [head, *data]
    for suffix in ("xls", "ods", "xlsb", "html", "json_records", "json_lists", "xml_2003"):
        made.append((f"thon.{suffix.split('_')[0]}", getattr(books, suffix)(table)))
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.csv", text_csv([head, *data]))
        archive.writestr("b.xlsx", workbook([head, *data]))
    made.append(("thon.zip", packed.getvalue()))
    try:
        import polars as pl

        out = io.BytesIO()
        pl.DataFrame({h: [str(row[i]) for row in data] for i, h in enumerate(head)}).write_parquet(out)
        made.append(("thon.parquet", out.getvalue()))
    except ImportError:  # pragma: no cover
        pass
    for path in sorted((SHARED / "cases").rglob("*")) if SHARED.is_dir() else ():
        if path.is_file() and path.suffix in (".xlsx", ".xls", ".csv") and path.stat().st_size < 100_000:
            made.append((path.name, path.read_bytes()))
    return made


# ---------------------------------------------------------------------------------------------------------- mutations

_NUMBERS = (
    "0",
    "-1",
    "1",
    "65536",
    "1048576",
    "1048577",
    "2147483648",
    "9" * 30,
    "1e308",
    "-1e-400",
    "NaN",
    "16385",
    "",
)
_PIECES = (
    b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b'"', b'""', b";", b",", b"\t", b"\r", b"\n", b"\r\n", b"<", b">", b"&",
    b"&#0;", b"&#x1F;", b"&lol;", b"]]>", b"<!--", b"<![CDATA[", b"<!DOCTYPE a [<!ENTITY b 'c'>]>", b"</row>",
    b"<row r='1'/>", b"<c r='XFD1048576'><v>1</v></c>", b"=cmd|' /C calc'!A0", b"\\N", b"#REF!", b"PK\x03\x04",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"{", b"}", b"[" * 50, b"1" * 400, b"\xc3", b"\x80\x81\xfe",
    "Ạ\u0301\u200b".encode(), "Tổng cộng".encode(), "Tên thôn".encode(), "Số hộ".encode(), "(Tổng số)".encode(),
)  # fmt: skip


def _flip(rng: Rng, data: bytes) -> bytes:
    out = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 5, 20))):
        if out:
            out[rng.randrange(len(out))] = rng.randrange(256)
    return bytes(out)


def _cut(rng: Rng, data: bytes) -> bytes:
    at = rng.randrange(len(data) + 1)
    return data[:at] if rng.random() < 0.7 else data[at:]


def _insert(rng: Rng, data: bytes) -> bytes:
    at = rng.randrange(len(data) + 1)
    return data[:at] + rng.choice(_PIECES) * rng.choice((1, 1, 1, 3, 100)) + data[at:]


def _move(rng: Rng, data: bytes) -> bytes:
    a, b = sorted(rng.randrange(len(data) + 1) for _ in range(2))
    piece = data[a : min(b, a + 5000)]
    rest = data[:a] + data[a + len(piece) :] if rng.random() < 0.5 else data
    at = rng.randrange(len(rest) + 1)
    return rest[:at] + piece * rng.choice((1, 1, 2, 20)) + rest[at:]


def _splice(rng: Rng, data: bytes) -> bytes:
    other = rng.choice(seeds())[1]
    at, end = rng.randrange(len(data) + 1), rng.randrange(len(other) + 1)
    return data[:at] + other[end:]


_NUMBER = re.compile(rb"\d+")
_TAG = re.compile(rb"<[^<>]{1,300}>")
_VALUE = re.compile(rb'="[^"]{0,100}"')


def _token(rng: Rng, data: bytes) -> bytes:
    """Another number, tag or attribute value in a text."""
    form = rng.choice((_NUMBER, _TAG, _VALUE))
    found = list(form.finditer(data[:200_000]))
    if not found:
        return _insert(rng, data)
    one = rng.choice(found)
    if form is _NUMBER:
        new = rng.choice(_NUMBERS).encode()
    elif rng.random() < 0.4:
        new = rng.choice(found)[0]
    elif form is _VALUE:
        new = (
            b'="'
            + rng.choice((*_NUMBERS, "s", "e", "d", "b", "str", "inlineStr", "A1", "../../x", "ZZZZ9")).encode()
            + b'"'
        )
    else:
        new = b"" if rng.random() < 0.5 else one[0] * 2
    return data[: one.start()] + new + data[one.end() :]


def _encoding(rng: Rng, data: bytes) -> bytes:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return _flip(rng, data)
    return text.encode(
        rng.choice(("utf-16", "utf-16-le", "utf-16-be", "utf-8-sig", "cp1258", "latin-1", "utf-32")), "replace"
    )


_BYTES: tuple[Callable[[Rng, bytes], bytes], ...] = (_flip, _flip, _cut, _insert, _insert, _move, _splice)
_TEXT: tuple[Callable[[Rng, bytes], bytes], ...] = (*_BYTES, _token, _token, _token, _encoding)


def _package(rng: Rng, data: bytes) -> bytes:
    """A zip whose parts are changed, lost, doubled or renamed, and which is sound itself."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as source:
            parts = [(i.filename, source.read(i)) for i in source.infolist()]
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, OSError, ValueError, EOFError):
        return _flip(rng, data)
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        if not parts:
            break
        at = rng.randrange(len(parts))
        name, content = parts[at]
        kind = rng.random()
        if kind < 0.75:
            parts[at] = (name, rng.choice(_TEXT)(rng, content))
        elif kind < 0.83:
            del parts[at]
        elif kind < 0.9:
            parts.append((name, rng.choice(parts)[1]))
        elif kind < 0.95:
            parts[at] = (
                rng.choice((name.upper(), name.replace("/", "\\"), "../" + name, "/" + name, name[:-1], "")) or "x",
                content,
            )
        else:
            parts[at] = (name, rng.choice(parts)[1])
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", rng.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))) as target:
        import warnings

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # doubled names are meant
            for name, content in parts:
                target.writestr(name, content)
    packed = out.getvalue()
    return rng.choice(_BYTES)(rng, packed) if rng.random() < 0.1 else packed


def made(seed: int, number: int) -> tuple[str, bytes]:
    """The input ``number`` of a seed: (file name, bytes)."""
    rng = Rng(f"{seed}/{number}")
    name, data = rng.choice(seeds())
    for _ in range(rng.choice((1, 1, 2, 3))):
        if data.startswith(b"PK") and rng.random() < 0.95:
            data = _package(rng, data)
        else:
            data = rng.choice(_TEXT if len(data) < 200_000 else _BYTES)(rng, data)
        data = data[: 4 << 20]
    if rng.random() < 0.1:
        name = rng.choice(("x", "x.csv", "x.xlsx", "x.xls", "x.json", "x.zip", "x.html", "x.bin"))
    return name, data


# ------------------------------------------------------------------------------------------------------------ the way


@dataclass
class Tools:
    """Contracts, senders and units, made once a process."""

    contracts: dict[str, Any]
    senders: dict[str, Any]
    resolver: Any
    periods: tuple[str, ...] = ("2026-Q2", "2026-06", "2026-Q2", "2026-05", "2026-Q2", "2026", "2026-Q2")


@cache
def tools() -> Tools:
    """Those of the real province."""
    from assets.intake.submissions import SenderInfo
    from assets.reference.resolver import Resolver
    from assets.reference.units import load_reference
    from schemas.contract import builtin_folder, load_contracts

    reference = load_reference()
    rows = reference.senders.iter_rows(named=True)
    senders = {r["code"]: SenderInfo(r["code"], r["name"], r["kind"], r["commune_code"]) for r in rows}
    return Tools(load_contracts([builtin_folder()]), senders, Resolver(reference, carry_codes=True))


def parsed(data: bytes, name: str, apart: bool = False) -> Any:
    """Sheets and problems, or the refusal; by this process, which is sacrificed, or by the one that a run asks."""
    from assets.intake.grids import grids_of
    from assets.intake.limits import Limits
    from assets.intake.reader import read_apart
    from schemas.grid import Unreadable

    try:
        return read_apart(data, name, Limits()) if apart else grids_of(data, name, Limits())
    except Unreadable as refused:
        return refused


def _told(content: Any) -> Any:
    """Content in a form that can be compared."""
    if not isinstance(content, tuple):
        return content.problem
    grids, problems = content
    told = []
    for grid in grids:
        cells = None if grid.cells is None else grid.cells.to_list()
        told.append(vars(grid) | {"frame": grid.frame.to_dict(as_series=False), "cells": cells})
    return told, problems


def run_one(name: str, data: bytes, number: int) -> str:
    """The way of a delivery; what became of it: a code, or 'read'. Raises whatever must not come out."""
    import polars as pl

    from assets.intake.ledger import Delivery
    from assets.intake.submissions import Found, submissions_in
    from assets.staging.observe import Pending, Sender, observe
    from expectations.run import Outcome
    from schemas.codes import CODES

    kit = tools()
    sender = ("22333", "22333", "22333", "CTK", "SNV")[number % 5]
    delivery = Delivery(
        "D",
        "0" * 64,
        len(data),
        sender,
        kit.periods[number % len(kit.periods)],
        name,
        f"x/{name}",
        datetime(2026, 7, 2, tzinfo=UTC),
        {},
    )
    content = parsed(data, name)
    if number % SHARE == 0:
        assert _told(parsed(data, name, apart=True)) == _told(content), "the reading process says another thing"
    items = submissions_in(delivery, content, kit.contracts, kit.senders)
    assert items, "no answer"
    empty = Outcome(
        pl.DataFrame(schema={"_id": pl.Int64, "check": pl.String, "severity": pl.String}),
        pl.DataFrame(
            schema={
                "_sub": pl.Int64,
                "check": pl.String,
                "status": pl.String,
                "evaluated": pl.Int64,
                "unexpected": pl.Int64,
            }
        ),
    )
    words = []
    for item in items:
        for problem in item.problems:
            code = CODES[problem.code]
            json.dumps(problem.params)  # kept as JSON
            assert code.text(**problem.params) and code.advice(**problem.params) is not None
        if not isinstance(item, Found):
            words.append(next((p.code for p in item.problems if CODES[p.code].severity == "error"), "?"))
            continue
        table, scope = item.table, item.sender.commune_code
        assert table.rows_read == table.rows.height + table.set_aside.height, "rows lost in reading"
        about = Sender(item.sender.code, scope, frozenset({scope}) if scope else None)
        pending = [Pending(0, about, item.as_of, delivery.received_at, table.layouts)]
        raw = table.rows.with_columns(_sub=pl.lit(0, pl.Int64))
        seen = observe(
            item.contract, raw, pending, kit.resolver.resolve, lambda frame, bad: empty, {}, kit.resolver.listed,
            seal=_numbered,
        )  # fmt: skip
        assert seen.observations.height + seen.set_aside.height == table.rows.height, "rows lost in cleaning"
        assert seen.quarantine.height == seen.observations.filter(~pl.col("_ok")).height
        words.append("read")
    return "+".join(sorted(set(words)))


def _numbered(columns: dict[str, Any]) -> dict[str, Any]:
    """Subjects as a vault would give them, for there is no database here."""
    import polars as pl

    return {name: s.rank("dense").cast(pl.Int64) for name, s in columns.items()}


# --------------------------------------------------------------------------------------------------------- processes


def worker(seed: int, first: int, count: int) -> None:
    """Run inputs and say after each, on standard output, what became of it."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    tools(), seeds()
    print("ready", flush=True)
    for number in range(first, first + count):
        try:
            name, data = made(seed, number)
            outcome = run_one(name, data, number)
        except Exception as error:
            places = [f"{Path(f.filename).name}:{f.lineno}" for f in traceback.extract_tb(error.__traceback__)]
            outcome = f"!{type(error).__name__} {' < '.join(places[::-1][:4])}"
        print(json.dumps([number, outcome, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024]), flush=True)


@dataclass
class Tally:
    """What a run came to. ``finds``: number of the input -> what was wrong."""

    inputs: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    finds: dict[int, str] = field(default_factory=dict)
    peak_mb: int = 0
    slowest: float = 0.0
    seconds: float = 0.0


def batch(seed: int, first: int, count: int, tally: Tally) -> None:
    """Inputs in a process of their own; after a hang or a death in another one from the next input on."""
    while count > 0:
        command = [sys.executable, "-m", "tests.faults.fuzz", "--worker", str(seed), str(first), str(count)]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
            done = _follow(process, tally)
            process.kill()
        if done < count:
            tally.finds[first + done] = "hang" if process.returncode == -9 else f"death ({process.returncode})"
            tally.outcomes["!"] += 1
            tally.inputs += 1
            done += 1
        first, count = first + done, count - done


def _follow(process: subprocess.Popen[bytes], tally: Tally) -> int:
    """Read what a worker says; how many inputs it got through before it ended or fell silent."""
    import selectors

    assert process.stdout is not None
    done, rest, last = 0, b"", time.monotonic()
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        patience = 120.0  # imports, on a busy machine
        while selector.select(patience):
            chunk = process.stdout.read1(1 << 16)  # type: ignore[attr-defined]
            if not chunk:
                process.wait()
                return done
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                if line == b"ready":
                    patience, last = WATCHDOG, time.monotonic()
                    continue
                number, outcome, peak = json.loads(line)
                done += 1
                tally.inputs += 1
                tally.outcomes["!" if outcome.startswith("!") else outcome] += 1
                tally.peak_mb = max(tally.peak_mb, peak)
                now = time.monotonic()
                tally.slowest, last = max(tally.slowest, now - last), now
                if outcome.startswith("!"):
                    tally.finds[number] = outcome[1:]
    return done


def fuzz(seed: int, first: int, inputs: int, processes: int, progress: Callable[[Tally], None]) -> Tally:
    """Run inputs ``first`` to ``first + inputs`` of a seed in batches, ``processes`` at once."""
    from concurrent.futures import ThreadPoolExecutor

    tally, began = Tally(), time.monotonic()

    def batches() -> Iterator[tuple[int, int]]:
        for start in range(first, first + inputs, BATCH):
            yield start, min(BATCH, first + inputs - start)

    with ThreadPoolExecutor(processes) as pool:
        for _ in pool.map(lambda b: batch(seed, *b, tally), batches()):
            tally.seconds = time.monotonic() - began
            progress(tally)
    return tally


def main() -> None:
    """Run from the command line."""
    if sys.argv[1:2] == ["--worker"]:
        worker(*map(int, sys.argv[2:5]))
        return
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=date.today().toordinal())
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()

    def told(tally: Tally) -> None:
        if not asked.json:
            print(
                f"\r{tally.inputs} of {asked.inputs}, {len(tally.finds)} finds, {tally.inputs / tally.seconds:.0f}/s",
                end="",
                flush=True,
            )

    tally = fuzz(asked.seed, asked.first, asked.inputs, asked.processes, told)
    if asked.json:
        print(json.dumps({**vars(tally), "seed": asked.seed}))
    else:
        print(f"\nseed {asked.seed}: {tally.inputs} inputs in {tally.seconds:.0f} s")
        print(f"  peak {tally.peak_mb} MB, slowest {tally.slowest:.1f} s")
        for outcome, n in tally.outcomes.most_common():
            print(f"  {n:7} {outcome}")
        for number, find in sorted(tally.finds.items())[:50]:
            print(f"  FIND {number}: {find}")
    sys.exit(1 if tally.finds else 0)


if __name__ == "__main__":
    main()
