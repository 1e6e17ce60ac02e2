"""What happens in the sample archive: who posts, repeats, edits and deletes what, and when."""

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from deploy.demo.texts import SHIFTED_TOPICS, Said, TextMaker
from deploy.demo.vocabulary import NAMES, TOPICS
from deploy.demo.x_v2_lines import Author, Post, snowflake

FIRST_DAY: Final = datetime(2024, 5, 13, tzinfo=UTC)
DAYS: Final = 3
LAST_DAY: Final = FIRST_DAY + timedelta(days=DAYS - 1)
"""People speak otherwise from then on."""

# How busy each hour is: quiet nights, a commute in the morning and in the afternoon, evenings.
_HOURS: Final = (3, 2, 1, 1, 1, 2, 5, 9, 10, 7, 6, 6, 8, 7, 6, 6, 8, 10, 11, 12, 12, 10, 7, 5)


@dataclass(frozen=True)
class Shares:
    """How many lines of each kind, of a size."""

    dead_letters: int
    duplicates: int
    deletions: int
    edits: int
    posts: int
    retweets: int
    texts: int

    @classmethod
    def of(cls, lines: int) -> "Shares":
        dead_letters, duplicates = lines // 100, lines * 3 // 100
        deletions, edits = lines // 40, lines // 50
        posts = lines - dead_letters - duplicates - deletions - edits
        texts = lines * 2 // 5 - edits
        return cls(dead_letters, duplicates, deletions, edits, posts, posts // 3, texts)


class Deletion(NamedTuple):
    """A tweet that its author deleted, whether or not it is in the archive."""

    tweet_id: str
    author_id: str
    posted_at: datetime


def authors_of(rng: random.Random, count: int) -> list[Author]:
    """Return accounts; the first ones post the most."""
    first, second = NAMES
    return [
        Author(str(rng.randrange(10**8, 10**18)), f"{rng.choice(first)}_{rng.choice(second)}{n}")
        for n in range(count)
    ]


def posts_of(
    rng: random.Random, shares: Shares, authors: list[Author], texts: TextMaker
) -> list[Post]:
    """Return the posts by time: originals, some with a text heard before, and retweets."""
    moments = sorted(_moments(rng, shares.posts))
    is_retweet = [True] * shares.retweets + [False] * (shares.posts - shares.retweets - 1)
    rng.shuffle(is_retweet)
    is_retweet.insert(0, False)
    originals_left = is_retweet.count(False)
    texts_left = shares.texts
    posts: list[Post] = []
    originals: list[Post] = []
    heard: list[Said] = []
    for number, moment in enumerate(moments):
        tweet_id = snowflake(moment, number)
        author = authors[int(len(authors) * rng.random() ** 2)]
        if is_retweet[number]:
            of = originals[-1 - min(int(rng.expovariate(1 / 150)), len(originals) - 1)]
            post = Post(tweet_id, author, of.text, of.language, of.rules, (tweet_id,), of)
        else:
            # Exactly as many new texts as are wanted, spread evenly over the originals.
            if not heard or rng.random() * originals_left < texts_left:
                said = texts.make(SHIFTED_TOPICS if moment >= LAST_DAY else TOPICS)
                heard.append(said)
                texts_left -= 1
            else:
                said = heard[-1 - min(int(rng.expovariate(1 / 400)), len(heard) - 1)]
            originals_left -= 1
            post = Post(tweet_id, author, said.text, said.language, said.rules, (tweet_id,))
            originals.append(post)
        posts.append(post)
    return posts


def _moments(rng: random.Random, count: int) -> list[datetime]:
    hours = rng.choices(range(len(_HOURS)), weights=_HOURS, k=count)
    return [
        FIRST_DAY
        + timedelta(days=rng.randrange(DAYS), hours=hour, milliseconds=rng.randrange(3_600_000))
        for hour in hours
    ]


def edits_of(rng: random.Random, shares: Shares, posts: list[Post], texts: TextMaker) -> list[Post]:
    """Return later versions of originals; a fifth of the edited tweets is edited twice."""
    originals = [post for post in posts if post.retweet_of is None]
    twice = shares.edits // 6
    edits: list[Post] = []
    for number, post in enumerate(rng.sample(originals, shares.edits - twice)):
        version = post
        for _ in range(2 if number < twice else 1):
            at = version.posted_at + timedelta(seconds=rng.randint(20, 1_500))
            tweet_id = snowflake(at, 4_000_000 + len(edits))
            version = Post(
                tweet_id,
                post.author,
                texts.make().text,
                post.language,
                post.rules,
                (*version.history, tweet_id),
            )
            edits.append(version)
    return edits


def deletions_of(rng: random.Random, shares: Shares, posts: list[Post]) -> list[Deletion]:
    """Return which tweets are deleted, none twice.

    Three in ten were retweeted, one in ten is a retweet, one in seven never comes.
    """
    repeated = list(
        {post.retweet_of.id: post.retweet_of for post in posts if post.retweet_of}.values()
    )
    retweets = [post for post in posts if post.retweet_of]
    others = [post for post in posts if not post.retweet_of]
    chosen = rng.sample(repeated, shares.deletions * 3 // 10)
    chosen += rng.sample(retweets, shares.deletions // 10)
    unseen = shares.deletions // 7
    taken = {post.id for post in chosen}
    rest = [post for post in others if post.id not in taken]
    chosen += rng.sample(rest, shares.deletions - unseen - len(chosen))
    deletions = [Deletion(post.id, post.author.id, post.posted_at) for post in chosen]
    for number, moment in enumerate(_moments(rng, unseen)):
        deletions.append(Deletion(snowflake(moment, 4_100_000 + number), "1", moment))
    return deletions
