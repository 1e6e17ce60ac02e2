"""The torture, short: every figure right after two minutes of faults."""

import msgspec
import pytest

from tests.torture.torture import torture

MINUTES = 1.75
TWEETS = 6_000
SEED = 371_216
"""Its first faults make a topic anew, raise the partitions and abort a transaction."""


@pytest.mark.timeout(900)
def test_a_tortured_stream_loses_nothing_and_counts_nothing_twice() -> None:
    summary = torture(seed=SEED, minutes=MINUTES, tweets=TWEETS, logs=None, say=lambda _: None)
    print(msgspec.json.format(msgspec.json.encode(summary)).decode())  # noqa: T201
    assert {
        name: found.differences for name, found in summary.verdicts.items() if not found.kept
    } == {}
    assert summary.faults.keys() >= {"raw-made-anew", "partitions-raised", "tweets-aborted"}
