"""The sink's promises against a reference, through a real PostgreSQL, in any order of anything."""

import os
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeGuard

import msgspec
import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from retrain.labels.write_labels import LabelKey, PersonsLabel, write_labels
from schemas.events import (
    LIVE,
    AuthorErased,
    MatchedRule,
    Reference,
    ScoredEvent,
    TweetScored,
    TweetWithheld,
)
from schemas.people_labels import LabelOrigin
from schemas.settings import Settings
from schemas.transport.postgres import Connection, connect_postgres
from stream_processors.retention.prune import prune
from stream_processors.sink.transaction import SinkTransaction
from tests.integration.storing import store
from tests.recount import (
    differing_hashtag_rollups,
    differing_language_rollups,
    differing_rollups,
)
from tests.reference import Grave, all_graves, what_remains
from tests.unit.examples import RECEIVED_AT, deleted, scored_tweet

EXAMPLES = 5_000 if os.environ.get("HYPOTHESIS_PROFILE") == "thorough" else 80
RETWEETS = {"30": "10", "40": "20"}
"""What is a retweet is one in all its appearances, and X lets nobody edit it."""

DAYS = {root: date(2016, 11, day) for root, day in (("10", 17), ("20", 18), ("30", 18), ("40", 19))}
FIRST_DAYS = [date(2016, 11, 18), date(2016, 11, 19), date(2016, 11, 20)]

ROWS = """
    SELECT t.run, t.root_id, t.tweet_id, t.version, s.version, s.label, s.confidence, m.name
    FROM tweets AS t
    LEFT JOIN scores AS s ON s.run = t.run AND s.root_id = t.root_id AND s.counts
    LEFT JOIN models AS m ON m.model_id = s.model_id
"""
MISPLACED_ROOTS = """
    WITH stored AS (SELECT root_id, day FROM tweets WHERE run = 'live')
    (TABLE stored EXCEPT TABLE live_roots) UNION ALL (TABLE live_roots EXCEPT TABLE stored)
"""
TABLES = (
    "tweets",
    "scores",
    "live_roots",
    "rollups",
    "hashtag_rollups",
    "unknown_language_rollups",
    "tombstones",
    "kept_days",
    "labels",
)
LABELS_WITHOUT_TWEETS = """
    SELECT l.run, l.root_id FROM labels AS l
    LEFT JOIN tweets AS t ON t.run = l.run AND t.root_id = l.root_id WHERE t.run IS NULL
"""
ARCHIVE_LABELS_MISSING = """
    SELECT t.run, t.root_id, t.version, t.human_label FROM tweets AS t
    WHERE t.human_label IS NOT NULL AND NOT EXISTS (
        SELECT FROM labels AS l WHERE l.run = t.run AND l.root_id = t.root_id
        AND l.version = t.version AND l.labeller = 'archive' AND l.origin = 'import'
        AND l.label = t.human_label
    )
"""
PEOPLES_LABELS = "SELECT run, root_id, version, labeller FROM labels WHERE labeller <> 'archive'"
OLD_ROLLUPS = """
    SELECT run, granularity, bucket_start, rule, label, model_id, tweets, confidence_micros
    FROM rollups WHERE run = 'live' AND bucket_start < %s
"""
OLD_HASHTAG_ROLLUPS = """
    SELECT run, granularity, bucket_start, hashtag, label, tweets
    FROM hashtag_rollups WHERE run = 'live' AND bucket_start < %s
"""
OLD_LANGUAGE_ROLLUPS = """
    SELECT run, granularity, bucket_start, language, tweets
    FROM unknown_language_rollups WHERE run = 'live' AND bucket_start < %s
"""

runs = st.sampled_from(["one", LIVE])
roots = st.sampled_from(["10", "20", "30", "40"])
tweet_ids = st.sampled_from(["10", "11", "12", "20", "21", "30", "40"])


