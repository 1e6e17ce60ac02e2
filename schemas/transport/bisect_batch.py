"""Finding the one bad item of a batch by halving."""

from collections.abc import Callable, Sequence
from typing import TypeVar

Item = TypeVar("Item")


def bisect(
    items: Sequence[Item],
    process: Callable[[Sequence[Item]], None],
    *,
    deterministic: tuple[type[Exception], ...],
) -> list[tuple[Item, Exception]]:
    """Process items in order, halving a refused batch down to the items that are to blame.

    Returns each blamed item with its fault; every other item has been processed. Only faults of a
    `deterministic` kind are isolated, any other is raised: then nothing is known of the rest.
    """
    try:
        process(items)
    except deterministic as fault:
        if len(items) == 1:
            return [(items[0], fault)]
        middle = len(items) // 2
        return [
            blamed
            for half in (items[:middle], items[middle:])
            for blamed in bisect(half, process, deterministic=deterministic)
        ]
    return []
