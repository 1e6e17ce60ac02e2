"""The client for programs without asyncio."""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, TypeVar

import requests

from deploy.client import calls
from deploy.client.calls import Call
from model_server.explaining.explain import Method
from model_server.http.explanation_types import ExplainResponse
from model_server.http.model_router import ModelInfo
from model_server.http.prediction_types import PredictBatchResponse, PredictResponse
from retrain.labels.feedback.give_feedback import GivenFeedback

Answer = TypeVar("Answer")
_TEXTS_AT_ONCE: Final = 512


class Client:
    """Calls a service at `address`, with a key where it wants one. Use it in `with`.

    Where the service is busy a call is sent again, up to `attempts` times, after as long as it
    asks for. Raises `RefusedByMurmur`, and what `requests` raises where nobody answers.
    """

    def __init__(
        self,
        address: str = "http://127.0.0.1:8100",
        key: str | None = None,
        *,
        timeout_s: float = 60.0,
        attempts: int = 5,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._address = address.rstrip("/")
        self._timeout_s = timeout_s
        self._attempts = attempts
        self._sleep = sleep
        self._session = requests.Session()
        if key is not None:
            self._session.headers["Authorization"] = f"Bearer {key}"

    def __enter__(self) -> "Client":
        """Return itself."""
        return self

    def __exit__(self, *fault: object) -> None:
        """Close the connections."""
        self._session.close()

    def predict(
        self, text: str, *, language: str | None = None, rules: Sequence[str] = ()
    ) -> PredictResponse:
        """Return the label of a text."""
        return self.send(calls.predict(text, language=language, rules=rules))

    def predict_batch(
        self, texts: Sequence[str], *, language: str | None = None, rules: Sequence[str] = ()
    ) -> list[PredictBatchResponse]:
        """Return the labels of any number of texts, 512 an answer, in their order."""
        return [
            self.send(
                calls.predict_batch(
                    texts[start : start + _TEXTS_AT_ONCE], language=language, rules=rules
                )
            )
            for start in range(0, len(texts), _TEXTS_AT_ONCE)
        ]

    def explain(
        self, text: str, *, method: Method = Method.LEAVE_ONE_OUT, label: str | None = None
    ) -> ExplainResponse:
        """Return the weight of each word in a label."""
        return self.send(calls.explain(text, method=method, label=label))

    def feedback(self, label: str | None, **of: str) -> GivenFeedback:
        """Say what a thing is: `text`, `prediction_id`, `run` and `tweet_id`, or `ticket`."""
        return self.send(calls.feedback(label, **of))

    def model_info(self) -> ModelInfo:
        """Return which model answers."""
        return self.send(calls.model_info())

    def figures(self, path: str, **query: str | Sequence[str]) -> dict[str, Any]:
        """Return figures: `figures("/totals", run="spring", from_="2h")`."""
        return self.send(calls.figures(path, **query))

    def tweets(self, **query: str | Sequence[str]) -> Iterator[dict[str, Any]]:
        """Yield a run's tweets page by page, from the highest id to the lowest."""
        page = self.figures("/tweets", **query)
        while True:
            yield from page["tweets"]
            if page["next"] is None:
                return
            page = self.figures("/tweets", **{**query, "cursor": page["next"]})

    def send(self, call: Call[Answer]) -> Answer:
        """Send a call and return its answer."""
        for attempts_left in range(self._attempts - 1, -1, -1):
            answer = self._session.request(
                call.method,
                f"{self._address}{call.path}",
                params=dict(call.query),
                data=call.content(),
                headers={"Content-Type": "application/json"},
                timeout=self._timeout_s,
            )
            wait_s = calls.wait_of(
                answer.status_code, answer.headers.get("Retry-After"), attempts_left
            )
            if wait_s is None:
                break
            self._sleep(wait_s)
        return calls.answered(call, answer.status_code, answer.content)
