"""Reading JSON whose objects are documents of X, however they lie in the file."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

import msgspec

from producers.archives.json_elements import json_elements
from producers.archives.lines import MAX_LINE_BYTES
from producers.archives.records import Lines, Record
from producers.formats.data_frames import frame_rows
from producers.formats.documents_on_a_line import documents_on
from producers.formats.json_sniffing import JsonLayout, json_layout, tweets_within
from producers.parsing.faults import Unparsable
from producers.parsing.json_values import plain_json
from producers.parsing.provenance import Origin, Parsed, Refused
from producers.parsing.tweet_context import JoinedContext
from schemas.codec import Reason

ParseDocument = Callable[[bytes, Origin, datetime, int, int], Parsed]
"""Returns what a document holds, given its line and its place on that; may raise `Unparsable`."""

TakeApart = Callable[[Record], Iterator[Record]]
"""Returns the tweets of a document, each as a document of its own."""

BULK_ACTION: Final = "bulk-action"
_BULK_ACTION: Final = re.compile(rb'\s*\{\s*"(?:index|create)"\s*:\s*\{[^{}]*\}\s*\}\s*\Z')
"""What stands before each document in Elasticsearch's bulk files."""

EMPTIED: Final = "line-of-nul-bytes"
"""What a file system leaves where it lost what was written before a crash."""

LARGE_DOCUMENT_BYTES: Final = MAX_LINE_BYTES
_LONG_BYTES: Final = 256 * 1024
_MOST_OBJECTS: Final = 400_000
"""A page of 500 tweets has some 10,000. Of what is more, every object would take memory at once."""


@dataclass(frozen=True)
class DocumentReader:
    """Reads each object of a file as one document, and the tweets of arrays that are one.

    A line that holds an array of tweets, or an object with one, is the tweets in it.
    """

    parse_document: ParseDocument
    layout: JsonLayout = field(default_factory=JsonLayout)
    max_document_bytes: int = MAX_LINE_BYTES
    known_fields: frozenset[str] | None = None
    take_apart: TakeApart | None = None

    @property
    def taken_for(self) -> tuple[tuple[str, str], ...]:
        """Fields that were taken for others without being asked."""
        return self.layout.wrapping.taken_for

    @property
    def max_line_bytes(self) -> int:
        """How long a line may be that is one document."""
        return self.max_document_bytes if self.layout.is_cut else MAX_LINE_BYTES

    @property
    def passed_over(self) -> tuple[str, ...]:
        """Fields that no document of X has, where it is known which it has."""
        if self.known_fields is None:
            return ()
        return tuple(
            name for name in self.fields if name.removeprefix("data.") not in self.known_fields
        )

    @property
    def in_parts(self) -> bool:
        """Whether lines may be of any length."""
        return not self.layout.a_document_a_line

    @property
    def reading(self) -> str:
        """What tells these records from those of another reading."""
        return self.layout.described

    @property
    def fields(self) -> tuple[str, ...]:
        """The names of the fields found in the beginning."""
        return self.layout.fields

    def records(self, lines: Lines) -> Iterator[Record]:
        """Yield each line, or each object where they lie otherwise."""
        if self.layout.frame is not None:
            documents = frame_rows(lines, self.layout.frame)
        elif self.layout.a_document_a_line:
            documents = lines
        else:
            documents = json_elements(lines, self.max_document_bytes, under=self.layout.under)
        return documents if self.take_apart is None else self._taken_apart(documents)

    def _taken_apart(self, documents: Iterator[Record]) -> Iterator[Record]:
        for document in documents:
            if self.take_apart is None or len(document.raw) <= LARGE_DOCUMENT_BYTES:
                yield document
            else:
                yield from self.take_apart(document)

    def parse(self, record: Record, origin: Origin, received_at: datetime) -> Parsed:
        """Return what a document holds."""
        if len(record.raw) > _LONG_BYTES and record.raw.count(b"{") > _MOST_OBJECTS:
            detail = f"the document holds more than {_MOST_OBJECTS:,} objects: split it"
            raise Unparsable(Reason.TOO_LARGE, detail)
        raw = self.layout.wrapping.bare(record.raw) if self.layout.wrapping else record.raw
        whole = self._parsed(raw, origin, received_at, record.line, record.place)
        if whole.events or not any(refused.raw is None for refused in whole.refused):
            return whole
        if _BULK_ACTION.match(record.raw):
            return Parsed(skipped=[BULK_ACTION])
        if [refused.reason for refused in whole.refused] == [Reason.NOT_JSON]:
            parts = documents_on(record.raw)
            if not parts:
                return Parsed(skipped=[EMPTIED])
            if parts != [record.raw]:
                return self._each(parts, record, origin, received_at)
        tweets = _tweets_of(record.raw)
        return self._each(tweets, record, origin, received_at) if tweets else whole

    def _parsed(
        self, raw: bytes, origin: Origin, received_at: datetime, line: int, place: int
    ) -> Parsed:
        try:
            return self.parse_document(raw, origin, received_at, line, place)
        except Unparsable as fault:
            return Parsed(refused=[Refused(fault.reason, fault.detail)])

    def _each(
        self, tweets: list[bytes], record: Record, origin: Origin, received_at: datetime
    ) -> Parsed:
        """Return what the tweets of one line are."""
        whole = Parsed()
        contexts = []
        for place, alone in enumerate(tweets, record.place):
            bare = self.layout.wrapping.bare(alone) if self.layout.wrapping else alone
            parsed = self._parsed(bare, origin, received_at, record.line, place)
            contexts.append(parsed.context)
            whole.events.extend(parsed.events)
            whole.skipped.extend(parsed.skipped)
            whole.dropped.extend(parsed.dropped)
            whole.overruled_times += parsed.overruled_times
            whole.refused.extend(
                replace(each, place=place - record.place, raw=alone) for each in parsed.refused
            )
        whole.context = JoinedContext(tuple(contexts))
        return whole


def document_reader(
    beginning: bytes,
    parse_document: ParseDocument,
    max_document_bytes: int = MAX_LINE_BYTES,
    known_fields: frozenset[str] | None = None,
    take_apart: TakeApart | None = None,
) -> DocumentReader:
    """Return the reader of a file that begins so; `take_apart` is for documents above 8 MiB."""
    layout = json_layout(beginning)
    return DocumentReader(parse_document, layout, max_document_bytes, known_fields, take_apart)


def _tweets_of(raw: bytes) -> list[bytes] | None:
    """Return the tweets that a line holds, None where it holds none that can be parted."""
    try:
        tweets = tweets_within(plain_json(raw))
        return None if tweets is None else [msgspec.json.encode(tweet) for tweet in tweets]
    except (Unparsable, RecursionError, TypeError, ValueError):
        return None
