"""The torture, short: every figure right after six faults."""

import msgspec
import pytest

from tests.torture.torture import torture

MINUTES = 0.75
TWEETS = 3_000
SEED, FIRST_FAULTS = 307_268, 6
"""The sink is killed twice and scoring once; between that partitions are raised, a topic is made
anew and a transaction is aborted."""


@pytest.mark.timeout(900)
def test_a_tortured_stream_loses_nothing_and_counts_nothing_twice() -> None:
    summary = torture(
        seed=SEED,
        minutes=MINUTES,
        tweets=TWEETS,
        logs=None,
        say=lambda _: None,
        first_faults=FIRST_FAULTS,
    )
    print(msgspec.json.format(msgspec.json.encode(summary)).decode())  # noqa: T201
    assert {
        name: found.differences for name, found in summary.verdicts.items() if not found.kept
    } == {}
    assert summary.faults == {
        "partitions-raised": 1,
        "raw-made-anew": 1,
        "score-kill": 1,
        "sink-kill": 2,
        "tweets-aborted": 1,
    }
