"""The pieces of an explained text are the text."""

from hypothesis import given
from hypothesis import strategies as st

from deploy.page.explained_text import heaviest, text_pieces
from model_server.explaining.explain import WeighedWord
from model_server.explaining.words import words_of

WEIGHTS = st.lists(st.floats(-1, 1), min_size=64, max_size=64)


@given(st.text(max_size=80), WEIGHTS)
def test_no_character_is_lost_and_levels_are_bounded(text: str, weights: list[float]) -> None:
    words = [
        WeighedWord(start, end, text[start:end], weight)
        for (start, end), weight in zip(words_of(text), weights, strict=False)
    ]
    pieces = text_pieces(text, words)
    assert "".join(piece.text for piece in pieces) == text
    assert all(-4 <= piece.level <= 4 for piece in pieces)
    assert all((piece.weight or 0) * piece.level >= 0 for piece in pieces)


def test_the_word_that_weighs_most_has_the_strongest_colour() -> None:
    words = [WeighedWord(0, 4, "good", 0.5), WeighedWord(5, 8, "bad", -0.25)]
    assert [piece.level for piece in text_pieces("good bad!", words)] == [4, 0, -2, 0]
    assert heaviest(words, 1) == words[:1]


def test_words_without_weight_have_no_colour() -> None:
    assert [piece.level for piece in text_pieces("a", [WeighedWord(0, 1, "a", 0.0)])] == [0]
