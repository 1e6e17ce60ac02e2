"""Every fault of X and of the way to it: how the client ends, what arrives, how long it waits."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from producers.x_account.vocabulary_choice import UNANSWERED_POSTS
from producers.x_api.missing_fields import Asked
from producers.x_connection.connection_end import Ending
from producers.x_connection.stall_detection import StallLimits
from tests.conditions import wait_until
from tests.contract.stream_client import TOKEN, Client
from tests.x_server.exchange import Exchange
from tests.x_server.faults import FAULTS, REFUSALS, Fault
from tests.x_server.server import STREAM, FakeX, fake_x
from tests.x_server.vocabularies import NEW, OLD, STREAMED, Dialect


@pytest.fixture
def x() -> Iterator[FakeX]:
    with fake_x(TOKEN, heartbeat_s=0.2) as server:
        server.corpus.add_rule("cats", "about cats")
        yield server


@pytest.fixture
def client(x: FakeX, tmp_path: Path) -> Iterator[Callable[..., Client]]:
    """Start a client; it is stopped at the end."""
    clients = []

    def start(**options: Any) -> Client:
        clients.append(Client(x, tmp_path, **options))
        return clients[-1]

    yield start
    for each in clients:
        each.stop()


def posting(x: FakeX, stop: threading.Event) -> threading.Thread:
    def post() -> None:
        while not stop.wait(0.02):
            x.post("cats are here")

    thread = threading.Thread(target=post, daemon=True)
    thread.start()
    return thread


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_after_a_fault_the_stream_goes_on_and_no_sooner_than_it_may(
    fault: Fault, x: FakeX, client: Callable[..., Client]
) -> None:
    x.script.append(fault)
    stop = threading.Event()
    poster = posting(x, stop)
    try:
        reading = client()
        wait_until(lambda: reading.ended(fault.ending), 60, f"the end: {fault.ending}")
        posts_of_the_fault = len(set(reading.posts()))
        assert posts_of_the_fault >= fault.posts
        wait_until(lambda: reading.clock.waits_s, 60, "the wait after it")
        assert reading.clock.waits_s[0] >= fault.wait_s
        assert reading.clock.waits_s[0] <= fault.wait_s + 5
        wait_until(lambda: len(x.connects_s) == 2 and x.connected, 60, "the next connection")
        wait_until(lambda: len(set(reading.posts())) >= posts_of_the_fault + 3, 60, "more posts")
    finally:
        stop.set()
        poster.join(5)
    assert reading.dead_letters() == fault.dead_letters
    assert x.most_at_once == 1
    assert x.unauthorized == 0
    gaps = reading.receiver.take_gaps()
    missed = [p for p in x.corpus.posts if p.tweet_id not in set(reading.posts())]
    last_line_at = reading.taken()[-1].received_at
    for post in missed:
        assert post.at >= last_line_at or any(
            _inside(post.at, gap.from_at, gap.to_at) for gap in gaps
        )


def _inside(at: datetime, begins: datetime, ends: datetime | None) -> bool:
    return begins <= at and (ends is None or at <= ends)


@pytest.mark.parametrize(
    "fault", [f for f in FAULTS if f.ending in (Ending.SILENT, Ending.QUIET)], ids=lambda f: f.name
)
def test_a_stop_takes_less_than_two_seconds_whatever_the_wire_does(
    fault: Fault, x: FakeX, client: Callable[..., Client]
) -> None:
    x.script.append(fault)
    reading = client()
    wait_until(lambda: x.connected, 60, "a connection")
    for _ in range(3):
        x.post("cats")
    wait_until(lambda: len(reading.posts()) >= 2, 60, "two posts")
    assert reading.stop() < 2


def test_no_error_of_any_fault_shows_the_token(
    x: FakeX, client: Callable[..., Client], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    x.script.extend(fault for fault in FAULTS if fault.ending in (Ending.HTTP, Ending.UNREACHABLE))
    reading = client()
    wait_until(lambda: x.connected, 60, "a connection at last")
    x.post("cats")
    wait_until(reading.posts, 60, "a post")
    assert x.unauthorized == 0
    assert caplog.records
    assert TOKEN not in caplog.text


@pytest.mark.parametrize(
    ("status", "advice"),
    [(401, "MURMUR_X_BEARER_TOKEN"), (403, "no access"), (409, "murmur rules apply")],
)
def test_what_only_a_person_can_mend_says_how(
    status: int,
    advice: str,
    x: FakeX,
    client: Callable[..., Client],
    caplog: pytest.LogCaptureFixture,
) -> None:
    x.director = lambda exchange: exchange.answer(status)
    reading = client()
    wait_until(lambda: advice in reading.reader.status.why_not, 60, "the advice in /readyz")
    assert advice in caplog.text


def test_a_host_that_has_no_address_is_unreachable_and_stops_as_quickly(
    client: Callable[..., Client],
) -> None:
    reading = client(api="https://x.invalid")
    wait_until(lambda: reading.ended(Ending.UNREACHABLE) > 2, 60, "three attempts")
    wait_until(lambda: len(reading.clock.waits_s) > 2, 60, "the wait after the third")
    assert reading.clock.waits_s[:3] == [0, 0.25, 0.5]
    assert reading.stop() < 2


def test_a_redirect_is_not_followed_and_where_it_leads_is_said(
    x: FakeX, client: Callable[..., Client], caplog: pytest.LogCaptureFixture
) -> None:
    with fake_x(TOKEN) as elsewhere:
        address = f"{elsewhere.address}{STREAM}"
        for status in (301, 302, 303, 307, 308):
            answer = partial(Exchange.answer, status=status, Location=address)
            x.script.append(Fault("redirect", answer, Ending.HTTP))
        reading = client()
        wait_until(lambda: reading.ended(Ending.HTTP) == 5, 60, "five refusals")
        assert elsewhere.asked == []
    assert "a redirect to 127.0.0.1, which is not followed" in caplog.text


@pytest.mark.parametrize("fault", REFUSALS, ids=lambda fault: fault.name)
def test_a_refusal_that_no_retry_can_mend_ends_the_reader_and_opens_no_gap(
    fault: Fault, x: FakeX, client: Callable[..., Client], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    x.script.append(fault)
    reading = client()
    wait_until(lambda: reading.ended(fault.ending), 60, "the refusal")
    refusal = wait_until(lambda: reading.reader.refusal, 60, "the end")
    assert refusal.is_final
    assert reading.stop() < 2
    assert len(x.connects_s) == 1
    assert reading.clock.waits_s == []
    assert reading.receiver.take_gaps() == []
    assert TOKEN not in caplog.text + refusal.told


def test_the_end_says_what_x_says_and_nothing_of_it_speaks_to_a_terminal(
    x: FakeX, client: Callable[..., Client]
) -> None:
    x.script.append(REFUSALS[-1])
    reading = client()
    refusal = wait_until(lambda: reading.reader.refusal, 60, "the end")
    assert refusal.reason == (
        "X says that the account has no access to this stream"
        " (X says: Client Forbidden: \\x1b[31mnot enrolled)"
    )


def test_a_refusal_after_a_connection_leaves_the_gap_that_its_end_opened(
    x: FakeX, client: Callable[..., Client]
) -> None:
    x.script.append(next(f for f in FAULTS if f.name == "a heartbeat and closed"))
    x.script.append(REFUSALS[0])
    reading = client()
    wait_until(lambda: reading.reader.refusal, 60, "the refusal")
    (gap,) = reading.receiver.take_gaps()
    assert (gap.reason, gap.to_at) == ("closed-by-x", None)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("402", "http-error: the account's credit at X is used up"),
        ("taken connections as a line", "too-many-connections: ConnectionException: This stream"),
        ("a bare title as a line", "too-many-connections: ConnectionException"),
        ("429 for taken connections", "rate-limited: ConnectionException: This stream"),
        ("a message of X's", "closed-by-x"),
        ("closed before any answer", "unreachable: 127.0.0.1:"),
        ("a compressed refusal", "http-error: Service Unavailable"),
    ],
)
def test_an_end_is_called_what_it_is(
    name: str,
    says: str,
    x: FakeX,
    client: Callable[..., Client],
    caplog: pytest.LogCaptureFixture,
) -> None:
    x.script.append(next(f for f in FAULTS if f.name == name))
    client()
    wait_until(lambda: x.connected, 60, "a connection")
    x.post("cats")
    x.post("cats")
    wait_until(lambda: f"no connection to the stream: {says}" in caplog.text, 20, says)


def test_silence_that_the_socket_notices_first_is_a_silent_stall_too(
    x: FakeX, client: Callable[..., Client]
) -> None:
    x.script.append(next(f for f in FAULTS if f.name == "silence"))
    reading = client(patience=StallLimits(silence_s=60, quiet_s=0), silence_s=0.5)
    wait_until(lambda: x.connected, 60, "a connection")
    for _ in range(2):
        x.post("cats")
    wait_until(lambda: reading.ended(Ending.SILENT), 60, "the end")
    assert reading.ended(Ending.RESET) == 0


WHOLE = "cats " + "and a whole sentence about them " * 12 + "to its end"


def whole_texts(x: FakeX, reading: Client) -> Callable[[], bool]:
    """Post what a vocabulary may cut, and tell whether it arrived whole since."""
    original = x.corpus.post(WHOLE)
    wanted: set[str] = set()

    def arrived() -> bool:
        if x.connected:
            wanted.add(x.post(WHOLE).tweet_id)
            wanted.add(x.post(WHOLE, repeats=original).tweet_id)
        events = [event for event in reading.events() if event.tweet_id in wanted]
        whole = [event for event in events if event.text == WHOLE]
        reposts = {ref.tweet_id for event in whole for ref in event.references}
        return len(whole) > 2 and reposts == {original.tweet_id}

    return arrived


@pytest.mark.parametrize("dialect", [OLD, STREAMED], ids=["tweets", "tweet.fields for posts"])
def test_a_stream_that_knows_tweet_fields_is_asked_once_whatever_its_words(
    dialect: Dialect, x: FakeX, client: Callable[..., Client]
) -> None:
    x.stream_dialect = dialect
    reading = client()
    wait_until(whole_texts(x, reading), 60, "whole texts")
    assert len(x.connects_s) == 1
    assert not reading.choice.missing


def test_a_stream_that_passes_over_what_is_asked_is_asked_in_the_other_vocabulary(
    x: FakeX, client: Callable[..., Client], caplog: pytest.LogCaptureFixture
) -> None:
    x.stream_dialect = NEW
    reading = client()
    wait_until(whole_texts(x, reading), 60, "whole texts")
    assert reading.choice.question.parameters.keys() >= {"post.fields"}
    assert reading.ended(Ending.UNANSWERED) == 2
    assert reading.choice.missing[Asked.CREATED_AT] >= 2 * UNANSWERED_POSTS
    assert "X answers without what was asked for: " in caplog.text
    assert "is asked for posts from now on" in caplog.text
    connects = len(x.connects_s)
    wait_until(whole_texts(x, reading), 60, "more of them")
    assert len(x.connects_s) == connects


def test_a_stream_that_refuses_what_it_does_not_know_is_asked_otherwise(
    x: FakeX, client: Callable[..., Client]
) -> None:
    x.stream_dialect = replace(NEW, refuses=True)
    reading = client()
    wait_until(whole_texts(x, reading), 60, "whole texts")
    assert reading.ended(Ending.HTTP) == 2
    assert not reading.choice.missing


def test_the_words_may_change_within_a_connection_and_nothing_is_cut_or_counted_twice(
    x: FakeX, client: Callable[..., Client]
) -> None:
    reading = client()
    wait_until(lambda: x.connected, 60, "a connection")
    posted = []
    for number in range(40):
        x.stream_dialect = (OLD, STREAMED)[number % 2]
        original = x.post(f"{WHOLE} {number}")
        edit = x.post(f"cats edited {number}", edits=original)
        posted += [original, edit, x.post(f"{WHOLE} {number}", repeats=original)]
    wait_until(lambda: len(set(reading.posts())) == 120, 60, "all posts")
    events = {event.tweet_id: event for event in reading.events()}
    for post in posted:
        assert events[post.tweet_id].text == post.text
        assert events[post.tweet_id].root_id == post.root_id
    assert not reading.choice.missing
    assert len(x.connects_s) == 1


def test_a_full_buffer_ends_the_connection_and_nothing_vanishes_unseen(
    x: FakeX, client: Callable[..., Client]
) -> None:
    reading = client()
    wait_until(lambda: x.connected, 60, "a connection")
    text = "cats " + "x" * 9_000
    numbers = iter(range(100_000))

    def full() -> int:
        if x.connected:
            x.post(text + str(next(numbers)))
        return reading.ended(Ending.BUFFER_FULL)

    reading.inbox._memory_lines = 10
    wait_until(full, 60, "the buffer to be full")
    received = [line.raw for line in reading.taken()]
    status = reading.reader.status
    wait_until(lambda: status.connects == 2 and status.connected, 60, "a connection, given room")
    posts = [line for line in received if line]
    assert len(posts) > 50
    assert sorted(posts) == posts
    ids = set(reading.posts())
    gaps = reading.receiver.take_gaps()
    assert [gap.reason for gap in gaps] == ["buffer-full", "buffer-full"]
    for post in x.corpus.posts:
        inside = gaps[1].to_at is not None and gaps[1].from_at <= post.at <= gaps[1].to_at
        assert post.tweet_id in ids or inside


def test_at_the_monthly_limit_the_stream_pauses(x: FakeX, client: Callable[..., Client]) -> None:
    reading = client(monthly_posts=3)
    wait_until(lambda: x.connected, 60, "a connection")
    for _ in range(6):
        x.post("cats")
    wait_until(lambda: reading.ended(Ending.SPEND_GUARD), 60, "the pause")
    assert len(reading.posts()) == 3
    wait_until(lambda: len(reading.clock.waits_s) > 5, 60, "some looks at the limit")
    assert len(x.connects_s) == 1
    assert reading.reader.status.why_not == "spend-guard"
