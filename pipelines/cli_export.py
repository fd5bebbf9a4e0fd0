"""``lienthong export``: what is asked for and printed. What is exported, and how: :mod:`assets.marts.exports`.

The connection is opened without a migration (:func:`.database.reading`).
"""

from __future__ import annotations

from dataclasses import asdict

from assets.marts.exports.describe import Licence
from assets.marts.exports.export import Exported

from .cli_output import Screen, plural
from .report import Unclear


def licence(name: str | None, default: Licence) -> Licence:
    """The licence of a name, such as CC-BY-4.0; raises :class:`Unclear` where it cannot be one."""
    if name is None:
        return default
    if not name or not all(c.isascii() and (c.isalnum() or c in "-._") for c in name):
        raise Unclear(f"{name} is no name of a licence; write one such as CC-BY-4.0")
    return default if name == default.name else Licence(name, name)


def as_json(done: Exported) -> dict[str, object]:
    """What was exported, for programs."""
    return {
        "folder": str(done.folder),
        "description": done.description,
        "publish": done.moment.number,
        "shows": done.moment.shows,
        "published_at": done.moment.published_at,
        "files": [
            {
                "path": f.name, "view": f"{f.view.schema}.{f.view.name}", "rows": f.rows, "bytes": f.size, "sha256": f.sha256,
                "hidden": f.hidden.all, "hidden_because": asdict(f.hidden),
            }
            for f in done.files
        ],
        "removed": list(done.removed),
    }  # fmt: skip


def show(screen: Screen, done: Exported) -> None:
    """What was exported, for people."""
    rows = [
        (
            f.name,
            f"{f.rows:,}",
            f"{f.size:,}",
            *(n or "" for n in (f.hidden.small, f.hidden.complement, f.hidden.earlier)),
        )
        for f in done.files
    ]
    some = any(f.hidden.all for f in done.files)
    heads = ("!File", ">rows", ">bytes", ">hidden: small", ">complement", ">as before")
    screen.table(heads if some else heads[:3], rows if some else [r[:3] for r in rows])
    moment = done.moment
    shows = f", which shows publish {moment.shows}" if moment.shows != moment.number else ""
    when = f" of {moment.published_at:%Y-%m-%d %H:%M}"
    screen.say(f"Publish {moment.number}{when}{shows}: {plural(len(done.files), 'file')} in {done.folder}.")
    for file in done.files:
        if file.hidden.exposed:
            screen.say(
                f"Warning: {plural(file.hidden.exposed, 'hidden count')} of {file.name} can be found, or nearly, by whoever has "
                "earlier releases too: what these showed cannot be hidden any more. Think before you hand this one on."
            )
    if done.removed:
        screen.say(f"Removed, of the export that was there: {', '.join(done.removed)}.")
