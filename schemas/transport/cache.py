"""Connections to Redis."""

import ssl

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


def why_redis_fails(error: BaseException) -> str:
    """Return in a word why Redis was not reached, and what is wrong with its certificate.

    It never holds the address, which has the password in it.
    """
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"its certificate is not trusted: {cause.verify_message}"
        cause = cause.__cause__ or cause.__context__
    if isinstance(error, redis.AuthenticationError):
        return "it refuses the password"
    return type(error).__name__
