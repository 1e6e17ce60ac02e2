"""Remembered answers: the same as new ones, all of one model, and never in a new model's way."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest
from prometheus_client import CollectorRegistry

from model_server.http.answer_cache import AnswerCache
from model_server.http.batching import Answer, Batcher
from model_server.http.predictor import Predictor
from model_server.scorer import Prediction
from schemas.transport.optional_redis import OptionalRedis
from tests.unit.examples import model as identity_of


class Named:
    """Answers each text with the model's name and the text; notes what it was asked."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.identity = identity_of(name)
        self.asked: list[str] = []

    def predict(self, texts: Sequence[str]) -> list[Prediction]:
        self.asked += texts
        return [Prediction(f"{self.name}:{text}", 1.0, {}) for text in texts]


class House:
    """A predictor, the model that it takes for the serving one, and the one that scores."""

    def __init__(self, *, cache_size: int) -> None:
        self.models = {name: Named(name) for name in "ab"}
        self.named = self.scores = "a"
        registry = CollectorRegistry()
        self.batcher = Batcher(lambda: self.models[self.scores])
        self.predictor = Predictor(
            self.batcher,
            registry,
            cache=AnswerCache(OptionalRedis(None), registry, prefix="", size=cache_size, ttl_s=60),
            serving=lambda: self.models[self.named].identity,
        )

    async def ask(self, *texts: str) -> list[str]:
        answer: Answer = await self.predictor.predict(texts)
        labels = [prediction.label for prediction in answer.predictions]
        assert {label.partition(":")[0] for label in labels} == {answer.model.name}
        return labels


@asynccontextmanager
async def house(*, cache_size: int = 100) -> AsyncIterator[House]:
    built = House(cache_size=cache_size)
    built.batcher.start()
    try:
        yield built
    finally:
        built.batcher.stop()


def test_a_text_is_scored_once_and_answered_wherever_it_stands() -> None:
    async def story() -> None:
        async with house() as built:
            assert await built.ask("x", "y", "x") == ["a:x", "a:y", "a:x"]
            assert await built.ask("y", "z", "x") == ["a:y", "a:z", "a:x"]
            # Cleaning drops the space around a text.
            assert await built.ask("  x ") == ["a:x"]
            assert built.models["a"].asked == ["x", "y", "z"]

    asyncio.run(story())


@pytest.mark.parametrize("texts", [("x",), ("y",), ("x", "y"), ("y", "x", "y", "z")])
def test_all_answers_are_of_one_model_also_while_another_takes_over(texts: tuple[str, ...]) -> None:
    async def story() -> None:
        async with house() as built:
            await built.ask("x")
            built.scores = "b"
            labels = await built.ask(*texts)
            by = "a" if set(texts) == {"x"} else "b"
            assert labels == [f"{by}:{text}" for text in texts]
            built.named = "b"
            assert await built.ask(*texts) == [f"b:{text}" for text in texts]

    asyncio.run(story())


def test_nothing_is_remembered_where_there_is_no_room() -> None:
    async def story() -> None:
        async with house(cache_size=0) as built:
            assert await built.ask("x", "x") == ["a:x", "a:x"]
            assert await built.ask("x") == ["a:x"]
            assert built.models["a"].asked == ["x", "x"]

    asyncio.run(story())


def test_long_texts_are_answered_as_short_ones_are() -> None:
    async def story() -> None:
        async with house() as built:
            texts = [f"{number} " + "word " * 5_000 for number in range(8)]
            assert await built.ask(*texts) == [f"a:{text}" for text in texts]
            assert await built.ask(*texts) == [f"a:{text}" for text in texts]
            assert len(built.models["a"].asked) == 8

    asyncio.run(story())
