"""Where a page of logged predictions ends, as a text that an address can hold."""

import base64
from datetime import UTC, datetime
from uuid import UUID

from model_server.http.problems import Refused
from model_server.prediction_log.log_store import LoggedPrediction


def cursor_of(last: LoggedPrediction) -> str:
    """Return the cursor of the page that follows this prediction."""
    place = f"{last.asked_at.astimezone(UTC).isoformat()} {last.prediction_id}"
    return base64.urlsafe_b64encode(place.encode()).decode()


def place_of(cursor: str) -> tuple[datetime, str]:
    """Return the last prediction of the page before, its time and its id; raise `Refused`."""
    try:
        at, _, id_ = base64.urlsafe_b64decode(cursor.encode()).decode().partition(" ")
        return datetime.fromisoformat(at), str(UUID(id_))
    except ValueError:
        raise Refused(422, "invalid", "A parameter is wrong.", "cursor: not of a page.") from None
