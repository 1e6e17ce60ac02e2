"""What a person is shown of a program that does not come up."""

from pathlib import Path

import pytest

from deploy.embedded.layout import Layout
from deploy.embedded.start_programs import start_and_await
from deploy.embedded.supervision import Supervisor
from schemas.failures import Failure


class Logging(Supervisor):
    """A supervisor of programs that only write to their logs."""

    def __init__(self, layout: Layout, *, anew: bool) -> None:
        self._layout = layout
        self._anew = anew

    def start(self, name: str) -> None:
        with self._layout.log_of(name).open("wb" if self._anew else "ab") as log:
            log.write(b"no such model\xff\n")


class Mute(Supervisor):
    def __init__(self) -> None: ...

    def start(self, name: str) -> None: ...


def shown(home: Path, *, before: str, anew: bool = False) -> list[str]:
    layout = Layout.of(home)
    layout.logs.mkdir()
    layout.log_of("score").write_text(before, encoding="utf-8")
    said: list[str] = []
    with pytest.raises(Failure, match=r"score is not ready after 0 s \(asleep\); see .*score\.log"):
        start_and_await(
            layout,
            Logging(layout, anew=anew),
            {"score": lambda: "asleep"},
            timeout_s=0.0,
            say=said.append,
        )
    return said


def test_of_the_log_only_what_this_start_wrote_is_shown(tmp_path: Path) -> None:
    said = shown(tmp_path, before="ready as never before\n" * 3)
    assert said == ["waiting for score", "score: no such model\ufffd"]


def test_of_a_log_that_was_begun_anew_all_is_shown(tmp_path: Path) -> None:
    said = shown(tmp_path, before="ready as never before\n" * 3, anew=True)
    assert said[1:] == ["score: no such model\ufffd"]


def test_a_program_without_a_log_is_named_all_the_same(tmp_path: Path) -> None:
    with pytest.raises(Failure, match="mute is not ready"):
        start_and_await(
            Layout.of(tmp_path),
            Mute(),
            {"mute": lambda: "asleep"},
            timeout_s=0.0,
            say=lambda _: None,
        )
