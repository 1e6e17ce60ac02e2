"""The sample archive: three days of made-up tweets in the JSON lines of X's API v2.

On the last day people speak otherwise.

The same seed and size give the same bytes. What is in it, and in which proportions, is meant to
meet everything that a real archive does to a pipeline.
"""

import gzip
import hashlib
import random
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from deploy.demo.broken_lines import broken_lines
from deploy.demo.manifest import Manifest
from deploy.demo.sample_events import (
    DAYS,
    FIRST_DAY,
    Shares,
    authors_of,
    deletions_of,
    edits_of,
    posts_of,
)
from deploy.demo.texts import TextMaker
from deploy.demo.vocabulary import TOPICS
from deploy.demo.x_v2_lines import Post, deletion_line, post_line

SEED: Final = 2024
LINES: Final = 20_000
FEWEST_LINES: Final = 200
MOST_LINES: Final = 60_000
"""Beyond this the templates run out of texts that are all different."""

_RULES: Final = tuple(topic.rule for topic in TOPICS)


@dataclass(frozen=True)
class SampleArchive:
    """An archive in memory: its lines, joined, and what is in them."""

    content: bytes
    manifest: Manifest


def sample_archive(seed: int = SEED, lines: int = LINES, file: str = "") -> SampleArchive:
    """Return the archive of a seed and a size; raise `ValueError` for a size out of range."""
    if not FEWEST_LINES <= lines <= MOST_LINES:
        raise ValueError(f"{lines} lines: from {FEWEST_LINES} to {MOST_LINES} can be made")
    rng = random.Random(seed)  # noqa: S311  samples, no secrets
    shares = Shares.of(lines)
    authors = authors_of(rng, max(20, lines // 8))
    texts = TextMaker(rng, [author.username for author in authors[:200]])
    posts = posts_of(rng, shares, authors, texts)
    edits = edits_of(rng, shares, posts, texts)
    deletions = deletions_of(rng, shares, posts)
    broken = broken_lines(rng, shares.dead_letters)

    # Each line with the time at which it stands in the file.
    timed = [(post.posted_at, post_line(post, _RULES)) for post in posts]
    copied = rng.sample(timed, shares.duplicates)
    timed += [(at + timedelta(seconds=rng.randint(1, 7_200)), line) for at, line in copied]
    for edit in edits:
        # One in twenty overtakes its tweet: the order of arrival must not matter.
        early = rng.random() < 0.05
        at = edit.posted_at - timedelta(hours=1) if early else edit.posted_at
        timed.append((at, post_line(edit, _RULES)))
    for tweet_id, author_id, posted_at in deletions:
        deleted_at = posted_at + timedelta(seconds=rng.randint(30, 36_000))
        early = rng.random() < 0.2
        at = posted_at - timedelta(minutes=10) if early else deleted_at
        timed.append((at, deletion_line(tweet_id, author_id, deleted_at)))
    span_s = DAYS * 86_400
    for _, line in broken:
        timed.append((FIRST_DAY + timedelta(seconds=rng.randrange(span_s)), line))
    timed.sort(key=lambda placed: placed[0])
    content = b"".join(line + b"\n" for _, line in timed)

    deleted = {tweet_id for tweet_id, _, _ in deletions}
    reasons = Counter(str(reason) for reason, _ in broken)
    manifest = _manifest(seed, file, content, shares, posts, edits, deleted, reasons)
    return SampleArchive(content, manifest)


def write_archive(archive: SampleArchive, path: Path) -> None:
    """Write the lines to a file, gzipped if its name ends in `.gz`; equal bytes for equal lines."""
    content = archive.content
    if path.suffix == ".gz":
        content = gzip.compress(content, compresslevel=5, mtime=0)
    path.write_bytes(content)


def _manifest(
    seed: int,
    file: str,
    content: bytes,
    shares: Shares,
    posts: list[Post],
    edits: list[Post],
    deleted: set[str],
    reasons: Counter[str],
) -> Manifest:
    gone = {
        post.id
        for post in posts
        if post.id in deleted or (post.retweet_of and post.retweet_of.id in deleted)
    }
    rows = [post for post in posts if post.id not in gone]
    versions: Counter[str] = Counter()
    for edit in edits:
        versions[edit.root_id] = max(versions[edit.root_id], len(edit.history) - 1)
    return Manifest(
        seed=seed,
        file=file,
        sha256=hashlib.sha256(content).hexdigest(),
        lines=content.count(b"\n"),
        posts=len(posts),
        retweets=shares.retweets,
        edits=len(edits),
        duplicates=shares.duplicates,
        deletions=len(deleted),
        dead_letters=reasons.total(),
        dead_letter_reasons=dict(sorted(reasons.items())),
        deleted_posts=len(gone),
        rows=len(rows),
        versions=sum(version for root, version in versions.items() if root not in gone),
        rows_by_rule=dict(sorted(Counter(rule for post in rows for rule in post.rules).items())),
        rows_by_day=dict(sorted(Counter(post.posted_at.date() for post in rows).items())),
        distinct_texts=len({post.text for post in [*posts, *edits]}),
        languages=dict(sorted(Counter(post.language for post in rows).items())),
    )
