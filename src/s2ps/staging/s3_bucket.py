"""Objects of one bucket below one prefix: the few S3 requests the staging is made of."""

from __future__ import annotations

import hashlib
import itertools
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from s2ps.model.errors import InputError, StagingError
from s2ps.staging.checksum import sha256_of
from s2ps.staging.layout import PARTIAL_MARK
from s2ps.staging.s3_errors import CONFLICT, MISSING, TAKEN, code_of, named
from s2ps.staging.s3_location import S3Location
from s2ps.staging.s3_patience import Answer, patience, patiently

ATTEMPTS = 4
"""Of the client, for one request; `s3_patience` repeats them all."""
PARALLEL = 8
"""Files, or parts of one large file, on their way at the same time."""
PART_BYTES = 8 * 1024 * 1024
NAME_BYTES = 1024
READ_TRIES = 3
SHA256 = "sha256"


@dataclass(frozen=True, slots=True)
class Listed:
    """One object of a listing."""

    name: str
    size: int
    modified: datetime


@dataclass(frozen=True, slots=True)
class Content:
    """What an object is said to hold."""

    size: int
    sha256: str


class Bucket:
    """Reads and writes objects by name (below the prefix of the location); what is read is always verified."""

    def __init__(
        self,
        location: S3Location,
        *,
        attempts: int = ATTEMPTS,
        part_bytes: int = PART_BYTES,
        patience_s: float | None = None,
    ) -> None:
        """`patience_s` is for how long a busy or unreachable store is asked again; None: as the environment says."""
        self._location = location
        self._patience_s = patience() if patience_s is None else patience_s
        self._start = f"{location.prefix}/" if location.prefix else ""
        self._part_bytes = part_bytes
        self._transfer = TransferConfig(
            multipart_threshold=part_bytes, multipart_chunksize=part_bytes, max_concurrency=PARALLEL
        )
        self.pool = ThreadPoolExecutor(PARALLEL, thread_name_prefix="s3")
        with named("open the staging", self._place):
            self._client: Any = boto3.session.Session().client(
                "s3",
                endpoint_url=location.endpoint,
                region_name=location.region or ("us-east-1" if location.endpoint else None),
                config=_config(location, attempts),
            )

    @property
    def _place(self) -> str:
        return str(self._location)

    def close(self) -> None:
        """Give back threads and connections."""
        self.pool.shutdown(wait=True, cancel_futures=True)
        self._client.close()

    def get(self, name: str) -> bytes | None:
        """Return the verified content of a small object, None when it is missing."""
        found = self._ask("read", name, lambda: _unless_missing(lambda: self._whole(name)))
        if found is None:
            return None
        answer, body = found
        self._verify(name, hashlib.sha256(body).hexdigest(), self._recorded(name, answer))
        return body

    def _whole(self, name: str, tries: int = READ_TRIES, **more: str) -> tuple[dict[str, Any], bytes]:
        """Read an object, again when the connection breaks in the middle: boto3 repeats only what it asks."""
        answer = self._client.get_object(**self._object(name), **more)
        try:
            return answer, answer["Body"].read()
        except BotoCoreError:
            if tries <= 1:
                raise
            return self._whole(name, tries - 1, **more)

    def part(self, name: str, offset: int, size: int) -> bytes | None:
        """Return some bytes of an object, None when it is missing; the caller verifies them."""
        if size == 0:
            return b""
        span = f"bytes={offset}-{offset + size - 1}"
        found = self._ask("read", name, lambda: _unless_missing(lambda: self._whole(name, Range=span)))
        return None if found is None else found[1]

    def put(self, name: str, body: bytes, *, first: bool = False, content_type: str | None = None) -> bool:
        """Write a small object; with `first` return False when the store says that there is one already."""
        more = {"IfNoneMatch": "*"} if first else {}
        more |= {"ContentType": content_type} if content_type else {}
        metadata = {SHA256: hashlib.sha256(body).hexdigest()}

        def write() -> bool:
            try:
                self._client.put_object(**self._object(name), Body=body, Metadata=metadata, **more)
            except ClientError as error:
                if first and code_of(error) in TAKEN | CONFLICT:
                    return False
                raise
            return True

        return self._ask("write", name, write)

    def head(self, name: str) -> Content | None:
        """Return the recorded content of an object, None when it is missing."""

        def look() -> Any:
            return _unless_missing(lambda: self._client.head_object(**self._object(name)))

        answer = self._ask("look at", name, look)
        if answer is None:
            return None
        return Content(answer["ContentLength"], self._recorded(name, answer))

    def listing(self, start: str) -> Iterator[Listed]:
        """Yield the objects whose names begin with a text, in the order of their names."""
        for page in self._pages(start):
            for item in page.get("Contents", ()):
                yield Listed(item["Key"].removeprefix(self._start), item["Size"], item["LastModified"])

    def level(self, folder: str) -> set[str]:
        """Return the names directly below a folder ("…/"): of objects, and of folders with a "/" at their end."""
        names: set[str] = set()
        for page in self._pages(folder, Delimiter="/"):
            names.update(item["Key"] for item in page.get("Contents", ()))
            names.update(item["Prefix"] for item in page.get("CommonPrefixes", ()))
        return {name.removeprefix(self._start + folder) for name in names}

    def any(self, start: str) -> bool:
        """Return True when the name of an object begins with a text."""
        return any(page.get("Contents") for page in itertools.islice(self._pages(start, MaxKeys=1), 1))

    def copy(self, name: str, target: str) -> None:
        """Copy an object inside the store."""
        source = {"Bucket": self._location.bucket, "Key": self._object(name)["Key"]}
        self._ask("copy", name, lambda: self._client.copy_object(**self._object(target), CopySource=source))

    def delete(self, *names: str) -> None:
        """Remove objects; missing ones are fine. One request each: not every store takes the request for many."""

        def remove(name: str) -> None:
            self._ask("delete", name, lambda: self._client.delete_object(**self._object(name)))

        list(self.pool.map(remove, names))

    def upload(self, source: Path, name: str, sha256: str) -> None:
        """Write a file, large ones in parallel parts; refuse a file that changes meanwhile."""
        before = source.stat()
        extra = {"Metadata": {SHA256: sha256}}
        key = self._object(name)
        if before.st_size < self._part_bytes:
            body = source.read_bytes()
            changed = hashlib.sha256(body).hexdigest() != sha256
            if not changed:
                self._ask("upload", name, lambda: self._client.put_object(**key, Body=body, **extra))
        else:
            parts = partial(self._client.upload_file, str(source), key["Bucket"], key["Key"])
            self._ask("upload", name, lambda: parts(ExtraArgs=extra, Config=self._transfer))
            after = source.stat()
            changed = (after.st_size, after.st_mtime_ns) != (before.st_size, before.st_mtime_ns)
        if changed:
            self.delete(name)
            raise StagingError(f"{source} has changed while it was uploaded", next_step="upload it again")

    def download(self, name: str, target: Path, content: Content) -> None:
        """Write an object into a file that appears whole and verified."""
        target.parent.mkdir(parents=True, exist_ok=True)
        partial_file = target.with_name(f"{target.name[:50]}{PARTIAL_MARK}{uuid.uuid4().hex}")
        try:
            if content.size < self._part_bytes:
                body = self.get(name)
                if body is None:
                    raise StagingError(f"{name} is no longer in {self._place}", next_step="make it again")
                partial_file.write_bytes(body)
                found = hashlib.sha256(body).hexdigest()
            else:
                place = {**self._object(name), "Filename": str(partial_file), "Config": self._transfer}
                self._ask("download", name, lambda: self._client.download_file(**place))
                found = sha256_of(partial_file)
            self._verify(name, found, content.sha256)
            partial_file.replace(target)
        finally:
            partial_file.unlink(missing_ok=True)

    def abort_uploads(self, before: datetime) -> int:
        """Give up multipart uploads that began before a moment and never ended; return how many."""
        with named("list the uploads of", self._place):
            pages = self._client.get_paginator("list_multipart_uploads").paginate(
                Bucket=self._location.bucket, Prefix=self._start
            )
            old = [item for page in pages for item in page.get("Uploads", ()) if item["Initiated"] < before]
            for item in old:
                self._client.abort_multipart_upload(
                    Bucket=self._location.bucket, Key=item["Key"], UploadId=item["UploadId"]
                )
        return len(old)

    def _object(self, name: str) -> dict[str, str]:
        key = self._start + name
        if len(key.encode()) > NAME_BYTES:
            raise InputError(
                f"{key[:80]}... is {len(key.encode())} bytes long", expected=f"an S3 object name up to {NAME_BYTES}"
            )
        return {"Bucket": self._location.bucket, "Key": key}

    def _ask(self, action: str, name: str, request: Callable[[], Answer]) -> Answer:
        """Make a request; its errors name the action, and it is repeated while the store cannot serve."""

        def once() -> Answer:
            with named(f"{action} {name}".strip(), self._place):
                return request()

        return patiently(once, self._patience_s)

    def _pages(self, start: str, **more: Any) -> Iterator[dict[str, Any]]:
        """Yield the pages of a listing; each is asked for patiently."""
        asked: dict[str, Any] = {"Bucket": self._location.bucket, "Prefix": self._start + start, **more}
        while True:
            page = self._ask("list", start, lambda: self._client.list_objects_v2(**asked))
            yield page
            if not page.get("IsTruncated"):
                return
            asked["ContinuationToken"] = page["NextContinuationToken"]

    def _recorded(self, name: str, answer: dict[str, Any]) -> str:
        recorded: str | None = answer.get("Metadata", {}).get(SHA256)
        if recorded is None:
            raise StagingError(
                f"{name} in {self._place} has no SHA-256 in its metadata",
                expected="an object written by S2PS",
                next_step="remove it, and put the file into the staging again",
            )
        return recorded

    def _verify(self, name: str, found: str, expected: str) -> None:
        if found != expected:
            raise StagingError(
                f"{name} in {self._place} is damaged: its SHA-256 is {found}",
                expected=expected,
                next_step="delete it and make it again",
            )


def _unless_missing(request: Callable[[], Answer]) -> Answer | None:
    try:
        return request()
    except ClientError as error:
        if code_of(error) in MISSING:
            return None
        raise


def _config(location: S3Location, attempts: int) -> Config:
    """Return settings every S3 store understands: no newer checksum headers, but every request body signed."""
    return Config(
        connect_timeout=10,
        read_timeout=60,
        max_pool_connections=4 * PARALLEL,
        retries={"mode": "standard", "total_max_attempts": attempts},
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        s3={"payload_signing_enabled": True, "addressing_style": "path" if location.endpoint else "auto"},
    )
