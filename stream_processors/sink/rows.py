"""A tweet as the sink's decisions know it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, TypeAlias

from schemas.events import LIVE, TweetScored

Key: TypeAlias = tuple[str, str]
"""Run and root id: one tweet, whatever its version."""

LONGEST_LANGUAGE: Final = 16
"""Characters of a language that is counted, as events have it."""

TombstoneKind: TypeAlias = Literal["tweet", "author"]


@dataclass(frozen=True, slots=True)
class Row:
    """One tweet with the score that counts.

    `versions` has the ids of an edited tweet's versions up to this one; it is empty for others.
    `unknown_language` is the tweet's language where the model was not made for it.
    """

    run: str
    root_id: str
    tweet_id: str
    version: int
    versions: tuple[str, ...]
    posted_at: datetime
    rules: tuple[str, ...]
    hashtags: tuple[str, ...]
    author_id: str | None
    retweet_of: str | None
    retweet_of_author: str | None
    label: str
    confidence: float
    model_id: int
    unknown_language: str | None

    @property
    def key(self) -> Key:
        """The tweet, whatever its version."""
        return self.run, self.root_id


@dataclass(frozen=True, slots=True)
class NewRow(Row):
    """A row that came with an event, and can be written; PostgreSQL has all others."""

    event: TweetScored


def versions_of(event: TweetScored) -> tuple[str, ...]:
    """Return the ids of a tweet's versions from the first to the event's own."""
    history = event.edit_history[: event.version + 1]
    return tuple(dict.fromkeys((event.root_id, *history, event.tweet_id)))


def language_of(event: TweetScored) -> str | None:
    """Return the language that a tweet says it has, or the one that was found in its text."""
    return event.language or event.extracted.language or None


def unknown_language_of(event: TweetScored) -> str | None:
    """Return the language of a tweet whose model was not made for it."""
    language = language_of(event)
    if event.score.language_known is not False or language is None:
        return None
    return language[:LONGEST_LANGUAGE]


@dataclass(frozen=True, slots=True)
class Tombstone:
    """An id that may not come back: in its run, or in every run where the run is `live`."""

    run: str
    kind: TombstoneKind
    id: str

    def concerns(self, row: Row) -> bool:
        """Tell whether a row has to go: the tweet, its retweets, all of an author and theirs."""
        if self.run not in (LIVE, row.run):
            return False
        if self.kind == "author":
            return self.id in (row.author_id, row.retweet_of_author)
        return self.id in (row.root_id, row.tweet_id, row.retweet_of, *row.versions)
