"""A small HTTP server that pages, throttles, fails and lies."""

from __future__ import annotations

import json
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

TOKEN = "t0ken-b1-mat"


@dataclass
class Api:
    """``rows``: what it has; ``size``: records a page; ``faults``: what happens to the next requests, each in turn: a status,
    or 'html', 'half', 'drop', 'not_json', 'raw' (the bytes ``raw``), 'slow', 'endless'
    (``given``: its bytes so far), or None for nothing; ``after``: these requests go well first."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    size: int = 2
    faults: list[int | str | None] = field(default_factory=list)
    lie: str | None = None
    asked: list[dict[str, str]] = field(default_factory=list)
    retry_after: str | None = "0"
    column: str = "updated_at"
    raw: bytes = b""
    port: int = 0
    given: int = 0
    closed: threading.Event = field(default_factory=threading.Event)

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        parts = urlsplit(handler.path)
        asked = {k: v[0] for k, v in parse_qs(parts.query).items()}
        if parts.path == "/token":
            self._say(handler, 200, json.dumps({"access_token": TOKEN, "expires_in": 3600}).encode())
            return
        self.asked.append(asked)
        if handler.headers.get("Authorization") != f"Bearer {TOKEN}":
            self._say(handler, 401, b"who is 056085001234")
            return
        fault = self.faults.pop(0) if self.faults else None
        page = int(asked.get("page", 1))
        since = asked.get("since")
        rows = [r for r in self.rows if since is None or r[self.column] is None or str(r[self.column]) >= since]
        here = rows[(page - 1) * self.size : page * self.size]
        if self.lie == "same":
            here = rows[: self.size]
        total = len(rows) + (self.lie == "total")
        body: Any = {"data": {"items": here}, "meta": {"total": total}}
        if self.lie == "foreign":
            body["next"] = f"http://localhost:{self.port}/elsewhere"
        if self.lie == "shape":
            body = {"data": {"item": here}}
        if self.lie == "values":
            body["data"]["items"] = [1, 2, 3]
        data = json.dumps(body, ensure_ascii=False).encode()
        match fault:
            case None:
                self._say(handler, 200, data)
            case "html":
                self._say(handler, 200, "<html>Lỗi hệ thống 056085001234</html>".encode())
            case "not_json":
                self._say(handler, 200, data[:-3])
            case "half":
                handler.send_response(200)
                handler.send_header("Content-Length", str(len(data)))
                handler.end_headers()
                handler.wfile.write(data[: len(data) // 2])
                handler.close_connection = True
            case "raw":
                self._say(handler, 200, self.raw)
            case "slow":  # a byte at a time, for as long as somebody waits
                handler.send_response(200)
                handler.send_header("Content-Length", "1000000")
                handler.end_headers()
                with suppress(OSError):
                    while not self.closed.wait(0.05):
                        handler.wfile.write(b" ")
                handler.close_connection = True
            case "endless":
                handler.send_response(200)
                handler.send_header("Content-Length", str(1 << 40))
                handler.end_headers()
                with suppress(OSError):
                    while not self.closed.is_set():
                        handler.wfile.write(b" " * (1 << 16))
                        self.given += 1 << 16
                handler.close_connection = True
            case "drop":
                handler.close_connection = True
                handler.connection.close()
            case 302:
                handler.send_response(302)
                handler.send_header("Location", f"http://localhost:{self.port}/elsewhere")
                handler.send_header("Content-Length", "0")
                handler.end_headers()
            case _:
                self._say(handler, int(fault), b"no")

    def _say(self, handler: BaseHTTPRequestHandler, status: int, data: bytes) -> None:
        handler.send_response(status)
        if status in (429, 503) and self.retry_after is not None:
            handler.send_header("Retry-After", self.retry_after)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(len(data)))
        handler.end_headers()
        handler.wfile.write(data)


class Served:
    """An API on a port of its own, until it is closed."""

    def __init__(self) -> None:
        api = self.api = Api()

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                api.answer(self)

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                api.answer(self)

            def log_message(self, format: str, *args: object) -> None:
                return None

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        api.port = self.server.server_port
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def close(self) -> None:
        self.api.closed.set()
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()
