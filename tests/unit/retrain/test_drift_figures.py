"""What the watch sees, as series beside the levels of the reference."""

from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from retrain.drift.alarm import ComparedWith, Signal
from retrain.drift.figures.drift_figures import seen_reference, series_of_signals
from retrain.drift.reference import build_reference
from retrain.drift.window import ALL_RULES, Window, WindowCounts, WindowKey

START = datetime(2026, 5, 4, tzinfo=UTC)


def window(hour: int, positive: int) -> Window:
    counts = WindowCounts(
        tweets=100,
        by_label={"negative": 100 - positive, "positive": positive},
        confidence_micros=80_000_000,
        confidence_histogram=(0,) * 80 + (100,) + (0,) * 19,
        characters=10_000,
        by_language={"en": 100},
    )
    return Window(WindowKey("spring", ALL_RULES, "0" * 64, START + timedelta(hours=hour)), counts)


def test_each_signal_stands_beside_what_its_reference_expects() -> None:
    reference = build_reference([window(hour, 40) for hour in range(48)])
    seen = series_of_signals([window(48, 40), window(49, 90)], ALL_RULES, reference)
    (shares,) = [each for each in seen if each.subject == "positive"]
    assert shares.signal is Signal.LABEL_SHARE
    assert [each.value for each in shares.windows] == [0.4, 0.9]
    assert [each.expected for each in shares.windows] == [0.4, 0.4]
    (volume,) = [each for each in seen if each.signal is Signal.VOLUME]
    assert [each.value for each in volume.windows] == [100.0, 100.0]


def test_validation_texts_have_no_span() -> None:
    reference = build_reference([window(hour, 40) for hour in range(48)])
    seen = seen_reference(reference)
    assert (seen.start, seen.end) == (START, START + timedelta(hours=48))
    of_texts = replace(reference, compared_with=ComparedWith.VALIDATION)
    seen = seen_reference(of_texts)
    assert (seen.start, seen.end, seen.tweets) == (None, None, 4_800)


def test_without_a_reference_nothing_is_expected() -> None:
    seen = series_of_signals([window(0, 40)], ALL_RULES, None)
    assert all(each.expected is None for signal in seen for each in signal.windows)
