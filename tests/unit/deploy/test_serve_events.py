"""Events to listeners: each change once to all, removals in one, who may not listen any more."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from deploy.web.events.change_feed import MOST_OF_A_CALLER, ChangeFeed
from deploy.web.events.changes import MOST_IDS, Change, ChangeKind, Changes, grouped
from deploy.web.events.events_router import id_of, moment_of
from model_server.http.caller import Caller
from model_server.http.problems import Refused
from schemas.transport.postgres import PostgresUnavailable

NOW = datetime(2026, 5, 1, tzinfo=UTC)
CALLER = Caller(identity="key:1", name="page", scopes=frozenset({"read"}))


def change(key: str, run: str | None = "spring", kind: ChangeKind = ChangeKind.FIGURES) -> Change:
    return Change(kind=kind, key=key, run=run, data={"run": run})


def removal(run: str, *tweets: str, everything: bool = False) -> Change:
    data = {"run": run, "tweet_ids": [*tweets], "author_ids": [], "everything": everything}
    return Change(kind=ChangeKind.REMOVAL, key=str(data), run=run, data=data)


def feed_of(
    looks: Callable[[], list[Change]], *, is_valid: Callable[[Caller], bool] = lambda _: True
) -> ChangeFeed:
    def read(since: datetime | None) -> Changes:
        return Changes(until=NOW, found=[] if since is None else looks())

    return ChangeFeed(read, is_valid=is_valid, registry=CollectorRegistry(), every_s=0.01)


def test_a_change_that_is_found_again_and_again_is_told_once_to_each_listener() -> None:
    found = [change("old")]

    async def scenario() -> None:
        feed = feed_of(lambda: list(found))
        first = await feed.listen(CALLER, None, [])
        second = await feed.listen(CALLER, "spring", [ChangeKind.FIGURES])
        other = await feed.listen(CALLER, "autumn", [])
        found.append(change("new"))
        for listener in (first, second):
            told = await listener.next(20)
            assert told is not None
            assert [each.key for each in listener.wanted(told.found)] == ["new"]
        assert other.wanted([change("new")]) == []
        assert other.wanted([change("any", run=None)])
        found.append(change("newer"))
        told = await first.next(20)
        assert told is not None
        assert [each.key for each in told.found] == ["newer"]
        feed.close()
        assert await first.next(20) is None
        assert first.ended

    asyncio.run(scenario())


def test_listeners_hear_of_all_that_happened_while_postgres_was_away() -> None:
    found: list[Change] = []
    away = False

    def looks() -> list[Change]:
        if away:
            raise PostgresUnavailable("away")
        return list(found)

    async def scenario() -> None:
        nonlocal away
        feed = feed_of(looks)
        listener = await feed.listen(CALLER, None, [])
        away = True
        assert await listener.next(0.1) is None
        found.append(change("meanwhile"))
        away = False
        told = await listener.next(20)
        assert told is not None
        assert [each.key for each in told.found] == ["meanwhile"]
        away = True
        feed.leave(listener)

    asyncio.run(scenario())


def test_a_key_has_so_many_streams_and_a_revoked_one_none() -> None:
    valid = True

    async def scenario() -> None:
        nonlocal valid
        feed = feed_of(list, is_valid=lambda _: valid)
        listeners = [await feed.listen(CALLER, None, []) for _ in range(MOST_OF_A_CALLER)]
        with pytest.raises(Refused):
            await feed.listen(CALLER, None, [])
        feed.leave(listeners.pop())
        listeners.append(await feed.listen(CALLER, None, []))
        valid = False
        for listener in listeners:
            assert await listener.next(20) is None
            assert listener.ended

    asyncio.run(scenario())


def test_a_listener_that_reads_too_slowly_is_told_that_it_lost_some() -> None:
    async def scenario() -> None:
        feed = feed_of(list)
        listener = await feed.listen(CALLER, None, [])
        for number in range(1_001):
            listener.tell(Changes(until=NOW, found=[change(str(number))]))
        assert listener.lost
        told = await listener.next(20)
        assert told is not None
        assert told.found[0].key == "1000"
        feed.leave(listener)

    asyncio.run(scenario())


def test_removals_of_a_run_come_in_one_and_many_without_their_ids() -> None:
    few = grouped([removal("spring", "1"), change("f"), removal("spring", "2"), removal("b", "3")])
    assert [each.data for each in few[1:]] == [
        removal("spring", "1", "2").data,
        removal("b", "3").data,
    ]
    (many,) = grouped([removal("spring", str(number)) for number in range(MOST_IDS + 1)])
    assert many.data == removal("spring", everything=True).data


@given(st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1)))  # noqa: DTZ001  made UTC below
def test_an_id_is_the_moment_to_go_on_from(moment: datetime) -> None:
    at = moment.replace(tzinfo=UTC)
    assert moment_of(id_of(at)) == at


@given(st.one_of(st.none(), st.text(), st.integers(10**17).map(str)))
def test_any_other_id_is_no_fault(text: str | None) -> None:
    found = moment_of(text)
    assert found is None or found > NOW - timedelta(days=365 * 100)


def test_ids_that_are_no_moments_are_none_of_ours() -> None:
    assert moment_of("-5") is None
    assert moment_of("²") is None
    assert moment_of("9" * 30) is None
