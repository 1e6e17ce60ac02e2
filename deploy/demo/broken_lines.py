"""Lines that hold no tweet, of every kind that archives in the wild have."""

import random
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from deploy.demo.x_v2_lines import snowflake
from schemas.codec import Reason

_FAR_OFF: Final = datetime(2079, 1, 1, tzinfo=UTC)

# Each number is drawn, so that no two lines are alike.
_KINDS: Final[tuple[tuple[Reason, Callable[[int], str | bytes]], ...]] = (
    (Reason.NOT_JSON, lambda number: f'{{"data":{{"id":"17{number}","te'),
    (Reason.NOT_JSON, lambda number: f"503 Service Unavailable, request {number}"),
    (Reason.MISSING_FIELD, lambda number: f'{{"data":{{"id":"17{number}","lang":"en"}}}}'),
    (Reason.MISSING_FIELD, lambda number: f'{{"data":{{"id":"17{number}","text":"  "}}}}'),
    (Reason.INVALID_EVENT, lambda number: f'{{"data":{{"id":"x{number}","text":"Hello?"}}}}'),
    (Reason.INVALID_EVENT, lambda number: f'{{"data":{{"id":"17{number}","text":["Hi"]}}}}'),
    (Reason.INVALID_EVENT, lambda number: f'["17{number}","a list, no document"]'),
    (
        Reason.IMPLAUSIBLE_TIME,
        lambda number: (
            f'{{"data":{{"id":"{snowflake(_FAR_OFF, number % 4_000_000)}",'
            '"text":"From the future"}}'
        ),
    ),
    (
        Reason.UNREADABLE_LINE,
        lambda number: b'{"data":{"id":"17%d","text":"caf\xe9, in Latin-1"}}' % number,
    ),
)


def broken_lines(rng: random.Random, count: int) -> list[tuple[Reason, bytes]]:
    """Return lines, all different, with the reason for which replaying refuses each."""
    numbers = rng.sample(range(10**16, 10**17), count)
    lines = []
    for place, number in enumerate(numbers):
        reason, make = _KINDS[place % len(_KINDS)]
        line = make(number)
        lines.append((reason, line if isinstance(line, bytes) else line.encode()))
    return lines
