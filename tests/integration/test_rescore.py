"""Stored tweets scored anew by another model: figures move with them, and back again."""

import signal
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from model_server.overrides.override_file import read_overrides
from model_server.scorer import Prediction, load_scorer
from schemas.events import LIVE, MatchedRule, ModelIdentity, TweetScored
from schemas.settings import Settings
from schemas.transport.postgres import Connection, connect_postgres
from stream_processors.rescoring.pace import Pace
from stream_processors.rescoring.rescore import Rescored, rescore
from tests.conditions import wait_until
from tests.integration.storing import arrived_now, store
from tests.integration.test_sink import query
from tests.keyword_bundle import keyword_bundle
from tests.recount import differing_hashtag_rollups, differing_rollups
from tests.stack import MURMUR, process_environment
from tests.unit.examples import LABELS, POSTED_AT, RECEIVED_AT, deleted, scored_tweet
from tests.unit.examples import model as identity_of

FIRST, LAST = datetime(2006, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
FIGURES = "SELECT * FROM rollups ORDER BY run, granularity, bucket_start, rule, label, model_id"
HASHTAGS = "SELECT * FROM hashtag_rollups ORDER BY run, granularity, bucket_start, hashtag, label"
LANGUAGES = (
    "SELECT * FROM unknown_language_rollups ORDER BY run, granularity, bucket_start, language"
)
COUNTING = "SELECT run, root_id, label, model_id FROM scores WHERE counts ORDER BY run, root_id"


def everything(connection: Connection) -> list[list[tuple[Any, ...]]]:
    return [query(connection, each) for each in (FIGURES, HASHTAGS, LANGUAGES, COUNTING)]


def tweets(count: int, run: str = "test") -> list[TweetScored]:
    """Return tweets of all kinds, some in a language that their model does not know."""
    return [
        msgspec.structs.replace(
            tweet,
            language="de" if number % 5 == 0 else "en",
            score=msgspec.structs.replace(tweet.score, language_known=number % 5 != 0),
        )
        for number in range(count)
        for tweet in [
            scored_tweet(
                LABELS[number % 3],
                round(0.34 + 0.6 * (number % 97) / 97, 6),
                run=run,
                tweet_id=str(1_000_000 + number),
                text=f"{'rain' if number % 2 else 'sun'} {number}",
                posted_at=POSTED_AT + timedelta(minutes=number % 200, days=number % 3),
                rules=(MatchedRule(tag="rain"),) if number % 2 else (),
                hashtags=("weather",) if number % 4 else (),
            )
        ]
    ]


class Opposite:
    """Knows every language, calls rain negative and everything else positive; counts its work."""

    labels = LABELS

    def __init__(self, name: str = "opposite") -> None:
        self.identity: ModelIdentity = identity_of(name)
        self.asked = 0

    def knows(self, language: str | None) -> bool | None:
        return None if language is None else True

    def predict(self, texts: Sequence[str]) -> list[Prediction]:
        self.asked += len(texts)
        return [
            Prediction(label, 0.9, {name: 0.9 if name == label else 0.05 for name in LABELS})
            for label in ("negative" if "rain" in text else "positive" for text in texts)
        ]


class Before(Opposite):
    """The model that scored the tweets first; it is never asked again."""

    def __init__(self) -> None:
        super().__init__("a")

    def predict(self, texts: Sequence[str]) -> list[Prediction]:
        raise AssertionError(f"asked for {len(texts)} texts that it has scored")


def rescored(connection: Connection, model: Opposite, run: str = "test", **more: Any) -> Rescored:
    span = {"first": FIRST, "until": LAST, **more}
    return rescore(connection, run, model, now=lambda: RECEIVED_AT, tweets_at_once=32, **span)


def figures_equal_a_recount(connection: Connection) -> bool:
    return not (differing_rollups(connection) or differing_hashtag_rollups(connection))


@pytest.mark.parametrize("run", ["test", LIVE])
def test_figures_move_with_the_scores_and_back_again_exactly(
    run: str, connection: Connection
) -> None:
    store(connection, arrived_now(tweets(150, run)))
    before = everything(connection)
    opposite = Opposite()
    report = rescored(connection, opposite, run)
    assert (report.tweets, report.scored, opposite.asked) == (150, 150, 150)
    assert figures_equal_a_recount(connection)
    assert query(connection, LANGUAGES) == []
    counting = {label for _, _, label, _ in query(connection, COUNTING)}
    assert counting == {"negative", "positive"}
    assert rescored(connection, opposite, run).tweets == 0
    back = rescored(connection, Before(), run)
    assert (back.tweets, back.scored) == (150, 0)
    assert everything(connection) == before


def test_overrides_that_change_while_it_runs_count_from_the_next_batch_on(
    connection: Connection, tmp_path: Path
) -> None:
    store(connection, tweets(90))
    (tmp_path / "overrides.yaml").write_text(
        "- {name: rain-is-fine, pattern: rain, label: neutral, reason: they are farmers,"
        " tests: {changes: [rain again], leaves: [the sun]}}"
    )
    found = read_overrides(tmp_path / "overrides.yaml", LABELS)
    asked = iter([None, None, found, found])
    assert rescored(connection, Opposite(), overrides=lambda: next(asked)).tweets == 90
    overridden = query(
        connection,
        "SELECT count(*) FROM scores WHERE counts AND override_name = 'rain-is-fine'",
    )
    assert overridden == [((90 - 64) // 2,)], "batches hold 32"
    assert figures_equal_a_recount(connection)


def test_only_the_span_that_was_asked_for_is_scored(connection: Connection) -> None:
    store(connection, tweets(90))
    until = POSTED_AT + timedelta(days=1)
    report = rescored(connection, Opposite(), until=until)
    assert report.tweets == sum(tweet.posted_at < until for tweet in tweets(90))
    assert figures_equal_a_recount(connection)


def test_what_is_deleted_or_edited_while_it_is_scored_is_left_alone(
    connection: Connection, settings: Settings
) -> None:
    stored = tweets(40)
    store(connection, stored)
    other = connect_postgres(settings.postgres_connection, "test")
    edit = msgspec.structs.replace(
        stored[1], tweet_id="9000001", version=1, edit_history=(stored[1].root_id, "9000001")
    )

    class Slow(Opposite):
        def predict(self, texts: Sequence[str]) -> list[Prediction]:
            if self.asked == 0:
                store(other, [deleted(run="test", tweet_id=stored[0].root_id), edit])
            return super().predict(texts)

    report = rescored(connection, Slow())
    other.close()
    assert report.tweets == 38
    counting = {root: label for _, root, label, _ in query(connection, COUNTING)}
    assert stored[0].root_id not in counting
    assert counting[stored[1].root_id] == stored[1].score.label
    assert figures_equal_a_recount(connection)
    assert rescored(connection, Opposite()).tweets == 1


def test_killed_it_goes_on_where_it_was(
    connection: Connection, settings: Settings, tmp_path: Path
) -> None:
    store(connection, tweets(2_000))
    bundle = keyword_bundle(tmp_path / "bundle", {"rain": "negative", "sun": "positive"})
    arguments = [str(MURMUR), "rescore", "--run", "test", "--model", str(bundle.folder)]
    done = "SELECT count(*) FROM scores JOIN models USING (model_id) WHERE counts AND sha256 = %s"

    def counted() -> int:
        with connection, connection.cursor() as cursor:
            cursor.execute(done, (bundle.identity.sha256,))
            return int(cursor.fetchall()[0][0])

    with subprocess.Popen(
        [*arguments, "--rate", "500"], env=process_environment(settings)
    ) as process:
        wait_until(lambda: counted() > 0, 60, "the first batch")
        process.send_signal(signal.SIGKILL)
    first = counted()
    assert 0 < first < 2_000
    assert figures_equal_a_recount(connection)
    finished = subprocess.run(
        [*arguments, "--json"],
        env=process_environment(settings),
        capture_output=True,
        timeout=120,
        check=True,
    )
    assert msgspec.json.decode(finished.stdout)["tweets"] == 2_000 - first
    assert counted() == 2_000
    assert figures_equal_a_recount(connection)
    expected = load_scorer(bundle.folder, cache_size=0).predict(["rain 1", "sun 2"])
    labels = {root: label for _, root, label, _ in query(connection, COUNTING)}
    assert [labels["1000001"], labels["1000002"]] == [answer.label for answer in expected]


def test_a_rate_bounds_the_tweets_of_each_second() -> None:
    time_s = [0.0]
    waits: list[float] = []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        time_s[0] += seconds

    pace = Pace(100, clock=lambda: time_s[0], wait=wait)
    pace(50)
    time_s[0] += 0.25
    pace(50)
    time_s[0] += 10
    pace(50)
    assert waits == [0.5, 0.25]
    Pace(None, clock=lambda: time_s[0], wait=wait)(1_000)
    assert len(waits) == 2
