"""What X's own pages get from its servers: answers of its GraphQL, as browsers save them.

Each tweet is a result with `rest_id` and `legacy`, which has the fields of the API 1.1, somewhere
within timelines, instructions and entries. Source: the shapes of answers of 2022 to 2026; X
documents none of it.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from producers.formats.archive_format import ArchiveFormat, FormatOptions
from producers.formats.json_documents import document_reader
from producers.formats.json_sniffing import at_path, first_objects
from producers.parsing.faults import Unparsable
from producers.parsing.json_values import plain_json
from producers.parsing.provenance import Origin, Parsed, Refused
from producers.x_api.v1_1_documents import parse_old_tweet
from producers.x_api.v2_documents import HEARTBEAT
from schemas.codec import Reason

MAX_ANSWER_BYTES: Final = 64 * 1024 * 1024
_NO_TWEETS: Final = "answer-without-tweets"
_MOST_NESTED: Final = 40


def parse_answer(
    raw: bytes, origin: Origin, received_at: datetime, line: int, place: int
) -> Parsed:
    """Return the tweets of an answer, in its order; those within others complete them."""
    if not raw.strip():
        return Parsed(skipped=[HEARTBEAT])
    answer = plain_json(raw)
    if not isinstance(answer, Mapping):
        raise Unparsable(Reason.INVALID_EVENT, "the document is not a JSON object")
    whole = Parsed()
    for number, result in enumerate(tweet_results(answer)):
        try:
            parsed = parse_old_tweet(_old_tweet(result), origin, received_at, line, place + number)
        except Unparsable as fault:
            whole.refused.append(Refused(fault.reason, fault.detail, number))
            continue
        whole.events.extend(parsed.events)
        whole.dropped.extend(parsed.dropped)
        whole.overruled_times += parsed.overruled_times
    if not whole.events and not whole.refused:
        whole.skipped.append(_NO_TWEETS)
    return whole


def tweet_results(value: object, depth: int = 0) -> Iterator[Mapping[str, Any]]:
    """Yield the outermost results that are tweets."""
    if depth > _MOST_NESTED:
        return
    if isinstance(value, Mapping):
        legacy = value.get("legacy")
        if "rest_id" in value and isinstance(legacy, Mapping) and "full_text" in legacy:
            yield value
            return
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            if isinstance(each, Mapping | list):
                yield from tweet_results(each, depth + 1)


def _old_tweet(result: Mapping[str, Any]) -> dict[str, Any]:
    """Return a result as the API 1.1 has it."""
    tweet = dict(result["legacy"])
    tweet["id_str"] = tweet.get("id_str") or result["rest_id"]
    note = at_path(result, ("note_tweet", "note_tweet_results", "result", "text"))
    if isinstance(note, str):
        tweet["extended_tweet"] = {"full_text": note}
    author = at_path(result, ("core", "user_results", "result", "rest_id"))
    tweet["user"] = {"id_str": author or tweet.get("user_id_str")}
    edits = at_path(result, ("edit_control", "edit_tweet_ids"))
    if isinstance(edits, list) and tweet["id_str"] in edits:
        tweet["edit_history"] = {"edit_tweet_ids": edits}
    for name, within in (("retweeted_status", tweet), ("quoted_status", result)):
        inner = at_path(within, (f"{name}_result", "result"))
        completing = next(tweet_results(inner), None)
        if completing is not None:
            tweet[name] = _old_tweet(completing)
    return tweet


def _recognises(beginning: bytes, _options: FormatOptions) -> bool:
    return any(
        next(tweet_results(document), None) is not None for document in first_objects(beginning)
    )


X_GRAPHQL: Final = ArchiveFormat(
    "x-graphql",
    "answers that X's own pages get (GraphQL), as a browser saves them",
    _recognises,
    lambda beginning, _options: document_reader(beginning, parse_answer, MAX_ANSWER_BYTES),
)
