"""X's API 1.1 on the wire: the fields that are read; all others are passed over."""

from msgspec import UNSET, Raw, Struct, UnsetType

from producers.x_api.v2_json_types import WireId


class OldUser(Struct, gc=False):
    """The account of a tweet."""

    id: WireId | None = None
    id_str: WireId | None = None


class ExtendedTweet(Struct, gc=False):
    """What a stream adds to a tweet of more than 140 characters."""

    full_text: str | None = None


class EditIds(Struct):
    """The ids of a tweet's versions, however an account's export names them."""

    edit_tweet_ids: list[WireId] | None = None
    editTweetIds: list[WireId] | None = None  # noqa: N815 (as the export has it)


class Edit(Struct):
    """What an account's export says of a tweet that was edited."""

    initialTweetId: WireId | None = None  # noqa: N815
    editControlInitial: EditIds | None = None  # noqa: N815


class EditInfo(Struct):
    """The edits of a tweet in an account's own export: `initial` where there were none."""

    initial: EditIds | None = None
    edit: Edit | None = None


class OldTweetCore(Struct):
    """What is read of any tweet, also of one within another."""

    id: WireId | None = None
    id_str: WireId | None = None
    text: str | None = None
    full_text: str | None = None
    extended_tweet: ExtendedTweet | None = None
    user: OldUser | None = None

    @property
    def whole_text(self) -> str | None:
        """The text, uncut where the tweet has that: extended, full, then plain."""
        extended = self.extended_tweet
        return (extended.full_text if extended is not None else None) or self.full_text or self.text

    @property
    def own_id(self) -> WireId | None:
        """The id as a text where there is that: numbers lose digits in JavaScript."""
        return self.id_str or self.id


class OldTweet(OldTweetCore):
    """A tweet object."""

    created_at: str | int | None = None
    lang: str | None = None
    retweeted_status: OldTweetCore | None = None
    quoted_status: OldTweetCore | None = None
    quoted_status_id: WireId | None = None
    quoted_status_id_str: WireId | None = None
    in_reply_to_status_id: WireId | None = None
    in_reply_to_status_id_str: WireId | None = None
    in_reply_to_user_id: WireId | None = None
    in_reply_to_user_id_str: WireId | None = None
    possibly_sensitive: bool | None = None
    edit_history: EditIds | None = None
    edit_info: EditInfo | None = None
    tweet: Raw | UnsetType = UNSET
    """Where an account's export wraps each tweet."""
