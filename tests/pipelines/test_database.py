"""The embedded server starts whatever else is on the machine."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path


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
