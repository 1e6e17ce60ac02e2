"""The recent search, asked as the stream is: the same fields, and which rules matched."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import msgspec

from producers.gaps.refill_quota import Meter
from producers.rules.planning import RuleAtX
from producers.x_account.client import Answer, Ask, XRefused
from producers.x_account.requested_fields import asked_fields
from schemas.failures import Failure

_PAGE: Final = 100


@dataclass
class Found:
    """One post, as a line of the stream would have it. `rules` are those that found it."""

    data: dict[str, Any]
    includes: dict[str, Any]
    rules: list[RuleAtX] = field(default_factory=list)

    def line(self) -> bytes:
        """Return the document."""
        matching = [{"id": rule.rule_id, "tag": rule.tag} for rule in self.rules]
        return msgspec.json.encode(
            {"data": self.data, "includes": self.includes, "matching_rules": matching}
        )


class RecentSearch:
    """Searches with the rules that X has, one after the other, and puts their results together."""

    def __init__(self, client: Any, ask: Ask, meter: Meter) -> None:
        self._client = client
        self._ask = ask
        self._meter = meter
        self.refused: dict[str, str] = {}

    def between(self, rules: Sequence[RuleAtX], since: datetime, until: datetime) -> list[Found]:
        """Return the posts of a time, oldest first, each once with all the rules that found it.

        A rule that X does not search with is noted in `refused`, with what X says. Raises
        `MonthExhausted` before a page beyond the month's limit, and `Failure` where X is away,
        does not take the token or searches with none of the rules.
        """
        found: dict[str, Found] = {}
        refused = dict[str, str]()
        for rule in rules:
            try:
                for page in self._pages(rule.value, since, until):
                    includes = page.get("includes") or {}
                    for data in page.get("data") or []:
                        post = found.setdefault(str(data["id"]), Found(data, includes))
                        post.rules.append(rule)
            except XRefused as refusal:
                refused[rule.tag or rule.value] = str(refusal)
        if refused and len(refused) == len(rules):
            why = next(iter(refused.values()))
            raise Failure(f"X searches with none of the rules ({why}): the gap stays open")
        self.refused |= refused
        return [found[tweet_id] for tweet_id in sorted(found, key=int)]

    def _pages(self, query: str, since: datetime, until: datetime) -> Iterator[Answer]:
        token: str | None = None
        while True:

            def search(token: str | None = token) -> Answer:
                return dict(
                    self._client.search_recent_tweets(
                        query,
                        start_time=since,
                        end_time=until,
                        max_results=_PAGE,
                        next_token=token,
                        **asked_fields(),
                    )
                )

            self._meter.require_budget()
            page = self._ask(search)
            self._meter.read(len(page.get("data") or []))
            yield page
            token = (page.get("meta") or {}).get("next_token")
            if token is None:
                return
