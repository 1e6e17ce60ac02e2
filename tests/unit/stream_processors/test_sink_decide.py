"""What a batch changes, held against a reference of ten lines."""

import random as randomness
from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from schemas.events import LIVE, AuthorErased, Reference, ScoredEvent, TweetDeleted, TweetScored
from stream_processors.sink.decide import State, decide, refusing_tombstones, tombstone_of
from stream_processors.sink.rollups import RollupKey, deltas
from stream_processors.sink.rows import Key, Row, Tombstone
from tests.unit.examples import RECEIVED_AT, deleted, model, scored_tweet

MODEL_IDS = {model(name).sha256: number for number, name in enumerate(("a", "b"), start=1)}


class Tables:
    """The sink's tables in memory, moved by its decisions as PostgreSQL is."""

    def __init__(self, kept_from: date = date.min) -> None:
        self.kept_from = kept_from
        self.rows: dict[Key, Row] = {}
        self.tombstones: set[Tombstone] = set()
        self.rollups: dict[RollupKey, list[int]] = {}

    def store(self, events: list[ScoredEvent]) -> None:
        requested = frozenset(tombstone_of(e) for e in events if not isinstance(e, TweetScored))
        while True:
            decision = decide(events, self._state(events, requested), MODEL_IDS)
            if decision.tombstones <= requested:
                break
            requested |= decision.tombstones
        for row in decision.deletes:
            del self.rows[row.key]
        for row in [*decision.inserts, *decision.updates]:
            self.rows[row.key] = row
        self.tombstones |= decision.tombstones
        for key, amounts in decision.deltas.rollups.items():
            sums = [a + b for a, b in zip(self.rollups.get(key, [0, 0]), amounts, strict=True)]
            self.rollups[key] = sums
            if sums[0] == 0:
                assert self.rollups.pop(key) == [0, 0]

    def _state(self, events: list[ScoredEvent], requested: frozenset[Tombstone]) -> State:
        posts = [event for event in events if isinstance(event, TweetScored)]
        keys = {(post.run, post.root_id) for post in posts}
        wanted = set(requested).union(*(refusing_tombstones(post) for post in posts))
        return State(
            rows={
                key: row
                for key, row in self.rows.items()
                if key in keys or any(tombstone.concerns(row) for tombstone in requested)
            },
            tombstones=frozenset(self.tombstones & wanted),
            requested=requested,
            kept_from=self.kept_from,
        )

    def prune(self, kept_from: date) -> None:
        """Drop days of live as partitions are dropped; the rollups stay."""
        self.kept_from = kept_from
        self.rows = {
            key: row
            for key, row in self.rows.items()
            if row.run != LIVE or row.posted_at.date() >= kept_from
        }


runs = st.sampled_from(["one", LIVE])
roots = st.sampled_from(["10", "20", "30", "40"])
RETWEETS = {"30": "10", "40": "20"}
"""What is a retweet is one in all its appearances, and X lets nobody edit it."""


@st.composite
def posts(draw: st.DrawFn) -> TweetScored:
    root = draw(roots)
    other = RETWEETS.get(root)
    version = 0 if other else draw(st.integers(0, 2))
    history = tuple(f"{root[0]}{number}" for number in range(version + 1))
    return scored_tweet(
        draw(st.sampled_from(["positive", "negative"])),
        draw(st.sampled_from([0.5, 0.8])),
        by=draw(st.sampled_from(["a", "b"])),
        run=draw(runs),
        root_id=root,
        tweet_id=history[-1],
        version=version,
        edit_history=history,
        author_id=f"author{root}",
        references=()
        if other is None
        else (Reference(kind="retweeted", tweet_id=other, author_id=f"author{other}"),),
    )


removals = st.builds(
    deleted, st.sampled_from(["10", "11", "20", "21", "22", "30", "40"]), runs
) | st.builds(
    lambda root, run: AuthorErased(
        run=run, author_id=f"author{root}", received_at=RECEIVED_AT, source="test"
    ),
    roots,
    runs,
)
streams = st.lists(posts() | removals, max_size=25)


def stored(events: list[ScoredEvent], batch_size: int) -> Tables:
    tables = Tables()
    for start in range(0, len(events), batch_size):
        tables.store(events[start : start + batch_size])
    return tables


@given(streams, st.integers(1, 25))
def test_rollups_always_equal_a_recount_of_the_rows(
    events: list[ScoredEvent], batch_size: int
) -> None:
    tables = stored(events, batch_size)
    recount = deltas([], tables.rows.values()).rollups
    assert {key: tuple(sums) for key, sums in tables.rollups.items()} == recount


