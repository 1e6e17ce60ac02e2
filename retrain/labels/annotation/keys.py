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
from contextlib import contextmanager, suppress
from typing import Final

_ESCAPE_SEQUENCE: Final = re.compile(r"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|O.|.)?")
"""What arrows and function keys send: they mean nothing here, and must not be read as letters."""


class Keys:
    """The keys of a terminal that is in cbreak mode: no echo, and no Enter to wait for.

    `resized` becomes readable when the terminal has another size; `redraw` is called then.
    """

    def __init__(self, descriptor: int, resized: int, redraw: Callable[[], None]) -> None:
        self._descriptor = descriptor
        self._resized = resized
        self._redraw = redraw
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="ignore")
        self._waiting: deque[str] = deque()

    def read(self) -> str | None:
        """Wait for a key and return it; None where the terminal has gone, or for Ctrl-D."""
        while not self._waiting:
            readable, _, _ = select.select([self._descriptor, self._resized], [], [])
            if self._resized in readable:
                os.read(self._resized, 1_024)
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
    resized, resize = os.pipe()
    os.set_blocking(resize, False)

    def on_resize(*_: object) -> None:
        # Drawn where keys are awaited: a signal may come in the middle of printing.
        with suppress(BlockingIOError):
            os.write(resize, b"\0")

    previous = signal.signal(signal.SIGWINCH, on_resize)
    try:
        tty.setcbreak(descriptor)
        yield Keys(descriptor, resized, redraw)
    finally:
        signal.signal(signal.SIGWINCH, previous)
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)
        os.close(resized)
        os.close(resize)
