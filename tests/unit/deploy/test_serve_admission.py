"""Who is admitted, by the parts that need no server: paths, keys, peers, and Redis coming back."""

import asyncio
import os
import socket
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry
from pydantic import SecretStr
from redis.exceptions import ConnectionError as RedisAway

from deploy.web.access.admission import Admission
from deploy.web.access.api_key import make_key, sha256_of, split_key
from deploy.web.access.key_ring import KeyRing
from deploy.web.access.peer_account import is_of_this_account
from deploy.web.access.request_rates import RequestRates
from deploy.web.access.scopes import PATHS, PUBLIC, Scope, scopes_of
from model_server.http.problems import Refused
from schemas.setting_views import RedisConnection
from schemas.transport.optional_redis import OptionalRedis


def admit(
    peer: str,
    host: str,
    *,
    path: str = "/totals",
    loopback: bool = True,
    of_this_account: bool | None = True,
    version: str = "1.1",
    **headers: str,
) -> int:
    """Return the status with which somebody without a key is answered; 200: is let in."""
    admission = Admission(
        hosts=["localhost", "127.0.0.1", "::1", "murmur.example"],
        loopback=loopback,
        ring=KeyRing(None),
        rates=RequestRates(OptionalRedis(None), "", None),
        registry=CollectorRegistry(),
        of_this_account=lambda _peer, _own: of_this_account,
    )
    more = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    scope = {
        "type": "http",
        "http_version": version,
        "server": ("127.0.0.1", 8100),
        "path": path,
        "query_string": b"",
        "client": (peer, 5),
        "headers": [(b"host", host.encode()), *more],
    }
    try:
        asyncio.run(admission.admit(scope))
    except Refused as refused:
        return refused.problem.status
    return 200


@pytest.mark.parametrize(
    ("peer", "host", "status"),
    [
        ("127.0.0.1", "localhost:8100", 200),
        ("127.9.9.9", "127.0.0.1", 200),
        ("::1", "[::1]:8100", 200),
        ("192.0.2.7", "localhost", 401),
        ("127.0.0.1", "murmur.example", 401),
        ("", "localhost", 401),
        ("nobody", "localhost", 401),
        ("127.0.0.1", "localhost.evil.example", 400),
    ],
)
def test_without_keys_only_the_person_at_the_machine_is_let_in(
    peer: str, host: str, status: int
) -> None:
    assert admit(peer, host) == status
    assert admit(peer, host, loopback=False) == (400 if status == 400 else 401)


@pytest.mark.parametrize(
    "mark",
    [
        {"x_forwarded_for": "192.0.2.7"},
        {"x_forwarded_proto": "https"},
        {"forwarded": "for=192.0.2.7"},
        {"via": "1.1 proxy"},
        {"x_real_ip": "192.0.2.7"},
        {"cf_connecting_ip": "192.0.2.7"},
        {"version": "1.0"},
        {"of_this_account": False},
    ],
)
def test_what_a_proxy_sends_needs_a_key_though_it_comes_from_this_machine(mark: Any) -> None:
    assert admit("127.0.0.1", "127.0.0.1:8100", **mark) == 401
    assert admit("127.0.0.1", "127.0.0.1:8100") == 200


def test_where_the_kernel_does_not_tell_of_accounts_the_other_marks_decide() -> None:
    assert admit("127.0.0.1", "localhost", of_this_account=None) == 200
    assert admit("127.0.0.1", "localhost", of_this_account=None, via="1.1 proxy") == 401


@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux")
@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_the_kernel_tells_whose_a_connection_is(address: str) -> None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.create_server((address, 0), family=family) as server:
        port = server.getsockname()[1]
        with socket.create_connection((address, port)) as client:
            held, _ = server.accept()
            peer, own = client.getsockname()[:2], held.getsockname()[:2]
            assert is_of_this_account(peer, own) is True
            assert is_of_this_account((address, 1), own) is False
        # Closed at its end, and not yet at ours: the kernel still knows it, as nobody's.
        assert is_of_this_account(peer, own) is False
        held.close()


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="becomes another account")
def test_a_connection_of_another_account_is_no_persons_at_this_machine() -> None:
    connect = "import socket, sys; s = socket.create_connection(('127.0.0.1', int(sys.argv[1])));"
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(60)
        port = server.getsockname()[1]
        with subprocess.Popen(
            ["/usr/bin/env", "python3", "-c", f"{connect} s.recv(1)", str(port)], user=65_534
        ) as other:
            held, peer = server.accept()
            assert is_of_this_account(peer, held.getsockname()) is False
            held.close()
            assert other.wait(60) == 0


