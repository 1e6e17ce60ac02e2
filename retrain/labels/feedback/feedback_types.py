"""What the calls of labelling take and give."""

from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from model_server.http.prediction_types import RequestText
from retrain.labels.queue.draw import Part
from schemas.people_labels import LabelOrigin
from schemas.storable_text import StorableName


class FeedbackRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A label of one thing: a text, a logged prediction, a stored tweet, or one of the queue.

    `text`: a text of one's own. `prediction_id`: as `/predict` gave it, where predictions are
    logged. `run` and `tweet_id`: a stored tweet. Those three are corrections. `ticket`: as
    `/labels/queue` gave it; only then it is an audit. `label` null: unsure; a text needs a label.
    """

    label: StorableName | None
    text: RequestText | None = None
    prediction_id: Annotated[str, Meta(max_length=36)] | None = None
    run: StorableName | None = None
    tweet_id: StorableName | None = None
    ticket: Annotated[str, Meta(min_length=1, max_length=2_000)] | None = None


class QueuedTweet(Struct, frozen=True, kw_only=True):
    """A tweet to be labelled, without the model's answer. The ticket is sent with the label.

    `copy_of` is an earlier one of the queue with the same text: its answer is this one's too.
    """

    ticket: str
    root_id: str
    version: int
    origin: LabelOrigin
    part: Part
    rule: str | None
    copy_of: str | None
    text: str


class QueueAnswer(Struct, frozen=True, kw_only=True):
    """The next tweets of a run, and the labels that they may get."""

    run: str
    labels: list[str]
    queue: list[QueuedTweet]


feedback_decoder: Final = msgspec.json.Decoder(FeedbackRequest)
