"""Decisions from audits to events, rows and figures, on the real stack."""

import json
import signal
import subprocess
import threading
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner, Result

from deploy.decision_commands import decisions
from model_server.bundle import default_bundle, open_bundle
from model_server.decisions import decide
from model_server.scorer import load_scorer
from schemas.codec import decode_scored
from schemas.decisions import Decision, DecisionChosen, decision_id, named
from schemas.events import LIVE, MatchedRule, TweetScored
from schemas.settings import Settings
from schemas.stored_decisions import find_decision, mark_in_use, store_decision
from schemas.topics import DECISIONS, SCORED
from schemas.transport.postgres import Connection, connect_postgres
from schemas.transport.publish_decision import publish_decision
from stream_processors.aggregates.aggregates import DecisionInUse
from stream_processors.aggregates.from_postgres import aggregates_of
from stream_processors.aggregates.time_windows import parse_window
from stream_processors.queries.export_rows import rows_of
from stream_processors.redeciding.redecide import _batch, redecide
from tests.conditions import wait_until
from tests.integration.storing import store
from tests.integration.test_rescore import Before, Opposite, rescored
from tests.integration.test_score import everything_scored, messages, publish_raw, running_score
from tests.integration.test_sink import query
from tests.recount import differing_hashtag_rollups, differing_rollups
from tests.stack import MURMUR, process_environment
from tests.unit.decision_examples import FITTED_AT, decision
from tests.unit.examples import LABELS, POSTED_AT, RECEIVED_AT, deleted, model, posted, scored_tweet

