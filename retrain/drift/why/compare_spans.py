"""Reading two spans of a run from PostgreSQL, and comparing them."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from msgspec import Struct
from psycopg2.extensions import cursor

from retrain.drift.moved_rules import MovedRule, moved_rules
from retrain.drift.what_changed import MOST_OF_A_KIND, SeenTweet, WhatChanged, what_changed
from retrain.drift.why.tweet_features import TweetFeatures
from schemas import sampled_tweets
from schemas.failures import Failure, NotThere

MOST_TWEETS: Final = 20_000
"""Of a span with more, so many are compared: those that `audit_rank` puts first."""

_MOST_CHARS: Final = 1_000
"""Of each text, so that memory is bounded."""

_OF_SPAN: Final = """
t.run = %(run)s AND t.day BETWEEN %(first_day)s AND %(last_day)s
  AND t.posted_at >= %(start)s AND t.posted_at < %(end)s
  AND (%(rules)s::text[] IS NULL OR t.rules @> %(rules)s::text[])
  AND (%(rule)s = '' OR %(rule)s = ANY(t.rules))
"""
"""`rules` is found by an index, `rule` is looked for in each row."""

_SCORES: Final = """
JOIN scores AS s ON s.root_id = t.root_id AND s.run = t.run AND s.day = t.day AND s.counts
"""
# Scores afterwards: each stored tweet has one that counts.
_LOWEST_RANKS: Final = f"""
SELECT t.tweet_id, s.label, left(t.text, %(chars)s), t.hashtags, t.mentions, t.links, t.language,
       t.source, t.retweet_of
FROM (
    SELECT t.*, audit_rank(t.root_id) AS rank FROM tweets AS t
    WHERE {_OF_SPAN} AND audit_level(t.root_id) = ANY(%(levels)s::smallint[])
    ORDER BY rank, t.root_id LIMIT %(most)s
) AS t {_SCORES} ORDER BY t.rank, t.root_id
"""  # noqa: S608
_COUNT: Final = f"SELECT count(*) FROM tweets AS t {_SCORES} WHERE {_OF_SPAN}"  # noqa: S608


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

    `rule` is empty where all tweets are meant; only then there are `rules`, which moved. Where
    `compared` is less than `tweets`, it is a uniform sample of them, the same each time; what moved
    of the rules is counted in all tweets.
    """

    run: str
    rule: str
    before: SpanRead
    after: SpanRead
    changed: WhatChanged
    rules: tuple[MovedRule, ...] = ()


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
    rules = (
        []
        if rule
        else moved_rules(
            _by_rule(cur, run, before), _by_rule(cur, run, after), changed.label, most=most
        )
    )
    return Why(
        run=run,
        rule=rule,
        before=read_before,
        after=read_after,
        changed=changed,
        rules=tuple(rules),
    )


def require_run(cur: cursor, run: str) -> None:
    """Raise `Failure` unless the run exists."""
    cur.execute("SELECT FROM runs WHERE run = %s", (run,))
    if cur.fetchone() is None:
        raise NotThere(f"there is no run {run!r}: `murmur runs list` shows those that there are")


def _read(
    cur: cursor, run: str, rule: str, span: Span, features: TweetFeatures, most_tweets: int
) -> tuple[SpanRead, list[SeenTweet]]:
    place: dict[str, object] = {
        "run": run,
        "rule": rule,
        "rules": None,
        "start": span.start,
        "end": span.end,
        "first_day": span.start.date(),
        "last_day": span.end.date(),
    }
    # Pruned tweets are counted too, and a moment within a minute is none of the rollups'.
    about = sum(sampled_tweets.counted_by_label(cur, run, rule, span.start, span.end).values())
    levels = sampled_tweets.levels_for(about, most_tweets)
    if rule and sampled_tweets.is_found_by_rule(cur, run, rule, span.start, span.end, levels):
        place["rules"] = [rule]
    rows = _lowest_ranks(cur, place, levels, most_tweets)
    if len(rows) < most_tweets and len(levels) < len(sampled_tweets.EVERY_LEVEL):
        rows = _lowest_ranks(cur, place, sampled_tweets.EVERY_LEVEL, most_tweets)
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
        for tweet_id, label, text, hashtags, mentions, links, language, source, retweet_of in rows
    ]
    if not tweets:
        of_rule = f" of rule {rule!r}" if rule else ""
        raise Failure(
            f"run {run!r} has no scored tweets{of_rule} from {span.start:%Y-%m-%d %H:%M} to "
            f"{span.end:%Y-%m-%d %H:%M} UTC: choose another span"
        )
    stored = len(tweets)
    if stored >= most_tweets:
        is_exact = sampled_tweets.is_whole_minutes(
            span.start, span.end
        ) and not sampled_tweets.outlives_tweets(cur, run, span.start)
        stored = about if is_exact else _count(cur, place)
    return SpanRead(span.start, span.end, stored, len(tweets)), tweets


def _by_rule(cur: cursor, run: str, span: Span) -> Mapping[str, Mapping[str, int]]:
    """Return the tweets of a span by rule and label as rollups hold them, pruned ones included."""
    found: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for piece in sampled_tweets.pieces_of(span.start, span.end):
        cur.execute(
            "SELECT rule, label, sum(tweets) FROM rollups WHERE run = %s AND granularity = %s"
            " AND bucket_start >= %s AND bucket_start < %s GROUP BY rule, label"
            " HAVING sum(tweets) > 0",
            (run, piece.granularity, piece.start, piece.end),
        )
        for rule, label, tweets in cur:
            found[rule][label] += int(tweets)
    return found


def _lowest_ranks(
    cur: cursor, place: dict[str, object], levels: Sequence[int], most: int
) -> list[tuple[Any, ...]]:
    cur.execute(sampled_tweets.WIDE_BITMAPS)
    cur.execute(
        _LOWEST_RANKS, {**place, "chars": _MOST_CHARS, "levels": list(levels), "most": most}
    )
    return cur.fetchall()


def _count(cur: cursor, place: dict[str, object]) -> int:
    cur.execute(_COUNT, place)
    ((count,),) = cur.fetchall()
    return int(count)
