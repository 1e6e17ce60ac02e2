"""Waiting for PostgreSQL, but not for ever: one that hangs must not hold up a stop."""

import select
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import psycopg2
from psycopg2.extensions import POLL_OK, POLL_WRITE, connection, set_wait_callback

_LOOK_EVERY_MS: Final = 100
_LATE_AFTER_S: Final = 1.0


@contextmanager
def limited_waits(limit_s: Callable[[], float], waiting_on: Callable[[], None]) -> Iterator[None]:
    """While the block runs, give up an answer of PostgreSQL that takes longer than `limit_s`.

    The limit is asked for again and again, so it may change during a wait, and `waiting_on` is
    called as often once it took a second, in the thread that waits. Whoever waits gets
    psycopg2's `OperationalError`, and the connection is closed. Concerns the whole process: it is
    psycopg2's own hook for waiting
    (https://www.psycopg.org/docs/advanced.html#support-for-coroutine-libraries).
    """

    def wait(waiting: connection) -> None:
        began_s = time.monotonic()
        while (state := waiting.poll()) != POLL_OK:
            poller = select.poll()
            poller.register(
                waiting.fileno(), select.POLLOUT if state == POLL_WRITE else select.POLLIN
            )
            if poller.poll(_LOOK_EVERY_MS):
                continue
            waited_s = time.monotonic() - began_s
            if waited_s >= _LATE_AFTER_S:
                waiting_on()
            if waited_s >= limit_s():
                raise psycopg2.OperationalError("PostgreSQL does not answer in time")

    set_wait_callback(wait)
    try:
        yield
    finally:
        set_wait_callback(None)
