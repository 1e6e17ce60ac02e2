"""What changed between two spans: planted words are found, shares are right, parts add up."""

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrain.drift.what_changed import (
    LEAST_Z,
    Feature,
    FeatureKind,
    SeenTweet,
    log_odds_z,
    what_changed,
)
from retrain.drift.why.tweet_features import TweetFeatures

WORDS = [f"word{number}" for number in range(200)]
LABELS = ["negative", "neutral", "positive"]


def tweets(
    count: int, seed: int, planted: str = "", share: float = 0.0, prefix: str = "a"
) -> list[SeenTweet]:
    """Return tweets with words by Zipf's law; a share of them has a planted word too."""
    rng = random.Random(seed)
    weights = [1 / (place + 1) for place in range(len(WORDS))]
    found = []
    for number in range(count):
        words = set(rng.choices(WORDS, weights, k=10))
        if rng.random() < share:
            words.add(planted)
        features = tuple(Feature(FeatureKind.WORD, word) for word in sorted(words))
        label = "negative" if planted in words else rng.choice(LABELS)
        found.append(SeenTweet(f"{prefix}{number}", label, features))
    return found


@given(seed=st.integers(0, 2**32), share=st.floats(0.2, 0.6), count=st.integers(150, 400))
def test_a_word_planted_in_the_second_span_comes_first(seed: int, share: float, count: int) -> None:
    before = tweets(count, seed)
    after = tweets(count, seed + 1, "planted", share, prefix="b")
    found = what_changed(before, after, "negative")
    having = [tweet for tweet in after if Feature(FeatureKind.WORD, "planted") in tweet.features]
    first = found.moved[0]
    assert (first.name, first.kind) == ("planted", FeatureKind.WORD)
    assert (first.tweets_before, first.tweets_after) == (0, len(having))
    assert first.share_before == 0
    assert first.share_after == len(having) / count
    assert first.z >= LEAST_Z
    assert first.examples == tuple(tweet.tweet_id for tweet in having[:3])


def test_the_label_that_moved_most_is_explained_by_default() -> None:
    found = what_changed(tweets(500, 1), tweets(500, 2, "planted", 0.4, prefix="b"))
    assert found.label == "negative"


def test_the_same_words_move_nowhere() -> None:
    assert what_changed(tweets(2_000, 1), tweets(2_000, 2, prefix="b")).moved == ()


def test_a_word_that_vanished_has_examples_of_before() -> None:
    found = what_changed(tweets(300, 1, "gone", 0.3), tweets(300, 2, prefix="b")).moved[0]
    assert (found.name, found.z < -LEAST_Z) == ("gone", True)
    assert all(example.startswith("a") for example in found.examples)


_SPANS = st.lists(
    st.builds(
        lambda number, label, has: SeenTweet(
            str(number), label, (Feature(FeatureKind.WORD, "x" if has else "y"),)
        ),
        st.integers(0, 10**6),
        st.sampled_from(LABELS),
        st.booleans(),
    ),
    min_size=30,
    max_size=60,
)


@given(before=_SPANS, after=_SPANS, label=st.sampled_from(LABELS))
def test_what_a_feature_and_its_absence_explain_is_the_whole_move(
    before: list[SeenTweet], after: list[SeenTweet], label: str
) -> None:
    found = what_changed(before, after, label)
    by_name = {moved.name: moved for moved in found.moved}
    if by_name.keys() == {"x", "y"}:
        explained = sum(moved.explained for moved in by_name.values())
        assert explained == pytest.approx(found.own_share_after - found.own_share_before)


def test_what_grew_is_shown_beside_more_that_shrank() -> None:
    gone = [Feature(FeatureKind.WORD, f"gone{n}") for n in range(12)]
    new = [Feature(FeatureKind.WORD, f"new{n}") for n in range(3)]
    before = [SeenTweet(str(n), "a", tuple(gone)) for n in range(200)]
    after = [SeenTweet(str(n), "a", tuple(new) if n < 60 else ()) for n in range(200)]
    for most, grew in ((10, 3), (4, 2), (1, 0)):
        found = what_changed(before, after, most=most).moved
        assert len(found) == most
        assert sum(moved.z > 0 for moved in found) == grew
        assert [abs(moved.z) for moved in found] == sorted(
            (abs(moved.z) for moved in found), reverse=True
        )


