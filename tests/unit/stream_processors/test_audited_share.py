"""The share that people would count: what its interval may be relied on for."""

from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream_processors.aggregates.audited_share import (
    Audits,
    Floats,
    audited_share,
    audits_wanted,
    labels_alone,
    student_t,
    uniform_audits,
)
from tests.audit_coverage import SIZES, built_in, measure, textbook


class Drawn(NamedTuple):
    people: Floats
    model: Floats
    audits: Audits
    counted: float


@st.composite
def drawn(draw: st.DrawFn) -> Drawn:
    """Audits of 20 to 300 tweets, each with 1 to 1,000 tweets that it stands for."""
    rows = draw(
        st.lists(
            st.tuples(st.booleans(), st.booleans(), st.floats(1, 1_000)), min_size=20, max_size=300
        )
    )
    people, model, each = np.array(rows, dtype=np.float64).T
    return Drawn(people, model, Audits(each), draw(st.floats(0, 1)))


@given(drawn())
def test_an_interval_holds_its_share_and_stays_between_0_and_1(given_: Drawn) -> None:
    found = audited_share(*given_)
    assert 0 <= found.low <= found.share <= found.high <= 1


@given(drawn())
def test_the_order_of_audits_changes_nothing(given_: Drawn) -> None:
    order = np.random.default_rng(len(given_.people)).permutation(len(given_.people))
    shuffled = audited_share(
        given_.people[order],
        given_.model[order],
        Audits(given_.audits.tweets_each[order]),
        given_.counted,
    )
    assert shuffled == pytest.approx(audited_share(*given_), abs=1e-9)


@given(drawn(), st.sampled_from([0.0, 1.0]))
def test_a_model_with_one_answer_leaves_the_labels_alone(given_: Drawn, answer: float) -> None:
    constant = np.full_like(given_.model, answer)
    found = audited_share(given_.people, constant, given_.audits, given_.counted)
    assert found == labels_alone(given_.people, given_.audits)


@given(drawn())
def test_a_model_that_knows_nothing_leaves_the_labels_alone(given_: Drawn) -> None:
    """Each audit once with either answer of the model: the slope is 0."""
    people = np.tile(given_.people, 2)
    model = np.repeat([0.0, 1.0], len(given_.people))
    audits = Audits(np.tile(given_.audits.tweets_each, 2))
    found = audited_share(people, model, audits, given_.counted)
    alone = labels_alone(people, audits)
    assert found.share == pytest.approx(alone.share, abs=1e-9)
    assert found.half_width == pytest.approx(alone.half_width, rel=0.02, abs=1e-3)


@given(st.lists(st.booleans(), min_size=20, max_size=200), st.floats(0.05, 0.95))
def test_a_model_that_agrees_with_people_is_believed(answers: list[bool], counted: float) -> None:
    people = np.array(answers, dtype=np.float64)
    audits = uniform_audits(len(people), 1_000_000)
    found = audited_share(people, people, audits, counted)
    if 0 < people.mean() < 1:
        assert found.share == pytest.approx(counted)
        # Some agreement does not prove that it is always so.
        assert found.high - found.low > 0
    else:
        assert found == labels_alone(people, audits)


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=20, max_size=200))
def test_once_every_tweet_is_audited_the_share_is_peoples_own_count(
    answers: list[tuple[bool, bool]],
) -> None:
    people, model = np.array(answers, dtype=np.float64).T
    audits = uniform_audits(len(people), len(people))
    found = audited_share(people, model, audits, float(model.mean()))
    assert found == pytest.approx([float(people.mean())] * 3, abs=1e-9)


def test_many_audits_of_many_tweets_give_the_interval_of_the_paper() -> None:
    rng = np.random.default_rng(5)
    people = (rng.random(3_000) < 0.3).astype(np.float64)
    model = np.where(rng.random(3_000) < 0.8, people, 1 - people)
    tweets = 100_000_000
    found = audited_share(people, model, uniform_audits(len(people), tweets), 0.4)
    of_paper = textbook(people, model, 0.4, tweets)
    assert found.share == pytest.approx(of_paper.share, abs=1e-6)
    assert found.half_width == pytest.approx(of_paper.half_width, rel=0.01)


def test_equal_weights_are_a_uniform_sample_and_unequal_ones_tell_less() -> None:
    equal = uniform_audits(50, 10_000)
    assert equal.effective == pytest.approx(50)
    assert equal.variance_of_mean == pytest.approx((1 - 50 / 10_000) / 50)
    unequal = Audits(np.array([100.0] * 25 + [300.0] * 25))
    assert unequal.effective < 50
    assert unequal.variance_of_mean > equal.variance_of_mean


@pytest.mark.parametrize(
    ("degrees", "quantile"), [(10, 2.228139), (19, 2.093024), (29, 2.045230), (59, 2.000995)]
)
def test_student_t_is_that_of_the_tables(degrees: int, quantile: float) -> None:
    assert student_t(degrees) == pytest.approx(quantile, abs=2e-5)


def test_3_points_take_a_thousand_labels_where_the_model_tells_nothing() -> None:
    """(1.96 / .03)² / 4 = 1,067, and fewer where there are few tweets."""
    people = np.array([0.0, 1.0] * 50)
    useless = np.zeros(100)
    assert audits_wanted(people, useless, uniform_audits(100, 10**9)) == 1_068
    assert audits_wanted(people, useless, uniform_audits(100, 1_000)) == 517
    helpful = people.copy()
    helpful[:10] = 1 - helpful[:10]
    assert audits_wanted(people, helpful, uniform_audits(100, 10**9)) < 500


@pytest.mark.parametrize("audits", SIZES)
def test_the_built_in_simulation_keeps_what_is_promised(audits: int) -> None:
    """A short form of `python -m tests.audit_coverage`; .02 is what 500 draws scatter."""
    stream = built_in()
    found = measure(np.random.default_rng(3), stream, 0, audits, 500, uneven=False)
    assert 0.93 - 0.02 <= found.covered <= 0.97 + 0.02
    assert found.half_width < found.alone_half_width
