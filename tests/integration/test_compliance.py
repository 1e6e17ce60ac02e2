"""`murmur compliance run`: what X no longer shows leaves rows, rollups and label sets."""

import json
import subprocess
from typing import Any, cast

import msgspec
import pytest

from producers.compliance.run_compliance_jobs import run_compliance
from schemas.codec import Reason
from schemas.events import AuthorErased, Reference, TweetDeleted, TweetWithheld
from schemas.failures import Failure
from schemas.settings import Settings
from schemas.topics import DEAD_LETTER
from schemas.transport.dead_letters import SourcePosition, dead_letter
from schemas.transport.postgres import connect_postgres
from tests.integration.live_stream import TOKEN, rows
from tests.integration.replay_runs import messages, raw_events
from tests.integration.storing import store
from tests.stack import MURMUR, process_environment
from tests.unit.examples import scored_tweet
from tests.x_server.compliance import DOWNLOAD, UPLOAD
from tests.x_server.server import FakeX, fake_x


def keep(settings: Settings, *events: Any) -> None:
    connection = connect_postgres(settings.postgres_connection, "test")
    try:
        store(connection, events)
    finally:
        connection.close()


def tweet(tweet_id: str, author: str, retweet_of: str | None = None, run: str = "live") -> Any:
    references = () if retweet_of is None else (Reference(kind="retweeted", tweet_id=retweet_of),)
    return scored_tweet(
        run=run, tweet_id=tweet_id, root_id=tweet_id, author_id=author, references=references
    )


def test_what_is_gone_at_x_is_gone_here_with_its_retweets_in_every_run(
    x: FakeX, to_x: Settings
) -> None:
    base = 1_859_500_000_000_000_000
    deleted, retweet, elsewhere, withheld, kept, erased = (str(base + n) for n in range(6))
    keep(
        to_x,
        tweet(deleted, "1"),
        tweet(retweet, "2", retweet_of=deleted),
        tweet(elsewhere, "2", retweet_of=deleted, run="spring"),
        tweet(withheld, "1"),
        tweet(kept, "2"),
        tweet(erased, "3"),
    )
    x.corpus.deleted |= {deleted, withheld}
    x.compliance.reasons[withheld] = "withheld"
    x.compliance.suspended_users |= {"3"}
    waits: list[float] = []
    done = run_compliance(to_x, give_up_after_s=100, wait=waits.append)
    assert done == {
        "tweets": {"ids": 6, "TweetDeleted": 1, "TweetWithheld": 1},
        "users": {"ids": 3, "AuthorErased": 1},
    }
    events = raw_events(to_x)
    assert {type(event) for event in events} == {TweetDeleted, TweetWithheld, AuthorErased}
    keep(to_x, *events)
    assert rows(to_x, "SELECT root_id FROM tweets") == [(kept,)]
    assert rows(to_x, "SELECT sum(tweets) FROM rollups WHERE granularity = 'day'") == [(1,)]
    assert not any(TOKEN.encode() in upload for upload in x.compliance.uploads)


def test_a_job_that_was_interrupted_is_taken_up_again(x: FakeX, to_x: Settings) -> None:
    tweet_id = "1859500000000000000"
    keep(to_x, tweet(tweet_id, "1"))
    x.corpus.deleted.add(tweet_id)
    ended = subprocess.run(
        [MURMUR, "compliance", "run", "--wait-minutes", "0"],
        env=process_environment(to_x),
        capture_output=True,
        check=False,
    )
    assert ended.returncode == 1
    assert "run the same command again later" in ended.stderr.decode()
    done = run_compliance(to_x, give_up_after_s=100, wait=lambda _seconds: None)
    assert done["tweets"] == {"ids": 1, "TweetDeleted": 1}
    assert len(x.compliance.uploads) == 2
    assert [type(event) for event in raw_events(to_x)] == [TweetDeleted]


NOT_FOUND = b'{"title":"Not Found Error","type":"https://api.x.com/2/problems/resource-not-found"}'


