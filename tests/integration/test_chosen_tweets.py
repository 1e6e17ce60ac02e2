"""`totals` and `export` of chosen tweets are what a count of those tweets gives."""

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from schemas.events import TweetScored
from schemas.known_names import UnknownLabel
from schemas.settings import Settings
from schemas.transport.postgres import Connection
from stream_processors.aggregates.aggregates import Selection
from stream_processors.aggregates.from_postgres import aggregates_of, reads_tweets
from stream_processors.aggregates.time_windows import MINUTE, Window, between, parse_window
from stream_processors.queries.export import EmptyRun, export_run
from stream_processors.queries.export_rows import Choice
from tests.integration.reading import NOW, RULES, START, run_command, some_tweets
from tests.integration.storing import store
from tests.integration.test_audited_totals import label

LABELS = ("positive", "negative", "neutral")
LANGUAGES = ("en", "de")
MOMENTS = st.one_of(
    st.none(),
    st.integers(-60, 4 * 1_440).map(lambda minutes: START + minutes * MINUTE),
    st.integers(-1, 4).map(lambda days: START + timedelta(days=days)),
    st.integers(-1, 96).map(lambda hours: START + timedelta(hours=hours)),
)
SELECTIONS = st.builds(
    Selection,
    rules=st.lists(st.sampled_from([*RULES, "unheard"]), unique=True, max_size=2).map(tuple),
    labels=st.lists(st.sampled_from(LABELS), unique=True, max_size=2).map(tuple),
    languages=st.lists(st.sampled_from(LANGUAGES), unique=True, max_size=2).map(tuple),
)


def tweets_in_languages(count: int) -> list[TweetScored]:
    """Return tweets of which those in German are guesses to the model."""
    languages = (*LANGUAGES, None)
    return [
        msgspec.structs.replace(
            tweet,
            language=languages[number % 3],
            score=msgspec.structs.replace(tweet.score, language_known=number % 3 != 1),
        )
        for number, tweet in enumerate(some_tweets(count))
    ]


def chosen(
    tweets: list[TweetScored],
    selection: Selection,
    start: datetime | None,
    end: datetime | None,
) -> list[TweetScored]:
    """Return what a person would pick with a pencil."""
    return [
        tweet
        for tweet in tweets
        if (start is None or tweet.posted_at >= start)
        and (end is None or tweet.posted_at < end)
        and (not selection.rules or {rule.tag for rule in tweet.rules} & {*selection.rules})
        and (not selection.labels or tweet.score.label in selection.labels)
        and (not selection.languages or tweet.language in selection.languages)
    ]


def test_hashtags_and_languages_of_many_tweets_are_estimated_from_a_sample(
    connection: Connection,
) -> None:
    tweets = tweets_in_languages(900)
    store(connection, tweets)
    selection = Selection(rules=(RULES[0],))
    counted, sampled = (
        aggregates_of(
            connection, "archive", [parse_window("all")], NOW, selection, most_rows=most_rows
        )[0]
        for most_rows in (None, 10)
    )
    assert counted.sampled_tweets is None
    assert sampled.sampled_tweets is not None
    assert 10 < sampled.sampled_tweets < counted.tweets
    assert (sampled.tweets, sampled.labels, sampled.series) == (
        counted.tweets,
        counted.labels,
        counted.series,
    )
    by_name = {each.name: each.tweets for each in counted.hashtags}
    for each in sampled.hashtags:
        assert abs(each.tweets - by_name.get(each.name, 0)) < 0.25 * counted.tweets
    guesses = sampled.unknown_language_tweets - counted.unknown_language_tweets
    assert abs(guesses) < 0.25 * counted.tweets


def test_totals_of_chosen_tweets_equal_a_recount(connection: Connection) -> None:
    tweets = tweets_in_languages(300)
    store(connection, tweets)
    label(connection, tweets[::3])
    audited = {tweet.tweet_id for tweet in tweets[::3]}

    @hypothesis_settings(
        max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
    )
    @given(SELECTIONS, MOMENTS, MOMENTS)
    def recount(selection: Selection, start: datetime | None, end: datetime | None) -> None:
        if start is not None and end is not None and start >= end:
            start, end = end, start
        if start == end:
            start = end = None
        window = between(start, end) if start or end else parse_window("all")
        (found,) = aggregates_of(connection, "archive", [window], NOW, selection)
        inside = chosen(tweets, selection, start, end)
        assert found.selection == selection
        assert found.tweets == len(inside)
        labels = Counter(tweet.score.label for tweet in inside)
        assert {each.label: each.tweets for each in found.labels} == labels
        rules = Counter(rule.tag for tweet in inside for rule in tweet.rules)
        if selection.rules:
            rules = Counter({rule: rules[rule] for rule in selection.rules if rules[rule]})
        assert {each.name: each.tweets for each in found.rules} == rules
        hashtags = Counter(tag for tweet in inside for tag in tweet.extracted.hashtags)
        most = sorted(hashtags.items(), key=lambda item: (-item[1], item[0]))[:20]
        assert [(each.name, each.tweets) for each in found.hashtags] == most
        assert sum(each.tweets for each in found.models) == len(inside)
        guesses = sum(tweet.language == "de" for tweet in inside)
        assert found.unknown_language_tweets == guesses
        series: Counter[str] = Counter()
        for point in found.series:
            series.update(point.by_label)
        assert series == labels
        audits = [tweet for tweet in inside if tweet.tweet_id in audited]
        assert found.audit.audits == len(audits)
        if audits:
            assert found.audit.audited_days == len({tweet.day for tweet in audits})
            assert found.audit.days == len({tweet.day for tweet in inside})
        for rule in found.rules:
            of_rule = [t for t in audits if rule.name in {each.tag for each in t.rules}]
            assert rule.audit.audits == len(of_rule)

    recount()