def test_the_parts_of_a_move_add_up_in_an_example_by_hand() -> None:
    def span(*parts: tuple[int, str, str]) -> list[SeenTweet]:
        return [
            SeenTweet(f"{word}{n}", label, (Feature(FeatureKind.WORD, word),))
            for count, label, word in parts
            for n in range(count)
        ]

    before = span((10, "negative", "strike"), (90, "positive", "calm"))
    after = span((40, "negative", "strike"), (60, "positive", "calm"))
    found = {moved.name: moved.explained for moved in what_changed(before, after, "negative").moved}
    # .4 (1 - .1) - .1 (1 - .1), and .6 (0 - .1) - .9 (0 - .1): together the move from .1 to .4.
    assert found == {"strike": pytest.approx(0.27), "calm": pytest.approx(0.03)}


@given(counts=st.lists(st.tuples(st.integers(0, 50), st.integers(0, 80)), min_size=1, max_size=20))
def test_z_is_finite_and_turns_with_the_spans(counts: list[tuple[int, int]]) -> None:
    before, after = (np.array(column, dtype=np.float64) for column in zip(*counts, strict=True))
    z = log_odds_z(before, 50, after, 80)
    assert np.isfinite(z).all()
    assert np.allclose(z, -log_odds_z(after, 80, before, 50))


def test_retweets_are_counted_apart() -> None:
    own = tweets(200, 1, prefix="a")
    copies = [
        SeenTweet(
            f"r{n}",
            "negative",
            (Feature(FeatureKind.WORD, "outrage"), Feature(FeatureKind.RETWEETED, "99")),
            is_retweet=True,
        )
        for n in range(100)
    ]
    found = what_changed(own, [*tweets(200, 2, prefix="b"), *copies], "negative")
    assert [(moved.kind, moved.name) for moved in found.moved] == [(FeatureKind.RETWEETED, "99")]
    assert found.moved[0].share_after == 100 / 300
    assert (found.retweets_before, found.retweets_after) == (0, 100)


@pytest.mark.parametrize("empty", ["before", "after", "both"])
def test_an_empty_span_has_no_moves(empty: str) -> None:
    some = tweets(50, 1)
    before = [] if empty in ("before", "both") else some
    after = [] if empty in ("after", "both") else some
    assert what_changed(before, after).moved == ()


def test_features_show_different_tweets_and_no_text_twice() -> None:
    def word(name: str) -> Feature:
        return Feature(FeatureKind.WORD, name)

    always = (word("strike"), word("trains"))
    after = [SeenTweet(str(n), "negative", (*always, word(f"place{n // 10}"))) for n in range(100)]
    before = [SeenTweet(f"b{n}", "positive", (word("calm"), word(f"o{n}"))) for n in range(100)]
    moved = [each for each in what_changed(before, after).moved if each.z > 0]
    text_of = {tweet.tweet_id: tweet.features for tweet in after}
    assert {"strike", "trains"} <= {each.name for each in moved}
    assert all(len({text_of[one] for one in each.examples}) == 3 for each in moved[:2])
    first = [text_of[each.examples[0]] for each in moved]
    assert len(set(first)) == len(first)


@pytest.mark.parametrize(
    ("text", "language", "left"),
    [
        (
            "A strike: it's the trains' fault, isn't it",
            "en",
            ["strike", "trains", "fault", "isn't"],
        ),
        ("Die Bahn ist nicht da, daß Züge fallen", "de", ["bahn", "nicht", "züge", "fallen"]),
        ("they die in the war", "en", ["die", "war"]),
        ("C’est l’enfer à la gare", "fr", ["l'enfer", "gare"]),
        ("и это не поезд", "ru", ["не", "поезд"]),
        ("the trains", None, ["trains"]),
        ("the trains", "xx", ["the", "trains"]),
        ("犬 好き", "ja", ["犬", "好き"]),
        ("saya kereta yang", "in", ["kereta"]),
    ],
)
def test_function_words_of_a_texts_own_language_are_no_features(
    text: str, language: str | None, left: list[str]
) -> None:
    features = TweetFeatures().of(
        text,
        hashtags=(),
        mentions=(),
        links=(),
        language=language,
        source="x",
        retweet_of=None,
    )
    assert [each.name for each in features if each.kind is FeatureKind.WORD] == left


def test_a_tweet_has_each_feature_once_and_marks_are_no_words() -> None:
    features = TweetFeatures().of(
        "RT @Bob: Rain, rain's &amp; don’t 'quote' #Storm at https://www.Example.com/a?b=1 now",
        hashtags=["storm", "storm"],
        mentions=["bob"],
        links=["https://www.Example.com/a?b=1", "https://[bad"],
        language=None,
        source="x_v2",
        retweet_of="7",
    )
    assert [(feature.kind.value, feature.name) for feature in features] == [
        ("word", "rain"),
        ("word", "rain's"),
        ("word", "don't"),
        ("word", "quote"),
        ("hashtag", "storm"),
        ("mention", "bob"),
        ("link", "example.com"),
        ("language", ""),
        ("source", "x_v2"),
        ("retweeted", "7"),
    ]
