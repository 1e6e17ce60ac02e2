"""Counts in Redis for all processes; requests that come together are counted in one go."""

import asyncio
from collections.abc import Mapping
from functools import partial

import redis.asyncio

from schemas.transport.optional_redis import OptionalRedis


class SharedCounts:
    """Counts up in Redis. What comes while an answer is awaited goes in the next call, together.

    So a process that answers thousands of requests a second asks Redis some hundred times, and each
    request still hears its own place in the count. It belongs to one event loop.
    """

    def __init__(self, redis_server: OptionalRedis, prefix: str) -> None:
        self._redis = redis_server
        self._prefix = prefix
        self._waiting: dict[tuple[str, int], list[asyncio.Future[int | None]]] = {}
        self._asking: asyncio.Task[None] | None = None

    async def count(self, key: str, kept_s: int) -> int | None:
        """Count one and return the count; None where Redis does not answer.

        A count is forgotten at least `kept_s` seconds after it was last moved.
        """
        future: asyncio.Future[int | None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault((key, kept_s), []).append(future)
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._ask())
        return await future

    async def _ask(self) -> None:
        while self._waiting:
            asked, self._waiting = self._waiting, {}
            more = {key: len(futures) for key, futures in asked.items()}
            counts = await self._redis.ask(partial(_moved, prefix=self._prefix, more=more))
            for place, futures in enumerate(asked.values()):
                for behind, future in enumerate(reversed(futures)):
                    if not future.done():
                        future.set_result(None if counts is None else counts[place] - behind)


async def _moved(
    client: redis.asyncio.Redis, *, prefix: str, more: Mapping[tuple[str, int], int]
) -> list[int]:
    async with client.pipeline(transaction=False) as pipeline:
        for (key, kept_s), by in more.items():
            pipeline.incrby(f"{prefix}{key}", by)
            pipeline.expire(f"{prefix}{key}", 2 * kept_s)
        answers = await pipeline.execute()
    return [int(answer) for answer in answers[::2]]
