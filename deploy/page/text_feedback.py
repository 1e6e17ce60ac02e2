"""What people say of texts that are no stored tweets: locked once given, until it is taken back."""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import Final, NamedTuple

from deploy.web.access.scopes import Scope
from model_server.http.caller import Caller
from model_server.http.problems import Refused
from model_server.prediction_log.log_store import logged_text
from retrain.labels.feedback.give_feedback import Labeller, correct_text
from retrain.labels.feedback.text_labels import (
    delete_text_label,
    sha256_of_text,
    stored_text_label,
    stored_text_labels,
)
from schemas.storable_text import storable_text
from schemas.transport.postgres import Connection

_LOCKED: Final = "It is theirs to take back; a key with the scope operate may do it too."


class SaidOfText(NamedTuple):
    """The label that somebody has given, and whether who looks may take it back."""

    label: str
    labeller: str
    labelled_at: datetime
    may_take_back: bool


def said_of(connection: Connection, caller: Caller, texts: Sequence[str]) -> dict[str, SaidOfText]:
    """Return what is said of texts, by text."""
    by_hash = {text: sha256_of_text(storable_text(text)) for text in texts}
    with connection, connection.cursor() as cur:
        stored = stored_text_labels(cur, by_hash.values())
    return {
        text: SaidOfText(
            label=stored[sha256].label,
            labeller=stored[sha256].labeller,
            labelled_at=stored[sha256].labelled_at,
            may_take_back=_may_take_back(caller, stored[sha256].labeller),
        )
        for text, sha256 in by_hash.items()
        if sha256 in stored
    }


def say(
    connection: Connection, caller: Caller, text: str, label: str, labels: Collection[str]
) -> None:
    """Store a label of a text; raise `Refused` where it has another one, or there is no such."""
    if label not in labels:
        raise Refused(
            422, "unknown-label", "There is no such label.", f"There are {', '.join(labels)}."
        )
    stored = said_of(connection, caller, [text]).get(text)
    if stored is not None and stored.label != label:
        raise Refused(409, "locked", "This text has a label.", "Take that back first.")
    labeller = Labeller(name=caller.name, overrules=Scope.OPERATE in caller.scopes)
    correct_text(connection, labeller, storable_text(text), label, datetime.now(UTC))


def take_back(connection: Connection, caller: Caller, text: str) -> None:
    """Delete a text with its label; one without a label is left. Raise `Refused`."""
    sha256 = sha256_of_text(storable_text(text))
    with connection, connection.cursor() as cur:
        stored = stored_text_label(cur, sha256)
        if stored is None:
            return
        if not _may_take_back(caller, stored.labeller):
            raise Refused(409, "locked", "Somebody else has labelled this.", _LOCKED)
        delete_text_label(cur, sha256)


def text_of_prediction(connection: Connection, prediction_id: str) -> str:
    """Return a logged text; raise `Refused` where it is not kept any more."""
    text = logged_text(connection, prediction_id)
    if text is None or not text.strip():
        raise Refused(
            404, "not-there", "There is no such thing.", "This prediction is not kept any more."
        )
    return text


def _may_take_back(caller: Caller, labeller: str) -> bool:
    return labeller == caller.name or Scope.OPERATE in caller.scopes
