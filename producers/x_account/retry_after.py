"""How long X asks to wait, as its answer says it."""

from collections.abc import Mapping
from typing import Final

LONGEST_WAIT_S: Final = 3_600.0
"""A reset further away is no rate limit of fifteen minutes: look again every hour."""


def asked_wait_s(headers: Mapping[str, str], now_s: float) -> float:
    """Return the seconds until `x-rate-limit-reset`, or of `Retry-After`; 0 where neither counts.

    `now_s` is in seconds since 1970. At most `LONGEST_WAIT_S`. The reset counts only where
    nothing remains until then: X sends it with every answer.
    """
    reset = _number(headers.get("x-rate-limit-reset"))
    remaining = _number(headers.get("x-rate-limit-remaining"))
    until_reset_s = reset + 1 - now_s if reset is not None and not remaining else 0.0
    after_s = _number(headers.get("retry-after")) or 0.0
    return min(max(until_reset_s, after_s, 0.0), LONGEST_WAIT_S)


def _number(text: str | None) -> float | None:
    if text is None or not (text.isascii() and text.isdecimal()) or len(text) > 15:
        return None
    return float(text)
