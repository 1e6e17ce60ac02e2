"""A stream is held against its model's validation texts until it has a reference of its own."""

from pathlib import Path

import msgspec
import numpy as np
import pytest

from model_server.bundle import REFERENCE, Bundle, RefusedBundle, default_bundle, open_bundle
from model_server.seal_bundle import seal_bundle
from retrain.drift.alarm import ComparedWith, Ended, Raised, Signal
from retrain.drift.first_reference import (
    encode_validation,
    first_reference,
    read_validation_counts,
)
from retrain.drift.judge import SignalStates, judge
from retrain.drift.reference import Reference, build_reference
from retrain.drift.window import WindowCounts
from retrain.export.validation_figures import LEAST_TEXTS, add_figures
from schemas.failures import Failure
from tests.keyword_bundle import keyword_bundle
from tests.unit.retrain.test_drift_judge import BUDGET, HOUR, MONDAY, Told, counts_of, window

WORDS = {"lovely": "good", "awful": "bad"}
TEXTS = [f"a {'lovely' if n % 4 else 'awful'} number {n}" for n in range(LEAST_TEXTS)]


def bundle(folder: Path, name: str = "one") -> Bundle:
    return keyword_bundle(folder / name, WORDS, name=name)


def known() -> Reference:
    return first_reference(counts_of(0, tweets=4_000), run="live", model_sha256="model")


def held_against(reference: Reference, **moved: float) -> Told:
    state, told = SignalStates(), []
    for hour in range(1, 60):
        counts = counts_of(hour, language="de", **moved)  # type: ignore[arg-type]
        state, now = judge(state, window(hour, counts), reference, BUDGET)
        told += [(hour, one) for one in now]
    return told


def test_a_sealed_bundle_gets_figures_and_no_text_and_stays_the_model_that_it_was(
    tmp_path: Path,
) -> None:
    sealed = bundle(tmp_path)
    added = add_figures(sealed.folder, TEXTS)
    again = open_bundle(sealed.folder)
    assert added.sha256 == again.identity.sha256 == sealed.identity.sha256
    found = read_validation_counts(again)
    assert found is not None
    assert found.by_label == {"bad": LEAST_TEXTS // 4, "good": 3 * LEAST_TEXTS // 4}
    assert (found.characters, found.by_language) == (0, {})
    assert found.pieces == found.piece_words == 4 * LEAST_TEXTS
    written = (sealed.folder / REFERENCE).read_text()
    assert not any(word in written for word in ("lovely", "awful", "number"))
    assert add_figures(sealed.folder, TEXTS) == added


def test_figures_of_another_bundle_count_as_none(tmp_path: Path) -> None:
    one, other = bundle(tmp_path), bundle(tmp_path, "other")
    add_figures(one.folder, TEXTS)
    (one.folder / REFERENCE).rename(other.folder / REFERENCE)
    assert read_validation_counts(one) is None
    assert read_validation_counts(other) is None
    (other.folder / REFERENCE).write_bytes(encode_validation(counts_of(0)))
    assert read_validation_counts(other) is None, "its manifest does not vouch for the file"


def test_what_a_manifest_vouches_for_is_read_and_not_replaced(tmp_path: Path) -> None:
    folder = bundle(tmp_path).folder
    (folder / REFERENCE).write_bytes(encode_validation(counts_of(0)))
    sealed = seal_bundle(
        folder,
        name="one",
        version="2",
        labels=("good", "bad"),
        cleaning="1",
        languages=("en",),
        max_tokens=64,
        temperature=1.0,
        self_test_texts=TEXTS[:4],
    )
    assert read_validation_counts(sealed) == counts_of(0)
    with pytest.raises(Failure, match="exported with"):
        add_figures(folder, TEXTS)
    (folder / REFERENCE).write_bytes(encode_validation(counts_of(1)))
    with pytest.raises(RefusedBundle, match="SHA-256"):
        open_bundle(folder)


def test_too_few_texts_and_an_unreadable_file_are_refused(tmp_path: Path) -> None:
    sealed = bundle(tmp_path)
    with pytest.raises(Failure, match="too few"):
        add_figures(sealed.folder, TEXTS[:-1] + TEXTS[:1])
    (sealed.folder / REFERENCE).write_text('{"counts": 1}')
    with pytest.raises(RefusedBundle, match="cannot be read"):
        read_validation_counts(sealed)


def test_no_volume_no_hours_no_languages_and_no_lengths_are_known_of_validation_texts() -> None:
    reference = known()
    names = {name.partition(":")[0] for name in reference.baselines}
    assert names == {
        "label_share",
        "label_distribution",
        "confidence",
        "low_confidence",
        "pieces_per_word",
        "unknown_pieces",
    }
    assert all(len(baseline.levels) == 1 for baseline in reference.baselines.values())


def test_another_stream_with_other_shares_raises_nothing_until_they_are_far_off() -> None:
    assert held_against(known(), negative=0.5) == []
    told = held_against(known(), negative=0.65)
    raised = [one for _, one in told if isinstance(one, Raised)]
    assert "negative" in {one.id.subject for one in raised}
    assert {one.compared_with for one in raised} == {ComparedWith.VALIDATION}


def test_a_model_that_is_not_at_home_on_a_stream_is_found_within_a_day() -> None:
    told = held_against(known(), confidence=0.55)
    found = {one.id.signal: hour for hour, one in told if isinstance(one, Raised)}
    assert found[Signal.CONFIDENCE] <= 24


def test_a_stream_that_is_easier_than_the_validation_texts_raises_nothing_by_its_confidence() -> (
    None
):
    told = held_against(known(), confidence=0.95)
    found = {one.id.signal for _, one in told if isinstance(one, Raised)}
    assert not found & {Signal.CONFIDENCE, Signal.LOW_CONFIDENCE}


def test_alarms_against_validation_texts_end_with_the_streams_own_reference() -> None:
    state, raised = SignalStates(), 0
    for hour in range(48):
        counts = counts_of(hour, negative=0.65)
        state, now = judge(state, window(hour, counts), known(), BUDGET)
        raised += sum(isinstance(one, Raised) for one in now)
    own = build_reference(window(hour, counts_of(hour, negative=0.65)) for hour in range(48))
    state, now = judge(state, window(48, counts_of(48, negative=0.65)), own, BUDGET)
    assert raised == len(now) > 0
    assert all(isinstance(one, Ended) for one in now)
    assert state.reference == (MONDAY, MONDAY + 48 * HOUR)


def test_a_stored_reference_of_an_older_release_is_one_of_the_stream() -> None:
    stored = msgspec.json.decode(msgspec.json.encode(known()))
    del stored["compared_with"], stored["hashtags"]
    assert msgspec.convert(stored, Reference).compared_with is ComparedWith.STREAM


def test_the_default_bundle_brings_figures() -> None:
    found = read_validation_counts(open_bundle(default_bundle()))
    assert found is not None
    assert found.tweets == found.judged == 4_936
    assert np.isclose(found.confidence_micros / found.judged / 1e6, 0.693, atol=0.001)


def test_empty_figures_count_as_none(tmp_path: Path) -> None:
    sealed = bundle(tmp_path)
    empty = encode_validation(WindowCounts(), sealed.identity.sha256)
    (sealed.folder / REFERENCE).write_bytes(empty)
    assert read_validation_counts(sealed) is None
