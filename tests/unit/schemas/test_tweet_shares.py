"""A share of the tweets: even, by the id alone, and one for all that say the same."""

from collections import Counter

from schemas.events import Reference
from schemas.tweet_shares import PLACES, place_of
from tests.unit.examples import posted


def test_places_are_even_and_independent_for_each_salt() -> None:
    tweets = [posted(tweet_id=str(10**17 + number)) for number in range(20_000)]
    tenths = Counter(place_of(tweet, "one") * 10 // PLACES for tweet in tweets)
    assert all(1_800 < count < 2_200 for count in tenths.values()), tenths
    both = sum(place_of(t, "one") < 1_000 and place_of(t, "two") < 1_000 for t in tweets)
    assert 140 < both < 260


def test_versions_and_retweets_of_a_tweet_have_its_place() -> None:
    first = posted(tweet_id="10")
    edited = posted(tweet_id="11", root_id="10", version=1)
    retweet = posted(tweet_id="99", references=(Reference(kind="retweeted", tweet_id="10"),))
    quote = posted(tweet_id="99", references=(Reference(kind="quoted", tweet_id="10"),))
    assert place_of(first, "salt") == place_of(edited, "salt") == place_of(retweet, "salt")
    assert place_of(quote, "salt") != place_of(first, "salt")


def test_the_place_is_what_other_programs_compute() -> None:
    # printf 'salt\n10' | sha256sum: the first 8 bytes as a number, modulo 10,000
    assert place_of(posted(tweet_id="10"), "salt") == 9995
