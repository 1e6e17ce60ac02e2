"""Decisions: how a label is chosen from a model's probabilities on one run, and their event.

The topic `decisions` is compacted and keyed by the run. A message is the whole decision that is in
use, never a part of one; an empty value ends its use.
"""

import hashlib
from collections.abc import Callable
from typing import Annotated, Final, NamedTuple

import msgspec
from msgspec import Meta, Struct

from schemas.codec import InvalidEvent, Reason
from schemas.events import Moment, RunName
from schemas.topics import MAX_EVENT_BYTES

Label = Annotated[str, Meta(min_length=1, max_length=100)]
Rule = Annotated[str, Meta(min_length=1, max_length=512)]


MOST_BIAS: Final = 50.0
"""Far beyond what outweighs any probability, and near enough that sums stay numbers."""


class Gain(Struct, frozen=True, kw_only=True):
    """A figure of the model's own labels, the same of the decided ones, and how much it bettered.

    `gain` is above 0 where the decision is better; `low` and `high` are its 95 % interval. All are
    None where there was nothing to measure.
    """

    own: float | None
    decided: float | None
    gain: float | None
    low: float | None
    high: float | None


class DecisionFigures(Struct, frozen=True, kw_only=True):
    """What a decision gains on audits that it was not fitted on.

    `share_error` is the total variation between the shares of the labels and those of people.
    """

    accuracy: Gain
    macro_recall: Gain
    share_error: Gain


class Decision(Struct, frozen=True, kw_only=True):
    """One bias for each label, added to the logarithms of a model's probabilities.

    It applies to the scores that one model gave the tweets of one run. Biases follow `labels`;
    `biases_by_rule` are those of tweets that match a rule, already shrunk towards `biases`.
    `audits` is how many labels of people it was fitted on.
    """

    run: RunName
    model_sha256: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$")]
    labels: Annotated[tuple[Label, ...], Meta(min_length=2, max_length=50)]
    biases: tuple[float, ...]
    biases_by_rule: dict[Rule, tuple[float, ...]]
    audits: Annotated[int, Meta(ge=0)]
    fitted_at: Moment
    figures: DecisionFigures

    def __post_init__(self) -> None:
        """Raise `ValueError` unless every label has one bias everywhere, within the bound."""
        if len(set(self.labels)) != len(self.labels):
            raise ValueError("a label is named twice")
        for biases in (self.biases, *self.biases_by_rule.values()):
            if len(biases) != len(self.labels):
                raise ValueError("there is not one bias for each label")
            if not all(abs(bias) <= MOST_BIAS for bias in biases):
                raise ValueError(f"a bias is not between -{MOST_BIAS} and {MOST_BIAS}")


class NamedDecision(NamedTuple):
    """A decision with its id, which is then made once."""

    id: str
    decision: Decision


class DecisionChosen(Struct, frozen=True, kw_only=True, tag=True, tag_field="type"):
    """Somebody chose a decision: the tweets of its run are decided by it from now on."""

    decision: Decision
    chosen_at: Moment


_canonical: Final[Callable[[Decision], bytes]] = msgspec.json.Encoder(order="sorted").encode
_event_decoder: Final = msgspec.json.Decoder(DecisionChosen)
_decision_decoder: Final = msgspec.json.Decoder(Decision)


def canonical_json(decision: Decision) -> bytes:
    """Return the JSON that identifies a decision: names sorted, no space, UTF-8."""
    return _canonical(decision)


def decision_id(decision: Decision) -> str:
    """Return the first 16 hexadecimal digits of the SHA-256 of the canonical JSON."""
    return hashlib.sha256(canonical_json(decision)).hexdigest()[:16]


def named(decision: Decision) -> NamedDecision:
    """Return a decision with its id."""
    return NamedDecision(decision_id(decision), decision)


def decision_of_json(content: str | bytes) -> Decision:
    """Return a decision of its JSON; raise `msgspec.ValidationError` where it is none."""
    return _decision_decoder.decode(content)


def encode_chosen(event: DecisionChosen) -> bytes:
    """Return the value of a message of the topic."""
    return msgspec.json.encode(event)


def decode_chosen(value: bytes) -> DecisionChosen:
    """Return the event of a message; raise `InvalidEvent` and nothing else."""
    if len(value) > MAX_EVENT_BYTES:
        raise InvalidEvent(Reason.TOO_LARGE, f"{len(value)} bytes, at most {MAX_EVENT_BYTES}")
    try:
        return _event_decoder.decode(value)
    except msgspec.ValidationError as error:
        raise InvalidEvent(Reason.INVALID_EVENT, str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidEvent(Reason.NOT_JSON, str(error)) from None
