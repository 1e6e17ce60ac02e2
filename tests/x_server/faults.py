"""The faults of the fake X, each with a name, what it does, and what a client has to make of it."""

import gzip
import time
from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from producers.x_connection.connection_end import Ending
from tests.x_server.exchange import Exchange
from tests.x_server.vocabularies import in_both_words, in_other_words


@dataclass(frozen=True)
class Fault:
    """`play` answers one connect. Then: how the client says it ended (None: it goes on), how many
    of the posts it delivers have to arrive, the least wait (s) before the next connect as a first
    fault, and which dead letters come of it."""

    name: str
    play: Callable[[Exchange], None]
    ending: Ending
    posts: int = 0
    wait_s: float = 0.0
    dead_letters: int = 0


def deliver_and(count: int, then: Callable[[Exchange], None]) -> Callable[[Exchange], None]:
    """Return a play that accepts, delivers so many posts, and then does something."""

    def play(exchange: Exchange) -> None:
        exchange.accept()
        exchange.deliver(count)
        then(exchange)

    return play


def _line_between(content: bytes) -> Callable[[Exchange], None]:
    """A post, an odd line, a post, an end."""

    def play(exchange: Exchange) -> None:
        exchange.accept()
        exchange.deliver(1)
        exchange.line(content)
        exchange.deliver(1)
        exchange.end()

    return play


def _status(status: int, body: bytes = b"", **headers: str) -> Callable[[Exchange], None]:
    return lambda exchange: exchange.answer(status, body, **headers)


def _echo_token(exchange: Exchange) -> None:
    exchange.answer(401, f'{{"title":"Unauthorized {exchange.authorization}"}}'.encode())


def _rate_limited_until(seconds: float) -> Callable[[Exchange], None]:
    def play(exchange: Exchange) -> None:
        exchange.answer(
            429,
            b'{"title":"Too Many Requests"}',
            x_rate_limit_remaining="0",
            x_rate_limit_reset=str(int(time.time() + seconds)),
        )

    return play


def _accept_and_end(exchange: Exchange) -> None:
    exchange.accept()
    exchange.end()


def _accept_and_reset(exchange: Exchange) -> None:
    exchange.accept()
    exchange.reset()


def _heartbeat_and_end(exchange: Exchange) -> None:
    exchange.accept()
    exchange.line(b"")
    exchange.end()


