"""The one error that parsing raises."""

from schemas.codec import Reason


class Unparsable(Exception):
    """Something from outside that will never be an event. Never carries the text itself."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail
