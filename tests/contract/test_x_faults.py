"""Every fault of X and of the way to it: how the client ends, what arrives, how long it waits."""

import threading
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from producers.x_connection.connection_end import Ending
from tests.conditions import wait_until
from tests.contract.stream_client import TOKEN, Client
from tests.x_server.faults import FAULTS, Fault
from tests.x_server.server import STREAM, FakeX, fake_x


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
        wait_until(lambda: reading.ended(fault.ending), 20, f"the end: {fault.ending}")
        posts_of_the_fault = len(set(reading.posts()))
        assert posts_of_the_fault >= fault.posts
        wait_until(lambda: reading.clock.waits_s, 10, "the wait after it")
        assert reading.clock.waits_s[0] >= fault.wait_s
        assert reading.clock.waits_s[0] <= fault.wait_s + 5
        wait_until(lambda: len(x.connects_s) == 2 and x.connected, 10, "the next connection")
        wait_until(lambda: len(set(reading.posts())) >= posts_of_the_fault + 3, 10, "more posts")
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
    wait_until(lambda: x.connected, 10, "a connection")
    for _ in range(3):
        x.post("cats")
    wait_until(lambda: len(reading.posts()) >= 2, 10, "two posts")
    assert reading.stop() < 2


def test_no_error_of_any_fault_shows_the_token(
    x: FakeX, client: Callable[..., Client], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    x.script.extend(fault for fault in FAULTS if fault.ending in (Ending.HTTP, Ending.UNREACHABLE))
    reading = client()
    wait_until(lambda: x.connected, 60, "a connection at last")
    x.post("cats")
    wait_until(reading.posts, 10, "a post")
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
    wait_until(lambda: advice in reading.reader.status.why_not, 20, "the advice in /readyz")
    assert advice in caplog.text


def test_a_host_that_has_no_address_is_unreachable_and_stops_as_quickly(
    client: Callable[..., Client],
) -> None:
    reading = client(api="https://x.invalid")
    wait_until(lambda: reading.ended(Ending.UNREACHABLE) > 2, 30, "three attempts")
    wait_until(lambda: len(reading.clock.waits_s) > 2, 10, "the wait after the third")
    assert reading.clock.waits_s[:3] == [0, 0.25, 0.5]
    assert reading.stop() < 2


def test_a_redirect_elsewhere_does_not_take_the_token_along(
    x: FakeX, client: Callable[..., Client]
) -> None:
    with fake_x(TOKEN) as elsewhere:
        address = f"{elsewhere.address}{STREAM}"
        x.script.append(
            Fault("redirect", lambda e: e.answer(302, Location=address), Ending.HTTP, wait_s=5)
        )
        reading = client()
        wait_until(lambda: reading.ended(Ending.HTTP), 20, "the refusal elsewhere")
        assert elsewhere.unauthorized == 1
        assert elsewhere.connects_s == []


def test_a_full_buffer_ends_the_connection_and_nothing_vanishes_unseen(
    x: FakeX, client: Callable[..., Client]
) -> None:
    reading = client()
    wait_until(lambda: x.connected, 10, "a connection")
    text = "cats " + "x" * 9_000
    numbers = iter(range(100_000))

    def full() -> int:
        if x.connected:
            x.post(text + str(next(numbers)))
        return reading.ended(Ending.BUFFER_FULL)

    reading.inbox._memory_lines = 10
    wait_until(full, 30, "the buffer to be full")
    received = [line.raw for line in reading.taken()]
    status = reading.reader.status
    wait_until(lambda: status.connects == 2 and status.connected, 10, "a connection, given room")
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
    wait_until(lambda: x.connected, 10, "a connection")
    for _ in range(6):
        x.post("cats")
    wait_until(lambda: reading.ended(Ending.SPEND_GUARD), 10, "the pause")
    assert len(reading.posts()) == 3
    wait_until(lambda: len(reading.clock.waits_s) > 5, 10, "some looks at the limit")
    assert len(x.connects_s) == 1
    assert reading.reader.status.why_not == "spend-guard"
