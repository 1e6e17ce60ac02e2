"""What ends the process each time is found and refused, and everything else is scored."""

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.transport.messages import ConsumedMessage
from stream_processors.scoring.unfinished_windows import BLAMED_AFTER, UnfinishedWindows

END = 77


def message(number: int) -> ConsumedMessage:
    """Return a message of two partitions that are read by turns."""
    return ConsumedMessage("raw", number % 2, number // 2, 0, None, b"%d" % number, [])


def windows(folder: Path, scored: Callable[[], None] = lambda: None) -> UnfinishedWindows[str]:
    return UnfinishedWindows(
        folder, refuse=lambda one, ends: f"refused {one.value!r} after {ends}", scored=scored
    )


def process(
    folder: Path, numbers: range, window_size: int, pills: set[int], end: Callable[[], None]
) -> dict[int, str]:
    """Score everything from a start in windows, as a process does that may end anywhere."""
    unfinished = windows(folder)
    outcomes: dict[int, str] = {}

    def judge(window: Sequence[ConsumedMessage]) -> list[str]:
        values = [int(one.value or b"") for one in window]
        if pills.intersection(values):
            end()
        return [f"scored {value}" for value in values]

    for start in range(0, len(numbers), window_size):
        part = numbers[start : start + window_size]
        answers = unfinished.judge([message(number) for number in part], judge)
        outcomes |= dict(zip(part, answers, strict=True))
    return outcomes


class Ended(MemoryError):
    """Stands for the end of a process: it is the one exception that leaves a note."""


def end() -> None:
    raise Ended


def ending(_window: Sequence[ConsumedMessage]) -> list[str]:
    raise Ended


@given(pills=st.sets(st.integers(0, 11), max_size=3), size=st.integers(1, 12), data=st.data())
def test_pills_are_refused_whatever_the_windows_are_and_all_else_is_scored(
    pills: set[int], size: int, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("windows")
    outcomes: dict[int, str] = {}
    done = 0
    for _ in range(200):
        # Windows begin where the last acknowledged one ended, and are not always as large.
        window = range(done, min(12, done + data.draw(st.integers(max(1, size - 2), size))))
        try:
            outcomes |= process(folder, window, len(window), pills, end)
        except Ended:
            continue
        done = window.stop
        if done == 12:
            break
    assert done == 12
    refused = {number for number, answer in outcomes.items() if answer.startswith("refused")}
    assert refused == pills


def test_processes_that_end_find_the_one_message(tmp_path: Path) -> None:
    """Real ones, which are gone without a word, as when a watchdog ends them."""
    code = (
        "import os, sys; from pathlib import Path;"
        "from tests.unit.stream_processors.test_unfinished_windows import *;"
        f"print(process(Path(sys.argv[1]), range(9), 9, {{5}}, lambda: os._exit({END}))[5])"
    )
    for ended in range(BLAMED_AFTER + 1):
        answer = subprocess.run(
            [sys.executable, "-c", code, str(tmp_path)],
            cwd=Path(__file__).parents[3],
            env=dict(os.environ),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        if ended < BLAMED_AFTER:
            assert answer.returncode == END, answer.stderr
        else:
            assert answer.stdout.strip() == f"refused b'5' after {BLAMED_AFTER}"


def test_an_exception_leaves_no_note(tmp_path: Path) -> None:
    def judge(_window: Sequence[ConsumedMessage]) -> list[str]:
        raise ConnectionError

    for _ in range(10):
        with pytest.raises(ConnectionError):
            windows(tmp_path).judge([message(1)], judge)
    assert windows(tmp_path).judge([message(1)], lambda w: ["fine"] * len(w)) == ["fine"]


def test_a_window_that_ended_two_processes_is_scored_one_by_one(tmp_path: Path) -> None:
    sizes: list[int] = []
    told: list[int] = []

    def judge(window: Sequence[ConsumedMessage]) -> list[str]:
        sizes.append(len(window))
        return ["fine"] * len(window)

    window = [message(number) for number in range(6)]
    for _ in range(2):
        with pytest.raises(Ended):
            windows(tmp_path).judge(window, ending)
    unfinished = windows(tmp_path, lambda: told.append(1))
    assert unfinished.judge(window, judge) == ["fine"] * 6
    assert unfinished.judge(window, judge) == ["fine"] * 6
    assert sizes == [1] * 6 + [6]
    assert len(told) == 6


def test_what_stands_in_a_note_by_accident_is_none(tmp_path: Path) -> None:
    (tmp_path / "raw-1").write_bytes(os.urandom(300))
    assert windows(tmp_path).judge([message(1)], lambda w: ["fine"] * len(w)) == ["fine"]