@st.composite
def posts(draw: st.DrawFn) -> TweetScored:
    """Draw a tweet, an edit of it, or the same scored by another model."""
    root = draw(roots)
    other = RETWEETS.get(root)
    version = 0 if other else draw(st.integers(0, 2))
    history = tuple(f"{root[0]}{number}" for number in range(version + 1))
    label = draw(st.sampled_from(["positive", "negative"]))
    tweet = scored_tweet(
        label,
        draw(st.sampled_from([0.5, 0.812345])),
        by=draw(st.sampled_from(["a", "b"])),
        language=draw(st.sampled_from([None, "en", "pt"])),
        language_known=draw(st.sampled_from([None, True, False])),
        hashtags=(label, "always"),
        run=draw(runs),
        root_id=root,
        tweet_id=history[-1],
        version=version,
        edit_history=history,
        posted_at=datetime.combine(DAYS[root], datetime.min.time(), UTC)
        + timedelta(days=draw(st.sampled_from([0, 0, 1, -40, 400]))),
        author_id=f"author{root}",
        rules=draw(st.sampled_from([(), (MatchedRule(tag="rain"),)])),
        references=()
        if other is None
        else (Reference(kind="retweeted", tweet_id=other, author_id=f"author{other}"),),
    )
    return msgspec.structs.replace(tweet, label=draw(st.sampled_from([None, "calm", "cross"])))


deletions = st.builds(deleted, tweet_ids, runs)
withheld = st.builds(
    lambda tweet_id, run: TweetWithheld(
        run=run, tweet_id=tweet_id, received_at=RECEIVED_AT, source="test"
    ),
    tweet_ids,
    runs,
)
erasures = st.builds(
    lambda root, run: AuthorErased(
        run=run, author_id=f"author{root}", received_at=RECEIVED_AT, source="test"
    ),
    roots,
    runs,
)
removals = st.one_of(deletions, withheld, erasures)


