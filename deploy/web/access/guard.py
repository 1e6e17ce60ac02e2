"""The door of the service. It stands before every route, so that none is reached around it."""

from fastapi import FastAPI
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from deploy.web.access.admission import Admission
from deploy.web.refusals import refusal_response
from model_server.http.problems import Refused


class Guard:
    """Lets a request pass that is admitted, and tells its caller what is left to them.

    `application` is the one behind it, which knows how its page tells a refusal.
    """

    def __init__(self, app: ASGIApp, *, application: FastAPI, admission: Admission) -> None:
        self._app = app
        self._application = application
        self._admission = admission

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as ASGI wants it."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return
        # The guard stands before the application, which would note this.
        scope["app"] = self._application
        try:
            rate = await self._admission.admit(scope)
        except Refused as refused:
            if scope["method"] not in ("GET", "HEAD"):
                # Its body is not read.
                refused.headers["Connection"] = "close"
            await refusal_response(scope, refused)(scope, receive, send)
            return
        if rate is None:
            await self._app(scope, receive, send)
            return
        told = [
            (name.lower().encode("latin-1"), value.encode("latin-1"))
            for name, value in rate.headers().items()
        ]

        async def send_with_rate(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *told]
            await send(message)

        await self._app(scope, receive, send_with_rate)
