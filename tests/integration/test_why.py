"""`murmur why`: from the rows that are stored, and from nothing that was deleted."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from click.testing import CliRunner, Result

from retrain.drift.why.cli import why
from retrain.drift.why.compare_spans import _LOWEST_RANKS, Span, compare_spans
from schemas.events import MatchedRule, Reference, TweetScored
from schemas.people_labels import audit_rank
from schemas.settings import Settings
from schemas.transport.postgres import Connection
from tests.integration.storing import store
from tests.unit.examples import deleted, scored_tweet

START = datetime(2016, 11, 17, tzinfo=UTC)
MIDDLE, END = START + timedelta(hours=12), START + timedelta(hours=24)
RULE = (MatchedRule(tag="airlines"),)


def day_of_tweets() -> list[TweetScored]:
    """A quiet half day of rule and of others, then one with a strike in the rule."""
    tweets = []
    for number in range(400):
        late = number >= 200
        strike = late and number % 2 == 0
        tweets.append(
            scored_tweet(
                "negative" if strike else "positive",
                tweet_id=str(1_000 + number),
                run="r",
                posted_at=START + timedelta(minutes=3 * number),
                text=f"another flight number {number % 7} " + ("[bold]strike" if strike else ""),
                hashtags=("chaos",) if strike else ("sky",),
                rules=RULE,
                language="de" if strike else "en",
            )
        )
    return tweets


def murmur_why(settings: Settings, *arguments: str) -> Result:
    environment = {"MURMUR_POSTGRES": settings.postgres_uri}
    return CliRunner(env=environment).invoke(why, ["--run", "r", *arguments])


def document(settings: Settings, *arguments: str) -> dict[str, Any]:
    result = murmur_why(
        settings, "--from", MIDDLE.isoformat(), "--to", END.isoformat(), "--json", *arguments
    )
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def test_it_names_what_moved_with_shares_examples_and_what_they_explain(
    connection: Connection, settings: Settings
) -> None:
    store(connection, day_of_tweets())
    found = document(settings, "--rule", "airlines")
    assert found["before"]["start"] == "2016-11-17T00:00:00Z"
    assert (found["before"]["tweets"], found["after"]["tweets"]) == (240, 160)
    changed = found["changed"]
    assert changed["label"] in ("negative", "positive")
    moved = {(one["kind"], one["name"]): one for one in changed["moved"]}
    word = moved["word", "strike"]
    assert word["share_after"] == pytest.approx(80 / 160)
    assert word["share_before"] == pytest.approx(20 / 240)
    assert len(word["examples"]) == 3
    assert moved["hashtag", "chaos"]["share_after"] == word["share_after"]
    assert moved["language", "de"]["z"] > 3
    assert found["rules"] == []
    whole = document(settings)
    assert whole["changed"]["moved"] == changed["moved"]
    (rule,) = whole["rules"]
    assert (rule["rule"], rule["tweets_before"], rule["tweets_after"]) == ("airlines", 240, 160)
    assert abs(rule["label_share_after"] - rule["label_share_before"]) == pytest.approx(
        80 / 160 - 20 / 240
    )


def test_a_person_sees_names_as_they_are_and_no_texts(
    connection: Connection, settings: Settings
) -> None:
    store(connection, day_of_tweets())
    result = murmur_why(settings, "--from", MIDDLE.isoformat(), "--to", END.isoformat())
    assert result.exit_code == 0, result.output
    assert "#chaos" in result.stdout
    assert "strike" in result.stdout
    assert "another flight number" not in result.stdout
    assert "airlines" in result.stdout


def test_deleted_tweets_are_in_none_of_it(connection: Connection, settings: Settings) -> None:
    tweets = day_of_tweets()
    store(connection, tweets)
    gone = [tweet for tweet in tweets if "strike" in tweet.text]
    retweet = scored_tweet(
        tweet_id="5000",
        run="r",
        posted_at=MIDDLE,
        text="RT strike",
        references=(Reference(kind="retweeted", tweet_id=gone[0].tweet_id),),
    )
    store(connection, [retweet])
    store(connection, [deleted(tweet.tweet_id, run="r") for tweet in gone])
    found = document(settings)
    assert found["after"]["tweets"] == 80
    assert "strike" not in json.dumps(found)
    examples = {one for moved in found["changed"]["moved"] for one in moved["examples"]}
    assert not examples & {tweet.tweet_id for tweet in gone}


def test_beyond_a_number_of_tweets_a_sample_is_compared(connection: Connection) -> None:
    store(connection, day_of_tweets())
    with connection, connection.cursor() as cur:
        found, again = (
            compare_spans(
                cur,
                "r",
                "",
                before=Span(START, MIDDLE),
                after=Span(MIDDLE, END),
                most_tweets=100,
            )
            for _ in range(2)
        )
    assert (found.before.tweets, found.before.compared) == (240, 100)
    assert found == again
    late = {tweet.tweet_id for tweet in day_of_tweets() if tweet.posted_at >= MIDDLE}
    first_ranks = sorted(late, key=audit_rank)[:100]
    examples = {one for moved in found.changed.moved for one in moved.examples}
    assert examples & late <= set(first_ranks)
    assert "strike" in {moved.name for moved in found.changed.moved}


def test_a_sample_of_a_span_is_read_by_an_index(connection: Connection) -> None:
    store(connection, day_of_tweets())
    place = {"run": "r", "start": MIDDLE, "end": END, "rules": None, "rule": ""}
    place |= {"first_day": MIDDLE.date(), "last_day": END.date(), "chars": 10, "most": 10}
    with connection, connection.cursor() as cur:
        # A table of some pages is read as a whole, whatever index there is.
        cur.execute("SET LOCAL enable_seqscan = off")
        cur.execute(f"EXPLAIN {_LOWEST_RANKS}", {**place, "levels": [5, 6]})
        plan = " ".join(row[0] for row in cur)
    assert "audit_level(t.root_id) = ANY ('{5,6}'::smallint[])) AND (t.posted_at >=" in plan or (
        "audit_level(root_id) = ANY ('{5,6}'::smallint[])) AND (posted_at >=" in plan
    ), plan


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--from", "2016-11-17", "--to", "2016-11-17"), "must be later"),
        (("--from", "yesterday", "--to", "2016-11-17"), "is not a valid time"),
        (("--from", "2020-01-01", "--to", "2020-01-02"), "has no scored tweets"),
        (("--from", "2016-11-17T12:00", "--to", "2016-11-18", "--label", "sad"), "no tweet has"),
    ],
)
def test_a_wrong_call_says_what_to_do(
    connection: Connection, settings: Settings, arguments: tuple[str, ...], said: str
) -> None:
    store(connection, day_of_tweets())
    result = murmur_why(settings, *arguments)
    assert result.exit_code != 0
    assert said in result.output + str(result.exception)
