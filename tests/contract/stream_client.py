"""A reader on the fake X, with waits that take no time, for the contract tests."""

import threading
import time
from pathlib import Path

from pydantic import SecretStr

from producers.live.gaps import Coverage
from producers.live.monthly_read_limit import ReadQuota
from producers.live.receiver import LiveReceiver
from producers.parsing.provenance import Origin, Parsed
from producers.x_account.http_adapter import XAdapter
from producers.x_account.requested_fields import Endpoint
from producers.x_account.vocabulary_choice import VocabularyChoice
from producers.x_api.missing_fields import seen_in
from producers.x_api.v2_documents import parse_document
from producers.x_api.v2_json_types import WireDocument
from producers.x_connection.buffer import LineBuffer
from producers.x_connection.clock import SystemClock
from producers.x_connection.connection import StreamConnection
from producers.x_connection.connection_end import Ending
from producers.x_connection.disk_buffer import DiskBuffer
from producers.x_connection.reader import StreamReader
from producers.x_connection.received_line import ReceivedLine
from producers.x_connection.stall_detection import StallLimits
from schemas.events import TweetPosted
from schemas.process.liveness import Liveness
from tests.x_server.server import FakeX

TOKEN = "a-token-that-nobody-may-see"
PATIENCE = StallLimits(silence_s=1.0, quiet_s=2.0)


class HurriedClock(SystemClock):
    """The machine's time, but waiting takes none: what was asked for is kept."""

    def __init__(self) -> None:
        self.waits_s: list[float] = []

    def wait(self, stop: threading.Event, seconds: float) -> bool:
        self.waits_s.append(seconds)
        return stop.wait(min(seconds, 0.01))


class Client:
    """A reader on a fake X, its lines read by nobody but the test."""

    def __init__(
        self,
        x: FakeX,
        folder: Path,
        monthly_posts: int = 1_000_000,
        api: str = "",
        patience: StallLimits = PATIENCE,
        silence_s: float = 2,
    ) -> None:
        self.clock = HurriedClock()
        self.inbox = LineBuffer(DiskBuffer(folder / "spill", 1_000_000), 10_000)
        self.started_at = self.clock.now()
        adapter = XAdapter(api or x.address, SecretStr(x.token), timeout_s=1, silence_s=silence_s)
        self.choice = VocabularyChoice(Endpoint.FILTERED_STREAM)
        self.receiver = LiveReceiver(
            buffer=self.inbox,
            spend=ReadQuota(monthly_posts),
            coverage=Coverage(self.started_at),
            gaps=[],
            clock=self.clock,
        )
        self.reader = StreamReader(
            "the stream",
            connect=lambda accept, accepted: StreamConnection(
                adapter, accept=accept, on_accepted=accepted, choice=self.choice
            ),
            receiver=self.receiver,
            patience=patience,
            clock=self.clock,
            liveness=Liveness("the reader", self.clock.monotonic_s, 60),
        )
        self.lines: list[ReceivedLine] = []
        self._thread = threading.Thread(target=self.reader.run, daemon=True)
        self._thread.start()

    def taken(self) -> list[ReceivedLine]:
        while taken := self.inbox.take(1_000, 0.0):
            self.lines += taken
            self.inbox.done()
        return self.lines

    def events(self) -> list[TweetPosted]:
        return [
            event
            for line in self.taken()
            for event in self._read(line).events
            if isinstance(event, TweetPosted)
        ]

    def posts(self) -> list[str]:
        return [event.tweet_id for event in self.events()]

    def dead_letters(self) -> int:
        return sum(len(self._read(line).refused) for line in self.taken())

    def ended(self, ending: Ending) -> int:
        return self.reader.status.endings.get(ending, 0)

    def stop(self) -> float:
        """Stop the reader; return how long that took, in seconds."""
        began_s = time.monotonic()
        self.reader.stop()
        self._thread.join(10)
        assert not self._thread.is_alive()
        return time.monotonic() - began_s

    def _read(self, line: ReceivedLine) -> Parsed:
        origin = Origin(run="live", run_started_at=self.started_at, source="x-v2", content="test")
        parsed = parse_document(line.raw, origin, line.received_at, 1)
        if isinstance(parsed.context, WireDocument):
            self.choice.count(seen_in(parsed.context))
        return parsed
