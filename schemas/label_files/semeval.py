"""SemEval-2017 Task 4 files: id, label and text by tabs, and the marks of how they were made.

Quotes are no CSV quoting there: some texts stand in a pair of them with the inner ones doubled,
most do not. Some characters are written as `\\u2019`. A few texts of 2016 have the time of the
tweet behind them, as a column of its own. HTML entities are left.
"""

import re
from typing import Final

from schemas.label_files.row import LabelRow

_ESCAPE: Final = re.compile(r"\\u([0-9a-fA-F]{4})")
_SURROGATES: Final = range(0xD800, 0xE000)
_TIME_COLUMN: Final = re.compile(
    r"\t[A-Z][a-z]{2} [A-Z][a-z]{2} [0-9]{2} [0-9:]{8} [+-][0-9]{4} [0-9]{4}$"
)


def is_semeval(first_line: str) -> bool:
    """Whether a file's first line is one of SemEval's."""
    columns = first_line.split("\t")
    return len(columns) >= 2 and columns[0].isascii() and columns[0].isdigit()


def semeval_row(line: str) -> LabelRow:
    """Return the row of a line. A tab within the text belongs to it, one behind it does not."""
    tweet_id, label, written, *_ = [*line.split("\t", 2), None, None]
    return LabelRow(text=None if written is None else _text(written), label=label, id=tweet_id)


def _text(written: str) -> str:
    text = _TIME_COLUMN.sub("", written.rstrip()).strip()
    if len(text) >= 2 and text[0] == text[-1] == '"':
        text = text[1:-1]
    return _ESCAPE.sub(_character, text.replace('""', '"'))


def _character(escape: re.Match[str]) -> str:
    code = int(escape[1], 16)
    return escape[0] if code in _SURROGATES else chr(code)
