"""Does an answer of X hold what it was asked for? X does not say where it does not.

A field or an expansion that X does not know, or knows by another name, is answered with 200 and
without it: texts are cut, reposts name nothing, edits count twice. So each answer is looked at.
"""

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

import msgspec

from producers.x_api.tweets import by_id
from producers.x_api.v2_json_types import WireDocument, WireTweet


class Asked(StrEnum):
    """What is looked for. Few and stable: they stand in metrics, and in what people read."""

    CREATED_AT = "created_at"
    AUTHOR = "author_id"
    EDITS = "edit_history"
    REFERENCES = "references"
    """A repost says what it repeats."""
    REPEATED = "reposted_text"
    """What a repost repeats stands in `includes`, whole."""
    LONG_TEXT = "long_text"
    """A long post has its note."""


@dataclass(frozen=True)
class Seen:
    """How many posts of an answer ought to have something, and how many came without it."""

    expected: Counter[Asked] = field(default_factory=Counter)
    missing: Counter[Asked] = field(default_factory=Counter)


_CUT: Final = "…"
_CUT_FROM_CHARS: Final = 270
"""X cuts long posts at 280 characters, at fewer of what counts twice; a link may follow."""


class _Problem(msgspec.Struct):
    resource_id: str | None = None
    value: str | None = None


_decoder: Final = msgspec.json.Decoder(WireDocument)
_problem_decoder: Final = msgspec.json.Decoder(_Problem)


def look_at(raw: bytes) -> Seen:
    """Return what an answer has and lacks; nothing of one that is no answer with posts."""
    try:
        return seen_in(_decoder.decode(raw))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Seen()


def seen_in(document: WireDocument) -> Seen:
    """Return what a decoded answer has and lacks; nothing of one without posts under `data`.

    A repost of something that X says it may not show lacks nothing.
    """
    posts = document.data if isinstance(document.data, list) else [document.data]
    included = by_id(document.includes.completing) if document.includes is not None else {}
    excused = {
        each
        for error in map(_problem, document.errors or ())
        for each in (error.resource_id, error.value)
    }
    seen = Seen()
    for post in posts:
        if post is not None:
            for asked, is_there in _judged(post, frozenset(included), excused):
                seen.expected[asked] += 1
                seen.missing[asked] += not is_there
    return Seen(seen.expected, +seen.missing)


def _problem(raw: msgspec.Raw) -> _Problem:
    try:
        return _problem_decoder.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _Problem()


def _judged(
    post: WireTweet, included: frozenset[str], excused: set[str | None]
) -> list[tuple[Asked, bool]]:
    judged = [
        (Asked.CREATED_AT, post.created_at is not None),
        (Asked.AUTHOR, post.author_id is not None),
        (Asked.EDITS, bool(post.edit_history)),
    ]
    text = post.text or ""
    repeated = [str(ref.id) for ref in post.references if ref.type in ("retweeted", "reposted")]
    if repeated:
        judged.append((Asked.REFERENCES, True))
        judged += [(Asked.REPEATED, each in included) for each in repeated if each not in excused]
    elif text.startswith("RT @") and text.endswith(_CUT):
        judged.append((Asked.REFERENCES, False))
    elif post.note_tweet is not None or post.note_post is not None:
        judged.append((Asked.LONG_TEXT, True))
    elif len(text) >= _CUT_FROM_CHARS and text.partition(" https://t.co/")[0].endswith(_CUT):
        judged.append((Asked.LONG_TEXT, False))
    return judged
