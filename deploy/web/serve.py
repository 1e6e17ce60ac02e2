"""The process behind `murmur serve`: the model, its batches, and the routers over HTTP."""

import getpass
import logging
import socket
import threading
from collections.abc import Collection
from datetime import datetime
from typing import Final

import redis
import uvicorn
from prometheus_client import CollectorRegistry
from starlette.types import ASGIApp

from deploy.page.page_router import page_router
from deploy.page.text_explainer import text_explainer
from deploy.web.access.admission import LOOPBACK_HOSTS, Admission
from deploy.web.access.key_ring import KeyRing
from deploy.web.access.request_rates import RequestRates
from deploy.web.app import make_app
from deploy.web.events.change_feed import ChangeFeed
from deploy.web.events.changes import Changes, read_changes
from deploy.web.events.events_router import events_router
from deploy.web.figures import all_figures
from deploy.web.http_protocol import BoundedHttpTools
from deploy.web.operations import Operations
from deploy.web.untold_promotion import UntoldPromotion
from model_server.http.answer_cache import AnswerCache
from model_server.http.batching import Batcher
from model_server.http.explain_router import explain_router, explained
from model_server.http.inference_router import InferenceRoutes, ServedModel, inference_router
from model_server.http.model_router import model_router
from model_server.http.predict_router import PredictCalls, predict_router
from model_server.http.predictor import Predictor
from model_server.overrides.followed_overrides import FollowedOverrides
from model_server.prediction_log.http_router import predictions_router
from model_server.prediction_log.log_writer import PredictionLog
from model_server.scorer import load_scorer
from model_server.serving_model import ServingModel
from retrain.evaluation.service.evaluation_job import EvaluationJobs
from retrain.evaluation.service.http_router import evaluate_router
from retrain.evaluation.service.scoreboard import Scoreboard
from retrain.jobs.http_router import retrain_router
from retrain.labels.feedback.http_router import feedback_router
from schemas.failures import Failure
from schemas.last_promotion import last_promotion
from schemas.model_events import PromotedModel
from schemas.process.process_list import SERVE
from schemas.process.running_process import RunningProcess, running_process
from schemas.settings import MissingSetting, Settings
from schemas.transport.cache import connect_redis
from schemas.transport.optional_redis import OptionalRedis
from schemas.transport.postgres_pool import PostgresPool
from stream_processors.queries.http.explanation_router import explanation_router

logger = logging.getLogger(__name__)

_KEEP_ALIVE_S: Final = 30
_CONNECTIONS: Final = 1_000
_ANY_INTERFACE: Final = frozenset({"0.0.0.0", "::"})  # noqa: S104  they are named, not listened on
_STATEMENT_TIMEOUT_S: Final = 10
_POSTGRES_CONNECTIONS: Final = 4
_EXPORTS: Final = 2


def serve(
    settings: Settings, probe_port: int, *, host: str, port: int, hosts: Collection[str] = ()
) -> None:
    """Serve until a signal stops the process; port 0 is a free one.

    `hosts` are names in `Host` that are answered beside the loopback's and `host`. Raises `Failure`
    where the port cannot be had, and for an interface other than the loopback's without any key:
    whoever reached the service could use it.
    """
    loopback = host in LOOPBACK_HOSTS
    pool = PostgresPool(
        lambda: settings.postgres_connection,
        SERVE.name,
        size=_POSTGRES_CONNECTIONS,
        statement_timeout_s=_STATEMENT_TIMEOUT_S,
    )
    export_pool = PostgresPool(
        lambda: settings.postgres_connection,
        f"{SERVE.name} export",
        size=_EXPORTS,
        statement_timeout_s=_STATEMENT_TIMEOUT_S,
    )
    ring = _key_ring(settings, pool, host, loopback=loopback)
    scorer = load_scorer(settings.model, cache_size=settings.score_cache_size)
    with running_process(
        SERVE.name, settings.probe_address(probe_port), stall_after_s=settings.stall_after_s
    ) as process:
        model = ServingModel(settings.cluster, settings.model_choice, scorer)
        overrides = FollowedOverrides(settings.overrides, lambda: model.slot.serving().labels)
        if not model.follow(process):
            return
        _say_what_is_untold(process, settings, pool, model)
        batcher = Batcher(
            model.slot.current, scored=process.progress.advance, threads=settings.serve_threads
        )
        process.progress.measure_lag(lambda: batcher.waiting_texts)
        batcher.start(process.run_beside)
        process.run_beside("keys", ring.follow)
        process.run_beside("overrides", overrides.follow)
        registry: CollectorRegistry = process.metrics.registry
        optional_redis = _redis(settings)
        predictor = Predictor(
            batcher,
            registry,
            cache=AnswerCache(
                optional_redis,
                registry,
                prefix=settings.topic_prefix,
                size=settings.score_cache_size,
                ttl_s=settings.serve_cache_s,
            ),
            serving=lambda: model.slot.serving().identity,
            labels=model.slot.serving().labels,
        )

        def serving() -> ServedModel:
            now = model.slot.serving()
            return ServedModel(now.identity, now.labels)

        admission = Admission(
            hosts=[*LOOPBACK_HOSTS, *({host} - _ANY_INTERFACE), *hosts],
            loopback=loopback,
            ring=ring,
            rates=RequestRates(optional_redis, settings.topic_prefix, settings.serve_rate or None),
            registry=registry,
            person=_account(),
        )

        def changes(since: datetime | None) -> Changes:
            with pool.lend() as connection:
                return read_changes(connection, since)

        feed = ChangeFeed(changes, is_valid=admission.may_go_on, registry=registry)
        log = PredictionLog(pool.lend, settings.serve_log_days)
        log_thread = process.run_beside("log", log.write_until)
        scoreboard = Scoreboard(pool.lend, registry)
        process.run_beside("scores", scoreboard.follow)
        evaluations = EvaluationJobs(
            pool.lend,
            predictor.predict_counted_nowhere,
            lambda: model.slot.serving().identity,
            scoreboard.look,
        )

        page, refusal_page = page_router(
            settings.aggregates_cache,
            lambda: _connected_redis(settings),
            pool.lend,
            admission.owner_of,
            text_explainer(predictor, overrides.current),
            model.slot.state,
            Operations(settings),
            feed,
            log,
            lambda: model.slot.serving().labels,
        )

        async def at_end() -> None:
            await evaluations.close()
            await optional_redis.close()

        calls = PredictCalls(predictor, log.note if log.is_on else None, overrides.current)
        app = make_app(
            [
                page,
                predict_router(calls),
                explain_router(predictor, lambda: model.slot.serving().labels),
                inference_router(
                    InferenceRoutes(
                        predictor,
                        serving,
                        lambda: process.readiness().ok,
                        scorer.identity.version,
                        overrides.current,
                    )
                ),
                model_router(model.slot.state, serving),
                all_figures(
                    settings.aggregates_cache,
                    lambda: _connected_redis(settings),
                    pool.lend,
                    export_pool.lend,
                ),
                explanation_router(
                    pool.lend,
                    lambda asked: explained(predictor, model.slot.serving().labels, asked),
                ),
                events_router(feed),
                predictions_router(pool.lend, is_on=log.is_on),
                feedback_router(pool.lend, lambda: model.slot.serving().labels),
                retrain_router(pool.lend, settings.retraining),
                evaluate_router(
                    pool.lend,
                    evaluations,
                    lambda: model.slot.serving().labels,
                    [*settings.retraining.standing_files, *settings.retraining.label_files],
                ),
            ],
            admission=admission,
            refusal_page=refusal_page,
            at_end=at_end,
            short_calls={
                ("POST", "/predict"): calls.predict,
                ("POST", "/predict/batch"): calls.predict_batch,
            },
            registry=registry,
            health=process.health,
            readiness=process.readiness,
        )
        server = _server(app)
        listening = _listening(host, port)
        logger.info("serves at http://%s:%d", host, listening.getsockname()[1])
        process.stop.tell(lambda: setattr(server, "should_exit", True))
        process.stop.tell(feed.close)
        process.ends_when(lambda: server.should_exit)
        process.progress.ready = True
        _serve_until_stopped(server, listening, process)
        batcher.stop()
        process.finished.set()
        log_thread.join(5)
        pool.close()
        export_pool.close()


