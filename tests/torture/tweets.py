"""What is published: a history of tweets, and what is no tweet at all. A function of its seed."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import msgspec

from schemas.codec import Headers, encode, headers_of, key_of
from schemas.events import (
    LIVE,
    AuthorErased,
    Event,
    MatchedRule,
    Reference,
    TweetDeleted,
    TweetPosted,
    TweetWithheld,
)
from schemas.topics import RAW
from schemas.transport.redrives import REDRIVE_HEADER, Redrive
from tests.torture.poison import junk, poison

REPLAY: Final = "torture"
POISON: Final = 300
JUNK: Final = 60
_SOURCE: Final = "torture"
_AUTHORS: Final = 2_000
_ERASED_AUTHORS: Final = 10
_RULES: Final = ("trains", "weather", "coffee")
_PLACES: Final = (
    "Harbour",
    "Mill Lane",
    "Old Bridge",
    "North Throttle",
    "Fern Hill",
    "Quay",
    "Market",
)
_SENTENCES: Final = (
    "Best coffee for years at {}, thank you!",
    "Stuck at {} again, I hate this line.",
    "The market at {} opens at nine.",
    "So proud of everyone who came to {} today!",
    "Rain at {}, and the roof leaks. Miserable.",
    "Does anyone know when {} closes?",
    "What a lovely evening at {} 😊",
    "Terrible noise at {} all night 😡",
)
_FORGED: Final = Redrive(
    source=RAW, partition=0, offset=0, timestamp_ms=0, run=LIVE, count=1_000, signature="00"
)
_HEADERS: Final[tuple[Headers, ...]] = (
    [("own", b"\xff\x00")],
    [(REDRIVE_HEADER, b"x" * 50_000)],
    [(REDRIVE_HEADER, msgspec.json.encode(_FORGED))],
    [("long" * 2_000, b"x")],
)
"""What others put beside a message: also what only a redrive may write."""

_COSTLY: Final = (
    "👩‍👩‍👧‍👦" * 3_000,
    "e" + "\u0301" * 20_000,
    "@a " * 10_000,
    "http://a.b/" * 3_000,
    "😀" * 20_000,
)
"""Texts that take the longest to clean, to read and to cut into pieces."""

_COSTLY_ONE_IN: Final = 400
_TAGS: Final = ((), ("tram",), ("weather",), ("coffee", "morning"), ("東京",))


@dataclass(frozen=True)
class Published:
    """A message, and the event that it is; None for what must become a dead letter."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Headers
    event: Event | None


def history(seed: int, tweets: int, began_at: datetime) -> list[Published]:
    """Return the messages of a run in the order of their publishing.

    `tweets` different tweets, of which some are edited, deleted before or after their posts,
    withheld, retweeted or repeated, ten authors erased, and between them poison and junk. Times of
    posting lie in the two days before `began_at`.
    """
    generator = random.Random(seed)
    placed: list[tuple[float, Published]] = []
    for number in range(tweets):
        placed += [(place, _message(e)) for place, e in _tweet(generator, number, began_at)]
    for number in generator.sample(range(_AUTHORS), _ERASED_AUTHORS):
        erased = AuthorErased(
            run=generator.choice((LIVE, REPLAY)),
            author_id=_author(number),
            received_at=began_at,
            source=_SOURCE,
        )
        placed.append((generator.uniform(0, tweets), _message(erased)))
    for topic, values in ((RAW, poison(POISON)), ("tweets.scored", junk(JUNK))):
        for number, value in enumerate(values):
            headers = list(generator.choice(_HEADERS))
            # One key would put all of it into one partition, and scoring holds where that one is
            # read first.
            bad = Published(topic, b"poison %d" % number, value, headers, None)
            placed.append((generator.uniform(0, tweets), bad))
    return [message for _, message in sorted(placed, key=lambda pair: pair[0])]


def hashtags_of(text: str) -> tuple[str, ...]:
    """Return the hashtags of a text of ours."""
    return tuple(word[1:] for word in text.split() if word.startswith("#"))


def _tweet(
    generator: random.Random, number: int, began_at: datetime
) -> Iterator[tuple[float, Event]]:
    """Yield the events of one tweet, each with its place in the history."""
    run = LIVE if generator.random() < 0.7 else REPLAY
    posted_at = began_at - timedelta(minutes=generator.randint(1, 2_880), seconds=number % 60)
    retweet = number > 10 and generator.random() < 0.1
    versions = generator.randint(2, 4) if not retweet and generator.random() < 0.12 else 1
    history_ids = tuple(_tweet_id(number, version) for version in range(versions))
    references: tuple[Reference, ...] = ()
    if retweet:
        other = generator.randrange(number)
        author = _author(_author_number(other))
        references = (Reference(kind="retweeted", tweet_id=_tweet_id(other, 0), author_id=author),)
    rules = tuple(MatchedRule(tag=tag) for tag in generator.sample(_RULES, generator.randint(0, 2)))
    for version in range(versions):
        tags = generator.choice(_TAGS)
        sentence = generator.choice(_SENTENCES).format(generator.choice(_PLACES))
        if generator.randrange(_COSTLY_ONE_IN) == 0:
            sentence = generator.choice(_COSTLY)
        post = TweetPosted(
            run=run,
            tweet_id=history_ids[version],
            root_id=history_ids[0],
            version=version,
            edit_history=history_ids[: version + 1] if versions > 1 else (),
            posted_at=posted_at,
            edited_at=posted_at + timedelta(minutes=version) if version else None,
            received_at=began_at,
            text=" ".join([sentence, *(f"#{tag}" for tag in tags)]),
            language="en",
            author_id=_author(_author_number(number)),
            references=references,
            rules=rules,
            source=_SOURCE,
        )
        place = number + generator.uniform(0, 40) * (versions > 1)
        yield place, post
        if generator.random() < 0.1:
            yield place + generator.uniform(0, 500), post
    if generator.random() < 0.06:
        kind = generator.choice((TweetDeleted, TweetWithheld))
        removal = kind(
            run=run if generator.random() < 0.8 else LIVE,
            tweet_id=generator.choice(history_ids),
            received_at=began_at,
            source=_SOURCE,
        )
        yield number + generator.uniform(-100, 300), removal


def _message(event: Event) -> Published:
    return Published(RAW, key_of(event), encode(event), headers_of(event), event)


def _tweet_id(number: int, version: int) -> str:
    return str(1_500_000_000_000_000_000 + number * 10 + version)


def _author_number(number: int) -> int:
    return number * 7_919 % _AUTHORS


def _author(number: int) -> str:
    return f"author{number}"
