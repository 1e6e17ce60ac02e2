"""One look at PostgreSQL a second for all listeners of a process, and none where nobody listens."""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Final

from anyio import CapacityLimiter, to_thread
from prometheus_client import CollectorRegistry

from deploy.web.events.changes import Change, ChangeKind, Changes, grouped
from model_server.http.caller import Caller
from model_server.http.problems import Refused
from schemas.failures import Failure
from schemas.process.metric_list import SERVE_LISTENERS

logger = logging.getLogger(__name__)

_EVERY_S: Final = 1.0
MOST_OF_A_CALLER: Final = 10
_MOST: Final = 200
_MOST_UNREAD: Final = 1_000


class Listener:
    """One client: what it wants to hear of, and what it has not been sent yet."""

    def __init__(self, caller: Caller, run: str | None, kinds: Iterable[ChangeKind]) -> None:
        self.caller = caller
        self._run = run
        self._kinds = frozenset(kinds)
        self._unread: asyncio.Queue[Changes | None] = asyncio.Queue(_MOST_UNREAD)
        self.ended = False
        self.lost = False

    def wanted(self, changes: Iterable[Change]) -> list[Change]:
        """Return those of the changes that the client wants to hear of."""
        return [
            each
            for each in changes
            if (not self._kinds or each.kind in self._kinds) and each.concerns(self._run)
        ]

    def tell(self, changes: Changes) -> None:
        """Keep changes for the client; note where it reads so slowly that some are lost."""
        try:
            self._unread.put_nowait(changes)
        except asyncio.QueueFull:
            self.lost = True
            self._empty()
            self._unread.put_nowait(changes)

    def end(self) -> None:
        """Have the client's stream end."""
        self.ended = True
        self._empty()
        self._unread.put_nowait(None)

    async def next(self, timeout_s: float) -> Changes | None:
        """Return what comes next; None where nothing came in time, or the stream has ended."""
        try:
            return await asyncio.wait_for(self._unread.get(), timeout_s)
        except TimeoutError:
            return None

    def _empty(self) -> None:
        while not self._unread.empty():
            self._unread.get_nowait()


class ChangeFeed:
    """Reads what changes while somebody listens, and tells each listener.

    It belongs to one event loop; `close` may be called from any thread. `read` waits for
    PostgreSQL; where that is away, listeners hear nothing, and all of it once it is back.
    `is_valid` says whether a caller may still listen; who may not is cut off within a second.
    """

    def __init__(
        self,
        read: Callable[[datetime | None], Changes],
        *,
        is_valid: Callable[[Caller], bool],
        registry: CollectorRegistry,
        every_s: float = _EVERY_S,
    ) -> None:
        self._read = read
        self._is_valid = is_valid
        self._every_s = every_s
        self._listeners: set[Listener] = set()
        self._following: asyncio.Task[None] | None = None
        self._begins = asyncio.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closed = False
        # A thread of its own: those of all calls together may wait for PostgreSQL.
        self._reader = CapacityLimiter(2)
        SERVE_LISTENERS.register(registry).set_function(lambda: len(self._listeners))

    async def read(self, since: datetime | None) -> Changes:
        """Return what changed since a moment, with the removals of a run in one."""
        found = await self._look(since)
        return Changes(until=found.until, found=grouped(found.found))

    async def listen(
        self,
        caller: Caller,
        run: str | None,
        kinds: list[ChangeKind],
        *,
        most_of_a_caller: int = MOST_OF_A_CALLER,
    ) -> Listener:
        """Return a listener that is told of all that changes from now on.

        It has to be left with `leave`. Raises `Refused` where too many listen, and `Failure` where
        PostgreSQL is away.
        """
        self._refuse_too_many(caller, most_of_a_caller)
        listener = Listener(caller, run, kinds)
        self._listeners.add(listener)
        self._loop = asyncio.get_running_loop()
        try:
            async with self._begins:
                if self._following is None or self._following.done():
                    since, told = await self._baseline()
                    self._following = asyncio.create_task(self._follow(since, told))
        except BaseException:
            self.leave(listener)
            raise
        if self._closed:
            listener.end()
        return listener

    def leave(self, listener: Listener) -> None:
        """Forget a listener; may be repeated."""
        self._listeners.discard(listener)

    def close(self) -> None:
        """End every stream, so that the service can end."""
        self._closed = True
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._end_all)

    def _end_all(self) -> None:
        for listener in self._listeners:
            listener.end()

    def _refuse_too_many(self, caller: Caller, most_of_a_caller: int) -> None:
        of_each = Counter(listener.caller.identity for listener in self._listeners)
        if of_each[caller.identity] >= most_of_a_caller:
            most, whose = most_of_a_caller, "of a key"
        elif of_each.total() >= _MOST:
            most, whose = _MOST, "of this process"
        else:
            return
        raise Refused(
            429,
            "too-many-listeners",
            "Too many listen to events.",
            f"At most {most} streams {whose} are open at once.",
            {"Retry-After": "30"},
        )

    async def _baseline(self) -> tuple[datetime, set[str]]:
        """Return where to begin, and what changed before anybody listened: nobody's news."""
        since = (await self._look(None)).until
        return since, {change.key for change in (await self._look(since)).found}

    async def _follow(self, since: datetime, told: set[str]) -> None:
        away = False
        while self._listeners and not self._closed:
            try:
                found = await self._look(since)
            except Failure as failure:
                if not away:
                    logger.warning("changes cannot be read now: %s", type(failure).__name__)
                away = True
            else:
                away = False
                new = grouped(change for change in found.found if change.key not in told)
                # What is found no more is too old to be found again.
                told, since = {change.key for change in found.found}, found.until
                if new:
                    for listener in self._listeners:
                        listener.tell(Changes(until=since, found=new))
            for listener in self._listeners:
                if not self._is_valid(listener.caller):
                    listener.end()
            await asyncio.sleep(self._every_s)

    async def _look(self, since: datetime | None) -> Changes:
        return await to_thread.run_sync(self._read, since, limiter=self._reader)
