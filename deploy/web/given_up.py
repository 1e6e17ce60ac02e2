"""Questions to the model whose clients went away: nothing more is done for them."""

import asyncio
from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

GIVEN_UP: Final = "murmur.given_up"
"""Where a scope holds what `BoundedHttpTools` calls once the connection is lost."""

_ASKS_THE_MODEL: Final = ("/predict", "/explain", "/v2/models/")


class GivenUp:
    """Cancels a question to the model when its client goes away before the answer.

    uvicorn lets such a request go on to its end; its texts would be scored for nobody. What changes
    something is not cancelled.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as ASGI wants it."""
        task = asyncio.current_task()
        if (
            task is None
            or scope["type"] != "http"
            or scope["method"] != "POST"
            or not scope["path"].startswith(_ASKS_THE_MODEL)
        ):
            await self._app(scope, receive, send)
            return
        is_gone = False

        def give_up() -> None:
            nonlocal is_gone
            is_gone = True
            task.cancel()

        scope[GIVEN_UP] = give_up
        try:
            await self._app(scope, receive, send)
        except asyncio.CancelledError:
            if not is_gone:
                raise
        finally:
            del scope[GIVEN_UP]
