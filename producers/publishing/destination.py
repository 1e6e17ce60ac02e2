"""Where events and dead letters go, and in whose name."""

from dataclasses import dataclass

from schemas.setting_views import Names
from schemas.topics import DEAD_LETTER, RAW


@dataclass(frozen=True)
class Destination:
    """The two topics of what comes from outside.

    Dead letters name the `run` that what they hold was read for, and the `stage` that refused it.
    """

    raw_topic: str
    dead_letter_topic: str
    run: str
    stage: str


def destination(names: Names, run: str, stage: str) -> Destination:
    """Return the destination on this cluster."""
    return Destination(names.topic(RAW), names.topic(DEAD_LETTER), run, stage)
