"""Worlds, as tests of the whole flow have them, and LibreOffice."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tests.e2e.conftest import _template, make_world, world
from tests.e2e.test_returned import cases

__all__ = ["_template", "cases", "make_world", "world"]

Convert = Callable[[Sequence[Path], str], list[Path]]
_NO_JAVA = "javaldx"
"""LibreOffice says so where there is no Java; Calc needs none."""


@pytest.fixture(scope="session")
def office(tmp_path_factory: pytest.TempPathFactory) -> Convert:
    """Convert files by LibreOffice; fails with what it says, should it say anything."""
    program = shutil.which("soffice")
    if program is None:
        pytest.fail("soffice is missing: apt-get install --no-install-recommends libreoffice-calc")
    profile = tmp_path_factory.mktemp("office")

    def convert(files: Sequence[Path], to: str) -> list[Path]:
        out = tmp_path_factory.mktemp("converted")
        done = subprocess.run(
            [program, "--headless", f"-env:UserInstallation={profile.as_uri()}", "--convert-to", to, "--outdir", out, *files],
            capture_output=True, text=True, timeout=300,
        )  # fmt: skip
        said = [line for line in done.stderr.splitlines() if line.strip() and _NO_JAVA not in line]
        assert (done.returncode, said) == (0, []), done.stdout
        made = [out / f"{file.stem}.{to}" for file in files]
        assert all(file.stat().st_size for file in made)
        return made

    return convert
