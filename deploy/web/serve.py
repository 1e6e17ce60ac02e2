"""The process behind `murmur serve`: the model, its batches, and the routers over HTTP."""

import asyncio
import logging
import socket
import threading
from typing import Final

import uvicorn
from prometheus_client import CollectorRegistry

from deploy.web.app import make_app
from model_server.http.batching import Batcher
from model_server.http.explain_router import explain_router
from model_server.http.inference_router import InferenceRoutes, ServedModel, inference_router
from model_server.http.predict_router import predict_router
from model_server.http.predictor import Predictor
from model_server.scorer import load_scorer
from model_server.serving_model import ServingModel
from schemas.failures import Failure
from schemas.process.process_list import SERVE
from schemas.process.running_process import running_process
from schemas.settings import Settings

logger = logging.getLogger(__name__)

LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")
_KEEP_ALIVE_S: Final = 30
_CONNECTIONS: Final = 1_000


def serve(settings: Settings, probe_port: int, *, host: str, port: int) -> None:
    """Serve until a signal stops the process; port 0 is a free one.

    Raises `Failure` where the port cannot be had, and for an interface other than the loopback:
    whoever reaches the service may use it.
    """
    if host not in LOOPBACK:
        raise Failure(
            f"{host} is no loopback interface, and the service asks nobody who they are: serve on "
            "127.0.0.1, behind a proxy that does"
        )
    scorer = load_scorer(settings.model, cache_size=settings.score_cache_size)
    with running_process(
        SERVE.name, settings.probe_address(probe_port), stall_after_s=settings.stall_after_s
    ) as process:
        model = ServingModel(settings.cluster, settings.model_choice, scorer)
        if not model.follow(process):
            return
        batcher = Batcher(model.slot.current, scored=process.progress.advance)
        process.progress.measure_lag(lambda: batcher.waiting_texts)
        batcher.start()
        registry: CollectorRegistry = process.metrics.registry
        predictor = Predictor(batcher, registry)

        def serving() -> ServedModel:
            now = model.slot.serving()
            return ServedModel(now.identity, now.labels)

        app = make_app(
            [
                predict_router(predictor),
                explain_router(predictor, lambda: model.slot.serving().labels),
                inference_router(
                    InferenceRoutes(
                        predictor, serving, lambda: process.readiness().ok, scorer.identity.version
                    )
                ),
            ],
            hosts=["localhost", "127.0.0.1", "[::1]", host],
            registry=registry,
            health=process.health,
            readiness=process.readiness,
        )
        server = uvicorn.Server(
            uvicorn.Config(
                app,
                log_config=None,
                access_log=False,
                server_header=False,
                limit_concurrency=_CONNECTIONS,
                timeout_keep_alive=_KEEP_ALIVE_S,
                h11_max_incomplete_event_size=64 * 1024,
            )
        )
        listening = _listening(host, port)
        logger.info("serves at http://%s:%d", host, listening.getsockname()[1])
        process.stop.tell(lambda: setattr(server, "should_exit", True))
        process.ends_when(lambda: server.should_exit)
        process.progress.ready = True
        # uvicorn takes the signals only in the main thread, and they are ours.
        thread = threading.Thread(
            target=lambda: asyncio.run(server.serve([listening])), name="http"
        )
        thread.start()
        while thread.is_alive():
            thread.join(0.2)
            process.progress.idle()
        batcher.stop()


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=_CONNECTIONS)
    except OSError as error:
        raise Failure(f"port {port} on {host}: {error.strerror} (--port names another)") from error
