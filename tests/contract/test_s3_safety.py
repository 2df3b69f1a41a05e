"""What an S3 store refuses, and what it never tells."""

from __future__ import annotations

import logging
import traceback
from pathlib import Path

import pytest
from contract.conftest import ObjectStore, Opener
from contract.object_store import SLOW_DOWN, Proxy, make_tree, names

from s2ps.model.errors import ConfigurationError, InputError, S2psError, StagingError
from s2ps.staging.s3_bucket import Bucket


@pytest.mark.parametrize("key", ["single", "jobs/A/x"])
def test_damaged_object_is_refused(opened: Opener, object_store: ObjectStore, tmp_path: Path, key: str) -> None:
    store = opened()
    store.write("single", b"good")
    store.put(make_tree(tmp_path / "t", x="good"), "jobs/A")
    (name,) = [name for name in names(object_store.client, object_store.bucket) if name.endswith(key.split("/")[-1])]
    kept = object_store.client.head_object(Bucket=object_store.bucket, Key=name)["Metadata"]
    object_store.client.put_object(Bucket=object_store.bucket, Key=name, Body=b"evil", Metadata=kept)
    other = opened()
    for action in (other.read, other.open_local, lambda key: other.get(key, tmp_path / "copy")):
        with pytest.raises(StagingError, match="is damaged: its SHA-256 is"):
            action(key)
    assert not (tmp_path / "copy").exists()


def test_object_of_somebody_else_is_refused(opened: Opener, object_store: ObjectStore) -> None:
    object_store.client.put_object(Bucket=object_store.bucket, Key="pre/fix/files/foreign", Body=b"x")
    with pytest.raises(StagingError, match="no SHA-256"):
        opened().read("foreign")


def test_hostile_marker_cannot_write_outside_the_cache(opened: Opener, object_store: ObjectStore) -> None:
    store = opened()
    store.write("good", b"x")
    body = b'{"version":1,"key":"jobs/A","id":"0","files":[{"path":"../../../evil","size":1,"sha256":"","mtime_ns":0}]}'
    Bucket(object_store.location()).put("commits/jobs/A.commit", body)
    with pytest.raises(StagingError, match="marker of jobs/A cannot be read"):
        store.open_local("jobs/A")


def test_cache_is_private_and_goes_with_the_store(opened: Opener, tmp_path: Path) -> None:
    first, second = opened(), opened()
    first.write("a/b", b"x")
    paths = [store.open_local("a/b") for store in (first, second)]
    assert paths[0] != paths[1]
    assert all(path.is_relative_to((tmp_path / "cache").resolve()) for path in paths)
    first.close()
    assert [path.exists() for path in paths] == [False, True]
    with pytest.raises(InputError, match="not an uncommitted folder"):
        second.discard(tmp_path)


def test_credentials_are_never_told(
    opened: Opener, proxy: Proxy, object_store: ObjectStore, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    caplog.set_level(logging.INFO)
    texts = [repr(opened()), opened().uri]
    answers = ((403, b"<Error><Code>SignatureDoesNotMatch</Code></Error>"), (503, SLOW_DOWN), (500, b"<html>"))
    for answer in answers:
        proxy.before = lambda _method, _path, answer=answer: answer
        store = opened(proxy.address, attempts=1)
        for action in (lambda store=store: store.write("a", b"x"), lambda store=store: store.read("a")):
            with pytest.raises(S2psError) as caught:
                action()
            texts += ["".join(traceback.format_exception(caught.value)), repr(caught.value)]
    with pytest.raises(StagingError, match="cannot be reached"):
        opened("http://127.0.0.1:1", attempts=1).write("a", b"x")
    told = "\n".join([*texts, caplog.text])
    assert "SignatureDoesNotMatch" in told
    assert object_store.secret not in told
    stored = [object_store.client.get_object(Bucket=object_store.bucket, Key=name) for name in _all(object_store)]
    assert all(object_store.secret.encode() not in answer["Body"].read() for answer in stored)


def _all(store: ObjectStore) -> list[str]:
    return names(store.client, store.bucket)


def test_missing_bucket_and_missing_credentials_are_not_tried_again(
    opened: Opener, object_store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    object_store.client.delete_bucket(Bucket=object_store.bucket)
    with pytest.raises(ConfigurationError, match="NoSuchBucket"):
        opened().write("a", b"x")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(ConfigurationError, match="no credentials"):
        opened().write("a", b"x")
