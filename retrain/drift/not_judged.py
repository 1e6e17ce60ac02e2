"""Windows that hold too few tweets for any alarm: said, so that silence is not taken for calm."""

from datetime import datetime, timedelta
from typing import Final

from msgspec import Struct
from psycopg2.extensions import cursor

from schemas.counted_nouns import number_of
from schemas.escape_for_terminal import shown

_NEWEST: Final = timedelta(days=30)
_MOST_RUNS: Final = 5
_MOST_CHARS: Final = 60

_COUNTED = """
SELECT r.window_s, r.least_tweets, count(*), count(*) FILTER (WHERE w.judged < r.least_tweets)
FROM watch_runs AS r
CROSS JOIN LATERAL (
    SELECT (
        SELECT coalesce(sum(label.tweets::bigint), 0)
        FROM json_each_text(on_time -> 'by_label') AS label (name, tweets)
    ) AS judged
    FROM watch_windows
    WHERE run = r.run AND rule = %(rule)s AND (on_time ->> 'tweets')::bigint > 0
      AND start >= coalesce(%(start)s, r.closed_until - %(newest)s)
      AND start < coalesce(%(end)s, r.closed_until)
      AND start + r.window_s * interval '1 second' <= r.closed_until
) AS w
WHERE r.run = %(run)s AND r.least_tweets IS NOT NULL
GROUP BY r.window_s, r.least_tweets
"""


class NotJudged(Struct, frozen=True, kw_only=True):
    """How many closed windows of a run had too few tweets to be judged.

    `windows` counts those with tweets, of `window_s` seconds each; `too_few` those of them with
    fewer than `least_tweets`, retweets left out. `rule` is empty where all tweets are meant.
    """

    run: str
    rule: str
    windows: int
    too_few: int
    least_tweets: int
    window_s: int

    @property
    def sentence(self) -> str:
        """Say it, and what helps. Safe on a terminal."""
        about = f"run {shown(self.run, _MOST_CHARS)}"
        if self.rule:
            about = f"rule {shown(self.rule, _MOST_CHARS)} of {about}"
        return (
            f"not judged: {self.too_few:,} of {number_of(self.windows, 'window')} of {about} had "
            f"fewer than {number_of(self.least_tweets, 'tweet')} "
            f"(windows of {self.window_s // 60} minutes; MURMUR_WATCH_WINDOW_MINUTES and "
            "MURMUR_WATCH_LEAST_TWEETS set both)"
        )


def windows_not_judged(
    cur: cursor,
    run: str,
    rule: str,
    *,
    start: datetime | None = None,
    end: datetime | None = None,
) -> NotJudged | None:
    """Return what was not judged of a span, or of the newest 30 days; None: all of it was.

    Windows that may still grow do not count.
    """
    cur.execute(_COUNTED, {"run": run, "rule": rule, "start": start, "end": end, "newest": _NEWEST})
    for window_s, least_tweets, windows, too_few in cur.fetchall():
        if too_few:
            return NotJudged(
                run=run,
                rule=rule,
                windows=windows,
                too_few=too_few,
                least_tweets=least_tweets,
                window_s=window_s,
            )
    return None


def runs_not_judged(cur: cursor, run: str | None, rule: str | None) -> list[NotJudged]:
    """Return what was not judged of a run, or of the runs that the watch counted last."""
    cur.execute(
        "SELECT run FROM watch_runs WHERE %s::text IS NULL OR run = %s"
        " ORDER BY last_counted_at DESC, run LIMIT %s",
        (run, run, _MOST_RUNS),
    )
    found = [windows_not_judged(cur, name, rule or "") for (name,) in cur.fetchall()]
    return [each for each in found if each is not None]
