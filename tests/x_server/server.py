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
from tests.x_server.vocabularies import NEW, OLD, Asked, Dialect, asked_in, refusal

STREAM = "/2/tweets/search/stream"


class FakeX:
    """The server's state. `script` is played one fault a connect; behind it all goes well.

    Where there is a `director`, it answers every connect instead. Each endpoint has its dialect;
    that of the stream may be changed at any time, and holds for what is posted from then on.
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
        self.stream_dialect: Dialect = OLD
        self.search_dialect: Dialect = NEW
        self.search_forbidden_after: int | None = None
        self.rules_page = 1_000
        self.search_refuses: set[str] = set()
        self.redirects: dict[str, str] = {}
        """Where requests go on to instead of being answered, by the beginning of their path."""
        self.answers: dict[str, tuple[int, bytes]] = {}
        """What is answered instead, by path."""
        self.stopping = threading.Event()
        self.compliance_streams = compliance_streams.ComplianceStreams(self.stopping, heartbeat_s)
        self.port = 0
        self._lock = threading.Lock()
        self._subscribers: list[tuple[queue.SimpleQueue[bytes], Asked]] = []
        self._open: list[Exchange] = []

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def connected(self) -> bool:
        """Whether somebody is being delivered to."""
        return bool(self._subscribers)

    def post(
        self,
        text: str,
        author_id: str = "7001",
        *,
        edits: Post | None = None,
        repeats: Post | None = None,
    ) -> Post:
        """Post, and deliver to whoever is connected and has a rule that matches."""
        with self._lock:
            post = self.corpus.post(text, author_id, edits=edits, repeats=repeats)
            matching = list(self.corpus.rules.values())
            if any(rule.value in text.split() for rule in matching):
                for subscriber, asked in self._subscribers:
                    subscriber.put(post.line(matching, self.stream_dialect, asked))
            return post

    def stream(self, handler: "Handler") -> None:
        posts: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        exchange = Exchange(handler, posts, self.stopping, self.heartbeat_s)
        asked = asked_in(handler.path)
        problem = refusal(asked, self.stream_dialect)

        def subscribe() -> None:
            with self._lock:
                self._subscribers.append((posts, asked))

        exchange.on_accept = subscribe
        with self._lock:
            self.connects_s.append(time.monotonic())
            self._open.append(exchange)
            staying = sum(not other.client_left() for other in self._open)
            self.most_at_once = max(self.most_at_once, staying)
            fault = self.script.popleft() if self.script else None
        try:
            if problem is not None:
                exchange.play(lambda e: e.answer(400, msgspec.json.encode(problem)))
            else:
                exchange.play(self.director or (fault.play if fault else None))
        finally:
            with self._lock:
                self._open.remove(exchange)
                self._subscribers = [each for each in self._subscribers if each[0] is not posts]


class Handler(BaseHTTPRequestHandler):
    """One request."""

    x: ClassVar[FakeX]

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        self.x.asked.append(self.path)
        if self.leads_elsewhere(path):
            return
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
        if self.leads_elsewhere(path) or not self.authorized():
            return
        if path == rules.PATH:
            rules.changed(self, msgspec.json.decode(body))
        elif path == compliance.PATH:
            self.answer_json(200, self.x.compliance.made(msgspec.json.decode(body), self.x.address))
        else:
            self.answer_json(404, {"title": "Not Found"})

    def do_PUT(self) -> None:
        path = urlsplit(self.path).path
        self.x.asked.append(self.path)
        body = self.body()
        if not self.leads_elsewhere(path):
            self.x.compliance.uploaded(path, body)
            self.answer(200, b"")

    def leads_elsewhere(self, path: str) -> bool:
        """Redirect, or answer as the test wants it, whoever asks."""
        for begin, address in self.x.redirects.items():
            if path.startswith(begin):
                self.send_response(307)
                self.send_header("Location", f"{address}{self.path}")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return True
        if path in self.x.answers:
            self.answer(*self.x.answers[path])
            return True
        return False

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
