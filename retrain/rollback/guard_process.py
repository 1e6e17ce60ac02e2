"""The process that looks at the last promotion again and again."""

import logging
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Final

import psycopg2

from retrain.promotion.promotions import publish_waiting
from retrain.rollback.guard_promotion import Guarded, guard_promotion
from retrain.rollback.rollback_policy import RollbackLimits
from schemas.process.metric_list import GUARD_ROLLBACKS
from schemas.process.process_list import GUARD
from schemas.process.running_process import RunningProcess, running_process
from schemas.setting_views import Cluster, PostgresConnection, ProbeAddress
from schemas.topics import MODELS_PROMOTED
from schemas.transport.postgres import PostgresUnavailable, connect_postgres, database_now
from schemas.transport.publisher import ConfirmingPublisher, DeliveryFailed

logger = logging.getLogger(__name__)

_CLIENT_ID: Final = "murmur-guard"


class Guard:
    """Looks at the last promotion; what it takes back is published at once."""

    def __init__(
        self, cluster: Cluster, postgres: PostgresConnection, limits: RollbackLimits, *, run: str
    ) -> None:
        self._publisher = ConfirmingPublisher(cluster.kafka, _CLIENT_ID)
        self._topic = cluster.names.topic(MODELS_PROMOTED)
        self._postgres = postgres
        self._limits = limits
        self._run = run

    def look(self) -> Guarded | None:
        """Decide once; also publish what an earlier look could not. Raises psycopg2's errors."""
        with closing(connect_postgres(self._postgres, GUARD.name)) as connection:
            guarded = guard_promotion(
                connection, self._limits, run=self._run, now=lambda: database_now(connection)
            )
            try:
                publish_waiting(connection, self._publisher, self._topic)
            except DeliveryFailed as error:
                logger.warning("the promotion waits until Kafka takes it: %s", error)
        return guarded


def run_guard(guard: Guard, *, probes: ProbeAddress, stall_after_s: float, every_s: float) -> None:
    """Look every `every_s` seconds until the process is told to stop."""
    with running_process(GUARD.name, probes, stall_after_s=stall_after_s) as process:
        process.progress.ready = True
        # Not in this thread: Python handles signals here.
        with ThreadPoolExecutor(1, thread_name_prefix=GUARD.name) as executor:
            executor.submit(_look_again_and_again, guard, process, every_s).result()


def _look_again_and_again(guard: Guard, process: RunningProcess, every_s: float) -> None:
    rollbacks = GUARD_ROLLBACKS.register(process.metrics.registry)
    while not process.stop.asked():
        try:
            guarded = guard.look()
            process.progress.advance()
            process.progress.unavailable = None
            if guarded is not None and guarded.went_back_to is not None:
                rollbacks.inc()
                logger.warning("%s", guarded.decision.sentence)
        except (psycopg2.Error, PostgresUnavailable) as error:
            process.progress.unavailable = "PostgreSQL"
            logger.warning("the promotion is not watched: %s", error)
        process.stop.event.wait(every_s)
