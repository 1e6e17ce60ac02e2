"""The process that decides again and again, and works on jobs in processes of their own.

A training's memory is given back with its process, and a fault of it ends nothing else.
"""

import logging
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Final

import psycopg2

from retrain.jobs.check import check_retraining
from retrain.jobs.job_folders import forget_texts_of_ended
from retrain.jobs.job_store import JobIsLive, end_given_up, live_job
from retrain.promotion.promotions import tell_if_waiting
from schemas.private_files import make_private_folder
from schemas.process.process_list import RETRAIN_WATCH
from schemas.process.running_process import RunningProcess, running_process
from schemas.settings import Settings
from schemas.topics import MODELS_PROMOTED
from schemas.transport.postgres import PostgresUnavailable, connect_postgres

logger = logging.getLogger(__name__)

_STAGE: Final = "retrain_watch"
_LOOK_EVERY_S: Final = 1.0


def watch_retraining(settings: Settings, probe_port: int, *, every_s: float) -> None:
    """Decide every `every_s` seconds until the process is told to stop.

    A job that waits is done before the next decision. PostgreSQL may be away meanwhile.
    """
    with running_process(
        _STAGE, settings.probe_address(probe_port), stall_after_s=settings.stall_after_s
    ) as process:
        process.progress.ready = True
        # Not in this thread: Python handles signals here.
        with ThreadPoolExecutor(1, thread_name_prefix="retrain") as executor:
            executor.submit(_decide_again_and_again, settings, process, every_s).result()


def _decide_again_and_again(settings: Settings, process: RunningProcess, every_s: float) -> None:
    while not process.stop.asked():
        try:
            waits = _decide(settings)
            process.progress.advance()
        except (psycopg2.Error, PostgresUnavailable) as error:
            process.progress.unavailable = "PostgreSQL"
            logger.warning("no decision: %s", error)
            waits = False
        if waits:
            _work(settings, process)
        process.stop.event.wait(every_s)


def _decide(settings: Settings) -> bool:
    """Decide, clear up after jobs that are over, and tell whether there is one to work on."""
    with closing(connect_postgres(settings.postgres_connection, RETRAIN_WATCH.name)) as connection:
        try:
            checked = check_retraining(connection, settings.retraining, forced=False)
            logger.info(
                checked.decision.sentence,
                extra={"decision": checked.number, "job": checked.job},
            )
        except JobIsLive as error:
            logger.info("%s", error)
        end_given_up(connection)
        forget_texts_of_ended(connection, settings.job_folders)
        tell_if_waiting(
            connection, settings.kafka_connection, settings.names.topic(MODELS_PROMOTED)
        )
        return live_job(connection) is not None


def _work(settings: Settings, process: RunningProcess) -> None:
    folder = make_private_folder(settings.job_folders)
    murmur = Path(sys.executable).with_name("murmur")
    with (folder / "log.txt").open("ab") as log:
        worker = subprocess.Popen(
            [sys.executable, str(murmur), "retrain", "run"], stdout=log, stderr=log
        )
        while worker.poll() is None:
            if process.stop.event.wait(_LOOK_EVERY_S):
                # What it did is kept; whoever takes the job up goes on from there.
                worker.terminate()
                worker.wait()
            process.progress.advance()
    logger.info("a training process ended", extra={"exit_code": worker.returncode})
