"""Reading two spans of a run from PostgreSQL, and comparing them."""

from datetime import datetime
from typing import Final

from msgspec import Struct
from psycopg2.extensions import cursor

from retrain.drift.what_changed import MOST_OF_A_KIND, SeenTweet, WhatChanged, what_changed
from retrain.drift.why.tweet_features import TweetFeatures
from schemas.failures import Failure, NotThere

MOST_TWEETS: Final = 20_000
"""Of a span with more, so many are compared: those that `audit_rank` puts first."""

_MOST_CHARS: Final = 1_000
"""Of each text, so that memory is bounded."""


class Span(Struct, frozen=True):
    """From `start` up to but not at `end`, in the time of the tweets."""

    start: datetime
    end: datetime


class SpanRead(Struct, frozen=True):
    """A span with how many scored tweets are stored of it, and how many of them were compared."""

    start: datetime
    end: datetime
    tweets: int
    compared: int


class Why(Struct, frozen=True, kw_only=True):
    """What changed in a run from the span `before` to the span `after`.

    `rule` is empty where all tweets are meant. Where `compared` is less than `tweets`, it is a
    uniform sample of them, the same each time.
    """

    run: str
    rule: str
    before: SpanRead
    after: SpanRead
    changed: WhatChanged


def span_before(span: Span) -> Span:
    """Return the span of equal length that ends where this one begins."""
    try:
        return Span(span.start - (span.end - span.start), span.start)
    except OverflowError:
        raise Failure("there is no time before this span: name another with --against") from None


def compare_spans(
    cur: cursor,
    run: str,
    rule: str,
    *,
    before: Span,
    after: Span,
    label: str | None = None,
    most: int = MOST_OF_A_KIND,
    most_tweets: int = MOST_TWEETS,
) -> Why:
    """Return what changed in a run (in a rule, unless it is empty) from one span to the other.

    From the rows that are stored now: what was deleted is in none of it. Raises `Failure` where
    the run does not exist, where one of the spans has no scored tweets, or none has the label.
    """
    require_run(cur, run)
    features = TweetFeatures()
    read_before, tweets_before = _read(cur, run, rule, before, features, most_tweets)
    read_after, tweets_after = _read(cur, run, rule, after, features, most_tweets)
    changed = what_changed(tweets_before, tweets_after, label, most=most)
    labels = [move.label for move in changed.labels]
    if label is not None and label not in labels:
        raise Failure(f"no tweet has the label {label!r}: there are {', '.join(labels)}")
    return Why(run=run, rule=rule, before=read_before, after=read_after, changed=changed)


def require_run(cur: cursor, run: str) -> None:
    """Raise `Failure` unless the run exists."""
    cur.execute("SELECT FROM runs WHERE run = %s", (run,))
    if cur.fetchone() is None:
        raise NotThere(f"there is no run {run!r}: `murmur runs list` shows those that there are")


def _read(
    cur: cursor, run: str, rule: str, span: Span, features: TweetFeatures, most_tweets: int
) -> tuple[SpanRead, list[SeenTweet]]:
    place = {
        "run": run,
        "rule": rule,
        "start": span.start,
        "end": span.end,
        "first_day": span.start.date(),
        "last_day": span.end.date(),
    }
    cur.execute(
        "SELECT t.tweet_id, s.label, left(t.text, %(chars)s), t.hashtags, t.mentions, t.links,"
        " t.language, t.source, t.retweet_of"
        " FROM tweets AS t"
        " JOIN scores AS s"
        "  ON s.root_id = t.root_id AND s.run = t.run AND s.day = t.day AND s.counts"
        " WHERE t.run = %(run)s AND t.day BETWEEN %(first_day)s AND %(last_day)s"
        " AND t.posted_at >= %(start)s AND t.posted_at < %(end)s"
        " AND (%(rule)s = '' OR %(rule)s = ANY(t.rules))"
        " ORDER BY audit_rank(t.root_id), t.root_id LIMIT %(most)s",
        {**place, "chars": _MOST_CHARS, "most": most_tweets},
    )
    tweets = [
        SeenTweet(
            tweet_id,
            label,
            features.of(
                text,
                hashtags=hashtags,
                mentions=mentions,
                links=links,
                language=language,
                source=source,
                retweet_of=retweet_of,
            ),
            is_retweet=retweet_of is not None,
        )
        for tweet_id, label, text, hashtags, mentions, links, language, source, retweet_of in cur
    ]
    stored = len(tweets) if len(tweets) < most_tweets else _count(cur, place)
    if not tweets:
        of_rule = f" of rule {rule!r}" if rule else ""
        raise Failure(
            f"run {run!r} has no scored tweets{of_rule} from {span.start:%Y-%m-%d %H:%M} to "
            f"{span.end:%Y-%m-%d %H:%M} UTC: choose another span"
        )
    return SpanRead(span.start, span.end, stored, len(tweets)), tweets


def _count(cur: cursor, place: dict[str, object]) -> int:
    cur.execute(
        "SELECT count(*) FROM tweets AS t"
        " JOIN scores AS s"
        "  ON s.root_id = t.root_id AND s.run = t.run AND s.day = t.day AND s.counts"
        " WHERE t.run = %(run)s AND t.day BETWEEN %(first_day)s AND %(last_day)s"
        " AND t.posted_at >= %(start)s AND t.posted_at < %(end)s"
        " AND (%(rule)s = '' OR %(rule)s = ANY(t.rules))",
        place,
    )
    ((count,),) = cur.fetchall()
    return int(count)
