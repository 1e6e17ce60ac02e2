"""The client for programs that use asyncio."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from types import TracebackType
from typing import Any, Final, TypeVar

import aiohttp

from deploy.client import calls
from deploy.client.calls import Call
from model_server.explaining.explain import Method
from model_server.http.explanation_types import ExplainResponse
from model_server.http.model_router import ModelInfo
from model_server.http.prediction_types import PredictBatchResponse, PredictResponse
from retrain.labels.feedback.give_feedback import GivenFeedback

Answer = TypeVar("Answer")
_TEXTS_AT_ONCE: Final = 512
_PARTS_AT_ONCE: Final = 4


class AsyncClient:
    """As `Client`, but for `async with`; raises what `aiohttp` raises where nobody answers."""

    def __init__(
        self,
        address: str = "http://127.0.0.1:8100",
        key: str | None = None,
        *,
        timeout_s: float = 60.0,
        attempts: int = 5,
    ) -> None:
        self._address = address.rstrip("/")
        self._headers = {"Content-Type": "application/json"}
        if key is not None:
            self._headers["Authorization"] = f"Bearer {key}"
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)
        self._attempts = attempts
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> "AsyncClient":
        """Open the session."""
        self._session = aiohttp.ClientSession(headers=self._headers, timeout=self._timeout)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()

    async def predict(
        self, text: str, *, language: str | None = None, rules: Sequence[str] = ()
    ) -> PredictResponse:
        """Return the label of a text."""
        return await self.send(calls.predict(text, language=language, rules=rules))

    async def predict_batch(
        self, texts: Sequence[str], *, language: str | None = None, rules: Sequence[str] = ()
    ) -> list[PredictBatchResponse]:
        """Return the labels of any number of texts, 512 an answer, in their order."""
        parts = [
            calls.predict_batch(
                texts[start : start + _TEXTS_AT_ONCE], language=language, rules=rules
            )
            for start in range(0, len(texts), _TEXTS_AT_ONCE)
        ]
        turns = asyncio.Semaphore(_PARTS_AT_ONCE)

        async def one(part: Call[PredictBatchResponse]) -> PredictBatchResponse:
            async with turns:
                return await self.send(part)

        return list(await asyncio.gather(*map(one, parts)))

    async def explain(
        self, text: str, *, method: Method = Method.LEAVE_ONE_OUT, label: str | None = None
    ) -> ExplainResponse:
        """Return the weight of each word in a label."""
        return await self.send(calls.explain(text, method=method, label=label))

    async def feedback(self, label: str | None, **of: str) -> GivenFeedback:
        """Say what a thing is: `text`, `prediction_id`, `run` and `tweet_id`, or `ticket`."""
        return await self.send(calls.feedback(label, **of))

    async def model_info(self) -> ModelInfo:
        """Return which model answers."""
        return await self.send(calls.model_info())

    async def figures(self, path: str, **query: str | Sequence[str]) -> dict[str, Any]:
        """Return figures: `await figures("/totals", run="spring", from_="2h")`."""
        return await self.send(calls.figures(path, **query))

    async def tweets(self, **query: str | Sequence[str]) -> AsyncIterator[dict[str, Any]]:
        """Yield a run's tweets page by page, from the highest id to the lowest."""
        page = await self.figures("/tweets", **query)
        while True:
            for tweet in page["tweets"]:
                yield tweet
            if page["next"] is None:
                return
            page = await self.figures("/tweets", **{**query, "cursor": page["next"]})

    async def send(self, call: Call[Answer]) -> Answer:
        """Send a call and return its answer."""
        if self._session is None:
            raise RuntimeError("use it in `async with`")
        for attempts_left in range(self._attempts - 1, -1, -1):
            async with self._session.request(
                call.method,
                f"{self._address}{call.path}",
                params=[
                    (name, one)
                    for name, value in call.query.items()
                    for one in ([value] if isinstance(value, str) else value)
                ],
                data=call.content(),
            ) as answer:
                status, content = answer.status, await answer.read()
                wait_s = calls.wait_of(status, answer.headers.get("Retry-After"), attempts_left)
            if wait_s is None:
                break
            await asyncio.sleep(wait_s)
        return calls.answered(call, status, content)
