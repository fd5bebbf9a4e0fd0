"""``lienthong vault``: what is printed of the keys. No key is."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .cli_output import Screen, plural


def show_status(screen: Screen, found: Mapping[str, Any]) -> None:
    """Print the versions of the key and what hangs on each."""
    screen.say(f"The key file is {found['key_file']}: it fits this database. Back it up apart from the database.")
    columns = (">Version", "!Fingerprint", "Since", "Until", ">Identifiers", ">Archive keys")
    rows = [
        (v["version"], v["fingerprint"], v["created_at"], v["retired_at"], v["identifiers"], v["objects"])
        for v in found["versions"]
    ]
    screen.table(columns, rows)
    screen.say(
        f"{plural(found['erased'], 'identifier')} erased; {plural(found['destroyed'], 'archive key')} destroyed, "
        f"{found['unused']} not used yet."
    )


def rotated(screen: Screen, version: int, key_file: Path) -> None:
    """Print what a rotation did and what is to be done now."""
    screen.say(
        f"Everything is under version {version} of the key now; the versions before are no longer in {key_file}."
    )
    screen.say(
        "Back the file up now. Keep the copy from before for as long as backups of the database from before are kept."
    )
