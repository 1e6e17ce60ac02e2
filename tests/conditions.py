"""Waiting in tests: for a condition, never for luck."""

import asyncio
import time
from collections.abc import Callable
from typing import TypeVar

Found = TypeVar("Found")


def wait_until(
    condition: Callable[[], Found | None], timeout_s: float, what: str, *, every_s: float = 0.05
) -> Found:
    """Ask until the condition is truthy and return it; `AssertionError` naming `what` if never."""
    deadline = time.monotonic() + timeout_s
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout_s:g} s: {what}")
        time.sleep(every_s)


async def take_time(seconds: float) -> None:
    """Let time pass that belongs to what is tested: a slow client, a moment of arrival."""
    await asyncio.sleep(seconds)
