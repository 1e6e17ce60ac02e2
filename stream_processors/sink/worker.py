"""The sink process: sink, refresher, probes and signals put together."""

import logging
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from types import FrameType

from schemas.process.metrics import StageMetrics
from schemas.process.probes import serve_probes
from schemas.process.progress import Progress
from schemas.process.watchdog import Watchdog, end_process, start_watchdog
from schemas.settings import Settings
from schemas.transport.cache import connect_redis
from schemas.transport.postgres import connect_postgres
from stream_processors.aggregates.refresher import Refresher
from stream_processors.sink.process import Sink

logger = logging.getLogger(__name__)


def run_sink_worker(settings: Settings, probe_port: int) -> None:
    """Sink until a signal stops the process (it returns) or a fault ends it (an exception)."""
    stop = threading.Event()

    def request_stop(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, request_stop)
    signal.signal(signal.SIGINT, request_stop)
    metrics = StageMetrics("sink")
    progress = Progress(time.monotonic, settings.stall_after_s)
    refresher = Refresher(
        connect_postgres=lambda: connect_postgres(settings, "refresher"),
        connect_redis=lambda: connect_redis(settings),
        settings=settings,
        clock=lambda: datetime.now(UTC),
        registry=metrics.registry,
    )
    faults: list[BaseException] = []

    def refresh() -> None:
        try:
            refresher.run(stop)
        except BaseException as fault:
            # Without its refresher the process would look well and its figures grow old.
            faults.append(fault)
            stop.set()
            raise

    thread = threading.Thread(target=refresh, name="refresher", daemon=True)
    with serve_probes(
        settings.probe_host,
        probe_port,
        metrics.registry,
        health=progress.health,
        readiness=progress.readiness,
    ) as port:
        logger.info("probes at http://%s:%d", settings.probe_host, port)
        sink = Sink(
            settings,
            connect=lambda: connect_postgres(settings, "sink"),
            metrics=metrics,
            progress=progress,
        )
        thread.start()
        watchdog = Watchdog(progress, stopping=stop.is_set, clock=time.monotonic, end=end_process)
        finished = threading.Event()
        start_watchdog(watchdog, finished)
        try:
            # Not in this thread: Python handles signals here, and not while libpq or librdkafka
            # hangs in it.
            with ThreadPoolExecutor(1, thread_name_prefix="sink") as executor:
                executor.submit(sink.run, stop).result()
        finally:
            stop.set()
            thread.join(timeout=10)
            finished.set()
    if faults:
        raise faults[0]