def test_probes_need_no_key_from_anywhere() -> None:
    assert admit("192.0.2.7", "murmur.example", path="/healthz", loopback=False) == 200


@given(st.sampled_from(sorted(PATHS)), st.text(max_size=20))
def test_what_stands_below_a_path_needs_a_scope_too(beginning: str, rest: str) -> None:
    assert scopes_of(f"{beginning}/{rest}") is not None


@given(st.text(alphabet="abcdefg", min_size=1, max_size=10))
def test_a_path_that_only_begins_with_the_same_letters_is_not_covered(rest: str) -> None:
    assert scopes_of(f"/predict{rest}") is None


def test_models_and_model_are_told_apart() -> None:
    assert scopes_of("/models") == frozenset({Scope.READ})
    assert scopes_of("/model/info") == frozenset({Scope.PREDICT})
    assert scopes_of("/v2/health/ready") is PUBLIC
    assert scopes_of("/v2/models/m/infer") == frozenset({Scope.PREDICT})
    assert scopes_of("/") is PUBLIC
    assert scopes_of("//predict") is None
    assert scopes_of("") is None


def test_what_asks_the_model_about_a_stored_tweet_needs_both_scopes() -> None:
    assert scopes_of("/tweets/1/explanation") == frozenset({Scope.READ, Scope.PREDICT})
    assert scopes_of("/tweets/explanation") == frozenset({Scope.READ})
    assert scopes_of("/tweets/1") == frozenset({Scope.READ})


def test_keys_are_told_from_other_texts() -> None:
    keys = [make_key() for _ in range(50)]
    assert len({key.bearer for key in keys}) == 50
    for key in keys:
        parts = split_key(key.bearer)
        assert parts is not None
        assert parts[0] == key.key_id
        assert sha256_of(parts[1]) == key.secret_sha256
        assert split_key(key.bearer + "x") is None
        assert split_key(key.bearer[:-1]) is None
        assert split_key(key.bearer + "\n") is None


def test_redis_that_is_away_is_left_alone_and_asked_again_by_one() -> None:
    now_s, calls, away = 0.0, 0, True

    async def ask(_client: object) -> str:
        nonlocal calls
        calls += 1
        if away:
            raise RedisAway
        return "here"

    async def story() -> None:
        nonlocal now_s, away
        redis = OptionalRedis(
            RedisConnection(SecretStr("redis://127.0.0.1:9")), clock=lambda: now_s
        )
        assert [await redis.ask(ask) for _ in range(5)] == [None] * 5
        assert calls == 1
        now_s = 5.0
        assert [await redis.ask(ask) for _ in range(5)] == [None] * 5
        assert calls == 2
        now_s, away = 10.0, False
        assert [await redis.ask(ask) for _ in range(5)] == ["here"] * 5
        await redis.close()

    asyncio.run(story())


def test_a_rate_begins_anew_with_each_window() -> None:
    now_s = 120.0
    rates = RequestRates(OptionalRedis(None), "", "2/minute", clock=lambda: now_s)

    async def story() -> None:
        nonlocal now_s
        found = [await rates.count("key:a") for _ in range(3)]
        assert [(rate.allowed, rate.remaining, rate.reset_s) for rate in found if rate] == [
            (True, 1, 60),
            (True, 0, 60),
            (False, 0, 60),
        ]
        other = await rates.count("key:b")
        assert other is not None
        assert other.allowed
        now_s = 180.0
        later = await rates.count("key:a")
        assert later is not None
        assert later.allowed

    asyncio.run(story())
