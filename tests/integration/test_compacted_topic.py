"""A compacted topic as processes follow it: read whole, kept when it is lost, read anew."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from confluent_kafka.admin import AdminClient

from deploy.installation.topics import TopicInstaller
from schemas.decisions import DecisionChosen, NamedDecision, named
from schemas.failures import Failure
from schemas.settings import Settings
from schemas.topics import DECISIONS, topic_specs
from schemas.transport.kafka_config import kafka_config
from schemas.transport.publish_decision import publish_decision
from schemas.transport.publisher import ConfirmingPublisher
from stream_processors.scoring.follow_decisions import DecisionsInUse
from tests.conditions import wait_until
from tests.unit.decision_examples import FITTED_AT, decision


def choose(settings: Settings, run: str, bias: float) -> NamedDecision:
    chosen = decision(run=run, biases=(bias, 0.0, 0.0))
    publish_decision(settings.cluster, run, DecisionChosen(decision=chosen, chosen_at=FITTED_AT))
    return named(chosen)


@contextmanager
def following(settings: Settings) -> Iterator[DecisionsInUse]:
    """What is in use, as a scoring process sees it."""
    decisions = DecisionsInUse(settings.cluster, lambda _: None)
    decisions.topic.load()
    finished = threading.Event()
    thread = threading.Thread(target=decisions.topic.follow_until, args=(finished,))
    thread.start()
    try:
        yield decisions
    finally:
        finished.set()
        thread.join(timeout=10)
        decisions.topic.close()


def test_the_last_decision_of_each_run_is_in_use_until_it_is_taken_back(
    settings: Settings,
) -> None:
    choose(settings, "a", 1.0)
    last, other = choose(settings, "a", 2.0), choose(settings, "b", 3.0)
    with following(settings) as decisions:
        before = decisions.by_run()
        assert before == {"a": last, "b": other}
        publish_decision(settings.cluster, "a", None)
        wait_until(lambda: decisions.by_run() == {"b": other}, 60, "the end of its use")
        # What a window was given does not change under it.
        assert before == {"a": last, "b": other}


def test_what_is_no_decision_changes_nothing_and_is_said(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    kept = choose(settings, "a", 1.0)
    publisher = ConfirmingPublisher(settings.kafka_connection, "test")
    for key, value in ((b"a", b"{}"), (b"\xff", b"rubbish"), (b"", b"rubbish"), (b"", None)):
        publisher.publish(settings.names.topic(DECISIONS), key=key, value=value, headers=[])
    publisher.confirm()
    with caplog.at_level(logging.WARNING), following(settings) as decisions:
        assert decisions.by_run() == {"a": kept}
    assert sum("ignored a message" in record.getMessage() for record in caplog.records) == 3


def test_a_missing_topic_is_said_before_anything_is_consumed(settings: Settings) -> None:
    delete(settings)
    decisions = DecisionsInUse(settings.cluster, lambda _: None)
    with pytest.raises(Failure, match="is missing: `murmur init` makes it"):
        decisions.topic.load(timeout_s=5)
    decisions.topic.close()


def test_what_a_lost_log_said_stays_and_the_new_one_is_read_from_its_beginning(
    settings: Settings, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("schemas.transport.compacted_topic.LOOK_EVERY_S", 1.0)
    for bias in range(5):
        choose(settings, "a", float(bias))
    kept = choose(settings, "lost", 1.0)
    with caplog.at_level(logging.WARNING), following(settings) as decisions:
        delete(settings)
        wait_until(
            lambda: "is gone: what was read of it stays" in caplog.text, 60, "the loss to be said"
        )
        assert decisions.by_run()["lost"] == kept
        installer = TopicInstaller(settings.cluster, settings.topic_layout)
        installer.make(topic_specs(settings.names, settings.topic_layout))
        new = choose(settings, "a", 9.0)
        wait_until(lambda: decisions.by_run()["a"] == new, 60, "the new log to be read")
        assert decisions.by_run()["lost"] == kept
    assert "went back: it is read anew" in caplog.text


def delete(settings: Settings) -> None:
    admin = AdminClient(kafka_config(settings.kafka_connection, "test"))
    name = settings.names.topic(DECISIONS)
    for future in admin.delete_topics([name]).values():
        future.result(30)
    wait_until(lambda: name not in admin.list_topics(timeout=10).topics, 60, "the deletion")
