"""A month of X on a clock that the test turns: what happens, what it costs, what it leaves."""

import gc
import re
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
import pytest
from pydantic import SecretStr

from producers.live.capture import Capture
from producers.live.gaps import DELIVERY_DELAY, Coverage, Gap
from producers.live.monthly_read_limit import ReadQuota
from producers.live.receiver import LiveReceiver
from producers.x_account.http_adapter import XAdapter
from producers.x_connection.backoff import CONNECTS_IN_WINDOW, WINDOW_S
from producers.x_connection.buffer import LineBuffer
from producers.x_connection.connection import StreamConnection
from producers.x_connection.connection_end import Ending
from producers.x_connection.disk_buffer import DiskBuffer
from producers.x_connection.reader import StreamReader
from producers.x_connection.received_line import ReceivedLine
from producers.x_connection.stall_detection import StallLimits
from schemas.process.liveness import Liveness
from tests.conditions import wait_until
from tests.x_server.exchange import Exchange
from tests.x_server.server import fake_x

TOKEN = "a-token-that-nobody-may-see"
BEGIN = datetime(2026, 11, 1, tzinfo=UTC)
END = datetime(2026, 12, 3, tzinfo=UTC)
RULES_EDITED = datetime(2026, 11, 5, tzinfo=UTC)
OUTAGE = (datetime(2026, 11, 9, 12, tzinfo=UTC), datetime(2026, 11, 10, 12, tzinfo=UTC))
HEARTBEAT = timedelta(seconds=20)
NIGHT_HOUR = 3
POST_EVERY = 20
MONTHLY_POSTS = 4_000
FIRST_LOOK = datetime(2026, 11, 3, tzinfo=UTC)
MAY_GROW_BYTES = 16 * 1024 * 1024


class TurnedClock:
    """Time that passes by waiting and by lines, and not otherwise."""

    def __init__(self) -> None:
        self._passed = timedelta()
        self._lock = threading.Lock()
        self.waits_of_the_outage_s: list[float] = []

    def turn(self, by: timedelta) -> None:
        with self._lock:
            self._passed += by

    def now(self) -> datetime:
        return BEGIN + self._passed

    def monotonic_s(self) -> float:
        return self._passed.total_seconds()

    def wait(self, stop: threading.Event, seconds: float) -> bool:
        if OUTAGE[0] <= self.now() < OUTAGE[1]:
            self.waits_of_the_outage_s.append(seconds)
        self.turn(timedelta(seconds=seconds))
        return stop.is_set()


