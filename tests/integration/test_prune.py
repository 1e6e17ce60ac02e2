"""Old days of the live stream go, while its figures stay and its sink goes on."""

import json
import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from click.testing import CliRunner
from msgspec.structs import replace

from schemas.events import LIVE, Reference, TweetScored
from schemas.failures import Failure
from schemas.settings import Settings
from schemas.transport.postgres import Connection, connect_postgres
from stream_processors.queries.run_list import summaries
from stream_processors.retention.cli import prune as prune_command
from stream_processors.retention.prune import PruneIsBusy, prune
from stream_processors.retention.run_deletion import delete_run
from tests.conditions import wait_until
from tests.integration.storing import arrived_now, store
from tests.integration.test_sink import publish, query, running_sink
from tests.stack import process_environment
from tests.unit.examples import deleted, scored_tweet

RECEIVED = datetime.now(UTC)
FIRST = RECEIVED.replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=17)
"""Young enough for partitions of single days."""

DAYS = 6
LIMIT = FIRST.date() + timedelta(days=3)


@pytest.fixture
def database(settings: Settings) -> Iterator[Connection]:
    connection = connect_postgres(settings.postgres_connection, "test")
    yield connection
    connection.close()


def tweet(day: int, number: int = 0, *, run: str = LIVE, **fields: Any) -> TweetScored:
    fields = {"tweet_id": str(1000 + 10 * day + number), "hashtags": ("tram",), **fields}
    return scored_tweet(
        run=run, received_at=RECEIVED, **{"posted_at": FIRST + timedelta(days=day), **fields}
    )


def some_days() -> list[TweetScored]:
    return [tweet(day, number) for day in range(DAYS) for number in range(3)]


def figures(database: Connection) -> list[list[tuple[Any, ...]]]:
    database.rollback()
    return [
        query(database, f"SELECT * FROM {table} ORDER BY {table}::text")  # noqa: S608  constants
        for table in ("rollups", "hashtag_rollups")
    ]


def stored_days(database: Connection) -> set[tuple[Any, ...]]:
    database.rollback()
    return {
        (table, day)
        for table in ("tweets", "scores")
        for (day,) in query(database, f"SELECT DISTINCT day FROM {table} WHERE run = 'live'")  # noqa: S608  constants
    }


def kept(first: date = LIMIT) -> set[tuple[str, date]]:
    days = [(FIRST + timedelta(days=day)).date() for day in range(DAYS)]
    return {(table, day) for table in ("tweets", "scores") for day in days if day >= first}


def test_old_days_go_and_the_figures_stay(database: Connection) -> None:
    store(database, [*some_days(), tweet(0, run="replay")])
    before = figures(database)
    assert len(prune(database, LIMIT, dry_run=True).days) == 3
    assert stored_days(database) == kept(FIRST.date())
    report = prune(database, LIMIT, dry_run=False)
    assert [day.day for day in report.days] == [
        FIRST.date() + timedelta(days=number) for number in range(3)
    ]
    assert stored_days(database) == kept()
    assert figures(database) == before
    assert query(database, "SELECT count(*) FROM tweets WHERE run = 'replay'") == [(1,)]
    (live,) = (run for run in summaries(database) if run.run == LIVE)
    assert (live.tweets, live.kept_from) == (3 * DAYS, LIMIT)
    # Again, and with a longer time to keep: a limit never goes back.
    assert prune(database, FIRST.date(), dry_run=False).kept_from == LIMIT


def test_labels_go_with_their_tweets_and_no_other(database: Connection) -> None:
    """Of single days, of a month, and of a month of which the last days stay."""
    days = [date(2016, 11, 17), date(2016, 12, 1), date(2016, 12, 20), date(2016, 12, 31)]
    old = [
        tweet(0, tweet_id=str(number), posted_at=datetime.combine(day, time(), UTC))
        for number, day in enumerate(days, start=1)
    ]
    tweets = [*old, *some_days(), tweet(0, run="replay")]
    store(database, [replace(each, label="calm") for each in tweets])
    for first_day in (date(2016, 12, 20), LIMIT):
        prune(database, first_day, dry_run=False)
        labelled, stored = (
            query(database, f"SELECT run, root_id FROM {table} ORDER BY 1, 2")  # noqa: S608  constants
            for table in ("labels", "tweets")
        )
        database.rollback()
        assert labelled == stored
    assert len(stored) == 3 * 3 + 1


