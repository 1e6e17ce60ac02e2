"""Looking at the hold, and ending it, from outside of the scoring processes."""

from schemas.failures import Failure
from schemas.setting_views import Cluster
from schemas.transport.publisher import ConfirmingPublisher
from stream_processors.circuit_breaker.breaker_topic import BreakerTopic, Hold


def read_hold(cluster: Cluster) -> tuple[Hold | None, str | None]:
    """Return the hold, or why it is not known."""
    try:
        board = BreakerTopic(cluster)
        try:
            return board.load(timeout_s=5), None
        finally:
            board.close()
    except Failure as fault:
        return None, str(fault)


def release(cluster: Cluster) -> Hold | None:
    """End the hold and return it; None where there is none. Raises `Failure` without Kafka."""
    board = BreakerTopic(cluster)
    try:
        hold = board.load()
        if hold is not None:
            publisher = ConfirmingPublisher(cluster.kafka, "murmur-release")
            board.publish_release(publisher)
            publisher.confirm()
        return hold
    finally:
        board.close()
