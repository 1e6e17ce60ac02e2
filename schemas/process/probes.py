"""/metrics, /healthz and /readyz of a process."""

import logging
import socketserver
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server
from wsgiref.types import StartResponse, WSGIEnvironment

from prometheus_client import CollectorRegistry, disable_created_metrics, make_wsgi_app

from schemas.failures import Failure
from schemas.process.progress import Health

logger = logging.getLogger(__name__)


class _Server(socketserver.ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _QuietHandler(WSGIRequestHandler):
    timeout = 10

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the parent's name
        logger.debug(format, *args)


@contextmanager
def serve_probes(
    host: str,
    port: int,
    registry: CollectorRegistry,
    *,
    health: Callable[[], Health],
    readiness: Callable[[], Health],
) -> Iterator[int]:
    """Serve the probes in a thread while the block runs; yield the port (`port` 0: a free one).

    /healthz and /readyz answer 200 or 503 with one line of text. Raises `Failure` where the port
    cannot be had.
    """
    # When a series was made is no metric of ours: it doubles the series and answers nobody.
    disable_created_metrics()  # type: ignore[no-untyped-call]
    metrics = make_wsgi_app(registry)

    def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if path == "/metrics":
            page: Iterable[bytes] = metrics(environ, start_response)
            return page
        probe = {"/healthz": health, "/readyz": readiness}.get(path)
        if probe is None:
            start_response("404 Not Found", [("Content-Type", "text/plain")])
            return [b"see /metrics, /healthz, /readyz\n"]
        answer = probe()
        status = "200 OK" if answer.ok else "503 Service Unavailable"
        start_response(status, [("Content-Type", "text/plain; charset=utf-8")])
        return [f"{answer.detail}\n".encode()]

    try:
        listening = make_server(host, port, application, _Server, _QuietHandler)
    except OSError as error:
        raise Failure(
            f"port {port} for the probes: {error.strerror} (--probe-port 0 takes a free one)"
        ) from error
    with listening as server:
        thread = threading.Thread(target=server.serve_forever, name="probes", daemon=True)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join(timeout=5)
