"""W3C's trace context in the headers of messages: handed on unchanged, and named in logs.

Whoever publishes to `tweets.raw` may send `traceparent` and `tracestate`. Murmur makes no spans of
its own: one a tweet would be more work than the tweet. It hands both on, so that what reads
`tweets.scored` or the dead letters goes on with the same trace, and logs the id of those traces
that are marked as sampled.
"""

import re
from typing import Final

from schemas.codec import Headers

TRACEPARENT: Final = "traceparent"
TRACESTATE: Final = "tracestate"
_MAX_STATE_BYTES: Final = 8_192
# https://www.w3.org/TR/trace-context/#traceparent-header; later versions may be longer.
_PARENT: Final = re.compile(
    rb"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-([0-9a-f]{2})(-.{0,200})?",
    re.DOTALL,
)
_SAMPLED: Final = 0x01


def trace_context(headers: Headers) -> Headers:
    """Return what of the headers is a trace context, byte for byte; nothing where it is not valid.

    As W3C says: a state without a valid parent is dropped, and so is a parent that stands twice.
    """
    parents = [value for name, value in headers if name == TRACEPARENT]
    if len(parents) != 1 or not _PARENT.fullmatch(parents[0]):
        return []
    states = [
        (name, value)
        for name, value in headers
        if name == TRACESTATE and len(value) <= _MAX_STATE_BYTES
    ]
    return [(TRACEPARENT, parents[0]), *states]


def sampled_trace(headers: Headers) -> str | None:
    """Return the id of the trace where its sender records it, in 32 hexadecimal digits."""
    for name, value in headers:
        if name == TRACEPARENT:
            found = _PARENT.fullmatch(value)
            if found and int(found[2], 16) & _SAMPLED:
                return found[1].decode()
    return None
