"""Requests that arrive whether or not others were answered, as those of many people do."""

import asyncio
import json
import random
import time
from collections.abc import Sequence
from statistics import quantiles
from typing import Any
from urllib.parse import urlsplit

from tests.conditions import take_time


def latencies_at(address: str, texts: Sequence[str], per_s: float, seed: int) -> dict[str, Any]:
    """Send each text to `/predict` at a moment of a Poisson process; return percentiles in ms.

    Each latency counts from the moment at which the request was due, so that a client that falls
    behind makes no figure better.
    """
    took_s, failed = asyncio.run(_send_all(address, texts, per_s, random.Random(seed)))
    hundredths = quantiles(took_s, n=100)
    return {
        "requests": len(took_s),
        "per_s": round(per_s),
        "failed": failed,
        "p50_ms": round(hundredths[49] * 1e3, 1),
        "p90_ms": round(hundredths[89] * 1e3, 1),
        "p99_ms": round(hundredths[98] * 1e3, 1),
        "longest_ms": round(max(took_s) * 1e3, 1),
    }


class _Connections:
    """Connections that are kept open; a new one where all are in use."""

    def __init__(self, host: str, port: int) -> None:
        self._where = (host, port)
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def post(self, path: str, body: bytes) -> int:
        """Return the status of the answer, which is read whole."""
        reader, writer = (
            self._idle.pop() if self._idle else await asyncio.open_connection(*self._where)
        )
        head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)
        answer = await reader.readuntil(b"\r\n\r\n")
        length = next(
            int(line.partition(b":")[2])
            for line in answer.lower().split(b"\r\n")
            if line.startswith(b"content-length:")
        )
        await reader.readexactly(length)
        self._idle.append((reader, writer))
        return int(answer.split(b" ", 2)[1])

    def close(self) -> None:
        for _, writer in self._idle:
            writer.close()


async def _send_all(
    address: str, texts: Sequence[str], per_s: float, rng: random.Random
) -> tuple[list[float], int]:
    where = urlsplit(address)
    connections = _Connections(where.hostname or "", where.port or 0)
    statuses: list[int] = []
    took_s: list[float] = []

    async def send(text: str, due_s: float) -> None:
        statuses.append(await connections.post("/predict", json.dumps({"text": text}).encode()))
        took_s.append(time.perf_counter() - due_s)

    due_s = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for text in texts:
            due_s += rng.expovariate(per_s)
            await take_time(max(0.0, due_s - time.perf_counter()))
            group.create_task(send(text, due_s))
    connections.close()
    return took_s, sum(status != 200 for status in statuses)
