"""Where events and dead letters go, and in whose name."""

from dataclasses import dataclass

from schemas.settings import Settings
from schemas.topics import DEAD_LETTER, RAW, topic_name


@dataclass(frozen=True)
class Destination:
    """The two topics of what comes from outside.

    Dead letters name the `run` that what they hold was read for, and the `stage` that refused it.
    """

    raw_topic: str
    dead_letter_topic: str
    run: str
    stage: str


def destination(settings: Settings, run: str, stage: str) -> Destination:
    """Return the destination on this cluster."""
    return Destination(topic_name(settings, RAW), topic_name(settings, DEAD_LETTER), run, stage)
