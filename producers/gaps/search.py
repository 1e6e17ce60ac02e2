"""The recent search, asked for what the stream is asked for, and which rules matched."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from producers.gaps.monthly_refill_limit import Meter
from producers.rules.rule_changes import RuleAtX
from producers.x_account.client import Answer, Ask, XRefused, answered
from producers.x_account.requested_fields import Endpoint
from producers.x_account.vocabulary_choice import VocabularyChoice
from producers.x_api.missing_fields import Asked, look_at
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
    """Searches with the rules that X has, one after the other, and puts their results together.

    A page that lacks what was asked for is asked for again in X's other vocabulary; what still
    lacks is counted in `missing`.
    """

    def __init__(self, client: Any, ask: Ask, meter: Meter) -> None:
        self._client = client
        self._ask = ask
        self._meter = meter
        self._choice = VocabularyChoice(Endpoint.RECENT_SEARCH)
        self.refused: dict[str, str] = {}

    @property
    def missing(self) -> dict[Asked, int]:
        """How many posts came without what was asked for, by what that is."""
        return dict(self._choice.missing)

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
        asked = {
            "query": query,
            "start_time": _moment(since),
            "end_time": _moment(until),
            "max_results": str(_PAGE),
        }
        while True:
            page = self._page(asked)
            yield page
            token = (page.get("meta") or {}).get("next_token")
            if token is None:
                return
            asked["next_token"] = str(token)

    def _page(self, asked: dict[str, str]) -> Answer:
        """Return a page in the vocabulary that it comes whole in, or lacks least."""
        while True:
            self._meter.require_budget()
            try:
                page = self._ask(lambda: self._searched(asked))
            except XRefused as refusal:
                if self._choice.ask_otherwise_after(refusal.problem):
                    continue
                raise
            self._meter.read(len(page.get("data") or []))
            seen = look_at(msgspec.json.encode(page))
            if not self._choice.ask_page_otherwise_for(seen):
                self._choice.count(seen)
                return page

    def _searched(self, asked: dict[str, str]) -> Answer:
        # Tweepy's own method knows one vocabulary only.
        parameters = asked | self._choice.question.encoded()
        return answered(self._client.request("GET", f"/{Endpoint.RECENT_SEARCH}", parameters))


def _moment(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
