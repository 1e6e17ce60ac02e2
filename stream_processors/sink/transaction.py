"""One batch in one transaction."""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from datetime import date
from typing import Final

import psycopg2.errors
from psycopg2.extensions import cursor

from schemas import locks
from schemas.deleted_runs import deletions_of_runs, lives
from schemas.events import LIVE, ScoredEvent, TweetScored
from schemas.run_changes import touch_runs
from schemas.transport.dead_letters import DeadLetter
from schemas.transport.log_proof import LastMessage
from schemas.transport.messages import Partition
from schemas.transport.positions import SINK, write_positions
from schemas.transport.postgres import Connection
from stream_processors.retention.prune_limit import kept_from
from stream_processors.sink.dead_letter_rows import write_letters
from stream_processors.sink.decide import Decision, decide, tombstone_of
from stream_processors.sink.erase_dead_letters import erase_letters, tombstones_in
from stream_processors.sink.incoming import Incoming, Stored
from stream_processors.sink.load_rows import load_model_ids, load_state
from stream_processors.sink.model_turns import ModelTurns
from stream_processors.sink.places import NOWHERE, Places, alone, find_places
from stream_processors.sink.rows import Tombstone
from stream_processors.sink.runs import ensure_runs
from stream_processors.sink.write_rows import ConcurrentChange, write_decision

_ANY_DAY: Final = date.min
"""Only `live` has partitions by day."""


_MADE_AT_ONCE: Final = 30
"""Partitions that one transaction makes: it locks each of them, with its indexes."""


class _FurtherRemovals(Exception):
    """The batch removes more than its removals name: it has to be done anew, and alone."""

    def __init__(self, tombstones: frozenset[Tombstone]) -> None:
        super().__init__(f"{len(tombstones)} tombstones")
        self.tombstones = tombstones


