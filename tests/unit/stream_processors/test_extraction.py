"""What is read off a text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import asdict

from schemas.codec import decode_scored, encode
from schemas.events import Extracted, TweetScored
from stream_processors.scoring.extraction import extract
from tests.unit.examples import posted, scored_tweet


def read(text: str, language: str | None = "en") -> Extracted:
    return extract(posted(text=text, language=language), lambda _: "xx")


@pytest.mark.parametrize(
    ("text", "hashtags"),
    [
        ("#One #two #ONE", ("one", "two")),
        ("#été2026 #日本語 #Straße", ("été2026", "日本語", "strasse")),
        ("#1 is no tag, #1st is", ("1st",)),
        ("word#no &#39; and/#no", ()),
        ("https://example.org/#fragment", ()),
        ("(#in brackets), #end.", ("in", "end")),
    ],
)
def test_hashtags_are_folded_and_each_stands_once(text: str, hashtags: tuple[str, ...]) -> None:
    assert read(text).hashtags == hashtags


def test_mentions_are_no_mail_addresses() -> None:
    assert read("@Ann, @bob: mail me@example.org or @a@b.example").mentions == ("ann", "bob")


def test_links_lose_the_punctuation_behind_them() -> None:
    assert read("see https://t.example/x. (http://t.example/y)").links == (
        "https://t.example/x",
        "http://t.example/y",
    )


@pytest.mark.parametrize(
    ("text", "emoji"),
    [
        ("so 😍😍 good", ("😍",)),
        ("👨‍👩‍👧 and 👍🏽", ("👨‍👩‍👧", "👍🏽")),
        ("🇫🇷🇩🇪", ("🇫🇷", "🇩🇪")),
        ("1️⃣ but not 1 or #", ("1️⃣",)),
        ("☀️ sun", ("☀️",)),
        ("plain ascii :)", ()),
        ("日本語 and é", ()),
    ],
)
def test_emoji_sequences_stay_whole(text: str, emoji: tuple[str, ...]) -> None:
    assert read(text).emoji == emoji


def test_the_language_is_guessed_only_where_the_tweet_does_not_say_it() -> None:
    assert read("bonjour", language="fr").language is None
    assert read("bonjour", language=None).language == "xx"


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=2000))
def test_whatever_is_read_off_a_text_can_be_published(text: str) -> None:
    event = posted(text=text)
    extracted = extract(event, lambda _: None)
    result = TweetScored(**asdict(event), extracted=extracted, score=scored_tweet().score)
    assert decode_scored(encode(result)) == result
