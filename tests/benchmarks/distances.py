"""How well `--speed` keeps the distances between tweets, printed as JSON.

`python -m tests.benchmarks.distances` replays ten minutes at 60x against servers of its own. A
tweet's error is how much later or earlier than due, counted from the first tweet, its message was
made; between neighbours it is how far one's distance from the one before is off.
"""

import argparse
import random
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec

from schemas.codec import decode_raw
from schemas.events import TweetPosted
from schemas.settings import Settings
from schemas.topics import RAW
from tests.benchmarks.machine import machine
from tests.integration.replay_runs import FIRST_ID, messages
from tests.stack import MURMUR, isolated, migrated_template, process_environment, running_servers

_TWEETS_A_SECOND = 10


def errors(settings: Settings, folder: Path, minutes: float, speed: int) -> dict[str, Any]:
    """Replay so many minutes' worth of tweets and compare when they went with when they were due.

    The distances are random, some of them none.
    """
    path = folder / "timed.jsonl"
    tweets = _write(path, round(minutes * 60 * _TWEETS_A_SECOND), speed)
    subprocess.run(
        [MURMUR, "replay", path, "--speed", f"{speed}x", "--max-lag", "0", "--json"],
        env=process_environment(settings),
        stdout=subprocess.DEVNULL,
        check=True,
    )
    sent = sorted(
        (_posted_ms(message.value()) / speed, float(message.timestamp()[1]))
        for message in messages(settings, RAW)
    )
    assert len(sent) == tweets
    late_ms = [(at - sent[0][1]) - (due - sent[0][0]) for due, at in sent]
    return {
        "speed": speed,
        "tweets": tweets,
        "seconds": round((sent[-1][1] - sent[0][1]) / 1_000, 1),
        "largest_error_ms": round(_largest(late_ms), 1),
        "largest_error_between_neighbours_ms": round(
            _largest([after - before for before, after in pairwise(late_ms)]), 1
        ),
        "tweets_off_by_more_than_50_ms": sum(abs(each) > 50 for each in late_ms),
    }


def _write(path: Path, tweets: int, speed: int) -> int:
    chance = random.Random(speed)
    at_ms = 0.0
    with path.open("wb") as file:
        for number in range(tweets):
            # Tweets of the same millisecond differ in the lower bits of their ids.
            tweet_id = FIRST_ID + (round(at_ms) << 22) + number % 4_096
            file.write(b'{"data":{"id":"%d","text":"words"}}\n' % tweet_id)
            if chance.random() > 0.2:
                at_ms += chance.expovariate(0.8 * _TWEETS_A_SECOND) * 1_000 * speed
    return tweets


def _posted_ms(value: bytes | None) -> float:
    event = decode_raw(value)
    assert isinstance(event, TweetPosted)
    return event.posted_at.timestamp() * 1_000


def _largest(differences: Sequence[float]) -> float:
    return max(map(abs, differences))


def main() -> int:
    """Measure and print one JSON document."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10, help="how long the replay shall take")
    parser.add_argument("--speed", type=int, default=60)
    arguments = parser.parse_args()
    before = machine()
    with (
        tempfile.TemporaryDirectory() as folder,
        running_servers() as servers,
        migrated_template(servers) as template,
        isolated(servers, template) as settings,
    ):
        found = errors(settings, Path(folder), arguments.minutes, arguments.speed)
    document = {"machine": before, **found}
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(document)).decode() + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
