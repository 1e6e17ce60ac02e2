"""Connections to Redis."""

import redis

from schemas.setting_views import RedisConnection


def connect_redis(server: RedisConnection) -> "redis.Redis":
    """Return a client that connects at its first command and never waits long for a cache."""
    return redis.Redis.from_url(
        server.uri.get_secret_value(),
        socket_connect_timeout=2,
        socket_timeout=5,
        health_check_interval=30,
        client_name="murmur",
    )
