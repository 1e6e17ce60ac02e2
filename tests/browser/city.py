"""Two weeks of a made-up city, in which one afternoon goes wrong."""

import math
import random
from datetime import UTC, datetime, timedelta
from typing import Final

from schemas.events import MatchedRule, TweetScored
from tests.unit.examples import scored_tweet

START: Final = datetime(2026, 4, 1, tzinfo=UTC)
RULES: Final = {"tram": 0.35, "tickets": 0.5, "metro": 0.3, "football": 0.2, "rain": 0.4}
BAD_DAYS: Final = (8.5, 9.0)
_TEXTS: Final = {
    "negative": (
        "Third day in a row that the {rule} is late. Awful.",
        "Worst ticket machine ever, it ate my money",
        "@metro never answers. So frustrating",
    ),
    "neutral": (
        "The {rule} leaves at 9:40 from platform 3",
        "Timetable for next week is out https://t.co/abc",
        "Anybody know where {rule} opens tomorrow?",
    ),
    "positive": (
        "Love the new {rule}, so quick this morning 😍",
        "What a lovely evening by the river",
        "Great service today, thank you @metro!",
    ),
}
_STRIKE: Final = (
    "Strike again! Nothing moves since noon #strike",
    "The strike ruins my day 😡 @metro",
)
_HASHTAGS: Final = ("tram", "city", "monday", "delay", "sunset", "tickets")


def city_tweets(count: int = 4_000, run: str = "city", seed: int = 5) -> list[TweetScored]:
    """Return the tweets; on the bad afternoon most are negative, and speak of a strike."""
    rng = random.Random(seed)
    return [_tweet(rng, number, run) for number in range(count)]


def _tweet(rng: random.Random, number: int, run: str) -> TweetScored:
    bad = number % 6 == 0
    days = rng.uniform(*BAD_DAYS) if bad else rng.uniform(0, 14)
    hour = days % 1 * 24
    if not bad and rng.random() > 0.3 + 0.7 * max(0.0, math.sin((hour - 6) / 12 * math.pi)):
        days = math.floor(days) + 0.6
    rule = rng.choice(list(RULES))
    negative = RULES[rule] + (0.35 if BAD_DAYS[0] < days < BAD_DAYS[1] else 0.0)
    drawn = rng.random()
    label = (
        "negative"
        if drawn < negative
        else "neutral"
        if drawn < negative + (1 - negative) * 0.45
        else "positive"
    )
    text = rng.choice(_TEXTS[label]).format(rule=rule)
    hashtags = tuple(rng.sample(_HASHTAGS, rng.choice([0, 0, 1, 2])))
    if bad and label == "negative" and rng.random() < 0.7:
        text, hashtags = rng.choice(_STRIKE), ("strike",)
    language = rng.choice(["en"] * 8 + ["de", "fr"])
    return scored_tweet(
        label,
        round(rng.uniform(0.45, 0.99), 4),
        run=run,
        tweet_id=str(10**17 + number),
        posted_at=START + timedelta(days=days),
        text=text,
        hashtags=hashtags,
        language=language,
        language_known=language == "en",
        rules=(MatchedRule(tag=rule),),
    )
