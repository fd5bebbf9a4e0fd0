"""What must hold of the repository as a whole: its tree, its lock, its floors, its installation.

Does not belong here: tests of what a module does; those mirror the module's place.
"""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("schemas", "expectations", "assets", "pipelines")
TOP_LEVEL = {
    *PACKAGES, "tests", "docs", "workspace.yaml", "pyproject.toml", "README.md", "Makefile", "requirements.lock",
    "LICENSE", "CHANGELOG.md",
}  # fmt: skip
HEAVY = ("dagster", "great_expectations", "pandas", "splink")
"""What costs from half a second to five seconds to import: loaded by the commands that need it, never by all."""


@cache
def tree() -> tuple[Path, ...]:
    """Every file that is, or is about to be, in the repository."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout.decode()
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git checkout: what belongs to the repository cannot be told")
    return tuple(path for name in sorted(set(listed.split("\0")) - {""}) if (path := ROOT / name).is_file())


@cache
def modules(*folders: str) -> dict[Path, ast.Module]:
    """The parsed Python files below the folders (all of the repository's where none is named)."""
    wanted = [p for p in tree() if p.suffix == ".py" and (not folders or p.relative_to(ROOT).parts[0] in folders)]
    return {path: _parsed(path) for path in wanted}


@cache
def _parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imports(module: ast.Module) -> Iterator[str]:
    """The absolute names that a module imports, wherever in it."""
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module


def run(*command: str | Path, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command elsewhere, without the settings that could make our packages importable by accident."""
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "MAKEFLAGS")}
    return subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=environment | variables,
        capture_output=True,
        text=True,
        encoding="utf-8",
        stdin=subprocess.DEVNULL,
    )


# --- the tree ---------------------------------------------------------------------------------------------------------


def test_the_top_level_holds_only_what_the_layout_names() -> None:
    entries = {path.relative_to(ROOT).parts[0] for path in tree()}
    assert {entry for entry in entries if not entry.startswith(".")} == TOP_LEVEL


def test_no_file_names_a_package_index_or_a_place_on_a_developers_machine() -> None:
    index = "|".join(["py" r"pi\.org", "python" r"hosted\.org", "registry" r"\.npmjs", "ana" r"conda\.org"])
    forbidden = re.compile(rf"{index}|(?<![\w.~}}])/(?:home|Users|root|work|mnt)/\w|[A-Z]:\\Users")
    found = []
    for path in tree():
        content = path.read_bytes()
        if b"\0" in content[:8192]:
            continue
        for number, line in enumerate(content.decode("utf-8").splitlines(), 1):
            if match := forbidden.search(line):
                found.append(f"{path.relative_to(ROOT)}:{number}: {match[0]}")
    assert not found


def test_every_module_says_what_belongs_in_it() -> None:
    silent = [path for path, module in modules().items() if module.body and not ast.get_docstring(module)]
    assert not [str(path.relative_to(ROOT)) for path in silent]


def test_sql_longer_than_a_line_lives_in_a_sql_file() -> None:
    statement = re.compile(r"\s*(select|insert|update|delete|merge|with|create|alter|drop|copy)\s", re.IGNORECASE)
    found = []
    for path, module in modules(*PACKAGES).items():
        bodies = [n for n in ast.walk(module) if isinstance(n, (ast.Module, ast.ClassDef, ast.FunctionDef))]
        docstrings = {id(body.body[0].value) for body in bodies if body.body and isinstance(body.body[0], ast.Expr)}
        for node in ast.walk(module):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
                lines = [line for line in node.value.splitlines() if line.strip()]
                if len(lines) > 2 and statement.match(node.value):
                    found.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert not found


def test_what_goes_back_to_people_is_no_spreadsheet() -> None:
    """Answers and reports are JSON and text, in which no cell is a formula. Whoever adds a file that a spreadsheet opens adds
    the one writer that escapes its cells (= + - @ tab CR, full-width too), names it here, and proves it with properties."""
    writers = {"write_csv", "to_csv", "write_excel", "to_excel", "to_html", "writer", "DictWriter"}
    libraries = {"openpyxl", "xlsxwriter", "xlwt", "odf"}
    allowed = {
        "assets/reference/units.py",  # hashed
        "assets/reference/store.py",  # to COPY
        "assets/staging/copy.py",  # to COPY
        "assets/returns/cells.py",  # that one writer: tests/assets/returns/test_worklist_book.py
        "assets/marts/exports/forms.py",  # by the same rule, vectorised: tests/assets/marts/test_exports.py
        "assets/returns/template.py",  # by that writer: tests/e2e/test_templates.py
        "assets/returns/worklist_book.py",  # by that writer
    }
    found = set()
    for path, module in modules("assets", "pipelines", "schemas").items():
        name = path.relative_to(ROOT).as_posix()
        if name.startswith("pipelines/sample/"):  # an invented inbox and what is known about it: nothing of a sender
            continue
        calls = {n.func.attr for n in ast.walk(module) if isinstance(n, ast.Call) and isinstance(n.func, ast.Attribute)}
        if calls & writers or {i.partition(".")[0] for i in imports(module)} & libraries:
            found.add(name)
    assert found == allowed


def test_ci_runs_what_a_laptop_runs() -> None:
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    assert "make test" in script.read_text(encoding="utf-8")


# --- the lock ---------------------------------------------------------------------------------------------------------


def locked() -> dict[str, tuple[Requirement, list[str]]]:
    """Name -> (pinned requirement with its marker, hashes)."""
    pins: dict[str, tuple[Requirement, list[str]]] = {}
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8").replace("\\\n", " ")
    for line in text.splitlines():
        if line.strip() and not line.startswith("#"):
            requirement, *options = re.split(r"\s+(?=--)", line.strip())
            parsed = Requirement(requirement)
            name = canonicalize_name(parsed.name)
            assert name not in pins, f"{name} is pinned twice"
            pins[name] = (parsed, options)
    return pins


def declared() -> dict[str, list[Requirement]]:
    """'run' and 'dev' -> what pyproject.toml asks for."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    run_time, dev = project["project"]["dependencies"], project["dependency-groups"]["dev"]
    return {
        "run": [Requirement(r) for r in run_time],
        "dev": [Requirement(r) for r in [*dev, *project["build-system"]["requires"]]],
    }


def test_the_lock_pins_everything_exactly_and_with_hashes() -> None:
    pins = locked()
    assert len(pins) > 50
    for name, (requirement, hashes) in pins.items():
        assert [s.operator for s in requirement.specifier] == ["=="], name
        assert requirement.url is None, name
        assert hashes, name
        assert all(re.fullmatch(r"--hash=sha256:[0-9a-f]{64}", h) for h in hashes), name


def test_the_lock_holds_what_pyproject_asks_for() -> None:
    pins = locked()
    missing = []
    for requirement in [r for group in declared().values() for r in group]:
        pin = pins.get(canonicalize_name(requirement.name))
        version = next(iter(pin[0].specifier)).version if pin else None
        if version is None or not requirement.specifier.contains(version, prereleases=True):
            missing.append(f"{requirement}: the lock has {version}; run `make lock`")
    assert not missing


def test_what_the_code_imports_is_declared() -> None:
    names = {group: {canonicalize_name(r.name) for r in asked} for group, asked in declared().items()}
    known = packages_distributions()
    undeclared = []
    for folder in (*PACKAGES, "tests"):
        allowed = names["run"] | (names["dev"] if folder == "tests" else set())
        for path, module in modules(folder).items():
            for top in {name.partition(".")[0] for name in imports(module)}:
                # what a type checker brings along is imported by no program
                if top in sys.stdlib_module_names or top in (*PACKAGES, "tests", "_typeshed"):
                    continue
                if not {canonicalize_name(d) for d in known.get(top, [])} & allowed:
                    undeclared.append(f"{path.relative_to(ROOT)}: {top}")
    assert not undeclared


# --- the floors -------------------------------------------------------------------------------------------------------


def test_each_floor_imports_only_those_below() -> None:
    done = run(Path(sys.executable).with_name("lint-imports"), "--no-cache", cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_command_starts_without_the_heavy_libraries(tmp_path: Path) -> None:
    code = f"import sys, pipelines.cli; print(sorted(set({HEAVY}) & set(sys.modules)))"
    done = run(sys.executable, "-c", code, cwd=tmp_path, PYTHONPATH=str(ROOT))
    assert (done.returncode, done.stdout.strip()) == (0, "[]"), done.stderr


# --- the installation -------------------------------------------------------------------------------------------------


def test_the_packages_are_found_from_any_folder(tmp_path: Path) -> None:
    code = f"import importlib; print(*(importlib.import_module(p).__file__ for p in {PACKAGES}), sep='\\n')"
    done = run(sys.executable, "-c", code, cwd=tmp_path)
    assert done.returncode == 0, f"not installed in this environment (`make install` does it):\n{done.stderr}"
    assert [Path(line).resolve() for line in done.stdout.splitlines()] == [ROOT / p / "__init__.py" for p in PACKAGES]


def test_dagster_loads_the_workspace_from_any_folder(tmp_path: Path) -> None:
    (entry,) = yaml.safe_load((ROOT / "workspace.yaml").read_text(encoding="utf-8"))["load_from"]
    assert entry == {"python_module": {"module_name": "pipelines.definitions"}}
    command = ("-m", "dagster", "definitions", "validate", "-w", ROOT / "workspace.yaml")
    done = run(sys.executable, *command, cwd=tmp_path, DAGSTER_HOME=str(tmp_path))
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_wheel_carries_every_file_of_the_packages(tmp_path: Path) -> None:
    done = run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = tmp_path.glob("lienthong-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if ".dist-info/" not in name}
    names = {path.relative_to(ROOT).as_posix() for path in tree()}
    assert packed == {name for name in names if name.partition("/")[0] in PACKAGES}


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_make_explains_itself() -> None:
    done = run("make", cwd=ROOT)
    assert done.returncode == 0, done.stderr
    listed = set(re.findall(r"^  ([\w-]+) ", done.stdout, re.MULTILINE))
    targets = set(re.findall(r"^\.PHONY: ([\w-]+)", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert listed == targets
    assert listed >= {"demo", "test", "lint", "ui", "bench", "help"}


def test_a_python_that_does_not_work_is_passed_over_or_explained(tmp_path: Path) -> None:
    broken, working = tmp_path / "broken here", tmp_path / "working"
    for folder in (broken, working):
        folder.mkdir()
    (broken / "python3.13").write_text("#!/bin/sh\nexit 127\n")
    (broken / "python3.13").chmod(0o755)
    (working / "python3").symlink_to(sys.executable)
    found = run("/bin/sh", ROOT / ".ci" / "find-python", cwd=tmp_path, PATH=f"{broken}:{working}", PYTHON="")
    assert (found.returncode, found.stdout.strip()) == (0, str(working / "python3")), found.stderr

    nothing = run("/bin/sh", ROOT / ".ci" / "find-python", cwd=tmp_path, PATH=str(broken), PYTHON="")
    assert nothing.returncode == 1
    assert "No Python from 3.11 to 3.14" in nothing.stderr

    bare = broken / "python3.12"
    bare.write_text(f'#!/bin/sh\ncase "$*" in *ensurepip*) exit 1;; esac\nexec "{sys.executable}" "$@"\n')
    bare.chmod(0o755)
    without_venv = run("/bin/sh", ROOT / ".ci" / "find-python", cwd=tmp_path, PATH=str(broken), PYTHON="")
    assert without_venv.returncode == 1
    assert "python3-venv" in without_venv.stderr
    assert str(bare) in without_venv.stderr
