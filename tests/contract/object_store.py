"""A real S3 server on this machine (moto's), and a proxy before it that misbehaves on purpose."""

from __future__ import annotations

import http.client
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import boto3

SECRET = "very-secret-access-key-0123456789"  # noqa: S105
ACCESS = "ACCESSKEYOFTESTS"
START_S = 60
SLOW_DOWN = b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"


def environment(folder: Path, access: str = ACCESS, secret: str = SECRET) -> dict[str, str]:
    """Return credentials as boto3 takes them, and nothing else of this machine."""
    return {
        "AWS_ACCESS_KEY_ID": access,
        "AWS_SECRET_ACCESS_KEY": secret,
        "AWS_CONFIG_FILE": str(folder / "no-config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(folder / "no-credentials"),
        "AWS_EC2_METADATA_DISABLED": "true",
    }


@contextmanager
def server(log: Path) -> Iterator[str]:
    """Run moto's S3 server in a process and yield its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)], stdout=output, stderr=output
        )
        try:
            _wait(process, port, log)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(20)


def make_bucket(address: str, name: str) -> Any:
    """Make a bucket and return a plain client."""
    client = boto3.session.Session().client("s3", endpoint_url=address, region_name="us-east-1")
    client.create_bucket(Bucket=name)
    return client


def remove_bucket(client: Any, name: str) -> None:
    """Remove a bucket with all that is in it, if it is there still."""
    if name not in {bucket["Name"] for bucket in client.list_buckets()["Buckets"]}:
        return
    for upload in client.list_multipart_uploads(Bucket=name).get("Uploads", ()):
        client.abort_multipart_upload(Bucket=name, Key=upload["Key"], UploadId=upload["UploadId"])
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=name):
        for item in page.get("Contents", ()):
            client.delete_object(Bucket=name, Key=item["Key"])
    client.delete_bucket(Bucket=name)


def names(client: Any, bucket: str) -> list[str]:
    """Return the names of all objects in a bucket."""
    return [item["Key"] for item in client.list_objects_v2(Bucket=bucket).get("Contents", ())]


def make_tree(folder: Path, **files: str) -> Path:
    """Make a folder with files of some text."""
    folder.mkdir(parents=True)
    for name, text in files.items():
        (folder / name).write_text(text)
    return folder


class Proxy:
    """Passes requests on; `before` may answer a request itself: (status, body), or give None to pass it on.

    `after` may change the body of an answer, or raise ConnectionResetError so that the answer is lost.
    """

    def __init__(self, upstream: str, host: str = "127.0.0.1") -> None:
        self.seen: list[str] = []
        self.before: Callable[[str, str], tuple[int, bytes] | None] = lambda _method, _path: None
        self.after: Callable[[str, str, bytes], bytes] = lambda _method, _path, body: body
        self.dropped: set[str] = set()
        """Request headers that are not passed on, in small letters."""
        self.cuts = 0
        """How many of the next answers to GET break off in the middle."""
        self.unknown: set[str] = set()
        """Request headers that are answered with 501, in small letters."""
        self._server = ThreadingHTTPServer((host, 0), _passing(self, upstream.removeprefix("http://")))
        self._server.daemon_threads = True
        self.address = f"http://{host}:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def own(self, method: str, path: str, headers: Iterable[str]) -> tuple[int, bytes] | None:
        """Return the answer the proxy gives itself, None when it passes the request on."""
        if any(name.lower() in self.unknown for name in headers):
            return 501, b"<Error><Code>NotImplemented</Code></Error>"
        return self.before(method, path)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _passing(proxy: Proxy, upstream: str) -> type[BaseHTTPRequestHandler]:
    class Passing(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _pass(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            proxy.seen.append(f"{self.command} {self.path}")
            own = proxy.own(self.command, self.path, self.headers.keys())
            if own is not None:
                self._answer(own[0], {"Content-Length": str(len(own[1]))}, own[1])
                return
            left_out = proxy.dropped | {"expect", "connection"}
            headers = {name: value for name, value in self.headers.items() if name.lower() not in left_out}
            link = http.client.HTTPConnection(upstream, timeout=30)
            try:
                link.request(self.command, self.path, body, headers)
                answer = link.getresponse()
                content = proxy.after(self.command, self.path, answer.read())
            except ConnectionResetError:
                self.close_connection = True
                return
            finally:
                link.close()
            kept = {name: value for name, value in answer.getheaders() if name.lower() not in _HOP_BY_HOP}
            if self.command != "HEAD":
                kept = {name: value for name, value in kept.items() if name.lower() != "content-length"}
                kept["Content-Length"] = str(len(content))
            self._answer(answer.status, kept, content)

        def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
            self.send_response_only(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command == "GET" and proxy.cuts > 0:
                proxy.cuts -= 1
                body, self.close_connection = body[: len(body) // 2], True
            if self.command != "HEAD":
                self.wfile.write(body)

        do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = _pass  # noqa: N815

        def log_message(self, *_: object) -> None:
            return None

    return Passing


_HOP_BY_HOP = {"connection", "transfer-encoding", "date", "server"}


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    end = time.monotonic() + START_S
    while time.monotonic() < end and process.poll() is None:
        with socket.socket() as probe:
            probe.settimeout(1)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise RuntimeError(f"moto's server did not start:\n{log.read_text()}")
