"""Which labelled texts train, and which validate?"""

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from retrain.datasets.rows import UnusableLabels
from schemas.tweet_time import snowflake_time

SplitBy = Literal["auto", "time", "hash"]
_WITH_TIME: Final = 0.9
"""Share of rows whose ids hold their time from which `auto` splits by it."""


@dataclass(frozen=True, slots=True)
class Example:
    """A cleaned text with its label; both as training and evaluation see them."""

    id: str | None
    text: str
    label: str


def split(
    examples: Sequence[Example], *, by: SplitBy, share: float
) -> tuple[list[Example], list[Example]]:
    """Return the training and the validation examples, each in the order given.

    By time the newest `share` of the examples with snowflake ids validates, as the stream's texts
    are later than any training's; examples without a time train. By hash it is that share of each
    label with the least SHA-256 of text: the same texts in every run, whatever the order.
    """
    times = [None if example.id is None else snowflake_time(example.id) for example in examples]
    timed = [place for place, when in enumerate(times) if when is not None]
    if by == "time" and not timed:
        raise UnusableLabels(
            "no id contains a time: use --split-by hash, or name --validation files"
        )
    if by == "time" or (by == "auto" and len(timed) >= _WITH_TIME * len(examples)):
        timed.sort(key=lambda place: (times[place], examples[place].text))
        chosen = set(timed[len(timed) - round(share * len(timed)) :])
    else:
        chosen = set(least_hashed(examples, share))
    return (
        [example for place, example in enumerate(examples) if place not in chosen],
        [example for place, example in enumerate(examples) if place in chosen],
    )


def least_hashed(examples: Sequence[Example], share: float, *, at_least: int = 0) -> list[int]:
    """Return the places of the given share of each label, chosen by their texts' hashes, sorted.

    Of a label so rare that this were fewer than `at_least`, it is so many, or all.
    """
    by_label: dict[str, list[int]] = defaultdict(list)
    for place, example in enumerate(examples):
        by_label[example.label].append(place)
    chosen: list[int] = []
    for places in by_label.values():
        places.sort(key=lambda place: hashlib.sha256(examples[place].text.encode()).digest())
        chosen += places[: max(at_least, round(share * len(places)))]
    return sorted(chosen)
