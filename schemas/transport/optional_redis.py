"""Redis for what can do without it: short waits, and a pause where it does not answer."""

import logging
import time
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

import redis.asyncio
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from schemas.setting_views import RedisConnection
from schemas.transport.cache import why_redis_fails

logger = logging.getLogger(__name__)

_ANSWER_S: Final = 0.25
_PAUSE_S: Final = 5.0
_CONNECTIONS: Final = 32
T = TypeVar("T")


class OptionalRedis:
    """A client for one event loop. Where Redis does not answer, it is not asked for some seconds.

    `server` None: there is no Redis.
    """

    def __init__(
        self,
        server: RedisConnection | None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
        self._not_before_s = 0.0
        self._is_away = False
        self.pool: redis.asyncio.ConnectionPool | None = None
        self._client: redis.asyncio.Redis | None = None
        if server is not None:
            self.pool = redis.asyncio.BlockingConnectionPool.from_url(
                server.uri.get_secret_value(),
                max_connections=_CONNECTIONS,
                timeout=_ANSWER_S,
                socket_timeout=_ANSWER_S,
                socket_connect_timeout=_ANSWER_S,
                retry=Retry(NoBackoff(), 1),
                client_name="murmur-serve",
            )
            self._client = redis.asyncio.Redis(connection_pool=self.pool)

    async def ask(self, call: Callable[[redis.asyncio.Redis], Awaitable[T]]) -> T | None:
        """Return what the call gives; None where Redis does not answer, or did not just now."""
        if self._client is None or (self._is_away and self._clock() < self._not_before_s):
            return None
        # One asks whether it is back, the others go on without it.
        self._not_before_s = self._clock() + _PAUSE_S
        try:
            answer = await call(self._client)
        except (RedisError, OSError) as error:
            self._not_before_s = self._clock() + _PAUSE_S
            if not self._is_away:
                logger.warning(
                    "Redis does not answer (%s): going on without", why_redis_fails(error)
                )
            self._is_away = True
            return None
        if self._is_away:
            logger.info("Redis answers again")
            self._is_away = False
        return answer

    async def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.aclose()
        if self.pool is not None:
            await self.pool.disconnect()
