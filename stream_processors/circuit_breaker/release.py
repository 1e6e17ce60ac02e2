"""Looking at the hold, and ending it, from outside of the scoring processes."""

from schemas.failures import Failure
from schemas.settings import Settings
from schemas.transport.publisher import ConfirmingPublisher
from stream_processors.circuit_breaker.breaker_topic import BreakerTopic, Hold


def read_hold(settings: Settings) -> tuple[Hold | None, str | None]:
    """Return the hold, or why it is not known."""
    try:
        board = BreakerTopic(settings)
        try:
            return board.load(timeout_s=5), None
        finally:
            board.close()
    except Failure as fault:
        return None, str(fault)


def release(settings: Settings) -> Hold | None:
    """End the hold and return it; None where there is none. Raises `Failure` without Kafka."""
    board = BreakerTopic(settings)
    try:
        hold = board.load()
        if hold is not None:
            publisher = ConfirmingPublisher(settings.kafka_connection, "murmur-release")
            board.publish_release(publisher)
            publisher.confirm()
        return hold
    finally:
        board.close()
