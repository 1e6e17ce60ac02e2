"""SemEval-2017 Task 4 files: id, label and text by tabs, and the marks of how they were made.

Quotes are no CSV quoting there: some texts stand in a pair of them with the inner ones doubled,
most do not. Some characters are written as `\\u2019`. HTML entities are left to the cleaning.
"""

import re
from collections.abc import Iterator, Sequence

from retrain.datasets.rows import RawRow

_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})")
_SURROGATES = range(0xD800, 0xE000)


def is_semeval(first_line: str) -> bool:
    """Whether a file's first line is one of SemEval's."""
    columns = first_line.split("\t")
    return len(columns) >= 2 and columns[0].isascii() and columns[0].isdigit()


def semeval_rows(lines: Sequence[str]) -> Iterator[RawRow]:
    """Yield a row for each line that is not blank."""
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        tweet_id, label, text, *_ = [*line.split("\t"), None, None]
        yield RawRow(
            line=number,
            id=tweet_id,
            label=label,
            text=None if text is None else _text(text),
        )


def _text(written: str) -> str:
    text = written.strip()
    if len(text) >= 2 and text[0] == text[-1] == '"':
        text = text[1:-1]
    return _ESCAPE.sub(_character, text.replace('""', '"'))


def _character(escape: re.Match[str]) -> str:
    code = int(escape[1], 16)
    return escape[0] if code in _SURROGATES else chr(code)
