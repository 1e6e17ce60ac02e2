"""Labelling in the terminal: show, wait for a key, store, go on."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

import psycopg2
from msgspec import Struct

from retrain.labels.annotation.keys import Keys
from retrain.labels.annotation.screen import QUIT, SKIP, UNDO, UNSURE, Progress, Screen
from retrain.labels.annotation.session import Answer, AnswerKind, Session, Shown
from retrain.labels.queue.draw import Drawn
from retrain.labels.run_labels import audits_by_label
from retrain.labels.stored_tweets import ShownTweet, shown_tweet
from retrain.labels.write_labels import LabelKey, PersonsLabel, delete_labels, write_labels
from schemas.failures import Failure
from schemas.people_labels import LabelOrigin
from schemas.transport.postgres import Connection

_GONE: Final = "That tweet was deleted meanwhile."


class Annotated(Struct, frozen=True, kw_only=True):
    """What a session has done: tweets by answer, and those to which an answer was copied."""

    labelled: int
    unsure: int
    skipped: int
    copied: int


class Annotator:
    """Leads one person through a queue. Every answer is stored before the next tweet is shown.

    With `correcting` the model's answer is shown, and labels are corrections: those never audit.
    """

    def __init__(
        self,
        connection: Connection,
        screen: Screen,
        *,
        run: str,
        labeller: str,
        keys: dict[str, str],
        now: Callable[[], datetime],
        correcting: bool = False,
    ) -> None:
        self._connection = connection
        self._screen = screen
        self._run = run
        self._labeller = labeller
        self._keys = keys
        self._now = now
        self._correcting = correcting
        self._note = ""

    def run(self, queue: Sequence[Drawn], keys: Keys) -> Annotated:
        """Ask until the person quits or the terminal goes; raises `Failure` without PostgreSQL."""
        session = Session(queue, repeats=not self._correcting)
        try:
            while self._step(session, keys):
                pass
        except (psycopg2.OperationalError, psycopg2.InterfaceError) as error:
            raise Failure(
                "PostgreSQL closed the connection: every answer so far is stored, run the command"
                " again to go on"
            ) from error
        return Annotated(
            labelled=session.count(AnswerKind.LABELLED),
            unsure=session.count(AnswerKind.UNSURE),
            skipped=session.count(AnswerKind.SKIPPED),
            copied=session.count(AnswerKind.COPIED),
        )

    def _step(self, session: Session, keys: Keys) -> bool:
        """Show what is next and do what a key says; tell whether to go on."""
        shown = session.next
        tweet = None
        if shown is not None:
            with self._connection, self._connection.cursor() as cur:
                tweet = shown_tweet(cur, self._run, shown.drawn.root_id)
            if tweet is None:
                session.answer(Answer(shown, AnswerKind.GONE))
                return True
            if self._copies(session, shown, tweet):
                return True
        self._show(session, tweet)
        key = keys.read()
        self._note = ""
        if key is None or key.lower() == QUIT:
            return False
        if key.lower() == UNDO:
            self._undo(session)
        elif shown is not None and tweet is not None:
            self._do(session, shown, tweet, key.lower())
        return True

    def _do(self, session: Session, shown: Shown, tweet: ShownTweet, key: str) -> None:
        if key == SKIP:
            session.answer(Answer(shown, AnswerKind.SKIPPED, None, tweet.version, tweet.text))
        elif key == UNSURE:
            self._store(session, Answer(shown, AnswerKind.UNSURE, None, tweet.version, tweet.text))
        elif key in self._keys:
            label = self._keys[key]
            self._store(
                session, Answer(shown, AnswerKind.LABELLED, label, tweet.version, tweet.text)
            )

    def _copies(self, session: Session, shown: Shown, tweet: ShownTweet) -> bool:
        """Give a copy the answer of its text; False where there is none, or the text is another."""
        if shown.drawn.copy_of is None:
            return False
        first = session.answer_to(shown.drawn.copy_of)
        if first is None or first.text != tweet.text:
            return False
        if first.kind.is_stored:
            self._store(
                session, Answer(shown, AnswerKind.COPIED, first.label, tweet.version, tweet.text)
            )
        else:
            session.answer(Answer(shown, AnswerKind.GONE))
        return True

    def _store(self, session: Session, answer: Answer) -> None:
        label = PersonsLabel(
            self._key(answer), answer.label, answer_seen=self._correcting, labelled_at=self._now()
        )
        with self._connection, self._connection.cursor() as cur:
            written = write_labels(cur, [label])
        if written:
            session.answer(answer)
        else:
            self._note = _GONE
            session.answer(Answer(answer.shown, AnswerKind.GONE))

    def _undo(self, session: Session) -> None:
        undone = session.undo()
        if not undone:
            self._note = "There is nothing to take back."
            return
        with self._connection, self._connection.cursor() as cur:
            delete_labels(cur, [self._key(each) for each in undone if each.kind.is_stored])

    def _key(self, answer: Answer) -> LabelKey:
        drawn, repeat = answer.shown
        origin = LabelOrigin.CORRECTION if self._correcting else drawn.origin
        return LabelKey(self._run, drawn.root_id, answer.version, self._labeller, origin, repeat)

    def _show(self, session: Session, tweet: ShownTweet | None) -> None:
        with self._connection, self._connection.cursor() as cur:
            audits = audits_by_label(cur, self._run)
        progress = Progress(
            labelled=session.count(AnswerKind.LABELLED),
            unsure=session.count(AnswerKind.UNSURE),
            left=session.left,
            audits=audits,
        )
        if tweet is None:
            self._screen.show_end(progress, self._note)
        else:
            self._screen.show(tweet, progress, note=self._note, answer_shown=self._correcting)
