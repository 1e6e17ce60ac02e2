"""What a document says beside its tweets, for the rules that ask for it."""

from dataclasses import dataclass
from typing import Final, Protocol


@dataclass(frozen=True)
class TweetContext:
    """Names of accounts by id, in lower case, and the ids of tweets with media."""

    usernames: dict[str, str]
    with_media: frozenset[str]

    def tweet_context(self) -> "TweetContext":
        """Return this."""
        return self


class ContextSource(Protocol):
    """What a context can be had of; having it takes time, so it is asked only where it is used."""

    def tweet_context(self) -> TweetContext:
        """Return the context; never raises."""
        ...


NO_CONTEXT: Final = TweetContext({}, frozenset())
