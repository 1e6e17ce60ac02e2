"""Kafka is told what PostgreSQL says is in use, where its topics may be new."""

from contextlib import closing
from datetime import UTC, datetime
from typing import Final

from retrain.promotion.promotions import forget_publishing, publish_waiting
from schemas.codec import InvalidEvent
from schemas.decisions import DecisionChosen
from schemas.escape_for_terminal import shown
from schemas.failures import Failure
from schemas.last_promotion import last_promotion
from schemas.model_events import PROMOTED_KEY, decode_promoted
from schemas.setting_views import Cluster, PostgresConnection
from schemas.stored_decisions import list_decisions
from schemas.topics import MODELS_PROMOTED
from schemas.transport.compacted_topic import CompactedTopic
from schemas.transport.postgres import connect_postgres
from schemas.transport.publish_decision import publish_decision
from schemas.transport.publisher import ConfirmingPublisher

_LOOK_S: Final = 5.0


def untold_promotion(postgres: PostgresConnection, cluster: Cluster) -> str | None:
    """Return what is wrong where Kafka does not hold the last promotion that PostgreSQL has.

    None where it does, where nothing was promoted, and where Kafka cannot be read. Raises
    psycopg2's errors, and `Failure` where PostgreSQL is away.
    """
    with closing(connect_postgres(postgres, "promotion")) as connection:
        stored = last_promotion(connection)
    if stored is None:
        return None
    topic, held = cluster.names.topic(MODELS_PROMOTED), list[str]()

    def take(key: bytes | None, value: bytes | None) -> None:
        if key == PROMOTED_KEY and value is not None:
            held.append(_id_in(value))

    reader = CompactedTopic(cluster.kafka, topic, client_id="murmur-promotion", take=take)
    try:
        reader.load(_LOOK_S)
    except Failure:
        return None
    finally:
        reader.close()
    if held[-1:] == [stored.promotion_id]:
        return None
    model = stored.champion
    return (
        f"{topic} does not hold the last promotion ({shown(model.name)} {shown(model.version)}): "
        "it was made anew, or is another Kafka's, and a process that starts serves another model"
    )


def _id_in(value: bytes) -> str:
    """Return the id of a promotion; empty for a message that is none."""
    try:
        return decode_promoted(value).promotion_id
    except InvalidEvent:
        return ""


def tell_again(postgres: PostgresConnection, cluster: Cluster) -> bool:
    """Publish the last promotion and each decision in use, and tell whether there were any.

    Repeats change nothing. Without it an installation that was restored, or whose topics are new,
    would say that a model or a decision is in use which no process has heard of. Raises
    `DeliveryFailed`; then `murmur models promote` and `rollback` tell it before anything else.
    """
    with closing(connect_postgres(postgres, "installation")) as connection:
        forget_publishing(connection)
        publisher = ConfirmingPublisher(cluster.kafka, "murmur-installation")
        promoted = publish_waiting(connection, publisher, cluster.names.topic(MODELS_PROMOTED))
        with connection, connection.cursor() as cur:
            used = [each for each in list_decisions(cur, None) if each.in_use]
        for each in used:
            chosen = DecisionChosen(decision=each.decision, chosen_at=datetime.now(UTC))
            publish_decision(cluster, each.decision.run, chosen)
    return promoted or bool(used)
