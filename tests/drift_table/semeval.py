"""Real tweets of 2011 to 2016 through the judge: in order of time, and shuffled.

`python -m tests.drift_table.semeval FOLDER --kept FILE` reads the label files of SemEval-2017 and
prints one JSON document. The default bundle scores their tweets once, which takes minutes; the
answers are kept in FILE. Their times lie in bursts years apart, so each order is spread evenly over
30 days, of which the first seven are the reference. Exit 1 where the order of time raises nothing
or a shuffled one more than one alarm.
"""

import argparse
import json
import random
import sys
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from retrain.drift.alarm import Raised
from retrain.drift.judge import Budget, SignalStates, WordSamples, count_signals, judge
from retrain.drift.reference import build_reference
from retrain.drift.signals import SignalKey
from retrain.drift.window import ALL_RULES, CONFIDENCE_BINS, Window, WindowCounts, WindowKey
from tests.drift_table.scored_tweets import ScoredTweet, scored_tweets

HOUR = timedelta(hours=1)
START = datetime(2026, 1, 5, tzinfo=UTC)
HOURS = 30 * 24
REFERENCE_HOURS = 7 * 24
SHUFFLES = 5


def window_of(start: datetime, tweets: Sequence[ScoredTweet]) -> Window:
    """Count tweets as the watch does."""
    histogram = [0] * CONFIDENCE_BINS
    for tweet in tweets:
        histogram[min(CONFIDENCE_BINS - 1, int(tweet.confidence * CONFIDENCE_BINS))] += 1
    counts = WindowCounts(
        tweets=len(tweets),
        by_label=dict(sorted(Counter(tweet.label for tweet in tweets).items())),
        confidence_micros=sum(round(tweet.confidence * 1_000_000) for tweet in tweets),
        confidence_histogram=tuple(histogram),
        characters=sum(tweet.characters for tweet in tweets),
        pieces=sum(tweet.pieces for tweet in tweets),
        unknown_pieces=sum(tweet.unknown_pieces for tweet in tweets),
        piece_words=sum(tweet.words for tweet in tweets),
        by_language={"en": len(tweets)},
    )
    return Window(WindowKey("semeval", ALL_RULES, "default", start), counts)


def alarms_in(tweets: Sequence[ScoredTweet]) -> list[dict[str, Any]]:
    """Judge tweets in this order; return the alarms that were raised."""
    hours = [
        tweets[len(tweets) * hour // HOURS : len(tweets) * (hour + 1) // HOURS]
        for hour in range(HOURS)
    ]
    windows = [window_of(START + hour * HOUR, part) for hour, part in enumerate(hours)]
    known = [tweet for part in hours[:REFERENCE_HOURS] for tweet in part]
    pool = tuple(tweet.hashed_words for tweet in random.Random(1).sample(known, 4_000))
    reference = build_reference(windows[:REFERENCE_HOURS])
    budget = Budget(1.0, count_signals(labels=len(reference.labels), rules=0), HOUR)
    state, alarms = SignalStates(), []
    for hour in range(REFERENCE_HOURS, HOURS):
        words = WordSamples(tuple(tweet.hashed_words for tweet in hours[hour]), pool)
        state, told = judge(state, windows[hour], reference, budget, words=words)
        alarms += [
            {
                "signal": str(SignalKey(one.id.signal, one.id.subject)),
                "posted": hours[hour][-1].posted_at.date().isoformat(),
                "hours_after_reference": hour - REFERENCE_HOURS + 1,
                "value": round(one.value, 4),
                "reference": round(one.reference, 4),
            }
            for one in told
            if isinstance(one, Raised)
        ]
    return alarms


def main() -> int:
    """Judge both orders and print what they raise; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.drift_table.semeval")
    parser.add_argument("folder", type=Path, help="label files whose ids hold a time")
    parser.add_argument("--kept", type=Path, required=True, help="file for the model's answers")
    given = parser.parse_args()
    tweets = scored_tweets(given.folder, given.kept)
    shuffled = []
    for seed in range(SHUFFLES):
        order = tweets.copy()
        random.Random(seed).shuffle(order)
        shuffled.append(alarms_in(order))
    ordered = alarms_in(tweets)
    print(  # noqa: T201
        json.dumps({"tweets": len(tweets), "in_order": ordered, "shuffled": shuffled}, indent=2)
    )
    return 0 if ordered and all(len(alarms) <= 1 for alarms in shuffled) else 1


if __name__ == "__main__":
    sys.exit(main())
