"""What a refill costs: counted page by page, and held against the month's limit before each."""

from collections.abc import Callable
from datetime import datetime

from producers.gaps.table import GapTable
from schemas.failures import Failure


class MonthExhausted(Failure):
    """No further post may be read this month."""


class Meter:
    """Counts posts in PostgreSQL as they are read, so that no fault later loses the count."""

    def __init__(self, table: GapTable, monthly_posts: int, now: Callable[[], datetime]) -> None:
        self._table = table
        self._monthly_posts = monthly_posts
        self._now = now

    def require_budget(self) -> None:
        """Raise `MonthExhausted` where the month's limit is reached, by whoever read."""
        if self._table.month_posts(self._now().date()) >= self._monthly_posts:
            raise MonthExhausted("the month's limit of posts is reached")

    def read(self, posts: int) -> None:
        """Add posts that X may charge for."""
        self._table.posts_read(self._now().date(), posts)
