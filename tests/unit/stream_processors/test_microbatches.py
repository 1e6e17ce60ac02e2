"""Microbatches fill while the one before is at work."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream_processors.scoring.microbatches import Microbatches


@given(arrivals=st.lists(st.integers(0, 9), max_size=30), most=st.integers(1, 5))
def test_every_item_is_in_one_window_in_order(arrivals: list[int], most: int) -> None:
    seen: list[Sequence[int]] = []

    async def process(window: Sequence[int]) -> None:
        await asyncio.to_thread(seen.append, list(window))

    async def numbers() -> AsyncIterator[Sequence[int]]:
        number = 0
        for count in arrivals:
            yield range(number, number + count)
            number += count

    async def run() -> None:
        async with asyncio.TaskGroup() as tasks:
            await Microbatches[int](tasks, process, most_items=most).take_in(numbers())

    asyncio.run(run())
    assert [item for window in seen for item in window] == list(range(sum(arrivals)))
    assert all(1 <= len(window) <= most for window in seen)


def test_a_first_item_goes_off_at_once_and_what_comes_meanwhile_together() -> None:
    seen: list[Sequence[str]] = []

    async def run() -> None:
        at_work, go_on = asyncio.Event(), asyncio.Event()

        async def process(window: Sequence[str]) -> None:
            seen.append(window)
            at_work.set()
            await go_on.wait()

        async def arrivals() -> AsyncIterator[Sequence[str]]:
            yield ["a"]
            await at_work.wait()
            yield ["b"]
            yield ["c", "d"]
            go_on.set()

        async with asyncio.TaskGroup() as tasks:
            await Microbatches[str](tasks, process, most_items=10).take_in(arrivals())

    asyncio.run(run())
    assert seen == [["a"], ["b", "c", "d"]]


def test_no_more_is_asked_for_while_a_full_window_waits() -> None:
    async def run() -> None:
        at_work, go_on = asyncio.Event(), asyncio.Event()
        arriving, asked_again = asyncio.Event(), asyncio.Event()

        async def process(_window: Sequence[int]) -> None:
            at_work.set()
            await go_on.wait()

        async def arrivals() -> AsyncIterator[Sequence[int]]:
            yield [1]
            await at_work.wait()
            arriving.set()
            yield [2, 3]
            asked_again.set()

        async with asyncio.TaskGroup() as tasks:
            windows = Microbatches[int](tasks, process, most_items=2)
            taking_in = asyncio.create_task(windows.take_in(arrivals()))
            await arriving.wait()
            await asyncio.wait([taking_in], timeout=0.05)
            assert not asked_again.is_set()
            go_on.set()
            await taking_in
            assert asked_again.is_set()

    asyncio.run(run())


def test_a_fault_ends_the_taking_in_even_where_nothing_more_arrives() -> None:
    async def run() -> None:
        async def process(_window: Sequence[int]) -> None:
            raise LookupError("no way")

        async def arrivals() -> AsyncIterator[Sequence[int]]:
            yield [1]
            await asyncio.Event().wait()

        async with asyncio.TaskGroup() as tasks:
            await Microbatches[int](tasks, process, most_items=2).take_in(arrivals())

    with pytest.raises(ExceptionGroup) as fault:
        asyncio.run(run())
    assert fault.group_contains(LookupError)
