"""One line about what is gone, to Kafka: a removal, a dead letter, or nothing."""

from collections.abc import Callable
from typing import Final

from producers.parsing.faults import Unparsable
from producers.x_api.publishing import publish_event
from schemas.codec import Reason
from schemas.events import LIVE, Removal
from schemas.settings import Settings
from schemas.topics import DEAD_LETTER, RAW, topic_name
from schemas.transport.dead_letters import DeadLetterWriter, SourcePosition, dead_letter
from schemas.transport.publisher import ConfirmingPublisher

STAGE: Final = "compliance"


class RemovalWriter:
    """Hands lines over; what `publisher.confirm` has not confirmed is not done."""

    def __init__(self, publisher: ConfirmingPublisher, settings: Settings) -> None:
        self.publisher = publisher
        self._raw_topic = topic_name(settings, RAW)
        self._letters = DeadLetterWriter(publisher, topic_name(settings, DEAD_LETTER))

    def write(
        self, line: bytes, parse: Callable[[], Removal | str | None], position: SourcePosition
    ) -> str | Reason:
        """Return what became of a line: an event's name, why it was refused, or `parse`'s own word.

        What `parse` refuses as `Unparsable` becomes a dead letter; None of it is a line skipped.
        """
        try:
            parsed = parse()
        except Unparsable as fault:
            self._letters.write(
                dead_letter(
                    run=LIVE,
                    stage=STAGE,
                    reason=Reason(fault.reason),
                    detail=fault.detail,
                    position=position,
                    key=None,
                    value=line,
                    headers=[],
                )
            )
            return Reason(fault.reason)
        if parsed is None or isinstance(parsed, str):
            return parsed or "skipped"
        publish_event(self.publisher, parsed, self._raw_topic)
        return type(parsed).__name__
