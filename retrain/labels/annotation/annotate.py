"""Labelling in the terminal: show, wait for a key, store, go on."""

from collections.abc import Callable
from datetime import datetime
from typing import Final

import psycopg2
from msgspec import Struct

from retrain.labels.annotation.keys import Keys
from retrain.labels.annotation.label_keys import QUIT, SKIP, UNDO, UNSURE
from retrain.labels.annotation.screen import Screen
from retrain.labels.annotation.session import AnswerKind
from retrain.labels.annotation.sitting import Asked, Sitting
from schemas.failures import Failure
from schemas.transport.postgres import Connection

_GONE: Final = "That tweet was deleted meanwhile."


class Annotated(Struct, frozen=True, kw_only=True):
    """What a session has done: tweets by answer, and those to which an answer was copied."""

    labelled: int
    unsure: int
    skipped: int
    copied: int


class Annotator:
    """Leads one person through a sitting by keys; `keys` are the labels by theirs."""

    def __init__(
        self,
        connection: Connection,
        screen: Screen,
        sitting: Sitting,
        keys: dict[str, str],
        *,
        now: Callable[[], datetime],
    ) -> None:
        self._connection = connection
        self._screen = screen
        self._sitting = sitting
        self._keys = keys
        self._now = now
        self._note = ""

    def run(self, keys: Keys) -> Annotated:
        """Ask until the person quits or the terminal goes; raises `Failure` without PostgreSQL."""
        try:
            while self._step(keys):
                pass
        except (psycopg2.OperationalError, psycopg2.InterfaceError) as error:
            raise Failure(
                "PostgreSQL closed the connection: every answer so far is stored, run the command"
                " again to go on"
            ) from error
        return Annotated(
            labelled=self._sitting.count(AnswerKind.LABELLED),
            unsure=self._sitting.count(AnswerKind.UNSURE),
            skipped=self._sitting.count(AnswerKind.SKIPPED),
            copied=self._sitting.count(AnswerKind.COPIED),
        )

    def _step(self, keys: Keys) -> bool:
        """Show what is next and do what a key says; tell whether to go on."""
        asked = self._sitting.next(self._connection, self._now())
        self._show(asked)
        key = keys.read()
        self._note = ""
        if key is None or key.lower() == QUIT:
            return False
        if key.lower() == UNDO:
            if not self._sitting.undo(self._connection):
                self._note = "There is nothing to take back."
        elif asked is not None:
            self._do(asked, key.lower())
        return True

    def _do(self, asked: Asked, key: str) -> None:
        if key == SKIP:
            self._sitting.skip(asked)
        elif key == UNSURE or key in self._keys:
            label = self._keys.get(key)
            if not self._sitting.label(self._connection, asked, label, self._now()):
                self._note = _GONE

    def _show(self, asked: Asked | None) -> None:
        progress = self._sitting.progress(self._connection)
        if asked is None:
            self._screen.show_end(progress, self._note)
        else:
            self._screen.show(
                asked.tweet, progress, note=self._note, answer_shown=self._sitting.correcting
            )
