"""Whether answers over HTTP are right, and memory flat: pure judgements of a run."""

from collections.abc import Iterable, Mapping, Sequence
from statistics import median
from typing import Final, NamedTuple

Expected = Mapping[tuple[str, str], tuple[str, tuple[float, ...]]]
"""By model's hash and text: label and probabilities."""

MOST_GROWTH: Final = 0.15
MOST_GROWTH_BYTES: Final = 48 * 1024 * 1024
"""Either is allowed: models of a swap, and caches that fill, make some difference."""


class Answered(NamedTuple):
    """An answer to one text as a client read it."""

    replica: str
    text: str
    sha256: str
    label: str
    probabilities: tuple[float, ...]


def wrong_answers(answers: Iterable[Answered], expected: Expected) -> list[str]:
    """Return the answers that are not, to the bit, what the named model gives alone.

    An answer that names a model that is none of the expected ones is wrong too.
    """
    found = []
    for each in answers:
        right = expected.get((each.sha256, each.text))
        if right is None:
            found.append(f"{each.replica}: {each.sha256[:12]} was never promoted")
        elif right != (each.label, each.probabilities):
            found.append(f"{each.replica}: {each.sha256[:12]} gives {right}, answered {each[3:]}")
    return found


def growth(name: str, resident_bytes: Sequence[int]) -> list[str]:
    """Return what is wrong with a process's memory, sampled evenly over a run.

    The first third is its beginning: libraries, caches and a second model take their place. From
    then on the last third must not lie above the middle one.
    """
    third = len(resident_bytes) // 3
    if third == 0:
        return [f"{name}: too short to tell"]
    middle = median(resident_bytes[third : 2 * third])
    last = median(resident_bytes[-third:])
    if last - middle <= max(MOST_GROWTH * middle, MOST_GROWTH_BYTES):
        return []
    return [f"{name} grew from {middle / 1e6:.0f} to {last / 1e6:.0f} MB"]


def uncounted(counted: float, answered: int, vanished_texts: int) -> list[str]:
    """Return what metrics miss or invent of the texts that clients saw answered.

    Clients that vanished saw nothing of answers that may have been given to them.
    """
    if answered <= counted <= answered + vanished_texts:
        return []
    return [f"metrics count {counted:.0f} texts, clients had {answered} (+{vanished_texts})"]
