"""Who may use the service: keys and scopes on every route, the person at the machine, rates."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import pytest
import requests
from pydantic import SecretStr

from deploy.web.access.scopes import PUBLIC, Scope, scopes_of
from schemas.settings import Settings
from tests.conditions import wait_until
from tests.integration.serving import Service, command, make_key, own_redis, serving

Key = dict[str, str]
SCOPES: Final = tuple(scope.value for scope in Scope)


@pytest.fixture(scope="module")
def keys(module_settings: Settings) -> dict[str, Key]:
    """A key for each scope, which allows that one alone."""
    return {scope: make_key(module_settings, f"only {scope}", scope) for scope in SCOPES}


@pytest.fixture(scope="module")
def service(
    module_settings: Settings, keys: dict[str, Key], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    """A service with keys, on every interface."""
    assert keys
    folder = tmp_path_factory.mktemp("serve")
    arguments = ["--host", "0.0.0.0", "--allow-host", "murmur.example"]  # noqa: S104  with keys
    with serving(module_settings, folder, *arguments) as running:
        yield running


def calls(service: Service) -> list[tuple[str, str]]:
    """Return every call of the running service, with ids in its path."""
    paths = service.get("/openapi.json").json()["paths"]
    return [
        (method.upper(), path.replace("{", "").replace("}", ""))
        for path, methods in paths.items()
        for method in methods
    ]


def status_of(service: Service, method: str, path: str, headers: Key) -> int:
    # Some answers have no end: only their beginning is asked for.
    with requests.request(
        method, f"{service.address}{path}", headers=headers, timeout=60, stream=True
    ) as answer:
        return answer.status_code


def test_every_route_needs_the_scope_that_is_stated_for_it(
    service: Service, keys: dict[str, Key]
) -> None:
    found = calls(service)
    assert len(found) > 25
    for method, path in found:
        needed = scopes_of(path)
        assert needed is not None, f"{path} has no scope: say it in scopes.py"
        if needed is PUBLIC:
            assert status_of(service, method, path, {}) not in (401, 403)
            continue
        assert status_of(service, method, path, {}) == 401, path
        for scope in SCOPES:
            status = status_of(service, method, path, keys[scope])
            assert (status == 403) == (needed != {scope}), (path, scope, status)
            assert status != 401


def test_a_path_of_which_nothing_is_said_is_refused_with_every_key(
    service: Service, keys: dict[str, Key]
) -> None:
    assert scopes_of("/predictx") is None
    assert scopes_of("/v2x") is None
    for scope in SCOPES:
        answer = service.get("/predictx", headers=keys[scope])
        assert answer.json()["type"] == "urn:murmur:problem:not-found"


def test_a_key_that_is_revoked_is_invalid_within_seconds_and_a_new_one_valid(
    service: Service, module_settings: Settings
) -> None:
    key = make_key(module_settings, "passing", "predict")
    ask = {"json": {"text": "fine"}, "headers": key}
    wait_until(lambda: service.post("/predict", **ask).ok, 60, "the new key to be valid")
    assert "passing" in command(
        module_settings, "keys", "create", "--name", "passing", "--scope", "read", code=1
    )
    found = command(module_settings, "keys", "list", "--json")["keys"]
    secret = key["Authorization"].partition("_")[2]
    assert secret not in str(found)
    wait_until(
        lambda: next(
            each["last_used_at"]
            for each in command(module_settings, "keys", "list", "--json")["keys"]
            if each["name"] == "passing"
        ),
        60,
        "its use to be noted",
    )
    command(module_settings, "keys", "revoke", "passing", "--json")
    wait_until(
        lambda: service.post("/predict", **ask).status_code in (401, 429),
        20,
        "the key to be invalid",
    )
    assert secret not in service.log.read_text()


def test_the_last_key_is_not_revoked_without_a_word(settings: Settings) -> None:
    make_key(settings, "first", "read")
    make_key(settings, "last", "read")
    command(settings, "keys", "revoke", "first", "--json")
    assert "last key" in command(settings, "keys", "revoke", "last", "--json", code=2)
    assert command(settings, "keys", "revoke", "last", "--yes", "--json")["key"]["revoked_at"]


def test_keys_are_stored_as_hashes(module_settings: Settings, keys: dict[str, Key]) -> None:
    from schemas.transport.postgres import connect_postgres

    connection = connect_postgres(module_settings.postgres_connection, "test")
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute("SELECT api_keys::text FROM api_keys")
            stored = " ".join(row for (row,) in cursor)
    finally:
        connection.close()
    for key in keys.values():
        key_id, _, secret = key["Authorization"].removeprefix("Bearer ").partition("_")
        assert key_id in stored
        assert secret not in stored


WRONG: Final[tuple[Key, ...]] = (
    {},
    {"Authorization": "Bearer"},
    {"Authorization": "Basic YTpi"},
    {"Authorization": "Bearer 0123456789ab_" + "a" * 43},
    {"Authorization": "Bearer " + "x" * 10_000},
    {"Authorization": "Bearer ä_ö".encode().decode("latin-1")},
)


@pytest.mark.parametrize("headers", WRONG, ids=range(len(WRONG)))
def test_what_is_no_valid_key_is_refused(service: Service, headers: Key) -> None:
    answer = service.post("/predict", json={"text": "fine"}, headers=headers)
    assert answer.status_code in (401, 429)
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_guessing_keys_is_slowed_and_counted_and_locks_nobody_out(
    service: Service, keys: dict[str, Key]
) -> None:
    def count() -> float:
        page = service.get("/metrics", headers=keys["read"]).text
        line = next(x for x in page.splitlines() if x.startswith("murmur_serve_wrong_keys_total "))
        return float(line.split()[1])

    def guess(number: int) -> tuple[int, float]:
        key_id = keys["predict"]["Authorization"].removeprefix("Bearer ").partition("_")[0]
        headers = {"Authorization": f"Bearer {key_id}_{number:043}"}
        began_s = time.monotonic()
        answer = service.post("/predict", json={"text": "fine"}, headers=headers)
        return answer.status_code, time.monotonic() - began_s

    before = count()
    with ThreadPoolExecutor(8) as pool:
        guesses = list(pool.map(guess, range(30)))
    assert count() == before + 30
    assert {status for status, _ in guesses} <= {401, 429}
    assert all(took_s >= 1 for status, took_s in guesses if status == 429)
    assert sum(status == 401 for status, _ in guesses) <= 10
    assert service.post("/predict", json={"text": "fine"}, headers=keys["predict"]).ok


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("murmur.example", 200),
        ("MURMUR.example:80", 200),
        ("localhost:1", 200),
        ("[::1]:9", 200),
        ("evil.example", 400),
        ("murmur.example.evil", 400),
        ("", 400),
    ],
)
def test_only_named_hosts_are_answered(
    service: Service, keys: dict[str, Key], host: str, status: int
) -> None:
    answer = service.post(
        "/predict", json={"text": "fine"}, headers={**keys["predict"], "Host": host}
    )
    assert answer.status_code == status
    if status == 400 and host:
        assert answer.json()["type"] == "urn:murmur:problem:wrong-host"


def test_another_interface_needs_a_key_first(settings: Settings) -> None:
    told = command(settings, "serve", "--host", "0.0.0.0", code=1)  # noqa: S104
    assert "there is no key" in told


OTHERS: Final[dict[str, Key]] = {
    "a proxy": {"X-Forwarded-For": "203.0.113.7"},
    "another site's page": {"Origin": "https://evil.example"},
    "a page without a name": {"Origin": "null"},
    "another site's picture": {"Sec-Fetch-Site": "cross-site"},
}


def test_without_a_key_the_person_at_the_machine_may_do_everything_and_nobody_else(
    settings: Settings, tmp_path: Path
) -> None:
    with serving(settings, tmp_path / "serve", "--allow-host", "murmur.example") as service:
        ask: dict[str, Any] = {"json": {"text": "fine"}}
        assert service.post("/predict", **ask).ok
        assert service.get("/runs").json() == {"runs": []}
        for name, headers in {**OTHERS, "a name": {"Host": "murmur.example"}}.items():
            answer = service.post("/predict", headers=headers, **ask)
            assert answer.status_code == 401, name
        key = make_key(settings, "first", "predict")
        wait_until(
            lambda: service.post("/predict", **ask).status_code == 401, 60, "a key to be needed"
        )
        assert service.post("/predict", headers=key, **ask).ok


def test_rates_hold_for_two_processes_together_and_for_each_key_apart(
    settings: Settings, tmp_path: Path
) -> None:
    one, two = (make_key(settings, name, "predict") for name in ("one", "two"))
    ask: dict[str, Any] = {"json": {"text": "fine"}}
    with own_redis() as redis:
        own = {"serve_rate": "20/day", "redis": SecretStr(redis.uri)}
        with (
            serving(settings, tmp_path / "a", **own) as a,
            serving(settings, tmp_path / "b", **own) as b,
        ):
            answers = [(a, b)[n % 2].post("/predict", headers=one, **ask) for n in range(30)]
            assert [answer.status_code for answer in answers] == [200] * 20 + [429] * 10
            assert answers[0].headers["RateLimit-Policy"] == '"requests";q=20;w=86400'
            assert answers[0].headers["RateLimit"].startswith('"requests";r=19;t=')
            assert int(answers[-1].headers["Retry-After"]) > 0
            assert answers[-1].json()["type"] == "urn:murmur:problem:too-many-requests"
            assert a.post("/predict", headers=two, **ask).ok
            assert a.get("/healthz").ok
            # Each counts for itself while Redis is away, and nobody waits for it.
            redis.stop()
            began_s = time.monotonic()
            alone = [b.post("/predict", headers=two, **ask).status_code for _ in range(25)]
            assert alone == [200] * 20 + [429] * 5
            assert time.monotonic() - began_s < 10
