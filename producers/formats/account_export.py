"""An X account's own export: tweets.js, `window.YTD.tweets.part0 = [` and the tweets."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from producers.archives.json_elements import json_elements
from producers.archives.records import Lines, Record
from producers.formats.archive_format import ArchiveFormat, FormatOptions
from producers.parsing.provenance import Origin, Parsed
from producers.x_api.v1_1_documents import parse_old_document

# Not deleted_tweets, which stand in a file of their own: their author has deleted them.
_BEGINNING: Final = re.compile(rb"(\xef\xbb\xbf)?\s*window\.YTD\.tweets?\.part[0-9]+\s*=\s*\[")


@dataclass(frozen=True)
class AccountExportReader:
    """Reads the elements of the array: tweets as X's API 1.1 has them, each in a `tweet`."""

    def records(self, lines: Lines) -> Iterator[Record]:
        """Yield the elements."""
        return json_elements(lines)

    def parse(self, record: Record, origin: Origin, received_at: datetime) -> Parsed:
        """Return the tweet of an element; the export does not say whose it is."""
        return parse_old_document(record.raw, origin, received_at, record.line, record.place)


def _recognises(beginning: bytes, _options: FormatOptions) -> bool:
    return _BEGINNING.match(beginning) is not None


ACCOUNT_EXPORT: Final = ArchiveFormat(
    "account-export",
    "an X account's own export (tweets.js)",
    _recognises,
    lambda _beginning, _options: AccountExportReader(),
)
