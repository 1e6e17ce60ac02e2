"""One tweet object of X's API 1.1, or of an account's own export, to one event."""

from datetime import datetime

from producers.parsing.field_values import language, tweet_id, tweet_text, user_id
from producers.parsing.provenance import Origin
from producers.parsing.timestamps import parse_moment, time_of_edit, time_of_post
from producers.x_api.tweets import edit_versions
from producers.x_api.v1_1_json_types import OldTweet, OldTweetCore
from producers.x_api.v2_json_types import WireId
from schemas.events import Reference, TweetPosted
from schemas.tweet_time import snowflake_time


def old_tweet_posted(
    tweet: OldTweet, *, origin: Origin, received_at: datetime, line: int, place: int
) -> TweetPosted:
    """Return the event of a tweet; raise `Unparsable` where it can never be one.

    A retweet has the whole text of the tweet that it repeats. The date is read only where the id
    holds no time.
    """
    repeated = tweet.retweeted_status
    text = (repeated.whole_text if repeated is not None else None) or tweet.whole_text
    own_id = tweet_id(tweet.own_id, "id") if tweet.own_id else origin.made_id(line, place)
    history, version = edit_versions(_edit_ids(tweet), own_id)
    root_id = history[0] if version else own_id
    inside = snowflake_time(root_id)
    written = None
    if inside is None and tweet.created_at:
        written = parse_moment(tweet.created_at, "created_at")
    when = time_of_post(root_id, written, origin.run_started_at, received_at)
    user = tweet.user
    return TweetPosted(
        run=origin.run,
        tweet_id=own_id,
        root_id=root_id,
        version=version,
        edit_history=history,
        posted_at=when,
        edited_at=time_of_edit(own_id, None, received_at) if version else None,
        received_at=received_at,
        text=tweet_text(text),
        language=language(tweet.lang),
        author_id=None if user is None else user_id(user.id_str or user.id, "user.id"),
        references=_references(tweet),
        possibly_sensitive=tweet.possibly_sensitive is True,
        source=origin.source,
    )


def _edit_ids(tweet: OldTweet) -> list[WireId] | None:
    if tweet.edit_history is not None:
        return tweet.edit_history.edit_tweet_ids
    if tweet.edit_info is None:
        return None
    edit, initial = tweet.edit_info.edit, tweet.edit_info.initial
    if edit is None:
        return None if initial is None else initial.editTweetIds
    if edit.editControlInitial is not None and edit.editControlInitial.editTweetIds:
        return edit.editControlInitial.editTweetIds
    # It names the first version alone: what lies between is not known, and changes nothing.
    own_id, first_id = tweet.own_id, edit.initialTweetId
    return None if not own_id or not first_id else list(dict.fromkeys([first_id, own_id]))


def _references(tweet: OldTweet) -> tuple[Reference, ...]:
    references: list[Reference] = []
    repeated = tweet.retweeted_status
    if repeated is not None and repeated.own_id:
        target = tweet_id(repeated.own_id, "retweeted_status.id")
        references.append(Reference(kind="retweeted", tweet_id=target, author_id=_author(repeated)))
    # A retweet of a tweet that quotes names the quoted one too, but quotes nothing itself.
    quoted = tweet.quoted_status_id_str or tweet.quoted_status_id
    if quoted and repeated is None:
        target = tweet_id(quoted, "quoted_status_id")
        references.append(
            Reference(kind="quoted", tweet_id=target, author_id=_author(tweet.quoted_status))
        )
    answered = tweet.in_reply_to_status_id_str or tweet.in_reply_to_status_id
    if answered:
        target = tweet_id(answered, "in_reply_to_status_id")
        author = user_id(
            tweet.in_reply_to_user_id_str or tweet.in_reply_to_user_id, "in_reply_to_user_id"
        )
        references.append(Reference(kind="replied_to", tweet_id=target, author_id=author))
    return tuple(references)


def _author(tweet: OldTweetCore | None) -> str | None:
    if tweet is None or tweet.user is None:
        return None
    return user_id(tweet.user.id_str or tweet.user.id, "user.id")
