"""The reference that others are held against, held against plain cases."""

from schemas.events import LIVE, AuthorErased, Reference
from tests.reference import what_remains
from tests.unit.examples import RECEIVED_AT, deleted, posted

FIRST = posted(tweet_id="10", edit_history=("10",), author_id="ann")
EDIT = posted(tweet_id="11", root_id="10", version=1, edit_history=("10", "11"), author_id="ann")
RETWEET = posted(
    tweet_id="30",
    author_id="bob",
    references=(Reference(kind="retweeted", tweet_id="10", author_id="ann"),),
)


def test_the_last_version_remains_once_in_any_order() -> None:
    for events in ([FIRST, EDIT, EDIT, FIRST], [EDIT, FIRST]):
        assert {posts[0] for posts in what_remains(events).values()} == {EDIT}


def test_a_deletion_takes_all_versions_and_retweets_even_if_it_came_first() -> None:
    for tweet_id in ("10", "11"):
        assert what_remains([deleted(tweet_id), FIRST, RETWEET, EDIT]) == {}


def test_a_deletion_of_a_version_that_never_came_takes_nothing() -> None:
    assert what_remains([deleted("12"), FIRST]) == {("test", "10"): (FIRST,)}


def test_an_erased_author_takes_retweets_and_live_reaches_every_run() -> None:
    erased = AuthorErased(run=LIVE, author_id="ann", received_at=RECEIVED_AT, source="test")
    other = posted(tweet_id="40", author_id="bob")
    assert what_remains([FIRST, RETWEET, other, erased]) == {("test", "40"): (other,)}
