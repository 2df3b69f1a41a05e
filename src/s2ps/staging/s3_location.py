"""Where an S3 staging is: `s3://bucket/prefix?endpoint=http://host:port&region=name`. Never with credentials."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from s2ps.model.errors import ConfigurationError, InputError
from s2ps.staging.keys import checked

SCHEME = "s3"
FORM = "s3://bucket/prefix?endpoint=http://host:port&region=name"
_BUCKET = re.compile(r"[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]")
_REGION = re.compile(r"[a-zA-Z0-9-]{1,64}")
_OPTIONS = ("endpoint", "region")


@dataclass(frozen=True, slots=True)
class S3Location:
    """A bucket, a prefix in it, and how to reach it; credentials come from the usual places of boto3."""

    bucket: str
    prefix: str = ""
    endpoint: str | None = None
    region: str | None = None

    @classmethod
    def parse(cls, uri: str) -> Self:
        """Read a staging URI; raise ConfigurationError, which never repeats the URI: it might hold a secret."""
        try:
            parts = urlsplit(uri)
            options = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
        except ValueError as error:
            raise _wrong("it cannot be read") from error
        if "@" in parts.netloc or parts.fragment:
            raise _wrong("it has a user, a password or a fragment")
        if parts.scheme != SCHEME or not _BUCKET.fullmatch(parts.netloc):
            raise _wrong("it names no bucket (3 to 63 small letters, digits, dots, hyphens)")
        names = [name for name, _ in options]
        if len(set(names)) != len(names) or not set(names) <= set(_OPTIONS):
            raise _wrong("it has an option that is unknown or given twice")
        given = dict(options)
        return cls(parts.netloc, _prefix(parts.path), _endpoint(given.get("endpoint")), _region(given.get("region")))

    def __str__(self) -> str:
        given = {"endpoint": self.endpoint, "region": self.region}
        query = urlencode({name: value for name, value in given.items() if value}, safe=":/")
        path = f"/{quote(self.prefix)}" if self.prefix else ""
        return f"{SCHEME}://{self.bucket}{path}{'?' if query else ''}{query}"


def _prefix(path: str) -> str:
    prefix = unquote(path).strip("/")
    try:
        return checked(prefix) if prefix else ""
    except InputError as error:
        raise _wrong("its prefix is not a plain relative path") from error


def _endpoint(text: str | None) -> str | None:
    if text is None:
        return None
    try:
        parts = urlsplit(text)
        valid = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError as error:
        raise _wrong("its endpoint cannot be read") from error
    if not valid or "@" in parts.netloc or parts.query or parts.fragment or parts.path not in ("", "/"):
        raise _wrong("its endpoint is not http(s)://host:port alone")
    return f"{parts.scheme}://{parts.netloc}"


def _region(text: str | None) -> str | None:
    if text is not None and not _REGION.fullmatch(text):
        raise _wrong("its region is not a name")
    return text


def _wrong(reason: str) -> ConfigurationError:
    return ConfigurationError(
        f"the URI of the S3 staging is refused: {reason}",
        expected=FORM,
        next_step="correct the staging; give credentials by AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, "
        "a credentials file or a role",
    )
