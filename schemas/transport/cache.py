"""Connections to Redis."""

import redis

from schemas.settings import Settings


def connect_redis(settings: Settings) -> "redis.Redis":
    """Return a client that connects at its first command and never waits long for a cache."""
    return redis.Redis.from_url(
        settings.redis_uri,
        socket_connect_timeout=2,
        socket_timeout=5,
        health_check_interval=30,
        client_name="murmur",
    )
