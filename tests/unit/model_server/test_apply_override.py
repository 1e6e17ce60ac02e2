"""Overrides give a label in place of the model's, which is kept."""

from pathlib import Path

import pytest

from model_server.overrides.apply_override import apply_override
from model_server.overrides.override import Overrides
from model_server.overrides.override_file import usable_overrides
from schemas.events import AppliedOverride
from schemas.failures import Failure

FILE = """
- name: sick-is-great
  pattern: sick
  rules: [skate]
  label: positive
  reason: our skaters say it for great
  tests: {changes: [this board is SICK], leaves: [I am homesick]}
"""
LABELS = ("negative", "neutral", "positive")
PROBABILITIES = {"negative": 0.7, "neutral": 0.2, "positive": 0.1}


@pytest.fixture
def overrides(tmp_path: Path) -> Overrides:
    path = tmp_path / "overrides.yaml"
    path.write_text(FILE)
    read = usable_overrides(path, LABELS)
    assert read is not None
    return read


def applied(
    overrides: Overrides | None, text: str, label: str = "negative", **changed: float
) -> tuple[str, float, AppliedOverride | None]:
    return apply_override(
        overrides,
        text,
        "en",
        ["skate"],
        label=label,
        confidence=0.7,
        probabilities={**PROBABILITIES, **changed},
    )


def test_the_label_is_the_teams_and_what_stood_there_is_kept(overrides: Overrides) -> None:
    label, confidence, override = applied(overrides, "so sick")
    assert (label, confidence) == ("positive", 0.1)
    assert override == AppliedOverride(
        name="sick-is-great",
        version=overrides.version[:16],
        label="negative",
        confidence=0.7,
    )


def test_what_no_override_concerns_or_changes_is_left(overrides: Overrides) -> None:
    assert applied(overrides, "homesick") == ("negative", 0.7, None)
    assert applied(overrides, "so sick", label="positive") == ("positive", 0.7, None)
    assert applied(None, "so sick") == ("negative", 0.7, None)


def test_a_label_that_the_model_does_not_know_is_given_to_nothing(overrides: Overrides) -> None:
    found = apply_override(
        overrides,
        "so sick",
        "en",
        ["skate"],
        label="joy",
        confidence=0.9,
        probabilities={"joy": 0.9, "anger": 0.1},
    )
    assert found == ("joy", 0.9, None)


def test_a_file_whose_tests_fail_is_refused(tmp_path: Path) -> None:
    assert usable_overrides(None, LABELS) is None
    path = tmp_path / "overrides.yaml"
    path.write_text(FILE.replace("homesick", "sick"))
    with pytest.raises(Failure, match="sick-is-great"):
        usable_overrides(path, LABELS)