@pytest.mark.parametrize(
    ("path", "status", "body"),
    [
        ("/2/compliance/jobs/", 404, NOT_FOUND),
        ("/2/compliance/jobs/", 404, b""),
        ("/2/compliance/jobs/", 200, b'{"errors":[%s]}' % NOT_FOUND),
        (DOWNLOAD, 404, b"<Error><Code>NoSuchKey</Code></Error>"),
        (DOWNLOAD, 403, b"<Error><Code>ExpiredToken</Code></Error>"),
    ],
)
def test_a_job_that_x_has_forgotten_ends_and_its_ids_are_asked_about_anew(
    path: str, status: int, body: bytes, x: FakeX, to_x: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    tweet_id = "1859500000000000000"
    keep(to_x, tweet(tweet_id, "1"))
    x.corpus.deleted.add(tweet_id)
    with pytest.raises(Failure, match="run the same command again later"):
        run_compliance(to_x, give_up_after_s=0, wait=lambda _seconds: None)
    ((job_id,),) = rows(to_x, "SELECT job_id FROM compliance_jobs")
    x.answers[f"{path}{job_id}"] = (status, body)
    done = run_compliance(to_x, give_up_after_s=100, wait=lambda _seconds: None)
    assert done["tweets"] == {"ids": 1, "TweetDeleted": 1}
    assert len(x.compliance.uploads) == 3
    assert f"job {job_id}" in caplog.text
    assert rows(to_x, "SELECT count(*) FROM compliance_jobs WHERE finished_at IS NULL") == [(0,)]


def test_a_job_that_x_forgets_at_once_is_no_loop(x: FakeX, to_x: Settings) -> None:
    keep(to_x, tweet("1859500000000000000", "1"))
    for number in range(5_000, 5_100):
        x.answers[f"/2/compliance/jobs/{number}"] = (404, NOT_FOUND)
    for _ in range(2):
        with pytest.raises(Failure, match="X no longer knows the compliance job"):
            run_compliance(to_x, give_up_after_s=100, wait=lambda _seconds: None)
    assert len(x.compliance.uploads) == 2


def test_a_storage_that_leads_elsewhere_gets_the_ids_nowhere(x: FakeX, to_x: Settings) -> None:
    keep(to_x, tweet("1859500000000000000", "1"))
    with fake_x(TOKEN) as elsewhere:
        x.redirects[UPLOAD] = elsewhere.address
        with pytest.raises(Failure, match="X's storage answers 307"):
            run_compliance(to_x, give_up_after_s=100, wait=lambda _seconds: None)
        assert elsewhere.asked == []


def test_a_storage_that_is_away_is_named_by_its_host_without_the_signature(
    x: FakeX, to_x: Settings
) -> None:
    keep(to_x, tweet("1859500000000000000", "1"))
    job = {"id": "1", "upload_url": "http://127.0.0.1:9/lists/1?signature=secret"}
    x.answers["/2/compliance/jobs"] = (200, msgspec.json.encode({"data": job}))
    with pytest.raises(Failure, match=r"127\.0\.0\.1:9: it refuses the connection") as away:
        run_compliance(to_x, give_up_after_s=100, wait=lambda _seconds: None)
    assert "secret" not in str(away.value)


def test_a_result_that_breaks_off_is_said_without_its_address_and_fetched_anew(
    x: FakeX, to_x: Settings
) -> None:
    tweet_id = "1859500000000000000"
    keep(to_x, tweet(tweet_id, "1"))
    x.corpus.deleted.add(tweet_id)
    x.compliance.breaks_off = True
    with pytest.raises(Failure, match="the connection to X's storage broke") as broken:
        run_compliance(to_x, give_up_after_s=100, wait=lambda _seconds: None)
    assert "127.0.0.1" not in str(broken.value)
    x.compliance.breaks_off = False
    done = run_compliance(to_x, give_up_after_s=100, wait=lambda _seconds: None)
    assert done["tweets"] == {"ids": 1, "TweetDeleted": 1}


def test_x_is_asked_about_what_stands_in_dead_letters_too(x: FakeX, to_x: Settings) -> None:
    value = b'{"data":{"id":"1859500000000000000","author_id":"12","te'
    half = dead_letter(
        run="live",
        stage="stream",
        reason=Reason.NOT_JSON,
        detail="",
        key=None,
        value=value,
        headers=[],
        position=SourcePosition("stream", 0, 1),
    )
    connection = connect_postgres(to_x.postgres_connection, "test")
    try:
        store(connection, [], [half])
        x.corpus.deleted.add("1859500000000000000")
        run_compliance(to_x, give_up_after_s=100, wait=lambda _seconds: None)
        (removal,) = raw_events(to_x)
        store(connection, [cast("TweetDeleted", removal)])
    finally:
        connection.close()
    assert rows(to_x, "SELECT value, status FROM dead_letters") == [(None, "discarded")]


def test_a_line_that_cannot_be_read_becomes_a_dead_letter(
    x: FakeX, to_x: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(to_x, tweet("1859500000000000000", "1"))
    monkeypatch.setattr(x.compliance, "result", lambda _path: b'{"id":[]}\n{"reason":"x"}\n')
    done = run_compliance(to_x, give_up_after_s=100, wait=lambda _seconds: None)
    assert done["tweets"]["dead letters"] == 2
    assert len(messages(to_x, DEAD_LETTER)) == 4


def test_with_nothing_stored_x_is_not_asked(x: FakeX, to_x: Settings) -> None:
    ended = subprocess.run(
        [MURMUR, "compliance", "run", "--json"],
        env=process_environment(to_x),
        capture_output=True,
        check=True,
    )
    assert json.loads(ended.stdout) == {"tweets": {"ids": 0}, "users": {"ids": 0}}
    assert x.asked == []
