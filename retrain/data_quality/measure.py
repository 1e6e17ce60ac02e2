"""Measuring what the tweets of a run are like, from what is stored."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from psycopg2.extensions import cursor

from retrain.data_quality.schema import (
    CONFIDENCE_BINS,
    DataQuality,
    Duplicates,
    Empty,
    LanguageCount,
    Languages,
    Point,
    ReasonCount,
    RepeatedText,
    Series,
    UnknownPieces,
)
from schemas.failures import Failure, NotThere

_MOST_REPEATED: Final = 10
_MOST_POINTS: Final = 400
_STEPS: Final = (
    ("hour", timedelta(hours=1)),
    ("day", timedelta(days=1)),
    ("week", timedelta(weeks=1)),
    ("month", timedelta(days=28)),
)
_GATHER: Final = r"""
    CREATE TEMPORARY TABLE quality_tweets ON COMMIT DROP AS
    SELECT tweet_id, posted_at, label, confidence, language, language_known, is_retweet, is_blank,
        CASE WHEN plain <> '' THEN md5(plain) END AS text_md5
    FROM (
        SELECT t.tweet_id, t.posted_at, s.label, s.confidence,
            coalesce(t.language, '') AS language, s.language_known,
            t.retweet_of IS NOT NULL AS is_retweet,
            t.text !~ '\S' AS is_blank,
            btrim(regexp_replace(
                regexp_replace(lower(t.text), 'https?://\S+|[@＠]\w+', ' ', 'g'), '\s+', ' ', 'g'
            )) AS plain
        FROM tweets AS t
        JOIN scores AS s
            ON s.root_id = t.root_id AND s.run = t.run AND s.day = t.day AND s.counts
        WHERE t.run = %(run)s AND t.day BETWEEN %(first_day)s AND %(last_day)s
            AND t.posted_at >= %(start)s AND t.posted_at < %(end)s
            AND (%(rule)s = '' OR %(rule)s = ANY(t.rules))
    ) AS gathered
