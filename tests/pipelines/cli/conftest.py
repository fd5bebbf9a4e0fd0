"""A small province that has been run once, and a copy of its database for each test."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pytest
import typer.testing
from psycopg import sql
from typer.testing import CliRunner

from pipelines.cli import app
from pipelines.sample import Truth, generate

ROOT = Path(__file__).resolve().parents[3]
COMMUNES = [
    ("22366", "Phường Nha Trang"),
    ("22402", "Phường Nam Nha Trang"),
    ("22453", "Xã Cam Lâm"),
    ("22651", "Xã Diên Khánh"),
    ("22736", "Đặc khu Trường Sa"),
]
DEFECTS = ("shrunken", "word", "html", "missing_name")
_numbers = count(1)

# else a hundred commands are put together anew for each that is run
typer.testing._get_command = cache(typer.main.get_command)  # type: ignore[attr-defined]


@dataclass
class Result:
    """What a command did."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output, which must be one JSON value and nothing besides."""
        return json.loads(self.out)


@dataclass
class House:
    """A home with its database."""

    home: Path
    url: str
    truth: Truth

    @property
    def environment(self) -> dict[str, str]:
        """What makes a command work on this home."""
        # a test before this one, or the shell, may have set a narrow screen
        return {
            "COLUMNS": "200",
            "LIENTHONG_HOME": str(self.home),
            "LIENTHONG_DATABASE_URL": self.url,
            "LIENTHONG_SETTLE_SECONDS": "0",
        }

    def __call__(self, *arguments: str, **environment: str) -> Result:
        """Run a command in this process."""
        done = CliRunner().invoke(app, list(arguments), env={**self.environment, **environment})
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return Result(done.exit_code, done.stdout, done.stderr)

    def query(self, statement: str) -> list[tuple[Any, ...]]:
        """Rows of the database."""
        with psycopg.connect(self.url) as connection:
            return connection.execute(statement).fetchall()

    def execute(self, statement: str) -> None:
        """Change the database."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(statement)

    def one(self, state: str) -> str:
        """The id of the only submission in a state."""
        ((name,),) = self.query(f"select submission_id from intake.submission where state = '{state}'")
        return str(name)


def new_database(server_url: str, template: str = "template1") -> tuple[str, str]:
    """Name and URL of another database on the server."""
    name = f"cli_{next(_numbers)}"
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(
            sql.SQL("create database {} template {} strategy file_copy").format(
                sql.Identifier(name), sql.Identifier(template)
            )
        )
        return name, f"postgresql://postgres@/{name}?host={connection.info.host}"


@contextmanager
def copied(server_url: str, house: House) -> Iterator[House]:
    """A house with a copy of its database, dropped afterwards."""
    copy, url = new_database(server_url, psycopg.conninfo.conninfo_to_dict(house.url)["dbname"])
    yield House(house.home, url, house.truth)
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(copy)))


Ran = tuple[str, House, Result]


@pytest.fixture(scope="session")
def ran(server_url: str, tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """The province after its first run: name of its database, the house, and what the run printed."""
    home = tmp_path_factory.mktemp("province")
    truth = generate(home / "inbox", communes=COMMUNES, villages_per_commune=(5, 8), defects=DEFECTS)
    name, url = new_database(server_url)
    house = House(home, url, truth)
    return name, house, house("run", "--direct", "--json")


@pytest.fixture
def house(server_url: str, ran: Ran) -> Iterator[House]:
    """The province after its first run, with a database of the test's own."""
    with copied(server_url, ran[1]) as house:
        yield house


@pytest.fixture
def login(house: House) -> Iterator[str]:
    """A login with nothing yet; a role belongs to the server."""
    name = f"doc_{os.getpid()}"
    house.execute(f"create role {name} login")
    yield name
    house.execute(f"drop owned by {name}")
    house.execute(f"drop role {name}")


Script = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def script(house: House) -> Script:
    """Start the command as a process of its own, as the ``lienthong`` script does."""

    def start(*arguments: str, **environment: str) -> subprocess.Popen[str]:
        inherited = {n: v for n, v in os.environ.items() if n not in ("LANG", "LC_ALL", "PYTHONUTF8")}
        return subprocess.Popen(
            [sys.executable, "-c", "from pipelines.cli import main; main()", *arguments],
            env={**inherited, "PYTHONPATH": str(ROOT), **house.environment, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )

    return start
