"""One tweet object of X's API v2 to one event."""

from datetime import datetime
from typing import Final, Literal

from producers.parsing.faults import Unparsable
from producers.parsing.field_values import language, storable, tweet_id, tweet_text, user_id
from producers.parsing.provenance import Origin
from producers.parsing.timestamps import is_overruled, time_of_edit, time_of_post, utc
from producers.x_api.v2_json_types import IncludedTweet, WireId, WireReference, WireRule, WireTweet
from schemas.codec import Reason
from schemas.events import MAX_TEXT_CHARS, MatchedRule, Reference, TweetPosted

_KINDS: Final[dict[str | None, Literal["retweeted", "quoted", "replied_to"]]] = {
    "retweeted": "retweeted",
    "reposted": "retweeted",
    "quoted": "quoted",
    "replied_to": "replied_to",
}
_MAX_VERSION: Final = 100
_MAX_TAG_CHARS: Final = 512

_LONGEST_CHARS: Final = 2 * MAX_TEXT_CHARS


class Included(dict[str, IncludedTweet]):
    """Tweets that complete others, by id. The text of each is looked through once."""

    def __init__(self) -> None:
        super().__init__()
        self._texts: dict[str, str | Unparsable | None] = {}

    def text_of(self, tweet_id: str) -> str | None:
        """Return the whole text of a tweet, None where it has none; may raise `Unparsable`."""
        if tweet_id not in self._texts:
            whole = self[tweet_id].full_text
            try:
                self._texts[tweet_id] = tweet_text(whole) if whole else None
            except Unparsable as fault:
                self._texts[tweet_id] = fault
        text = self._texts[tweet_id]
        if isinstance(text, Unparsable):
            raise Unparsable(text.reason, text.detail)
        return text


def by_id(tweets: list[IncludedTweet]) -> Included:
    """Return the tweets of `includes` by their ids; those without one complete nothing.

    One that is there twice, as a tweet and as a post, is the one with the longer text. What is far
    too long for a tweet is none: each that refers to it would cost its length.
    """
    found = Included()
    for tweet in tweets:
        if _length(tweet) > _LONGEST_CHARS:
            continue
        known = found.get(str(tweet.id))
        if tweet.id is not None and (known is None or _length(tweet) > _length(known)):
            found[str(tweet.id)] = tweet
    return found


def _length(tweet: IncludedTweet) -> int:
    return len(tweet.full_text or "")


def matched_rules(rules: list[WireRule] | None) -> tuple[MatchedRule, ...]:
    """Return the rules that matched; one without a tag is called by its id."""
    matched = []
    for rule in rules or ():
        rule_id = None if rule.id is None else storable(str(rule.id))
        tag = storable(rule.tag or rule_id or "")[:_MAX_TAG_CHARS]
        if tag:
            matched.append(MatchedRule(tag=tag, rule_id=rule_id))
    return tuple(matched)


def tweet_posted(
    tweet: WireTweet,
    *,
    included: Included,
    rules: tuple[MatchedRule, ...],
    origin: Origin,
    received_at: datetime,
    line: int,
    place: int,
) -> TweetPosted:
    """Return the event of a tweet; raise `Unparsable` where it can never be one.

    A retweet's text is cut short by X: it gets the whole text of the tweet that it repeats where
    `included` has that.
    """
    text = None
    references: tuple[Reference, ...] = ()
    if tweet.referenced_tweets or tweet.referenced_posts:
        references = tuple(
            [_reference(ref, included) for ref in tweet.references if ref.type in _KINDS]
        )
        for reference in references:
            if reference.kind == "retweeted" and reference.tweet_id in included:
                text = included.text_of(reference.tweet_id) or text
    own_id = tweet_id(tweet.id, "id") if tweet.id else origin.made_id(line, place)
    history: tuple[str, ...] = ()
    version = 0
    if edit_history := tweet.edit_history:
        history, version = edit_versions(edit_history, own_id)
    root_id = history[0] if version else own_id
    created_at = None if tweet.created_at is None else utc(tweet.created_at)
    first_posted_at = time_of_post(root_id, created_at, origin.run_started_at, received_at)
    return TweetPosted(
        run=origin.run,
        tweet_id=own_id,
        root_id=root_id,
        version=version,
        edit_history=history,
        posted_at=first_posted_at,
        edited_at=time_of_edit(own_id, created_at, received_at) if version else None,
        received_at=received_at,
        text=tweet_text(tweet.full_text) if text is None else text,
        language=language(tweet.lang),
        author_id=user_id(tweet.author_id, "author_id"),
        conversation_id=(
            tweet_id(tweet.conversation_id, "conversation_id") if tweet.conversation_id else None
        ),
        references=references,
        rules=rules,
        possibly_sensitive=tweet.possibly_sensitive is True,
        source=origin.source,
    )


def time_is_overruled(tweet: WireTweet, posted: TweetPosted) -> bool:
    """Tell whether a tweet's id holds another time than the tweet says."""
    written = tweet.created_at
    return written is not None and is_overruled(utc(written), posted.tweet_id)


def _reference(reference: WireReference, included: Included) -> Reference:
    target_id = tweet_id(reference.id, "referenced_tweets.id")
    target = included.get(target_id)
    author_id = None if target is None else user_id(target.author_id, "includes.tweets.author_id")
    return Reference(kind=_KINDS[reference.type], tweet_id=target_id, author_id=author_id)


def edit_versions(history_ids: list[WireId] | None, own_id: str) -> tuple[tuple[str, ...], int]:
    """Return the ids of a tweet's versions and which of them this one is, from 0.

    Raises `Unparsable` where the history does not name the tweet.
    """
    if not history_ids:
        return (), 0
    if len(history_ids) == 1 and history_ids[0] == own_id:
        return (own_id,), 0
    if len(history_ids) > _MAX_VERSION + 1:
        detail = f"edit_history_tweet_ids has {len(history_ids)} ids, at most {_MAX_VERSION + 1}"
        raise Unparsable(Reason.INVALID_EVENT, detail)
    history = tuple([tweet_id(entry, "edit_history_tweet_ids") for entry in history_ids])
    if own_id not in history:
        raise Unparsable(Reason.INVALID_EVENT, "edit_history_tweet_ids does not name the tweet")
    return history, history.index(own_id)
