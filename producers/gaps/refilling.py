"""Fetching what was missed: piece by piece, each noted once it is with Kafka."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from producers.gaps.monthly_refill_limit import MonthExhausted
from producers.gaps.search import RecentSearch
from producers.gaps.table import GapTable, KnownGap
from producers.gaps.time_slices import searchable, slices
from producers.parsing.provenance import Origin
from producers.publishing.destination import Destination
from producers.publishing.outgoing import SourceRecord, publish_record
from producers.rules.rule_changes import RuleAtX
from producers.x_api.missing_fields import Asked
from producers.x_api.v2_documents import parse_document
from schemas.transport.publisher import ConfirmingPublisher

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Refilled:
    """What became of one gap in this call. `status` is `open` where something is left to do."""

    gap_id: int
    status: str
    posts: int
    detail: str


class Refiller:
    """Refills gaps with the rules that X has now; what it was interrupted in goes on next time.

    Tweets that are there already change no figure. Beyond the month's limit nothing is read; a
    piece that it interrupts is read again next time.
    """

    def __init__(
        self,
        *,
        search: RecentSearch,
        rules: Sequence[RuleAtX],
        table: GapTable,
        publisher: ConfirmingPublisher,
        to: Destination,
        origin: Origin,
        now: Callable[[], datetime],
    ) -> None:
        self._search = search
        self._rules = rules
        self._table = table
        self._publisher = publisher
        self._to = to
        self._origin = origin
        self._now = now
        self._number = 0
        self._searched_until = datetime.min.replace(tzinfo=UTC)

    def refill(self, gap: KnownGap) -> Refilled:
        """Fetch one gap as far as X reaches; raises `DeliveryFailed` where Kafka does not take it.

        Gaps are to be brought oldest first: what overlaps with an earlier one is not read again.
        A gap that is ongoing, or ended a moment ago, stays open for the next call.
        """
        now = self._now()
        to_at = gap.to_at or now
        begins, ends, whole = searchable(gap.from_at, to_at, gap.refilled_until, now)
        published = 0
        missing_before = self._search.missing
        try:
            for since, until in slices(max(begins, self._searched_until), ends):
                published += self._piece(gap, since, until)
                self._searched_until = until
        except MonthExhausted as exhausted:
            return Refilled(gap.gap_id, "open", published, str(exhausted))
        if begins >= to_at and not whole:
            return self._closed(gap, "expired", 0, "X's recent search reaches seven days back")
        if gap.to_at is None or ends < gap.to_at:
            return Refilled(gap.gap_id, "open", published, "X does not find the newest posts yet")
        if not whole:
            return self._closed(
                gap, "partly", published, f"X no longer has what was before {begins}"
            )
        if self._search.refused:
            tags = ", ".join(sorted(self._search.refused))
            why = next(iter(self._search.refused.values()))
            return self._closed(gap, "partly", published, f"not searched: {tags} ({why})")
        return self._closed(gap, "refilled", published, self._lacking(missing_before))

    def _lacking(self, before: Mapping[Asked, int]) -> str:
        """Say what X's answers for one gap came without; nothing where they had everything."""
        counts = {kind: n - before.get(kind, 0) for kind, n in self._search.missing.items()}
        said = ", ".join(f"{kind} ({count:,})" for kind, count in sorted(counts.items()) if count)
        return f"X gave posts without what was asked for: {said}" if said else ""

    def _piece(self, gap: KnownGap, since: datetime, until: datetime) -> int:
        found = self._search.between(self._rules, since, until)
        for post in found:
            self._number += 1
            self._publish(post.line(), self._now())
        self._publisher.confirm()
        self._table.refilled(gap.gap_id, until, len(found))
        return len(found)

    def _publish(self, raw: bytes, received_at: datetime) -> None:
        content = self._origin.content
        timestamp_ms = int(received_at.timestamp() * 1000)
        record = SourceRecord(raw, content, self._number, timestamp_ms=timestamp_ms, name=content)
        parsed = parse_document(raw, self._origin, received_at, self._number)
        publish_record(self._publisher, record, parsed, self._to)

    def _closed(self, gap: KnownGap, status: str, posts: int, detail: str) -> Refilled:
        self._table.finished(gap, status, detail)
        return Refilled(gap.gap_id, status, posts, detail)
