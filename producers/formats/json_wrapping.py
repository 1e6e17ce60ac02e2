"""Tweets that stand within something else, or whose fields are spelled otherwise, as documents.

Exports of databases and queues put a tweet under a name (`_source`, `payload.after`, `value`, there
also as a text of JSON), and scrapers spell its fields in their language's way (`createdAt`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from producers.formats.other_names import IDS, TEXTS, first_of, spelled_otherwise, time_like
from producers.parsing.faults import Unparsable
from producers.parsing.json_values import plain_json

_AROUND: Final = (
    "_source",
    "doc",
    "tweet",
    "payload",
    "value",
    "after",
    "fullDocument",
    "record",
    "json",
    "node",
    "Item",
    "properties",
    "attributes",
    "fields",
    "message",
    "body",
    "content",
)
"""Names under which others keep a tweet. What is there must look like one."""

_MOST_NESTED: Final = 3
_SPELLED: Final = (
    "id_str",
    "text",
    "full_text",
    "created_at",
    "lang",
    "author_id",
    "conversation_id",
    "in_reply_to_user_id",
    "in_reply_to_status_id",
    "in_reply_to_status_id_str",
    "referenced_tweets",
    "retweeted_status",
    "quoted_status",
    "extended_tweet",
    "note_tweet",
    "possibly_sensitive",
)
_ITSELF: Final = frozenset(["text", "full_text", "data", "includes", "extended_tweet"])


@dataclass(frozen=True)
class Wrapping:
    """What stands around the tweets of a file; `within` are names from the outside in.

    `renamed` gives the file's name of a field and the one that X has for it.
    """

    within: tuple[str, ...] = ()
    renamed: tuple[tuple[str, str], ...] = ()

    def __bool__(self) -> bool:
        """Tell whether there is anything to take off."""
        return bool(self.within or self.renamed)

    @property
    def described(self) -> str:
        """What tells this reading from another."""
        within = f" within {'.'.join(self.within)}" if self.within else ""
        return within + "".join(f" {known}={name}" for name, known in self.renamed)

    @property
    def taken_for(self) -> tuple[tuple[str, str], ...]:
        """What was taken for something else without being asked."""
        within = ((".".join(self.within), "the tweet"),) if self.within else ()
        return (*within, *self.renamed)

    def bare(self, raw: bytes) -> bytes:
        """Return the tweet of a document by itself; another document as it is."""
        for name in self.within:
            inner = _fields(raw).get(name)
            if inner is None:
                return raw
            raw = _text_within(bytes(inner))
        if not self.renamed:
            return raw
        fields = _fields(raw)
        for name, known in self.renamed:
            if name in fields and bytes(fields.get(known, _NULL)) == b"null":
                fields[known] = fields.pop(name)
        return msgspec.json.encode(fields) if fields else raw


NO_WRAPPING: Final = Wrapping()
_NULL: Final = msgspec.Raw(b"null")
_fields_decoder: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])


def _fields(raw: bytes) -> dict[str, msgspec.Raw]:
    try:
        return _fields_decoder.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}


def _text_within(raw: bytes) -> bytes:
    """Return JSON, be it in a text or not."""
    if not raw.startswith(b'"'):
        return raw
    try:
        return msgspec.json.decode(raw, type=str).encode()
    except (msgspec.DecodeError, UnicodeError):
        return raw


def wrapping_of(
    documents: Sequence[Mapping[str, Any]],
) -> tuple[Wrapping, tuple[Mapping[str, Any], ...]]:
    """Return what stands around the first documents of a file, and these without it."""
    within: tuple[str, ...] = ()
    found = tuple(documents)
    while found and len(within) < _MOST_NESTED:
        name, inner = _within(found)
        if name is None:
            break
        within, found = (*within, name), inner
    if within and not any(map(looks_like_a_tweet, found)):
        within, found = (), tuple(documents)
    renamed = _renamed(found)
    return Wrapping(within, renamed), tuple(_respelled(each, renamed) for each in found)


def _within(
    documents: Sequence[Mapping[str, Any]],
) -> tuple[str | None, tuple[Mapping[str, Any], ...]]:
    if any(not _ITSELF.isdisjoint(each) for each in documents):
        return None, ()
    for name in _AROUND:
        inner = [_mapping(each.get(name)) for each in documents]
        sound = tuple(each for each in inner if each)
        # A bulk file has lines of other things between its tweets.
        if sound and len(sound) * 3 >= len(documents):
            return name, sound
    return None, ()


def _mapping(value: object) -> Mapping[str, Any] | None:
    if isinstance(value, str) and value.lstrip().startswith("{"):
        try:
            value = plain_json(value.encode())
        except (Unparsable, UnicodeEncodeError):
            return None
    return value if isinstance(value, Mapping) else None


def looks_like_a_tweet(document: Mapping[str, Any]) -> bool:
    """Tell whether a document has a text under a name that is known."""
    name = spelled_otherwise(document, "text") or first_of(list(document), TEXTS)
    return name is not None and isinstance(document[name], str)


def _renamed(documents: Sequence[Mapping[str, Any]]) -> tuple[tuple[str, str], ...]:
    if not any(map(looks_like_a_tweet, documents)):
        return ()
    names = list(dict.fromkeys(name for each in documents for name in each))
    renamed: dict[str, str] = {}

    def take(known: str, other: str | None, *, unless: Sequence[str] = ()) -> None:
        there = {*names, *renamed}
        if other is not None and there.isdisjoint((known, *unless)):
            renamed[known] = other

    for known in _SPELLED:
        take(known, spelled_otherwise(names, known))
    take("text", first_of(names, TEXTS), unless=["full_text"])
    take("id", first_of(names, IDS), unless=["id_str"])
    if "created_at" not in {*names, *renamed}:
        times = time_like(names, lambda name: [each.get(name) for each in documents])
        take("created_at", times)
    if renamed and "full_text" in {*names, *renamed} and "author" in names:
        # Who writes `full_text` beside an author means the user of X's API 1.1.
        take("user", "author")
    return tuple((name, known) for known, name in renamed.items())


def _respelled(
    document: Mapping[str, Any], renamed: Sequence[tuple[str, str]]
) -> Mapping[str, Any]:
    spelled = dict(document)
    for name, known in renamed:
        if name in spelled and spelled.get(known) is None:
            spelled[known] = spelled.pop(name)
    return spelled
