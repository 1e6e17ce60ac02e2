"""What is done to the stack, in which order: a function of the seed."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

WORKER_KILLS: Final = ("score-kill", "sink-kill")
RARE: Final = (
    "both-kill",
    "score-stop",
    "sink-stop",
    "score-pause",
    "sink-pause",
    "kafka-kill",
    "kafka-stop",
    "kafka-pause",
    "kafka-slow",
    "postgres-kill",
    "postgres-stop",
    "postgres-pause",
    "postgres-slow",
    "valkey-flush",
    "valkey-kill",
    "valkey-stop",
    "second-score-leaves",
    "second-score-is-killed",
    "disk-full",
    "tweets-aborted",
    "partitions-raised",
    "raw-made-anew",
    "scored-made-anew",
    "second-score-clock-ahead",
    "second-score-clock-behind",
    "second-sink-clock-ahead",
    "second-sink-clock-behind",
)
_LONGEST_S: Final = 20.0
_AT_ONCE: Final = 0.15


@dataclass(frozen=True)
class Fault:
    """Something done to the stack for `lasts_s`, where its kind has a length.

    `pause_s` passes after the recovery from it, until the next; with `at_once` the next does not
    even wait for the recovery.
    """

    kind: str
    lasts_s: float
    pause_s: float
    at_once: bool

    @property
    def limit_s(self) -> float:
        """How soon after its end the stream has to move again."""
        return 60.0 if self.kind.startswith("kafka") or self.kind == "disk-full" else 30.0


def faults(seed: int) -> Iterator[Fault]:
    """Yield faults without end: in every round each kind once, and between them worker kills."""
    generator = random.Random(f"faults {seed}")
    while True:
        for kind in generator.sample(RARE, len(RARE)):
            for one in (generator.choice(WORKER_KILLS), kind):
                yield Fault(
                    kind=one,
                    lasts_s=round(generator.uniform(1, _LONGEST_S), 1),
                    pause_s=round(generator.uniform(0, 3), 1),
                    at_once=generator.random() < _AT_ONCE,
                )
