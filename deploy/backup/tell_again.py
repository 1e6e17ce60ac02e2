"""After a restore, Kafka is told what PostgreSQL says is in use: its topics may be new."""

from contextlib import closing
from datetime import UTC, datetime

from retrain.promotion.promotions import forget_publishing, publish_waiting
from schemas.decisions import DecisionChosen
from schemas.setting_views import Cluster, PostgresConnection
from schemas.stored_decisions import list_decisions
from schemas.topics import MODELS_PROMOTED
from schemas.transport.postgres import connect_postgres
from schemas.transport.publish_decision import publish_decision
from schemas.transport.publisher import ConfirmingPublisher


def tell_again(postgres: PostgresConnection, cluster: Cluster) -> None:
    """Publish the last promotion and each decision in use; repeats change nothing.

    Without it a restored installation would say that a model or a decision is in use which no
    process has heard of. Raises `DeliveryFailed`; then `murmur models promote` and `rollback` tell
    it before anything else.
    """
    with closing(connect_postgres(postgres, "restore")) as connection:
        forget_publishing(connection)
        publisher = ConfirmingPublisher(cluster.kafka, "murmur-restore")
        publish_waiting(connection, publisher, cluster.names.topic(MODELS_PROMOTED))
        with connection, connection.cursor() as cur:
            used = [each for each in list_decisions(cur, None) if each.in_use]
        for each in used:
            chosen = DecisionChosen(decision=each.decision, chosen_at=datetime.now(UTC))
            publish_decision(cluster, each.decision.run, chosen)
