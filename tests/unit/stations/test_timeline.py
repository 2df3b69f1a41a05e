"""The timeline of a station: what is to be seen when."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from unit.stations.sessions import SESSION, WRITTEN, block

from s2ps.model.errors import ConfigurationError, InputError
from s2ps.stations.deposits import deposits
from s2ps.stations.files import session_files
from s2ps.stations.pickup import HOSTILE_NAMES, PickupPoint
from s2ps.stations.timeline import Disorder, Event, Timeline, VirtualSession

pytestmark = pytest.mark.unit
START = datetime(2026, 7, 1, 10, 20, tzinfo=UTC)


def seen(pickup: PickupPoint) -> dict[str, int]:
    return {file.name: file.size for file in pickup.published()}


def test_without_a_timeline_everything_is_there_with_its_date(content: Path) -> None:
    pickup = PickupPoint(session_files(content), Timeline())
    found = {file.name: file.published for file in pickup.published()}
    assert len(found) == 7
    assert found[block(1, 1)] == WRITTEN
    assert found[block(2, 1)] == WRITTEN + timedelta(seconds=4)
    assert pickup.over


def test_blocks_come_one_after_the_other_and_dsibs_last(content: Path) -> None:
    pickup = PickupPoint(session_files(content), Timeline(manual=True, seconds=60, start=START))
    assert not pickup.published()
    pickup.advance(20)
    assert list(seen(pickup)) == [block(1, 1)]
    pickup.advance(39)
    assert set(seen(pickup)) == {block(1, 1), block(1, 2), block(2, 1)}
    assert not pickup.whole(SESSION, 1)
    pickup.advance(1)
    assert len(seen(pickup)) == 7
    assert max(file.published for file in pickup.published()) == START + timedelta(seconds=60)
    assert pickup.whole(SESSION, 1)


def test_events_let_a_file_grow_change_move_and_go(content: Path) -> None:
    name = block(1, 2)
    events = [
        Event(at=1, file=name, size=0), Event(at=2, file=name, size=100), Event(at=3, file=name, variant=1),
        Event(at=4, file=name, area="RETRANSFER"), Event(at=5, file=name, withdrawn=True),
    ]  # fmt: skip
    pickup = PickupPoint(session_files(content), Timeline(manual=True, start=START, events=events))
    sizes = []
    for _ in range(5):
        pickup.advance(1)
        sizes.append([(file.area, file.size) for file in pickup.published() if file.name == name])
    whole = 2 * 5002
    assert sizes[:3] == [[("NOMINAL", 0)], [("NOMINAL", 100)], [("NOMINAL", whole)]]
    assert sizes[3] == [("NOMINAL", whole), ("RETRANSFER", whole)]
    assert sizes[4] == [("RETRANSFER", whole)]
    (left,) = [file for file in pickup.published() if file.name == name]
    assert left.published == START + timedelta(seconds=4)


def test_an_event_that_names_no_file_is_refused(content: Path) -> None:
    with pytest.raises(ConfigurationError, match="DSDB_00099"):
        PickupPoint(session_files(content), Timeline(events=[Event(at=0, file="*DSDB_00099.raw")]))


def test_disorder_leaves_every_byte_somewhere_in_the_end() -> None:
    files = VirtualSession(session=SESSION, chunks=83, chunk_bytes=314_571_600).files()
    shares = {"late": 0.1, "growing": 0.1, "empty": 0.1, "republished": 0.1, "replaced": 0.1, "retransferred": 0.1}
    timeline = Timeline(seconds=720, manual=True, disorder=Disorder(shuffle=5, **shares))
    made = deposits(files, timeline)
    assert made == deposits(files, timeline), "the seed decides"
    pickup = PickupPoint(files, timeline)
    pickup.advance(10_000)
    ended = {file.name: (file.size, file.content) for file in pickup.published()}
    assert ended == {file.name: (file.content.size, file.content) for file in files}
    order = [deposit.file.name for deposit in made if deposit.file.part and deposit.file.part.channel == 1]
    assert order != sorted(order)
    assert {deposit.area for deposit in made} == {"NOMINAL", "RETRANSFER"}
    assert any(deposit.size == 0 for deposit in made)
    assert len(made) > len(files)
    assert sum(file.content.size for file in files) > 50e9


def test_hostile_names_are_published_on_demand(content: Path) -> None:
    pickup = PickupPoint(session_files(content), Timeline(), hostile=True)
    assert set(HOSTILE_NAMES) <= set(seen(pickup))


def test_a_timeline_file_is_read_and_checked(tmp_path: Path) -> None:
    path = tmp_path / "timeline.yaml"
    path.write_text(f"seconds: 60\nspeed: 10\nvirtual: [{{session: {SESSION}, chunks: 2, chunk_bytes: 10}}]\n")
    assert Timeline.load(path).virtual[0].chunks == 2
    path.write_text("events: [{at: -1, file: x}]\n")
    with pytest.raises(ConfigurationError, match=r"timeline.yaml: events.0.at"):
        Timeline.load(path)
    path.write_text("[:")
    with pytest.raises(ConfigurationError, match="no YAML"):
        Timeline.load(path)


def test_a_folder_without_a_session_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no session"):
        session_files(tmp_path)
