"""The verdicts of the service's torture can fail, and do only where they should."""

import pytest

from tests.torture.serving_verdict import Answered, growth, uncounted, wrong_answers

RIGHT = ("positive", (0.1, 0.2, 0.7))
EXPECTED = {("one", "fine"): RIGHT, ("two", "fine"): ("positive", (0.1, 0.3, 0.6))}
MB = 1_000_000


def test_an_answer_is_held_against_the_model_that_it_names() -> None:
    right = Answered("a", "fine", "one", *RIGHT)
    assert wrong_answers([right], EXPECTED) == []
    of_the_other = right._replace(sha256="two")
    strange = right._replace(sha256="three")
    off_by_a_bit = right._replace(probabilities=(0.1, 0.2, 0.7 + 2**-53))
    other_label = right._replace(label="neutral")
    for wrong in (of_the_other, strange, off_by_a_bit, other_label):
        assert len(wrong_answers([right, wrong], EXPECTED)) == 1


@pytest.mark.parametrize(
    ("resident_mb", "is_flat"),
    [
        # A second model at the beginning is none.
        ([270, 400, 500, 500, 510, 505, 500, 510, 500], True),
        ([500, 500, 500, 520, 520, 520, 560, 560, 560], True),
        ([500, 500, 500, 520, 540, 560, 620, 640, 660], False),
        ([500], False),
    ],
)
def test_memory_is_flat_from_the_second_third_on(resident_mb: list[int], is_flat: bool) -> None:
    assert (growth("a", [each * MB for each in resident_mb]) == []) == is_flat


@pytest.mark.parametrize(("counted", "fits"), [(99, False), (100, True), (105, True), (106, False)])
def test_metrics_count_every_answer_and_at_most_those_that_nobody_read(
    counted: float, fits: bool
) -> None:
    assert (uncounted(counted, 100, 5) == []) == fits
