"""Real stores: S3 by moto's server, SFTP by asyncssh's; each on a port of its own."""

from __future__ import annotations

import asyncio
import json
import threading
from pathlib import Path
from typing import Any

import asyncssh


def stores_file(path: Path, url: str, options: dict[str, Any]) -> dict[str, str]:
    """Write a file of stores for an address; the environment that it needs. No secret stands in it."""
    clear = {k: f"${{env:STORE_{k.upper()}}}" if k == "secret" else v for k, v in options.items()}
    path.write_text(json.dumps({url.partition("://")[0] + "://": clear}))
    return {"LIENTHONG_STORES": str(path), **({"STORE_SECRET": options["secret"]} if "secret" in options else {})}


class S3:
    """An S3 server with an empty bucket."""

    def __init__(self, bucket: str = "kho") -> None:
        import boto3
        from moto.server import ThreadedMotoServer

        self.server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        self.server.start()
        host, port = self.server.get_host_and_port()
        self.url, self.bucket = f"http://{host}:{port}", bucket
        self.options = {"key": "k", "secret": "s", "endpoint_url": self.url}
        self.client = boto3.client(
            "s3", endpoint_url=self.url, aws_access_key_id="k", aws_secret_access_key="s", region_name="us-east-1"
        )
        self.client.create_bucket(Bucket=bucket)

    def put(self, key: str, data: bytes) -> None:
        self.client.put_object(Bucket=self.bucket, Key=key, Body=data)

    def close(self) -> None:
        self.server.stop()


class Sftp:
    """An SFTP server over a folder, with a host key and one user's key, both made here."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.root = folder, folder / "root"
        self.root.mkdir(parents=True)
        self.closed: set[str] = set()
        """Folders that nobody may list."""
        self.opened: list[str] = []
        """Files that were opened, in order."""
        host, user = asyncssh.generate_private_key("ssh-ed25519"), asyncssh.generate_private_key("ssh-ed25519")
        (folder / "user").write_bytes(user.export_private_key())
        (folder / "user").chmod(0o600)
        (folder / "authorized").write_bytes(user.export_public_key())
        self._host = host
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        self.start()
        known = host.export_public_key().decode().strip()
        (folder / "known_hosts").write_text(f"[127.0.0.1]:{self.port} {known}\n")
        self.options: dict[str, Any] = {
            "username": "xa", "client_keys": [str(folder / "user")], "known_hosts": str(folder / "known_hosts"), "port": self.port,
        }  # fmt: skip

    def start(self, port: int = 0) -> None:
        root, closed, opened = self.root, self.closed, self.opened

        class Files(asyncssh.SFTPServer):
            def __init__(self, channel: Any) -> None:
                super().__init__(channel, chroot=str(root))

            def scandir(self, path: bytes) -> Any:
                if path.decode().strip("/") in closed:
                    raise asyncssh.SFTPPermissionDenied("Permission denied")
                return super().scandir(path)

            def open(self, path: bytes, pflags: int, attrs: asyncssh.SFTPAttrs) -> Any:
                opened.append(path.decode())
                return super().open(path, pflags, attrs)

        made: list[asyncssh.SSHServerConnection] = []

        class Login(asyncssh.SSHServer):
            def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
                made.append(conn)

        self.made = made

        async def listen() -> Any:
            return await asyncssh.listen(
                "127.0.0.1", port, server_host_keys=[self._host], authorized_client_keys=str(self.folder / "authorized"),
                sftp_factory=Files, server_factory=Login,
            )  # fmt: skip

        self.listener = asyncio.run_coroutine_threadsafe(listen(), self.loop).result(10)
        self.port = self.listener.get_port()

    def stop(self) -> None:
        async def ended() -> None:
            self.listener.close()
            for connection in self.made:  # those that are open would go on
                connection.abort()
            await self.listener.wait_closed()

        asyncio.run_coroutine_threadsafe(ended(), self.loop).result(10)

    def put(self, path: str, data: bytes) -> None:
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)

    def close(self) -> None:
        self.stop()
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)
