"""What a batch of events changes: a pure function of the events and of what is stored.

The end does not depend on the order of arrival: a tombstone refuses a later post, an edit wins by
its version, a repeat changes nothing.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from schemas.events import LIVE, AuthorErased, Removal, ScoredEvent, TweetScored
from stream_processors.sink.rollups import Deltas, deltas
from stream_processors.sink.rows import (
    Key,
    NewRow,
    Row,
    Tombstone,
    TombstoneKind,
    unknown_language_of,
    versions_of,
)


@dataclass(frozen=True)
class State:
    """What PostgreSQL holds of everything that a batch may touch.

    `rows` has every stored tweet that the batch posts again, and every one that a tombstone in
    `requested` concerns; `tombstones` every stored one that could refuse one of its posts. Days of
    `live` before `kept_from` were pruned: their figures are final, and nothing of them is stored.
    """

    rows: Mapping[Key, Row]
    tombstones: frozenset[Tombstone]
    requested: frozenset[Tombstone] = frozenset()
    kept_from: date = date.min


@dataclass
class Decision:
    """What to write. Nothing in it overlaps; `outcomes` counts the events by what they did."""

    inserts: list[NewRow] = field(default_factory=list)
    updates: list[NewRow] = field(default_factory=list)
    deletes: list[Row] = field(default_factory=list)
    further_scores: list[NewRow] = field(default_factory=list)
    tombstones: frozenset[Tombstone] = frozenset()
    deltas: Deltas = field(default_factory=Deltas)
    outcomes: Counter[str] = field(default_factory=Counter)

    @property
    def removes(self) -> bool:
        """Whether it takes something away, which needs the exclusive lock."""
        return bool(self.tombstones or self.deletes)


def decide(events: Sequence[ScoredEvent], state: State, model_ids: Mapping[str, int]) -> Decision:
    """Apply events in order to what is stored; `model_ids` has every model of the batch.

    The result is complete only if `state.requested` has all of its `tombstones`: whoever calls
    loads the rows that the others concern and asks again.
    """
    ledger = _Ledger(dict(state.rows), set(state.tombstones), state.kept_from)
    for event in events:
        if isinstance(event, TweetScored):
            ledger.post(event, row_of(event, model_ids[event.score.model.sha256]))
        else:
            ledger.remove(tombstone_of(event))
    written = [row for row in ledger.rows.values() if isinstance(row, NewRow)]
    new = [row for row in written if row.key not in state.rows]
    changed = [row for row in written if state.rows.get(row.key, row) is not row]
    replaced = [state.rows[row.key] for row in changed]
    gone = [row for key, row in state.rows.items() if key not in ledger.rows]
    return Decision(
        inserts=sorted(new, key=lambda row: row.key),
        updates=sorted(changed, key=lambda row: row.key),
        deletes=sorted(gone, key=lambda row: row.key),
        further_scores=[row for row in ledger.further.values() if ledger.still_current(row)],
        tombstones=frozenset(ledger.tombstones) - state.tombstones,
        deltas=deltas([*gone, *replaced], [*new, *changed]),
        outcomes=ledger.outcomes,
    )


@dataclass
class _Ledger:
    """The stored state as it moves from event to event."""

    rows: dict[Key, Row]
    tombstones: set[Tombstone]
    kept_from: date
    further: dict[tuple[Key, int], NewRow] = field(default_factory=dict)
    outcomes: Counter[str] = field(default_factory=Counter)

    def post(self, event: TweetScored, new: NewRow) -> None:
        refusing = _refusing(event, self.tombstones)
        if refusing:
            self.outcomes["refused"] += 1
            deleted = {tombstone.id for tombstone in refusing if tombstone.kind == "tweet"}
            if deleted.intersection(versions_of(event)) and new.root_id not in deleted:
                self._bury([Tombstone(new.run, "tweet", new.root_id)])
            return
        if new.run == LIVE and event.day < self.kept_from:
            self.outcomes["expired"] += 1
            return
        old = self.rows.get(new.key)
        if old is None:
            self.rows[new.key] = new
            self.outcomes["inserted"] += 1
        elif old.version < new.version:
            self.rows[new.key] = replace(new, posted_at=old.posted_at)
            self.outcomes["edited"] += 1
        elif old.version > new.version:
            self.outcomes["outdated"] += 1
        else:
            self.outcomes["repeated"] += 1
            if old.model_id != new.model_id:
                self.further[new.key, new.model_id] = new

    def remove(self, tombstone: Tombstone) -> None:
        self.outcomes["removal"] += 1
        self._bury([tombstone])

    def _bury(self, new: Iterable[Tombstone]) -> None:
        """Set tombstones, and remove what they concern, until nothing more follows."""
        waiting = list(new)
        while waiting:
            tombstone = waiting.pop()
            self.tombstones.add(tombstone)
            for row in [row for row in self.rows.values() if tombstone.concerns(row)]:
                del self.rows[row.key]
                self.outcomes["removed"] += 1
                if tombstone.kind == "tweet" and tombstone.id in row.versions[1:]:
                    # A deleted version takes the whole tweet with it, also its first version if
                    # that should come again.
                    waiting.append(Tombstone(row.run, "tweet", row.root_id))

    def still_current(self, further: Row) -> bool:
        row = self.rows.get(further.key)
        return (
            row is not None and row.version == further.version and row.model_id != further.model_id
        )


def row_of(event: TweetScored, model_id: int) -> NewRow:
    """Return the row that an event asks for."""
    retweet_of = event.retweet_of
    return NewRow(
        run=event.run,
        root_id=event.root_id,
        tweet_id=event.tweet_id,
        version=event.version,
        versions=versions_of(event) if event.version else (),
        posted_at=event.posted_at,
        rules=tuple(sorted({rule.tag for rule in event.rules})),
        hashtags=event.extracted.hashtags,
        author_id=event.author_id,
        retweet_of=retweet_of.tweet_id if retweet_of else None,
        retweet_of_author=retweet_of.author_id if retweet_of else None,
        label=event.score.label,
        confidence=event.score.confidence,
        model_id=model_id,
        unknown_language=unknown_language_of(event),
        event=event,
    )


def tombstone_of(event: Removal) -> Tombstone:
    """Return the tombstone that a removal sets."""
    if isinstance(event, AuthorErased):
        return Tombstone(event.run, "author", event.author_id)
    return Tombstone(event.run, "tweet", event.tweet_id)


def refusing_tombstones(event: TweetScored) -> set[Tombstone]:
    """Return every tombstone that would refuse a post, stored or not."""
    retweet_of = event.retweet_of
    tweets = set(versions_of(event))
    authors = {event.author_id}
    if retweet_of is not None:
        tweets.add(retweet_of.tweet_id)
        authors.add(retweet_of.author_id)
    named: list[tuple[TombstoneKind, str]] = [("tweet", tweet) for tweet in tweets]
    named += [("author", author) for author in authors if author is not None]
    return {Tombstone(run, kind, id_) for kind, id_ in named for run in {event.run, LIVE}}


def _refusing(event: TweetScored, tombstones: set[Tombstone]) -> set[Tombstone]:
    # Most batches meet no tombstone at all.
    return refusing_tombstones(event) & tombstones if tombstones else set()
