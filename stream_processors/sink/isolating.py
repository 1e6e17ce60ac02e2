"""What of a batch cannot be stored, and never will be: found by halving, events and letters alike.

A fault counts as the message's where PostgreSQL refuses the content, and where pure Python code
raises of its input, whatever raised it. A want of memory, a broken connection and a lock that is
not had may pass.
"""

import hashlib
from collections.abc import Callable, Sequence
from typing import Final

from msgspec import Struct

from schemas.codec import Reason
from schemas.transport.bisect_batch import bisect
from schemas.transport.dead_letters import DeadLetter, letter_of
from schemas.transport.patient_postgres import REFUSED
from stream_processors.sink.incoming import STAGE, Incoming, Stored

DETERMINISTIC: Final = (
    *REFUSED,
    ArithmeticError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)
"""What the same message will raise again."""

Store = Callable[[Sequence[Incoming], Sequence[Stored]], None]


class Isolated(Struct, frozen=True):
    """`refused` become dead letters; `undescribed` stand for dead letters that cannot be stored.

    Everything else of the batch is stored.
    """

    refused: list[DeadLetter]
    undescribed: list[Stored]


def isolate(events: Sequence[Incoming], letters: Sequence[Stored], store: Store) -> Isolated:
    """Store what can be stored and return the rest; raise any fault that is no message's.

    `store` is given events or letters, never both.
    """
    blamed_letters = bisect(letters, lambda part: store([], part), deterministic=DETERMINISTIC)
    blamed_events = bisect(events, lambda part: store(part, []), deterministic=DETERMINISTIC)
    return Isolated(
        [
            letter_of(
                incoming.message,
                stage=STAGE,
                reason=Reason.REFUSED_BY_DATABASE,
                detail=type(fault).__name__,
            )
            for incoming, fault in blamed_events
        ],
        [_undescribed(stored, fault) for stored, fault in blamed_letters],
    )


def _undescribed(stored: Stored, fault: Exception) -> Stored:
    """Return a letter by its own place in the topic, with its value and nothing else of it.

    What it said of itself is what could not be stored. The topic keeps the whole of it.
    """
    value = stored.letter.value
    whole = value or b""
    letter = DeadLetter(
        run=stored.letter.run,
        stage=STAGE,
        reason=Reason.REFUSED_BY_DATABASE,
        detail=f"a dead letter: {type(fault).__name__}",
        position=stored.at,
        key=None,
        value=value,
        value_size_bytes=len(whole),
        value_sha256=hashlib.sha256(whole).hexdigest(),
    )
    return Stored(letter, stored.published_at, stored.at)
