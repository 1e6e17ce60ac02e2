"""Hashtags of windows in PostgreSQL, read and written within the transaction of the windows."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

from psycopg2.extensions import cursor
from psycopg2.extras import execute_values

from retrain.drift.window import Window, WindowKey

Hashtags = Mapping[str, int]
"""Tweets by their hashtags, in lower case."""

_PAGE: Final = 1_000
_LEAST: Final = 2
"""What a single tweet has is no hashtag of a window."""


def add_hashtags(cur: cursor, added: Mapping[WindowKey, Hashtags]) -> None:
    """Add hashtags to those that are stored."""
    execute_values(
        cur,
        "INSERT INTO watch_hashtags AS h (run, start, rule, model_sha256, hashtag, tweets)"
        " VALUES %s ON CONFLICT (run, start, rule, model_sha256, hashtag)"
        " DO UPDATE SET tweets = h.tweets + excluded.tweets",
        [
            (key.run, key.start, key.rule, key.model_sha256, hashtag, tweets)
            for key in sorted(added)
            for hashtag, tweets in sorted(added[key].items())
        ],
        page_size=_PAGE,
    )


def hashtags_between(
    cur: cursor,
    run: str,
    start: datetime | None,
    end: datetime,
    *,
    series: tuple[str, str] | None = None,
) -> dict[WindowKey, dict[str, int]]:
    """Return the hashtags of more than one tweet, of windows as `windows_between` returns them."""
    rule, model_sha256 = series or (None, None)
    cur.execute(
        "SELECT rule, model_sha256, start, hashtag, tweets FROM watch_hashtags WHERE run = %s"
        " AND start >= coalesce(%s, '-infinity'::timestamptz) AND start < %s AND tweets >= %s"
        " AND (%s::text IS NULL OR (rule, model_sha256) = (%s, %s))",
        (run, start, end, _LEAST, rule, rule, model_sha256),
    )
    found: dict[WindowKey, dict[str, int]] = defaultdict(dict)
    for of_rule, of_model, starts, hashtag, tweets in cur:
        found[WindowKey(run, of_rule, of_model, starts)][hashtag] = tweets
    return found


def highest_shares(
    windows: Iterable[Window], hashtags: Mapping[WindowKey, Hashtags], *, least_tweets: int
) -> dict[str, float]:
    """Return the highest share that each hashtag had in a window of so many tweets."""
    highest: dict[str, float] = {}
    for window in windows:
        if window.counts.originals < max(1, least_tweets):
            continue
        for hashtag, tweets in hashtags.get(window.key, {}).items():
            share = tweets / window.counts.originals
            highest[hashtag] = max(share, highest.get(hashtag, 0.0))
    return highest


def keep_frequent(cur: cursor, run: str, windows: Sequence[Window], *, least_share: float) -> None:
    """Delete the hashtags of closed windows that fewer than this share of their tweets have.

    Those of one tweet go whatever their share.
    """
    execute_values(
        cur,
        "DELETE FROM watch_hashtags AS h USING (VALUES %s) AS k"
        " (run, start, rule, model_sha256, least)"
        " WHERE h.run = k.run AND h.start = k.start AND h.rule = k.rule"
        " AND h.model_sha256 = k.model_sha256 AND h.tweets < k.least",
        [
            (
                run,
                window.key.start,
                window.key.rule,
                window.key.model_sha256,
                max(float(_LEAST), least_share * window.counts.originals),
            )
            for window in windows
        ],
        template="(%s, %s::timestamptz, %s, %s, %s)",
        page_size=_PAGE,
    )
