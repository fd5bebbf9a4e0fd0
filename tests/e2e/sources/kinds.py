"""Each kind of source as the conformance suite wants it: what it holds can be changed, broken, mended and made to drift."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

import sqlalchemy as sa

from schemas.sources import Source, _File
from tests.e2e.sources.api import TOKEN, Served

Row = tuple[str, str, int, int, datetime]
"""(name of a village, its type, households, population, when it was changed)."""
HEAD = ("Tên thôn", "Loại", "Số hộ", "Số khẩu", "updated_at")
DOSSIER = ("Mã hồ sơ", "Mã TTHC", "Mức độ", "Mã cơ quan", "Ngày tiếp nhận", "Ngày hẹn trả", "Hình thức", "updated_at")


class Kind(Protocol):
    """A source whose content the test decides."""

    name: str

    def hold(self, head: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """Hold these rows and no others."""

    def break_off(self) -> None:
        """Fail in the middle of what comes next, after some rows."""

    def mend(self) -> None:
        """Work again."""

    def source(self, sender: str, dataset: str, *, incremental: bool = False, **more: Any) -> Source:
        """Its declaration."""

    def close(self) -> None:
        """Be gone."""


def declared(sender: str, **spec: Any) -> Source:
    """A declaration as if read from a file."""
    return Source(sender, _File.model_validate({"sender": sender, "sources": [spec]}).sources[0])


class Sql:
    """A table of a database; ``url``: SQLAlchemy's, of a user who may make tables."""

    def __init__(self, name: str, url: str, password: str | None = None) -> None:
        self.name, self.url, self.password = name, url, password
        full = sa.make_url(url)
        if password is not None:
            full = full.set(password=password)
        self.engine = sa.create_engine(full, poolclass=sa.NullPool)
        self.table = 'bảng "thôn"'
        self.broken = False

    def hold(self, head: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        types = [
            sa.DateTime() if isinstance(v, datetime) else sa.Integer() if isinstance(v, int) else sa.String(200)
            for v in (rows[0] if rows else [""] * len(head))
        ]
        table = sa.Table(
            self.table, sa.MetaData(),
            *(sa.Column(n, t, primary_key=i == 0) for i, (n, t) in enumerate(zip(head, types, strict=True))),
        )  # fmt: skip
        with self.engine.begin() as connection:
            with suppress(sa.exc.SQLAlchemyError):
                connection.execute(sa.text(f"drop view if exists {self._quoted(self.table)}")) if self.broken else None
            table.drop(connection, checkfirst=True)
            table.create(connection)
            if rows:
                connection.execute(table.insert(), [dict(zip(head, row, strict=True)) for row in rows])

    def break_off(self) -> None:
        """A view over the rows, the last of which cannot be computed."""
        hidden = self._quoted(self.table + " hidden")
        bad = "1 / (1 - count(*) over ())" if self.engine.dialect.name == "postgresql" else "(select 1 union select 2)"
        shown = self._quoted(self.table)
        rename = {"postgresql": f"alter table {shown} rename to {hidden}"}.get(
            self.engine.dialect.name, f"rename table {shown} to {hidden}"
        )
        first = self._quoted(HEAD[0])
        order = self._quoted(HEAD[2])
        with self.engine.begin() as connection:
            connection.execute(sa.text(rename))
            if self.engine.dialect.name == "postgresql":
                connection.execute(sa.text(
                    f"create view {shown} as select *, 10 / ({order} - (select max({order}) from {hidden})) as tỷ_lệ from {hidden}"
                ))  # fmt: skip
            else:
                connection.execute(sa.text(
                    f"create view {shown} as select *, case when {order} = (select max({order}) from {hidden}) "
                    f"then {bad} else 1 end as ty_le from {hidden}"
                ))  # fmt: skip
        assert first
        self.broken = True

    def mend(self) -> None:
        hidden, shown = self._quoted(self.table + " hidden"), self._quoted(self.table)
        rename = {"postgresql": f"alter table {hidden} rename to {shown}"}.get(
            self.engine.dialect.name, f"rename table {hidden} to {shown}"
        )
        with self.engine.begin() as connection:
            connection.execute(sa.text(f"drop view {shown}"))
            connection.execute(sa.text(rename))
        self.broken = False

    def source(self, sender: str, dataset: str, *, incremental: bool = False, **more: Any) -> Source:
        how = {"incremental": {"column": "updated_at", **more.pop("how", {})}} if incremental else {}
        return declared(
            sender, name="thon", dataset=dataset, kind="sql", url=self.url, table=self.table, order_by=[HEAD[0]] if not
            incremental else [],
            **how, **more,
        )  # fmt: skip

    def close(self) -> None:
        self.engine.dispose()

    def _quoted(self, name: str) -> str:
        return self.engine.dialect.identifier_preparer.quote_identifier(name)


class Rest:
    """An API with pages of two."""

    name = "rest"

    def __init__(self, secret: Path) -> None:
        self.served = Served()
        self.api = self.served.api
        secret.write_text(TOKEN)
        secret.chmod(0o600)
        self.secret = secret

    def hold(self, head: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        def plain(v: Any) -> Any:
            return v.isoformat() if isinstance(v, datetime) else v

        self.api.rows = [dict(zip(head, map(plain, row), strict=True)) for row in rows]

    def break_off(self) -> None:
        self.api.faults = [None, "half"]

    def mend(self) -> None:
        self.api.faults = []

    def source(self, sender: str, dataset: str, *, incremental: bool = False, **more: Any) -> Source:
        how = (
            {"incremental": {"column": "updated_at", "parameter": "since", **more.pop("how", {})}}
            if incremental
            else {}
        )
        given = {
            "records": "data.items", "paging": {"kind": "page", "parameter": "page", "total": "meta.total"},
            "auth": {"kind": "bearer", "token": f"${{file:{self.secret}}}"}, "limits": {"rate": 10_000.0},
        }  # fmt: skip
        return declared(
            sender,
            name="thon",
            dataset=dataset,
            kind="rest",
            url=self.served.url,
            path="/v1/thon",
            **{**given, **how, **more},
        )

    def close(self) -> None:
        self.served.close()
