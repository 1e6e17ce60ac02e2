"""What every process tells Prometheus of itself, beside what its stage measures."""

import shutil
import subprocess
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from schemas.events import MatchedRule
from schemas.process.metric_list import EXPOSING
from schemas.process.metrics import StageMetrics
from schemas.process.progress import Progress
from stream_processors.sink.tweet_metrics import BoundedNames, TweetMetrics
from tests.unit.examples import scored_tweet
from tests.unit.schemas.test_process_lists import page_of


def sample(metrics: StageMetrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(name, labels)


def test_what_came_in_and_what_went_out_are_two_counters() -> None:
    metrics = StageMetrics("score")
    assert sample(metrics, "murmur_events_in_total", stage="score") == 0
    metrics.passed(10, 7)
    assert sample(metrics, "murmur_events_in_total", stage="score") == 10
    assert sample(metrics, "murmur_events_out_total", stage="score") == 7


def test_a_partition_that_another_process_has_taken_over_has_no_series_here() -> None:
    metrics = StageMetrics("sink")
    metrics.show_partitions({("tweets.scored", 0): 5, ("tweets.scored", 1): 6})
    metrics.show_partitions({("tweets.scored", 1): 7})
    name, where = "murmur_partition_lag_messages", {"stage": "sink", "topic": "tweets.scored"}
    assert sample(metrics, name, **where, partition="1") == 7
    assert sample(metrics, name, **where, partition="0") is None


def test_it_shows_for_whom_it_waits_and_its_disk(tmp_path: Path) -> None:
    metrics = StageMetrics("sink")
    progress = Progress(lambda: 0.0, stall_after_s=60)
    progress.ready = True
    metrics.follow(progress, progress.readiness, tmp_path / "not" / "made" / "yet")
    assert sample(metrics, "murmur_ready", stage="sink") == 1
    assert sample(metrics, "murmur_home_free_bytes", stage="sink")
    progress.unavailable = "PostgreSQL"
    assert sample(metrics, "murmur_ready", stage="sink") == 0
    assert sample(metrics, "murmur_server_away", stage="sink", server="PostgreSQL") == 1
    assert sample(metrics, "murmur_server_away", stage="sink", server="Kafka") == 0


def test_names_beyond_the_bound_share_one() -> None:
    names = BoundedNames(2)
    assert [names.of(name) for name in "abcab"] == ["a", "b", "other", "a", "b"]


def test_a_tweet_counts_once_for_all_and_once_for_each_rule() -> None:
    registry = CollectorRegistry()
    metrics = TweetMetrics(registry, most_names=1)
    rules = tuple(MatchedRule(tag=tag) for tag in ("cats", "dogs", "birds"))
    metrics.count([scored_tweet(run="live", rules=rules)])

    def tweets(rule: str) -> float | None:
        labels = {"kind": "live", "rule": rule, "label": "positive"}
        return registry.get_sample_value("murmur_sink_tweets_total", labels)

    assert [tweets(rule) for rule in ("", "cats", "other", "dogs")] == [1, 1, 1, None]


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed here")
@pytest.mark.parametrize("process", EXPOSING)
def test_prometheus_finds_nothing_to_mend_on_a_page(process: str) -> None:
    assert promtool(page_of(process)[1]) == (0, "")


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed here")
def test_a_page_that_has_a_counter_with_a_wrong_name_is_noticed() -> None:
    page = "# HELP murmur_odd Odd\n# TYPE murmur_odd counter\nmurmur_odd 1\n"
    assert promtool(page)[0] != 0


def promtool(page: str) -> tuple[int, str]:
    checked = subprocess.run(
        ["promtool", "check", "metrics"],
        input=page,
        text=True,
        capture_output=True,
        timeout=60,
        check=False,
    )
    return checked.returncode, checked.stdout + checked.stderr


def test_nothing_of_when_series_were_made_stands_on_a_page() -> None:
    assert "_created" not in page_of("sink")[1]
    assert "_created" not in generate_latest(StageMetrics("sink").registry).decode()
