"""``lienthong board``: build the static site of the board, and look at it.

Here: where a board is kept and serving it on this machine. What it says: :mod:`assets.returns.board`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from assets.returns.board.read import PUBLIC, NoSuchAudience
from assets.returns.board.site import Built, build

from .cli_output import Screen, plural
from .flow import Pipeline
from .report import Unclear
from .settings import Settings


def folder_of(settings: Settings, audience: str) -> Path:
    """Where the board of an audience is kept: the public one in ``board/public`` of the home."""
    return settings.home / "board" / audience


def build_in(
    pipeline: Pipeline,
    audience: str,
    folder: Path | None = None,
    told: Callable[[int, int], None] = lambda done, total: None,
) -> Built:
    """Bring the board of an audience up to date, in its own folder or another."""
    from assets.reference.units import load_places

    settings = pipeline.settings
    with pipeline.connection() as connection:
        places = load_places(settings.reference, settings.province)
        return build(connection, pipeline.contracts, places, folder or folder_of(settings, audience), audience, told)


def build_board(screen: Screen, pipeline: Pipeline, audience: str, out: Path | None) -> Built:
    """The same with a progress bar; ``out``: another folder, which must be empty or a board."""
    folder = out or folder_of(pipeline.settings, audience)
    if out is not None and folder.exists() and any(folder.iterdir()) and not (folder / "style.css").exists():
        raise Unclear(f"{folder} holds something else than a board; name an empty folder")
    try:
        with screen.progress() as progress:
            return build_in(pipeline, audience, folder, lambda done, total: progress("board", done, total))
    except NoSuchAudience as unknown:
        raise Unclear(str(unknown)) from None


def show_built(screen: Screen, built: Built, audience: str) -> None:
    """Print what building came to."""
    who = "" if audience == PUBLIC else f" for {audience}"
    changed = f"{plural(built.written, 'file')} written, {built.same} as they were, {built.drawn} drawn"
    screen.say(f"Board{who} of publish {built.publish}: {built.folder / 'index.html'} ({changed}).")


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        return None

    def list_directory(self, path: object) -> None:
        """No listing: what is there is linked."""
        self.send_error(404)


def server_of(folder: Path, port: int) -> ThreadingHTTPServer:
    """What serves a built board, and nothing else, to this machine only; port 0 is any that is free."""
    return ThreadingHTTPServer(("127.0.0.1", port), partial(_Quiet, directory=str(folder)))


def serve(screen: Screen, folder: Path, port: int) -> None:
    """Serve a built board on this machine only, until Ctrl-C."""
    with server_of(folder, port) as server:
        screen.note(f"http://127.0.0.1:{server.server_port}/ (Ctrl-C ends it)")
        server.serve_forever()
