"""What a command prints: lines for people, one document for programs, a question.

Whatever stands in them, a terminal obeys none of it. Tables are printed by `schemas.terminal`.
"""

from typing import Any

import click
import msgspec

from schemas.escape_for_terminal import printable, printable_json


def print_line(line: str, *, err: bool = False) -> None:
    """Print one line; what is not printable in it appears as an escape."""
    click.echo(printable(line), err=err)


def print_json(document: Any) -> None:
    """Print a document on a line of standard output; `msgspec` must know its types."""
    click.echo(printable_json(msgspec.json.encode(document)))


def confirm(question: str) -> None:
    """Ask on standard error; raise `click.Abort` unless the answer is yes."""
    click.confirm(printable(question), abort=True, err=True)
