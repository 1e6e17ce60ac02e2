"""What the compliance streams ask for, and what is shown of them."""

from datetime import datetime
from functools import partial

from producers.compliance.compliance_lines import streamed_removal
from producers.compliance.telemetry import ComplianceTelemetry
from producers.parsing.provenance import Parsed
from producers.publishing.outgoing import SourceRecord
from producers.x_api.removals import SOURCE, parsed_removal
from producers.x_connection.buffer import LineBuffer
from producers.x_connection.received_line import ReceivedLine
from schemas.events import RawEvent


class ComplianceStream:
    """The `PublishedStream` of all partitions together, since `started_at`."""

    def __init__(
        self, buffer: LineBuffer, telemetry: ComplianceTelemetry, started_at: datetime
    ) -> None:
        self._buffer = buffer
        self._telemetry = telemetry
        self._content = f"{SOURCE}:{started_at:%Y%m%dT%H%M%SZ}"

    def read(self, line: ReceivedLine, number: int) -> tuple[SourceRecord, Parsed]:
        """Return the removal that a line asks for, or why there is none."""
        parsed = parsed_removal(partial(streamed_removal, line.raw, line.received_at))
        return SourceRecord(line.raw, self._content, number), parsed

    def taken(self, lines: list[ReceivedLine]) -> None:
        """Do nothing: no capture is made of what is gone."""

    def confirmed(self, lines: list[ReceivedLine], events: list[RawEvent]) -> None:
        """Do nothing: what was missed between connections is found by the daily run."""

    def meanwhile(self) -> None:
        """Show how things are."""
        self._telemetry.show(self._buffer.waiting_lines)
