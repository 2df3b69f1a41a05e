"""Packages in an S3 bucket: large ones in parts that are sent while the next ones are read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from datetime import datetime

from s2ps.model.errors import ConfigurationError
from s2ps.publication.pump import Sink
from s2ps.staging.keys import checked
from s2ps.staging.s3_location import S3Location
from s2ps.staging.s3_stream import StreamBucket, Upload

PART_BYTES = 16 * 1024 * 1024
"""10,000 of them at most: objects up to 160 GB."""


class ObjectSink:
    """An object that takes blocks in any order; a single small one is written at once."""

    block_bytes = PART_BYTES
    writers = 4

    def __init__(self, upload: Upload) -> None:
        self.upload = upload
        self.small: bytes | None = None

    def write(self, number: int, block: memoryview) -> None:
        """Send a block."""
        if number == 0 and len(block) < self.block_bytes:
            self.small = bytes(block)
        else:
            self.upload.part(number + 1, block)


class S3Packages:
    """Objects of a bucket. What an interrupted writer has sent is invisible, and swept after a day."""

    def __init__(self, location: S3Location) -> None:
        self.location = location
        self.bucket = StreamBucket(location)

    def uri(self, key: str) -> str:
        """Return the URI of an object, with the endpoint of the store."""
        prefix = f"{self.location.prefix}/" if self.location.prefix else ""
        return str(replace(self.location, prefix=prefix + checked(key)))

    def key(self, uri: str) -> str:
        """Return the key of an object below the prefix."""
        found = S3Location.parse(uri)
        start = f"{self.location.prefix}/" if self.location.prefix else ""
        if found.bucket != self.location.bucket or not found.prefix.startswith(start):
            raise ConfigurationError(f"{uri} is not in {self.location}", next_step="set S2PS_PACKAGES to where it is")
        return found.prefix.removeprefix(start)

    @contextmanager
    def sink(self, key: str, content_type: str) -> Iterator[Sink]:
        """Send parts and complete the object, or give them up."""
        upload = self.bucket.stream(checked(key), content_type)
        sink = ObjectSink(upload)
        try:
            yield sink
            if sink.small is not None:
                self.write(key, sink.small, content_type)
            else:
                upload.commit()
        except BaseException:
            upload.abandon()
            raise

    def write(self, key: str, content: bytes, content_type: str) -> None:
        """Write an object at once."""
        self.bucket.put(checked(key), content, content_type=content_type)

    def read(self, key: str) -> bytes | None:
        """Return the verified content of a small object."""
        return self.bucket.get(checked(key))

    def size(self, key: str) -> int | None:
        """Return the size of an object."""
        return self.bucket.size(checked(key))

    def names(self, folder: str) -> tuple[str, ...]:
        """List a folder."""
        return tuple(sorted(self.bucket.level(f"{checked(folder)}/" if folder else "")))

    def delete(self, *keys: str) -> None:
        """Remove objects."""
        self.bucket.delete(*(checked(key) for key in keys))

    def lock(self, key: str) -> nullcontext[None]:
        """Lock nothing: a bucket has no locks."""
        return nullcontext()

    def sweep(self, before: datetime) -> int:
        """Give up uploads that began before a moment and never ended."""
        return self.bucket.abort_uploads(before)
