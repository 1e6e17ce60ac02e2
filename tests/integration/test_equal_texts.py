"""Texts that people sent leave with the tweet that they equal, whatever takes the tweet."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from model_server.prediction_log.log_store import LoggedPrediction, write_predictions
from retrain.labels.feedback.give_feedback import Labeller, correct_text
from schemas.events import LIVE, AuthorErased, ScoredEvent
from schemas.transport.postgres import Connection
from stream_processors.retention.prune import prune
from stream_processors.retention.run_deletion import delete_run
from tests.integration.storing import store
from tests.integration.test_sink import query
from tests.unit.examples import deleted, scored_tweet

NOW = datetime.now(UTC)
POSTED = NOW - timedelta(days=3)
TWEET = "So SICK &amp; tired of  trams https://t.co/1"
EQUAL = "so sick & tired\nof trams"
OTHERS = ("so sick & tired of trains", "so sick & tired of trams!", "https://t.co/1")


def sent(connection: Connection, texts: Iterable[str]) -> None:
    for text in texts:
        correct_text(connection, Labeller(name="ann", overrules=False), text, "neutral", NOW)
        logged = LoggedPrediction(
            prediction_id=str(uuid4()),
            asked_at=NOW,
            asked_by="ann",
            text=text,
            label="neutral",
            confidence=0.5,
            probabilities={"neutral": 0.5},
            model_name="m",
            model_version="1",
            model_sha256="0",
        )
        write_predictions(connection, [logged])


def kept(connection: Connection) -> list[set[str]]:
    connection.rollback()
    return [
        {str(text) for (text,) in query(connection, f"SELECT text FROM {table}")}  # noqa: S608  constants
        for table in ("text_labels", "predictions")
    ]


def tweet(run: str, **fields: Any) -> ScoredEvent:
    changed = {"tweet_id": "7", "author_id": "70", "text": TWEET, "posted_at": POSTED, **fields}
    return scored_tweet(run=run, received_at=NOW, **changed)


ERASED = AuthorErased(run=LIVE, author_id="70", received_at=NOW, source="test")


@pytest.mark.parametrize(
    "removal", [deleted("7", run=LIVE), ERASED], ids=["the tweet", "its author"]
)
def test_a_deletion_takes_the_equal_texts_and_no_other(
    removal: ScoredEvent, connection: Connection
) -> None:
    store(connection, [tweet("spring"), tweet("spring", tweet_id="8", author_id="80", text="ok")])
    sent(connection, [EQUAL, "ok", *OTHERS])
    store(connection, [tweet("spring", tweet_id="9", author_id="90", text="other")])
    assert kept(connection) == [{EQUAL, "ok", *OTHERS}] * 2
    store(connection, [removal])
    assert kept(connection) == [{"ok", *OTHERS}] * 2
    # A repeat changes nothing, nor does one of a tweet that nobody stored.
    store(connection, [removal, deleted("404", run=LIVE)])
    assert kept(connection) == [{"ok", *OTHERS}] * 2


def test_a_deleted_run_and_pruned_days_take_them_too(connection: Connection) -> None:
    days = [tweet(LIVE), tweet(LIVE, tweet_id="8", posted_at=NOW, text="young")]
    store(connection, [*days, tweet("spring", tweet_id="9", text="of spring")])
    sent(connection, [EQUAL, "young", "of spring", *OTHERS])
    prune(connection, (POSTED + timedelta(days=1)).date(), dry_run=False)
    assert kept(connection) == [{"young", "of spring", *OTHERS}] * 2
    delete_run(connection, "spring")
    assert kept(connection) == [{"young", *OTHERS}] * 2
