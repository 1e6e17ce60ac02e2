"""What `murmur gaps refill` does once its arguments are understood."""

from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime

from producers.gaps.monthly_refill_limit import Meter
from producers.gaps.refilling import Refilled, Refiller
from producers.gaps.search import RecentSearch
from producers.gaps.table import GapTable
from producers.parsing.provenance import Origin
from producers.publishing.destination import destination
from producers.rules.remote_rules import RulesAtX
from producers.x_account.client import Ask, patient, rules_client, search_client
from producers.x_account.http_adapter import x_adapter
from schemas.events import LIVE
from schemas.failures import Failure
from schemas.settings import Settings
from schemas.transport.publisher import ConfirmingPublisher

STAGE = "gaps"
SOURCE = "x-v2:recent-search"
"""What the events of a refilled gap say of where they come from."""


def refill_gaps(
    settings: Settings, table: GapTable, gap_ids: Sequence[int], ask: Ask | None = None
) -> list[Refilled]:
    """Refill the gaps that are named, or all open ones; raise `Failure` for one that is unknown.

    `ask` is how X is asked: patiently, where nothing else is said. What was fetched before it
    raises is noted, and not fetched again. The table is closed afterwards.
    """
    with closing(table):
        known = {gap.gap_id: gap for gap in table.all()}
        unknown = [str(gap_id) for gap_id in gap_ids if gap_id not in known]
        if unknown:
            raise Failure(f"there is no gap {unknown[0]}: see `murmur gaps list`")
        named = set(gap_ids) or {gap.gap_id for gap in known.values() if gap.status == "open"}
        # As the table has them: oldest first.
        wanted = [gap for gap in known.values() if gap.gap_id in named]
        if not wanted:
            return []
        adapter, started_at = x_adapter(settings), datetime.now(UTC)
        ask = ask or patient()

        def now() -> datetime:
            return datetime.now(UTC)

        rules = RulesAtX(rules_client(adapter), ask).listed()
        if not rules:
            raise Failure("X has no rules to search with: see `murmur rules apply`")
        refiller = Refiller(
            search=RecentSearch(
                search_client(adapter), ask, Meter(table, settings.x_monthly_posts, now)
            ),
            rules=rules,
            table=table,
            publisher=ConfirmingPublisher(settings.kafka_connection, "murmur-gaps"),
            to=destination(settings.names, LIVE, STAGE),
            origin=Origin(
                run=LIVE,
                run_started_at=started_at,
                source=SOURCE,
                content=f"gaps:{started_at:%Y%m%dT%H%M%SZ}",
            ),
            now=now,
        )
        return [refiller.refill(gap) for gap in wanted]
