"""Microbatches that fill while the one before is at work: none waits longer than it must."""

import asyncio
from collections.abc import AsyncIterable, Awaitable, Callable, Sequence
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Microbatches(Generic[Item]):
    """Hands items on in order, one window of at most `most_items` at a time.

    A window goes off at once where nothing is at work; what arrives meanwhile is the next one.
    So windows are small and quick at low rates, and full at high ones. What `work` raises ends
    `tasks`, and with it whoever takes in.
    """

    def __init__(
        self,
        tasks: asyncio.TaskGroup,
        work: Callable[[Sequence[Item]], Awaitable[None]],
        *,
        most_items: int,
    ) -> None:
        self._tasks = tasks
        self._work = work
        self._most_items = most_items
        self._waiting: list[Item] = []
        self._working: asyncio.Task[None] | None = None
        self._taken = asyncio.Event()

    async def take_in(self, arrivals: AsyncIterable[Sequence[Item]]) -> None:
        """Take in what arrives, to its end; ask for more once less than a full window waits."""
        async for items in arrivals:
            self._waiting.extend(items)
            if self._working is None or self._working.done():
                self._working = self._tasks.create_task(self._work_off())
            while len(self._waiting) >= self._most_items:
                self._taken.clear()
                await self._taken.wait()

    async def _work_off(self) -> None:
        while self._waiting:
            window = self._waiting[: self._most_items]
            del self._waiting[: self._most_items]
            self._taken.set()
            await self._work(window)
