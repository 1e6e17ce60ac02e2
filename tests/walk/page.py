"""The walks as the page that is kept of them, `stream_processors/WALK.md`."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from tests.walk.tracing import Traced
from tests.walk.walks import TEXT, Walk

PAGE: Final = Path(__file__).parents[2] / "stream_processors" / "WALK.md"

_HEAD: Final = f"""\
# The walk of a tweet's text

Answers: which functions does a text go through, from where it comes in to the SQL that stores it?

- These lists are traced: one tweet goes through the real commands.
- `python -m tests.walk --write` writes this page anew. A test holds it against a new trace.
- The tweet's text is `{TEXT}`.
- A function is listed where it has the text and hands it on. It has it as such, returns it, keeps
  it, or calls a function of the list with it. `tests/walk/tracing.py` says it exactly.
- A function that only looks at something else of an event is not listed. Examples: its key and its
  headers.
- Each function counts once, also where a later stage calls it again.
"""


def page_of(walks: Sequence[Walk]) -> str:
    """Return the page; where two walks share a stage, it is listed with the first."""
    return "\n".join([_HEAD, *_counts(walks), *_lists(walks)]) + "\n"


def _counts(walks: Sequence[Walk]) -> Iterator[str]:
    yield "| tweet | functions | files |"
    yield "|---|---|---|"
    for walk in walks:
        yield f"| {walk.name} | {len(walk.functions)} | {len(walk.files)} |"


def _lists(walks: Sequence[Walk]) -> Iterator[str]:
    listed: dict[tuple[str, ...], str] = {}
    for walk in walks:
        for where, traced in (
            ("to `tweets.raw`", walk.published),
            ("from `tweets.raw` to `tweets.scored`", walk.scored),
            ("from `tweets.scored` to PostgreSQL", walk.stored),
        ):
            title = f"{walk.name}, {where}"
            yield from ("", f"## {title[0].upper()}{title[1:]}")
            key = tuple(traced.functions)
            if key in listed:
                yield f"As under *{listed[key]}*."
            else:
                listed[key] = title
                yield from _list(traced)


def _list(traced: Traced) -> Iterator[str]:
    times = {1: "once", 2: "twice"}.get(traced.decoded, f"{traced.decoded} times")
    yield f"JSON that holds the text is decoded {times}."
    yield ""
    for number, function in enumerate(traced.functions, start=1):
        yield f"{number}. `{function}`"
