"""What each call sends and what comes back. Pure: the clients send it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Generic, TypeVar

import msgspec

from model_server.explaining.explain import Method
from model_server.http.explanation_types import ExplainResponse
from model_server.http.model_router import ModelInfo
from model_server.http.prediction_types import PredictBatchResponse, PredictResponse
from model_server.http.problems import Problem
from retrain.labels.feedback.give_feedback import GivenFeedback

Answer = TypeVar("Answer")

WAITS: Final = frozenset({429, 503})
MOST_WAIT_S: Final = 60.0


class RefusedByMurmur(Exception):
    """The service refused a call; `problem` says what kind of refusal it is, and what helps."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(f"{problem.title} {problem.detail}")
        self.problem = problem


@dataclass(frozen=True)
class Call(Generic[Answer]):
    """A call and the type of its answer."""

    method: str
    path: str
    answer: type[Answer]
    query: Mapping[str, str | Sequence[str]] = field(default_factory=dict)
    body: Any = None

    def content(self) -> bytes | None:
        """Return the body as it is sent."""
        return None if self.body is None else msgspec.json.encode(self.body)


def predict(text: str, *, language: str | None, rules: Sequence[str]) -> Call[PredictResponse]:
    """Ask for the label of a text."""
    body = {"text": text, "language": language, "rules": list(rules)}
    return Call("POST", "/predict", PredictResponse, body=body)


def predict_batch(
    texts: Sequence[str], *, language: str | None, rules: Sequence[str]
) -> Call[PredictBatchResponse]:
    """Ask for the labels of up to 512 texts."""
    body = {"texts": list(texts), "language": language, "rules": list(rules)}
    return Call("POST", "/predict/batch", PredictBatchResponse, body=body)


def explain(text: str, *, method: Method, label: str | None) -> Call[ExplainResponse]:
    """Ask for the weight of each word."""
    body = {"text": text, "method": method, "label": label}
    return Call("POST", "/explain", ExplainResponse, body=body)


def feedback(label: str | None, **of: str) -> Call[GivenFeedback]:
    """Say what something is: `text`, `prediction_id`, `run` and `tweet_id`, or `ticket`."""
    return Call("POST", "/feedback", GivenFeedback, body={"label": label, **of})


def model_info() -> Call[ModelInfo]:
    """Ask which model answers."""
    return Call("GET", "/model/info", ModelInfo)


def figures(path: str, **query: str | Sequence[str]) -> Call[dict[str, Any]]:
    """Ask for figures, such as `/totals` or `/series`; `from_` is the parameter `from`."""
    named = {name.rstrip("_"): value for name, value in query.items()}
    return Call("GET", path, dict[str, Any], query=named)


def answered(call: Call[Answer], status: int, content: bytes) -> Answer:
    """Return the answer; raise `RefusedByMurmur`."""
    if status >= 400:
        try:
            problem = msgspec.json.decode(content, type=Problem)
        except msgspec.DecodeError:
            problem = Problem(
                type="about:blank", title=f"Status {status}.", status=status, detail=""
            )
        raise RefusedByMurmur(problem)
    return msgspec.json.decode(content, type=call.answer)


def wait_of(status: int, retry_after: str | None, attempts_left: int) -> float | None:
    """Return how long to wait before the call is sent again; None: it is not."""
    if status not in WAITS or attempts_left <= 0:
        return None
    try:
        return min(MOST_WAIT_S, max(0.0, float(retry_after or "1")))
    except ValueError:
        return 1.0
