"""A model says of a language whether it was made for it, or that it cannot tell."""

import pytest

from model_server.known_languages import language_known


@pytest.mark.parametrize(
    ("language", "known", "answer"),
    [
        ("en", ("en",), True),
        ("EN", ("en",), True),
        ("en-GB", ("en",), True),
        ("en", ("en-US",), True),
        ("pt_BR", ("pt",), True),
        ("pt", ("en",), False),
        ("eng", ("en",), False),
        ("enough", ("en",), False),
        ("in", ("id",), True),
        ("iw", ("he", "en"), True),
        ("und", ("en",), None),
        ("zxx", ("en",), None),
        ("qme", ("en",), None),
        (None, ("en",), None),
        ("", ("en",), None),
        ("en", (), None),
    ],
)
def test_a_region_does_not_count_and_what_is_undetermined_is_neither(
    language: str | None, known: tuple[str, ...], answer: bool | None
) -> None:
    assert language_known(language, known) is answer
