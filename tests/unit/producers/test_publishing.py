"""What is read becomes messages: each event encoded once, each refusal with its place."""

import sys
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from types import BuiltinFunctionType, FrameType
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.parsing.provenance import Origin, Parsed, Refused
from producers.publishing.destination import Destination
from producers.publishing.outgoing import SourceRecord, outgoing
from producers.rules.language import parse_rule
from producers.rules.rules_file import WantedRule
from producers.rules.tag_with_rules import RuleMatcher
from producers.x_api.removals import parsed_removal, removal_of
from producers.x_api.v2_documents import parse_document
from schemas.codec import Reason, decode_raw
from schemas.events import MatchedRule, TweetPosted
from schemas.topics import MAX_EVENT_BYTES
from schemas.transport.dead_letters import SourcePosition, from_message
from tests.benchmarks.archive_lines import LINES
from tests.unit.examples import posted

NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
TO = Destination("raw", "dead-letter", "spring", "replay")
ORIGIN = Origin("spring", NOW, "x-v2", "0" * 64)
NOWHERE = SourcePosition("elsewhere", 0, 0)
TRAINS = RuleMatcher(((WantedRule("trains", "ours"), parse_rule("trains from:somebody")),))
BARE = {"id": "1590000000000000031", "text": "late again"}


def calls(of: Callable[[], object]) -> Counter[str]:
    """Return how often msgspec's decoders and encoders were called."""
    found: Counter[str] = Counter()

    def profile(_frame: FrameType, event: str, called: Any) -> None:
        if event == "c_call" and isinstance(called, BuiltinFunctionType):
            owner = called.__self__
            if isinstance(owner, msgspec.json.Decoder | msgspec.json.Encoder):
                found[type(owner).__name__] += 1

    sys.setprofile(profile)
    try:
        of()
    finally:
        sys.setprofile(None)
    return found


@pytest.mark.parametrize("line", [*LINES.values(), BARE], ids=[*LINES, "bare"])
def test_a_line_is_decoded_once_and_its_event_encoded_once(line: dict[str, Any]) -> None:
    raw = msgspec.json.encode(line)

    def publish() -> None:
        parsed = parse_document(raw, ORIGIN, NOW, 1)
        assert len(outgoing(SourceRecord(raw, "file:0", 1), parsed, TO).events) == 1

    assert calls(publish) == {"Decoder": 1, "Encoder": 1}


def test_rules_decode_no_more_than_what_stands_beside_the_tweets() -> None:
    raw = msgspec.json.encode(LINES["full"])
    parsed = parse_document(raw, ORIGIN, NOW, 1)
    # The accounts, and the attachments of the one tweet.
    assert calls(lambda: TRAINS.tag(parsed))["Decoder"] == 2
    (event,) = parsed.events
    assert isinstance(event, TweetPosted)
    assert [rule.tag for rule in event.rules] == ["ours", "trains"]


def test_an_event_that_is_too_large_is_a_dead_letter_with_its_place() -> None:
    large = posted(rules=tuple([MatchedRule(tag="x" * 512)] * (MAX_EVENT_BYTES // 512)))
    parsed = Parsed(
        events=[posted(), large],
        refused=[Refused(Reason.NOT_JSON, "no JSON", 5, b"{")],
    )
    record = SourceRecord(b"a page", "file:abc", 7, place=1, timestamp_ms=3, name="page.json")
    found = outgoing(record, parsed, TO)
    assert [decode_raw(message.value) for message in found.events] == [posted()]
    assert parsed.refused == [Refused(Reason.NOT_JSON, "no JSON", 5, b"{")]
    first, second = (
        from_message(None, letter.value, letter.headers, NOWHERE) for letter in found.dead_letters
    )
    assert (first.reason, first.value) == ("not-json", b"{")
    assert first.detail == "page.json:7: no JSON"
    assert first.position == SourcePosition("file:abc", 6, 7, 3)
    assert (second.reason, second.value) == ("too-large", b"a page")
    assert second.position == SourcePosition("file:abc", 2, 7, 3)
    assert (second.run, second.stage) == ("spring", "replay")


@given(st.lists(st.text(min_size=1, max_size=20), max_size=5), st.integers(0, 5))
def test_nothing_of_a_record_is_lost(texts: list[str], refused: int) -> None:
    events = [posted(text=text) for text in texts]
    faults = [Refused(Reason.NOT_JSON, "no JSON", place) for place in range(refused)]
    found = outgoing(SourceRecord(b"", "file:abc", 1), Parsed(list(events), faults), TO)
    assert [message.event for message in found.events] == events
    assert [letter.reason for letter in found.dead_letters] == [Reason.NOT_JSON] * refused


def test_a_source_without_a_name_leaves_the_detail_as_it_is() -> None:
    parsed = parsed_removal(lambda: removal_of(b"{}", "tweets", NOW))
    (letter,) = outgoing(SourceRecord(b"{}", "x-v2:compliance:1", 4), parsed, TO).dead_letters
    read = from_message(None, letter.value, letter.headers, NOWHERE)
    assert (read.detail, read.position) == ("id", SourcePosition("x-v2:compliance:1", 0, 4))


def test_a_line_that_asks_for_nothing_is_counted_by_its_word() -> None:
    harmless = b'{"id":"1","reason":"scrub_geo"}'
    assert parsed_removal(lambda: removal_of(harmless, "users", NOW)).skipped == ["skipped"]
    assert parsed_removal(lambda: "user_unsuspend").skipped == ["user_unsuspend"]
