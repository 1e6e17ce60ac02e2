"""Which texts count as copies of others."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrain.datasets.near_duplicates import near_any, words_of


def test_texts_on_one_subject_are_not_taken_for_the_same() -> None:
    others = ["the game on Sunday was the best of the year"]
    assert not near_any(["the game on Sunday was a shame for the whole team"], others).any()


@pytest.mark.parametrize(
    ("written", "is_near"),
    [
        ("今天的天气真的非常好我们一起去湖边散步吧", True),
        ("今天天气真的非常好,我们一起去湖边散步", True),
        ("今天的会议真的非常长我们一起去吃晚饭吧", False),
        ("วันนี้อากาศดีมากเราไปเดินเล่นริมทะเลสาบกันเถอะนะ", True),
        ("きょうはとてもいい天気なので湖のそばを歩きました", True),
    ],
)
def test_texts_without_spaces_are_near_by_their_characters(written: str, is_near: bool) -> None:
    others = [
        "今天天气真的非常好我们一起去湖边散步吧",
        "วันนี้อากาศดีมากเราไปเดินเล่นริมทะเลสาบกันเถอะ",
        "きょうはとてもいい天気だったので湖のそばを歩きました",
    ]
    assert near_any([written], others).tolist() == [is_near]


@given(st.text(st.characters(max_codepoint=0x2FF)))
def test_where_words_have_spaces_they_are_whole(text: str) -> None:
    ignored = {"http", "https", "user", "rt"}
    words = [word for word in re.findall(r"\w+", text.lower()) if word not in ignored]
    assert words_of(text) == (" ".join(words) or text)
