"""Which of X's vocabularies an endpoint is asked in, learned from its answers."""

import logging
from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

from producers.x_account.requested_fields import QUESTIONS, Endpoint, Question
from producers.x_api.missing_fields import Asked, Seen
from producers.x_api.problems import is_unknown_parameter

logger = logging.getLogger(__name__)

UNANSWERED_POSTS: Final = 20
"""So many posts in a row without their time, which each has: X does not know the parameter."""

_ENOUGH: Final = {Asked.LONG_TEXT: 3}
"""A person may write a long text that ends as a cut one does; three in a page did not."""


class VocabularyChoice:
    """What is asked of one endpoint now. What answers lack is counted in `missing`, and logged.

    Each way of asking is tried once at most; where all were, the one that fewest things were
    missing from stays. Made for one thread; `missing` may be read by others.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._untried = list(QUESTIONS[endpoint])
        self._question = self._untried.pop(0)
        self._lacking: dict[str, int] = {}
        self._unanswered = 0
        self._said: set[Asked] = set()
        self.missing: Counter[Asked] = Counter()

    @property
    def question(self) -> Question:
        """How the endpoint is asked next."""
        return self._question

    def count(self, seen: Seen) -> None:
        """Count what an answer lacks; each kind is logged once for each way of asking."""
        self.missing.update(seen.missing)
        new = seen.missing.keys() - self._said
        if new:
            self._said |= new
            logger.warning(
                "X answers without what was asked for: %s (%s, asked for %s)",
                ", ".join(sorted(new)),
                self._endpoint,
                self._question.name,
            )

    def ask_otherwise_for(self, seen: Seen) -> bool:
        """Take in a post of a stream; True where X has to be asked in another way from now on.

        A stream is asked anew by a new connection, so only where no field that was asked for comes,
        and keeps not coming. What expansions bring does not tell: they have a parameter of their
        own.
        """
        if not seen.expected:
            return False
        self._unanswered = self._unanswered + 1 if Asked.CREATED_AT in seen.missing else 0
        return self._unanswered >= UNANSWERED_POSTS and self._next(len(Asked))

    def ask_page_otherwise_for(self, seen: Seen) -> bool:
        """Take in a page; True where it has to be asked for again, in another way.

        That is where something is missing from all posts of the page that ought to have it.
        """
        wholly = [
            kind
            for kind, count in seen.missing.items()
            if count == seen.expected[kind] and count >= _ENOUGH.get(kind, 1)
        ]
        if not wholly:
            return False
        # Without their times, X has passed over the whole parameter.
        return self._next(len(Asked) if Asked.CREATED_AT in wholly else len(wholly))

    def ask_otherwise_after(self, problem: Mapping[str, Any]) -> bool:
        """Take in a refusal; True where X does not know what was asked, and another way is left."""
        asked = [name for name in self._question.parameters if name != "user.fields"]
        return is_unknown_parameter(problem, asked) and self._next(len(Asked) + 1)

    def _next(self, lacking: int) -> bool:
        """Go on to the next question; back to a better one where there is none left."""
        before = self._question
        self._lacking.setdefault(before.name, lacking)
        self._unanswered = 0
        if self._untried:
            self._question = self._untried.pop(0)
        else:
            least = min(self._lacking.values())
            if self._lacking[before.name] == least:
                return False
            best = next(name for name, count in self._lacking.items() if count == least)
            self._question = next(q for q in QUESTIONS[self._endpoint] if q.name == best)
        self._said.clear()
        logger.warning("%s is asked for %s from now on", self._endpoint, self._question.name)
        return True
