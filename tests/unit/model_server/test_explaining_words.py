"""The words of a text: as the person wrote them, at their places, for any text."""

import itertools
import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model_server.emoji_spans import emoji_spans
from model_server.explaining.words import words_of
from schemas.tweet_text import find_entities

SIGNS = st.sampled_from(
    [
        *["#a", "@b", "@", "#", "a", "don't", " ", "  ", "\x1f", "\u200d", "\ufe0f", "!", "(", "…"],
        *[
            "❤️",
            "❤",
            "👍🏽",
            "👨\u200d👩\u200d👧",
            "1️⃣",
            "🇫🇷",
            "https://t.co/a",
            "我",
            "あり",
            "スー",
            "&amp;",
        ],
    ]
)
any_text = st.one_of(st.text(), st.lists(SIGNS, max_size=40).map("".join))


def found(text: str) -> list[str]:
    return [text[start:end] for start, end in words_of(text)]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("What a  lovely\nevening!!!", ["What", "a", "lovely", "evening!!!"]),
        ("don't &amp; :( it's", ["don't", "&amp;", ":(", "it's"]),
        ("@a@b #one#two", ["@a@b", "#one", "#two"]),
        ("so#cold is x#y", ["so#cold", "is", "x#y"]),
        ("see(https://t.co/a1),ok", ["see(", "https://t.co/a1", "),ok"]),
        ("https://a.example/x我 .@b:", ["https://a.example/x", "我", ".@b:"]),
        ("love❤️you 👍🏽👍🏽 👍🏽👍🏻!", ["love", "❤️", "you", "👍🏽👍🏽 👍🏽", "👍🏻!"]),
        ("我很高兴。ありがとうスーパー", ["我", "很", "高", "兴。", "ありがとう", "スーパー"]),
        (" \u200d\x1f\ufe0f ", []),
        ("", []),
    ],
)
def test_words_are_what_people_take_for_words(text: str, words: list[str]) -> None:
    assert found(text) == words


@given(any_text)
def test_words_stand_in_order_and_between_them_is_nothing_to_see(text: str) -> None:
    words = words_of(text)
    assert all(before.end <= after.start for before, after in itertools.pairwise(words))
    assert all(word.start < word.end and text[slice(*word)].strip() for word in words)
    between = [text[a:b] for a, b in itertools.pairwise([0, *itertools.chain(*words), len(text)])]
    assert "".join(between) == text
    left = "".join(between[::2])
    kinds = {unicodedata.category(character)[0] for character in left if not character.isspace()}
    assert kinds <= {"M", "C"}


@given(any_text)
def test_no_link_hashtag_mention_or_emoji_is_cut(text: str) -> None:
    words = words_of(text)
    entities = find_entities(text)
    taken = {at for entity in entities for at in range(*entity)}
    whole = [*entities, *(span for span in emoji_spans(text) if taken.isdisjoint(range(*span)))]
    for start, end in whole:
        assert any(word.start <= start and end <= word.end for word in words)


MOST_CPU_S = 5
"""Tells what grows with the square of the text, which would take minutes, from a slow machine."""


@pytest.mark.parametrize("piece", ["❤ @a ", "❤", "#a", "(", "a ", "我", "👨\u200d", "http://a.b/ "])
def test_no_text_is_dear(piece: str) -> None:
    began_s = time.thread_time()
    words_of((piece * 50_000)[:50_000])
    assert time.thread_time() - began_s < MOST_CPU_S
