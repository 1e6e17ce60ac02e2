"""Where something comes from, as far as its events must know, and what became of it."""

from dataclasses import dataclass
from datetime import datetime

from msgspec import Struct

from producers.parsing.tweet_context import NO_CONTEXT, ContextSource
from schemas.codec import Reason
from schemas.events import RawEvent
from schemas.made_ids import made_id


@dataclass(frozen=True)
class Origin:
    """What all events of one archive, or of one stream, have in common.

    `content` identifies what is read (a file's hash); with the line it makes the id of a tweet
    that has none. `source` is what the events carry as theirs: the name of the format, so that a
    stream and its capture are the same; which of them it was is what `run` says.
    """

    run: str
    run_started_at: datetime
    source: str
    content: str

    def made_id(self, line: int, place: int = 0) -> str:
        """Return the id of a tweet without one, see `schemas.made_ids`."""
        return made_id(self.content, line, place)


@dataclass(frozen=True)
class Refused:
    """A tweet that will never be an event. `raw` is it alone, where it stood among others."""

    reason: Reason
    detail: str
    place: int = 0
    raw: bytes | None = None


class Parsed(Struct):
    """What became of one record: nothing of it is lost, each part is in one of the three.

    `skipped` names what is known and no event: heartbeats, blank lines, compliance kinds that
    ask for nothing here. `overruled_times` counts tweets whose archive gives them another time than
    their id holds, which is theirs. `dropped` names fields that could not be read, once for each
    tweet that goes without one. `untimed` counts tweets that have no time but their run's start.
    `swallowed_lines` may be rows that a stray quote took into the text of one.
    `context` says, where it is asked, what stood beside them.
    """

    events: list[RawEvent] = []
    refused: list[Refused] = []
    skipped: list[str] = []
    overruled_times: int = 0
    dropped: list[str] = []
    untimed: int = 0
    swallowed_lines: int = 0
    context: ContextSource = NO_CONTEXT
