"""A broken line costs itself: its neighbours are read, and stay who they are."""

import json

from hypothesis import assume, example, given
from hypothesis import strategies as st

from producers.archives.lines import LineReader
from producers.formats.archive_format import parse_record
from schemas.events import TweetPosted
from tests.unit.archive_readers import NOW, ORIGIN, READERS


def _line_of(name: str, number: int) -> bytes:
    """A tweet of a format on a line; its text has no quote and no line end."""
    own_id, text = 1_590_000_000_000_000_000 + number, f"{number} words"
    match name:
        case "semeval":
            return b"%d\tneutral\t%s" % (own_id, text.encode())
        case "tsv":
            return b"%d\tx\t%s" % (own_id, text.encode())
        case "csv":
            return b"%d,%s,,," % (own_id, text.encode())
        case "sentiment140":
            return b'"4","%d","Mon Apr 06 22:19:45 PDT 2009","q","u","%s"' % (own_id, text.encode())
        case "twcs":
            return b"%d,1,True,Tue Oct 31 22:10:47 +0000 2017,%s," % (own_id, text.encode())
        case _:
            tweet: dict[str, object] = {"id": own_id, "text": text}
            if name == "x-graphql":
                tweet = {"rest_id": str(own_id), "legacy": {"full_text": text}}
            return json.dumps(tweet).encode()


_broken = st.binary(max_size=30).filter(lambda raw: b"\n" not in raw)


@given(
    st.sampled_from([name for name in READERS if name not in ("tweeteval", "account-export")]),
    st.lists(st.none() | _broken, min_size=1, max_size=12),
)
@example("csv", [None, b'"open', None])
@example("sentiment140", [b'"', None, b'"', None])
@example("x-v2", [b'{"data":', None])
def test_broken_lines_cost_no_sound_one(name: str, places: list[bytes | None]) -> None:
    """Each sound line becomes its own tweet, whatever lies before, between and behind."""
    lines = [_line_of(name, n) if raw is None else raw for n, raw in enumerate(places)]
    # Two stray quotes enclose what lies between, in any format that has quotes.
    assume(name not in ("csv", "twcs") or sum(b'"' in raw for raw in places if raw) < 2)
    content = b"\n".join([b"header,columns", *lines]) if name == "twcs" else b"\n".join(lines)
    events = [
        event
        for record in READERS[name].records(iter(LineReader([content])))
        for event in parse_record(READERS[name], record, ORIGIN, NOW).events
    ]
    found = [(e.tweet_id, e.text) for e in events if isinstance(e, TweetPosted)]
    wanted = [
        (str(1_590_000_000_000_000_000 + number), f"{number} words")
        for number, raw in enumerate(places)
        if raw is None
    ]
    assert [each for each in found if each in wanted] == wanted
