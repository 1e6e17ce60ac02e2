"""The events that cross Kafka. Past tense, immutable, ids are strings.

Every field that a later version adds needs a default: new readers read old events, and old
readers ignore fields that they do not know.
"""

import re
from datetime import date, datetime
from typing import Annotated, Final, Literal, TypeAlias

from msgspec import Meta, Struct

LIVE: Final = "live"
"""The run of the live stream; every other run is the name of a replay."""

MAX_TEXT_CHARS = 50_000
"""Twice the longest post that X allows (25,000 characters)."""

RUN_PATTERN = r"^[a-z0-9][a-z0-9._-]{0,62}$"
RunName = Annotated[str, Meta(pattern=RUN_PATTERN)]
TweetId = Annotated[str, Meta(pattern=r"^[0-9a-f]{1,64}$")]
"""X's decimal ids; the hexadecimal hash of file and line where an archive has none."""

UserId = Annotated[str, Meta(pattern=r"^[0-9A-Za-z_]{1,64}$")]
Text = Annotated[str, Meta(max_length=MAX_TEXT_CHARS)]
Word = Annotated[str, Meta(max_length=1_000)]
Hashtag = Annotated[str, Meta(min_length=1, max_length=280)]
"""As long as a plain post; longer ones would not fit the key of a rollup."""

Moment = Annotated[datetime, Meta(tz=True)]
Probability = Annotated[float, Meta(ge=0, le=1)]
DecisionId = Annotated[str, Meta(pattern=r"^[0-9a-f]{16}$")]
"""See `schemas/decisions.py`."""


