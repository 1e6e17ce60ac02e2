"""Aggregates in Redis: one JSON document for each run and window, with a short life."""

from collections.abc import Iterable

import msgspec
import redis

from schemas import cache_keys
from stream_processors.aggregates.aggregates import Aggregates


class AggregatesCache:
    """Reads and writes aggregates; every method raises `redis.RedisError` without a server.

    What is read may be up to `ttl_s` seconds old; `Aggregates.as_of` says how old it is.
    """

    def __init__(self, client: "redis.Redis", prefix: str, ttl_s: int) -> None:
        self._client = client
        self._prefix = prefix
        self._ttl_s = ttl_s

    def read(self, run: str, window: str) -> Aggregates | None:
        """Return what is held, or None; a document of another release counts as none."""
        document = self._client.get(self._key(run, window))
        if not isinstance(document, bytes):
            return None
        try:
            return msgspec.json.decode(document, type=Aggregates)
        except msgspec.DecodeError:
            return None

    def write(self, found: Iterable[Aggregates]) -> None:
        """Replace the documents, all or none, and start their lives anew."""
        with self._client.pipeline(transaction=True) as pipeline:
            for aggregates in found:
                key = self._key(aggregates.run, aggregates.window)
                pipeline.set(key, msgspec.json.encode(aggregates), ex=self._ttl_s)
            pipeline.execute()

    def complete(self, run: str) -> bool:
        """Tell whether every window of a run is held."""
        keys = [self._key(run, window) for window in cache_keys.WINDOWS]
        return self._client.exists(*keys) == len(keys)

    def forget(self, run: str) -> None:
        """Delete everything that is held of a run."""
        self._client.delete(*(self._key(run, window) for window in cache_keys.WINDOWS))

    def _key(self, run: str, window: str) -> str:
        return cache_keys.aggregates(self._prefix, run, window)
