"""A fake X on the loopback: streaming, rules, recent search and compliance, as X's v2 speaks."""

import queue
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar
from urllib.parse import urlsplit

import msgspec

from tests.x_server import compliance, compliance_streams, rules, search
from tests.x_server.exchange import Exchange
from tests.x_server.faults import Fault
from tests.x_server.posts import Corpus, Post

STREAM = "/2/tweets/search/stream"


class FakeX:
    """The server's state. `script` is played one fault a connect; behind it all goes well.

    Where there is a `director`, it answers every connect instead.
    """

    def __init__(self, token: str, heartbeat_s: float = 0.5) -> None:
        self.token = token
        self.heartbeat_s = heartbeat_s
        self.corpus = Corpus()
        self.script: deque[Fault] = deque()
        self.director: Callable[[Exchange], None] | None = None
        self.compliance = compliance.Jobs(self.corpus)
        self.connects_s: list[float] = []
        self.asked: list[str] = []
        self.unauthorized = 0
        self.most_at_once = 0
        self.search_forbidden_after: int | None = None
        self.search_refuses: set[str] = set()
        self.stopping = threading.Event()
        self.compliance_streams = compliance_streams.ComplianceStreams(self.stopping, heartbeat_s)
        self.port = 0
        self._lock = threading.Lock()
        self._subscribers: list[queue.SimpleQueue[bytes]] = []
        self._open: list[Exchange] = []

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def connected(self) -> bool:
        """Whether somebody is being delivered to."""
        return bool(self._subscribers)

    def post(self, text: str, author_id: str = "7001") -> Post:
        """Post, and deliver to whoever is connected and has a rule that matches."""
        with self._lock:
            post = self.corpus.post(text, author_id)
            matching = list(self.corpus.rules.values())
            if any(rule.value in text.split() for rule in matching):
                for subscriber in self._subscribers:
                    subscriber.put(post.line(matching))
            return post

    def stream(self, handler: "Handler") -> None:
        posts: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        exchange = Exchange(handler, posts, self.stopping, self.heartbeat_s)

        def subscribe() -> None:
            with self._lock:
                self._subscribers.append(posts)

        exchange.on_accept = subscribe
        with self._lock:
            self.connects_s.append(time.monotonic())
            self._open.append(exchange)
            staying = sum(not other.client_left() for other in self._open)
            self.most_at_once = max(self.most_at_once, staying)
            fault = self.script.popleft() if self.script else None
        try:
            exchange.play(self.director or (fault.play if fault else None))
        finally:
            with self._lock:
                self._open.remove(exchange)
                if posts in self._subscribers:
                    self._subscribers.remove(posts)


class Handler(BaseHTTPRequestHandler):
    """One request."""

    x: ClassVar[FakeX]

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        self.x.asked.append(self.path)
        if path.startswith(compliance.DOWNLOAD):
            more = 10 if self.x.compliance.breaks_off else 0
            self.answer(200, self.x.compliance.result(path), length_more=more)
        elif not self.authorized():
            return
        elif path == STREAM:
            self.close_connection = True
            self.x.stream(self)
        elif path in compliance_streams.PATHS:
            self.close_connection = True
            self.x.compliance_streams.stream(self)
        elif path == rules.PATH:
            rules.listed(self)
        elif path == search.PATH:
            search.found(self)
        elif path.startswith(compliance.PATH):
            self.answer_json(200, self.x.compliance.described(path))
        else:
            self.answer_json(404, {"title": "Not Found"})

    def do_POST(self) -> None:
        path = urlsplit(self.path).path
        self.x.asked.append(self.path)
        body = self.body()
        if not self.authorized():
            return
        if path == rules.PATH:
            rules.changed(self, msgspec.json.decode(body))
        elif path == compliance.PATH:
            self.answer_json(200, self.x.compliance.made(msgspec.json.decode(body), self.x.address))
        else:
            self.answer_json(404, {"title": "Not Found"})

    def do_PUT(self) -> None:
        self.x.asked.append(self.path)
        self.x.compliance.uploaded(urlsplit(self.path).path, self.body())
        self.answer(200, b"")

    def body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length", "0")))

    def authorized(self) -> bool:
        if self.headers.get("Authorization") == f"Bearer {self.x.token}":
            return True
        self.x.unauthorized += 1
        self.answer_json(401, {"title": "Unauthorized"})
        return False

    def answer_json(self, status: int, document: Any) -> None:
        self.answer(status, msgspec.json.encode(document))

    def answer(self, status: int, body: bytes, length_more: int = 0) -> None:
        """Answer; with `length_more` the answer breaks off so many bytes before its end."""
        self.send_response(status)
        self.send_header("Content-Length", str(len(body) + length_more))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the parent's name
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def shutdown_request(self, request: Any) -> None:
        """Close without the FIN that would come before a reset."""
        self.close_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients leave; that is no fault of the server's."""


@contextmanager
def fake_x(token: str, heartbeat_s: float = 0.5) -> Iterator[FakeX]:
    """Run a fake X while the block runs."""
    x = FakeX(token, heartbeat_s)
    handler = type("OwnHandler", (Handler,), {"x": x})
    with _Server(("127.0.0.1", 0), handler) as server:
        server.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        x.port = server.server_port
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield x
        finally:
            x.stopping.set()
            server.shutdown()
            thread.join(5)
