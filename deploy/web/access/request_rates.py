"""How many requests each caller may send: counted in Redis for all processes together."""

import math
import time
from collections.abc import Awaitable, Callable
from typing import NamedTuple, TypeVar

from limits import RateLimitItemPerMinute, parse
from limits.aio.storage import MemoryStorage, RedisStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter

from deploy.web.access.shared_counts import SharedCounts
from schemas import cache_keys
from schemas.transport.optional_redis import OptionalRedis

T = TypeVar("T")


class Rate(NamedTuple):
    """What is left to a caller: `remaining` requests of `quota` until `reset_s` from now."""

    allowed: bool
    quota: int
    window_s: int
    remaining: int
    reset_s: int

    def headers(self) -> dict[str, str]:
        """Return the headers of draft-ietf-httpapi-ratelimit-headers, and Retry-After if due."""
        told = {
            "RateLimit-Policy": f'"requests";q={self.quota};w={self.window_s}',
            "RateLimit": f'"requests";r={self.remaining};t={self.reset_s}',
        }
        return told if self.allowed else {**told, "Retry-After": str(self.reset_s)}


class RequestRates:
    """Counts by windows of the clock: a second, a minute, an hour or a day.

    While Redis is away each process counts for itself. `rate` is as in `600/minute`; None: there is
    no limit.
    """

    def __init__(
        self,
        redis: OptionalRedis,
        prefix: str,
        rate: str | None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._redis = redis
        self._clock = clock
        self._item = parse(rate) if rate else None
        self._alone = MemoryStorage()
        self._together = SharedCounts(redis, f"{cache_keys.rates(prefix)}:")
        self._shared: RedisStorage | None = None
        if redis.pool is not None:
            self._shared = RedisStorage(
                # The pool says where it is.
                "async+redis://",
                implementation="redispy",
                key_prefix=cache_keys.rates(prefix),
                connection_pool=redis.pool,  # type: ignore[arg-type]
            )

    async def count(self, caller: str) -> Rate | None:
        """Count one request of a caller; None where there is no limit."""
        if self._item is None:
            return None
        item, now_s = self._item, self._clock()
        window_s = item.get_expiry()
        # The window stands in the key, so that one call to Redis says all: a strategy of the
        # library asks twice, and took a third of the cached answers that a core gives.
        window = int(now_s // window_s)
        key = item.key_for(caller, str(window))
        sent = await self._together.count(key, window_s)
        if sent is None:
            sent = await self._alone.incr(key, window_s)
        return Rate(
            allowed=sent <= item.amount,
            quota=item.amount,
            window_s=window_s,
            remaining=max(0, item.amount - sent),
            reset_s=max(1, math.ceil((window + 1) * window_s - now_s)),
        )

    async def count_fault(self, peer: str, most_a_minute: int) -> bool:
        """Count a wrong key of a peer; return whether there were more than so many in a minute."""
        item = RateLimitItemPerMinute(most_a_minute)
        return not await self._either(
            lambda storage: SlidingWindowCounterRateLimiter(storage).hit(item, "fault", peer)
        )

    async def _either(self, call: Callable[[RedisStorage | MemoryStorage], Awaitable[T]]) -> T:
        shared = self._shared
        if shared is not None:
            found = await self._redis.ask(lambda _client: call(shared))
            if found is not None:
                return found
        return await call(self._alone)
