"""Audits to figures."""

from datetime import UTC, datetime, timedelta

import pytest

from stream_processors.aggregates.aggregates import Audited, AuditFigures
from stream_processors.aggregates.audit_figures import audit_figures
from stream_processors.aggregates.audit_rows import AuditRow
from stream_processors.queries.audit_words import audit_sentences, audited_shares

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
COUNTED = {"joy": 600, "fear": 400}


def audit(
    person: str | None, model: str, *rules: str, day: int = 0, people: int = 1, agreeing: int = 0
) -> AuditRow:
    posted_at = NOON + timedelta(days=day)
    return AuditRow(person, model, posted_at, rules, "en", people, agreeing)


def figures(audits: list[AuditRow]) -> AuditFigures:
    return audit_figures(audits, COUNTED, {NOON.date(): 1_000}, {})


def test_without_audits_shares_are_the_models_count_and_it_is_said() -> None:
    found = audit_figures([], COUNTED, {}, {})
    assert (found.audited, found.audits, found.audits_missing) == (Audited.NO, 0, 20)
    assert [(label.label, label.counted, label.audited) for label in found.labels] == [
        ("joy", 0.6, None),
        ("fear", 0.4, None),
    ]
    assert found.days is None
    assert "not audited on this stream" in audit_sentences(found)[0]
    assert audited_shares(found) == "not audited"


@pytest.mark.parametrize(
    ("audits", "words"), [(6, "uncorrected: 14 more labels"), (19, "uncorrected: 1 more label ")]
)
def test_too_few_audits_correct_nothing_and_say_how_many_are_missing(
    audits: int, words: str
) -> None:
    found = figures([audit("joy", "joy")] * audits)
    assert found.audited == Audited.TOO_FEW
    assert found.audits_missing == 20 - audits
    assert found.accuracy is None
    assert all(label.audited is None for label in found.labels)
    assert words in audit_sentences(found)[0]


def test_enough_audits_say_what_people_would_count_and_how_often_the_model_is_right() -> None:
    found = figures(
        [audit("joy", "joy")] * 20 + [audit("fear", "joy")] * 10 + [audit("fear", "fear")] * 10
    )
    assert (found.audited, found.audits, found.audits_missing) == (Audited.YES, 40, 0)
    joy, fear = found.labels
    assert joy.audited is not None
    assert fear.audited is not None
    # Of those counted as joy people call two thirds so, of the others none: .6 * 2 / 3.
    assert joy.audited.share == pytest.approx(0.4, abs=1e-6)
    assert joy.audited.share + fear.audited.share == pytest.approx(1)
    assert found.accuracy is not None
    assert found.accuracy.share == pytest.approx(0.75)
    assert joy.recall is not None
    assert fear.recall is not None
    assert (joy.recall.share, joy.recall.audits) == (1, 20)
    assert (fear.recall.share, fear.recall.audits) == (0.5, 20)
    assert found.audits_missing_for_3_points > 100


def test_where_every_tweet_is_audited_few_are_enough() -> None:
    audits = [audit("joy", "joy")] * 3 + [audit("fear", "joy")]
    few = audit_figures(audits[1:], {"joy": 4}, {NOON.date(): 4}, {})
    assert (few.audited, few.audits_missing) == (Audited.TOO_FEW, 1)
    found = audit_figures(audits, {"joy": 4}, {NOON.date(): 4}, {})
    assert found.audited == Audited.YES
    joy = found.labels[0].audited
    assert joy is not None
    assert (joy.low, joy.share, joy.high) == (0.75, 0.75, 0.75)


def test_a_label_that_only_people_give_has_a_share() -> None:
    found = figures([audit("joy", "joy")] * 25 + [audit("awe", "fear")] * 5)
    awe = found.labels[-1]
    assert (awe.label, awe.counted) == ("awe", 0)
    assert awe.audited is not None
    assert awe.audited.share == pytest.approx(5 / 30, abs=1e-6)


def test_audits_of_one_rule_alone_leave_the_stream_uncorrected() -> None:
    audits = [audit("joy", "joy", "rain")] * 40
    found = audit_figures(audits, COUNTED, {NOON.date(): 1_000}, {"rain": 100})
    assert (found.audited, found.audits_missing) == (Audited.TOO_FEW, 10)


def test_days_without_audits_are_told() -> None:
    days = {NOON.date() + timedelta(days=number): 100 for number in range(10)}
    audits = [audit("joy", "joy", day=number % 3) for number in range(30)]
    found = audit_figures(audits, COUNTED, days, {})
    assert (found.audited_days, found.days) == (3, 10)
    assert "days with audits: 3 of 10" in audit_sentences(found)[0]


def test_people_who_disagree_audit_nothing_and_count_in_their_agreement() -> None:
    apart = [audit(None, "joy", people=2)] * 5
    together = [audit("joy", "joy"), audit(None, "joy", people=2, agreeing=2)] * 15
    found = figures(apart + together)
    assert found.audits == 15
    assert found.agreement is not None
    assert (found.agreement.share, found.agreement.audits) == (0.75, 20)


def test_a_terminal_executes_nothing_that_a_label_says() -> None:
    found = figures([audit("\x1b[2J", "joy")] * 30)
    assert "\x1b" not in audited_shares(found)
    assert not any("\x1b" in sentence for sentence in audit_sentences(found))
