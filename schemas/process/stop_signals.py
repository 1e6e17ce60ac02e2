"""SIGTERM and Ctrl-C: the first ends a process in an orderly way, the second at once."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final, NoReturn

from schemas.process.exit_codes import interrupted_by

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def interruptible() -> Iterator[None]:
    """Have SIGINT raise `KeyboardInterrupt` while the block runs, also where it was ignored.

    A shell without job control starts what runs in the background with SIGINT ignored. Only in the
    main thread.
    """
    ignored = signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    if ignored:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        if ignored:
            signal.signal(signal.SIGINT, signal.SIG_IGN)


def exit_on_termination() -> None:
    """Have SIGTERM raise `SystemExit` from now on, so that what a command began is cleaned up.

    Without it the signal ends the process where it stands. Only in the main thread.
    """

    def leave(number: int, _frame: FrameType | None) -> NoReturn:
        raise SystemExit(interrupted_by(number))

    signal.signal(signal.SIGTERM, leave)


class StopSignals:
    """Whether the process was asked to end, and by which signal (None: by a part of itself).

    `event` is for threads that wait. The main thread asks instead: it takes the signals, and might
    be interrupted within its own waiting.
    """

    def __init__(self) -> None:
        self.signal_number: int | None = None
        self.event = threading.Event()
        self._told: list[Callable[[], object]] = []

    def asked(self) -> bool:
        """Tell whether the process was asked to end."""
        return self.event.is_set()

    def ask(self) -> None:
        """Ask the process to end, because a part of it has."""
        self.event.set()
        for tell in self._told:
            tell()

    def tell(self, asked: Callable[[], object]) -> None:
        """Call `asked` when the process is asked to end, or now where it was; it must not wait."""
        self._told.append(asked)
        if self.asked():
            asked()

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Take the signals while the block runs; only in the main thread."""
        before = {number: signal.signal(number, self._signalled) for number in _SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _signalled(self, number: int, _frame: FrameType | None) -> None:
        self.signal_number = number
        for each in _SIGNALS:
            signal.signal(each, signal.SIG_DFL)
        self.ask()
