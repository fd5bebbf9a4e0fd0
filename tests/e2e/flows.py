"""A world for tests of the whole flow: files dropped into an inbox, runs, and what readers, ledger and senders then see.

Here: making a pipeline on a database and a home of the test's own, small files, and short questions about the outcome.
Every run also proves law 1 (:meth:`World.conserved`). Not here: what the right outcome is.
"""

from __future__ import annotations

import atexit
import csv
import io
import os
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

import psycopg
import yaml
from openpyxl import Workbook
from psycopg.rows import dict_row

from assets.core.trace import Version, entity_id, trace
from assets.intake.archive import Stored
from assets.intake.grids import grids_of
from assets.reference.units import Reference, load_reference
from assets.returns.answers import answer
from pipelines.flow import Pipeline, Ran
from pipelines.settings import Settings
from schemas.contract import Contract, builtin_folder, load_contracts
from schemas.grid import KIND, Grid
from schemas.text import fold_one

FIRST_ARRIVAL = datetime(2026, 7, 2, 1, tzinfo=UTC)
HEAD = ("Tên thôn", "Loại", "Số hộ", "Số khẩu")


@lru_cache(maxsize=4)
def _reference(folder: Path | None, province: str) -> Reference:
    return load_reference(folder, province)


@lru_cache(maxsize=1)
def _builtin() -> dict[str, Contract]:
    return load_contracts([builtin_folder()])


def workbook(rows: Iterable[Sequence[Any]], *, sheet: str = "Sheet1", merged: Sequence[str] = (), **more: Any) -> bytes:
    """A workbook of one sheet, row by row (None: an empty cell); ``more``: sheet name -> rows of further sheets."""
    book = Workbook()
    first = book.active
    assert first is not None
    first.title = sheet
    for row in rows:
        first.append(list(row))
    for cells in merged:
        first.merge_cells(cells)
    for name, others in more.items():
        other = book.create_sheet(name)
        for row in others:
            other.append(list(row))
    return saved(book)


def saved(book: Workbook) -> bytes:
    """The bytes of a workbook."""
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def text_csv(rows: Iterable[Sequence[Any]], separator: str = ",", encoding: str = "utf-8", end: str = "\n") -> bytes:
    """A CSV."""
    out = io.StringIO()
    csv.writer(out, delimiter=separator, lineterminator=end).writerows(rows)
    return out.getvalue().encode(encoding)


def villages(*rows: tuple[Any, ...]) -> bytes:
    """A workbook of villages: (name, households, population) or (name, type, households, population)."""
    full = [(r[0], "Thôn", *r[1:]) if len(r) == 3 else r for r in rows]
    return workbook([HEAD, *full])


_TIME_ZONE = "-c timezone=Asia/Ho_Chi_Minh"
_kept: tuple[str, psycopg.Connection[Any]] | None = None


def let_go() -> None:
    """Close the connection that is kept: a database to which somebody is connected cannot be copied."""
    global _kept
    if _kept is not None:
        _kept[1].close()
        _kept = None


atexit.register(let_go)


def _answers(connection: psycopg.Connection[Any]) -> bool:
    """Whether the server still knows it: it may have been stopped, or the database dropped."""
    try:
        connection.execute("")
    except psycopg.OperationalError:
        return False
    return True


