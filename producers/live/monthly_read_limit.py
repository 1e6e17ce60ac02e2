"""How many posts were read this month, and whether more may be: before X's cap or the bill says."""

import threading
from collections import Counter
from datetime import date, datetime


class ReadQuota:
    """Counts posts by UTC day and holds them against a monthly limit (0: nothing may be read).

    Every post that arrives counts, repeats also, so the count is at least what X charges. What is
    `uncounted` is not yet stored. One thread may count while another stores.
    """

    def __init__(self, monthly_posts: int) -> None:
        self._monthly_posts = monthly_posts
        self._stored: Counter[date] = Counter()
        self._uncounted: Counter[date] = Counter()
        self._lock = threading.Lock()

    def read(self, at: datetime, posts: int = 1) -> None:
        """Note that posts were read."""
        with self._lock:
            self._uncounted[at.date()] += posts

    def month_total(self, at: datetime) -> int:
        """Return the posts read in the UTC month of a moment."""
        first = at.date().replace(day=1)
        with self._lock:
            return sum(
                count
                for counts in (self._stored, self._uncounted)
                for day, count in counts.items()
                if first <= day <= at.date()
            )

    def exhausted(self, at: datetime) -> bool:
        """Tell whether the month's limit is reached."""
        return self.month_total(at) >= self._monthly_posts

    def uncounted(self) -> dict[date, int]:
        """Return what has to be added to the store."""
        with self._lock:
            return dict(self._uncounted)

    def stored(self, added: dict[date, int], totals: dict[date, int]) -> None:
        """Note that `added` is stored, and what the store now holds for the month's days."""
        with self._lock:
            self._uncounted -= Counter(added)
            self._stored = Counter(totals)
