"""Single keys from a terminal, each of them, also those that were typed ahead.

`click.getchar` throws away what is typed between two calls, and gives several keys as one text.
"""

import codecs
import os
import re
import select
import signal
import sys
import termios
import tty
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

_ESCAPE_SEQUENCE: Final = re.compile(r"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|O.|.)?")
"""What arrows and function keys send: they mean nothing here, and must not be read as letters."""


class Keys:
    """The keys of a terminal that is in cbreak mode: no echo, and no Enter to wait for.

    `signals` has the numbers of signals that came; SIGWINCH among them calls `redraw`.
    """

    def __init__(self, descriptor: int, signals: int, redraw: Callable[[], None]) -> None:
        self._descriptor = descriptor
        self._signals = signals
        self._redraw = redraw
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="ignore")
        self._waiting: deque[str] = deque()

    def read(self) -> str | None:
        """Wait for a key and return it; None where the terminal has gone, or for Ctrl-D."""
        while not self._waiting:
            readable, _, _ = select.select([self._descriptor, self._signals], [], [])
            if self._signals in readable and signal.SIGWINCH in os.read(self._signals, 1_024):
                self._redraw()
            if self._descriptor in readable:
                try:
                    typed = os.read(self._descriptor, 1_024)
                except OSError:
                    return None
                if not typed or typed == b"\x04":
                    return None
                self._waiting.extend(_ESCAPE_SEQUENCE.sub("", self._decoder.decode(typed)))
        return self._waiting.popleft()


@contextmanager
def terminal_keys(redraw: Callable[[], None]) -> Iterator[Keys]:
    """Read keys from standard input, and call `redraw` when the terminal gets another size.

    The terminal is put back as it was, whatever happens but SIGKILL.
    """
    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)
    signals, signalled = os.pipe()
    os.set_blocking(signalled, False)
    previous = signal.signal(signal.SIGWINCH, _do_nothing)
    # Written by the signal itself: a handler in Python may wait until the next key.
    others = signal.set_wakeup_fd(signalled, warn_on_full_buffer=False)
    try:
        tty.setcbreak(descriptor)
        yield Keys(descriptor, signals, redraw)
    finally:
        signal.set_wakeup_fd(others)
        signal.signal(signal.SIGWINCH, previous)
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)
        os.close(signals)
        os.close(signalled)


def _do_nothing(*_: object) -> None:
    """Be there, so that the signal is noticed."""
