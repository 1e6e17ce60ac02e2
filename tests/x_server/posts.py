"""What the fake X has: posts with ids that hold their time, and rules that match them."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import msgspec

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TWITTER_EPOCH_MS = 1_288_834_974_657


@dataclass(frozen=True)
class Rule:
    rule_id: str
    value: str
    tag: str | None


@dataclass(frozen=True)
class Post:
    """A post: `words` decides which rules match it, a rule's value being one of the words."""

    tweet_id: str
    at: datetime
    text: str
    author_id: str

    def data(self) -> dict[str, object]:
        return {
            "id": self.tweet_id,
            "text": self.text,
            "author_id": self.author_id,
            "created_at": self.at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "lang": "en",
            "edit_history_tweet_ids": [self.tweet_id],
            "conversation_id": self.tweet_id,
            "possibly_sensitive": False,
        }

    def line(self, rules: list[Rule]) -> bytes:
        matching = [
            {"id": rule.rule_id} | ({"tag": rule.tag} if rule.tag is not None else {})
            for rule in rules
            if rule.value in self.text.split()
        ]
        users = [{"id": self.author_id, "username": f"user{self.author_id}", "name": "A"}]
        document = {"data": self.data(), "includes": {"users": users}, "matching_rules": matching}
        return msgspec.json.encode(document)


@dataclass
class Corpus:
    """All posts there ever were, and the rules; every change of the rules is remembered."""

    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    posts: list[Post] = field(default_factory=list)
    rules: dict[str, Rule] = field(default_factory=dict)
    rules_over_time: list[frozenset[str]] = field(default_factory=list)
    deleted: set[str] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)
    _numbers: int = 0

    def post(self, text: str, author_id: str = "7001", at: datetime | None = None) -> Post:
        with self.lock:
            self._numbers += 1
            at = at or self.now()
            at -= timedelta(microseconds=at.microsecond % 1000)
            ms = (at - _EPOCH) // timedelta(milliseconds=1) - _TWITTER_EPOCH_MS
            post = Post(str((ms << 22) + self._numbers % (1 << 22)), at, text, author_id)
            self.posts.append(post)
            return post

    def add_rule(self, value: str, tag: str | None) -> Rule:
        with self.lock:
            self._numbers += 1
            rule = Rule(str(1_000_000 + self._numbers), value, tag)
            self.rules[rule.rule_id] = rule
            self._remember()
            return rule

    def delete_rule(self, rule_id: str) -> bool:
        with self.lock:
            gone = self.rules.pop(rule_id, None) is not None
            self._remember()
            return gone

    def found(self, query: str, since: datetime, until: datetime) -> list[Post]:
        """Posts that a search finds, newest first."""
        with self.lock:
            return [
                post
                for post in reversed(self.posts)
                if since <= post.at < until
                and query in post.text.split()
                and post.tweet_id not in self.deleted
            ]

    def _remember(self) -> None:
        self.rules_over_time.append(frozenset(rule.value for rule in self.rules.values()))
