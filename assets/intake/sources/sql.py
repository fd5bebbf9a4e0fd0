"""A table or view of a department's database, by SQLAlchemy: streamed, in one read-only transaction, whole or what is new.

dlt's ``sql_table`` reads; what is asked, in which order and from where on, is said here.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any

from schemas.sources import Source, SqlSource, resolved

from .base import News, PullFailed, Rows, Taking

_BATCH = 5_000
_COUNTED = 1_000
_DRIVERS = {
    "postgresql": ("postgresql+psycopg", "psycopg"),
    "postgres": ("postgresql+psycopg", "psycopg"),
    "mysql": ("mysql+pymysql", "pymysql"),
    "mariadb": ("mariadb+pymysql", "pymysql"),
    "mssql": ("mssql+pyodbc", "pyodbc"),
    "oracle": ("oracle+oracledb", "oracledb"),
}


class Database:
    """One opened source. Use :func:`opened`."""

    def __init__(self, spec: SqlSource, engine: Any, table: Any) -> None:
        self.spec, self.engine, self.table = spec, engine, table

    def kinds(self) -> dict[str, str]:
        """Column -> kind, as :func:`assets.intake.sources.writing.write_parquet` takes them."""
        return {c.name: _kind(c.type) for c in self.table.columns}

    def keys(self) -> list[str]:
        """What rows are ordered by."""
        return [*(self.spec.order_by or [c.name for c in self.table.primary_key.columns])]

    def indexed(self, column: str) -> bool:
        """Whether an index begins with a column; of a view it is not known."""
        import sqlalchemy as sa

        with _kinds():
            looked = sa.inspect(self.engine)
            found = looked.get_indexes(self.table.name, schema=self.spec.schema_)
            keys = looked.get_pk_constraint(self.table.name, schema=self.spec.schema_)
        first = [i["column_names"][0] for i in found if i["column_names"]] + list(keys.get("constrained_columns", []))[
            :1
        ]
        return column in first

    def unmarked(self, column: str) -> int:
        """How many rows have no value in a column, counted up to a thousand and one: no watermark ever comes to them."""
        import sqlalchemy as sa

        found = self.table.columns[column]
        if not found.nullable:
            return 0
        some = sa.select(sa.literal(1).label("n")).select_from(self.table).where(found.is_(None)).limit(_COUNTED + 1)
        with _kinds(), self.engine.connect() as connection:
            return int(connection.execute(sa.select(sa.func.count()).select_from(some.subquery())).scalar_one())

    def batches(self, news: News, taking: Taking, size: int = _BATCH) -> Iterator[Rows]:
        """The rows from the watermark on, ordered, in batches."""
        from dlt.sources.sql_database import sql_table

        columns = {c.name: c for c in self.table.columns}
        order = [*([news.how.column] if news.how else []), *self.keys()]
        missing = next((name for name in order if name not in columns), None)
        if missing is not None:
            raise PullFailed(
                "NO_COLUMN", f"there is no column {missing}, by which rows are told apart; mend the declaration"
            )

        def asked(query: Any, table: Any) -> Any:
            if news.since is not None and news.how is not None:
                query = query.where(table.c[news.how.column] >= news.since)
            return query.order_by(*(table.c[name] for name in order))

        resource = sql_table(
            self.engine, table=self.table.name, schema=self.spec.schema_, chunk_size=size, backend="sqlalchemy",
            reflection_level="minimal", query_adapter_callback=asked,
        )  # fmt: skip
        rows = iter(resource)
        while True:
            with _kinds():
                batch = list(islice(rows, size))
            if not batch:
                return
            taking.in_time()
            yield batch


@contextmanager
def opened(source: Source, taking: Taking) -> Iterator[Database]:
    """Connect, and look at the table; raises :class:`PullFailed`."""
    import sqlalchemy as sa

    logging.getLogger("dlt").setLevel(logging.CRITICAL)  # its warnings quote values
    spec = source.spec
    assert isinstance(spec, SqlSource)
    engine = _engine(spec, taking)
    try:
        with _kinds():
            try:
                table = sa.Table(spec.table, sa.MetaData(), schema=spec.schema_, autoload_with=engine)
            except sa.exc.NoSuchTableError:
                there = f" in the schema {spec.schema_}" if spec.schema_ else ""
                raise PullFailed(
                    "NO_TABLE", f"there is no table or view {spec.table}{there}, or it may not be read"
                ) from None
        yield Database(spec, engine, table)
    finally:
        engine.dispose()


def _engine(spec: SqlSource, taking: Taking) -> Any:
    import sqlalchemy as sa

    url = sa.make_url(spec.url)
    name = url.get_backend_name()
    if "+" not in url.drivername and name in _DRIVERS:
        url = url.set(drivername=_DRIVERS[name][0])
    if spec.password is not None:
        url = url.set(password=resolved(spec.password))
    wait = spec.limits.wait
    connects: dict[str, dict[str, Any]] = {
        "postgresql": {
            "connect_timeout": wait,
            "options": f"-c statement_timeout={spec.limits.seconds}s -c default_transaction_read_only=on",
        },
        "mysql": {
            "connect_timeout": wait,
            "read_timeout": spec.limits.seconds,
            "init_command": "set session transaction read only",
        },
        "mariadb": {
            "connect_timeout": wait,
            "read_timeout": spec.limits.seconds,
            "init_command": "set session transaction read only",
        },
        "mssql": {"timeout": wait},
        "oracle": {"tcp_connect_timeout": wait},
    }
    connect = connects.get(name, {})
    try:
        level = "SERIALIZABLE" if name in ("oracle", "sqlite") else "SNAPSHOT" if name == "mssql" else "REPEATABLE READ"
        return sa.create_engine(
            url, connect_args=connect, isolation_level=level, poolclass=sa.NullPool, hide_parameters=True
        )
    except ModuleNotFoundError:
        driver = _DRIVERS.get(name, ("", name))[1]
        raise PullFailed(
            "NO_DRIVER", f"the package {driver} is not installed; install it beside Liên Thông: pip install {driver}"
        ) from None
    except sa.exc.NoSuchModuleError:
        raise PullFailed(
            "NO_DRIVER", f"no kind of database is called {name}; there are: {', '.join(_DRIVERS)}"
        ) from None


@contextmanager
def _kinds() -> Iterator[None]:
    """What a driver raises, by kind; its text quotes statements, values and addresses."""
    import sqlalchemy as sa

    try:
        try:
            yield
        except (PullFailed, sa.exc.SQLAlchemyError):
            raise
        except Exception as error:  # dlt wraps what its readers raise
            raise next(
                e for e in (*_causes(error), error) if isinstance(e, (PullFailed, sa.exc.SQLAlchemyError)) or e is error
            ) from None
    except sa.exc.OperationalError as error:
        state = str(getattr(error.orig, "sqlstate", None) or next(iter(getattr(error.orig, "args", ())), ""))
        # libpq gives no code for a connection that the server refused, only its words, which are looked at and not shown
        words = str(error.orig)
        if state in ("28P01", "28000", "1045", "1044") or "authentication failed" in words or "no password" in words:
            raise PullFailed("LOGIN_REFUSED", "user or password is refused; look at url and password") from None
        if state in ("57014", "1969", "3024"):
            raise PullFailed("TOO_SLOW", "the database took longer than limits.seconds") from None
        raise PullFailed(
            "UNREACHABLE", "the connection failed or was lost; see that the server is up and can be reached"
        ) from None
    except sa.exc.ProgrammingError as error:
        state = str(getattr(error.orig, "sqlstate", None) or next(iter(getattr(error.orig, "args", ())), ""))
        if state in ("42501", "1142", "1143"):
            raise PullFailed("NOT_ALLOWED", "the user may not read the table; ask for SELECT on it") from None
        raise PullFailed(
            "STATEMENT", "the database refused the question; see that table and columns are what the declaration says"
        ) from None
    except sa.exc.SQLAlchemyError as error:
        raise PullFailed("DATABASE", f"the database answered with {type(error).__name__}") from None


def _causes(error: BaseException) -> Iterator[BaseException]:
    while (inner := error.__cause__ or error.__context__) is not None:
        yield inner
        error = inner


def _kind(kind: Any) -> str:
    import sqlalchemy as sa

    if isinstance(kind, sa.Boolean):
        return "boolean"
    if isinstance(kind, sa.Integer):
        return "integer"
    if isinstance(kind, sa.Float):
        return "float"
    if isinstance(kind, sa.Numeric):
        return f"decimal:{10 if kind.scale is None else kind.scale}"
    if isinstance(kind, sa.DateTime):
        return "moment_tz" if getattr(kind, "timezone", False) else "moment"
    return "date" if isinstance(kind, sa.Date) else "text"