@pytest.fixture
def no_collector() -> Iterator[None]:
    """Keep the garbage collector from closing what the code forgot to close."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def _tags(lines: list[ReceivedLine]) -> dict[datetime, list[bytes]]:
    """Return the tags of each post, by its arrival."""
    return {
        line.received_at: re.findall(rb'"tag":"([^"]+)"', line.raw)
        for line in lines
        if line.is_post
    }


@pytest.mark.usefixtures("no_collector")
def test_a_month_goes_by(tmp_path: Path) -> None:
    clock, process = TurnedClock(), psutil.Process()
    connects: list[datetime] = []
    with fake_x(TOKEN) as x:
        x.corpus.add_rule("cats", "about cats")
        post = x.corpus.post("cats dogs", at=BEGIN)

        def direct(exchange: Exchange) -> None:
            """Serve until the night, a post in twenty lines; be away in the outage."""
            now = clock.now()
            connects.append(now)
            if now >= RULES_EDITED and len(x.corpus.rules) == 1:
                x.corpus.add_rule("dogs", "about dogs")
            line = post.line(list(x.corpus.rules.values()))
            if OUTAGE[0] <= now < OUTAGE[1]:
                exchange.answer(503)
                return
            night = now.replace(hour=NIGHT_HOUR, minute=0, second=0)
            night += timedelta(days=1) if night <= now else timedelta()
            until = min([night, *(at for at in OUTAGE[:1] if at > now)])
            exchange.accept()
            for _ in range(int((until - now) / HEARTBEAT / POST_EVERY) + 1):
                exchange.chunk(b"\r\n" * (POST_EVERY - 1) + line + b"\r\n")
            exchange.end()

        x.director = direct
        adapter = XAdapter(x.address, SecretStr(TOKEN), timeout_s=5, silence_s=5)
        inbox = LineBuffer(DiskBuffer(tmp_path / "spill", 10_000_000), 20_000)
        spend = ReadQuota(MONTHLY_POSTS)

        def connect(
            accept: Callable[[bytes], Ending | None], accepted: Callable[[], None]
        ) -> StreamConnection:
            def later(raw: bytes) -> Ending | None:
                clock.turn(HEARTBEAT)
                return accept(raw)

            return StreamConnection(
                adapter,
                accept=later,
                on_accepted=accepted,
                clock=clock.monotonic_s,
                now_s=lambda: clock.now().timestamp(),
            )

        receiver = LiveReceiver(
            buffer=inbox, spend=spend, coverage=Coverage(None), gaps=[], clock=clock
        )
        reader = StreamReader(
            "the stream",
            connect=connect,
            receiver=receiver,
            patience=StallLimits(silence_s=1e9, quiet_s=0),
            clock=clock,
            liveness=Liveness("the reader", clock.monotonic_s, 1e9),
        )
        capture = Capture(tmp_path / "captures", file_life=timedelta(days=1))
        thread = threading.Thread(target=reader.run, daemon=True)
        thread.start()
        tags_at, gaps = dict[datetime, list[bytes]](), dict[datetime, Gap]()
        at_first: tuple[int, int] | None = None
        real_deadline_s = time.monotonic() + 120
        while clock.now() < END:
            assert time.monotonic() < real_deadline_s, clock.now()
            lines = inbox.take(5_000, 0.05)
            capture.write(lines)
            tags_at |= _tags(lines)
            inbox.done()
            gaps |= {gap.from_at: gap for gap in receiver.take_gaps()}
            if at_first is None and clock.now() >= FIRST_LOOK:
                at_first = (process.memory_info().rss, process.num_fds())
        reader.stop()
        thread.join(10)
        inbox.close()
        capture.close(clock.now())

        assert at_first is not None
        wait_until(lambda: process.num_fds() <= at_first[1] + 2, 60, "file handles as before")
        assert process.memory_info().rss - at_first[0] < MAY_GROW_BYTES

    reasons = [gap.reason for _, gap in sorted(gaps.items())]
    assert reasons.count("spend-guard") == 1
    assert reasons.count("closed-by-x") >= 17
    outage = next(
        g
        for g in gaps.values()
        if g.to_at and g.to_at - g.from_at > timedelta(hours=23) and g.reason != "spend-guard"
    )
    assert outage.from_at < OUTAGE[0] + HEARTBEAT * POST_EVERY
    assert outage.to_at is not None
    assert OUTAGE[1] <= outage.to_at < OUTAGE[1] + timedelta(seconds=321)
    paused = next(gap for gap in gaps.values() if gap.reason == "spend-guard")
    assert paused.to_at is not None
    assert paused.to_at - datetime(2026, 12, 1, tzinfo=UTC) < timedelta(seconds=10)
    assert spend.month_total(datetime(2026, 11, 30, tzinfo=UTC)) == MONTHLY_POSTS
    edited_at = min(at for at, tags in tags_at.items() if len(tags) == 2)
    assert RULES_EDITED <= edited_at < RULES_EDITED + timedelta(hours=NIGHT_HOUR, minutes=30)
    assert {tuple(tags) for at, tags in tags_at.items() if at < edited_at} == {(b"about cats",)}
    assert {tuple(tags) for at, tags in tags_at.items() if at >= edited_at} == {
        (b"about cats", b"about dogs"),
    }
    assert 0 < spend.month_total(END) < MONTHLY_POSTS
    assert all(
        gap.to_at is None or gap.to_at - gap.from_at >= DELIVERY_DELAY for gap in gaps.values()
    )
    waits_s = clock.waits_of_the_outage_s
    assert waits_s[1:8] == [5, 10, 20, 40, 80, 160, 320]
    assert set(waits_s[8:]) == {320}
    for first, at in enumerate(connects[:-CONNECTS_IN_WINDOW]):
        assert (connects[first + CONNECTS_IN_WINDOW] - at).total_seconds() >= WINDOW_S
    assert len(list((tmp_path / "captures").iterdir())) >= 18