class MatchedRule(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A rule of the stream that a tweet matched."""

    tag: Annotated[str, Meta(min_length=1, max_length=512)]
    rule_id: str | None = None


class Reference(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Another tweet that this one retweets, quotes or answers."""

    kind: Literal["retweeted", "quoted", "replied_to"]
    tweet_id: TweetId
    author_id: UserId | None = None


class Tweet(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is known of a tweet before anything is made of it.

    `root_id` is the first id of the edit history; it keys every topic and table. `version` counts
    edits from 0. `posted_at` is the time of the root id and decides the tweet's day; `edited_at`
    is this version's. `label` is a person's own label, never shown to the model.
    """

    run: RunName
    tweet_id: TweetId
    root_id: TweetId
    version: Annotated[int, Meta(ge=0, le=100)] = 0
    edit_history: tuple[TweetId, ...] = ()
    posted_at: Moment
    edited_at: Moment | None = None
    received_at: Moment
    text: Text
    language: Annotated[str, Meta(max_length=16)] | None = None
    author_id: UserId | None = None
    conversation_id: TweetId | None = None
    references: tuple[Reference, ...] = ()
    rules: tuple[MatchedRule, ...] = ()
    possibly_sensitive: bool = False
    label: Annotated[str, Meta(min_length=1, max_length=100)] | None = None
    source: Annotated[str, Meta(max_length=64)]

    @property
    def day(self) -> date:
        """The UTC date of the first posting; it never changes."""
        return self.posted_at.date()

    @property
    def retweet_of(self) -> Reference | None:
        """The tweet that this one repeats, if it is a retweet."""
        return next((ref for ref in self.references if ref.kind == "retweeted"), None)


class TweetPosted(Tweet, frozen=True, kw_only=True, omit_defaults=True, tag=True, tag_field="type"):
    """A tweet, or a later version of one, was posted."""


class Extracted(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What can be read off a text without a model; `language` only where the tweet has none."""

    hashtags: tuple[Hashtag, ...] = ()
    mentions: tuple[Word, ...] = ()
    links: tuple[Word, ...] = ()
    emoji: tuple[Word, ...] = ()
    language: str | None = None


class ModelIdentity(Struct, frozen=True, kw_only=True):
    """Which model gave a score: `sha256` is of the bundle's manifest, so of all its files."""

    name: Annotated[str, Meta(min_length=1, max_length=100)]
    version: Annotated[str, Meta(min_length=1, max_length=100)]
    sha256: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$")]
    cleaning: Annotated[str, Meta(min_length=1, max_length=20)]


class AppliedOverride(Struct, frozen=True, kw_only=True):
    """A word override that changed a label, and the `label` and `confidence` without it.

    `version` is the first 16 digits of the hash of all overrides that were in use.
    """

    name: Annotated[str, Meta(min_length=1, max_length=63)]
    version: Annotated[str, Meta(pattern=r"^[0-9a-f]{16}$")]
    label: Annotated[str, Meta(min_length=1, max_length=100)]
    confidence: Probability


class Score(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The answer to a text. `probabilities` are the model's own: every label, and they sum to 1.

    `language_known` says whether the tweet's language is one that the model was made for; the
    score of a tweet in another one is a guess. It is missing where the language is undetermined,
    or the model does not say which ones it knows, or scoring did not tell yet.
    `decision` is the id of the decision that chose `label` and its `confidence` from them; without
    one the model's likeliest label was taken. `arm` says for which arm of a split the model
    answered; it is missing where one model answers all.
    Where a team's override gave the label, `override` names it and keeps what stood there before;
    the confidence is then what the model gives the label.
    """

    label: Annotated[str, Meta(min_length=1, max_length=100)]
    confidence: Probability
    probabilities: dict[str, Probability]
    model: ModelIdentity
    scored_at: Moment
    language_known: bool | None = None
    decision: DecisionId | None = None
    override: AppliedOverride | None = None
    arm: Annotated[str, Meta(min_length=1, max_length=20)] | None = None


class TweetScored(Tweet, frozen=True, kw_only=True, omit_defaults=True, tag=True, tag_field="type"):
    """A tweet was scored. (run, tweet_id, version) identifies the result; the first one wins."""

    extracted: Extracted
    score: Score


class TweetDeleted(
    Struct, frozen=True, kw_only=True, omit_defaults=True, tag=True, tag_field="type"
):
    """Its author deleted a tweet; it and its retweets leave every store."""

    run: RunName
    tweet_id: TweetId
    author_id: UserId | None = None
    deleted_at: Moment | None = None
    received_at: Moment
    source: Annotated[str, Meta(max_length=64)]


class TweetWithheld(
    Struct, frozen=True, kw_only=True, omit_defaults=True, tag=True, tag_field="type"
):
    """X withholds a tweet in some countries; it is treated as deleted."""

    run: RunName
    tweet_id: TweetId
    author_id: UserId | None = None
    countries: tuple[Annotated[str, Meta(max_length=8)], ...] = ()
    withheld_at: Moment | None = None
    received_at: Moment
    source: Annotated[str, Meta(max_length=64)]


class AuthorErased(
    Struct, frozen=True, kw_only=True, omit_defaults=True, tag=True, tag_field="type"
):
    """An account was deleted; all its tweets and all retweets of them leave every store."""

    run: RunName
    author_id: UserId
    erased_at: Moment | None = None
    received_at: Moment
    source: Annotated[str, Meta(max_length=64)]


Removal: TypeAlias = TweetDeleted | TweetWithheld | AuthorErased
RawEvent: TypeAlias = TweetPosted | Removal
ScoredEvent: TypeAlias = TweetScored | Removal
Event: TypeAlias = TweetPosted | TweetScored | Removal


def event_type(event: Event) -> str:
    """Return the event's type as it stands in its `type` field and header."""
    return type(event).__name__


def event_key(event: Event) -> str:
    """Return the key that an event is published under.

    A tweet's root id, so that its versions stay in order; what removes something is keyed by the
    id that it names.
    """
    match event:
        case TweetPosted() | TweetScored():
            return event.root_id
        case TweetDeleted() | TweetWithheld():
            return event.tweet_id
        case AuthorErased():
            return event.author_id


def valid_run_name(name: str) -> bool:
    """Tell whether a name may be used for a replay's run."""
    return re.match(RUN_PATTERN, name) is not None
