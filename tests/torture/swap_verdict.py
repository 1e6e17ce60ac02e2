"""Which model scored what, when: pure judgements of a run of swaps."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import zip_longest
from typing import Final

LATEST_SWAP: Final = timedelta(seconds=60)
"""How long after its replacement a model may still score: a process may be starting, or held."""


@dataclass(frozen=True)
class Served:
    """A promotion as it was stored."""

    sha256: str
    promoted_at: datetime


@dataclass(frozen=True)
class Published:
    """A scored tweet as it stands in Kafka, with the time of its publishing."""

    partition: int
    published_at_s: float
    tweet_id: str
    sha256: str


def wrongly_scored(
    rows: Iterable[tuple[str, str, datetime]], promotions: Sequence[Served]
) -> list[str]:
    """Return the rows (tweet, model, moment) whose model did not serve at that moment.

    A model serves from its promotion until `LATEST_SWAP` after the next one. `promotions` are in
    their order.
    """
    spans: dict[str, list[tuple[datetime, datetime | None]]] = {}
    for each, following in zip_longest(promotions, promotions[1:]):
        end = None if following is None else following.promoted_at + LATEST_SWAP
        spans.setdefault(each.sha256, []).append((each.promoted_at, end))
    found = []
    for tweet_id, sha256, scored_at in rows:
        if sha256 not in spans:
            found.append(f"{tweet_id}: {sha256[:12]} was never promoted")
        elif not any(
            begin <= scored_at and (end is None or scored_at <= end) for begin, end in spans[sha256]
        ):
            found.append(f"{tweet_id}: {sha256[:12]} did not serve at {scored_at.isoformat()}")
    return found


def differing_ids(published: Iterable[str], stored: Iterable[str]) -> list[str]:
    """Return what is lost, doubled or strange among the ids that were stored."""
    expected, seen = set(published), set[str]()
    found = []
    for tweet_id in stored:
        if tweet_id in seen:
            found.append(f"{tweet_id} is doubled")
        if tweet_id not in expected:
            found.append(f"{tweet_id} was never published")
        seen.add(tweet_id)
    return found + [f"{tweet_id} is lost" for tweet_id in sorted(expected - seen)]


def swap_pauses_s(
    messages: Iterable[Published], disturbed: Sequence[tuple[float, float]]
) -> list[float]:
    """Return the pauses between the last answer of a model and the first one of the next.

    Each is of one partition, in which tweets come without end. Those that touch a `disturbed` span
    (a kill, until all partitions move again) are left out.
    """
    last: dict[int, Published] = {}
    pauses = []
    for message in messages:
        before = last.get(message.partition)
        last[message.partition] = message
        if before is None or before.sha256 == message.sha256:
            continue
        begin_s, end_s = before.published_at_s, message.published_at_s
        if not any(begin_s <= to_s and from_s <= end_s for from_s, to_s in disturbed):
            pauses.append(end_s - begin_s)
    return pauses


def counts_by_model(rows: Iterable[tuple[str, str, datetime]]) -> Mapping[str, int]:
    """Return how many rows each model scored."""
    counts: dict[str, int] = {}
    for _, sha256, _ in rows:
        counts[sha256[:12]] = counts.get(sha256[:12], 0) + 1
    return counts