FIRST, LAST = datetime(2006, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
ROWS = """
    SELECT s.run, s.root_id, s.model_id, s.counts, s.label, s.confidence, s.decision_id
    FROM scores AS s ORDER BY s.run, s.root_id, s.model_id
"""
FIGURES = "SELECT * FROM rollups ORDER BY run, granularity, bucket_start, rule, label, model_id"
HASHTAGS = "SELECT * FROM hashtag_rollups ORDER BY run, granularity, bucket_start, hashtag, label"


def everything(connection: Connection) -> list[list[tuple[Any, ...]]]:
    return [query(connection, statement) for statement in (ROWS, FIGURES, HASHTAGS)]


def tweets(count: int, run: str = "test", *, by: str = "a") -> list[TweetScored]:
    """Return tweets of all kinds: labels, confidences, minutes, rules, hashtags."""
    return [
        scored_tweet(
            LABELS[number % 3],
            round(0.34 + 0.65 * (number % 97) / 97, 6),
            by=by,
            run=run,
            tweet_id=str(1_000_000 + number),
            posted_at=POSTED_AT + timedelta(minutes=number % 200, days=number % 3),
            rules=tuple(MatchedRule(tag=tag) for tag in ("a", "b")[: number % 3]),
            hashtags=("tram",) if number % 4 else (),
        )
        for number in range(count)
    ]


def assert_figures_equal_the_rows(connection: Connection) -> None:
    assert differing_rollups(connection) == []
    assert differing_hashtag_rollups(connection) == []


CHOSEN = decision(biases=(-0.8, 0.9, 0.1), by_rule={"a": (0.5, -0.5, 0.0)})


def invoke(settings: Settings, *arguments: str) -> Result:
    return CliRunner(env=process_environment(settings)).invoke(decisions, list(arguments))


def document(settings: Settings, *arguments: str) -> Any:
    result = invoke(settings, *arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_the_sink_stores_which_decision_chose_a_label(connection: Connection) -> None:
    plain, chosen = scored_tweet(tweet_id="1"), scored_tweet(tweet_id="2")
    score = msgspec.structs.replace(chosen.score, decision="0123456789abcdef")
    store(connection, [plain, msgspec.structs.replace(chosen, score=score)])
    found = query(connection, "SELECT root_id, decision_id FROM scored_tweets ORDER BY 1")
    assert found == [("1", None), ("2", "0123456789abcdef")]


def test_rows_are_decided_as_scoring_decides_and_figures_with_them(connection: Connection) -> None:
    every = [*tweets(250), *tweets(40, "other"), *tweets(30, by="b")]
    store(connection, every)
    before = everything(connection)
    report = redecide(connection, "test", named(CHOSEN), first=FIRST, until=LAST, scores_at_once=70)
    assert report.scores == 250
    rows = {
        root_id: (label, confidence)
        for _, root_id, _, _, label, confidence, id_ in query(connection, ROWS)
        if id_ == decision_id(CHOSEN)
    }
    assert rows == {
        event.root_id: decide(event.score.probabilities, [r.tag for r in event.rules], CHOSEN)
        for event in every[:250]
    }
    assert report.other_labels == sum(
        event.score.label != rows[event.root_id][0] for event in every[:250]
    )
    assert report.other_labels > 20
    assert_figures_equal_the_rows(connection)
    # Other runs and other models have nothing of it.
    untouched = [row for row in query(connection, ROWS) if row[6] is None]
    assert untouched == [row for row in before[0] if row[0] == "other" or row[2] != 1]
    # Again it changes nothing, and the model's own labels come back to the last digit.
    after = everything(connection)
    assert redecide(connection, "test", named(CHOSEN), first=FIRST, until=LAST).scores == 0
    assert everything(connection) == after
    assert (
        redecide(connection, "test", None, first=FIRST, until=LAST, scores_at_once=33).scores == 250
    )
    assert everything(connection) == before
    # What an older decision decided is decided by the newer one.
    older = named(decision(biases=(0.6, -0.3, -0.3)))
    assert redecide(connection, "test", older, first=FIRST, until=LAST).scores == 250
    assert redecide(connection, "test", named(CHOSEN), first=FIRST, until=LAST).scores == 250
    assert everything(connection) == after


def test_only_the_tweets_of_a_span_are_decided_in_live_too(connection: Connection) -> None:
    chosen = msgspec.structs.replace(CHOSEN, run=LIVE)
    store(connection, tweets(120, LIVE))
    first = POSTED_AT + timedelta(days=1)
    report = redecide(connection, LIVE, named(chosen), first=first, until=first + timedelta(days=1))
    days = query(
        connection,
        "SELECT DISTINCT posted_at >= %s AND posted_at < %s, decision_id IS NOT NULL"
        " FROM scored_tweets ORDER BY 1".replace("%s", "'{}'").format(
            first, first + timedelta(days=1)
        ),
    )
    assert days == [(False, False), (True, True)]
    assert report.scores == 40
    assert_figures_equal_the_rows(connection)
    assert redecide(connection, LIVE, named(chosen), first=FIRST, until=LAST).scores == 80
    assert_figures_equal_the_rows(connection)


def test_figures_of_pruned_days_are_final(connection: Connection) -> None:
    store(connection, tweets(60, LIVE))
    chosen = msgspec.structs.replace(CHOSEN, run=LIVE)
    limit = (POSTED_AT + timedelta(days=2)).date()
    with connection, connection.cursor() as cursor:
        cursor.execute("INSERT INTO kept_days (run, kept_from) VALUES ('live', %s)", (limit,))
    assert redecide(connection, LIVE, named(chosen), first=FIRST, until=LAST).scores == 20
    assert_figures_equal_the_rows(connection)


def test_killed_at_any_time_it_goes_on_and_ends_as_if_undisturbed(
    settings: Settings, connection: Connection, tmp_path: Path
) -> None:
    store(connection, tweets(6_000))
    chosen = in_use(connection, CHOSEN)
    environment = process_environment(settings)
    command = [str(MURMUR), "decisions", "apply", "--run", "test", "--json"]
    left: list[int] = []
    for target in (1_000, 2_000, 4_000):
        with (tmp_path / "log").open("ab") as log:
            process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
            try:
                wait_until(
                    lambda target=target, process=process: (  # type: ignore[misc]
                        decided(connection) >= target or process.poll() is not None
                    ),
                    60,
                    f"{target} decided scores",
                )
            finally:
                process.send_signal(signal.SIGKILL)
                process.wait()
        left.append(6_000 - decided(connection))
        assert_figures_equal_the_rows(connection)
    assert 0 < left[0] < 6_000

    def run() -> Any:
        finished = subprocess.run(command, env=environment, capture_output=True, check=True)
        return json.loads(finished.stdout)

    assert run()["scores"] == left[-1]
    assert decided(connection) == 6_000
    killed = everything(connection)
    again = run()
    assert (again["decision"], again["scores"], again["other_labels"]) == (chosen, 0, 0)
    redecide(connection, "test", None, first=FIRST, until=LAST)
    redecide(connection, "test", named(CHOSEN), first=FIRST, until=LAST)
    assert everything(connection) == killed
    assert_figures_equal_the_rows(connection)


def decided(connection: Connection) -> int:
    ((count,),) = query(connection, "SELECT count(*) FROM scores WHERE decision_id IS NOT NULL")
    assert isinstance(count, int)
    return count


def in_use(connection: Connection, chosen: Decision) -> str:
    """Note that a run uses a decision, without Kafka."""
    with connection, connection.cursor() as cursor:
        id_ = store_decision(cursor, chosen).id
        mark_in_use(cursor, chosen.run, id_)
    return id_


def test_an_edit_that_waits_for_it_takes_back_the_label_that_stands(
    settings: Settings, connection: Connection
) -> None:
    """Without the lock on scores the edit would take back the label that it read before."""
    first = scored_tweet("negative", 0.4, tweet_id="5", hashtags=("tram",))
    store(connection, [first])
    edit = scored_tweet(
        "positive", 0.9, tweet_id="6", root_id="5", version=1, edit_history=("5", "6")
    )
    other = connect_postgres(settings.postgres_connection, "test")
    waiting = threading.Thread(target=store, args=(other, [edit]))
    try:
        with connection, connection.cursor() as cursor:
            before, after = _batch(
                cursor,
                named(CHOSEN),
                None,
                {
                    "run": "test",
                    "day": None,
                    "root_id": "",
                    "model_id": -1,
                    "first": FIRST,
                    "until": LAST,
                    "decision": decision_id(CHOSEN),
                    "model_sha256": CHOSEN.model_sha256,
                    "most": 10,
                },
            )
            assert (before[0].label, after[0].label) == ("negative", "neutral")
            waiting.start()
            wait_until(lambda: is_waiting(settings), 60, "the edit to wait for the batch")
        waiting.join(timeout=30)
        assert not waiting.is_alive()
    finally:
        other.close()
    assert query(connection, "SELECT label, decision_id FROM scored_tweets") == [("positive", None)]
    assert_figures_equal_the_rows(connection)


def is_waiting(settings: Settings) -> bool:
    watching = connect_postgres(settings.postgres_connection, "watch")
    try:
        return bool(
            query(
                watching,
                "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
                " AND datname = current_database()",
            )
        )
    finally:
        watching.close()


def test_a_deletion_and_a_decision_leave_nothing_of_a_tweet(connection: Connection) -> None:
    store(connection, tweets(30))
    redecide(connection, "test", named(CHOSEN), first=FIRST, until=LAST)
    store(connection, [deleted(str(1_000_000 + number)) for number in range(10)])
    redecide(connection, "test", None, first=FIRST, until=LAST)
    assert query(connection, "SELECT count(*) FROM tweets") == [(20,)]
    assert_figures_equal_the_rows(connection)


def label_audits(connection: Connection, labels: Sequence[tuple[str, str]]) -> None:
    with connection, connection.cursor() as cursor:
        for root_id, label in labels:
            cursor.execute(
                "INSERT INTO labels (run, root_id, version, labeller, origin, label, answer_seen,"
                " labelled_at) VALUES ('test', %s, 0, 'ann', 'audit', %s, false, now())",
                (root_id, label),
            )


def a_stream_that_people_see_otherwise(count: int) -> tuple[list[TweetScored], list[str]]:
    """Return tweets that the model mostly calls negative where people mostly say neutral."""
    events, truth = [], []
    for number in range(count):
        confidence = round(0.4 + 0.5 * (number * 37 % 100) / 100, 6)
        label = ("negative", "negative", "neutral", "positive")[number % 4]
        events.append(scored_tweet(label, confidence, tweet_id=str(5_000 + number)))
        unsure = label == "negative" and confidence < 0.65
        truth.append("neutral" if unsure else label)
    return events, truth


def test_a_decision_is_fitted_used_listed_shown_and_dropped(
    settings: Settings, connection: Connection
) -> None:
    events, truth = a_stream_that_people_see_otherwise(400)
    store(connection, events)
    audits = [(event.root_id, label) for event, label in zip(events, truth, strict=True)]
    label_audits(connection, audits[:49])
    refused = invoke(settings, "fit", "--run", "test")
    assert "has 49 audits" in str(refused.exception)
    assert "label 1 more" in str(refused.exception)
    label_audits(connection, audits[49:120])
    fitted = document(settings, "fit", "--run", "test", "--use")
    figures = fitted["decision"]["figures"]
    assert fitted["in_use"] is True
    assert fitted["decision"]["audits"] == 120
    assert fitted["decision"]["model_sha256"] == model().sha256
    assert figures["share_error"]["gain"] > 0.05
    assert figures["share_error"]["low"] <= figures["share_error"]["gain"]
    listed = document(settings, "list", "--run", "test")["decisions"]
    assert [(each["id"], each["in_use"]) for each in listed] == [(fitted["id"], True)]
    assert document(settings, "show", fitted["id"][:6])["decision"] == fitted["decision"]
    assert "in use" in invoke(settings, "list").output
    assert "error of the shares" in invoke(settings, "show", fitted["id"]).output
    applied = document(settings, "apply", "--run", "test")
    assert (applied["scores"], applied["decision"]) == (400, fitted["id"])
    again = document(settings, "apply", "--run", "test")
    assert (again["scores"], again["note"]) == (
        0,
        "every stored score of these tweets is decided so already",
    )
    (figures,) = aggregates_of(connection, "test", [parse_window("all")], RECEIVED_AT)
    assert figures.decision == DecisionInUse(id=fitted["id"], model_sha256=model().sha256)
    other = Opposite()
    note = rescored(connection, other).note
    assert f"decision {fitted['id']}, which the run uses, is of another model" in note
    # What that model said before is decided still.
    assert rescored(connection, Before()).note == ""
    ((negative,),) = query(
        connection, "SELECT count(*) FROM scored_tweets WHERE label = 'negative'"
    )
    people = truth.count("negative")
    assert isinstance(negative, int)
    assert abs(negative - people) < 40 < 200 - people
    assert {row.decision_id for row in rows_of(connection, "test")} == {fitted["id"]}
    connection.rollback()
    assert_figures_equal_the_rows(connection)
    dropped = document(settings, "drop", fitted["id"])
    assert (dropped["in_use"], dropped["deleted"]) == (True, False)
    with connection, connection.cursor() as cursor:
        assert not find_decision(cursor, fitted["id"]).in_use
    keys = [(m.key(), m.value() is None) for m in messages(settings, DECISIONS, 2)]
    assert keys == [(b"test", False), (b"test", True)]
    assert "uses no decision" in str(invoke(settings, "apply", "--run", "test").exception)
    assert document(settings, "apply", "--run", "test", "--none")["scores"] == 400
    assert query(connection, "SELECT count(*) FROM scores WHERE decision_id IS NOT NULL") == [(0,)]
    assert_figures_equal_the_rows(connection)


def test_a_decision_that_would_make_things_worse_is_refused_with_its_figure(
    settings: Settings, connection: Connection
) -> None:
    events = tweets(200)
    store(connection, events)
    label_audits(connection, [(event.root_id, event.score.label) for event in events[:60]])
    refused = invoke(settings, "fit", "--run", "test", "--use")
    message = str(refused.exception)
    assert "the decision is refused: the error of the shares would rise from 0.000" in message
    assert "95 % interval" in message
    assert document(settings, "list")["decisions"] == []


def test_one_that_was_never_used_is_forgotten(settings: Settings, connection: Connection) -> None:
    with connection, connection.cursor() as cursor:
        id_ = store_decision(cursor, CHOSEN).id
        assert store_decision(cursor, CHOSEN).id == id_
    assert document(settings, "drop", id_)["deleted"] is True
    assert document(settings, "list")["decisions"] == []
    assert "no decision begins with" in str(invoke(settings, "show", id_).exception)


@pytest.mark.timeout(240)
def test_scoring_follows_the_topic_between_two_windows(settings: Settings, tmp_path: Path) -> None:
    identity = open_bundle(default_bundle()).identity
    chosen = decision(
        biases=(0.0, 50.0, 0.0), by_rule={"tram": (50.0, 0.0, 0.0)}, model_sha256=identity.sha256
    )
    of_another_model = decision(run="other", biases=(0.0, 50.0, 0.0))
    publish_decision(settings.cluster, "test", DecisionChosen(decision=chosen, chosen_at=FITTED_AT))
    publish_decision(
        settings.cluster, "other", DecisionChosen(decision=of_another_model, chosen_at=FITTED_AT)
    )
    # One that is keyed by a run which is not its own decides nothing.
    publish_decision(
        settings.cluster, "third", DecisionChosen(decision=chosen, chosen_at=FITTED_AT)
    )
    log = tmp_path / "score.log"
    text = "what a lovely, wonderful day"

    def one(number: int, run: str = "test", rule: str | None = None) -> None:
        rules = (MatchedRule(tag=rule),) if rule else ()
        publish_raw(settings, [posted(tweet_id=str(number), text=text, run=run, rules=rules)])

    with running_score(settings, log):
        # Read to its end before the first window.
        for number, run, rule in ((1, "test", None), (2, "test", "tram"), (3, "other", None)):
            one(number, run, rule)
        one(4, "third")
        wait_until(lambda: everything_scored(settings), 60, "the first windows")
        publish_decision(settings.cluster, "test", None)
        wait_until(lambda: "no decision is used any more" in log.read_text(), 60, "the end of it")
        one(5)
        wait_until(lambda: everything_scored(settings), 60, "the next window")
        found = messages(settings, SCORED, 5)
    scores = {
        event.tweet_id: event.score
        for event in (decode_scored(message.value()) for message in found)
        if isinstance(event, TweetScored)
    }
    (own,) = load_scorer(None, cache_size=0).predict([text])
    plain = (own.label, own.confidence, None)
    answers = {id_: (s.label, s.confidence, s.decision) for id_, s in scores.items()}
    assert answers == {
        "1": ("neutral", 1.0, decision_id(chosen)),
        "2": ("negative", 1.0, decision_id(chosen)),
        "3": plain,
        "4": plain,
        "5": plain,
    }
    # The model's own probabilities stay beside it.
    assert all(score.probabilities == own.probabilities for score in scores.values())
    assert "is of another model" in log.read_text()
    assert "key names another run" in log.read_text()
