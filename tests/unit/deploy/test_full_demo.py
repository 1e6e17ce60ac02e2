"""The full demo's tweets, labels and figures; the circle itself is tested by `make circle`."""

from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner

from deploy.demo.cli import demo
from deploy.demo.full.changing_stream import AS_USUAL, CHANGED, RUN, ChangingStream
from deploy.demo.full.given_labels import labels_of
from deploy.demo.full.stored_scores import StoredScore, accuracy_of, longest_wait_s
from schemas.people_labels import LabelOrigin, audit_rank
from schemas.tweet_time import snowflake_time

NOW = datetime(2026, 11, 28, tzinfo=UTC)


def score(
    root_id: str, label: str, *, model: str = "a", at_s: float = 0, wait_s: float = 0.1
) -> StoredScore:
    scored_at = NOW + timedelta(seconds=at_s)
    return StoredScore(root_id, label, model, scored_at - timedelta(seconds=wait_s), scored_at)


def test_the_stream_is_the_same_every_time_and_no_text_comes_twice() -> None:
    streams = [ChangingStream(), ChangingStream()]
    told = [
        stream.next(300, AS_USUAL, NOW) + stream.next(3_000, CHANGED, NOW) for stream in streams
    ]
    assert told[0] == told[1]
    tweets, written = told[0], streams[0].written
    assert (
        len({tweet.text for tweet in tweets}) == len({tweet.root_id for tweet in tweets}) == 3_300
    )
    assert {tweet.run for tweet in tweets} == {RUN}
    assert written.after_change == {tweet.root_id for tweet in tweets[300:]}
    assert [tweet.posted_at for tweet in tweets] == sorted(tweet.posted_at for tweet in tweets)
    assert all(snowflake_time(tweet.tweet_id) == tweet.posted_at for tweet in tweets)
    # Those in other languages have no known mood.
    moods = {written.moods[tweet.root_id] is not None for tweet in tweets if tweet.language == "en"}
    assert moods == {True}
    assert None in written.moods.values()


def test_audits_are_the_lowest_ranks_and_half_of_them_suffice_for_the_gate() -> None:
    stream = ChangingStream()
    stream.next(2_400, CHANGED, NOW)
    moods = stream.written.moods
    labels = labels_of(stream.written.after_change, moods, NOW)
    audits = [each.key.root_id for each in labels if each.key.origin is LabelOrigin.AUDIT]
    others = [each.key.root_id for each in labels if each.key.origin is LabelOrigin.QUEUE]
    assert len(audits) == 1_200
    assert max(map(audit_rank, audits)) < min(map(audit_rank, others))
    assert len(labels) == sum(mood is not None for mood in moods.values()) > 1_500
    assert all(each.label == moods[each.key.root_id] for each in labels)


def test_figures_are_of_tweets_whose_mood_is_known() -> None:
    moods = {"1": "negative", "2": "positive", "3": "negative", "4": None}
    found = accuracy_of([score(each, "negative") for each in moods], moods)
    assert (found.tweets, found.accuracy) == (3, 0.6667)
    assert found.said == {"negative": 1.0}
    assert found.meant == {"negative": 0.6667, "positive": 0.3333}
    assert accuracy_of([], moods).accuracy is None


def test_the_longest_wait_is_the_one_around_the_first_score_of_the_model() -> None:
    scores = [
        score("1", "x", at_s=-60, wait_s=30),
        score("2", "x", at_s=-1, wait_s=0.4),
        score("3", "x", model="b", at_s=0, wait_s=0.7),
        score("4", "x", model="b", at_s=20, wait_s=9),
    ]
    assert longest_wait_s(scores, "b") == pytest.approx(0.7)
    assert longest_wait_s(scores, "c") is None


@pytest.mark.parametrize("option", [("--lines", "300"), ("--run", "mine")])
def test_what_has_no_effect_with_full_is_refused(option: tuple[str, str]) -> None:
    done = CliRunner().invoke(demo, ["--full", *option])
    assert done.exit_code == 2
    assert f"{option[0]} has no effect with --full" in done.output
