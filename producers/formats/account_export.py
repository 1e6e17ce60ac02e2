"""An X account's own export: tweets.js, `window.YTD.tweets.part0 = [` and the tweets."""

import re
from typing import Final

from producers.formats.archive_format import ArchiveFormat, FormatOptions
from producers.formats.json_documents import DocumentReader
from producers.formats.json_sniffing import JsonLayout
from producers.x_api.v1_1_documents import parse_old_document

# Not deleted_tweets, which stand in a file of their own: their author has deleted them.
# The older export has tweets as X's API 1.1 has them, a month a file.
_BEGINNING: Final = re.compile(
    rb"(\xef\xbb\xbf)?\s*(window\.YTD\.tweets?\.part[0-9]+|Grailbird\.data\.tweets_[0-9_]+)\s*=\s*\["
)


def _recognises(beginning: bytes, _options: FormatOptions) -> bool:
    return _BEGINNING.match(beginning) is not None


ACCOUNT_EXPORT: Final = ArchiveFormat(
    "account-export",
    "an X account's own export (tweets.js)",
    _recognises,
    lambda _beginning, _options: DocumentReader(
        parse_old_document, JsonLayout(a_document_a_line=False)
    ),
)
