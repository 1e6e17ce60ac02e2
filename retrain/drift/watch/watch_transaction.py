"""One batch of the watch in one transaction: windows, samples, watermarks, alarms, positions."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final

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
from retrain.drift.watch.count_tweet import Tally
from retrain.drift.watch.hashtag_store import add_hashtags
from retrain.drift.watch.samples import Candidates, Sampled, add_samples, highest_ranks
from retrain.drift.watch.seen_tweets import count_once
from retrain.drift.watch.watch_batch import Arrived, WatchBatch
from retrain.drift.watch.window_store import (
    Counts,
    WatchedRun,
    add_counts,
    add_rules,
    ensure_run,
    known_rules,
    recomputed_offsets,
    watched_runs,
    watermarks_of,
    write_watermarks,
)
from retrain.drift.window import ALL_RULES, WindowKey
from schemas import locks
from schemas.deleted_runs import deletions_of_runs, lives
from schemas.setting_views import WatchLimits
from schemas.transport.positions import WATCH, write_positions
from schemas.transport.postgres import Connection

COUNTED: Final = "counted"
REPEATED: Final = "repeated"
LATE: Final = "late"
RECOMPUTED: Final = "recomputed"
RUN_DELETED: Final = "run-deleted"


class WatchOutcome(Struct, frozen=True):
    """What a transaction did: events by what became of them, windows that were closed.

    `rules_left_out` counts matches of rules beyond `MURMUR_WATCH_RULES`.
    """

    events: Counter[str]
    closed: Closed
    rules_left_out: int


class WatchTransaction:
    """Counts batches and judges what they complete; raises psycopg2's errors.

    After any of them nothing of the batch is stored. Everything that decides is read from
    PostgreSQL in the transaction itself, so that nothing has to outlive a process, and any number
    of them may work at once. `partitions` has how many each topic has.
    """

    def __init__(
        self,
        topic_ids: Mapping[str, str],
        partitions: Mapping[str, int],
        limits: WatchLimits,
        validation_of: ValidationOf = no_validation,
    ) -> None:
        self._topic_ids = topic_ids
        self._places = frozenset(
            (topic_ids[topic], number)
            for topic, count in partitions.items()
            for number in range(count)
        )
        self._limits = limits
        self._validation_of = validation_of

    def store(self, connection: Connection, batch: WatchBatch) -> WatchOutcome:
        """Count a batch, judge the windows that are complete with it, and move the positions."""
        with connection, connection.cursor() as cur:
            lock(cur)
            living = _living(cur, batch.arrived)
            events = Counter(batch.outcomes)
            events[RUN_DELETED] += len(batch.arrived) - sum(map(len, living.values()))
            closed: list[Closed] = []
            left_out = 0
            for run, arrived in sorted(living.items()):
                counting = _Counting(cur, run, self._topic_ids, self._limits)
                counting.count(arrived)
                events += counting.events
                left_out += counting.rules_left_out
                closed.append(self._close(cur, counting.watched, counting.watermarks))
            write_positions(cur, WATCH, batch.last_messages, self._topic_ids)
        return WatchOutcome(+events, _sum(closed), left_out)

    def close_idle(self, connection: Connection, idle_s: float) -> Closed:
        """Judge what is complete in runs of which nothing was counted for this long.

        Of those the partition that is furthest decides: the others have nothing more.
        """
        closed = []
        for run in self.idle_runs(connection, idle_s):
            with connection, connection.cursor() as cur:
                lock(cur)
                if run in _idle(cur, idle_s):
                    (watched,) = watched_runs(cur, [run])
                    marks = watermarks_of(cur, run, self._topic_ids.values())
                    until = watched.pace.complete_until([max(marks.values())]) if marks else None
                    if until is not None:
                        closed.append(self._judged(cur, watched, until))
        return _sum(closed)

    def idle_runs(self, connection: Connection, idle_s: float) -> list[str]:
        """Return the runs of which nothing was counted for this long, and which can be closed."""
        with connection, connection.cursor() as cur:
            return _idle(cur, idle_s)

    def _close(
        self, cur: cursor, watched: WatchedRun, watermarks: Mapping[tuple[str, int], datetime]
    ) -> Closed:
        if not self._places <= watermarks.keys():
            return Closed()
        until = watched.pace.complete_until(watermarks[place] for place in self._places)
        return self._judged(cur, watched, until) if until else Closed()

    def _judged(self, cur: cursor, watched: WatchedRun, until: datetime) -> Closed:
        return close_windows(cur, watched, until, self._limits, self._validation_of)


class _Counting:
    """The tweets of one run while they are counted."""

    def __init__(
        self, cur: cursor, run: str, topic_ids: Mapping[str, str], limits: WatchLimits
    ) -> None:
        self._cur = cur
        self._run = run
        self._topic_ids = topic_ids
        self._limits = limits
        self.watched = ensure_run(cur, run, pace_of(limits))
        self.watermarks = watermarks_of(cur, run, topic_ids.values())
        self.events: Counter[str] = Counter()
        self.rules_left_out = 0
        self._recomputed = recomputed_offsets(cur, run)
        self._rules = known_rules(cur, run)
        self._new_rules: set[str] = set()
        self._on_time: defaultdict[tuple[str, str, datetime], Tally] = defaultdict(Tally)
        self._late: defaultdict[tuple[str, str, datetime], Tally] = defaultdict(Tally)
        self._sampled: list[tuple[datetime, Arrived]] = []

    def count(self, arrived: Iterable[Arrived]) -> None:
        """Count tweets in the order of their partitions, and write what that changes."""
        in_time: defaultdict[datetime, list[Arrived]] = defaultdict(list)
        for one in arrived:
            placed = self._place(one)
            if placed is None:
                continue
            start, late = placed
            if late:
                self.events[LATE] += 1
                self._tally(self._late, start, one)
            else:
                in_time[start].append(one)
        for start, of_window in sorted(in_time.items()):
            ranks = [one.rank for one in of_window]
            firsts = count_once(self._cur, self._run, start, ranks)
            for one, is_first in zip(of_window, firsts, strict=True):
                self.events[COUNTED if is_first else REPEATED] += 1
                if is_first:
                    self._tally(self._on_time, start, one)
                    if not one.counted.retweet:
                        self._sampled.append((start, one))
        add_rules(self._cur, self._run, self._new_rules)
        add_counts(self._cur, self._counts())
        add_hashtags(
            self._cur,
            {WindowKey(self._run, *key): tally.hashtags for key, tally in self._on_time.items()},
        )
        self._sample()
        write_watermarks(self._cur, self._run, self.watermarks)

    def _place(self, one: Arrived) -> tuple[datetime, bool] | None:
        """Move the watermark; return the tweet's window, and whether it is late for it.

        None where it was counted already, of the stored rows.
        """
        event = one.event
        place = self._topic_ids[one.at[0]], one.at[1]
        watermark = self.watermarks.get(place)
        # A clock that is ahead must not close what is still to come.
        seen = min(event.posted_at, event.received_at)
        if watermark is None or seen > watermark:
            self.watermarks[place] = seen
        if one.offset < self._recomputed.get(place, 0):
            self.events[RECOMPUTED] += 1
            return None
        start = self.watched.pace.start_of(event.posted_at)
        return start, self.watched.pace.is_late(start, watermark, self.watched.closed_until)

    def _tally(
        self, tallies: defaultdict[tuple[str, str, datetime], Tally], start: datetime, one: Arrived
    ) -> None:
        model_sha256 = one.event.score.model.sha256
        tallies[ALL_RULES, model_sha256, start].add(one.counted)
        for rule in {matched.tag for matched in one.event.rules}:
            if self._is_watched(rule):
                tallies[rule, model_sha256, start].add(one.counted)
            else:
                self.rules_left_out += 1

    def _is_watched(self, rule: str) -> bool:
        if rule in self._rules:
            return True
        if len(self._rules) >= self._limits.rules:
            return False
        self._rules.add(rule)
        self._new_rules.add(rule)
        return True

    def _counts(self) -> dict[WindowKey, Counts]:
        return {
            WindowKey(self._run, *key): Counts(
                *(
                    tallies[key].counts() if key in tallies else Tally().counts()
                    for tallies in (self._on_time, self._late)
                )
            )
            for key in {**self._on_time, **self._late}
        }

    def _sample(self) -> None:
        if not self._sampled:
            return
        highest = highest_ranks(self._cur, {(self._run, start) for start, _ in self._sampled})
        candidates = Candidates()
        for start, one in self._sampled:
            if one.rank < highest.get((self._run, start), one.rank + 1):
                candidates.offer(
                    Sampled(
                        self._run,
                        start,
                        one.rank,
                        one.event.root_id,
                        one.event.author_id,
                        one.event.text,
                    )
                )
        add_samples(self._cur, [(tweet, hashed_words(tweet.text)) for tweet in candidates.all()])


def lock(cur: cursor) -> None:
    """Wait until nobody else moves windows, and keep removals out while this does."""
    cur.execute("SELECT pg_advisory_xact_lock(%s)", (locks.WATCH,))
    cur.execute("SELECT pg_advisory_xact_lock_shared(%s)", (locks.REMOVALS,))


def _living(cur: cursor, arrived: Iterable[Arrived]) -> dict[str, list[Arrived]]:
    by_run: dict[str, list[Arrived]] = defaultdict(list)
    for one in arrived:
        by_run[one.event.run].append(one)
    deleted_at = deletions_of_runs(cur, by_run)
    living = {
        run: [one for one in of_run if lives(run, one.event.received_at, deleted_at)]
        for run, of_run in by_run.items()
    }
    return {run: of_run for run, of_run in living.items() if of_run}


def _idle(cur: cursor, idle_s: float) -> list[str]:
    cur.execute(
        "SELECT r.run FROM watch_runs AS r"
        " WHERE r.last_counted_at <= clock_timestamp() - make_interval(secs => %s)"
        " AND EXISTS (SELECT FROM watch_watermarks AS w WHERE w.run = r.run"
        " AND (r.closed_until IS NULL OR w.posted_at >= r.closed_until"
        " + make_interval(secs => r.window_s + r.lateness_s))) ORDER BY r.run",
        (idle_s,),
    )
    return [run for (run,) in cur]


def _sum(closed: Iterable[Closed]) -> Closed:
    windows = alarms = 0
    for one in closed:
        windows += one.windows
        alarms += one.alarms
    return Closed(windows, alarms)
