"""A document of X's API v2, a line of a stream or a page of a search, to events.

Nearly every document is well-formed and takes the short way, decoded straight into typed structs.
The others take the long way (`producers.x_api.lenient_parser`), which saves what can be saved and
says precisely what was wrong with the rest.
"""

from datetime import datetime
from typing import Final

import msgspec

from producers.parsing.faults import Unparsable
from producers.parsing.provenance import Origin, Parsed
from producers.x_api.lenient_parser import API_ERROR, parse_odd_document
from producers.x_api.tweets import by_id, matched_rules, time_is_overruled, tweet_posted
from producers.x_api.v2_json_types import PostedTweet, WireDocument
from schemas.events import RawEvent

HEARTBEAT: Final = "heartbeat"

_decoder: Final = msgspec.json.Decoder(WireDocument)


def parse_document(raw: bytes, origin: Origin, received_at: datetime, line: int) -> Parsed:
    """Return what a document holds, refused where it is none; never raises.

    Tweets under `includes` complete others and are no events. A faulty tweet of a page concerns
    only itself. `line` makes the id of a tweet that has none. A well-formed document is decoded
    once.
    """
    try:
        document = _decoder.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        if not raw.strip():
            return Parsed(skipped=[HEARTBEAT])
        return parse_odd_document(raw, origin, received_at, line)
    data = document.data if document.data is not None else document
    tweets: list[PostedTweet] = data if isinstance(data, list) else [data]
    if not tweets:
        return parse_odd_document(raw, origin, received_at, line)
    includes = document.includes
    included = by_id(includes.completing if includes is not None else [])
    rules = matched_rules(document.matching_rules) if document.matching_rules else ()
    events: list[RawEvent] = []
    overruled = 0
    try:
        for place, tweet in enumerate(tweets):
            posted = tweet_posted(
                tweet,
                included=included,
                rules=rules,
                origin=origin,
                received_at=received_at,
                line=line,
                place=place,
            )
            overruled += time_is_overruled(tweet, posted)
            events.append(posted)
    except Unparsable:
        return parse_odd_document(raw, origin, received_at, line)
    parsed = Parsed(events, overruled_times=overruled, context=document)
    if document.errors:
        parsed.skipped.extend([API_ERROR] * len(document.errors))
    return parsed
