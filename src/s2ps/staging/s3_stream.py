"""Objects that are written in parts while their content is still being made; nothing is visible before the end."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from s2ps.model.errors import StagingError
from s2ps.staging.s3_bucket import Bucket
from s2ps.staging.s3_errors import MISSING, code_of

_GONE = {"NoSuchUpload", *MISSING}


class StreamBucket(Bucket):
    """A bucket that also takes objects part by part, and any object whether S2PS has written it or not."""

    def stream(self, name: str, content_type: str) -> Upload:
        """Begin an object."""
        return Upload(self, name, content_type)

    def size(self, name: str) -> int | None:
        """Return the size of an object in bytes, None when it is missing."""

        def look() -> int | None:
            try:
                return int(self._client.head_object(**self._object(name))["ContentLength"])
            except ClientError as error:
                if code_of(error) in MISSING:
                    return None
                raise

        return self._ask("look at", name, look)

    def request(self, action: str, name: str, method: str, **more: Any) -> dict[str, Any]:
        """Make a request about one object; its errors name the action."""
        call: Callable[..., dict[str, Any]] = getattr(self._client, method)
        return self._ask(action, name, lambda: call(**self._object(name), **more))

    def complete(self, name: str, upload_id: str, parts: list[dict[str, Any]], size: int) -> None:
        """Make an object of its parts; an answer that was lost is recognised by the object that is there."""

        def finish() -> None:
            try:
                self._client.complete_multipart_upload(
                    **self._object(name), UploadId=upload_id, MultipartUpload={"Parts": parts}
                )
            except ClientError as error:
                if code_of(error) not in _GONE or self.size(name) != size:
                    raise

        self._ask("complete", name, finish)


@dataclass(slots=True)
class Upload:
    """An object under construction. Parts may come in any order and from several threads."""

    bucket: StreamBucket
    name: str
    content_type: str
    _id: str = ""
    _parts: dict[int, dict[str, Any]] = field(default_factory=dict)
    _size: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def part(self, number: int, data: memoryview) -> None:
        """Send a part (numbers from 1, 5 MiB at least but for the last)."""
        with self._lock:
            if not self._id:
                more = {"ContentType": self.content_type}
                self._id = self.bucket.request("begin", self.name, "create_multipart_upload", **more)["UploadId"]
        answer = self.bucket.request(
            "send a part of", self.name, "upload_part", UploadId=self._id, PartNumber=number, Body=bytes(data)
        )
        with self._lock:
            self._parts[number] = {"PartNumber": number, "ETag": answer["ETag"]}
            self._size += len(data)

    def commit(self) -> None:
        """Make the object visible; raise StagingError when it has no parts or one is missing."""
        numbers = sorted(self._parts)
        if numbers != list(range(1, len(numbers) + 1)) or not numbers:
            raise StagingError(f"{self.name}: parts {numbers} make no object", next_step="write it again")
        self.bucket.complete(self.name, self._id, [self._parts[number] for number in numbers], self._size)

    def abandon(self) -> None:
        """Remove the parts that were sent."""
        if self._id:
            self.bucket.request("give up", self.name, "abort_multipart_upload", UploadId=self._id)
