"""Answers that were given before are the same to the bit, and Redis away costs speed alone."""

import time
from pathlib import Path
from typing import Any, Final

from pydantic import SecretStr

from model_server.scorer import load_scorer
from schemas.settings import Settings
from schemas.transport.cache import connect_redis
from tests.conditions import wait_until
from tests.integration.serving import OwnRedis, Service, own_redis, serving

TEXTS: Final = [f"what a {word} day @ann{n}" for n in range(30) for word in ("fine", "sad")]
TEXTS_TWICE: Final = [*TEXTS, *(text.replace("@ann", "@bob") for text in TEXTS)]


def answers(service: Service, texts: list[str] = TEXTS_TWICE) -> list[dict[str, Any]]:
    answer = service.post("/predict/batch", json={"texts": texts})
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["predictions"]
    return found


def cached(service: Service) -> dict[str, float]:
    found = {}
    for line in service.get("/metrics").text.splitlines():
        if line.startswith('murmur_serve_cached_texts_total{found="'):
            name, value = line.split('"')[1], line.split()[-1]
            found[name] = float(value)
    return found


def scored() -> list[dict[str, Any]]:
    return [
        {
            "label": answer.label,
            "confidence": answer.confidence,
            "probabilities": answer.probabilities,
        }
        for answer in load_scorer(None, cache_size=0).predict(TEXTS_TWICE)
    ]


def keys_in(redis: OwnRedis, settings: Settings) -> list[bytes]:
    own = settings.model_copy(update={"redis": SecretStr(redis.uri)})
    with connect_redis(own.redis_connection) as client:
        return [key for key in client.scan_iter("*answers*") if client.ttl(key) > 0]


def test_answers_are_shared_by_processes_and_the_same_to_the_bit(
    settings: Settings, tmp_path: Path
) -> None:
    expected = scored()
    with own_redis() as redis:
        own = {"redis": SecretStr(redis.uri), "serve_rate": ""}
        with (
            serving(settings, tmp_path / "a", **own) as a,
            serving(settings, tmp_path / "b", **own) as b,
        ):
            assert answers(a) == expected
            # Who is mentioned is the same to the model.
            distinct = int(cached(a)["nowhere"])
            assert cached(a) == {"process": 0, "redis": 0, "nowhere": distinct}
            assert 0 < distinct <= len(TEXTS)
            wait_until(lambda: len(keys_in(redis, settings)) == distinct, 60, "Redis to have them")
            assert answers(b) == expected
            assert cached(b) == {"process": 0, "redis": distinct, "nowhere": 0}
            assert answers(b) == expected
            assert cached(b) == {"process": distinct, "redis": distinct, "nowhere": 0}
            assert all(b"day" not in key for key in keys_in(redis, settings))

            # What stands in Redis and is no answer is none.
            with connect_redis(
                settings.model_copy(update={"redis": own["redis"]}).redis_connection
            ) as client:
                for key in client.scan_iter("*answers*"):
                    client.set(key, b"\xc1 no answer")
            with serving(settings, tmp_path / "c", **own) as c:
                assert answers(c) == expected

            redis.stop()
            began_s = time.monotonic()
            assert answers(a) == expected
            assert answers(b, [text.upper() for text in TEXTS])
            for number in range(10):
                assert answers(a, [f"something new, number {number}"])
            assert time.monotonic() - began_s < 10
            redis.start()
            assert answers(a) == expected
