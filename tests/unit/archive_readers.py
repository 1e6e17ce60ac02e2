"""A reader of each format, for tests of what all of them promise."""

from datetime import UTC, datetime
from pathlib import Path

from producers.formats.archive_format import FormatOptions
from producers.formats.registry import FORMATS
from producers.formats.tweeteval import TweetEvalReader
from producers.parsing.provenance import Origin

NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
ORIGIN = Origin("test", NOW, "test", "ab" * 32)

KNOWN = {known.name: known for known in FORMATS}
TWCS_HEADER = b"tweet_id,author_id,inbound,created_at,text,in_response_to_tweet_id\n"
READERS = {
    **{
        name: KNOWN[name].reader(b"", FormatOptions())
        for name in (
            "x-v2",
            "x-v1.1",
            "x-graphql",
            "twarc-flat",
            "account-export",
            "json-columns",
            "sentiment140",
            "semeval",
        )
    },
    "twcs": KNOWN["twcs"].reader(TWCS_HEADER, FormatOptions()),
    "tweeteval": TweetEvalReader(Path("labels"), {"0": "negative", "1": "positive"}),
    "tsv": KNOWN["tsv"].reader(b"", FormatOptions(columns=("id", "label", "text"))),
    "csv": KNOWN["csv"].reader(
        b"", FormatOptions(columns=("id", "text", "created_at", "author_id", "lang"))
    ),
}
JSON_READERS = ("x-v2", "x-v1.1", "twarc-flat", "account-export", "json-columns")