def _half(exchange: Exchange) -> None:
    post = exchange.next_post()
    exchange.chunk(post[: len(post) // 2])


def _half_and_end(exchange: Exchange) -> None:
    _half(exchange)
    exchange.end()


def _half_and_reset(exchange: Exchange) -> None:
    _half(exchange)
    exchange.reset()


def _half_and_silence(exchange: Exchange) -> None:
    _half(exchange)
    exchange.hold()


def _drip(exchange: Exchange) -> None:
    while not exchange.stopping(0.1):
        exchange.chunk(b" ")


def _heartbeats_only(exchange: Exchange) -> None:
    while not exchange.stopping(0.1):
        exchange.line(b"")


def _without_rules(exchange: Exchange) -> None:
    post = msgspec.json.decode(exchange.next_post())
    del post["matching_rules"]
    exchange.line(msgspec.json.encode(post))
    exchange.end()


def _rule_without_tag(exchange: Exchange) -> None:
    post = msgspec.json.decode(exchange.next_post())
    post["matching_rules"] = [{"id": "77"}]
    exchange.line(msgspec.json.encode(post))
    exchange.end()


def _in_pieces(exchange: Exchange) -> None:
    line = exchange.next_post() + b"\r\n" + exchange.next_post() + b"\r\n"
    for start in range(0, len(line), 7):
        exchange.chunk(line[start : start + 7])
    exchange.end()


def _in_one_chunk(exchange: Exchange) -> None:
    exchange.chunk(exchange.next_post() + b"\r\n" + exchange.next_post() + b"\r\n")
    exchange.end()


def _bare_line_feeds(exchange: Exchange) -> None:
    exchange.chunk(exchange.next_post() + b"\n" + exchange.next_post() + b"\n")
    exchange.end()


def _line_and_end(content: bytes) -> Callable[[Exchange], None]:
    """An odd line in the place of all posts."""

    def play(exchange: Exchange) -> None:
        exchange.accept()
        exchange.line(content)
        exchange.end()

    return play


def _endless_refusal(exchange: Exchange) -> None:
    exchange.raw(b"HTTP/1.1 503 Something\r\nContent-Length: 999999999\r\n\r\n")
    while not exchange.stopping(0.05):
        exchange.raw(b" ")


def _compressed_refusal(exchange: Exchange) -> None:
    body = gzip.compress(b'{"title":"Service Unavailable"}')
    exchange.answer(503, body, Content_Encoding="gzip")


def _in_other_words(exchange: Exchange) -> None:
    exchange.line(in_other_words(exchange.next_post()))
    exchange.line(exchange.next_post())
    exchange.end()


def _in_both(exchange: Exchange) -> None:
    exchange.line(in_both_words(exchange.next_post()))
    exchange.end()


def _twice(exchange: Exchange) -> None:
    post = exchange.next_post()
    exchange.line(post)
    exchange.line(post)
    exchange.end()


def _gzipped(exchange: Exchange) -> None:
    exchange.accept("Content-Encoding: gzip")
    exchange.chunk(gzip.compress(exchange.next_post() + b"\r\n"))
    exchange.end()


def _no_gzip_though_it_says_so(exchange: Exchange) -> None:
    exchange.accept("Content-Encoding: gzip")
    exchange.chunk(b"this is no gzip data\r\n")
    exchange.hold()


def _no_chunks_though_it_says_so(exchange: Exchange) -> None:
    exchange.accept()
    exchange.raw(b"zz\r\nno chunk\r\n")
    exchange.hold()


_OPERATIONAL = (
    b'{"errors":[{"title":"operational-disconnect","disconnect_type":'
    b'"UpstreamOperationalDisconnect","detail":"This stream has been disconnected"}]}'
)

_TAKEN = (
    b'{"title":"ConnectionException","detail":"This stream is currently at the maximum allowed'
    b' connection limit.","connection_issue":"TooManyConnections",'
    b'"type":"https://api.twitter.com/2/problems/streaming-connection"}'
)
_BARE = b'{"title": "ConnectionException"}'

FAULTS = (
    Fault("reset before any answer", Exchange.reset, Ending.UNREACHABLE),
    Fault("closed before any answer", lambda _exchange: None, Ending.UNREACHABLE),
    Fault("half a status line", lambda e: e.raw(b"HTTP/1.1 2"), Ending.UNREACHABLE),
    Fault("no answer at all", Exchange.hold, Ending.UNREACHABLE),
    Fault("400", _status(400), Ending.HTTP, wait_s=5),
    Fault("402", _status(402, b'{"title":"CreditsDepleted"}'), Ending.HTTP, wait_s=5),
    Fault("403 of a proxy's", _status(403, b"<html>no</html>"), Ending.HTTP, wait_s=5),
    Fault("403 for taken connections", _status(403, _TAKEN), Ending.TOO_MANY, wait_s=5),
    Fault("404", _status(404, b"no such thing"), Ending.HTTP, wait_s=5),
    Fault("500", _status(500), Ending.HTTP, wait_s=5),
    Fault("502 in HTML", _status(502, b"<html>" + b" " * 99_999), Ending.HTTP, wait_s=5),
    Fault("503 with Retry-After", _status(503, Retry_After="30"), Ending.HTTP, wait_s=30),
    Fault("504", _status(504), Ending.HTTP, wait_s=5),
    Fault("429 without a time", _status(429), Ending.RATE_LIMITED, wait_s=60),
    Fault("429 until a time", _rate_limited_until(400), Ending.RATE_LIMITED, wait_s=399),
    Fault("429 until long ago", _rate_limited_until(-900), Ending.RATE_LIMITED, wait_s=60),
    Fault("429 until next year", _rate_limited_until(3e7), Ending.RATE_LIMITED, wait_s=3600),
    Fault("420", _status(420), Ending.RATE_LIMITED, wait_s=60),
    Fault("429 for taken connections", _status(429, _TAKEN), Ending.RATE_LIMITED, wait_s=60),
    Fault("a refusal without end", _endless_refusal, Ending.HTTP, wait_s=5),
    Fault("accepted and closed at once", _accept_and_end, Ending.CLOSED, wait_s=5),
    Fault("accepted and reset at once", _accept_and_reset, Ending.RESET, wait_s=5),
    Fault("taken connections as a line", _line_and_end(_TAKEN), Ending.TOO_MANY, wait_s=5),
    Fault("a bare title as a line", _line_and_end(_BARE), Ending.TOO_MANY, wait_s=5),
    Fault("a heartbeat and closed", _heartbeat_and_end, Ending.CLOSED),
    Fault("closed in good order", deliver_and(3, Exchange.end), Ending.CLOSED, posts=3),
    Fault("closed without an end", deliver_and(3, lambda _: None), Ending.RESET, posts=3),
    Fault(
        "half a line and closed",
        deliver_and(2, _half_and_end),
        Ending.CLOSED,
        posts=2,
        dead_letters=1,
    ),
    Fault("half a line and reset", deliver_and(2, _half_and_reset), Ending.RESET),
    Fault("half a line and silence", deliver_and(2, _half_and_silence), Ending.SILENT, posts=2),
    Fault("silence", deliver_and(2, Exchange.hold), Ending.SILENT, posts=2),
    Fault("bytes that make no line", deliver_and(2, _drip), Ending.SILENT, posts=2),
    Fault("heartbeats and no post", deliver_and(2, _heartbeats_only), Ending.QUIET, posts=2),
    Fault(
        "a line that is no JSON",
        _line_between(b"<html>oops</html>"),
        Ending.CLOSED,
        posts=2,
        dead_letters=1,
    ),
    Fault(
        "a line that is no UTF-8",
        _line_between(b'{"data":"\xff"}'),
        Ending.CLOSED,
        posts=2,
        dead_letters=1,
    ),
    Fault("an empty object", _line_between(b"{}"), Ending.CLOSED, posts=2, dead_letters=1),
    Fault(
        "nesting without end", _line_between(b"[" * 50_000), Ending.CLOSED, posts=2, dead_letters=1
    ),
    Fault(
        "an overlong line", _line_between(b"x" * 3_000_000), Ending.CLOSED, posts=2, dead_letters=1
    ),
    Fault("a message of X's", _line_between(_OPERATIONAL), Ending.CLOSED, posts=2),
    Fault("other words in mid-stream", deliver_and(1, _in_other_words), Ending.CLOSED, posts=3),
    Fault("both vocabularies in one line", deliver_and(1, _in_both), Ending.CLOSED, posts=2),
    Fault("no matching rules", deliver_and(1, _without_rules), Ending.CLOSED, posts=2),
    Fault("a rule without a tag", deliver_and(1, _rule_without_tag), Ending.CLOSED, posts=2),
    Fault("posts in pieces", deliver_and(0, _in_pieces), Ending.CLOSED, posts=2),
    Fault("posts in one chunk", deliver_and(0, _in_one_chunk), Ending.CLOSED, posts=2),
    Fault("line feeds alone", deliver_and(0, _bare_line_feeds), Ending.CLOSED, posts=2),
    Fault("the same post twice", deliver_and(0, _twice), Ending.CLOSED, posts=1),
    Fault("compressed", _gzipped, Ending.CLOSED, posts=1),
    Fault("a compressed refusal", _compressed_refusal, Ending.HTTP, wait_s=5),
    Fault("compressed, it says", _no_gzip_though_it_says_so, Ending.CLIENT_FAULT, wait_s=5),
    Fault("chunked, it says", _no_chunks_though_it_says_so, Ending.RESET, wait_s=5),
)
"""In the order in which a connection meets them: before an answer, instead of one, after it."""

REFUSALS = (
    Fault("401 that repeats the token", _echo_token, Ending.HTTP),
    Fault("401 and nothing more", _status(401), Ending.HTTP),
    Fault("403", _status(403, b"{}"), Ending.HTTP),
    Fault(
        "403 with a reason",
        _status(403, b'{"title":"Client Forbidden","detail":"\\u001b[31mnot enrolled"}'),
        Ending.HTTP,
    ),
)
"""What no further attempt can mend: the client ends."""
