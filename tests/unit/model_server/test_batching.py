"""Batches of many requests: everybody gets their own answers, in turn, from one model."""

import asyncio
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from model_server.http.batching import Answer, Batcher, QueueFull
from model_server.onnx_engine import BATCH_TEXTS, UnscorableTexts
from model_server.scorer import Prediction
from tests.conditions import wait_until
from tests.unit.examples import model as identity_of


class Echo:
    """Answers each text with itself; notes its batches, and can be held up."""

    def __init__(self, name: str = "a") -> None:
        self.identity = identity_of(name)
        self.batches: list[list[str]] = []
        self.go_on = threading.Event()
        self.go_on.set()
        self.began = threading.Event()

    def predict(self, texts: Sequence[str]) -> list[Prediction]:
        self.batches.append(list(texts))
        self.began.set()
        assert self.go_on.wait(30)
        if any(text == "unscorable" for text in texts):
            raise UnscorableTexts("the tokenizer refuses it")
        return [Prediction(text, 1.0, {text: 1.0}) for text in texts]


@contextmanager
def batching(model: Echo, *, most_waiting: int = 4_096, threads: int = 1) -> Iterator[Batcher]:
    batcher = Batcher(lambda: model, most_waiting=most_waiting, threads=threads)
    batcher.start()
    try:
        yield batcher
    finally:
        model.go_on.set()
        batcher.stop()


async def labels(batcher: Batcher, texts: Sequence[str]) -> list[str]:
    return [prediction.label for prediction in (await batcher.predict(texts)).predictions]


async def waiting(batcher: Batcher, texts: int) -> None:
    """Wait until so many texts wait or are being scored."""

    def are_there() -> bool:
        return batcher.waiting_texts == texts

    await asyncio.to_thread(wait_until, are_there, 60, f"{texts} texts wait")


@hypothesis_settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(1, 100), min_size=1, max_size=20), st.sampled_from([1, 3]))
def test_everybody_gets_their_own_answers(sizes: list[int], threads: int) -> None:
    asked = [[f"{number}-{place}" for place in range(size)] for number, size in enumerate(sizes)]
    model = Echo()

    async def ask() -> list[list[str]]:
        with batching(model, threads=threads) as batcher:
            found = await asyncio.gather(*(labels(batcher, texts) for texts in asked))
            assert batcher.waiting_texts == 0
            return list(found)

    assert asyncio.run(ask()) == asked
    assert max(map(len, model.batches)) <= BATCH_TEXTS


def test_one_text_does_not_wait_for_another_requests_many() -> None:
    model = Echo()

    async def ask() -> list[str]:
        order: list[str] = []

        async def note(name: str, texts: list[str]) -> None:
            await labels(batcher, texts)
            order.append(name)

        with batching(model) as batcher:
            model.go_on.clear()
            many = asyncio.create_task(note("many", [f"m{n}" for n in range(512)]))
            await asyncio.to_thread(model.began.wait, 30)
            one = asyncio.create_task(note("one", ["o"]))
            await waiting(batcher, 513)
            model.go_on.set()
            await asyncio.gather(many, one)
        return order

    assert asyncio.run(ask()) == ["one", "many"]
    assert "o" in model.batches[1] + model.batches[2]


def test_what_nobody_waits_for_any_more_costs_nothing() -> None:
    model = Echo()

    async def ask() -> int:
        with batching(model) as batcher:
            model.go_on.clear()
            first = asyncio.create_task(labels(batcher, ["first"]))
            await asyncio.to_thread(model.began.wait, 30)
            gone = asyncio.create_task(labels(batcher, ["gone"] * 100))
            await waiting(batcher, 101)
            gone.cancel()
            await asyncio.gather(gone, return_exceptions=True)
            model.go_on.set()
            await first
            await labels(batcher, ["last"])
            return batcher.waiting_texts

    assert asyncio.run(ask()) == 0
    assert model.batches == [["first"], ["last"]]


def test_a_full_queue_is_said_with_the_time_it_needs() -> None:
    model = Echo()

    async def ask() -> float:
        with batching(model, most_waiting=100) as batcher:
            model.go_on.clear()
            first = asyncio.create_task(labels(batcher, ["first"] * 90))
            await asyncio.to_thread(model.began.wait, 30)
            with pytest.raises(QueueFull) as full:
                await batcher.predict(["more"] * 11)
            model.go_on.set()
            await first
            assert await labels(batcher, ["more"] * 101) == ["more"] * 101
            return full.value.retry_after_s

    assert asyncio.run(ask()) >= 1


