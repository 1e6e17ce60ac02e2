"""Answers that were given before: in this process, and in Redis for every process.

A key names the model by its hash, the version of cleaning, and the cleaned text by its SHA-256, so
that no answer of another model can be found, and no text stands in Redis.
"""

import asyncio
import hashlib
from collections.abc import Sequence
from functools import partial
from itertools import islice
from typing import Final

import msgspec
import redis.asyncio
from cachetools import LRUCache
from prometheus_client import CollectorRegistry

from model_server.scorer import Prediction
from schemas import cache_keys
from schemas.events import ModelIdentity
from schemas.process.metric_list import SERVE_CACHED
from schemas.transport.optional_redis import OptionalRedis

# MessagePack holds the doubles themselves, so that an answer is the same to the bit.
_encode: Final = msgspec.msgpack.Encoder().encode
_decoder: Final = msgspec.msgpack.Decoder(Prediction)

_MOST_UNWRITTEN: Final = 10_000


class AnswerCache:
    """Keeps answers by model and cleaned text; without Redis only this process's own.

    It belongs to one event loop. `ttl_s` 0: Redis keeps none.
    """

    def __init__(
        self,
        redis_server: OptionalRedis,
        registry: CollectorRegistry,
        *,
        prefix: str,
        size: int,
        ttl_s: int,
    ) -> None:
        self._redis = redis_server
        self._prefix = prefix
        self._ttl_s = ttl_s
        self._own: LRUCache[str, Prediction] = LRUCache(maxsize=size)
        self._unread: list[tuple[Sequence[str], asyncio.Future[Sequence[object]]]] = []
        self._reading: asyncio.Task[None] | None = None
        self._unwritten: dict[str, Prediction] = {}
        self._writing: asyncio.Task[None] | None = None
        found = SERVE_CACHED.register(registry)
        self._found_here = found.labels("process")
        self._found_in_redis = found.labels("redis")
        self._found_nowhere = found.labels("nowhere")

    def keys_of(self, model: ModelIdentity, cleaned: Sequence[str]) -> list[str]:
        """Return the key of each cleaned text."""
        return [
            cache_keys.answer(
                self._prefix,
                model.sha256,
                model.cleaning,
                # What was sent as a lone surrogate has no UTF-8.
                hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest(),
            )
            for text in cleaned
        ]

    async def find(self, keys: Sequence[str]) -> dict[str, Prediction]:
        """Return the answers that are there."""
        distinct = list(dict.fromkeys(keys))
        found = {key: self._own[key] for key in distinct if key in self._own}
        self._found_here.inc(len(found))
        missing = [key for key in distinct if key not in found]
        if missing and self._ttl_s:
            for key, value in zip(missing, await self._in_redis(missing), strict=False):
                answer = _decoded(value)
                if answer is not None:
                    found[key] = answer
                    self._remember(key, answer)
            self._found_in_redis.inc(sum(key in found for key in missing))
        self._found_nowhere.inc(len(distinct) - len(found))
        return found

    def keep(self, answers: dict[str, Prediction]) -> None:
        """Keep answers; nobody waits for Redis to have them.

        What came while others were written goes in one go. Where Redis is slow, some are left out.
        """
        for key, answer in answers.items():
            self._remember(key, answer)
        if self._ttl_s and len(self._unwritten) < _MOST_UNWRITTEN:
            self._unwritten |= answers
            if self._writing is None or self._writing.done():
                self._writing = asyncio.create_task(self._write())

    async def _in_redis(self, keys: Sequence[str]) -> Sequence[object]:
        """Return what Redis has under each key; nothing where it does not answer.

        What is asked while an answer is awaited goes in the next call, together: a call for each
        request took more time than all else that surrounds the model.
        """
        future: asyncio.Future[Sequence[object]] = asyncio.get_running_loop().create_future()
        self._unread.append((keys, future))
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._read())
        return await future

    async def _read(self) -> None:
        while self._unread:
            asked, self._unread = self._unread, []
            keys = [key for each, _ in asked for key in each]
            values = await self._redis.ask(partial(_get, keys=keys))
            given = iter(values or ())
            for each, future in asked:
                found = list(islice(given, len(each)))
                if not future.done():
                    future.set_result(found)

    async def _write(self) -> None:
        while self._unwritten:
            answers, self._unwritten = self._unwritten, {}
            await self._redis.ask(partial(_set, answers=answers, ttl_s=self._ttl_s))

    def _remember(self, key: str, answer: Prediction) -> None:
        if self._own.maxsize >= 1:
            self._own[key] = answer


async def _get(client: redis.asyncio.Redis, *, keys: Sequence[str]) -> Sequence[object]:
    found: Sequence[object] = await client.mget(keys)
    return found


async def _set(client: redis.asyncio.Redis, *, answers: dict[str, Prediction], ttl_s: int) -> bool:
    async with client.pipeline(transaction=False) as pipeline:
        for key, answer in answers.items():
            pipeline.set(key, _encode(answer), ex=ttl_s)
        await pipeline.execute()
    return True


def _decoded(value: object) -> Prediction | None:
    if not isinstance(value, bytes):
        return None
    try:
        return _decoder.decode(value)
    except msgspec.DecodeError:
        return None