class Promises(RuleBasedStateMachine):
    """Events wait until a batch stores them; after each batch the tables equal the reference."""

    def __init__(self, connection: Connection) -> None:
        super().__init__()
        self._connection = connection
        self._published: list[ScoredEvent] = []
        self._days_vary = False
        self._stored = 0
        self._transaction = SinkTransaction({})
        self._kept_from = date.min
        self._graves: set[Grave] = set()
        self._given: set[LabelKey] = set()
        self._old_rollups: list[tuple[Any, ...]] = []
        self._old_hashtag_rollups: list[tuple[Any, ...]] = []
        self._old_language_rollups: list[tuple[Any, ...]] = []
        with connection, connection.cursor() as cursor:
            for table in TABLES:
                cursor.execute(f"DELETE FROM {table}")  # noqa: S608  constants

    @initialize(days_vary=st.booleans())
    def begin(self, days_vary: bool) -> None:
        """Tweets come with one day each and days are pruned, or they come with several days.

        Not both: a tweet goes with the day that it was stored on, and is forgotten with it.
        """
        self._days_vary = days_vary

    @rule(published=st.lists(posts(), min_size=1, max_size=6))
    def publish(self, published: list[TweetScored]) -> None:
        """Posts, edits and second scores, in any order."""
        self._published += self._dated(published)

    @rule(published=st.lists(st.one_of(posts(), removals), min_size=1, max_size=3))
    def remove(self, published: list[ScoredEvent]) -> None:
        """Deletions and erasures, before, between and after their posts."""
        self._published += self._dated(published)

    @precondition(lambda self: self._published)
    @rule(data=st.data())
    def repeat(self, data: st.DataObject) -> None:
        """Kafka delivers something again."""
        self._published.append(data.draw(st.sampled_from(self._published)))

    @precondition(lambda self: self._stored)
    @rule(run=runs, root=roots, labeller=st.sampled_from(["ann", "bob"]), ahead=st.integers(-1, 1))
    def label(self, run: str, root: str, labeller: str, ahead: int) -> None:
        """A person labels a version of a tweet, which may be gone or not there yet."""
        stored = {(run_, root_): version for run_, root_, _, version, *_ in self._rows()}
        version = max(0, stored.get((run, root), 0) + ahead)
        key = LabelKey(run, root, version, labeller, LabelOrigin.AUDIT)
        with self._connection, self._connection.cursor() as cursor:
            written = write_labels(cursor, [PersonsLabel(key, "calm", False, RECEIVED_AT)])
        assert (key in written) == (version <= stored.get((run, root), -1))
        self._given |= written

    @rule()
    def restart(self) -> None:
        """The sink is started anew and knows nothing of the runs that it has seen."""
        self._transaction = SinkTransaction({})

    @precondition(lambda self: self._stored)
    @rule(data=st.data())
    def go_back(self, data: st.DataObject) -> None:
        """The sink stored, and was killed before it committed: the last events come again."""
        self._stored = data.draw(st.integers(0, self._stored))

    @precondition(lambda self: not self._days_vary)
    @precondition(lambda self: any(_is_live_post(event) for event in self._published))
    @rule(first_day=st.sampled_from(FIRST_DAYS))
    def prune(self, first_day: date) -> None:
        """Old days of `live` go. Their figures stay, and what was removed stays removed."""
        self.store_what_waits(4)
        self._graves = all_graves(self._known(), self._graves)
        self._kept_from = max(self._kept_from, first_day)
        midnight = datetime.combine(self._kept_from, datetime.min.time(), UTC)
        self._old_rollups = self._query(OLD_ROLLUPS, midnight)
        self._old_hashtag_rollups = self._query(OLD_HASHTAG_ROLLUPS, midnight)
        self._old_language_rollups = self._query(OLD_LANGUAGE_ROLLUPS, midnight)
        prune(self._connection, first_day, dry_run=False)
        self._check_labels()

    @rule(batch_size=st.integers(1, 9))
    def store_what_waits(self, batch_size: int) -> None:
        """Store everything that waits, in batches of one size."""
        while self._stored < len(self._published):
            batch = self._published[self._stored : self._stored + batch_size]
            store(self._connection, batch, transaction=self._transaction)
            self._stored += len(batch)
        assert self._query(MISPLACED_ROOTS) == []
        self._check_labels()
        # A removal may name a later version only. Whether a post that came too late to be kept
        # still tells of the others depends on which of the two came first.
        at_most = self._expected(self._graves)
        at_least = self._expected(all_graves(self._published, self._graves))
        assert at_least <= self._rows() <= at_most
        assert sorted(differing_rollups(self._connection)) == sorted(self._old_rollups)
        assert sorted(differing_hashtag_rollups(self._connection)) == sorted(
            self._old_hashtag_rollups
        )
        assert sorted(differing_language_rollups(self._connection)) == sorted(
            self._old_language_rollups
        )

    def teardown(self) -> None:
        """End with everything stored."""
        self.store_what_waits(3)

    def _check_labels(self) -> None:
        """What people said is there exactly as long as its tweet, through every edit."""
        assert self._query(LABELS_WITHOUT_TWEETS) == []
        assert self._query(ARCHIVE_LABELS_MISSING) == []
        stored = {(run, root) for run, root, *_ in self._rows()}
        expected = {key[:4] for key in self._given if (key.run, key.root_id) in stored}
        assert set(self._query(PEOPLES_LABELS)) == expected

    def _dated(self, published: Sequence[ScoredEvent]) -> list[ScoredEvent]:
        return [
            event if self._days_vary or not isinstance(event, TweetScored) else _on_its_day(event)
            for event in published
        ]

    def _expected(self, graves: set[Grave]) -> set[tuple[Any, ...]]:
        return {
            (
                post.run,
                post.root_id,
                post.tweet_id,
                post.version,
                post.version,
                post.score.label,
                post.score.confidence,
                post.score.model.name,
            )
            for post in (posts[0] for posts in what_remains(self._known(), graves).values())
            if isinstance(post, TweetScored)
        }

    def _known(self) -> list[ScoredEvent]:
        """Return what was published, less what is too old to be kept."""
        return [
            event
            for event in self._published
            if not (
                isinstance(event, TweetScored) and event.run == LIVE and event.day < self._kept_from
            )
        ]

    def _query(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        with self._connection, self._connection.cursor() as cursor:
            cursor.execute(statement, values)
            return cursor.fetchall()

    def _rows(self) -> set[tuple[Any, ...]]:
        rows = self._query(ROWS)
        assert len(rows) == len(set(rows))
        return set(rows)


def _on_its_day(tweet: TweetScored) -> TweetScored:
    midnight = datetime.combine(DAYS[tweet.root_id], datetime.min.time(), UTC)
    return msgspec.structs.replace(tweet, posted_at=midnight)


def _is_live_post(event: ScoredEvent) -> TypeGuard[TweetScored]:
    return isinstance(event, TweetScored) and event.run == LIVE


@pytest.fixture
def connection(settings: Settings) -> Iterator[Connection]:
    connection = connect_postgres(settings.postgres_connection, "test")
    with connection, connection.cursor() as cursor:
        # Nothing here looks at what a crash of PostgreSQL would leave.
        cursor.execute("SET synchronous_commit = off")
    yield connection
    connection.close()


@pytest.mark.timeout(3_600)
def test_whatever_happens_in_whatever_order_the_tables_hold_what_remains(
    connection: Connection,
) -> None:
    class OnThisDatabase(Promises):
        def __init__(self) -> None:
            super().__init__(connection)

    run_state_machine_as_test(
        OnThisDatabase,
        settings=hypothesis_settings(
            max_examples=EXAMPLES,
            stateful_step_count=12,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            print_blob=True,
        ),
    )
