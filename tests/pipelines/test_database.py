"""The embedded server starts whatever else is on the machine."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psycopg

from pipelines.database import started


def test_it_starts_beside_the_servers_of_other_users() -> None:
    """The library's lock lies in the folder for temporary files, where another user's could not be opened."""
    folder = Path(tempfile.mkdtemp(prefix="lienthong-"))
    folder.chmod(0o755)
    (folder / "tmp" / ".lockfile").mkdir(parents=True)  # which nobody can open, root neither
    code = (
        "import sys; from pathlib import Path; from pipelines.database import database_url, stop\n"
        "from pipelines.settings import Settings; import psycopg\n"
        "settings = Settings(home=Path(sys.argv[1]))\n"
        "print(psycopg.connect(database_url(settings)).execute('select 41 + 1').fetchone()[0]); stop(settings)"
    )
    environment = {n: v for n, v in os.environ.items() if n != "XDG_RUNTIME_DIR"} | {"TMPDIR": str(folder / "tmp")}
    try:
        said = subprocess.run(
            [sys.executable, "-c", code, str(folder / "home")], env=environment, capture_output=True, text=True
        )
        assert (said.stdout, said.returncode) == ("42\n", 0), said.stderr
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def test_a_server_that_is_long_in_starting_is_waited_for() -> None:
    """After a power cut it reads its log first, for longer than the library waits; a restore command keeps it as long here."""
    folder = Path(tempfile.mkdtemp(prefix="lienthong-"))
    folder.chmod(0o755)
    try:
        server = started(folder / "pg", folder / ".lock")
        server.stop()
        with (folder / "pg" / "postgresql.auto.conf").open("a") as settings:
            settings.write("restore_command = 'sleep 4; false'\nhot_standby = off\n")
        (folder / "pg" / "recovery.signal").touch()
        shutil.chown(folder / "pg" / "recovery.signal", (folder / "pg").stat().st_uid)
        began = time.monotonic()
        again = started(folder / "pg", folder / ".lock")
        assert time.monotonic() - began > 10  # else this shows nothing
        assert psycopg.connect(again.get_uri()).execute("select pg_is_in_recovery()").fetchone() == (False,)
        again.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
