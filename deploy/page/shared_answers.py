"""One question for many readers: fifty open pages cost one query."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, Final, NamedTuple, TypeVar, cast

Answer = TypeVar("Answer")

_MOST_KEPT: Final = 100


class _Kept(NamedTuple):
    answer: Any
    until_s: float


class SharedAnswers:
    """Keeps each answer for `ttl_s` seconds; who asks for it meanwhile gets the same.

    While one thread asks, others that want the same wait for it. Faults are not kept. The answers
    are shared by all readers: whether somebody may ask is decided before.
    """

    def __init__(self, clock_s: Callable[[], float], ttl_s: float) -> None:
        self._clock_s = clock_s
        self._ttl_s = ttl_s
        self._lock = threading.Lock()
        self._kept: OrderedDict[Hashable, _Kept] = OrderedDict()
        self._asking: dict[Hashable, threading.Lock] = {}

    def get(self, key: Hashable, ask: Callable[[], Answer]) -> Answer:
        """Return the kept answer, or ask for it; raises what `ask` raises."""
        with self._lock:
            kept = self._kept.get(key)
            if kept is not None and self._clock_s() < kept.until_s:
                return cast("Answer", kept.answer)
            turn = self._asking.setdefault(key, threading.Lock())
        with turn:
            with self._lock:
                kept = self._kept.get(key)
                if kept is not None and self._clock_s() < kept.until_s:
                    return cast("Answer", kept.answer)
            try:
                answer = ask()
                self._keep(key, answer)
            finally:
                with self._lock:
                    self._asking.pop(key, None)
            return answer

    def _keep(self, key: Hashable, answer: Any) -> None:
        now_s = self._clock_s()
        with self._lock:
            self._kept[key] = _Kept(answer, now_s + self._ttl_s)
            self._kept.move_to_end(key)
            # The oldest stand first: what nobody may see any more is given back.
            while len(self._kept) > _MOST_KEPT or next(iter(self._kept.values())).until_s <= now_s:
                self._kept.popitem(last=False)

    def forget(self, key: Hashable) -> None:
        """Have the next reader ask anew: something was changed."""
        with self._lock:
            self._kept.pop(key, None)