class World:
    """One installation of a test."""

    def __init__(self, url: str, home: Path, **settings: Any) -> None:
        self.url, self.home = url, home
        own: dict[str, Any] = {"inbox": str(home / "inbox"), "archive": str(home / "archive"), "settle_seconds": 0}
        self.settings = Settings(home=home, database_url=url, **{**own, **settings})
        self.arrivals = 0
        self._contracts: dict[str, Contract] | None = None if settings.get("contracts") else _builtin()

    @property
    def pipeline(self) -> Pipeline:
        """A new pipeline each time, as a new command would have."""
        pipeline = Pipeline(self.settings)
        pipeline.reference = _reference(self.settings.reference, self.settings.province)
        if self._contracts is None:
            self._contracts = pipeline.contracts
        pipeline.contracts = self._contracts
        return pipeline

    def contract(self, document: Mapping[str, Any]) -> None:
        """Write a contract (or a new version of it) into the world's own folder of contracts."""
        (folder,) = self.settings.contracts
        path = folder / f"{document['id']}.odcs.yaml"
        path.write_text(yaml.safe_dump(dict(document), allow_unicode=True, sort_keys=False), encoding="utf-8")
        self._contracts = None

    @property
    def communes(self) -> list[str]:
        """Codes of the communes that may send, in order."""
        return sorted(s.code for s in self.pipeline.senders.values() if s.kind == "commune")

    # ------------------------------------------------------------------------------------------------ what arrives

    def drop(
        self,
        sender: str,
        data: bytes,
        name: str = "thon.xlsx",
        *,
        period: str = "2026-Q2",
        at: datetime | None = None,
        sidecar: Mapping[str, Any] | str | None = None,
    ) -> str:
        """Put a file into the inbox; its place there (``period/sender/name``). Later drops are received later."""
        self.arrivals += 1
        when = (at or FIRST_ARRIVAL + timedelta(minutes=self.arrivals)).timestamp()
        path = self.home / "inbox" / period / sender / name
        path.parent.mkdir(parents=True, exist_ok=True)
        parts = {path: data}
        if sidecar is not None:
            text = sidecar if isinstance(sidecar, str) else yaml.safe_dump(dict(sidecar))
            parts[path.with_name(f"{name}.yaml")] = text.encode()
        for place, content in parts.items():
            place.write_bytes(content)
            os.utime(place, (when, when))
        return f"{period}/{sender}/{name}".encode("utf-8", "backslashreplace").decode()

    def say(self, sender: str, name: str = "khong_phat_sinh.yaml", *, period: str = "2026-Q2", **sidecar: Any) -> str:
        """Put a sidecar that stands alone into the inbox."""
        return self.drop(sender, yaml.safe_dump(sidecar).encode(), name, period=period)

    def run(self, **options: Any) -> Ran:
        """The whole flow once; then no row may be lost."""
        ran = self.pipeline.run(**options)
        self.conserved()
        return ran

    # --------------------------------------------------------------------------------------------- what is then true

    def connection(self, **options: Any) -> closing[psycopg.Connection[Any]]:
        """A connection as the pipeline has them, closed at the end of the block."""
        return closing(psycopg.connect(self.url, autocommit=True, options=_TIME_ZONE, **options))

    def asking(self) -> psycopg.Connection[Any]:
        """The connection for short questions, kept until another world is asked: a new one has all of the catalogue to learn."""
        global _kept
        if _kept is None or _kept[0] != self.url or _kept[1].closed or not _answers(_kept[1]):
            let_go()
            _kept = self.url, psycopg.connect(self.url, autocommit=True, options=_TIME_ZONE)
        return _kept[1]

    def rows(self, query: str, parameters: Any = None) -> list[tuple[Any, ...]]:
        """Rows of a query."""
        return self.asking().execute(query, parameters).fetchall()

    def execute(self, statement: str, parameters: Any = None) -> None:
        """A statement."""
        self.asking().execute(statement, parameters)

    def open_villages(self, commune: str) -> dict[str, tuple[int, int]]:
        """Name -> (households, population) of the commune's villages whose history is open."""
        return {
            r[0]: (r[1], r[2])
            for r in self.rows(
                "select village_name, households, population from mart_v1.villages_history "
                "where commune_code = %s and valid_to is null order by village_name",
                [commune],
            )
        }

    def history(self, commune: str | None = None) -> list[tuple[Any, ...]]:
        """(commune, name, households, population, from, to, carried since) of all versions of villages."""
        return self.rows(
            "select commune_code, village_name, households, population, valid_from, valid_to, carried_since "
            "from mart_v1.villages_history where %(c)s::text is null or commune_code = %(c)s "
            "order by commune_code, village_name, valid_from",
            {"c": commune},
        )

    def submission(self, origin: str) -> dict[str, Any]:
        """The answer to the file at a place (the last one that arrived there)."""
        found = self.rows(
            "select s.submission_id from intake.submission s join intake.delivery d using (delivery_id) "
            "where d.origin = %s order by s.received_at desc, s.submission_no desc limit 1",
            [origin],
        )
        assert found, f"no submission from {origin}"
        return self.answer(found[0][0])

    def submissions(self, origin: str) -> list[dict[str, Any]]:
        """The answers to all that ever came from a place, in order of receipt."""
        found = self.rows(
            "select s.submission_id from intake.submission s join intake.delivery d using (delivery_id) "
            "where d.origin = %s order by s.received_at, s.submission_no",
            [origin],
        )
        return [self.answer(r[0]) for r in found]

    def answer(self, submission: str) -> dict[str, Any]:
        """The answer to a submission."""
        with self.connection() as connection:
            return answer(connection, self.pipeline.contracts, submission)

    def answers(self) -> list[dict[str, Any]]:
        """The answers to all submissions."""
        return [
            self.answer(r[0]) for r in self.rows("select submission_id from intake.submission order by submission_no")
        ]

    def trace(
        self, dataset: str, at: date | None = None, known_at: datetime | None = None, **key: str
    ) -> list[Version]:
        """Versions of an entity with their sources."""
        pipeline = self.pipeline
        contract = pipeline.contracts[dataset]
        with self.connection() as connection, closing(pipeline):
            entity = entity_id(contract, key, pipeline.vault.find)
            return trace(connection, contract, entity, at=at, known_at=known_at)

    def proved(self, dataset: str = "villages") -> int:
        """Law 3: every published value has a source, and the cells that its sources name hold it; how many versions."""
        contract = self.pipeline.contracts[dataset]
        files: dict[str, dict[str, dict[str, str]]] = {}
        with self.connection() as connection:
            id_ = contract.entity_id
            entities = connection.execute(f"select distinct {id_} from mart_v1.{dataset}_history").fetchall()
            versions = [v for (entity,) in entities for v in trace(connection, contract, entity)]
        for version in versions:
            assert version.sources, version
            for source in version.sources:
                if source["sha256"] not in files:
                    grids, _ = grids_of(self.archived_bytes(source["sha256"]), source["file_name"])
                    files[source["sha256"]] = {g.name: _texts(g) for g in grids}
                sheet = files[source["sha256"]][source["sheet"]]
                for column in contract.columns:
                    place, value = source["cells"].get(column.name, ""), version.values[column.name]
                    if place in ("", "sender", "senderCode", "asOf") or value is None:
                        continue
                    if column.semantic_type in ("name", "text", "integer", "money"):
                        assert _means(sheet[place], value), (source["origin"], place, sheet[place], value)
            told = {name for source in version.sources for name in source["cells"]}
            assert told >= {name for name, value in version.values.items() if value is not None}, version
        return len(versions)

    def counts(self) -> dict[str, int]:
        """Rows of every table of the database."""
        tables = self.rows(
            "select schemaname, tablename from pg_tables where schemaname in "
            "('intake', 'staging', 'vault', 'core', 'ops', 'public') order by 1, 2"
        )
        query = " union all ".join(f"select '{s}.{t}', count(*) from {s}.{t}" for s, t in tables)
        return dict(self.rows(query))  # type: ignore[arg-type]

    def archived_bytes(self, sha256: str) -> bytes:
        """The clear bytes of an object of the archive."""
        pipeline = self.pipeline
        try:
            return pipeline.archive.read(sha256)
        finally:
            pipeline.close()

    def archived(self) -> dict[str, int]:
        """Objects of the archive with their sizes."""
        root = self.home / "archive"
        return {str(p.relative_to(root)): p.stat().st_size for p in sorted(root.rglob("*")) if p.is_file()}

    def conserved(self) -> None:
        """Law 1: the counts of every submission are those of the stored rows, and no row is in two places or in none."""
        with self.asking().cursor(row_factory=dict_row) as connection:
            sent = "select distinct dataset from intake.submission where assessment_no is not null"
            datasets = [r["dataset"] for r in connection.execute(sent)] or ["villages"]
            seen = " union all ".join(
                f"select _assessment as a, _sheet as sheet, _row as row, _ok as ok from staging.{d}_rows"
                for d in datasets
            )
            wrong = connection.execute(
                f"""
                with placed as materialized ({seen}),
                fit as (select a, count(*) filter (where ok) as good, count(*) filter (where not ok) as bad from placed group by a),
                aside as (select assessment_no as a, count(*) as n from staging.set_aside group by 1),
                held as (select assessment_no as a, count(*) as n from staging.quarantine group by 1),
                blamed as (select assessment_no as a, count(distinct (sheet, row)) as n from staging.verdict
                           where severity = 'error' group by 1),
                twice as (select a from (select a, sheet, row from placed union all
                          select assessment_no, sheet, row from staging.set_aside) x group by a, sheet, row having count(*) > 1)
                select u.submission_id, u.file_name, u.rows_read, u.rows_accepted, u.rows_quarantined, u.rows_set_aside,
                       fit.good, fit.bad, aside.n as aside, held.n as quarantined, blamed.n as blamed
                from intake.submission u
                left join fit on fit.a = u.assessment_no left join aside on aside.a = u.assessment_no
                left join held on held.a = u.assessment_no left join blamed on blamed.a = u.assessment_no
                where u.assessment_no is not null and u.state <> 'rejected' and (
                    u.rows_read <> u.rows_accepted + u.rows_quarantined + u.rows_set_aside
                    or u.rows_accepted + u.rows_quarantined <> coalesce(good, 0) + coalesce(bad, 0)
                    or u.rows_set_aside <> coalesce(aside.n, 0)
                    or coalesce(bad, 0) <> coalesce(held.n, 0) or coalesce(bad, 0) <> coalesce(blamed.n, 0)
                    or exists (select from twice where twice.a = u.assessment_no))
                """
            ).fetchall()
            assert not wrong, wrong
            unread = connection.execute(
                "select origin from intake.delivery d where state <> 'received' and not exists "
                "(select from intake.submission s where s.delivery_id = d.delivery_id)"
            ).fetchall()
            assert not unread, unread
        kept = "select distinct sha256, size from intake.delivery where withheld is null and destroyed_at is null"
        for sha256, size in self.rows(kept):
            assert self.pipeline.archive.holds(Stored(sha256, size))


