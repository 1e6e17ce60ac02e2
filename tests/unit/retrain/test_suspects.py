"""Suspected labels: those of which the model is as sure of another one as it usually is there."""

from hypothesis import given
from hypothesis import strategies as st

from retrain.labels.suspects import LabelledAnswer, find_suspects, thresholds


def answer(root_id: str, label: str, positive: float) -> LabelledAnswer:
    return LabelledAnswer(root_id, label, {"negative": 1 - positive, "positive": positive})


USUAL = [
    *(answer(f"p{n}", "positive", 0.9) for n in range(9)),
    *(answer(f"n{n}", "negative", 0.2) for n in range(9)),
]


def test_a_label_that_the_model_confidently_contradicts_is_suspected() -> None:
    found = find_suspects([*USUAL, answer("wrong", "negative", 0.99), answer("m", "negative", 0.6)])
    assert [(each.root_id, each.suggested, each.margin) for each in found] == [
        ("wrong", "positive", -0.98)
    ]
    assert thresholds(USUAL) == {"negative": 0.8, "positive": 0.9}


def test_labels_that_the_model_does_not_know_are_left_alone() -> None:
    strange = LabelledAnswer("s", "joy", {"negative": 0.01, "positive": 0.99})
    assert find_suspects([*USUAL, strange]) == []
    assert find_suspects([]) == []


@given(
    st.lists(st.tuples(st.sampled_from(["positive", "negative"]), st.integers(0, 100)), max_size=30)
)
def test_a_suspect_is_less_sure_of_its_label_than_of_the_suggested_one_by_its_threshold(
    given_answers: list[tuple[str, int]],
) -> None:
    answers = [answer(str(n), label, p / 100) for n, (label, p) in enumerate(given_answers)]
    least = thresholds(answers)
    by_id = {each.root_id: each for each in answers}
    found = find_suspects(answers)
    for each in found:
        of = by_id[each.root_id]
        assert of.label == each.label != each.suggested
        assert of.probabilities[each.suggested] >= least[each.suggested]
    assert [each.margin for each in found] == sorted(each.margin for each in found)
