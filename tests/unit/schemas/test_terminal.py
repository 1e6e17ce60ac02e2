"""What people read on a terminal or through a pipe is what was meant."""

import io
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console, Group

from schemas.terminal import plain_table, print_whole, terminal_console, whole_line
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
    print_whole(narrow, letters_table([letter]))
    assert isinstance(narrow.file, io.StringIO)
    shown = narrow.file.getvalue()
    run = "spring-" * 9
    for whole in ("1234567", "2026-11-21 12:00:00", run, "replay", "missing-field", "new"):
        assert whole in shown


COPIED = st.text(st.characters(categories=["L", "N"], max_codepoint=0x24F), min_size=1)


@given(COPIED, COPIED, COPIED, st.integers(min_value=10, max_value=200), st.booleans())
def test_what_is_there_to_be_copied_is_whole_at_any_width(
    command: str, copied: str, prose: str, width: int, grouped: bool
) -> None:
    table = plain_table("copied", "prose", "tweets", numbers=("tweets",), whole=("copied",))
    table.add_row(copied, " ".join([prose] * 9), "12,345,678")
    console = Console(width=width, file=io.StringIO())
    line = whole_line(f"murmur psql -c '{command} {command}'")
    print_whole(console, *([Group(table, line)] if grouped else [table, line]))
    assert isinstance(console.file, io.StringIO)
    printed = console.file.getvalue().splitlines()
    assert f"murmur psql -c '{command} {command}'" in [line.rstrip() for line in printed]
    assert any(copied in line and "12,345,678" in line for line in printed)
    assert "…" not in console.file.getvalue()
    assert console.width == width