def _say_what_is_untold(
    process: RunningProcess, settings: Settings, pool: PostgresPool, model: ServingModel
) -> None:
    """Have readiness name a promotion that Kafka did not tell; not where MURMUR_MODEL serves."""
    if settings.model is not None:
        return
    untold = UntoldPromotion(_promoted(pool), model.slot.state)
    ask_readiness = process.ask_readiness
    process.ask_readiness = lambda: untold.told(ask_readiness())


def _promoted(pool: PostgresPool) -> PromotedModel | None:
    """Return the model that was promoted last; None where PostgreSQL does not say."""
    try:
        with pool.lend() as connection:
            last = last_promotion(connection)
    except Failure:
        return None
    return None if last is None else last.champion


def _server(app: ASGIApp) -> uvicorn.Server:
    return uvicorn.Server(
        uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            server_header=False,
            # Who asks is told by the connection alone, whatever a header says.
            proxy_headers=False,
            limit_concurrency=_CONNECTIONS,
            timeout_keep_alive=_KEEP_ALIVE_S,
            # With h11 and asyncio's loop a remembered answer costs twice as much.
            http=BoundedHttpTools,
            loop="uvloop",
        )
    )


def _serve_until_stopped(
    server: uvicorn.Server, listening: socket.socket, process: RunningProcess
) -> None:
    # uvicorn takes the signals only in the main thread, and they are ours.
    thread = threading.Thread(target=lambda: server.run([listening]), name="http")
    thread.start()
    while thread.is_alive():
        thread.join(0.2)
        process.progress.idle()


def _key_ring(settings: Settings, pool: PostgresPool, host: str, *, loopback: bool) -> KeyRing:
    """Return the keys; raise `Failure` where the service would stand open to others."""
    try:
        _ = settings.postgres_uri
    except MissingSetting:
        ring = KeyRing(None)
    else:
        ring = KeyRing(pool.lend)
    try:
        ring.refresh()
    except Failure as failure:
        if not loopback:
            raise
        logger.warning("nobody is let in until the keys can be read: %s", failure)
    if not loopback and ring.is_empty:
        raise Failure(
            f"{host} is no loopback interface, and there is no key: `murmur keys create` makes one"
        )
    return ring


def _account() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        # In a container the account may have no name.
        return "here"


def _redis(settings: Settings) -> OptionalRedis:
    try:
        return OptionalRedis(settings.redis_connection)
    except MissingSetting:
        return OptionalRedis(None)


def _connected_redis(settings: Settings) -> "redis.Redis":
    try:
        return connect_redis(settings.redis_connection)
    except MissingSetting as missing:
        raise redis.ConnectionError(str(missing)) from None


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listening = socket.create_server((host, port), family=family, backlog=_CONNECTIONS)
    except OSError as error:
        raise Failure(f"port {port} on {host}: {error.strerror} (--port names another)") from error
    # asyncio leaves it out for such a socket, and each answer waits 40 ms for its client's ACK.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening
