"""Up to which record everything is confirmed, while confirmations arrive in any order."""

from collections import deque

from producers.replay.positions import FilePosition


class PendingRecord:
    """Counts what of one record is still unconfirmed."""

    __slots__ = ("dead_letters", "events", "member", "unconfirmed")

    def __init__(self, events: int, dead_letters: int, member: int) -> None:
        self.events = events
        self.dead_letters = dead_letters
        self.member = member
        self.unconfirmed = events + dead_letters

    def confirm(self) -> None:
        """Note that one of the record's messages is with the brokers."""
        self.unconfirmed -= 1


class AckTracker:
    """Turns confirmations of single messages into a position below which nothing is missing."""

    def __init__(self, start: FilePosition) -> None:
        self._position = start
        self._open: deque[PendingRecord] = deque()

    def open(self, events: int, dead_letters: int, member: int = 0) -> PendingRecord:
        """Begin the next record; what is returned must be confirmed once for each of its messages.

        `member` is the number of the file within a tar that holds it; numbers never fall.
        """
        ticket = PendingRecord(events, dead_letters, member)
        self._open.append(ticket)
        return ticket

    def position(self) -> FilePosition:
        """Return the position after the last record of an unbroken row of confirmed ones."""
        before = self._position
        records, events, dead_letters = 0, 0, 0
        members_done, records_before = before.members_done, before.records_before_member
        while self._open and self._open[0].unconfirmed == 0:
            ticket = self._open.popleft()
            if ticket.member != members_done:
                members_done, records_before = ticket.member, before.records_done + records
            records += 1
            events += ticket.events
            dead_letters += ticket.dead_letters
        if records:
            self._position = FilePosition(
                before.records_done + records,
                before.events_published + events,
                before.dead_letters + dead_letters,
                members_done=members_done,
                records_before_member=records_before,
            )
        return self._position
