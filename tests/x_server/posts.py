"""What the fake X has: posts with ids that hold their time, and rules that match them."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from tests.x_server.vocabularies import OLD, Asked, Dialect

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TWITTER_EPOCH_MS = 1_288_834_974_657


@dataclass(frozen=True)
class Rule:
    rule_id: str
    value: str
    tag: str | None


_SHORT_CHARS = 280
_REPOST_CHARS = 140


@dataclass(frozen=True)
class Post:
    """A post, or a version of one: a rule whose value is a word of its whole text matches it.

    `history` has the ids of its versions up to this one; `repeats` is what a repost repeats.
    """

    tweet_id: str
    at: datetime
    text: str
    author_id: str
    history: tuple[str, ...] = ()
    repeats: "Post | None" = None

    @property
    def root_id(self) -> str:
        return self.history[0] if self.history else self.tweet_id

    def data(self, dialect: Dialect = OLD, asked: Asked | None = None) -> dict[str, object]:
        """Return the object as an endpoint writes it: what was not asked for is not there.

        `asked` None stands for everything.
        """
        words = dialect.words
        data: dict[str, object] = {
            "id": self.tweet_id,
            "text": self._wire_text,
            words.versions: list(self.history or (self.tweet_id,)),
        }
        fields = None if asked is None else asked[dialect.parameter]
        expansions = None if asked is None else asked["expansions"]

        def has(name: str) -> bool:
            # The vocabulary of posts has authors and references by expansions alone.
            expanded = expansions is None or name in expansions
            return fields is None or name in fields or expanded

        if fields is None or "created_at" in fields:
            data["created_at"] = _written(self.at)
            data["lang"] = "en"
            data["conversation_id"] = self.tweet_id
            data["possibly_sensitive"] = False
        if has("author_id"):
            data["author_id"] = self.author_id
        if self.repeats is not None and (has("referenced_tweets") or has("referenced_posts")):
            data[words.references] = [{"type": "retweeted", "id": self.repeats.tweet_id}]
        if self._is_long and (fields is None or {"note_tweet", "note_post"} & fields):
            data[words.note] = {"text": self.text}
        return data

    def included(self, dialect: Dialect = OLD, asked: Asked | None = None) -> list[dict[str, Any]]:
        """Return the post that a repost repeats, where that was asked for."""
        known = asked is None or dialect.expansion in asked["expansions"]
        return [self.repeats.data(dialect, asked)] if self.repeats is not None and known else []

    def line(self, rules: list[Rule], dialect: Dialect = OLD, asked: Asked | None = None) -> bytes:
        matching = [
            {"id": rule.rule_id} | ({"tag": rule.tag} if rule.tag is not None else {})
            for rule in rules
            if rule.value in self.text.split()
        ]
        users = [{"id": self.author_id, "username": f"user{self.author_id}", "name": "A"}]
        includes: dict[str, object] = {"users": users}
        if included := self.included(dialect, asked):
            includes[dialect.words.included] = included
        document = {
            "data": self.data(dialect, asked),
            "includes": includes,
            "matching_rules": matching,
        }
        return msgspec.json.encode(document)

    @property
    def _is_long(self) -> bool:
        return self.repeats is None and len(self.text) > _SHORT_CHARS

    @property
    def _wire_text(self) -> str:
        if self._is_long:
            return self.text[: _SHORT_CHARS - 1] + "…"
        if self.repeats is None:
            return self.text
        text = f"RT @user{self.repeats.author_id}: {self.text}"
        return text if len(text) <= _REPOST_CHARS else text[: _REPOST_CHARS - 1] + "…"


def _written(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


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

    def post(
        self,
        text: str,
        author_id: str = "7001",
        at: datetime | None = None,
        *,
        edits: Post | None = None,
        repeats: Post | None = None,
    ) -> Post:
        """Post a text, a new version of a post (`edits`), or a post again (`repeats`)."""
        with self.lock:
            self._numbers += 1
            at = at or self.now()
            at -= timedelta(microseconds=at.microsecond % 1000)
            ms = (at - _EPOCH) // timedelta(milliseconds=1) - _TWITTER_EPOCH_MS
            tweet_id = str((ms << 22) + self._numbers % (1 << 22))
            history = () if edits is None else (*(edits.history or (edits.tweet_id,)), tweet_id)
            post = Post(tweet_id, at, text, author_id, history, repeats)
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