def test_what_comes_later_of_a_pruned_day_counts_as_expired_and_nowhere_else(
    settings: Settings, database: Connection
) -> None:
    store(database, some_days())
    prune(database, LIMIT, dry_run=False)
    before = figures(database)
    history = ("1000", "1009")
    late = [
        tweet(0),
        tweet(0, 5),
        tweet(0, by="b"),
        tweet(0, tweet_id="1009", root_id="1000", version=1, edit_history=history),
        tweet(-400, tweet_id="999"),
    ]
    with running_sink(settings) as metrics:
        publish(settings, late)
        wait_until(
            lambda: (
                metrics.registry.get_sample_value(
                    "murmur_sink_events_total", {"outcome": "expired"}
                )
                == len(late)
            ),
            60,
            "all expired",
        )
    assert figures(database) == before
    assert stored_days(database) == kept()
    gone = [f"{FIRST + timedelta(days=number):%Y%m%d}" for number in range(3)]
    names = f"_({'|'.join([*gone, f'{FIRST - timedelta(days=400):%Y%m}'])})"
    assert query(database, "SELECT count(*) FROM pg_class WHERE relname ~ %s", names) == [(0,)]


def test_a_prune_between_a_post_and_its_edit_or_deletion_leaves_the_figures_as_they_are(
    database: Connection,
) -> None:
    store(database, some_days())
    prune(database, LIMIT, dry_run=False)
    before = figures(database)
    edit = tweet(0, tweet_id="1009", root_id="1000", version=1, edit_history=("1000", "1009"))
    store(database, [edit, deleted("1010", run=LIVE)])
    assert figures(database) == before


def test_a_deletion_of_a_pruned_tweet_still_reaches_retweets_and_replays(
    database: Connection,
) -> None:
    retweet = tweet(4, 8, references=(Reference(kind="retweeted", tweet_id="1000"),))
    store(database, [*some_days(), retweet])
    prune(database, LIMIT, dry_run=False)
    store(database, [deleted("1000", run=LIVE)])
    store(database, [tweet(0, run="archive"), tweet(1, run="archive")])
    rows = query(
        database, "SELECT run, root_id FROM tweets WHERE root_id IN ('1000', '1010', '1048')"
    )
    assert rows == [("archive", "1010")]


def test_a_reader_does_not_lose_its_rows_and_makes_the_prune_wait(
    settings: Settings, database: Connection
) -> None:
    store(database, some_days())
    reader = connect_postgres(settings.postgres_connection, "reader")
    with reader.cursor() as cur:
        cur.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        cur.execute("SELECT count(*) FROM tweets")
        with pytest.raises(PruneIsBusy):
            prune(database, LIMIT, dry_run=False, attempts=1)
        # Sinks are not held up by the waiting prune, nor by what it left half done.
        store(database, [tweet(DAYS - 1, 9), tweet(DAYS, 9), tweet(0, 9)])
        cur.execute("SELECT count(*) FROM tweets")
        assert cur.fetchone() == (3 * DAYS,)
    reader.close()
    prune(database, LIMIT, dry_run=False)
    assert query(database, "SELECT count(*) FROM tweets") == [(3 * (DAYS - 3) + 2,)]
    assert query(database, "SELECT min(day) FROM tweets") == [(LIMIT,)]


def test_a_prune_while_the_sink_writes_loses_nothing_that_is_kept(
    settings: Settings, database: Connection
) -> None:
    old = [tweet(0, tweet_id=str(5000 + n)) for n in range(600)]
    new = [tweet(5, tweet_id=str(7000 + n)) for n in range(600)]
    mixed = [event for pair in zip(old, new, strict=True) for event in pair]
    with running_sink(settings.model_copy(update={"sink_batch": 20})):
        publishing = threading.Thread(target=publish, args=(settings, mixed))
        publishing.start()
        wait_until(lambda: len(stored_days(database)) == 4, 60, "the first rows")
        prune(database, LIMIT, dry_run=False)
        publishing.join()
        wait_until(
            lambda: query(database, "SELECT count(*) FROM tweets") == [(len(new),)], 60, "all rows"
        )
    (live,) = summaries(database)
    assert len(new) <= live.tweets <= len(mixed)
    recount = (
        "SELECT sum(tweets) FROM rollups"
        " WHERE granularity = 'day' AND rule = '' AND bucket_start >= %s"
    )
    assert query(database, recount, LIMIT) == [(len(new),)]


