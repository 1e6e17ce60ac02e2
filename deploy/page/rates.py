"""How fast a number falls: what a lag does while somebody looks."""

from collections.abc import Hashable
from datetime import datetime, timedelta
from typing import Final

_LONG_ENOUGH: Final = timedelta(seconds=3)
_TOO_LONG: Final = timedelta(minutes=5)


class Rates:
    """Remembers one earlier reading of each number."""

    def __init__(self) -> None:
        self._before: dict[Hashable, tuple[datetime, int]] = {}
        self._last: dict[Hashable, float | None] = {}

    def note(self, name: Hashable, value: int, now: datetime) -> float | None:
        """Return by how much a second the number falls (below 0: grows); None: not known yet."""
        at, earlier = self._before.get(name, (now, value))
        passed = now - at
        if passed >= _LONG_ENOUGH or name not in self._before:
            known = _LONG_ENOUGH <= passed <= _TOO_LONG
            self._last[name] = (earlier - value) / passed.total_seconds() if known else None
            self._before[name] = (now, value)
        return self._last.get(name)
