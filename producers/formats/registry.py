"""The formats there are, and which of them a file has."""

from typing import Final

from producers.formats.account_export import ACCOUNT_EXPORT
from producers.formats.archive_format import ArchiveFormat, FormatOptions
from producers.formats.batch_compliance import COMPLIANCE_TWEETS, COMPLIANCE_USERS
from producers.formats.customer_support import CUSTOMER_SUPPORT
from producers.formats.delimited import CSV, TSV
from producers.formats.json_columns import JSON_COLUMNS
from producers.formats.json_sniffing import json_layout
from producers.formats.other_content import fault_of_container
from producers.formats.semeval import SEMEVAL
from producers.formats.sentiment140 import SENTIMENT140
from producers.formats.table_header import fault_of_header, fault_of_mapping, fault_of_rows
from producers.formats.twarc_flat import TWARC_FLAT
from producers.formats.tweeteval import TWEETEVAL
from producers.formats.x_graphql import X_GRAPHQL
from producers.formats.x_v1_1 import X_V1_1
from producers.formats.x_v2 import X_V2
from schemas.failures import Failure

FORMATS: Final = (
    X_V2,
    TWARC_FLAT,
    X_V1_1,
    X_GRAPHQL,
    ACCOUNT_EXPORT,
    COMPLIANCE_TWEETS,
    COMPLIANCE_USERS,
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
    X_GRAPHQL,
    COMPLIANCE_USERS,
    COMPLIANCE_TWEETS,
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
    container = fault_of_container(beginning)
    if container is not None:
        raise Failure(container)
    if named is not None:
        return next(known for known in FORMATS if known.name == named)
    if not beginning.strip():
        return X_V2
    if json_layout(beginning).frame in {"columns", "split"}:
        return JSON_COLUMNS
    if options.mapping and JSON_COLUMNS.recognises(beginning, options):
        return JSON_COLUMNS
    for known in ASKED_IN_TURN:
        if known.recognises(beginning, options):
            return known
    raise Failure(
        (None if options.columns is None else fault_of_rows(beginning, len(options.columns)))
        or fault_of_mapping(beginning, options.mapping)
        or fault_of_header(beginning)
        or "its format is not recognised from its content: choose one with --format (--help lists "
        "them); a CSV or TSV file needs a header with a column named text, or --columns"
    )
