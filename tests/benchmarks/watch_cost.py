"""`python -m tests.benchmarks.watch_cost`: CPU a tweet and memory of the watch, beside scoring's.

Prints one JSON document. The watch is a process of its own on servers of its own; the tweets are
made up, are in order of time, each matches one rule of many, and two of five have a hashtag.
"""

import argparse
import json
import random
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import islice
from typing import Any

from model_server.scorer import load_scorer
from schemas.codec import encode, headers_of, key_of
from schemas.events import Extracted, MatchedRule, Score, TweetScored
from schemas.settings import Settings
from schemas.topics import SCORED
from schemas.transport.postgres import connect_postgres
from schemas.transport.publisher import ConfirmingPublisher
from tests.benchmarks.bench_stack import bench_stack
from tests.benchmarks.processes import usage
from tests.benchmarks.texts import distinct_texts
from tests.conditions import wait_until
from tests.stack import MURMUR

BEGIN = datetime(2016, 11, 14, tzinfo=UTC)
SCORED_TEXTS = 400
HASHTAG_SHARE = 0.4
CHUNK = 20_000
WATCH = (str(MURMUR), "watch", "--probe-port", "0")


def scored_tweets(
    count: int, *, rules: int, an_hour: int, run: str = "cost"
) -> Iterator[TweetScored]:
    """Yield tweets in order of time, so many an hour."""
    chance = random.Random(count)
    identity = load_scorer(None, cache_size=0).identity
    texts = list(islice(distinct_texts(1, 20_000), 20_000))
    for number in range(count):
        at = BEGIN + timedelta(hours=1) * (number / an_hour)
        sure = round(chance.uniform(0.4, 1), 6)
        probabilities = {"negative": sure, "neutral": round(1 - sure, 6), "positive": 0.0}
        yield TweetScored(
            run=run,
            tweet_id=str(800_000_000_000_000_000 + number),
            root_id=str(800_000_000_000_000_000 + number),
            posted_at=at,
            received_at=datetime(2026, 11, 21, tzinfo=UTC),
            text=texts[number % len(texts)],
            language="en",
            author_id=str(number % 99_991),
            rules=(MatchedRule(tag=f"rule {chance.randrange(rules)}"),) if rules else (),
            source="test",
            extracted=Extracted(hashtags=_hashtags(chance)),
            score=Score(
                label="negative",
                confidence=sure,
                probabilities=probabilities,
                model=identity,
                scored_at=at,
            ),
        )


def _hashtags(chance: random.Random) -> tuple[str, ...]:
    """Return none, or one of which a few are frequent and most are rare."""
    if chance.random() > HASHTAG_SHARE:
        return ()
    return (f"tag{int(chance.paretovariate(1.0))}",)


def publish(settings: Settings, tweets: Iterator[TweetScored], count: int) -> None:
    """Publish the next tweets."""
    publisher = ConfirmingPublisher(settings.kafka_connection, "bench")
    for tweet in islice(tweets, count):
        publisher.publish(
            settings.names.topic(SCORED),
            key=key_of(tweet),
            value=encode(tweet),
            headers=headers_of(tweet),
        )
    publisher.confirm()


def has_counted(settings: Settings, messages: int) -> bool:
    """Tell whether the watch has stored the positions behind so many messages."""
    with (
        closing(connect_postgres(settings.postgres_connection, "bench")) as connection,
        connection,
        connection.cursor() as cur,
    ):
        cur.execute("SELECT coalesce(sum(next_offset), 0) FROM positions WHERE consumer = 'watch'")
        ((offsets,),) = cur.fetchall()
    return int(offsets) >= messages


def scoring_cpu_us() -> float:
    """Return what the engine takes of the CPU for one tweet, in microseconds."""
    scorer = load_scorer(None, cache_size=0)
    texts = list(distinct_texts(2, SCORED_TEXTS))
    scorer.predict(texts[:32])
    before_s = time.process_time()
    scorer.predict(texts)
    return (time.process_time() - before_s) / len(texts) * 1e6


def measure(count: int, *, rules: int, an_hour: int) -> dict[str, Any]:
    """Publish in chunks, so that the topic stays small, and follow the watch's CPU and memory."""
    engine_us = scoring_cpu_us()
    with bench_stack() as bench:
        tweets = scored_tweets(count, rules=rules, an_hour=an_hour)
        watch = bench.start("watch", WATCH).process.pid
        began = usage(watch)
        memory_mib = []
        for end in [*range(CHUNK, count, CHUNK), count]:
            publish(bench.settings, tweets, CHUNK)
            wait_until(partial(has_counted, bench.settings, end), 600, "the watch to follow")
            memory_mib.append(round(usage(watch).resident_bytes / 2**20))
            sys.stderr.write(f"{end} tweets, {memory_mib[-1]} MiB\n")
        cpu_s = usage(watch).cpu_s - began.cpu_s
        bench.stop("watch")
    watch_us = cpu_s / count * 1e6
    tenths = memory_mib[:: max(1, len(memory_mib) // 10)]
    return {
        "tweets": count,
        "rules": rules,
        "tweets_an_hour": an_hour,
        "hours": round(count / an_hour),
        "watch_cpu_us_a_tweet": round(watch_us, 1),
        "scoring_engine_cpu_us_a_tweet": round(engine_us, 1),
        "share_of_scoring": round(watch_us / engine_us, 4),
        "memory_mib": [*tenths, memory_mib[-1]],
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tweets", type=int, default=200_000)
    parser.add_argument("--rules", type=int, default=1_000)
    parser.add_argument("--an-hour", type=int, default=20_000)
    arguments = parser.parse_args()
    result = measure(arguments.tweets, rules=arguments.rules, an_hour=arguments.an_hour)
    sys.stdout.write(f"{json.dumps(result, indent=2)}\n")


if __name__ == "__main__":
    main()
