"""Every key that Murmur writes in Redis, and the windows that are kept there."""

from typing import Final

WINDOWS: Final = ("1h", "1d", "all")
"""The windows of `murmur totals` that are answered from the cache."""


def aggregates(prefix: str, run: str, window: str) -> str:
    """Return the key of a run's aggregates over a window: one JSON document."""
    return f"{prefix}murmur:aggregates:{run}:{window}"
