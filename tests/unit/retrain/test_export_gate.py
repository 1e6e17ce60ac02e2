"""The gate refuses what breaks a rule, and says which, with both figures."""

import math

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrain.export.quality_gate import Cost, GateFigures, refusals

GOOD = GateFigures(
    texts=2_000,
    logit_difference=5e-7,
    macro_recall_fp32=0.71,
    macro_recall_int8=0.708,
    same_labels=0.99,
    recall_of_a_text=0.0006,
    texts_by_batch=2_000,
    labels_by_batch=0,
    size_bytes=24_000_000,
    cost=Cost(against="starter 1", cpu_us=1500, cpu_us_against=1490, ratio=1.01),
)


def test_a_good_model_passes_and_needs_no_older_one() -> None:
    assert refusals(GOOD) == []
    assert refusals(msgspec.structs.replace(GOOD, cost=None)) == []


@pytest.mark.parametrize(
    ("change", "both_figures"),
    [
        ({"logit_difference": 2e-4}, ("2.0e-04", "1e-04")),
        ({"logit_difference": math.nan}, ("nan", "1e-04")),
        ({"macro_recall_int8": 0.7049}, ("0.7049", "0.7100")),
        ({"macro_recall_int8": math.nan}, ("nan", "0.7100")),
        ({"same_labels": 0.969}, ("96.90%", "97.00%")),
        ({"labels_by_batch": 1}, ("1 of 2000", "at most 0")),
        ({"size_bytes": 31_000_000}, ("31.0 MB", "30")),
        (
            {"cost": Cost(against="starter 1", cpu_us=1600, cpu_us_against=1500, ratio=1.07)},
            ("1600 µs", "starter 1 1500"),
        ),
    ],
)
def test_each_rule_refuses_by_itself(
    change: dict[str, object], both_figures: tuple[str, str]
) -> None:
    (refusal,) = refusals(msgspec.structs.replace(GOOD, **change))
    assert all(figure in refusal for figure in both_figures)


def test_of_few_texts_one_may_differ_and_no_more() -> None:
    few = msgspec.structs.replace(
        GOOD,
        texts=30,
        recall_of_a_text=0.033333,
        same_labels=0.966667,
        macro_recall_fp32=1.0,
        macro_recall_int8=0.966667,
    )
    assert refusals(few) == []
    two_differ = msgspec.structs.replace(few, same_labels=0.933333, macro_recall_int8=0.933333)
    assert len(refusals(two_differ)) == 2


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1e-3), st.integers(0, 5))
def test_what_passes_would_pass_with_better_figures(
    int8: float, same: float, difference: float, by_batch: int
) -> None:
    found = msgspec.structs.replace(
        GOOD,
        macro_recall_int8=int8,
        same_labels=same,
        logit_difference=difference,
        labels_by_batch=by_batch,
    )
    better = msgspec.structs.replace(
        found,
        macro_recall_int8=min(1, int8 + 0.01),
        same_labels=min(1, same + 0.01),
        logit_difference=difference / 2,
        labels_by_batch=by_batch // 2,
    )
    assert len(refusals(better)) <= len(refusals(found))