def test_exports_of_chosen_tweets_are_those_tweets(connection: Connection, tmp_path: Path) -> None:
    tweets = tweets_in_languages(300)
    store(connection, tweets)

    @hypothesis_settings(
        max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
    )
    @given(SELECTIONS, MOMENTS, MOMENTS)
    def recount(selection: Selection, start: datetime | None, end: datetime | None) -> None:
        choice = Choice(selection, start, end)
        inside = sorted(
            chosen(tweets, selection, start, end), key=lambda tweet: (tweet.day, tweet.root_id)
        )
        path = tmp_path / "tweets"
        if not inside:
            with pytest.raises(EmptyRun):
                export_run(connection, "archive", "jsonl", path, choice=choice)
            return
        export_run(connection, "archive", "ids", path, choice=choice)
        assert path.read_text().split() == [tweet.tweet_id for tweet in inside]
        export_run(connection, "archive", "jsonl", path, choice=choice)
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        assert [line["tweet_id"] for line in lines] == [tweet.tweet_id for tweet in inside]

    recount()


def test_rows_are_read_only_where_no_rollup_knows_the_choice() -> None:
    assert not reads_tweets(Selection())
    assert not reads_tweets(Selection(rules=("rain",), labels=("joy", "fear")))
    assert reads_tweets(Selection(rules=("rain", "wind")))
    assert reads_tweets(Selection(languages=("en",)))


def test_live_is_chosen_from_by_day(connection: Connection) -> None:
    tweets = [msgspec.structs.replace(tweet, run="live") for tweet in tweets_in_languages(100)]
    store(connection, tweets)
    start = START + timedelta(hours=20)
    selection = Selection(languages=("en",))
    window = Window("from-to", None, start)
    (found,) = aggregates_of(connection, "live", [window], NOW, selection)
    assert found.tweets == len(chosen(tweets, selection, start, None)) > 0


def options(command: str, *given_: str) -> list[str]:
    return [command, "--run", "archive", *given_]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (options("totals", "--window", "1d", "--from", "2016-11-17"), "exclude each other"),
        (options("totals", "--from", "2016-11-18", "--to", "2016-11-18"), "is not before"),
        (options("totals", "--from", "2016-11-18T10:00:30"), "not a whole minute"),
        (options("totals", "--from", "yesterday"), "is not a valid time"),
        (options("totals", "--rule", ""), "--rule"),
        (options("export", "--from", "2016-11-18", "--to", "2016-11-17"), "--from and --to"),
        (options("export", "--language", " "), "--language"),
    ],
)
def test_what_does_not_go_together_is_a_wrong_call(
    settings: Settings, arguments: list[str], words: str
) -> None:
    result = run_command(settings, *arguments)
    assert result.exit_code == 2
    assert words in result.stderr


def test_people_choose_by_options(settings: Settings, connection: Connection) -> None:
    tweets = tweets_in_languages(200)
    store(connection, tweets)
    end = datetime(2016, 11, 18, 12, 30, tzinfo=UTC)
    call = ["--from", "2016-11-17", "--to", "2016-11-18T13:30+01:00", "--rule", "weather"]
    call += ["--rule", "football", "--label", "positive", "--label", "neutral", "--language", "EN"]
    selection = Selection(rules=RULES, labels=("positive", "neutral"), languages=("en",))
    expected = chosen(tweets, selection, START, end)
    printed = run_command(settings, "totals", "--run", "archive", *call, "--json").stdout
    document = json.loads(printed)
    assert document["aggregates"]["tweets"] == len(expected) > 0
    assert document["note"] == "counted from the tweets themselves"
    shown = run_command(settings, "totals", "--run", "archive", *call).stdout
    assert "rule weather or football" in shown
    assert "2016-11-17 00:00 to 2016-11-18 12:30 UTC" in shown
    lines = run_command(settings, "export", "--run", "archive", *call).stdout.splitlines()
    assert len(lines) == len(expected)


def test_where_nothing_is_chosen_it_is_said(settings: Settings, connection: Connection) -> None:
    store(connection, some_tweets(5))
    by_time = run_command(settings, "totals", "--from", "2017-01-01", "--to", "2017-01-02").stdout
    assert "no tweets from 2017-01-01 00:00 to 2017-01-02 00:00 UTC" in by_time
    slip = run_command(settings, "totals", "--rule", "wheather")
    assert "no such tweets" in slip.stdout
    assert slip.stderr == "run 'archive' has no tweet of rule 'wheather'; there is 'weather'\n"
    assert slip.exit_code == 0, "a rule may be new"
    exported = run_command(settings, "export", "--run", "archive", "--rule", "unheard")
    assert exported.exit_code == 1
    assert "has no tweet of rule 'unheard'; there are " in exported.stderr
    for command in ("totals", "export"):
        wrong = run_command(settings, command, "--run", "archive", "--label", "postive")
        assert isinstance(wrong.exception, UnknownLabel)
        assert "has the label 'postive': its labels are negative, neutral, positive" in str(
            wrong.exception
        )


def test_languages_that_nobody_names_are_those_of_the_settings(
    settings: Settings, connection: Connection
) -> None:
    tweets = tweets_in_languages(30)
    store(connection, tweets)
    german = sum(tweet.language == "de" for tweet in tweets)
    arguments = ("totals", "--run", tweets[0].run, "--json")
    found = run_command(settings, *arguments, MURMUR_LANGUAGES="de")
    assert json.loads(found.stdout)["aggregates"]["tweets"] == german
    named = run_command(settings, *arguments, "--language", "en", MURMUR_LANGUAGES="de")
    assert json.loads(named.stdout)["aggregates"]["tweets"] == 10
