"""Make ``.venv`` from ``requirements.lock`` and install the project itself into it; run by make.

Belongs here: what must happen before any package is there, so standard library only. Safe to run twice, in parallel and
after an interruption: one process at a time works, and each stamp is written when its step is complete. The environment
is made anew, not patched, when the lock's content changes: what left the lock must not stay importable.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
LOCK = ROOT / "requirements.lock"
LOCKED = VENV / ".locked"
READY = VENV / ".ready"


def pip(*arguments: str) -> None:
    """Install into the environment, nothing but what is named; what went wrong is printed by pip itself."""
    # compiling all 16,000 modules takes as long as all else: Python compiles those that are imported, when they first are
    command = [str(PYTHON), "-m", "pip", "install", "--quiet", "--no-deps", "--no-compile", *arguments]
    subprocess.run(command, cwd=ROOT, check=True, stdin=subprocess.DEVNULL)


def state() -> str:
    """What an environment must have been made from, and where: it works nowhere else."""
    return f"{hashlib.sha256(LOCK.read_bytes()).hexdigest()}\n{ROOT}\n"


def is_current() -> bool:
    """Whether the environment holds what the lock says and its Python still runs."""
    if not LOCKED.exists() or LOCKED.read_text(encoding="utf-8") != state():
        return False
    return subprocess.run([str(PYTHON), "-I", "-S", "-c", ""], capture_output=True).returncode == 0


def main() -> None:
    """Install what is missing."""
    with open(ROOT / ".venv.lock", "w") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        if not is_current():
            count = sum(line[:1].isalnum() for line in LOCK.read_text(encoding="utf-8").splitlines())
            print(f"Installing {count} packages into .venv, once; this takes a minute or two ...", flush=True)
            shutil.rmtree(VENV, ignore_errors=True)
            subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=True)
            pip("--require-hashes", "--only-binary=:all:", "--requirement", str(LOCK))
            LOCKED.write_text(state(), encoding="utf-8")
        # hatchling, the build backend, is in the lock, so nothing is fetched here
        pip("--no-index", "--no-build-isolation", "--editable", ".")
        READY.touch()


if __name__ == "__main__":
    try:
        main()
    except subprocess.CalledProcessError as error:
        sys.exit(f"The installation stopped: {os.path.basename(error.cmd[0])} ended with {error.returncode}.")
    except KeyboardInterrupt:
        sys.exit(130)
