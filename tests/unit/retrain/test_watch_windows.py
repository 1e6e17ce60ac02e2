"""Which window a tweet is counted into, whether it is late, and when a window is complete."""

import random
from collections import Counter
from datetime import UTC, datetime, timedelta

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from retrain.drift.watch.closing import Pace
from retrain.drift.watch.count_tweet import Pieces, Tally, counted, counted_of
from retrain.drift.watch.idle_runs import Drain, Reach
from retrain.drift.watch.samples import SAMPLE, Candidates, Sampled
from retrain.drift.window import WindowCounts
from schemas.events import Reference
from tests.unit.examples import scored_tweet

NOON = datetime(2016, 11, 14, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
PACE = Pace(HOUR, HOUR)

partitions = st.lists(st.lists(st.integers(0, 600), max_size=30), min_size=1, max_size=4)
"""Minutes after noon at which the tweets of each partition were posted, in the order of reading."""


def on_time(tweets: list[list[int]], seed: int) -> tuple[Counter[datetime], Counter[datetime]]:
    """Count the tweets, read in an order that keeps that of each partition; return late ones too.

    Windows are closed as soon as they are complete: none of those may gain a tweet in time.
    """
    chance = random.Random(seed)
    left = {place: list(minutes) for place, minutes in enumerate(tweets)}
    watermarks: dict[int, datetime] = {}
    closed_until: datetime | None = None
    counts: tuple[Counter[datetime], Counter[datetime]] = (Counter(), Counter())
    while any(left.values()):
        place = chance.choice([place for place, minutes in left.items() if minutes])
        posted_at = NOON + timedelta(minutes=left[place].pop(0))
        start = PACE.start_of(posted_at)
        by_its_partition = PACE.is_late(start, watermarks.get(place), None)
        late = PACE.is_late(start, watermarks.get(place), closed_until)
        assert late == by_its_partition
        counts[late][start] += 1
        watermarks[place] = max(posted_at, watermarks.get(place, posted_at))
        if len(watermarks) == len(tweets):
            closed_until = PACE.complete_until(watermarks.values())
    return counts


@given(partitions, st.integers(0, 5), st.integers(6, 10))
def test_what_is_late_does_not_depend_on_the_order_of_reading(
    tweets: list[list[int]], one: int, other: int
) -> None:
    assert on_time(tweets, one) == on_time(tweets, other)


def test_a_tweet_is_in_time_until_its_partition_is_a_whole_lateness_past_its_window() -> None:
    end = NOON + HOUR
    assert not PACE.is_late(NOON, None, None)
    assert not PACE.is_late(NOON, end + HOUR - timedelta(microseconds=1), None)
    assert PACE.is_late(NOON, end + HOUR, None)
    assert PACE.is_late(NOON, None, end)
    assert not PACE.is_late(NOON, None, NOON)
    assert PACE.complete_until([NOON + 5 * HOUR, end + HOUR]) == end
    assert PACE.complete_until([]) is None


@given(st.datetimes(timezones=st.just(UTC)), st.sampled_from([1, 15, 60, 360, 1440]))
def test_windows_lie_within_days_and_hold_their_moments(moment: datetime, minutes: int) -> None:
    pace = Pace(timedelta(minutes=minutes), HOUR)
    start = pace.start_of(moment)
    assert start <= moment < start + pace.window
    assert (start.hour * 60 + start.minute) % minutes == 0
    assert start.tzinfo is UTC


confidences = st.floats(0.34, 1).map(lambda value: round(value, 6))
tweets = st.builds(
    lambda label, confidence, language: counted(
        scored_tweet(label, confidence, language=language), None
    ),
    st.sampled_from(["negative", "neutral", "positive"]),
    confidences,
    st.sampled_from([None, "en", "pt-BR", "EN", "und", "x" * 16]),
)


@given(st.lists(tweets, max_size=20), st.lists(tweets, max_size=20))
def test_counts_of_parts_add_up_to_the_counts_of_all(one: list, other: list) -> None:  # type: ignore[type-arg]
    def tally(part: list) -> WindowCounts:  # type: ignore[type-arg]
        counts = Tally()
        for tweet in part:
            counts.add(tweet)
        return counts.counts()

    assert tally(one) + tally(other) == tally([*one, *other])
    assert (tally(one) + tally(other)).by_label == tally([*other, *one]).by_label


def test_the_label_is_the_models_own_whatever_a_decision_made_of_it() -> None:
    told = {"text": "abc", "retweet": False, "language": "pt-BR", "pieces": None}
    one = counted_of(probabilities={"neutral": 0.4, "a": 0.4, "z": 0.2}, **told)  # type: ignore[arg-type]
    other = counted_of(probabilities={"z": 0.2, "a": 0.4, "neutral": 0.4}, **told)  # type: ignore[arg-type]
    assert one == other
    assert (one.label, one.confidence_bin, one.language) == ("a", 40, "pt")
    sure = counted_of(probabilities={"a": 1.0, "b": 0.0}, **told)  # type: ignore[arg-type]
    assert sure.confidence_bin == 99


def test_a_retweet_counts_as_one_and_in_nothing_else() -> None:
    own = counted(scored_tweet("negative", 0.9, text="rain"), Pieces(4, 1, 2))
    repeated = Reference(kind="retweeted", tweet_id="5")
    storm = scored_tweet("positive", 0.5, text="sun", language="de", references=(repeated,))
    alone, stormy = Tally(), Tally()
    alone.add(own)
    for tweet in (own, *[counted(storm, Pieces(9, 9, 9))] * 50):
        stormy.add(tweet)
    found = stormy.counts()
    assert (found.tweets, found.retweets, found.judged) == (51, 50, 1)
    assert msgspec.structs.replace(found, tweets=1, retweets=0) == alone.counts()


def test_hashtags_of_a_tweet_count_once_in_lower_case_and_only_the_first() -> None:
    many = tuple(f"Tag{number}" for number in range(40))
    tally = Tally()
    tally.add(counted(scored_tweet(hashtags=("Sun", "SUN", *many)), None))
    assert tally.hashtags == dict.fromkeys(("sun", "tag0", "tag1", "tag2", "tag3"), 1)


@given(st.lists(st.integers(0, 10**6), max_size=1_000, unique=True), st.randoms())
def test_a_sample_is_the_lowest_ranks_in_whatever_order_they_come(
    ranks: list[int], chance: random.Random
) -> None:
    def sample() -> list[int]:
        candidates = Candidates()
        for rank in ranks:
            candidates.offer(Sampled("a", NOON, rank, str(rank), None, ""))
        return [tweet.rank for tweet in candidates.all()]

    first = sample()
    chance.shuffle(ranks)
    assert first == sample() == sorted(ranks)[:SAMPLE]


def reach(reached: int, end: int) -> Reach:
    return Reach({("topic", 0): reached}, {("topic", 0): end})


def test_a_moment_is_drained_once_scoring_and_then_the_watch_have_passed_its_ends() -> None:
    drain = Drain()
    assert drain.look(1.0, reach(5, 9), reach(3, 4)) is None
    # Scoring has not passed 9 yet, however far the watch is.
    assert drain.look(2.0, reach(8, 12), reach(4, 4)) is None
    assert drain.look(3.0, reach(9, 15), reach(4, 8)) is None
    assert drain.look(4.0, reach(14, 20), reach(7, 10)) is None
    assert drain.look(5.0, reach(14, 20), reach(8, 12)) == 1.0
    # The next moment is that of the third look, when the topic ended at 15.
    assert drain.look(6.0, reach(15, 20), reach(12, 13)) is None
    assert drain.look(7.0, reach(20, 20), reach(13, 13)) == 3.0


def test_where_nothing_moves_a_moment_is_drained_at_the_third_look() -> None:
    drain = Drain()
    still = reach(9, 9)
    assert [drain.look(float(now), still, still) for now in range(4)] == [None, None, 0.0, 1.0]
