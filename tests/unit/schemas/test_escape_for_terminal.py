"""Nothing that a command prints speaks to the terminal, whatever stands in it."""

import io
import json
import logging

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Group
from rich.markup import escape
from rich.text import Text

from schemas.escape_for_terminal import printable, printable_json, shown
from schemas.printing import print_json, print_line
from schemas.process.logs import TextFormatter
from schemas.terminal import SafeConsole, plain_table, print_whole, whole_line

HOSTILE = st.text(
    st.one_of(
        st.sampled_from("\x1b\x07\x08\x7f\x90\x9b\x9d\r\n\t\u200b\u202e\u2066\U000e0041[]0;2Jm\\"),
        st.characters(exclude_categories=["Cs"]),
    )
)


def is_harmless(printed: str) -> bool:
    return printed.replace("\n", "").isprintable()


def console() -> SafeConsole:
    return SafeConsole(file=io.StringIO(), width=120, emoji=False, highlight=False)


def printed_on(console: SafeConsole) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@given(HOSTILE)
def test_no_text_on_a_console_speaks_to_the_terminal_however_it_is_printed(text: str) -> None:
    out = console()
    out.print(escape(text))
    out.print(text, markup=False, soft_wrap=True)
    out.print(Text(text))
    out.print(Text.assemble((text, "bold")), style="dim")
    table = plain_table(text, "b", numbers=("b",), whole=(text,), title=text)
    table.add_row(escape(text), Text(text))
    print_whole(out, Group(table, whole_line(text)), whole_line(text))
    assert is_harmless(printed_on(out))


def test_what_is_escaped_in_a_table_is_whole() -> None:
    out = console()
    table = plain_table("tag", "tweets", numbers=("tweets",), whole=("tag",))
    table.add_row("a\x1b]0;owned\x07b", "1")
    print_whole(out, table)
    assert "a\\x1b]0;owned\\x07b  " in printed_on(out)


def test_colours_of_ours_stay() -> None:
    out = SafeConsole(file=io.StringIO(), force_terminal=True, color_system="standard")
    out.print("[red]bad[/]", "\x1b[32mgood")
    assert "\x1b[31mbad\x1b[0m" in printed_on(out)
    assert "\x1b[32m" not in printed_on(out)


@given(HOSTILE)
def test_a_printed_document_is_the_same_document(text: str) -> None:
    document = {"text": text, text: [text]}
    printed = printable_json(msgspec.json.encode(document))
    assert json.loads(printed) == document
    assert is_harmless(printed.decode())


@given(HOSTILE)
def test_a_line_is_one_line(text: str) -> None:
    assert printable(text).isprintable()
    assert shown(text).isprintable()
    assert printable(text) == text or not text.isprintable()


def test_lines_and_documents_are_printed_escaped(capsys: pytest.CaptureFixture[str]) -> None:
    print_line("one\x1b[2J\ntwo")
    print_line("three\x9b", err=True)
    print_json({"tag": "\x9b2J"})
    out, err = capsys.readouterr()
    assert out == 'one\\x1b[2J\\ntwo\n{"tag":"\\u009b2J"}\n'
    assert err == "three\\x9b\n"


def test_log_lines_for_people_are_escaped_too() -> None:
    record = logging.LogRecord("murmur", logging.INFO, "f", 1, "tag %s", ("\x1b[2J",), None)
    assert TextFormatter("%(message)s").format(record) == "tag \\x1b[2J"