def _texts(grid: Grid) -> dict[str, str]:
    """Address -> text of a sheet's cells."""
    names = [c for c in grid.frame.columns if c != "_row" and not c.endswith(KIND)]
    return {f"{name}{r}": t for name in names for r, t in zip(grid.frame["_row"], grid.frame[name], strict=True)}


def _means(text: str, value: Any) -> bool:
    if isinstance(value, int):
        digits = re.match(r"[\d.,\s]+", text)
        return digits is not None and int(float(re.sub(r"[.\s](?=\d{3})", "", digits[0]).replace(",", "."))) == value
    return fold_one(text) == fold_one(value)


def said(answered: Mapping[str, Any], severity: str = "error") -> set[tuple[str, str]]:
    """(address, rule) of everything that an answer says about rows with that severity."""
    return {(r["address"], r["rule"]) for r in answered["rows"] if r["severity"] == severity}


def codes(answered: Mapping[str, Any]) -> list[str]:
    """Codes of the submission as a whole, but for what is only for information."""
    return sorted(p["code"] for p in answered["problems"] if p["severity"] != "info")


_NOT_FOR_SENDERS = re.compile(
    r"(?i)psycopg|sqlstate|\bdetail:|\bcontext:|\berror:|traceback|exception|\brelation\b|\bnull value|constraint"
    r"|\bNone\b|\bnan\b|\{|\}"
)


def worded(answered: Mapping[str, Any]) -> None:
    """Every text of an answer is whole: Vietnamese in NFC, with a remedy, no gap and nothing of a database or program."""
    for told in (*answered["problems"], *answered["rows"]):
        for text in (told["message"], told["remedy"]):
            value = str(told.get("value") or "")
            ours = text.replace(value, "") if value else text
            assert text.strip() and unicodedata.is_normalized("NFC", ours), told
            assert "…" not in ours and not _NOT_FOR_SENDERS.search(ours), told
            assert any(ord(c) > 127 for c in ours), told
