"""Which tweets a queue has, in which order."""

import random
from collections import Counter
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrain.labels.queue.candidates import Candidate, Candidates
from retrain.labels.queue.diversity import k_centre, word_vectors
from retrain.labels.queue.draw import RULE_AUDITS, Part, draw
from retrain.labels.queue.drifted import newest_words_first
from retrain.labels.queue.duplicates import SeenTexts
from schemas.people_labels import LabelOrigin

START = datetime(2026, 11, 1, tzinfo=UTC)
WORDS = [f"word{number}" for number in range(400)]


def candidate(number: int, text: str, *, lead: float = 0.8, **fields: object) -> Candidate:
    values: dict[str, object] = {
        "root_id": str(number),
        "rank": number,
        "posted_at": START + timedelta(hours=number),
        "rules": (),
        "text": text,
        "probabilities": {"calm": (1 + lead) / 2, "cross": (1 - lead) / 2},
        "was_asked": False,
    }
    return Candidate(**{**values, **fields})  # type: ignore[arg-type]


def candidates_of(pool: list[Candidate], audits: dict[str, int] | None = None) -> Candidates:
    by_rule: dict[str, list[Candidate]] = {}
    for each in pool:
        for rule in each.rules:
            by_rule.setdefault(rule, []).append(each)
    return Candidates(pool, by_rule, Counter(audits or {}), [])


def some(count: int, seed: int = 1) -> list[Candidate]:
    rng = random.Random(seed)
    return [
        candidate(
            number,
            " ".join(rng.sample(WORDS, 8)),
            lead=rng.random(),
            rules=("rare",) if number % 50 == 7 else ("often",) if number % 2 else (),
        )
        for number in range(count)
    ]


def lead(candidate: Candidate) -> float:
    first, second = sorted(candidate.probabilities.values(), reverse=True)
    return first - second


@pytest.mark.parametrize("count", [10, 50])
def test_half_are_audits_three_tenths_uncertain_two_tenths_drifted(count: int) -> None:
    queue = draw(candidates_of(some(1_000)), count)
    parts = Counter(each.part for each in queue)
    assert parts == {
        Part.AUDIT: count * 5 // 10,
        Part.UNCERTAIN: count * 3 // 10,
        Part.DRIFTED: count * 2 // 10,
    }
    assert len({each.root_id for each in queue}) == count
    assert {each.origin for each in queue if each.part is not Part.AUDIT} == {LabelOrigin.QUEUE}


def test_the_same_candidates_give_the_same_queue() -> None:
    assert draw(candidates_of(some(500)), 40) == draw(candidates_of(some(500)), 40)


@given(st.integers(1, 60), st.integers(0, 80), st.booleans())
def test_wherever_one_stops_audits_are_the_lowest_ranks(
    count: int, pool: int, audits_only: bool
) -> None:
    """Overall and of each rule: nothing of a lower rank was left out when one was taken."""
    candidates = candidates_of(some(pool))
    queue = draw(candidates, count, audits_only=audits_only)
    assert sum(each.copy_of is None for each in queue) == min(count, pool)
    taken: set[str] = set()
    for each in queue:
        if each.part is Part.AUDIT:
            source = candidates.by_rule[each.rule] if each.rule else candidates.pool
            assert each.root_id == next(one.root_id for one in source if one.root_id not in taken)
            taken.add(each.root_id)


def test_rules_with_few_audits_get_every_second_one() -> None:
    pool = some(2_000)
    queue = draw(candidates_of(pool, {"often": RULE_AUDITS}), 40, audits_only=True)
    assert Counter(each.rule for each in queue) == {None: 20, "rare": 20}
    enough = {"often": RULE_AUDITS, "rare": RULE_AUDITS}
    assert {each.rule for each in draw(candidates_of(pool, enough), 40)} == {None}


def test_audits_with_one_text_are_asked_once_and_all_of_them_count() -> None:
    pool = [candidate(number, "again" if number % 2 else f"text {number}") for number in range(20)]
    queue = draw(candidates_of(pool), 4, audits_only=True)
    assert [(each.root_id, each.copy_of) for each in queue] == [
        ("0", None),
        ("1", None),
        ("2", None),
        ("3", "1"),
        ("4", None),
    ]


def test_uncertain_ones_have_small_leads_and_no_text_twice() -> None:
    sure = [each for each in some(200) if lead(each) > 0.1]
    unsure = [
        each._replace(root_id=f"u{number}", rank=1_000 + number, probabilities={"a": 0.5, "b": 0.5})
        for number, each in enumerate(some(8, seed=2))
    ]
    copies = [
        each._replace(
            root_id=f"c{each.root_id}", rank=2_000, text=f"RT @x: {each.text} https://t.co"
        )
        for each in unsure
    ]
    queue = draw(candidates_of([*sure, *unsure, *copies]), 20)
    uncertain = [each.root_id for each in queue if each.part is Part.UNCERTAIN]
    assert uncertain[0] == "u0"
    assert len(uncertain) == 6
    assert not any(each.startswith("c") for each in uncertain)
    picked = [each for each in sure if each.root_id in uncertain]
    limit = sorted(map(lead, sure))[4 * 6 - 8]
    assert all(lead(each) < limit for each in picked)


def test_what_was_labelled_lately_and_what_was_asked_comes_as_an_audit_only() -> None:
    pool = some(60)
    asked = [each._replace(was_asked=True) for each in pool]
    queue = draw(candidates_of(asked), 20)
    assert {each.part for each in queue} == {Part.AUDIT}
    seen = candidates_of(pool)._replace(labelled_texts=[each.text for each in pool])
    assert {each.part for each in draw(seen, 20)} == {Part.AUDIT}


def test_drifted_ones_are_new_and_say_what_nobody_said_before() -> None:
    old = [candidate(number, "the tram is late") for number in range(48)]
    new = [candidate(48 + number, "the tram is late") for number in range(6)]
    news = candidate(60, "earthquake downtown")
    first, *rest = newest_words_first([*old, *new, news])
    assert first is news
    assert {each.root_id for each in rest} == {each.root_id for each in new}
    one_day = [candidate(number, f"word{number}", posted_at=START) for number in range(30)]
    assert len(newest_words_first(one_day)) == 3
    assert newest_words_first([]) == []


@given(st.lists(st.text("abc 語", max_size=12), max_size=12))
def test_seen_texts_hold_themselves(texts: list[str]) -> None:
    seen = SeenTexts(texts)
    assert all(seen.holds(text) for text in texts)


def test_near_texts_are_seen_and_others_are_not() -> None:
    seen = SeenTexts(["the game on Sunday was the best of the year"])
    assert seen.holds("THE game on Sunday was the best of the year!! https://t.co/x")
    assert seen.holds("the game on Sunday was the very best of the year")
    assert not seen.holds("the game on Sunday was a shame for the whole team")


@given(st.integers(1, 12), st.integers(0, 30), st.integers(0, 1_000))
def test_centres_are_at_most_twice_as_far_as_the_farthest_of_each_other(
    count: int, texts: int, seed: int
) -> None:
    rng = random.Random(seed)
    vectors = word_vectors([" ".join(rng.sample(WORDS[:30], 3)) for _ in range(texts)])
    centres = k_centre(vectors, count)
    assert len(centres) == len(set(centres)) == min(count, texts)
    if centres:
        assert centres[0] == 0
        similarity = np.round(vectors @ vectors[centres].T, 5)
        left = similarity.max(axis=1).min()
        between = [similarity[one, at] for at, _ in enumerate(centres) for one in centres[at + 1 :]]
        assert all(each <= left + 1e-4 for each in between)
