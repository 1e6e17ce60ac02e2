"""One connection to a stream of X, through Tweepy, that another thread can end at once."""

import threading
import time
from collections.abc import Callable
from typing import Any, Final

import requests
import tweepy

from producers.x_account.http_adapter import NO_TOKEN, TWEEPY_HOST, XAdapter
from producers.x_account.requested_fields import asked_fields
from producers.x_account.retry_after import asked_wait_s
from producers.x_connection.connection_end import ConnectionEnd, Ending

_CHUNK_BYTES: Final = 64 * 1024
"""Tweepy's 512 make an overlong line cost its square, so that receiving it looks like a stall. A
chunk of X's that is smaller is handed on as it comes."""

_RATE_LIMITED: Final = frozenset([420, 429])
_OK: Final = 200


class StreamConnection(tweepy.StreamingClient):  # type: ignore[misc]  # Tweepy has no types
    """Connects once and hands every line over as raw bytes; nothing of a line can end it.

    `accept` gets each line (empty for a heartbeat) and returns None, or why the connection has to
    end. Tweepy's own reconnecting and parsing are not used: its waits cannot be interrupted and
    are not X's. One instance is one connection.
    """

    def __init__(
        self,
        adapter: XAdapter,
        *,
        accept: Callable[[bytes], Ending | None],
        on_accepted: Callable[[], None],
        clock: Callable[[], float] = time.monotonic,
        now_s: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(NO_TOKEN, max_retries=0, chunk_size=_CHUNK_BYTES)
        self.session.mount(TWEEPY_HOST, adapter)
        self.session.hooks["response"].append(self._remember_response)
        self._accept = accept
        self._on_accepted = on_accepted
        self._clock = clock
        self._now_s = now_s
        self._lock = threading.Lock()
        self._response: requests.Response | None = None
        self._given_up: Ending | None = None
        self._ending: Ending | None = None
        self._connected_at_s: float | None = None
        self._lines = 0

    def stream(self, backfill_minutes: int = 0) -> ConnectionEnd:
        """Receive until the connection ends, and say how; raises nothing of the network's."""
        if self._given_up is None:
            self._ask(backfill_minutes or None)
        with self._lock:
            # urllib3 closes a pool's sockets once nobody holds it, and a response holds its pool.
            response, self._response = self._response, None
        status = None if response is None else response.status_code
        headers = {} if response is None else response.headers
        connected_at_s = self._connected_at_s
        return ConnectionEnd(
            ending=self._given_up or self._ending or Ending.CLOSED,
            accepted=connected_at_s is not None,
            lines=self._lines,
            lived_s=0.0 if connected_at_s is None else self._clock() - connected_at_s,
            status=status,
            asked_wait_s=0.0 if status in (None, _OK) else asked_wait_s(headers, self._now_s()),
        )

    def give_up(self, why: Ending) -> None:
        """End the connection from another thread, whatever it waits for; the first reason stays.

        The waiting read returns at once; an attempt that has no answer yet ends by its time limit.
        """
        with self._lock:
            self._given_up = self._given_up or why
            self.disconnect()
            response = self._response
        if response is not None:
            _shut_down(response)

    def _ask(self, backfill_minutes: int | None) -> None:
        """Ask for the filtered stream, by Tweepy, and stay in that until it ends."""
        self.filter(**asked_fields(), backfill_minutes=backfill_minutes)

    # What Tweepy calls, in the thread of `stream`.

    def on_connect(self) -> None:
        """Note that X answered 200; no further attempt is made within this call."""
        self.max_retries = -1
        self._connected_at_s = self._clock()
        self._on_accepted()
        if self._given_up is not None:
            self.disconnect()

    def on_data(self, raw_data: bytes) -> None:
        """Hand a line over as it came."""
        if self._given_up is not None:
            return
        why = self._accept(raw_data)
        if why is None:
            self._lines += 1
        else:
            self.give_up(why)

    def on_keep_alive(self) -> None:
        """Hand a heartbeat over."""
        self.on_data(b"")

    def on_request_error(self, status_code: int) -> None:
        """Note an answer other than 200. Its text stays unread: it may say anything."""
        self._ended(Ending.RATE_LIMITED if status_code in _RATE_LIMITED else Ending.HTTP)

    def on_connection_error(self) -> None:
        """Note that the network failed, before or after X's answer."""
        self._ended(Ending.RESET if self._connected_at_s is not None else Ending.UNREACHABLE)

    def on_exception(self, exception: Exception) -> None:
        """Note what neither Tweepy nor we expected, such as an answer that cannot be unpacked."""
        del exception
        self._ended(Ending.CLIENT_FAULT)

    def on_closed(self, response: requests.Response) -> None:
        """Note that X closed the stream."""
        del response
        self._ended(Ending.CLOSED)

    def on_disconnect(self) -> None:
        """Say nothing: the outcome says it."""

    def _ended(self, ending: Ending) -> None:
        self._ending = self._ending or ending
        self.disconnect()

    def _remember_response(self, response: requests.Response, **_options: Any) -> None:
        with self._lock:
            self._response = response
            given_up = self._given_up is not None
        if given_up:
            _shut_down(response)


def _shut_down(response: requests.Response) -> None:
    try:
        response.raw.shutdown()
    except (OSError, ValueError, RuntimeError):
        # It has ended by itself meanwhile.
        return
