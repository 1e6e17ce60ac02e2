"""One connection to a stream of X, through Tweepy, that another thread can end at once."""

import sys
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

import requests
import tweepy
from urllib3.exceptions import ReadTimeoutError

from producers.x_account.http_adapter import (
    NO_TOKEN,
    TWEEPY_HOST,
    XAdapter,
    XUnreachable,
    shut_down,
)
from producers.x_account.requested_fields import Endpoint
from producers.x_account.retry_after import asked_wait_s
from producers.x_account.vocabulary_choice import VocabularyChoice
from producers.x_api.missing_fields import look_at
from producers.x_api.problems import (
    is_too_many_connections,
    json_object,
    problem_in,
    said_by,
)
from producers.x_connection.connection_end import ConnectionEnd, Ending

_CHUNK_BYTES: Final = 64 * 1024
"""Tweepy's 512 make an overlong line cost its square, so that receiving it looks like a stall. A
chunk of X's that is smaller is handed on as it comes."""

_RATE_LIMITED: Final = frozenset([420, 429])
_OK: Final = 200
_BAD_REQUEST: Final = 400


class StreamConnection(tweepy.StreamingClient):  # type: ignore[misc]  # Tweepy has no types
    """Connects once and hands every line over as raw bytes.

    `accept` gets each line (empty for a heartbeat) and returns None, or why the connection has to
    end. A line can end it in one way alone: where posts keep coming without what was asked for,
    and `choice` knows another way of asking, it ends as `Ending.UNANSWERED`. Tweepy's own
    reconnecting and parsing are not used: its waits cannot be interrupted and are not X's. One
    instance is one connection.
    """

    def __init__(
        self,
        adapter: XAdapter,
        *,
        accept: Callable[[bytes], Ending | None],
        on_accepted: Callable[[], None],
        choice: VocabularyChoice | None = None,
        clock: Callable[[], float] = time.monotonic,
        now_s: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(NO_TOKEN, max_retries=0, chunk_size=_CHUNK_BYTES)
        self.session.mount(TWEEPY_HOST, adapter)
        self.session.hooks["response"].append(self._remember_response)
        self._accept = accept
        self._on_accepted = on_accepted
        self._choice = choice
        self._clock = clock
        self._now_s = now_s
        self._lock = threading.Lock()
        self._response: requests.Response | None = None
        self._given_up: Ending | None = None
        self._ending: Ending | None = None
        self._connected_at_s: float | None = None
        self._lines = 0
        self._said = ""
        self._by_x = True

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
            said=self._said,
            by_x=self._by_x,
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
            shut_down(response)

    def _ask(self, backfill_minutes: int | None) -> None:
        """Make the one request, by Tweepy, and stay in it until it ends."""
        # Tweepy's own method knows one of X's vocabularies only.
        self._choice = self._choice or VocabularyChoice(Endpoint.FILTERED_STREAM)
        self._request(
            Endpoint.FILTERED_STREAM,
            {**self._choice.question.encoded(), "backfill_minutes": backfill_minutes},
        )

    def _request(self, path: str, parameters: Mapping[str, object]) -> None:
        # StreamingClient's own method knows addresses below /2/tweets only.
        super(tweepy.StreamingClient, self)._connect(
            "GET", f"{TWEEPY_HOST}{path}", params=parameters
        )

    # What Tweepy calls, in the thread of `stream`.

    def on_connect(self) -> None:
        """Note that X answered 200; no further attempt is made within this call."""
        self.max_retries = -1
        self._connected_at_s = self._clock()
        self._on_accepted()
        if self._given_up is not None:
            self.disconnect()

    def on_data(self, raw_data: bytes) -> None:
        """Hand a line over as it came, and look at what it says of the asking."""
        if self._given_up is not None:
            return
        why = self._accept(raw_data)
        if why is not None:
            self.give_up(why)
            return
        self._lines += 1
        if b'"data"' in raw_data:
            # It goes on after all, whatever X has said.
            self._said, self._ending = "", None
            self._look_at(raw_data)
        elif raw_data and (problem := problem_in(raw_data)) is not None:
            # Whatever X says in the place of a post is why it will close.
            self._said = said_by(problem)
            if is_too_many_connections(problem):
                self._ending = Ending.TOO_MANY

    def on_keep_alive(self) -> None:
        """Hand a heartbeat over."""
        self.on_data(b"")

    def on_request_error(self, status_code: int) -> None:
        """Note an answer other than 200, and X's reason; the adapter has bounded its body."""
        response = self._response
        body = b"" if response is None else response.content
        problem = json_object(body)
        ending = Ending.RATE_LIMITED if status_code in _RATE_LIMITED else Ending.HTTP
        if problem is None:
            self._by_x = not body.strip()
        else:
            self._said = said_by(problem)
            if ending is Ending.HTTP and is_too_many_connections(problem):
                ending = Ending.TOO_MANY
            if self._choice is not None and status_code == _BAD_REQUEST:
                self._choice.ask_otherwise_after(problem)
        self._ended(ending)

    def on_connection_error(self) -> None:
        """Note that the network failed, before or after X's answer; silence is told apart."""
        error = sys.exception()
        if isinstance(error, XUnreachable):
            self._said = error.cause
        if self._connected_at_s is None:
            self._ended(Ending.UNREACHABLE)
        else:
            self._ended(Ending.SILENT if _timed_out(error) else Ending.RESET)

    def on_exception(self, exception: Exception) -> None:
        """Note what neither Tweepy nor we expected, such as an answer that cannot be unpacked."""
        self._said = type(exception).__name__
        self._ended(Ending.CLIENT_FAULT)

    def on_closed(self, response: requests.Response) -> None:
        """Note that X closed the stream."""
        del response
        self._ended(Ending.CLOSED)

    def on_disconnect(self) -> None:
        """Say nothing: the outcome says it."""

    def _look_at(self, raw: bytes) -> None:
        """Notice posts that come without what was asked for."""
        if self._choice is None:
            return
        seen = look_at(raw)
        self._choice.count(seen)
        if self._choice.ask_otherwise_for(seen):
            self.give_up(Ending.UNANSWERED)

    def _ended(self, ending: Ending) -> None:
        self._ending = self._ending or ending
        self.disconnect()

    def _remember_response(self, response: requests.Response, **_options: Any) -> None:
        with self._lock:
            self._response = response
            given_up = self._given_up is not None
        if given_up:
            shut_down(response)


def _timed_out(error: BaseException | None) -> bool:
    """Tell whether a read got no byte in time: requests wraps what urllib3 says of it."""
    inner = error.args[0] if error is not None and error.args else None
    return isinstance(error, requests.Timeout) or isinstance(inner, ReadTimeoutError)
