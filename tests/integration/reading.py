"""Tweets, commands and the cache, for tests of what is read."""

import random
from datetime import UTC, datetime, timedelta

from click.testing import CliRunner, Result

from schemas.events import MatchedRule, TweetScored
from schemas.settings import Settings
from schemas.transport.cache import connect_redis
from stream_processors.aggregates.cache import AggregatesCache
from stream_processors.queries import cli
from tests.unit.examples import scored_tweet

NOW = datetime(2026, 11, 21, 12, 0, 30, tzinfo=UTC)
START = datetime(2016, 11, 17, tzinfo=UTC)
RULES = ("weather", "football")
HASHTAGS = tuple(f"tag{number:02}" for number in range(30))


def some_tweets(count: int, run: str = "archive", seed: int = 1) -> list[TweetScored]:
    """Return tweets over three days, of two models, with rules and hashtags."""
    rng = random.Random(seed)
    texts = ["plain", "=1+1", "two\nlines", 'a "quote", a comma', "ünï 😀"]
    return [
        scored_tweet(
            rng.choice(["positive", "negative", "neutral"]),
            round(rng.uniform(0.4, 1), 4),
            by=rng.choice("ab"),
            hashtags=tuple(rng.sample(HASHTAGS, rng.randint(0, 2))),
            run=run,
            tweet_id=str(10_000 + number),
            posted_at=START + timedelta(seconds=rng.randrange(3 * 86_400)),
            text=rng.choice(texts),
            rules=tuple(MatchedRule(tag=rule) for rule in rng.sample(RULES, rng.randint(0, 2))),
        )
        for number in range(count)
    ]


def run_command(settings: Settings, *arguments: str, **changes: str) -> Result:
    """Call a reading command as a person does, in this process."""
    commands = {"totals": cli.totals, "runs": cli.runs, "export": cli.export}
    name, *rest = arguments
    environment = {
        "MURMUR_POSTGRES": settings.postgres_uri,
        "MURMUR_REDIS": settings.redis_uri,
        "MURMUR_TOPIC_PREFIX": settings.topic_prefix,
    }
    return CliRunner(env={**environment, **changes}).invoke(commands[name], rest)


def cached(settings: Settings) -> AggregatesCache:
    return AggregatesCache(
        connect_redis(settings.redis_connection), settings.topic_prefix, settings.cache_ttl_s
    )
