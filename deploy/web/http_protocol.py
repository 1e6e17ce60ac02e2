"""HTTP/1.1 as httptools parses it, with a bound on what comes before a request's body."""

from collections.abc import Mapping
from typing import Any, Final, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from deploy.web.given_up import GIVEN_UP

MOST_HEAD_BYTES: Final = 64 * 1024
_TOO_LARGE: Final = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    b"Connection: close\r\nContent-Length: 0\r\n\r\n"
)


class BoundedHttpTools(HttpToolsProtocol):
    """Refuses more than `MOST_HEAD_BYTES` of anything but a body: line, headers, trailers.

    The parser keeps whatever comes of these; without a bound a client could fill the memory with
    one header.
    """

    _beside_bodies_bytes = 0

    def data_received(self, data: bytes) -> None:
        """Parse what came, or refuse it."""
        self._beside_bodies_bytes += len(data)
        before = self._beside_bodies_bytes
        super().data_received(data)
        # It is smaller where a head was complete within this data, or a part of a body came.
        if self._beside_bodies_bytes >= before > MOST_HEAD_BYTES:
            self.transport.write(_TOO_LARGE)
            self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """The client went away: what it waited for is given up."""
        super().connection_lost(exc)
        if self.cycle is not None and self.cycle.disconnected:
            give_up = cast("Mapping[str, Any]", self.cycle.scope).get(GIVEN_UP)
            if give_up is not None:
                give_up()

    def on_headers_complete(self) -> None:
        """The head is whole."""
        self._beside_bodies_bytes = 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A part of a body came."""
        self._beside_bodies_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """What comes next is a head."""
        self._beside_bodies_bytes = 0
        super().on_message_complete()
