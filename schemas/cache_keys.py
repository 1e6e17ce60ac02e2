"""Every key that Murmur writes in Redis, and the windows that are kept there."""

from typing import Final

WINDOWS: Final = ("1h", "1d", "all")
"""The windows of `murmur totals` that are answered from the cache."""


def aggregates(prefix: str, run: str, window: str) -> str:
    """Return the key of a run's aggregates over a window: one JSON document."""
    return f"{prefix}murmur:aggregates:{run}:{window}"


def answer(prefix: str, model_sha256: str, cleaning: str, text_sha256: str) -> str:
    """Return the key of a model's answer to a cleaned text, which stands there as a hash only."""
    return f"{prefix}murmur:answers:{model_sha256}:{cleaning}:{text_sha256}"


def rates(prefix: str) -> str:
    """Return what the keys begin with that count the requests of each caller."""
    return f"{prefix}murmur:rates"
