"""One person and a queue: every answer is stored before the next tweet is looked for.

The terminal and the page show what it finds, and tell it what the person says.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from msgspec import Struct

from retrain.labels.annotation.session import Answer, AnswerKind, Session, Shown
from retrain.labels.queue.draw import Drawn
from retrain.labels.run_labels import audits_by_label
from retrain.labels.stored_tweets import ShownTweet, shown_tweet
from retrain.labels.write_labels import LabelKey, PersonsLabel, delete_labels, write_labels
from schemas.people_labels import LabelOrigin
from schemas.transport.postgres import Connection


class Progress(Struct, frozen=True, kw_only=True):
    """How far a sitting is; `audits` are those of the whole run by label."""

    labelled: int
    unsure: int
    left: int
    audits: Mapping[str, int]


class Asked(NamedTuple):
    """A tweet that the person is asked about."""

    shown: Shown
    tweet: ShownTweet


class Sitting:
    """Leads one person through a queue. Each call is a transaction of its own.

    With `correcting` the person sees the model's answer, and labels are corrections: those never
    audit.
    """

    def __init__(
        self, queue: Sequence[Drawn], *, run: str, labeller: str, correcting: bool = False
    ) -> None:
        self.run = run
        self.labeller = labeller
        self.correcting = correcting
        self._session = Session(queue, repeats=not correcting)

    def next(self, connection: Connection, now: datetime) -> Asked | None:
        """Return the tweet to ask about; None at the end of the queue.

        Tweets that have gone are passed over, and copies get the answer of their text.
        """
        while (shown := self._session.next) is not None:
            with connection, connection.cursor() as cur:
                tweet = shown_tweet(cur, self.run, shown.drawn.root_id)
            if tweet is None:
                self._session.answer(Answer(shown, AnswerKind.GONE))
            elif not self._copies(connection, shown, tweet, now):
                return Asked(shown, tweet)
        return None

    def label(self, connection: Connection, asked: Asked, label: str | None, now: datetime) -> bool:
        """Store a label, None where the person is unsure; False where the tweet has gone."""
        kind = AnswerKind.UNSURE if label is None else AnswerKind.LABELLED
        return self._store(connection, _answer(asked, kind, label), now)

    def skip(self, asked: Asked) -> None:
        """Leave a tweet for another time."""
        self._session.answer(_answer(asked, AnswerKind.SKIPPED))

    def undo(self, connection: Connection) -> bool:
        """Take the last answer back, with all that came of it; False where there is none."""
        undone = self._session.undo()
        if not undone:
            return False
        with connection, connection.cursor() as cur:
            delete_labels(cur, [self._key(each) for each in undone if each.kind.is_stored])
        return True

    @property
    def last(self) -> Answer | None:
        """What the person said last, which `undo` would take back."""
        return self._session.last

    def count(self, kind: AnswerKind) -> int:
        """Return how many tweets have such an answer; repeats count for nothing."""
        return self._session.count(kind)

    def progress(self, connection: Connection) -> Progress:
        """Return how far it is."""
        with connection, connection.cursor() as cur:
            audits = audits_by_label(cur, self.run)
        return Progress(
            labelled=self.count(AnswerKind.LABELLED),
            unsure=self.count(AnswerKind.UNSURE),
            left=self._session.left,
            audits=audits,
        )

    def _copies(
        self, connection: Connection, shown: Shown, tweet: ShownTweet, now: datetime
    ) -> bool:
        """Give a copy the answer of its text; False where there is none, or the text is another."""
        if shown.drawn.copy_of is None:
            return False
        first = self._session.answer_to(shown.drawn.copy_of)
        if first is None or first.text != tweet.text:
            return False
        asked = Asked(shown, tweet)
        if first.kind.is_stored:
            self._store(connection, _answer(asked, AnswerKind.COPIED, first.label), now)
        else:
            self._session.answer(Answer(shown, AnswerKind.GONE))
        return True

    def _store(self, connection: Connection, answer: Answer, now: datetime) -> bool:
        label = PersonsLabel(
            self._key(answer), answer.label, answer_seen=self.correcting, labelled_at=now
        )
        with connection, connection.cursor() as cur:
            written = write_labels(cur, [label])
        self._session.answer(answer if written else Answer(answer.shown, AnswerKind.GONE))
        return bool(written)

    def _key(self, answer: Answer) -> LabelKey:
        drawn, repeat = answer.shown
        origin = LabelOrigin.CORRECTION if self.correcting else drawn.origin
        return LabelKey(self.run, drawn.root_id, answer.version, self.labeller, origin, repeat)


def _answer(asked: Asked, kind: AnswerKind, label: str | None = None) -> Answer:
    return Answer(asked.shown, kind, label, asked.tweet.version, asked.tweet.text)
