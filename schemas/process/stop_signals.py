"""The first Ctrl-C or SIGTERM ends a replay cleanly, the second at once."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


class StopSignals:
    """Whether the process was asked to end, and by which signal."""

    def __init__(self) -> None:
        self.signal_number: int | None = None

    def asked(self) -> bool:
        """Tell whether the process was asked to end."""
        return self.signal_number is not None

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Take the signals while the block runs; only in the main thread."""
        before = {number: signal.signal(number, self._ask) for number in _SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _ask(self, number: int, _frame: FrameType | None) -> None:
        self.signal_number = number
        for each in _SIGNALS:
            signal.signal(each, signal.SIG_DFL)
