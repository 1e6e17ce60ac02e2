"""Which characters are one emoji never changes, and finding them takes time by the character."""

import time

import emoji
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model_server.cleaning import CLEANING
from model_server.emoji_spans import emoji_spans

_CHARS = 50_000
_PARTS = sorted(set("".join(emoji.EMOJI_DATA)))
_COMPONENTS = "\U0001f3fb\U0001f3ff\U0001f9b0\U0001f9b3"
pieces = (
    st.sampled_from(sorted(emoji.EMOJI_DATA))
    | st.sampled_from(_PARTS)
    | st.sampled_from([*_COMPONENTS, "\u200d", "\u200d", "\ufe0f", "\ufe0e", " ", "a", "1", "#"])
)


@settings(max_examples=2_000)
@given(st.lists(pieces, max_size=25).map("".join))
def test_they_are_those_of_the_library(text: str) -> None:
    spans = [(found["match_start"], found["match_end"]) for found in emoji.emoji_list(text)]
    assert [tuple(span) for span in emoji_spans(text)] == spans


@pytest.mark.parametrize(
    "pattern",
    [
        "\U0001f602\u200d",
        "\U0001f602\U0001f621",
        "\U0001f3fb\u200d",
        "\U0001f468\u200d\U0001f469\u200d",
        "\U0001f469\U0001f3fb\u200d\u2764\ufe0f\u200d",
        "\U0001f3f4\U000e0067",
        "\U0001f1eb",
        "1\ufe0f",
        "\u200d",
        "&amp;#",
        "@a",
    ],
    ids=ascii,
)
def test_the_longest_text_is_cleaned_in_seconds(pattern: str) -> None:
    text = (pattern * _CHARS)[:_CHARS]
    started_s = time.process_time()
    CLEANING["2"](text)
    assert time.process_time() - started_s < 3
