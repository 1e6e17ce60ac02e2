"""X's compliance streams: what each event asks for, and how a partition stays connected."""

import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from pydantic import SecretStr

from producers.compliance.compliance_lines import streamed_removal
from producers.compliance.partitions import ALLOWED_CONNECTS, CompliancePartition, partition_reader
from producers.parsing.faults import Unparsable
from producers.parsing.provenance import Origin
from producers.x_account.http_adapter import XAdapter
from producers.x_api.removals import SOURCE, removal_of
from producers.x_api.v2_documents import parse_document
from producers.x_connection.backoff import WINDOW_S, Attempts, after, connecting
from producers.x_connection.buffer import LineBuffer
from producers.x_connection.connection_end import ConnectionEnd, Ending
from producers.x_connection.disk_buffer import DiskBuffer
from producers.x_connection.received_line import ReceivedLine
from schemas.events import LIVE, AuthorErased, TweetDeleted, TweetWithheld
from schemas.process.liveness import Liveness
from tests.conditions import wait_until
from tests.contract.stream_client import TOKEN, HurriedClock
from tests.x_server.compliance_streams import event_line
from tests.x_server.faults import FAULTS, REFUSALS, Fault
from tests.x_server.server import FakeX, fake_x

NOW = datetime(2026, 11, 21, 9, 5, tzinfo=UTC)
AT = datetime(2026, 11, 21, 9, tzinfo=UTC)
TWEETS = CompliancePartition("tweets", 3)


@pytest.mark.parametrize("kind", ["delete", "drop"])
def test_a_tweet_that_is_deleted_or_dropped_is_deleted_here(kind: str) -> None:
    assert streamed_removal(event_line(kind, "15"), NOW) == TweetDeleted(
        run=LIVE, tweet_id="15", author_id="7001", deleted_at=AT, received_at=NOW, source=SOURCE
    )


@pytest.mark.parametrize("kind", ["delete", "drop", "withheld"])
def test_an_event_may_call_its_tweet_a_post(kind: str) -> None:
    assert streamed_removal(event_line(kind, "15", called="post"), NOW) == streamed_removal(
        event_line(kind, "15"), NOW
    )


@pytest.mark.parametrize("name", ["tweet_id", "post_id"])
def test_an_event_may_name_its_tweet_by_the_bare_id(name: str) -> None:
    event = {"event_at": "2026-11-21T09:00:00.000Z", name: "15", "author_id": "7001"}
    bare = msgspec.json.encode({"data": {"delete": event}})
    assert streamed_removal(bare, NOW) == streamed_removal(event_line("delete", "15"), NOW)
    origin = Origin(run=LIVE, run_started_at=NOW, source=SOURCE, content="test")
    assert parse_document(bare, origin, NOW, 1).events == [streamed_removal(bare, NOW)]


def test_a_withheld_tweet_keeps_its_countries() -> None:
    line = event_line("withheld", "15", withheld_in_countries=["DE", "FR", 7])
    assert streamed_removal(line, NOW) == TweetWithheld(
        run=LIVE,
        tweet_id="15",
        author_id="7001",
        withheld_at=AT,
        countries=("DE", "FR"),
        received_at=NOW,
        source=SOURCE,
    )


@pytest.mark.parametrize("kind", ["user_delete", "user_protect", "user_suspend", "user_withheld"])
def test_an_account_that_is_no_longer_shown_is_erased_as_a_batch_job_erases_it(kind: str) -> None:
    reason = kind.removeprefix("user_")
    batch = b'{"id":"12","reason":"%s","redacted_at":"2026-11-21T09:00:00Z"}' % reason.encode()
    erased = streamed_removal(event_line(kind, "12"), NOW)
    assert isinstance(erased, AuthorErased)
    assert erased == removal_of(batch, "users", NOW)


@pytest.mark.parametrize(
    "kind",
    [
        "undelete",
        "undrop",
        "edit",
        "tweet_edit",
        "post_edit",
        "user_undelete",
        "user_unprotect",
        "user_unsuspend",
        "scrub_geo",
        "user_profile_modification",
    ],
)
def test_what_comes_back_or_changes_is_named_and_asks_for_nothing(kind: str) -> None:
    assert streamed_removal(event_line(kind, "12"), NOW) == kind


def test_a_removal_is_kept_where_its_time_cannot_be_read() -> None:
    for at in ("yesterday", 7, None):
        removed = streamed_removal(event_line("delete", "15", event_at=at), NOW)
        assert isinstance(removed, TweetDeleted)
        assert removed.deleted_at is None


@pytest.mark.parametrize(
    "line",
    [
        b"<html>",
        b"{}",
        b'{"data":{}}',
        b'{"data":[]}',
        b'{"data":{"delete":{}}}',
        b"[" * 50_000,
        b'{"data":{"delete":{"tweet":{"id":[]}}}}',
        b'{"data":{"user_delete":{"tweet":{"id":"1"}}}}',
        b'{"data":{"user_forgotten":{"user":{"id":"1"}}}}',
        b'{"data":{"delete":"\xff"}}',
    ],
)
def test_what_does_not_say_what_is_gone_is_refused(line: bytes) -> None:
    with pytest.raises(Unparsable):
        streamed_removal(line, NOW)


@pytest.mark.parametrize(
    "line",
    [b'{"errors":[{"title":"operational-disconnect"}]}', b'{"title": "ConnectionException"}'],
)
def test_a_message_of_x_is_no_event(line: bytes) -> None:
    assert streamed_removal(line, NOW) == "api-error"


