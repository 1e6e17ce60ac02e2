"""The sittings of everybody who labels at one service.

They are kept in memory alone: every answer is stored before the next tweet is shown, so that a
restart loses nothing but the way back by `undo`, and what was skipped comes again.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from msgspec import Struct

from retrain.labels.annotation.session import Answer
from retrain.labels.annotation.sitting import Asked, Progress, Sitting
from retrain.labels.queue.candidates import Choice
from retrain.labels.queue.draw_queue import draw_queue
from schemas.transport.postgres import Connection

DRAWN_AT_ONCE: Final = 50
_KEPT_FOR: Final = timedelta(hours=12)
_MOST_KEPT: Final = 200


class Seat(Struct, frozen=True, kw_only=True):
    """Who labels what: one sitting."""

    labeller: str
    run: str
    rule: str | None = None
    audits_only: bool = False
    second_opinion: bool = False


class Place(NamedTuple):
    """Which of the tweets that were shown an answer is for, in which version."""

    root_id: str
    repeat: int
    version: int


class AtDesk(NamedTuple):
    """What a person sees: the tweet to label (None: the queue is done), and how far they are.

    `last` is what they said last and may take back. `drawn` is how many tweets the queue had.
    """

    asked: Asked | None
    progress: Progress
    last: Answer | None
    drawn: int


class _Sat(NamedTuple):
    sitting: Sitting
    drawn: int
    at: datetime


class Desk:
    """Leads many people through their queues at once, each one step at a time."""

    def __init__(
        self,
        lend: Callable[[], AbstractContextManager[Connection]],
        now: Callable[[], datetime],
    ) -> None:
        self._lend = lend
        self._now = now
        self._lock = threading.Lock()
        self._turns: OrderedDict[Seat, threading.Lock] = OrderedDict()
        self._sat: dict[Seat, _Sat] = {}

    def look(self, seat: Seat) -> AtDesk:
        """Return what is next, of a new queue where there is none yet."""
        with self._turn(seat) as connection:
            return self._seen(connection, seat)

    def draw(self, seat: Seat) -> AtDesk:
        """Begin a new queue."""
        with self._turn(seat) as connection:
            self._sat.pop(seat, None)
            return self._seen(connection, seat)

    def label(self, seat: Seat, place: Place, label: str | None) -> bool:
        """Store a label, None: unsure. False where the tweet is not the next one, or has gone.

        So an answer that is sent twice, or to a tweet that was edited meanwhile, changes nothing.
        """
        with self._turn(seat) as connection:
            sitting = self._sitting(connection, seat).sitting
            asked = self._asked(connection, sitting, place)
            return asked is not None and sitting.label(connection, asked, label, self._now())

    def skip(self, seat: Seat, place: Place) -> bool:
        """Leave a tweet for another time; False where it is not the next one."""
        with self._turn(seat) as connection:
            sitting = self._sitting(connection, seat).sitting
            asked = self._asked(connection, sitting, place)
            if asked is not None:
                sitting.skip(asked)
            return asked is not None

    def undo(self, seat: Seat) -> bool:
        """Take the last answer back; False where there is none."""
        with self._turn(seat) as connection:
            return self._sitting(connection, seat).sitting.undo(connection)

    def _asked(self, connection: Connection, sitting: Sitting, place: Place) -> Asked | None:
        asked = sitting.next(connection, self._now())
        if asked is None:
            return None
        there = Place(asked.tweet.root_id, asked.shown.repeat, asked.tweet.version)
        return asked if there == place else None

    def _seen(self, connection: Connection, seat: Seat) -> AtDesk:
        sat = self._sitting(connection, seat)
        asked = sat.sitting.next(connection, self._now())
        return AtDesk(asked, sat.sitting.progress(connection), sat.sitting.last, sat.drawn)

    def _sitting(self, connection: Connection, seat: Seat) -> _Sat:
        sat = self._sat.get(seat)
        if sat is not None and self._now() - sat.at < _KEPT_FOR:
            return sat
        choice = Choice(
            run=seat.run,
            labeller=seat.labeller,
            rule=seat.rule,
            second_opinion=seat.second_opinion,
        )
        with connection, connection.cursor() as cur:
            queue = draw_queue(cur, choice, DRAWN_AT_ONCE, audits_only=seat.audits_only)
        sitting = Sitting(queue, run=seat.run, labeller=seat.labeller)
        self._sat[seat] = _Sat(sitting, len(queue), self._now())
        return self._sat[seat]

    @contextmanager
    def _turn(self, seat: Seat) -> Iterator[Connection]:
        with self._lock:
            turn = self._turns.setdefault(seat, threading.Lock())
            self._turns.move_to_end(seat)
            while len(self._turns) > _MOST_KEPT:
                gone, _ = self._turns.popitem(last=False)
                self._sat.pop(gone, None)
        with turn, self._lend() as connection:
            yield connection
