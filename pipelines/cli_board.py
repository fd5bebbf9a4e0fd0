"""``lienthong board``: build the static site of the board, and look at it.

Here: asking for a board and serving it on this machine. What it says: :mod:`assets.returns.board`.
"""

from __future__ import annotations

from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from assets.returns.board.read import PUBLIC, NoSuchAudience
from assets.returns.board.site import Built, build_board

from .cli_output import Screen, plural
from .flow import Pipeline
from .report import Unclear


def build_in(screen: Screen, pipeline: Pipeline, audience: str, out: Path | None) -> Built:
    """Bring a board up to date, with a progress bar; ``out``: another folder than its own, which must be empty or a board."""
    if out is not None and out.exists() and any(out.iterdir()) and not (out / "style.css").exists():
        raise Unclear(f"{out} holds something else than a board; name an empty folder")
    try:
        with pipeline.connection() as connection, screen.progress() as progress:
            return build_board(connection, pipeline, audience, out, lambda done, total: progress("board", done, total))
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
