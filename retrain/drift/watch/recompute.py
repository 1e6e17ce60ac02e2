"""Windows, states and alarms of a run made anew from the stored tweets, in the order of time.

For a run that did not come in the order of time, or that was watched with other settings: nothing
is late in it then. Each tweet counts once, by its latest version; what was removed counts nowhere.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Final

import msgspec
import tenacity
from msgspec import Struct
from psycopg2.extensions import cursor

from retrain.drift.hashed_words import hashed_words
from retrain.drift.watch.close_windows import (
    Closed,
    ValidationOf,
    close_windows,
    no_validation,
)
from retrain.drift.watch.closing import pace_of
from retrain.drift.watch.count_tweet import Tally, counted_of, counts_pieces
from retrain.drift.watch.hashtag_store import add_hashtags
from retrain.drift.watch.kept_alarms import alarms_made_anew
from retrain.drift.watch.samples import Candidates, Sampled, add_samples, forget_removed
from retrain.drift.watch.seen_tweets import count_once
from retrain.drift.watch.window_store import (
    Counts,
    WatchedRun,
    add_counts,
    add_rules,
    begin_anew,
    forget_windows,
    note_recomputed,
)
from retrain.drift.watch.word_pieces import PieceCounter
from retrain.drift.window import ALL_RULES, WindowKey
from schemas import locks
from schemas.events import LIVE
from schemas.failures import Failure
from schemas.people_labels import audit_rank
from schemas.setting_views import WatchLimits
from schemas.transport.positions import SINK, WATCH
from schemas.transport.postgres import Connection

_AT_ONCE: Final = 5_000
"""Tweets that are read from PostgreSQL together, and windows that are written together."""

_WAIT_S: Final = 60.0
_PROBABILITIES: Final = msgspec.json.Decoder(dict[str, float])


class SinkIsBehind(Failure):
    """The tables do not hold yet what the watch has counted."""


class Recomputed(Struct, frozen=True):
    """How many tweets were counted, windows judged, and alarms raised or ended."""

    tweets: int
    windows: int
    alarms: int


class _Row(Struct, frozen=True):
    """A stored tweet with the score that counts; in the order of the query."""

    root_id: str
    author_id: str | None
    posted_at: datetime
    text: str
    language: str | None
    retweet: bool
    rules: list[str]
    hashtags: list[str]
    probabilities: str
    model_sha256: str


def recompute_run(
    connection: Connection,
    run: str,
    limits: WatchLimits,
    *,
    topic: str,
    pieces_of: Callable[[str], PieceCounter | None],
    validation_of: ValidationOf = no_validation,
) -> Recomputed:
    """Make what the watch knows of a run anew, in one transaction; `topic` is `tweets.scored`.

    A watch that runs waits meanwhile, and goes on behind what was counted here. Days of `live`
    whose tweets were pruned keep their windows. Raises `SinkIsBehind` where the sink does not reach
    the watch within a minute, and `Failure` where there is no such run.
    """
    _require_run(connection, run)
    with _alone(connection):
        _await_sink(connection, topic)
        with connection, connection.cursor() as cur:
            offsets, rows = _snapshot(connection, cur, run, topic)
            watched = begin_anew(cur, run, pace_of(limits))
            forget_windows(cur, run, _kept_from(cur) if run == LIVE else None)
            with alarms_made_anew(cur, run):
                recount = _Recount(cur, watched, limits, pieces_of, validation_of)
                for row in rows:
                    recount.count(row)
                closed = recount.finish()
            note_recomputed(cur, run, offsets)
            # Before this is committed no removal finds the samples; after it each one does.
            cur.execute("SELECT pg_advisory_xact_lock_shared(%s)", (locks.REMOVALS,))
            forget_removed(cur, run)
    return Recomputed(recount.tweets, closed.windows, closed.alarms)


class _Recount:
    """Tweets in the order of time become windows; what is complete is written and judged."""

    def __init__(
        self,
        cur: cursor,
        watched: WatchedRun,
        limits: WatchLimits,
        pieces_of: Callable[[str], PieceCounter | None],
        validation_of: ValidationOf,
    ) -> None:
        self._cur = cur
        self._watched = watched
        self._limits = limits
        self._pieces_of = pieces_of
        self._validation_of = validation_of
        self._rules: set[str] = set()
        self._tallies: defaultdict[tuple[str, str, datetime], Tally] = defaultdict(Tally)
        self._candidates = Candidates()
        self._latest: datetime | None = None
        self._open: dict[datetime, list[int]] = {}
        self._windows = 0
        self._alarms = 0
        self.tweets = 0

    def count(self, row: _Row) -> None:
        """Count a tweet that was posted no earlier than those before it."""
        pace = self._watched.pace
        start = pace.start_of(row.posted_at)
        if len(self._tallies) >= _AT_ONCE and start > pace.start_of(self._latest or start):
            self._write()
            self._close(start)
        self._latest = row.posted_at
        self.tweets += 1
        rank = audit_rank(row.root_id)
        self._remember(start, rank)
        pieces = self._pieces_of(row.model_sha256) if counts_pieces(rank) else None
        tweet = counted_of(
            probabilities=_PROBABILITIES.decode(row.probabilities),
            retweet=row.retweet,
            text=row.text,
            language=row.language,
            pieces=None if pieces is None else pieces.count(row.text),
            hashtags=row.hashtags,
        )
        self._tallies[ALL_RULES, row.model_sha256, start].add(tweet)
        for rule in set(row.rules):
            if rule in self._rules or len(self._rules) < self._limits.rules:
                self._rules.add(rule)
                self._tallies[rule, row.model_sha256, start].add(tweet)
        if not row.retweet:
            run = self._watched.run
            self._candidates.offer(Sampled(run, start, rank, row.root_id, row.author_id, row.text))

    def finish(self) -> Closed:
        """Write what is left, and judge the windows that a quiet watch would have judged."""
        self._write()
        add_rules(self._cur, self._watched.run, self._rules)
        if self._latest is not None:
            seen = min(self._latest, datetime.now(UTC))
            until = self._watched.pace.complete_until([seen])
            if until is not None:
                self._close(until)
        for start, ranks in self._open.items():
            if self._watched.closed_until is None or start >= self._watched.closed_until:
                count_once(self._cur, self._watched.run, start, ranks)
        return Closed(self._windows, self._alarms)

    def _remember(self, start: datetime, rank: int) -> None:
        """Note a tweet of a window that may stay open, and forget those that will not."""
        if start not in self._open:
            pace = self._watched.pace
            oldest = start - pace.lateness - pace.window
            self._open = {at: ranks for at, ranks in self._open.items() if at >= oldest}
            self._open[start] = []
        self._open[start].append(rank)

    def _write(self) -> None:
        add_counts(
            self._cur,
            {
                WindowKey(self._watched.run, *key): Counts(tally.counts())
                for key, tally in self._tallies.items()
            },
        )
        add_hashtags(
            self._cur,
            {
                WindowKey(self._watched.run, *key): tally.hashtags
                for key, tally in self._tallies.items()
            },
        )
        add_samples(
            self._cur, [(tweet, hashed_words(tweet.text)) for tweet in self._candidates.all()]
        )
        self._tallies.clear()
        self._candidates = Candidates()

    def _close(self, until: datetime) -> None:
        closed = close_windows(self._cur, self._watched, until, self._limits, self._validation_of)
        if self._watched.closed_until is None or until > self._watched.closed_until:
            self._watched = msgspec.structs.replace(self._watched, closed_until=until)
        self._windows += closed.windows
        self._alarms += closed.alarms


def _require_run(connection: Connection, run: str) -> None:
    with connection, connection.cursor() as cur:
        cur.execute("SELECT EXISTS (SELECT FROM runs WHERE run = %s)", (run,))
        if cur.fetchone() != (True,):
            raise Failure(f"there is no run {run!r}: `murmur runs list` shows all")


@contextmanager
def _alone(connection: Connection) -> Iterator[None]:
    """Keep every watch out while the block runs."""
    with connection, connection.cursor() as cur:
        cur.execute("SELECT pg_advisory_lock(%s)", (locks.WATCH,))
    try:
        yield
    finally:
        if not connection.closed:
            with connection, connection.cursor() as cur:
                cur.execute("SELECT pg_advisory_unlock(%s)", (locks.WATCH,))


def _await_sink(connection: Connection, topic: str) -> None:
    """Return when the sink has stored all that the watch has counted."""
    for attempt in tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(SinkIsBehind),
        wait=tenacity.wait_fixed(0.2),
        stop=tenacity.stop_after_delay(_WAIT_S),
        reraise=True,
    ):
        with attempt, connection, connection.cursor() as cur:
            stored, counted = _offsets(cur, SINK, topic), _offsets(cur, WATCH, topic)
            if any(stored.get(place, 0) < offset for place, offset in counted.items()):
                raise SinkIsBehind(
                    "the sink has not stored yet what the watch has counted: start `murmur sink`,"
                    " and run the command again when `murmur status` shows no lag"
                )


def _snapshot(
    connection: Connection, cur: cursor, run: str, topic: str
) -> tuple[dict[tuple[str, int], int], Iterator[_Row]]:
    """Return the sink's offsets and the tweets that it had stored at them, in order of time."""
    # Held alone no sink is in the midst of a transaction, so that both are of one moment.
    cur.execute("SELECT pg_advisory_lock(%s)", (locks.REMOVALS,))
    try:
        offsets = _offsets(cur, SINK, topic)
        rows = connection.cursor("watch_recompute")
        rows.itersize = _AT_ONCE
        rows.execute(
            "SELECT t.root_id, t.author_id, t.posted_at, t.text, t.language,"
            " t.retweet_of IS NOT NULL, t.rules, t.hashtags, s.probabilities::text, m.sha256"
            " FROM tweets AS t JOIN scores AS s ON s.run = t.run AND s.day = t.day"
            " AND s.root_id = t.root_id AND s.counts JOIN models AS m USING (model_id)"
            " WHERE t.run = %s AND s.run = %s ORDER BY t.posted_at, t.root_id",
            (run, run),
        )
    finally:
        cur.execute("SELECT pg_advisory_unlock(%s)", (locks.REMOVALS,))
    return offsets, (_Row(*row) for row in rows)


def _offsets(cur: cursor, consumer: str, topic: str) -> dict[tuple[str, int], int]:
    cur.execute(
        "SELECT topic_id, partition, next_offset FROM positions WHERE consumer = %s AND topic = %s",
        (consumer, topic),
    )
    return {(topic_id, partition): offset for topic_id, partition, offset in cur}


def _kept_from(cur: cursor) -> datetime | None:
    cur.execute(
        "SELECT kept_from::timestamp AT TIME ZONE 'UTC' FROM kept_days WHERE run = %s", (LIVE,)
    )
    row = cur.fetchone()
    return row[0] if row else None
