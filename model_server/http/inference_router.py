"""The routes of the Open Inference Protocol under `/v2`."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from model_server.http.inference_protocol import (
    HEADER_LENGTH,
    INPUT,
    LABEL,
    PROBABILITIES,
    ProtocolFault,
    infer_answer,
    parse_infer,
)
from model_server.http.predictor import Predictor
from model_server.http.problems import Refused
from model_server.http.request_body import read_body
from model_server.overrides.apply_override import override_predictions
from model_server.overrides.followed_overrides import no_overrides
from model_server.overrides.override import Overrides
from schemas.events import ModelIdentity

PREFIX: Final = "/v2"
_TAG: Final = "open inference protocol"


@dataclass(frozen=True)
class ServedModel:
    """Which model answers, and its labels, the columns of the probabilities."""

    identity: ModelIdentity
    labels: tuple[str, ...]


@dataclass(frozen=True)
class InferenceRoutes:
    """The calls of the protocol; `serving` is asked anew each time, since models change."""

    predictor: Predictor
    serving: Callable[[], ServedModel]
    is_ready: Callable[[], bool]
    server_version: str
    overrides: Callable[[], Overrides | None] = no_overrides

    async def server_metadata(self) -> Response:
        """Say what this server is."""
        return _json(
            {
                "name": "murmur",
                "version": self.server_version,
                "extensions": ["binary_tensor_data"],
            }
        )

    async def live(self) -> Response:
        """Say that the server lives."""
        return _json({"live": True})

    async def ready(self) -> Response:
        """Say whether the server can answer."""
        ready = self.is_ready()
        # The specification says `live`, and KServe's client reads `ready`.
        return _json({"ready": ready, "live": ready}, 200 if ready else 503)

    async def model_metadata(self, name: str, version: str | None = None) -> Response:
        """Describe the model's tensors."""
        served = self._named(name, version)
        columns = len(served.labels)
        return _json(
            {
                "name": served.identity.name,
                "versions": [served.identity.version],
                "platform": "onnx_int8",
                "inputs": [{"name": INPUT, "datatype": "BYTES", "shape": [-1]}],
                "outputs": [
                    {"name": LABEL, "datatype": "BYTES", "shape": [-1]},
                    {"name": PROBABILITIES, "datatype": "FP64", "shape": [-1, columns]},
                ],
                "parameters": {"labels": served.labels, "sha256": served.identity.sha256},
            }
        )

    async def model_ready(self, name: str, version: str | None = None) -> Response:
        """Say whether the model can answer."""
        served, ready = self._named(name, version), self.is_ready()
        return _json({"name": served.identity.name, "ready": ready}, 200 if ready else 503)

    async def infer(self, request: Request, name: str, version: str | None = None) -> Response:
        """Answer texts with labels and probabilities."""
        self._named(name, version)
        try:
            asked = parse_infer(await read_body(request), request.headers.get(HEADER_LENGTH))
        except ProtocolFault as fault:
            raise Refused(400, "protocol", "The call breaks the protocol.", str(fault)) from None
        answer = await self.predictor.predict(asked.texts)
        labels = tuple(answer.predictions[0].probabilities)
        overridden = override_predictions(self.overrides(), asked.texts, answer.predictions)
        content, json_bytes = infer_answer(asked, answer, labels, overridden)
        if json_bytes is None:
            return Response(content, media_type="application/json")
        return Response(
            content,
            media_type="application/octet-stream",
            headers={"Inference-Header-Content-Length": str(json_bytes)},
        )

    def _named(self, name: str, version: str | None) -> ServedModel:
        served = self.serving()
        if name != served.identity.name or version not in (None, served.identity.version):
            raise Refused(
                404,
                "unknown-model",
                "There is no such model.",
                f"{served.identity.name}, version {served.identity.version}, answers here.",
            )
        return served


def inference_router(routes: InferenceRoutes) -> APIRouter:
    """Return the routes."""
    router = APIRouter(prefix=PREFIX, tags=[_TAG])
    for path, call, method in (
        ("", routes.server_metadata, "GET"),
        ("/health/live", routes.live, "GET"),
        ("/health/ready", routes.ready, "GET"),
        ("/models/{name}", routes.model_metadata, "GET"),
        ("/models/{name}/ready", routes.model_ready, "GET"),
        ("/models/{name}/infer", routes.infer, "POST"),
        ("/models/{name}/versions/{version}", routes.model_metadata, "GET"),
        ("/models/{name}/versions/{version}/ready", routes.model_ready, "GET"),
        ("/models/{name}/versions/{version}/infer", routes.infer, "POST"),
    ):
        router.add_api_route(path, call, methods=[method], response_class=Response)
    return router


def _json(document: dict[str, Any], status: int = 200) -> Response:
    return Response(
        msgspec.json.encode(document), status_code=status, media_type="application/json"
    )
