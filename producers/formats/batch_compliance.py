"""Results of X's batch compliance jobs: what X no longer shows, a line for each id."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

import msgspec

from producers.formats.archive_format import ArchiveFormat, FormatOptions
from producers.formats.json_documents import document_reader
from producers.formats.json_sniffing import first_objects
from producers.parsing.faults import Unparsable
from producers.parsing.provenance import Origin, Parsed
from producers.parsing.timestamps import parse_moment
from producers.x_api.removals import Kind, removal_of
from producers.x_api.v2_documents import HEARTBEAT
from schemas.tweet_time import snowflake_time

_SAID: Final = frozenset(["action", "redacted_at", "reason"])
_OF_A_TWEET: Final = frozenset(["text", "full_text", "data", "user"])
_NEARLY: Final = timedelta(days=1)
_HARMLESS: Final = "harmless-removal"


def _parse(
    raw: bytes, origin: Origin, received_at: datetime, _line: int, _place: int, *, kind: Kind
) -> Parsed:
    """Return the removal that a line asks for, in the run of the replay."""
    if not raw.strip():
        return Parsed(skipped=[HEARTBEAT])
    removal = removal_of(raw, kind, received_at)
    if removal is None:
        return Parsed(skipped=[_HARMLESS])
    return Parsed([msgspec.structs.replace(removal, run=origin.run, source=origin.source)])


def _recognises(beginning: bytes, _options: FormatOptions, *, kind: Kind) -> bool:
    lines = [
        line
        for line in first_objects(beginning)
        if "id" in line and len(_SAID & line.keys()) >= 2 and _OF_A_TWEET.isdisjoint(line)
    ]
    if not lines:
        return False
    return (kind == "tweets") == all(map(_may_be_a_tweet, lines))


def _may_be_a_tweet(line: Mapping[str, Any]) -> bool:
    """A tweet's id holds the time at which X says that it was made; an older account's does not."""
    inside = snowflake_time(str(line["id"]))
    try:
        said = parse_moment(line.get("created_at"), "created_at")
    except Unparsable:
        return True
    return abs(said - inside) < _NEARLY if inside is not None else said.year < 2011


COMPLIANCE_TWEETS: Final = ArchiveFormat(
    "compliance-tweets",
    "results of a batch compliance job for tweets: removals",
    partial(_recognises, kind="tweets"),
    lambda beginning, _options: document_reader(beginning, partial(_parse, kind="tweets")),
)
COMPLIANCE_USERS: Final = ArchiveFormat(
    "compliance-users",
    "results of a batch compliance job for accounts: removals",
    partial(_recognises, kind="users"),
    lambda beginning, _options: document_reader(beginning, partial(_parse, kind="users")),
)
