"""Telling every scoring process which decision a run uses."""

from typing import Final

from schemas.codec import RUN_HEADER, TYPE_HEADER
from schemas.decisions import DecisionChosen, encode_chosen
from schemas.failures import Failure
from schemas.setting_views import Cluster
from schemas.topics import DECISIONS, MAX_EVENT_BYTES
from schemas.transport.publisher import ConfirmingPublisher

_WITHIN_S: Final = 30.0


def publish_decision(cluster: Cluster, run: str, chosen: DecisionChosen | None) -> None:
    """Publish the whole decision that a run uses from now on, or None; return when it is safe.

    Publishing the same again changes nothing. Raises `DeliveryFailed` where Kafka did not take it,
    and `Failure` where it is too large for an event.
    """
    value = None if chosen is None else encode_chosen(chosen)
    if value is not None and len(value) > MAX_EVENT_BYTES:
        raise Failure(
            f"the decision has {len(value):,} bytes, an event at most {MAX_EVENT_BYTES:,}: fit "
            "it for fewer rules (`--rule`)"
        )
    publisher = ConfirmingPublisher(cluster.kafka, "murmur-decisions")
    publisher.publish(
        cluster.names.topic(DECISIONS),
        key=run.encode(),
        value=value,
        headers=[(RUN_HEADER, run.encode()), (TYPE_HEADER, DecisionChosen.__name__.encode())],
    )
    publisher.confirm(_WITHIN_S)
