"""TLS before a server that speaks none of its own: the embedded ones are built without it."""

import socket
import socketserver
import ssl
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

from tests.secured.certificates import Certificate

_ASKS_FOR_TLS: Final = struct.pack("!ii", 8, 80877103)


@contextmanager
def tls_front(port: int, certificate: Certificate, *, postgres: bool = False) -> Iterator[int]:
    """Pass what comes by TLS on to a port of the loopback; yield the port that listens.

    A client of PostgreSQL (`postgres`) asks for TLS in eight bytes, and is answered `S`.
    """
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate.certificate, certificate.key)

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with suppress(OSError):
                if postgres and self.request.recv(8) != _ASKS_FOR_TLS:
                    return
                if postgres:
                    self.request.sendall(b"S")
                with (
                    context.wrap_socket(self.request, server_side=True) as client,
                    socket.create_connection(("127.0.0.1", port)) as server,
                ):
                    back = threading.Thread(target=_pass_on, args=(server, client), daemon=True)
                    back.start()
                    _pass_on(client, server)

    class Front(socketserver.ThreadingTCPServer):
        daemon_threads = True

    with Front(("127.0.0.1", 0), Handler) as front:
        thread = threading.Thread(target=front.serve_forever, daemon=True)
        thread.start()
        try:
            yield front.server_address[1]
        finally:
            front.shutdown()


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65_536):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_RDWR)
