"""The buffer between reader and publisher: order, bounds, and what a kill leaves."""

import shutil
import stat
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from producers.live.capture import Capture
from producers.x_connection.buffer import LineBuffer
from producers.x_connection.disk_buffer import DiskBuffer
from producers.x_connection.received_line import ReceivedLine
from schemas.failures import Failure
from tests.unit.reading import replayed_lines

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def line(number: int) -> ReceivedLine:
    return ReceivedLine(NOON + timedelta(seconds=number), b'{"number": %d}' % number)


_opened: list[DiskBuffer] = []


@pytest.fixture(autouse=True)
def _no_file_stays_open() -> Iterator[None]:
    yield
    while _opened:
        _opened.pop().close()


def inbox(folder: Path, memory_lines: int = 3, limit_bytes: int = 10_000) -> LineBuffer:
    _opened.append(DiskBuffer(folder, limit_bytes, segment_bytes=200))
    return LineBuffer(_opened[-1], memory_lines)


@settings(max_examples=50)
@given(steps=st.lists(st.one_of(st.integers(1, 9), st.none()), max_size=60))
def test_lines_come_out_once_and_in_order_however_much_is_spilled(
    steps: list[int | None], tmp_path_factory: pytest.TempPathFactory
) -> None:
    queue = inbox(tmp_path_factory.mktemp("spill"), limit_bytes=1_000_000)
    put, taken = 0, []
    for count in steps:
        if count is None:
            assert queue.put(line(put))
            put += 1
        else:
            taken += queue.take(count, 0.0)
            queue.done()
    while len(taken) < put:
        taken += queue.take(5, 0.0)
        queue.done()
    assert taken == [line(number) for number in range(put)]


def test_beyond_memory_and_disk_a_line_is_refused_and_nothing_else_is_harmed(
    tmp_path: Path,
) -> None:
    queue = inbox(tmp_path, limit_bytes=500)
    count = 0
    while queue.put(line(count)):
        count += 1
    assert not queue.has_room
    taken = []
    while got := queue.take(100, 0.0):
        taken += got
        queue.done()
    assert taken == [line(number) for number in range(count)]
    assert queue.has_room
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_hold_a_capture_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Failure, match=r"--capture .*/file/captures"):
        Capture(tmp_path / "file" / "captures")


def test_no_line_waits_for_the_disk_but_an_end_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[int] = []
    monkeypatch.setattr("os.fsync", waits.append)
    spill = DiskBuffer(tmp_path, 1_000_000)
    for number in range(100):
        assert spill.append([line(number)])
    assert waits == []
    assert [each.name for each in tmp_path.iterdir() if each.stat().st_size] != []
    spill.close()
    assert len(waits) == 1


def test_what_was_taken_and_not_done_is_there_after_a_close(tmp_path: Path) -> None:
    queue = inbox(tmp_path)
    for number in range(10):
        queue.put(line(number))
    assert queue.take(2, 0.0) == [line(0), line(1)]
    queue.close()
    assert drained(inbox(tmp_path)) == [line(number) for number in range(10)]


def test_after_a_kill_what_was_spilled_is_there_but_for_a_line_that_was_cut(
    tmp_path: Path,
) -> None:
    queue = inbox(tmp_path)
    for number in range(20):
        queue.put(line(number))
    killed = left_by_a_kill(tmp_path)
    queue.close()
    newest = max(killed.iterdir())
    newest.write_bytes(newest.read_bytes()[:-4])
    assert drained(inbox(killed)) == [line(number) for number in range(3, 19)]


def test_a_disk_that_fails_refuses_a_line_and_raises_nothing(tmp_path: Path) -> None:
    queue = inbox(tmp_path / "spill", memory_lines=1)
    assert queue.put(line(0))
    (tmp_path / "spill").rmdir()
    assert not queue.put(line(1))


def left_by_a_kill(folder: Path) -> Path:
    """What a kill at this moment would leave on the disk."""
    return Path(shutil.copytree(folder, folder.with_name(f"{folder.name}-killed")))


def drained(queue: LineBuffer) -> list[ReceivedLine]:
    taken = []
    while got := queue.take(100, 0.0):
        taken += got
        queue.done()
    return taken


def test_a_capture_rotates_and_reads_back_as_it_came(tmp_path: Path) -> None:
    capture = Capture(tmp_path, file_life=timedelta(minutes=1))
    lines = [line(number) for number in range(200)]
    capture.write(lines)
    capture.close(lines[-1].received_at)
    files = sorted(tmp_path.iterdir())
    assert len(files) == 3
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert [raw for file in files for raw in replayed_lines(file)] == [each.raw for each in lines]


def test_a_capture_that_was_killed_is_whole_up_to_its_last_frame(tmp_path: Path) -> None:
    capture = Capture(tmp_path)
    capture.write([line(number) for number in range(25)])
    killed = left_by_a_kill(tmp_path)
    capture.close(NOON)
    Capture(killed)
    (file,) = killed.iterdir()
    assert file.suffix == ".zst"
    assert replayed_lines(file) == [line(number).raw for number in range(22)]
