"""What is in a sample archive, and what the database holds after it went through."""

from datetime import date

from msgspec import Struct


class Manifest(Struct, frozen=True, kw_only=True):
    """An archive's content, counted by its generator. Every line is exactly one of five things:

    - post: the first line of a tweet's first version; `retweets` says how many posts repeat
      another tweet
    - edit: the first line of a later version of a tweet
    - duplicate: a line that repeats an earlier post to the byte
    - deletion: says that a tweet is deleted; each names another one. It may stand before the
      tweet's post, or name a tweet that never comes.
    - dead letter: a line that holds no tweet; `dead_letter_reasons` counts them by the reason
      that replaying gives

    so `lines == posts + edits + duplicates + deletions + dead_letters`. A deleted post is one
    that a deletion names, or a retweet of one that a deletion names: `rows == posts -
    deleted_posts`. Of the rows, `versions` sums the version each tweet has at the end (edits are
    counted from 0), and `rows_by_rule` and `rows_by_day` (of posting, UTC) count them; one that
    matches two rules counts in both. `distinct_texts` are those of posts and edits, a retweet's
    being the text that it repeats.
    """

    seed: int
    file: str
    sha256: str
    lines: int
    posts: int
    retweets: int
    edits: int
    duplicates: int
    deletions: int
    dead_letters: int
    dead_letter_reasons: dict[str, int]
    deleted_posts: int
    rows: int
    versions: int
    rows_by_rule: dict[str, int]
    rows_by_day: dict[date, int]
    distinct_texts: int
    languages: dict[str, int]