def test_four_partitions_connect_no_more_often_than_x_allows_their_stream() -> None:
    attempts, now_s = Attempts(allowed_connects=ALLOWED_CONNECTS), 0.0
    sound = ConnectionEnd(Ending.CLOSED, accepted=True, lines=9, lived_s=70)
    connects = []
    while now_s < 4 * WINDOW_S:
        connects.append(now_s)
        attempts = connecting(attempts, now_s)
        attempts, wait_s = after(attempts, sound, now_s)
        now_s += wait_s + 1
    for begin in connects:
        assert sum(begin <= at < begin + WINDOW_S for at in connects) <= 100 / 4


class Reading:
    """A reader of one partition, and what it received."""

    def __init__(self, x: FakeX, folder: Path, backfill_minutes: int) -> None:
        self.clock = HurriedClock()
        self.inbox = LineBuffer(DiskBuffer(folder, 100_000), 1_000)
        adapter = XAdapter(x.address, SecretStr(x.token), timeout_s=1, silence_s=2)
        self.reader = partition_reader(
            TWEETS,
            adapter,
            self.inbox,
            silence_s=1.0,
            backfill_minutes=backfill_minutes,
            clock=self.clock,
            liveness=Liveness("the reader", self.clock.monotonic_s, 60),
        )
        self.lines: list[ReceivedLine] = []
        self.thread = threading.Thread(target=self.reader.run, daemon=True)
        self.thread.start()

    def raw(self) -> list[bytes]:
        self.lines += self.inbox.take(1_000, 0.0)
        self.inbox.done()
        return [line.raw for line in self.lines]

    def ended(self, ending: Ending) -> bool:
        return self.reader.status.endings[ending] > 0

    def stop(self) -> float:
        began_s = time.monotonic()
        self.reader.stop()
        self.thread.join(10)
        assert not self.thread.is_alive()
        return time.monotonic() - began_s


@pytest.fixture
def x() -> Iterator[FakeX]:
    with fake_x(TOKEN, heartbeat_s=0.2) as server:
        yield server


@pytest.fixture
def reading(x: FakeX, tmp_path: Path) -> Iterator[Callable[..., Reading]]:
    """Start a reader; it is stopped at the end."""
    started = []

    def start(backfill_minutes: int = 0) -> Reading:
        started.append(Reading(x, tmp_path / "spill", backfill_minutes))
        return started[-1]

    yield start
    for each in started:
        each.stop()


def connected(x: FakeX) -> None:
    wait_until(lambda: TWEETS in x.compliance_streams.connected, 60, "a connection")


def test_a_partition_is_asked_for_by_its_number_with_the_backfill_the_account_has(
    x: FakeX, reading: Callable[..., Reading]
) -> None:
    reading(backfill_minutes=5)
    connected(x)
    assert x.asked == ["/2/tweets/compliance/stream?partition=3&backfill_minutes=5"]
    assert x.unauthorized == 0


def test_an_odd_line_ends_nothing_and_heartbeats_are_not_kept(
    x: FakeX, reading: Callable[..., Reading]
) -> None:
    partition = reading()
    connected(x)
    lines = [event_line("delete", "15"), b"<html>", b'"\xff', b"{}", event_line("drop", "16")]
    x.compliance_streams.send(TWEETS, *lines)
    wait_until(lambda: len(partition.raw()) == len(lines), 60, "all lines")
    assert partition.raw() == lines
    assert len(x.compliance_streams.connects_s[TWEETS]) == 1


@pytest.mark.parametrize(
    "fault",
    [f for f in FAULTS if f.wait_s or f.ending is Ending.UNREACHABLE],
    ids=lambda fault: fault.name,
)
def test_after_a_fault_a_partition_connects_again_and_no_sooner_than_it_may(
    fault: Fault, x: FakeX, reading: Callable[..., Reading]
) -> None:
    x.compliance_streams.scripts[TWEETS].append(fault)
    partition = reading()
    wait_until(lambda: partition.ended(fault.ending), 60, f"the end: {fault.ending}")
    wait_until(lambda: len(x.compliance_streams.connects_s[TWEETS]) == 2, 60, "another connect")
    assert fault.wait_s <= partition.clock.waits_s[0] <= fault.wait_s + 5
    connected(x)
    x.compliance_streams.send(TWEETS, event_line("delete", "15"))
    wait_until(partition.raw, 60, "an event")


def test_silence_ends_a_connection(x: FakeX, reading: Callable[..., Reading]) -> None:
    (silence,) = (fault for fault in FAULTS if fault.name == "bytes that make no line")
    x.compliance_streams.scripts[TWEETS].append(silence)
    partition = reading()
    connected(x)
    x.compliance_streams.send(TWEETS, event_line("delete", "15"), event_line("delete", "16"))
    wait_until(lambda: partition.ended(Ending.SILENT), 60, "the end")
    assert len(partition.raw()) == 2


def test_an_account_without_access_is_told_apart_and_x_is_not_asked_again(
    x: FakeX, reading: Callable[..., Reading]
) -> None:
    x.compliance_streams.forbidden = True
    partition = reading()
    partition.thread.join(10)
    assert partition.reader.refusal is not None
    assert (partition.reader.refusal.status, partition.reader.refusal.said) == (403, "Forbidden")
    assert len(x.asked) == 1


@pytest.mark.parametrize("fault", REFUSALS, ids=lambda fault: fault.name)
def test_a_partition_ends_where_x_does_not_take_the_token(
    fault: Fault, x: FakeX, reading: Callable[..., Reading]
) -> None:
    x.compliance_streams.scripts[TWEETS].append(fault)
    partition = reading()
    partition.thread.join(10)
    assert not partition.thread.is_alive()
    assert partition.reader.refusal is not None
    assert TOKEN not in partition.reader.refusal.told


def test_a_stop_takes_less_than_two_seconds(x: FakeX, reading: Callable[..., Reading]) -> None:
    partition = reading()
    connected(x)
    assert partition.stop() < 2
