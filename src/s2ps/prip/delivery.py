"""The bytes of products and quick-looks: streamed from files with ranges, or by a signed address of an object store."""

from __future__ import annotations

import re
import time
from collections.abc import MutableMapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import boto3
from anyio import CancelScope, to_thread
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from starlette.datastructures import Headers
from starlette.responses import FileResponse, JSONResponse, RedirectResponse, Response
from starlette.types import Receive, Scope, Send

from s2ps.model.errors import ConfigurationError
from s2ps.prip.access import User
from s2ps.prip.odata.errors import ODataError, error_document
from s2ps.prip.quota import LEASE, Quota
from s2ps.staging.s3_location import S3Location

_RENEW_S = LEASE.total_seconds() / 4
_PLAIN_NAME = re.compile(r'[^\x20-\x7e]|["\\]')


@dataclass(frozen=True, slots=True)
class Content:
    """Bytes that can be downloaded."""

    location: str
    media_type: str
    name: str
    etag: str | None = None
    """Strong validator without quotes: a checksum."""
    size: int | None = None


@dataclass(slots=True)
class Delivery:
    """Sends contents to users and counts what was sent."""

    quota: Quota
    signed_url_seconds: int

    def response(self, content: Content, user: User, method: str) -> Response:
        """Return the answer for GET or HEAD; raise ODataError when the quota is used up or the content is gone."""
        self.quota.volume(user)
        if urlsplit(content.location).scheme == "file":
            path = Path(unquote(urlsplit(content.location).path))
            if not path.is_file():
                raise ODataError(404, f"{content.name} has been removed")
            return _File(path, content, self.quota, user)
        address = self._signed(content, method)
        if method == "GET":
            self.quota.sent(user, content.size or 0)
        return RedirectResponse(address, 307, headers={"Cache-Control": "no-store"})

    def _signed(self, content: Content, method: str) -> str:
        try:
            location = S3Location.parse(content.location)
            client = _client(location.endpoint, location.region)
            parameters = {"Bucket": location.bucket, "Key": location.prefix}
            if method == "HEAD":
                action = "head_object"
            else:
                action = "get_object"
                parameters["ResponseContentDisposition"] = _disposition(content.name)
                parameters["ResponseContentType"] = content.media_type
            signed = client.generate_presigned_url(action, Params=parameters, ExpiresIn=self.signed_url_seconds)
            return str(signed)
        except (ConfigurationError, BotoCoreError, ClientError) as error:
            raise ODataError(503, f"the object store of {content.name} cannot be used", retry_after=60) from error


class _File(FileResponse):
    """A file with single and multiple ranges; a download that counts while it goes on."""

    chunk_size = 1024 * 1024

    def __init__(self, path: Path, content: Content, quota: Quota, user: User) -> None:
        headers = {"Cache-Control": "private, no-transform"}
        if content.etag:
            headers["etag"] = f'"{content.etag}"'
        super().__init__(path, media_type=content.media_type, headers=headers, stat_result=path.stat())
        self.headers["content-disposition"] = _disposition(content.name)
        self._quota = quota
        self._user = user

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope = _without_other_units(scope)
        unsent = self._unsent(Headers(scope=scope))
        if unsent is not None:
            await unsent(scope, receive, send)
        elif scope["method"] == "HEAD":
            await super().__call__(scope, receive, _Refusing(scope, receive, send))
        else:
            await self._send(scope, receive, send)

    def _unsent(self, asked: Headers) -> Response | None:
        """Return the answer to a client that has this content already, or wants another one (RFC 9110, 13.1)."""
        own = self.headers["etag"]
        if "if-match" in asked and not _names(asked["if-match"], own):
            return JSONResponse(error_document(412, "the content is another one now", "If-Match"), 412)
        if "if-match" not in asked and "if-none-match" in asked and _names(asked["if-none-match"], own):
            return Response(status_code=304, headers={"etag": own, "Cache-Control": self.headers["cache-control"]})
        return None

    async def _send(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            download = await to_thread.run_sync(self._quota.begin, self._user)
        except ODataError as error:
            refusal = JSONResponse(error.document, error.status, headers=error.headers)
            await refusal(scope, receive, send)
            return
        counting = _Counting(_Refusing(scope, receive, send), self._quota, download)
        try:
            await super().__call__(scope, receive, counting)
        finally:
            with CancelScope(shield=True):
                await to_thread.run_sync(self._quota.end, download)
                await to_thread.run_sync(self._quota.sent, self._user, counting.size)


class _Counting:
    """Counts the bytes of a body, and tells from time to time that the download goes on."""

    def __init__(self, send: Send, quota: Quota, download: str | None) -> None:
        self.size = 0
        self._send = send
        self._quota = quota
        self._download = download
        self._renew_at = time.monotonic() + _RENEW_S

    async def __call__(self, message: MutableMapping[str, Any]) -> None:
        await self._send(message)
        self.size += len(message.get("body", b""))
        if time.monotonic() > self._renew_at:
            self._renew_at = time.monotonic() + _RENEW_S
            await to_thread.run_sync(self._quota.goes_on, self._download)


class _Refusing:
    """Gives refusals of a range the form of all other refusals."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._scope, self._receive, self._send = scope, receive, send
        self._refused = False

    async def __call__(self, message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start" and message["status"] >= 400:
            self._refused = True
            given = dict(message["headers"])
            headers = {"Content-Range": given[b"content-range"].decode()} if b"content-range" in given else {}
            document = error_document(message["status"], "the range cannot be sent", "Range")
            await JSONResponse(document, message["status"], headers=headers)(self._scope, self._receive, self._send)
        elif not self._refused:
            await self._send(message)


def _names(given: str, etag: str) -> bool:
    return any(each.strip().removeprefix("W/") in ("*", etag) for each in given.split(","))


def _without_other_units(scope: Scope) -> Scope:
    """Return a request without a range that is not in bytes: those are not looked at (RFC 9110, 14.2)."""
    kept = [
        (name, value)
        for name, value in scope["headers"]
        if name != b"range" or value.lower().lstrip().startswith(b"bytes")
    ]
    return {**scope, "headers": kept}


@cache
def _client(endpoint: str | None, region: str | None) -> Any:
    return boto3.session.Session().client(
        "s3", endpoint_url=endpoint, region_name=region, config=Config(signature_version="s3v4")
    )


def _disposition(name: str) -> str:
    if _PLAIN_NAME.search(name):
        return f"attachment; filename*=utf-8''{quote(name, safe='')}"
    return f'attachment; filename="{name}"'