def test_a_deleted_live_run_begins_anew(database: Connection) -> None:
    store(database, some_days())
    prune(database, LIMIT, dry_run=False)
    delete_run(database, LIVE)
    store(database, arrived_now([tweet(0)]))
    assert query(database, "SELECT count(*) FROM tweets") == [(1,)]


def test_the_command_drops_whole_days_and_says_so(settings: Settings, database: Connection) -> None:
    store(database, some_days())
    runner = CliRunner(env=process_environment(settings))
    result = runner.invoke(prune_command, ["--keep", "1d", "--json", "--yes"])
    report = json.loads(result.stdout)
    assert report["kept_from"] == str(datetime.now(UTC).date() - timedelta(days=1))
    assert len(report["days"]) == len(
        {day for _, day in kept(FIRST.date())} - {day for _, day in stored_days(database)}
    )
    assert runner.invoke(prune_command, ["--keep", "90m"]).exit_code == 2


def test_more_than_half_is_asked_for_and_the_clock_is_the_databases(
    settings: Settings, database: Connection
) -> None:
    store(database, some_days())
    runner = CliRunner(env=process_environment(settings))
    before = stored_days(database)
    refused = runner.invoke(prune_command, ["--keep", "1d"])
    assert refused.exit_code == 2
    assert "add --yes" in refused.output
    assert stored_days(database) == before
    with pytest.raises(Failure, match="by the database's clock"):
        prune(database, datetime.now(UTC).date() + timedelta(days=2), dry_run=False)
    assert stored_days(database) == before


def test_the_limit_can_be_lowered_and_what_comes_then_counts(
    settings: Settings, database: Connection
) -> None:
    store(database, some_days())
    prune(database, LIMIT, dry_run=False)
    runner = CliRunner(env=process_environment(settings))
    today = datetime.now(UTC).date()
    length = (today - FIRST.date()).days
    result = runner.invoke(prune_command, ["--keep", f"{length}d", "--lower", "--json"])
    assert json.loads(result.stdout) == {
        "kept_from": str(FIRST.date()),
        "days": [],
        "dry_run": False,
    }
    store(database, [tweet(0, 7)])
    assert (("tweets", FIRST.date())) in stored_days(database)
    # It goes one way only: what is kept is never less by this.
    runner.invoke(prune_command, ["--keep", "1d", "--lower"])
    store(database, [tweet(1, 7)])
    assert ("tweets", FIRST.date() + timedelta(days=1)) in stored_days(database)


def test_old_days_share_a_month_which_goes_as_a_whole_or_day_by_day(database: Connection) -> None:
    days = [date(2016, 11, 17), date(2016, 12, 1), date(2016, 12, 20), date(2016, 12, 31)]
    old = [
        tweet(0, tweet_id=str(number), posted_at=datetime.combine(day, time(), UTC))
        for number, day in enumerate(days, start=1)
    ]
    store(database, [*old, *some_days()])
    names = query(
        database, "SELECT relname FROM pg_class WHERE relname ~ '^tweets_[0-9]+_2016[0-9]+$'"
    )
    assert sorted(str(name)[-7:] for (name,) in names) == ["_201611", "_201612"]
    before = figures(database)
    report = prune(database, date(2016, 12, 20), dry_run=False)
    assert [(day.day, day.days) for day in report.days] == [(date(2016, 11, 1), 30)]
    assert stored_days(database) - kept(FIRST.date()) == {
        (table, day) for table in ("tweets", "scores") for day in days[2:]
    }
    assert query(database, "SELECT count(*) FROM live_roots") == [(2 + 3 * DAYS,)]
    assert figures(database) == before
    report = prune(database, LIMIT, dry_run=False)
    assert [day.days for day in report.days] == [31, 1, 1, 1]
    assert stored_days(database) == kept()
    assert figures(database) == before
