"""Logged predictions that wait to be written: bounded by their number and by their memory."""

import sys
import threading
from collections import deque
from collections.abc import Iterable, Sequence
from typing import Final

from model_server.prediction_log.log_store import LoggedPrediction

_BESIDE_TEXT_BYTES: Final = 1_000
"""About what a prediction takes without its text: ids, names, probabilities."""


class Unwritten:
    """A queue that drops its oldest predictions where there is no room; for several threads."""

    def __init__(self, *, most: int, most_bytes: int) -> None:
        self._most = most
        self._most_bytes = most_bytes
        self._lock = threading.Lock()
        self._waiting: deque[LoggedPrediction] = deque()
        self._bytes = 0

    @property
    def held_bytes(self) -> int:
        """About how much memory they take."""
        return self._bytes

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, predictions: Iterable[LoggedPrediction]) -> None:
        """Add predictions behind the others."""
        with self._lock:
            for prediction in predictions:
                self._waiting.append(prediction)
                self._bytes += _size(prediction)
                while self._is_too_much():
                    self._bytes -= _size(self._waiting.popleft())

    def take(self, most: int, most_bytes: int) -> list[LoggedPrediction]:
        """Take the oldest ones, at least one where there is any."""
        taken: list[LoggedPrediction] = []
        room = most_bytes
        with self._lock:
            while self._waiting and len(taken) < most:
                size = _size(self._waiting[0])
                if taken and size > room:
                    break
                taken.append(self._waiting.popleft())
                self._bytes -= size
                room -= size
        return taken

    def put_back(self, predictions: Sequence[LoggedPrediction]) -> None:
        """Put what was taken before the others again; the oldest go where there is no room."""
        with self._lock:
            for prediction in reversed(predictions):
                self._waiting.appendleft(prediction)
                self._bytes += _size(prediction)
                if self._is_too_much():
                    self._bytes -= _size(self._waiting.popleft())
                    return

    def _is_too_much(self) -> bool:
        return len(self._waiting) > self._most or self._bytes > self._most_bytes


def _size(prediction: LoggedPrediction) -> int:
    return sys.getsizeof(prediction.text) + _BESIDE_TEXT_BYTES
