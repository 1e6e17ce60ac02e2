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


@dataclass(frozen=True)
class JoinedContext:
    """What several documents say beside their tweets."""

    parts: tuple[ContextSource, ...]

    def tweet_context(self) -> TweetContext:
        """Return the context of all of them."""
        found = [part.tweet_context() for part in self.parts]
        return TweetContext(
            {user_id: name for each in found for user_id, name in each.usernames.items()},
            frozenset().union(*(each.with_media for each in found)),
        )
