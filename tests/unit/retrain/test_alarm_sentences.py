"""Every alarm reads as one plain sentence, and of which kind it is stands at its beginning."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrain.drift.alarms.sentences import MEANINGS, sentence
from retrain.drift.alarms.stored_alarms import StoredAlarm
from schemas.alarm_events import AlarmKind, Signal

START = datetime(2026, 11, 27, 14, tzinfo=UTC)


def alarm(**fields: Any) -> StoredAlarm:
    known: dict[str, Any] = {
        "alarm_id": "0" * 32,
        "run": "live",
        "rule": "airlines",
        "kind": AlarmKind.WORLD,
        "signal": Signal.LABEL_SHARE,
        "subject": "negative",
        "detector": "e_detector",
        "model_sha256": "a" * 64,
        "since": START,
        "window_start": START,
        "window_end": START + timedelta(hours=1),
        "value": 0.51,
        "reference": 0.38,
        "tweets": 2140,
        "false_alarms_per_year": 0.1,
        "raised_at": START,
    }
    return StoredAlarm(**{**known, **fields})


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        (
            {},
            (
                "the world has moved: negative share of rule airlines is 51 % where 38 % was"
                " expected (2,140 tweets, hour 14:00 UTC, 2026-11-27)"
            ),
        ),
        (
            {"value": 0.391, "reference": 0.38},
            (
                "the world has moved: negative share of rule airlines is 39.1 % where 38.0 % was"
                " expected (2,140 tweets, hour 14:00 UTC, 2026-11-27)"
            ),
        ),
        (
            {"kind": AlarmKind.MODEL, "signal": Signal.CONFIDENCE, "subject": "", "rule": ""},
            (
                "the model may be wrong: mean confidence of all tweets of run live is 0.51 where"
                " 0.38 was expected (2,140 tweets, hour 14:00 UTC, 2026-11-27)"
            ),
        ),
        (
            {"signal": Signal.VOLUME, "subject": "", "value": 4321.0, "reference": 1200.0},
            (
                "the world has moved: rule airlines has 4,321 tweets in a window where 1,200 were"
                " expected (2,140 tweets, hour 14:00 UTC, 2026-11-27)"
            ),
        ),
        (
            {"signal": "mood_swings", "window_end": START + timedelta(days=1)},
            (
                "the world has moved: mood_swings negative of rule airlines is 0.51 where 0.38 was"
                " expected (2,140 tweets, 2026-11-27 14:00 UTC to 2026-11-28 14:00 UTC)"
            ),
        ),
        (
            {"rule": "the model may be wrong: 'x'"},
            (
                "the world has moved: negative share of rule 'the model may be wrong: ’x’' is 51 %"
                " where 38 % was expected (2,140 tweets, hour 14:00 UTC, 2026-11-27)"
            ),
        ),
    ],
)
def test_an_alarm_is_a_sentence(fields: dict[str, Any], said: str) -> None:
    assert sentence(alarm(**fields)) == said


@given(
    kind=st.sampled_from(AlarmKind),
    signal=st.sampled_from(Signal),
    rule=st.text(max_size=80),
    subject=st.text(max_size=80),
    value=st.floats(0, 1e6),
)
def test_each_kind_begins_as_no_other_does_and_nothing_speaks_to_the_terminal(
    kind: AlarmKind, signal: Signal, rule: str, subject: str, value: float
) -> None:
    said = sentence(alarm(kind=kind, signal=signal, rule=rule, subject=subject, value=value))
    (other,) = set(AlarmKind) - {kind}
    assert said.startswith(f"{MEANINGS[kind]}: ")
    assert not said.startswith(MEANINGS[other])
    assert said.isprintable()