@given(streams, st.integers(1, 25))
def test_the_size_of_batches_does_not_matter(events: list[ScoredEvent], batch_size: int) -> None:
    one, many = stored(events, 1), stored(events, batch_size)
    assert (one.rows, one.tombstones, one.rollups) == (many.rows, many.tombstones, many.rollups)


@given(streams, st.integers(1, 25))
def test_a_repeat_of_everything_changes_nothing(events: list[ScoredEvent], batch_size: int) -> None:
    once, twice = stored(events, batch_size), stored([*events, *events], batch_size)
    assert {k: r.version for k, r in once.rows.items()} == {
        k: r.version for k, r in twice.rows.items()
    }


@given(streams, st.randoms(use_true_random=False))
def test_the_order_of_arrival_decides_nothing_but_which_equal_version_came_first(
    events: list[ScoredEvent],
    random: randomness.Random,
) -> None:
    shuffled = random.sample(events, len(events))
    ours, theirs = stored(events, 3), stored(shuffled, 3)
    assert {k: r.version for k, r in ours.rows.items()} == {
        k: r.version for k, r in theirs.rows.items()
    }


@given(streams)
def test_nothing_that_was_removed_is_left_or_comes_back(events: list[ScoredEvent]) -> None:
    tables = stored(events, 4)
    for event in events:
        if not isinstance(event, TweetScored):
            assert not any(tombstone_of(event).concerns(row) for row in tables.rows.values())


@given(streams)
def test_every_tweet_that_nothing_removed_is_there_in_its_last_version(
    events: list[ScoredEvent],
) -> None:
    tables = stored(events, 4)
    for event in events:
        if isinstance(event, TweetScored) and not refusing_tombstones(event) & tables.tombstones:
            key = (event.run, event.root_id)
            if key in tables.rows:
                assert tables.rows[key].version >= event.version
            else:
                versions = [
                    e for e in events if isinstance(e, TweetScored) and (e.run, e.root_id) == key
                ]
                assert any(refusing_tombstones(e) & tables.tombstones for e in versions)


def test_the_first_score_of_a_version_stands_and_another_models_is_kept_beside_it() -> None:
    first, second = scored_tweet("positive", by="a"), scored_tweet("negative", by="b")
    decision = decide([first, second], State({}, frozenset()), MODEL_IDS)
    assert [row.label for row in decision.inserts] == ["positive"]
    assert [row.label for row in decision.further_scores] == ["negative"]
    assert all(key.label == "positive" for key in decision.deltas.rollups)


def test_an_edit_keeps_the_day_of_its_tweet() -> None:
    first = scored_tweet(tweet_id="10")
    later = first.posted_at.replace(year=2020)
    edit = scored_tweet(tweet_id="11", root_id="10", version=1, posted_at=later)
    decision = decide([first, edit], State({}, frozenset()), MODEL_IDS)
    assert [row.posted_at.date() for row in decision.inserts] == [date(2016, 11, 19)]


@given(streams, streams)
def test_after_a_prune_nothing_old_of_live_is_stored_or_moves_a_figure(
    before: list[ScoredEvent], after: list[ScoredEvent]
) -> None:
    tables = stored(before, 3)
    tables.prune(date(2016, 11, 20))
    final = {key: sums for key, sums in tables.rollups.items() if key.run == LIVE}
    tables.store(after)
    assert {key: sums for key, sums in tables.rollups.items() if key.run == LIVE} == final
    assert not any(run == LIVE for run, _ in tables.rows)
    recount = deltas([], tables.rows.values()).rollups
    assert {k: tuple(sums) for k, sums in tables.rollups.items() if k.run != LIVE} == recount


def names_a_later_version(event: ScoredEvent) -> bool:
    """Tell whether only the row of a pruned edit knows which tweet a deletion means."""
    return isinstance(event, TweetDeleted) and not event.tweet_id.endswith("0")


@given(streams, streams.map(lambda s: [e for e in s if not names_a_later_version(e)]))
def test_a_prune_changes_nothing_for_replays(
    before: list[ScoredEvent], after: list[ScoredEvent]
) -> None:
    pruned, whole = stored(before, 3), stored(before, 3)
    pruned.prune(date(2016, 11, 20))
    for tables in (pruned, whole):
        tables.store(after)
    replayed = [{k: r for k, r in t.rows.items() if r.run != LIVE} for t in (pruned, whole)]
    assert replayed[0] == replayed[1]


def test_a_deletion_in_a_replay_leaves_other_runs_alone_and_one_of_live_does_not() -> None:
    tables = stored([scored_tweet(run="one"), scored_tweet(run=LIVE)], 1)
    tables.store([deleted(run="one")])
    assert {run for run, _ in tables.rows} == {LIVE}
    tables.store([scored_tweet(run="two"), deleted(run=LIVE)])
    assert not tables.rows
