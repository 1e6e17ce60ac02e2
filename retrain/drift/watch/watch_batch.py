"""Messages of `tweets.scored` to what the watch counts: all that needs no PostgreSQL."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from msgspec import Struct

from retrain.drift.watch.count_tweet import Counted, counted, counts_pieces
from retrain.drift.watch.word_pieces import PieceCounter
from schemas.codec import InvalidEvent, decode_scored
from schemas.events import TweetScored
from schemas.people_labels import audit_rank
from schemas.transport.log_proof import LastMessage, last_message
from schemas.transport.messages import ConsumedMessage, Partition


class Arrived(Struct, frozen=True):
    """A scored tweet, what is counted of it, its rank in samples, and where it stood."""

    event: TweetScored
    counted: Counted
    rank: int
    at: Partition
    offset: int


@dataclass
class WatchBatch:
    """What one poll returned. `outcomes` has what is not counted, and why."""

    arrived: list[Arrived] = field(default_factory=list)
    outcomes: Counter[str] = field(default_factory=Counter)
    next_offsets: dict[Partition, int] = field(default_factory=dict)
    last_messages: dict[Partition, LastMessage] = field(default_factory=dict)


def read_watch_batch(
    messages: Sequence[ConsumedMessage], pieces_of: Callable[[str], PieceCounter | None]
) -> WatchBatch:
    """Decode messages in their order. What is no event is the sink's to bury; it counts nowhere.

    `pieces_of` has the tokenizer of a model, by its hash, where that can be had.
    """
    batch = WatchBatch()
    last: dict[Partition, ConsumedMessage] = {}
    for message in messages:
        at = message.topic, message.partition
        last[at] = message
        try:
            event = decode_scored(message.value)
        except InvalidEvent:
            batch.outcomes["invalid"] += 1
            continue
        if not isinstance(event, TweetScored):
            batch.outcomes["removal"] += 1
            continue
        rank = audit_rank(event.root_id)
        pieces = pieces_of(event.score.model.sha256) if counts_pieces(rank) else None
        counted_pieces = None if pieces is None else pieces.count(event.text)
        batch.arrived.append(
            Arrived(event, counted(event, counted_pieces), rank, at, message.offset)
        )
    batch.next_offsets = {at: message.offset + 1 for at, message in last.items()}
    batch.last_messages = {at: last_message(message) for at, message in last.items()}
    return batch
