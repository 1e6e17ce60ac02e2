"""Rows to figures."""

from collections import Counter
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from stream_processors.aggregates import sum_rollups
from stream_processors.aggregates.sum_rollups import NamedCount, RollupRow, StepCount

ROWS = st.lists(
    st.builds(
        lambda rule, label, model, tweets, share: RollupRow(
            rule, label, "starter", "1", model * 64, tweets, round(tweets * 1_000_000 * share)
        ),
        st.sampled_from(["", "weather", "football"]),
        st.sampled_from(["positive", "neutral", "negative", "anger"]),
        st.sampled_from(["a", "b"]),
        st.integers(0, 10**9),
        st.floats(0, 1),
    )
)


@given(ROWS)
def test_labels_and_models_each_add_up_to_all_tweets(rows: list[RollupRow]) -> None:
    tweets, mean = sum_rollups.total_of(rows)
    assert sum(figure.tweets for figure in sum_rollups.labels_of(rows)) == tweets
    assert sum(figure.tweets for figure in sum_rollups.models_of(rows)) == tweets
    assert (mean is None) == (tweets == 0)


@given(ROWS)
def test_a_mean_confidence_is_a_confidence(rows: list[RollupRow]) -> None:
    _, mean = sum_rollups.total_of(rows)
    means = [figure.mean_confidence for figure in sum_rollups.labels_of(rows)]
    assert all(0 <= value <= 1 for value in [*means, mean or 0])
    if means and mean is not None:
        assert min(means) - 1e-6 <= mean <= max(means) + 1e-6


@given(ROWS)
def test_rules_count_apart_from_all_tweets_and_the_most_frequent_comes_first(
    rows: list[RollupRow],
) -> None:
    expected: Counter[str] = Counter()
    for row in rows:
        expected[row.rule] += row.tweets
    del expected[""]
    rules = sum_rollups.rules_of(rows)
    assert {rule.name: rule.tweets for rule in rules} == dict(+expected)
    assert [rule.tweets for rule in rules] == sorted((r.tweets for r in rules), reverse=True)


def test_the_mean_is_weighted_by_tweets_and_exact() -> None:
    rows = [
        RollupRow("", "positive", "m", "1", "a", 3, 2_700_000),
        RollupRow("", "positive", "m", "2", "b", 1, 500_000),
        RollupRow("", "negative", "m", "1", "a", 4, 2_400_000),
    ]
    assert sum_rollups.total_of(rows) == (8, 0.7)
    assert [(f.label, f.mean_confidence) for f in sum_rollups.labels_of(rows)] == [
        ("negative", 0.6),
        ("positive", 0.8),
    ]


def test_a_label_whose_tweets_all_went_is_not_shown() -> None:
    assert sum_rollups.labels_of([RollupRow("", "positive", "m", "1", "a", 0, 0)]) == []
    assert sum_rollups.grouped([NamedCount("rain", "positive", 0)]) == []


def test_a_series_has_a_point_where_nothing_was_posted() -> None:
    start = datetime(2024, 5, 1, tzinfo=UTC)
    starts = [start, start + timedelta(minutes=1)]
    counts = [StepCount(starts[1], "positive", 2), StepCount(starts[1], "negative", 1)]
    points = sum_rollups.series_of(starts, counts)
    assert [(point.start, point.by_label) for point in points] == [
        (starts[0], {}),
        (starts[1], {"negative": 1, "positive": 2}),
    ]
