"""What is particular to an S3 store, tried on a real server, with a proxy that fails where a network would."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from contract.conftest import ObjectStore, Opener, Server
from contract.object_store import SECRET, SLOW_DOWN, Proxy, make_tree, names

from s2ps.model.errors import StagingError
from s2ps.staging.s3_pack import SMALL_BYTES

LARGE = SMALL_BYTES
"""Smaller files would travel together."""


def _data(method: str, path: str) -> bool:
    return method == "PUT" and "/trees/" in path


def test_busy_store_is_asked_again(opened: Opener, proxy: Proxy, tmp_path: Path) -> None:
    refusals: dict[str, int] = {}

    def busy(method: str, path: str) -> tuple[int, bytes] | None:
        refusals[f"{method} {path}"] = refusals.get(f"{method} {path}", 0) + 1
        return (503, SLOW_DOWN) if refusals[f"{method} {path}"] == 1 and "/trees/" in path else None

    proxy.before = busy
    opened(proxy.address).put(make_tree(tmp_path / "t", a="1" * LARGE, b="2" * LARGE), "sessions/S")
    opened(proxy.address).get("sessions/S", tmp_path / "copy")
    assert (tmp_path / "copy" / "b").read_text() == "2" * LARGE
    assert sum(line.startswith("PUT") and "/trees/" in line for line in proxy.seen) == 4


def test_store_that_stays_busy_is_named_in_the_error(opened: Opener, proxy: Proxy) -> None:
    proxy.before = lambda _method, _path: (503, SLOW_DOWN)
    with pytest.raises(StagingError, match=r"write files/a: s3://.* answered SlowDown \(HTTP 503, attempts: 2\)"):
        opened(proxy.address, attempts=2).write("a", b"x")


def test_slow_answers_are_waited_for(opened: Opener, proxy: Proxy, tmp_path: Path) -> None:
    def slow(method: str, path: str) -> None:
        if "/trees/" in path:
            time.sleep(0.5)

    proxy.before = slow
    store = opened(proxy.address)
    begun = time.monotonic()
    store.put(make_tree(tmp_path / "t", **{f"f{number}": "x" * LARGE for number in range(8)}), "sessions/S")
    assert time.monotonic() - begun < 3
    assert len(list(store.list("sessions/S"))) == 8


def test_interrupted_upload_is_never_seen_and_continued(
    opened: Opener, proxy: Proxy, object_store: ObjectStore, tmp_path: Path
) -> None:
    source = make_tree(tmp_path / "t", a="1" * LARGE, b="2" * LARGE, c="3" * LARGE)
    proxy.before = lambda method, path: (400, b"") if _data(method, path) and path.endswith("/c") else None
    with pytest.raises(StagingError, match="HTTP 400"):
        opened(proxy.address).put(source, "sessions/S")
    store = opened()
    assert not store.exists("sessions/S")
    assert list(store.list()) == []
    assert store.children("sessions") == ()
    with pytest.raises(StagingError, match="sessions/S is not in the staging"):
        store.open_local("sessions/S")
    uploaded = sum("/trees/" in name for name in names(object_store.client, object_store.bucket))
    assert uploaded == 2
    proxy.before = lambda _method, _path: None
    proxy.seen.clear()
    opened(proxy.address).put(source, "sessions/S")
    assert len([line for line in proxy.seen if line.startswith("PUT") and "/trees/" in line]) == 1
    assert (store.open_local("sessions/S") / "c").read_text() == "3" * LARGE


def test_killed_writer_leaves_nothing_visible(
    opened: Opener, proxy: Proxy, object_store: ObjectStore, tmp_path: Path
) -> None:
    source = make_tree(tmp_path / "t", a="1", b="2")
    arrived = threading.Event()

    def hold(method: str, path: str) -> tuple[int, bytes] | None:
        if method == "PUT" and "/commits/" in path:
            arrived.set()
            time.sleep(3)
            return 500, b""
        return None

    proxy.before = hold
    store = opened()
    uri = str(object_store.location(proxy.address))
    code = "import sys; from pathlib import Path; from s2ps.staging.location import open_store;"
    code += "open_store(sys.argv[1]).put(Path(sys.argv[2]), 'sessions/S')"
    writer = subprocess.Popen([sys.executable, "-c", code, uri, str(source)])
    assert arrived.wait(30)
    writer.kill()
    assert writer.wait(10) == -9
    assert not store.exists("sessions/S")
    assert list(store.list()) == []
    store.put(source, "sessions/S")
    assert store.read("sessions/S/b") == b"2"


def test_sweep_removes_interrupted_uploads_and_nothing_else(
    opened: Opener, proxy: Proxy, object_store: ObjectStore, tmp_path: Path
) -> None:
    store = opened(proxy.address, part_bytes=5 * 1024 * 1024)
    store.put(make_tree(tmp_path / "good", a="1"), "sessions/good")
    proxy.before = lambda method, path: (400, b"") if _data(method, path) and path.endswith("/b") else None
    with pytest.raises(StagingError):
        store.put(make_tree(tmp_path / "bad", a="1" * LARGE, b="2" * LARGE), "sessions/bad")
    now = datetime.now(UTC)
    assert store.sweep(now - timedelta(hours=1)) == 0
    object_store.client.create_multipart_upload(Bucket=object_store.bucket, Key="pre/fix/files/left")
    assert store.sweep(now + timedelta(hours=1)) == 2
    assert "Uploads" not in object_store.client.list_multipart_uploads(Bucket=object_store.bucket)
    assert sum("/trees/" in name for name in names(object_store.client, object_store.bucket)) == 1
    assert not any("/uploads/" in name for name in names(object_store.client, object_store.bucket))
    assert opened().read("sessions/good/a") == b"1"


def test_large_file_goes_in_parts_and_comes_back(
    opened: Opener, proxy: Proxy, object_store: ObjectStore, tmp_path: Path
) -> None:
    content = bytes(range(256)) * 4096 * 11
    (tmp_path / "t").mkdir()
    (tmp_path / "t" / "large").write_bytes(content)
    store = opened(proxy.address, part_bytes=5 * 1024 * 1024)
    store.put(tmp_path / "t", "sessions/S")
    store.put(tmp_path / "t" / "large", "large")
    assert sum("partNumber=" in line for line in proxy.seen) == 6
    assert store.read("sessions/S/large") == content
    assert store.open_local("large").read_bytes() == content
    name = "pre/fix/files/large"
    kept = object_store.client.head_object(Bucket=object_store.bucket, Key=name)["Metadata"]
    object_store.client.put_object(Bucket=object_store.bucket, Key=name, Body=b"!" + content[1:], Metadata=kept)
    with pytest.raises(StagingError, match="is damaged"):
        store.get("large", tmp_path / "copy")
    assert [path.name for path in tmp_path.iterdir() if "copy" in path.name] == []


def test_answer_that_breaks_off_is_read_again(opened: Opener, proxy: Proxy) -> None:
    store = opened(proxy.address, attempts=1)
    store.write("a", b"x" * 1000)
    proxy.cuts = 2
    assert store.read("a") == b"x" * 1000
    proxy.cuts = 3
    with pytest.raises(StagingError, match=r"read files/a: s3://.* cannot be reached"):
        store.read("a")


@pytest.mark.parametrize("condition", ["honoured", "ignored", "refused"])
def test_of_several_writers_exactly_one_wins(opened: Opener, proxy: Proxy, s3_server: Server, condition: str) -> None:
    if condition == "ignored" and s3_server.secret != SECRET:
        pytest.skip("a server that checks signatures refuses a request without a header that was signed")
    proxy.dropped = {"if-none-match"} if condition == "ignored" else set()
    proxy.unknown = {"if-none-match"} if condition == "refused" else set()
    stores = [opened(proxy.address) for _ in range(3)]
    trees = [store.begin("jobs/A") for store in stores]
    for number, tree in enumerate(trees):
        (tree / "who").write_text(str(number))
    won: dict[int, bool] = {}
    start = threading.Barrier(len(stores))

    def commit(number: int) -> None:
        start.wait()
        won[number] = stores[number].commit(trees[number], "jobs/A")

    threads = [threading.Thread(target=commit, args=(number,)) for number in range(len(stores))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(won.values()) == [False, False, True]
    winner = next(number for number, first in won.items() if first)
    assert {store.read("jobs/A/who") for store in [*stores, opened()]} == {str(winner).encode()}
    assert not any(tree.exists() for tree in trees)
    assert any("/claims/" in line for line in proxy.seen) is (condition != "honoured")


def test_commit_whose_answer_was_lost_is_known_as_ours(opened: Opener, proxy: Proxy) -> None:
    lost: list[str] = []
    store = opened(proxy.address)

    def lose(method: str, path: str, body: bytes) -> bytes:
        if method == "PUT" and "/commits/" in path and not lost:
            lost.append(path)
            raise ConnectionResetError
        return body

    tree = store.begin("jobs/A")
    (tree / "x").write_text("x")
    proxy.after = lose
    assert store.commit(tree, "jobs/A")
    assert lost
    assert opened().read("jobs/A/x") == b"x"


def test_links_into_other_trees_stay_links(opened: Opener, object_store: ObjectStore, tmp_path: Path) -> None:
    store = opened()
    producer = store.begin("jobs/P")
    (producer / "data").write_text("data of P")
    assert store.commit(producer, "jobs/P")
    fused = store.begin("fused/F")
    (fused / "data").symlink_to("../../jobs/P/data")
    assert store.commit(fused, "fused/F")
    assert sum("/trees/" in name for name in names(object_store.client, object_store.bucket)) == 1
    other = opened()
    path = other.open_local("fused/F") / "data"
    assert path.is_symlink()
    assert path.read_text() == "data of P"
    assert other.read("fused/F/data") == b"data of P"
    other.get("fused/F", tmp_path / "copy")
    assert not (tmp_path / "copy" / "data").is_symlink()
    assert (tmp_path / "copy" / "data").read_text() == "data of P"


def test_replaced_tree_is_fetched_again_after_asking_for_it(opened: Opener) -> None:
    writer, reader = opened(), opened()
    for text in ("old", "new"):
        tree = writer.begin("jobs/A")
        (tree / "x").write_text(text)
        assert writer.commit(tree, "jobs/A", replace=True)
        assert reader.exists("jobs/A")
        assert (reader.open_local("jobs/A") / "x").read_text() == text
    writer.delete("jobs/A")
    assert not reader.exists("jobs/A")
    with pytest.raises(StagingError):
        reader.open_local("jobs/A/x")