class SinkTransaction:
    """Stores batches: rows, scores, rollups, tombstones, dead letters and positions together.

    A batch may be stored any number of times with the same result. Raises psycopg2's errors; after
    any of them nothing of the batch is stored. `inserted` is told of the tweets that are new, once
    they are committed.
    """

    def __init__(
        self,
        topic_ids: Mapping[str, str],
        inserted: Callable[[Sequence[TweetScored]], None] = lambda _tweets: None,
    ) -> None:
        self._topic_ids = topic_ids
        self._inserted = inserted
        self._known: set[tuple[str, date]] = set()
        self._turns = ModelTurns()

    def store(
        self,
        connection: Connection,
        events: Sequence[Incoming],
        letters: Sequence[Stored],
        last_messages: Mapping[Partition, LastMessage],
    ) -> Counter[str]:
        """Store a batch, move the positions behind these messages, and return its outcomes."""
        requested = frozenset(
            tombstone_of(incoming.event)
            for incoming in events
            if not isinstance(incoming.event, TweetScored)
        )
        exclusive = bool(requested)
        while True:
            try:
                with alone(connection) if exclusive else nullcontext():
                    places = find_places(connection, requested) if requested else NOWHERE
                    with connection, connection.cursor() as cur:
                        outcomes, new = self._store(
                            cur,
                            events,
                            letters,
                            last_messages,
                            requested,
                            places,
                            exclusive=exclusive,
                        )
            except _FurtherRemovals as further:
                requested |= further.tombstones
                exclusive = True
            except ConcurrentChange:
                continue
            except psycopg2.errors.CheckViolation as error:
                # A partition that was there is gone: its run was deleted meanwhile.
                if error.diag.constraint_name is not None or not self._known:
                    raise
                self._known.clear()
            else:
                self._turns.stored(incoming.event for incoming in events)
                self._inserted(new)
                return outcomes

    def _store(
        self,
        cur: cursor,
        events: Sequence[Incoming],
        letters: Sequence[Stored],
        last_messages: Mapping[Partition, LastMessage],
        requested: frozenset[Tombstone],
        places: Places,
        *,
        exclusive: bool,
    ) -> tuple[Counter[str], list[TweetScored]]:
        """Do it in numbered steps, each of which the next relies on.

        1. Make the runs and partitions that are missing, in a transaction of their own.
        2. Lock: those who add tweets share, one who removes tweets or a run is alone.
        3. Leave out what belongs to runs that have been deleted since it came in.
        4. Read what the batch touches, decide, and write.
        5. Move the positions: with the rows, or not at all.
        """
        self._make_runs(cur, events)
        cur.execute(
            "SELECT pg_advisory_xact_lock(%s)"
            if exclusive
            else "SELECT pg_advisory_xact_lock_shared(%s)",
            (locks.REMOVALS,),
        )
        living = _living(cur, events)
        living_letters = _living_letters(cur, letters)
        decision = _decide(
            cur,
            [incoming.event for incoming in living],
            requested,
            places,
            exclusive=exclusive,
        )
        self._turns.note(cur, (incoming.event for incoming in living))
        write_decision(cur, decision)
        write_letters(cur, living_letters)
        erase_letters(cur, decision.tombstones | tombstones_in(cur, living_letters))
        touch_runs(cur, _runs_of(living, living_letters, decision))
        write_positions(cur, SINK, last_messages, self._topic_ids)
        ignored = len(events) - len(living) + len(letters) - len(living_letters)
        new = [row.event for row in decision.inserts]
        return decision.outcomes + Counter({"run-deleted": ignored}), new

    def _make_runs(self, cur: cursor, events: Sequence[Incoming]) -> None:
        needed = {
            (event.run, event.day if event.run == LIVE else _ANY_DAY)
            for event in (incoming.event for incoming in events)
            if isinstance(event, TweetScored)
        }
        for together in _in_parts(sorted(needed - self._known), _MADE_AT_ONCE):
            missing: dict[str, list[date]] = defaultdict(list)
            for run, day in together:
                missing[run].append(day)
            cur.execute("SELECT pg_advisory_xact_lock(%s)", (locks.RUN_CREATION,))
            deleted_at = deletions_of_runs(cur, missing)
            alive = {
                event.run
                for event in (incoming.event for incoming in events)
                if lives(event.run, event.received_at, deleted_at)
            }
            limit = kept_from(cur) if LIVE in missing else _ANY_DAY
            ensure_runs(
                cur,
                {
                    run: [day for day in days if run != LIVE or day >= limit]
                    for run, days in missing.items()
                    if run in alive
                },
            )
            # Others wait for the lock, and must not wait for the batch.
            cur.connection.commit()
            self._known |= {(run, day) for run, day in together if run in alive}


def _decide(
    cur: cursor,
    events: Sequence[ScoredEvent],
    requested: frozenset[Tombstone],
    places: Places,
    *,
    exclusive: bool,
) -> Decision:
    """Decide, or raise `_FurtherRemovals`: what those concern is found before the transaction."""
    model_ids = load_model_ids(cur, events)
    decision = decide(events, load_state(cur, events, requested, places), model_ids)
    if not decision.tombstones <= requested or (decision.removes and not exclusive):
        raise _FurtherRemovals(decision.tombstones)
    return decision


def _in_parts(items: Sequence[tuple[str, date]], size: int) -> list[Sequence[tuple[str, date]]]:
    return [items[start : start + size] for start in range(0, len(items), size)]


def _living(cur: cursor, events: Sequence[Incoming]) -> list[Incoming]:
    deleted_at = deletions_of_runs(cur, {incoming.event.run for incoming in events})
    return [
        incoming
        for incoming in events
        if lives(incoming.event.run, incoming.event.received_at, deleted_at)
    ]


def _living_letters(cur: cursor, letters: Sequence[Stored]) -> list[DeadLetter]:
    runs = {stored.letter.run for stored in letters if stored.letter.run is not None}
    deleted_at = deletions_of_runs(cur, runs)
    return [
        stored.letter
        for stored in letters
        if lives(stored.letter.run, stored.published_at, deleted_at)
    ]


def _runs_of(
    living: Sequence[Incoming], letters: Sequence[DeadLetter], decision: Decision
) -> set[str]:
    """Return the runs whose figures the batch may move: a removal of `live` reaches all."""
    runs = {incoming.event.run for incoming in living}
    runs |= {letter.run for letter in letters if letter.run is not None}
    return runs | {row.run for row in decision.deletes}
