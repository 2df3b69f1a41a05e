"""The URI of an S3 staging."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from s2ps.model.errors import ConfigurationError
from s2ps.staging.s3_location import S3Location

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize(
    ("uri", "location"),
    [
        ("s3://bucket", S3Location("bucket")),
        ("s3://bucket/a/b?region=eu-west-1", S3Location("bucket", "a/b", None, "eu-west-1")),
        (
            "s3://bucket/a?endpoint=http://127.0.0.1:9000&region=default",
            S3Location("bucket", "a", "http://127.0.0.1:9000", "default"),
        ),
    ],
)
def test_uri_is_read_and_written_the_same(uri: str, location: S3Location) -> None:
    assert S3Location.parse(uri) == location
    assert str(location) == uri


@pytest.mark.parametrize(
    "uri",
    [
        "s3://user:geheim@bucket/a",
        "s3://bucket/a?aws_secret_access_key=geheim",
        "s3://bucket/a?endpoint=http://user:geheim@host",
        "s3://bucket/a?endpoint=http://host/path?geheim",
        "s3://bucket/a?endpoint=ftp://host/geheim",
        "s3://bucket/a?endpoint=http://host:geheim",
        "s3://bucket/a?endpoint=http://a&endpoint=http://geheim",
        "s3://bucket/a?region=ge/heim",
        "s3://bucket/../geheim",
        "s3://bucket/a?geheim",
        "s3://bucket/a#geheim",
        "s3:///geheim",
        "s3://B/geheim",
    ],
)
def test_wrong_uri_is_refused_and_never_repeated(uri: str) -> None:
    with pytest.raises(ConfigurationError, match="is refused") as caught:
        S3Location.parse(uri)
    assert "geheim" not in str(caught.value)


def test_users_of_folders_never_load_the_s3_client(tmp_path: Path) -> None:
    code = (
        "import sys; from s2ps.staging.location import open_store; open_store(sys.argv[1]).write('a', b'a');"
        "sys.exit(any(name in sys.modules for name in ('boto3', 'botocore')))"
    )
    arguments = [sys.executable, "-c", code, str(tmp_path)]
    assert subprocess.run(arguments, cwd=ROOT, env={"PYTHONPATH": str(ROOT / "src")}, check=False).returncode == 0