def test_a_text_that_is_refused_harms_only_its_own_request() -> None:
    model = Echo()

    async def ask() -> list[object]:
        with batching(model) as batcher:
            model.go_on.clear()
            first = asyncio.create_task(labels(batcher, ["first"]))
            await asyncio.to_thread(model.began.wait, 30)
            others = [
                asyncio.create_task(labels(batcher, texts))
                for texts in (["good"], ["unscorable"], ["fine", "too"])
            ]
            await waiting(batcher, 5)
            model.go_on.set()
            found: list[object] = await asyncio.gather(first, *others, return_exceptions=True)
            return found

    first, good, refused, fine = asyncio.run(ask())
    assert (first, good, fine) == (["first"], ["good"], ["fine", "too"])
    assert isinstance(refused, UnscorableTexts)


def test_all_answers_of_a_request_are_of_one_model() -> None:
    old, new = Echo("old"), Echo("new")
    serving = [old]
    batcher = Batcher(lambda: serving[0])

    async def ask() -> str:
        old.go_on.clear()
        many = asyncio.create_task(batcher.predict([f"m{n}" for n in range(100)]))
        await asyncio.to_thread(old.began.wait, 30)
        serving[0] = new
        old.go_on.set()
        answer = await many
        assert [each.label for each in answer.predictions] == [f"m{n}" for n in range(100)]
        return answer.model.name

    batcher.start()
    try:
        assert asyncio.run(ask()) == "new"
    finally:
        batcher.stop()
    assert sum(map(len, new.batches)) == 100
    assert batcher.waiting_texts == 0


def test_the_texts_of_one_request_are_scored_by_all_threads_at_once() -> None:
    model = Echo()
    together = threading.Barrier(3)

    def predict(texts: Sequence[str]) -> list[Prediction]:
        # Where fewer threads come, it breaks after this time.
        together.wait(60)
        return [Prediction(text, 1.0, {}) for text in texts]

    model.predict = predict  # type: ignore[method-assign]
    texts = [f"m{n}" for n in range(3 * BATCH_TEXTS)]

    async def ask() -> list[str]:
        with batching(model, threads=3) as batcher:
            return await labels(batcher, texts)

    assert asyncio.run(ask()) == texts


def test_a_swap_amid_threads_gives_answers_of_one_model() -> None:
    old, new = Echo("old"), Echo("new")
    serving = [old]
    batcher = Batcher(lambda: serving[0], threads=2)

    async def ask() -> Answer:
        old.go_on.clear()
        many = asyncio.create_task(batcher.predict([f"m{n}" for n in range(2 * BATCH_TEXTS)]))
        await asyncio.to_thread(wait_until, lambda: len(old.batches) == 2, 60, "both to score")
        refused = asyncio.create_task(batcher.predict(["unscorable", *["x"] * 100]))
        await waiting(batcher, 2 * BATCH_TEXTS + 101)
        serving[0] = new
        old.go_on.set()
        with pytest.raises(UnscorableTexts):
            await refused
        return await many

    batcher.start()
    try:
        answer = asyncio.run(ask())
    finally:
        batcher.stop()
    # All of it was begun with the old one, and nothing of it waited.
    assert answer.model.name == "old"
    assert [each.label for each in answer.predictions] == [f"m{n}" for n in range(2 * BATCH_TEXTS)]
    assert batcher.waiting_texts == 0


def test_the_model_is_asked_for_also_while_nothing_waits() -> None:
    asked = 0

    def model() -> Echo:
        nonlocal asked
        asked += 1
        return Echo()

    batcher = Batcher(model)
    batcher.start()
    try:
        wait_until(lambda: asked >= 2, 60, "a promoted model to have its turn")
    finally:
        batcher.stop()


def test_a_fault_of_one_thread_ends_all_and_nobody_waits_for_ever() -> None:
    model = Echo()
    faults: list[BaseException] = []
    breaks = threading.Event()

    def serving() -> Echo:
        if breaks.is_set():
            breaks.clear()
            raise RuntimeError("no model")
        return model

    def beside(name: str, work: Callable[[threading.Event], object]) -> threading.Thread:
        def run() -> None:
            try:
                work(threading.Event())
            except RuntimeError as fault:
                faults.append(fault)

        thread = threading.Thread(target=run, name=name, daemon=True)
        thread.start()
        threads.append(thread)
        return thread

    threads: list[threading.Thread] = []
    batcher = Batcher(serving, threads=2)

    async def ask() -> None:
        model.go_on.clear()
        asked = asyncio.create_task(labels(batcher, ["a"]))
        await asyncio.to_thread(model.began.wait, 60)
        # Held up in one thread; the other one breaks.
        breaks.set()
        with pytest.raises(QueueFull):
            await asked
        with pytest.raises(QueueFull):
            await labels(batcher, ["b"])

    batcher.start(beside)
    asyncio.run(ask())
    model.go_on.set()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)
    assert [str(fault) for fault in faults] == ["no model"]
