"""The figures of faithfulness tell a right order of words from a wrong one."""

from collections.abc import Sequence

import numpy as np
import pytest

from model_server.explaining.variants import Floats
from tests.faithfulness import faithfulness_of, texts_of

TEXT = "what a lovely evening we had down there by the river"


def goes_by_lovely(texts: Sequence[str]) -> Floats:
    good = np.array([0.9 if "lovely" in text else 0.2 for text in texts])
    return np.stack([1 - good, good], axis=1)


def test_the_word_that_the_model_goes_by_first_is_faithful_and_last_is_not() -> None:
    first = np.array([float(word == "lovely") for word in TEXT.split()])
    assert faithfulness_of(TEXT, first, goes_by_lovely) == pytest.approx((0.7, 0.0))
    assert faithfulness_of(TEXT, -first, goes_by_lovely) == pytest.approx((0.0, 0.7))


def test_texts_without_a_file_are_the_same_each_time() -> None:
    assert texts_of(None) == texts_of(None)
    assert len(set(texts_of(None))) == 1_000
