"""The formats there are, and which of them a file has."""

from typing import Final

from producers.archives.tar_members import is_tar
from producers.formats.account_export import ACCOUNT_EXPORT
from producers.formats.archive_format import ArchiveFormat, FormatOptions
from producers.formats.customer_support import CUSTOMER_SUPPORT
from producers.formats.delimited import CSV, TSV
from producers.formats.json_columns import JSON_COLUMNS
from producers.formats.semeval import SEMEVAL
from producers.formats.sentiment140 import SENTIMENT140
from producers.formats.table_header import fault_of_header
from producers.formats.twarc_flat import TWARC_FLAT
from producers.formats.tweeteval import TWEETEVAL
from producers.formats.x_v1_1 import X_V1_1
from producers.formats.x_v2 import X_V2
from schemas.failures import Failure

FORMATS: Final = (
    X_V2,
    TWARC_FLAT,
    X_V1_1,
    ACCOUNT_EXPORT,
    SENTIMENT140,
    CUSTOMER_SUPPORT,
    SEMEVAL,
    TWEETEVAL,
    JSON_COLUMNS,
    CSV,
    TSV,
)
"""In the order in which people are told of them."""

ASKED_IN_TURN: Final = (
    TWEETEVAL,
    ACCOUNT_EXPORT,
    TWARC_FLAT,
    X_V1_1,
    JSON_COLUMNS,
    X_V2,
    SENTIMENT140,
    CUSTOMER_SUPPORT,
    SEMEVAL,
    TSV,
    CSV,
)
"""The same, in the order in which they are asked whether they recognise a file."""

SNIFFED_BYTES: Final = 256 * 1024
"""How much of a file's beginning a format is recognised by."""


def choose_format(beginning: bytes, options: FormatOptions, named: str | None) -> ArchiveFormat:
    """Return the format a person named, else the one that recognises the file's beginning.

    An empty file has any format. Raises `Failure`, which does not name the file, where none
    recognises it.
    """
    if beginning.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise Failure("it is UTF-16: convert it to UTF-8 first")
    if is_tar(beginning):
        raise Failure("it is a tar within another file: unpack what holds it")
    if beginning.startswith(b"PK\x03\x04"):
        raise Failure("it is a zip, which is read only as a file of its own: unpack what holds it")
    if beginning.startswith(b"PAR1"):
        raise Failure("it is Parquet that was compressed as a whole: decompress it first")
    if named is not None:
        return next(known for known in FORMATS if known.name == named)
    if not beginning.strip():
        return X_V2
    for known in ASKED_IN_TURN:
        if known.recognises(beginning, options):
            return known
    raise Failure(
        fault_of_header(beginning)
        or "its format is not recognised from its content: choose one with --format (--help lists "
        "them); a CSV or TSV file needs a header with a column named text, or --columns"
    )
