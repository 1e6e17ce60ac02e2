"""The sample archive is what its manifest says, counted here from its bytes alone."""

import gzip
import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deploy.demo.archive import MOST_LINES, SampleArchive, sample_archive, write_archive

TWITTER_EPOCH_MS = 1_288_834_974_657


class Recount:
    """What a reader of the bytes finds, who knows only X's format."""

    def __init__(self, content: bytes) -> None:
        self.lines = content.splitlines()
        self.posts: dict[str, dict[str, Any]] = {}
        self.edits: dict[str, dict[str, Any]] = {}
        self.deleted: list[str] = []
        self.duplicates = 0
        self.broken: list[bytes] = []
        seen = set()
        for line in self.lines:
            document = _document(line)
            if document is None:
                self.broken.append(line)
            elif "delete" in document["data"]:
                self.deleted.append(document["data"]["delete"]["tweet"]["id"])
            elif line in seen:
                self.duplicates += 1
            else:
                data = document["data"]
                is_post = data["edit_history_tweet_ids"] == [data["id"]]
                (self.posts if is_post else self.edits)[data["id"]] = document
            seen.add(line)

    @property
    def retweeted(self) -> dict[str, str]:
        """Ids of retweets, each with the id of what it repeats."""
        return {
            tweet_id: document["data"]["referenced_tweets"][0]["id"]
            for tweet_id, document in self.posts.items()
            if "referenced_tweets" in document["data"]
        }

    @property
    def rows(self) -> dict[str, dict[str, Any]]:
        """The tweets that remain."""
        gone = set(self.deleted)
        retweeted = self.retweeted
        return {
            tweet_id: document
            for tweet_id, document in self.posts.items()
            if tweet_id not in gone and retweeted.get(tweet_id) not in gone
        }


def _document(line: bytes) -> dict[str, Any] | None:
    """Return a line of this archive if it says something, by its own narrow rules."""
    try:
        document = json.loads(line)
        data = document["data"]
        if "delete" in data or (data["id"].isdigit() and data["text"].strip()):
            return document if posted_at(data).year < 2030 else None
    except (ValueError, TypeError, KeyError, AttributeError):
        pass
    return None


def posted_at(data: dict[str, Any]) -> datetime:
    tweet_id = data["delete"]["tweet"]["id"] if "delete" in data else data["id"]
    milliseconds = (int(tweet_id) >> 22) + TWITTER_EPOCH_MS
    return datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=milliseconds)


def whole_text(document: dict[str, Any]) -> str:
    data = document["data"]
    if "referenced_tweets" in data:
        data = document["includes"]["tweets"][0]
    text: str = data.get("note_tweet", data)["text"]
    return text


@pytest.fixture(scope="module")
def archive() -> SampleArchive:
    return sample_archive()


@pytest.fixture(scope="module")
def recount(archive: SampleArchive) -> Recount:
    return Recount(archive.content)


def test_the_manifest_equals_a_recount(archive: SampleArchive, recount: Recount) -> None:
    manifest, rows = archive.manifest, recount.rows
    assert manifest.lines == len(recount.lines) == 20_000
    assert manifest.posts == len(recount.posts)
    assert manifest.retweets == len(recount.retweeted)
    assert manifest.edits == len(recount.edits)
    assert manifest.duplicates == recount.duplicates
    assert manifest.deletions == len(recount.deleted) == len(set(recount.deleted))
    assert manifest.dead_letters == len(recount.broken)
    assert manifest.rows == len(rows)
    assert manifest.deleted_posts == len(recount.posts) - len(rows)
    versions: Counter[str] = Counter()
    for edit in recount.edits.values():
        root_id, *later = edit["data"]["edit_history_tweet_ids"]
        versions[root_id] = max(versions[root_id], len(later))
    assert manifest.versions == sum(versions[tweet_id] for tweet_id in rows)


def test_rows_are_counted_by_rule_day_and_language(
    archive: SampleArchive, recount: Recount
) -> None:
    manifest, rows = archive.manifest, recount.rows.values()
    rules = Counter(rule["tag"] for row in rows for rule in row["matching_rules"])
    assert manifest.rows_by_rule == rules
    assert manifest.rows_by_day == Counter(posted_at(row["data"]).date() for row in rows)
    assert manifest.languages == Counter(row["data"]["lang"] for row in rows)
    assert len(manifest.rows_by_day) == 3
    assert len(manifest.languages) > 3


def test_about_eight_thousand_texts_are_distinct(archive: SampleArchive, recount: Recount) -> None:
    documents = [*recount.posts.values(), *recount.edits.values()]
    distinct = len({whole_text(document) for document in documents})
    assert distinct == archive.manifest.distinct_texts
    assert 7_500 <= distinct <= 8_500


def test_every_line_is_one_of_five_things_whatever_the_size() -> None:
    for lines in (200, 777, 3_000):
        found = sample_archive(lines=lines).manifest
        parts = found.posts + found.edits + found.duplicates + found.deletions + found.dead_letters
        assert parts == found.lines == lines
        assert found.rows == found.posts - found.deleted_posts
        assert found.dead_letters == sum(found.dead_letter_reasons.values())


@given(seed=st.integers(0, 2**32))
@settings(max_examples=5, deadline=None)
def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(seed: int) -> None:
    once, again = sample_archive(seed, 300), sample_archive(seed, 300)
    assert once == again
    assert sample_archive(seed + 1, 300).content != once.content


def test_the_largest_size_can_be_made() -> None:
    assert sample_archive(lines=MOST_LINES).manifest.lines == MOST_LINES
    with pytest.raises(ValueError, match="can be made"):
        sample_archive(lines=MOST_LINES + 1)


def test_ids_agree_with_the_times_beside_them(recount: Recount) -> None:
    for document in [*recount.posts.values(), *recount.edits.values()]:
        data = document["data"]
        difference = posted_at(data) - datetime.fromisoformat(data["created_at"])
        assert timedelta(0) <= difference < timedelta(seconds=1)


def test_deletions_come_before_and_after_posts_of_retweeted_tweets_and_of_unknown_ones(
    recount: Recount,
) -> None:
    place: dict[str, int] = {}
    for number, line in enumerate(recount.lines):
        document = _document(line)
        if document is not None:
            data = document["data"]
            name = ("-" + data["delete"]["tweet"]["id"]) if "delete" in data else data["id"]
            place.setdefault(name, number)
    known = [tweet_id for tweet_id in recount.deleted if tweet_id in recount.posts]
    early = [tweet_id for tweet_id in known if place[f"-{tweet_id}"] < place[tweet_id]]
    assert 0 < len(early) < len(known) < len(recount.deleted)
    assert set(known) & set(recount.retweeted.values())
    assert set(known) & set(recount.retweeted)
    overtaking = [
        tweet_id
        for tweet_id, edit in recount.edits.items()
        if place[tweet_id] < place[edit["data"]["edit_history_tweet_ids"][0]]
    ]
    assert overtaking


def test_a_gzipped_archive_is_the_same_every_time(tmp_path: Path) -> None:
    archive = sample_archive(lines=300)
    write_archive(archive, tmp_path / "one.jsonl.gz")
    write_archive(archive, tmp_path / "two.jsonl.gz")
    packed = (tmp_path / "one.jsonl.gz").read_bytes()
    assert packed == (tmp_path / "two.jsonl.gz").read_bytes()
    assert gzip.decompress(packed) == archive.content
