"""The fake's compliance streams: four partitions about tweets, four about accounts."""

import queue
import threading
import time
from collections import defaultdict, deque
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import msgspec

from tests.x_server.exchange import Exchange
from tests.x_server.faults import Fault

if TYPE_CHECKING:
    from tests.x_server.server import Handler

PATHS = {"/2/tweets/compliance/stream": "tweets", "/2/users/compliance/stream": "users"}
AT = "2026-11-21T09:00:00.000Z"

Place = tuple[str, int]
"""A kind and the number of a partition."""


def event_line(kind: str, subject_id: str, called: str = "tweet", **more: object) -> bytes:
    """Return an event as X writes it; a kind about an account names it, another its tweet.

    `called` is what the event calls a tweet.
    """
    about_account = kind.startswith("user_") or kind == "scrub_geo"
    subject = {"id": subject_id} if about_account else {"id": subject_id, "author_id": "7001"}
    event = {"event_at": AT, ("user" if about_account else called): subject} | more
    return msgspec.json.encode({"data": {kind: event}})


class ComplianceStreams:
    """`scripts` are played one fault a connect of their partition; behind them all goes well."""

    def __init__(self, stopping: threading.Event, heartbeat_s: float) -> None:
        self._stopping = stopping
        self._heartbeat_s = heartbeat_s
        self._lock = threading.Lock()
        self._lines: dict[Place, queue.SimpleQueue[bytes]] = {}
        self.scripts: defaultdict[Place, deque[Fault]] = defaultdict(deque)
        self.connects_s: defaultdict[Place, list[float]] = defaultdict(list)
        self.forbidden = False

    @property
    def connected(self) -> set[Place]:
        """The partitions that somebody is being sent."""
        with self._lock:
            return set(self._lines)

    def send(self, place: Place, *lines: bytes) -> None:
        """Send lines to who is connected to a partition."""
        with self._lock:
            for line in lines:
                self._lines[place].put(line)

    def stream(self, handler: "Handler") -> None:
        address = urlsplit(handler.path)
        asked = parse_qs(address.query)
        place = PATHS[address.path], int(asked["partition"][0])
        if self.forbidden:
            handler.answer_json(403, {"title": "Forbidden"})
            return
        lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        exchange = Exchange(handler, lines, self._stopping, self._heartbeat_s)

        def subscribe() -> None:
            with self._lock:
                self._lines[place] = lines

        exchange.on_accept = subscribe
        with self._lock:
            self.connects_s[place].append(time.monotonic())
            script = self.scripts[place]
            fault = script.popleft() if script else None
        try:
            exchange.play(fault.play if fault else None)
        finally:
            with self._lock:
                if self._lines.get(place) is lines:
                    del self._lines[place]
