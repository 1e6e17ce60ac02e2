"""Counting scored tweets into windows: pure functions of the events."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final

from msgspec import Struct

from retrain.drift.detectors.new_hashtag import HASHTAGS_OF_A_TWEET
from retrain.drift.window import CONFIDENCE_BINS, WindowCounts
from schemas.events import TweetScored

PIECES_EVERY: Final = 8
"""The word pieces of one tweet in so many are counted, by a hash of its id: they cost most."""

OTHER_LANGUAGE: Final = "other"
_LANGUAGE: Final = re.compile(r"[a-z]{2,3}(?![a-z0-9])")


class Pieces(Struct, frozen=True):
    """What the model's tokenizer makes of a text: word pieces, those it knows not, and words."""

    pieces: int
    unknown: int
    words: int


class Counted(Struct, frozen=True):
    """What is counted of one tweet, whichever windows it is counted into.

    `label` and `confidence` are the model's own, whatever a decision made of them: a decision that
    changes is no drift. `hashtags` are distinct, in lower case, and at most `HASHTAGS_OF_A_TWEET`.
    """

    label: str
    labels: tuple[str, ...]
    confidence_micros: int
    confidence_bin: int
    retweet: bool
    characters: int
    language: str
    pieces: Pieces | None
    hashtags: tuple[str, ...] = ()


class Tally:
    """The counts of one window while tweets are added."""

    def __init__(self) -> None:
        self._tweets = 0
        self._retweets = 0
        self._by_label: dict[str, int] = {}
        self._confidence_micros = 0
        self._bins: dict[int, int] = {}
        self._characters = 0
        self._pieces = 0
        self._unknown_pieces = 0
        self._piece_words = 0
        self._by_language: dict[str, int] = {}
        self.hashtags: Counter[str] = Counter()
        """Tweets by their hashtags; no part of `counts`, which a window keeps for good."""

    def add(self, tweet: Counted) -> None:
        """Count a tweet; of a retweet nothing but that there was one."""
        self._tweets += 1
        self._retweets += tweet.retweet
        if tweet.label not in self._by_label:
            # All of the model's labels, so that a window tells how many there are.
            self._by_label = dict.fromkeys(tweet.labels, 0) | self._by_label
        if tweet.retweet:
            return
        self._by_label[tweet.label] += 1
        self._confidence_micros += tweet.confidence_micros
        self._bins[tweet.confidence_bin] = self._bins.get(tweet.confidence_bin, 0) + 1
        self._characters += tweet.characters
        self._by_language[tweet.language] = self._by_language.get(tweet.language, 0) + 1
        if tweet.pieces is not None:
            self._pieces += tweet.pieces.pieces
            self._unknown_pieces += tweet.pieces.unknown
            self._piece_words += tweet.pieces.words
        self.hashtags.update(tweet.hashtags)

    def counts(self) -> WindowCounts:
        """Return what was counted, names in their order, so that equal counts are equal bytes."""
        return WindowCounts(
            tweets=self._tweets,
            retweets=self._retweets,
            by_label=_in_order(self._by_label),
            confidence_micros=self._confidence_micros,
            confidence_histogram=tuple(self._bins.get(at, 0) for at in range(CONFIDENCE_BINS)),
            characters=self._characters,
            pieces=self._pieces,
            unknown_pieces=self._unknown_pieces,
            piece_words=self._piece_words,
            by_language=_in_order(self._by_language),
        )


def counted(event: TweetScored, pieces: Pieces | None) -> Counted:
    """Return what is counted of an event; `pieces` where its word pieces were counted."""
    return counted_of(
        probabilities=event.score.probabilities,
        retweet=event.retweet_of is not None,
        text=event.text,
        language=event.language or event.extracted.language,
        pieces=pieces,
        hashtags=event.extracted.hashtags,
    )


def counted_of(
    *,
    probabilities: Mapping[str, float],
    retweet: bool,
    text: str,
    language: str | None,
    pieces: Pieces | None,
    hashtags: Iterable[str] = (),
) -> Counted:
    """Return what is counted of a tweet, from an event or from a row."""
    labels = tuple(sorted(probabilities))
    # Of equals the first by name: an event's order and that of a stored row are not the same.
    label = max(labels, key=probabilities.__getitem__)
    return Counted(
        label=label,
        labels=labels,
        confidence_micros=round(probabilities[label] * 1_000_000),
        confidence_bin=confidence_bin(probabilities[label]),
        retweet=retweet,
        characters=len(text),
        language=_language(language),
        pieces=pieces,
        hashtags=tuple(dict.fromkeys(tag.casefold() for tag in hashtags))[:HASHTAGS_OF_A_TWEET],
    )


def counts_pieces(rank: int) -> bool:
    """Tell whether the word pieces of the tweet of this rank are counted."""
    # Not by size, as audits and samples are chosen: they are no sample of each other.
    return rank % PIECES_EVERY == 0


def confidence_bin(confidence: float) -> int:
    """Return the bin of the histogram that holds a confidence."""
    return min(int(confidence * CONFIDENCE_BINS), CONFIDENCE_BINS - 1)


def _language(language: str | None) -> str:
    """Return a language that a window can hold: there are few of those."""
    if not language:
        return ""
    named = _LANGUAGE.match(language.lower())
    return named[0] if named else OTHER_LANGUAGE


def _in_order(counts: Mapping[str, int]) -> dict[str, int]:
    return dict(sorted(counts.items()))
