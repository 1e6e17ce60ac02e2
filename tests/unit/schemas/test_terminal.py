"""What people read on a terminal or through a pipe is what was meant."""

import io
from datetime import UTC, datetime

import pytest
from rich.console import Console

from schemas.terminal import terminal_console
from stream_processors.dead_letters.display import letters_table
from stream_processors.dead_letters.letters import Letter

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def test_no_number_becomes_an_emoji(capsys: pytest.CaptureFixture[str]) -> None:
    terminal_console().print("sample.jsonl:100: too late, [b]a:smile:.csv[/b]")
    assert capsys.readouterr().out == "sample.jsonl:100: too late, a:smile:.csv\n"


def test_into_a_pipe_no_line_is_broken(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    terminal_console().print(" ".join(["word"] * 100))
    assert capsys.readouterr().out.count("\n") == 1


def test_a_narrow_terminal_shows_all_that_other_commands_want_of_a_dead_letter() -> None:
    letter = Letter(
        dead_letter_id=1_234_567,
        run="spring-" * 9,
        stage="replay",
        reason="missing-field",
        detail="archive/sample.jsonl.gz:19945: there is no text in this line of the archive",
        source="file:0",
        source_partition=0,
        source_offset=1,
        source_timestamp_ms=1,
        status="new",
        redrives=0,
        note="",
        status_at=NOW,
        first_seen_at=NOW,
        key=None,
        value=None,
        headers=(),
        value_size_bytes=0,
        value_sha256="0" * 64,
    )
    narrow = Console(width=80, file=io.StringIO())
    narrow.print(letters_table([letter]))
    assert isinstance(narrow.file, io.StringIO)
    shown = narrow.file.getvalue()
    for whole in ("1234567", "2026-11-21 12:00:00", "replay", "missing-field", "new"):
        assert whole in shown
