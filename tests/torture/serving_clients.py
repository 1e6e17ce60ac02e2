"""Clients of the service: steady ones, slow ones, and such as vanish in the middle."""

import asyncio
import json
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from tests.conditions import take_time
from tests.torture.serving_verdict import Answered, Expected, wrong_answers

_HURRY_S: Final = 120.0
"""A request that waits longer has no answer."""
_BUSY_S: Final = 0.2
_MOST_TEXTS: Final = 48
_LARGEST_TEXTS: Final = 512


class Replica(NamedTuple):
    """A service, by its name in the report."""

    name: str
    host: str
    port: int


@dataclass
class Seen:
    """What the clients of a run saw."""

    answered: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Texts by replica and model."""
    wrong: list[str] = field(default_factory=list)
    statuses: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    vanished: int = 0
    vanished_texts: int = 0
    slow: int = 0


class Clients:
    """Ask the replicas until they are told to stop; all in one event loop."""

    def __init__(
        self,
        replicas: Sequence[Replica],
        texts: Sequence[str],
        expected: Expected,
        bearer: str,
        seed: int,
    ) -> None:
        self._replicas = replicas
        self._expected = expected
        self._texts = texts
        self._bearer = bearer
        self._rng = random.Random(f"clients {seed}")
        self._stopped = False
        self.seen = Seen()

    def stop(self) -> None:
        """Send nothing new; what was sent is still awaited."""
        self._stopped = True

    async def run(self, steady: int) -> None:
        """Ask by so many steady clients for each replica, a slow one and one that vanishes."""
        async with asyncio.TaskGroup() as group:
            for replica in self._replicas:
                for _ in range(steady):
                    group.create_task(self._steady(replica))
                group.create_task(self._slow(replica))
                group.create_task(self._vanishing(replica))

    async def _steady(self, replica: Replica) -> None:
        connection = None
        while not self._stopped:
            texts = self._some_texts()
            try:
                if connection is None:
                    connection = await asyncio.open_connection(replica.host, replica.port)
                connection[1].write(self._request(texts))
                kept = await self._answered(replica, connection[0], texts)
            except (OSError, EOFError, TimeoutError) as fault:
                self.seen.faults.append(f"{replica.name}: no answer: {type(fault).__name__}")
                kept = False
            if not kept and connection is not None:
                connection[1].close()
                connection = None
                await take_time(_BUSY_S)
        if connection is not None:
            connection[1].close()

    async def _slow(self, replica: Replica) -> None:
        """Send a request in small pieces, and read the answer late."""
        while not self._stopped:
            texts = self._some_texts()
            raw = self._request(texts)
            size = max(1, len(raw) // 20)
            try:
                reader, writer = await asyncio.open_connection(replica.host, replica.port)
                for begin in range(0, len(raw), size):
                    writer.write(raw[begin : begin + size])
                    await take_time(0.1)
                await take_time(1.0)
                await self._answered(replica, reader, texts)
                writer.close()
            except (OSError, EOFError, TimeoutError) as fault:
                self.seen.faults.append(f"{replica.name}: slow: {type(fault).__name__}")
            self.seen.slow += 1

    async def _vanishing(self, replica: Replica) -> None:
        """Send a request or a part of it, and be gone."""
        while not self._stopped:
            texts = self._rng.choices(self._texts, k=self._rng.choice((1, 30, _LARGEST_TEXTS)))
            raw = self._request(texts)
            self.seen.vanished_texts += len(texts)
            try:
                _, writer = await asyncio.open_connection(replica.host, replica.port)
                cut = self._rng.choice((10, len(raw) // 2, len(raw), len(raw)))
                writer.write(raw[:cut])
                await writer.drain()
                await take_time(self._rng.uniform(0, 0.3))
                writer.transport.abort()
            except OSError as fault:
                self.seen.faults.append(f"{replica.name}: vanishing: {type(fault).__name__}")
            self.seen.vanished += 1
            await take_time(0.2)

    def _some_texts(self) -> list[str]:
        # Most ask for one text; some often asked ones are remembered.
        number = 1 if self._rng.random() < 0.7 else self._rng.randint(2, _MOST_TEXTS)
        if self._rng.random() < 0.1:
            return self._rng.choices(self._texts[:20], k=number)
        return self._rng.choices(self._texts, k=number)

    def _request(self, texts: Sequence[str]) -> bytes:
        single = len(texts) == 1
        body = json.dumps({"text": texts[0]} if single else {"texts": texts}).encode()
        head = (
            f"POST {'/predict' if single else '/predict/batch'} HTTP/1.1\r\nHost: localhost\r\n"
            f"Authorization: Bearer {self._bearer}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body

    async def _answered(
        self, replica: Replica, reader: asyncio.StreamReader, texts: Sequence[str]
    ) -> bool:
        """Note the answer; return whether the connection may be used again at once."""
        async with asyncio.timeout(_HURRY_S):
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
            lines = head.split("\r\n")
            headers = {name: value.strip() for name, _, value in (x.partition(":") for x in lines)}
            body = await reader.readexactly(int(headers["content-length"]))
        status = lines[0].split(" ")[1]
        self.seen.statuses[f"{replica.name} {status}"] += 1
        if status == "200":
            document = json.loads(body)
            found = [document] if len(texts) == 1 else document["predictions"]
            sha256 = document["model"]["sha256"]
            if len(found) != len(texts):
                self.seen.faults.append(f"{len(found)} answers to {len(texts)} texts")
            self.seen.answered[replica.name, sha256] += len(found)
            self.seen.wrong += wrong_answers(
                (
                    Answered(
                        replica.name,
                        text,
                        sha256,
                        each["label"],
                        tuple(each["probabilities"].values()),
                    )
                    for text, each in zip(texts, found, strict=False)
                ),
                self._expected,
            )
        elif status != "503" or "retry-after" not in headers:
            self.seen.faults.append(f"{replica.name}: {status} {headers.get('retry-after', '')}")
        return status == "200" and headers.get("connection") != "close"