"""
"""Read once, however many figures are made of it. No text is copied."""


def measure(
    cur: cursor,
    run: str,
    *,
    start: datetime | None = None,
    end: datetime | None = None,
    rule: str = "",
) -> DataQuality:
    """Measure the scored tweets of a run; without bounds from its first tweet to its last.

    With a rule only its tweets are measured; dead letters and word pieces are of all. What was
    deleted is in none of it. Raises `Failure` where there is no such run or no tweet.
    """
    place = _place(cur, run, start, end)
    cur.execute(_GATHER, {**place, "rule": rule})
    tweets, retweets, mean_confidence, no_text, no_words = _rows(
        cur,
        "SELECT count(*), count(*) FILTER (WHERE is_retweet), coalesce(avg(confidence), 0),"
        " count(*) FILTER (WHERE is_blank AND NOT is_retweet),"
        " count(*) FILTER (WHERE text_md5 IS NULL AND NOT is_retweet) FROM quality_tweets",
    )[0]
    if not tweets:
        raise Failure(
            f"run {run!r} has no scored tweets from {place['start']:%Y-%m-%d %H:%M} to "
            f"{place['end']:%Y-%m-%d %H:%M} UTC: choose another span"
        )
    points = _points(cur, place["step"])
    found = DataQuality(
        run=run,
        start=place["start"],
        end=place["end"],
        tweets=tweets,
        retweets=retweets,
        mean_confidence=mean_confidence,
        by_label=_labels(points),
        confidence=_confidence(cur),
        duplicates=_duplicates(cur),
        empty=Empty(no_text=no_text, only_links_and_mentions=no_words - no_text),
        languages=_languages(cur),
        dead_letters=_dead_letters(cur, run),
        unknown_pieces=_unknown_pieces(cur, place),
        series=Series(place["step"], tuple(points)),
    )
    cur.execute("DROP TABLE quality_tweets")
    return found


def step_for(length: timedelta) -> str:
    """Return the finest step that gives at most 400 points: hour, day, week or month."""
    return next((name for name, step in _STEPS if length <= step * _MOST_POINTS), _STEPS[-1][0])


def _place(cur: cursor, run: str, start: datetime | None, end: datetime | None) -> dict[str, Any]:
    if not _rows(cur, "SELECT 1 FROM runs WHERE run = %(run)s", {"run": run}):
        raise NotThere(f"there is no run {run!r}: `murmur runs list` shows those that there are")
    if start is None or end is None:
        query = "SELECT min(posted_at), max(posted_at) FROM tweets WHERE run = %(run)s"
        ((first, last),) = _rows(cur, query, {"run": run})
        if first is None:
            raise NotThere(f"run {run!r} has no tweets")
        start = start or first
        # The end is not in the span, and the last tweet is.
        end = end or last + timedelta(microseconds=1)
    if start >= end:
        raise NotThere(f"run {run!r} has no tweets in this span: choose another one")
    return {
        "run": run,
        "start": start,
        "end": end,
        "first_day": start.date(),
        "last_day": end.date(),
        "step": step_for(end - start),
    }


def _labels(points: Sequence[Point]) -> dict[str, int]:
    found: dict[str, int] = {}
    for point in points:
        for label, tweets in point.by_label.items():
            found[label] = found.get(label, 0) + tweets
    return dict(sorted(found.items()))


def _confidence(cur: cursor) -> tuple[int, ...]:
    rows = _rows(
        cur,
        "SELECT least(floor(confidence * %(bins)s), %(bins)s - 1)::integer, count(*)"
        " FROM quality_tweets GROUP BY 1",
        {"bins": CONFIDENCE_BINS},
    )
    counts = dict(rows)
    return tuple(counts.get(place, 0) for place in range(CONFIDENCE_BINS))


def _duplicates(cur: cursor) -> Duplicates:
    rows = _rows(
        cur,
        "WITH texts AS (SELECT text_md5, count(*) AS tweets,"
        " (array_agg(tweet_id ORDER BY tweet_id))[:3] AS examples FROM quality_tweets"
        " WHERE text_md5 IS NOT NULL AND NOT is_retweet GROUP BY text_md5)"
        " SELECT (SELECT count(*) FROM texts), (SELECT sum(tweets - 1) FROM texts),"
        " tweets, examples FROM texts ORDER BY tweets DESC, text_md5 LIMIT %(most)s",
        {"most": _MOST_REPEATED},
    )
    if not rows:
        return Duplicates(texts=0, repeats=0, most_repeated=())
    return Duplicates(
        texts=rows[0][0],
        repeats=int(rows[0][1]),
        most_repeated=tuple(
            RepeatedText(tweets, tuple(examples)) for _, _, tweets, examples in rows if tweets > 1
        ),
    )


def _languages(cur: cursor) -> Languages:
    rows = _rows(
        cur,
        "SELECT language, count(*), count(*) FILTER (WHERE NOT language_known),"
        " count(*) FILTER (WHERE language_known IS NULL)"
        " FROM quality_tweets GROUP BY 1 ORDER BY 2 DESC, 1",
    )
    return Languages(
        tweets=tuple(LanguageCount(language, tweets) for language, tweets, _, _ in rows),
        outside=sum(outside for _, _, outside, _ in rows),
        not_told=sum(not_told for _, _, _, not_told in rows),
    )


def _dead_letters(cur: cursor, run: str) -> tuple[ReasonCount, ...]:
    rows = _rows(
        cur,
        "SELECT reason, count(*), count(*) FILTER (WHERE status = 'new') FROM dead_letters"
        " WHERE run = %(run)s GROUP BY reason ORDER BY 2 DESC, 1",
        {"run": run},
    )
    return tuple(ReasonCount(*row) for row in rows)


def _unknown_pieces(cur: cursor, place: dict[str, Any]) -> UnknownPieces | None:
    """Return what the watch counted in the windows that begin within the span."""
    if _rows(cur, "SELECT to_regclass('watch_windows')") == [(None,)]:
        return None
    ((unknown, pieces),) = _rows(
        cur,
        "SELECT sum((counts->>'unknown_pieces')::bigint), sum((counts->>'pieces')::bigint)"
        " FROM watch_windows CROSS JOIN unnest(ARRAY[on_time, late]) AS counts"
        " WHERE run = %(run)s AND rule = '' AND start >= %(start)s AND start < %(end)s",
        place,
    )
    return UnknownPieces(int(unknown), int(pieces)) if pieces else None


def _points(cur: cursor, step: str) -> list[Point]:
    rows = _rows(
        cur,
        "SELECT date_trunc(%(step)s, posted_at, 'UTC'), label, count(*), sum(confidence)"
        " FROM quality_tweets GROUP BY 1, 2 ORDER BY 1, 2",
        {"step": step},
    )
    by_start: dict[datetime, list[tuple[str, int, float]]] = {}
    for start, label, tweets, confidence in rows:
        by_start.setdefault(start, []).append((label, tweets, confidence))
    return [
        Point(
            start=start,
            tweets=(total := sum(tweets for _, tweets, _ in found)),
            by_label={label: tweets for label, tweets, _ in found},
            mean_confidence=sum(confidence for _, _, confidence in found) / total,
        )
        for start, found in by_start.items()
    ]


def _rows(cur: cursor, query: str, values: dict[str, Any] | None = None) -> list[tuple[Any, ...]]:
    cur.execute(query, values or {})
    return cur.fetchall()
