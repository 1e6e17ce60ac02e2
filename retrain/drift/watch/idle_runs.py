"""Whether everything that was published by some moment has been counted: a pure state machine."""

from collections.abc import Mapping

from msgspec import Struct

from schemas.transport.messages import Partition


class Reach(Struct, frozen=True):
    """Where a group reads on in each partition, and where the partitions end, at one moment."""

    reached: Mapping[Partition, int]
    ends: Mapping[Partition, int]


class Drain:
    """Finds moments of which nothing is on its way any more; looked at from time to time.

    What is published to `tweets.raw` at a moment is counted once scoring has passed the end that
    the topic had then, and the watch the end that `tweets.scored` had after that. So a run whose
    scoring is held, or slow, is not taken for one that has nothing more.
    """

    def __init__(self) -> None:
        self._scored_of: tuple[float, Mapping[Partition, int]] | None = None
        self._raw_of: tuple[float, Mapping[Partition, int]] | None = None

    def look(self, now_s: float, raw: Reach, scored: Reach) -> float | None:
        """Return the latest moment whose tweets are all counted, if one is found now.

        `raw` is where scoring stands in `tweets.raw`, `scored` where the watch in `tweets.scored`,
        both asked at `now_s` or later.
        """
        found = None
        if self._scored_of is not None and _passed(scored, self._scored_of[1]):
            found = self._scored_of[0]
            self._scored_of = None
        if self._raw_of is not None and self._scored_of is None and _passed(raw, self._raw_of[1]):
            self._scored_of = self._raw_of[0], scored.ends
            self._raw_of = None
        if self._raw_of is None:
            self._raw_of = now_s, raw.ends
        return found


def _passed(reach: Reach, ends: Mapping[Partition, int]) -> bool:
    return all(reach.reached.get(partition, 0) >= end for partition, end in ends.items())
