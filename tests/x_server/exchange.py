"""One request to the fake's stream, with every way of answering it badly."""

import queue
import socket
import struct
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from typing import Final

_LEFT_AFTER_S: Final = 120.0


class ClientLeft(Exception):
    """The client closed the connection."""


class Exchange:
    """What a fault may do with a connection. `posts` has the lines that are to be delivered."""

    def __init__(
        self,
        handler: BaseHTTPRequestHandler,
        posts: "queue.SimpleQueue[bytes]",
        stopping: threading.Event,
        heartbeat_s: float,
    ) -> None:
        self._handler = handler
        self._socket: socket.socket = handler.connection
        self._posts = posts
        self._stopping = stopping
        self._heartbeat_s = heartbeat_s
        self.authorization = handler.headers.get("Authorization", "")
        self.on_accept: Callable[[], None] = lambda: None
        self.taken: list[tuple[float, bytes]] = []
        """Every post that was fetched to be delivered, with the monotonic time (s) of that."""

    def play(self, answer: "Callable[[Exchange], None] | None") -> None:
        """Answer as `answer` does, or (None) as X does on a good day; the client may leave."""
        try:
            if answer is not None:
                answer(self)
            else:
                self.accept()
                self.deliver_on()
        except ClientLeft:
            pass

    def raw(self, content: bytes) -> None:
        """Send bytes as they are."""
        try:
            self._socket.sendall(content)
        except OSError as error:
            raise ClientLeft from error

    def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        """Send a whole answer."""
        lines = [f"HTTP/1.1 {status} Something", f"Content-Length: {len(body)}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        self.raw("\r\n".join([*lines, "Connection: close", "", ""]).encode() + body)

    def accept(self, *headers: str) -> None:
        """Begin a stream; what is posted from now on is to be delivered."""
        self.on_accept()
        lines = ["HTTP/1.1 200 OK", "Content-Type: application/json; charset=utf-8", *headers]
        self.raw("\r\n".join([*lines, "Transfer-Encoding: chunked", "", ""]).encode())

    def chunk(self, content: bytes) -> None:
        """Send one chunk of the stream."""
        self.raw(b"%x\r\n%s\r\n" % (len(content), content))

    def line(self, content: bytes) -> None:
        """Send one line as X ends it."""
        self.chunk(content + b"\r\n")

    def next_post(self) -> bytes:
        """Wait for the next post, with heartbeats meanwhile."""
        while not self._stopping.is_set():
            try:
                post = self._posts.get(timeout=self._heartbeat_s)
            except queue.Empty:
                self.line(b"")
            else:
                self.taken.append((time.monotonic(), post))
                return post
        raise ClientLeft

    def deliver(self, count: int) -> None:
        """Deliver the next posts as they should be."""
        for _ in range(count):
            self.line(self.next_post())

    def deliver_on(self) -> None:
        """Deliver until the client leaves."""
        while True:
            self.deliver(1)

    def end(self) -> None:
        """End the stream in good order."""
        self.raw(b"0\r\n\r\n")

    def reset(self) -> None:
        """End the connection by a reset: what the client has not yet read may be lost."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def hold(self, seconds: float = _LEFT_AFTER_S) -> None:
        """Say nothing until the client leaves."""
        self._socket.settimeout(min(seconds, 0.2))
        for _ in range(int(seconds / 0.2)):
            if self._stopping.is_set():
                return
            try:
                if not self._socket.recv(1):
                    return
            except TimeoutError:
                continue
            except OSError:
                return

    def client_left(self) -> bool:
        """Tell whether the client has closed its end."""
        try:
            return not self._socket.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return False
        except OSError:
            return True

    def stopping(self, wait_s: float) -> bool:
        """Wait; tell whether the server is being stopped."""
        return self._stopping.wait(wait_s)
