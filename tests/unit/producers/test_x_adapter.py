"""Where the token for X may go, and where it may come from."""

from pathlib import Path

import pytest
import tweepy
from pydantic import SecretStr

from producers.x_account.client import rules_client, search_client
from producers.x_account.http_adapter import XAdapter
from schemas.failures import Failure
from schemas.settings import MissingSetting, load_settings

TOKEN = "a-token-that-nobody-may-see"


def adapter(api: str = "https://api.x.com") -> XAdapter:
    return XAdapter(api, SecretStr(TOKEN), timeout_s=1, silence_s=1)


@pytest.mark.parametrize(
    "api",
    ["http://api.x.com", "ftp://api.x.com", "https://", "api.x.com", "http://127.0.0.1.x.org"],
)
def test_a_token_is_never_sent_without_tls_but_to_this_machine(api: str) -> None:
    with pytest.raises(Failure, match="MURMUR_X_API"):
        adapter(api)


def test_only_requests_to_tweepys_host_get_the_token() -> None:
    own = adapter()
    session = search_client(own).session
    assert session.get_adapter("https://api.twitter.com/2/tweets") is own
    for other in (
        "https://api.twitter.com.example.org/2",
        "https://api.x.com/2",
        "http://api.twitter.com/2",
    ):
        assert session.get_adapter(other) is not own


def test_tweepy_itself_has_no_token() -> None:
    for client in (search_client(adapter()), rules_client(adapter())):
        assert isinstance(client, tweepy.client.BaseClient)
        assert TOKEN not in repr(vars(client))
        assert client.bearer_token != TOKEN


def test_the_token_may_come_from_a_file_and_what_is_missing_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(MissingSetting, match="MURMUR_X_BEARER_TOKEN"):
        _ = load_settings(None).x_token
    file = tmp_path / "token"
    monkeypatch.setenv("MURMUR_X_BEARER_TOKEN_FILE", str(file))
    with pytest.raises(MissingSetting, match="cannot be read"):
        _ = load_settings(None).x_token
    file.write_text("\n")
    with pytest.raises(MissingSetting, match="is empty"):
        _ = load_settings(None).x_token
    file.write_text(f"{TOKEN}\n")
    settings = load_settings(None)
    assert settings.x_token.get_secret_value() == TOKEN
    assert TOKEN not in f"{settings!r} {settings.x_token}"


@pytest.mark.parametrize("around", [f"{TOKEN}\n", f" {TOKEN}\r\n"])
def test_space_around_a_token_is_dropped(around: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MURMUR_X_BEARER_TOKEN", around)
    assert load_settings(None).x_token.get_secret_value() == TOKEN


@pytest.mark.parametrize("odd", [f"{TOKEN}\nmore", f"{TOKEN}…", f"{TOKEN}\u00a0x", f"a {TOKEN}"])
def test_what_no_header_can_hold_is_refused_without_showing_it(
    odd: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MURMUR_X_BEARER_TOKEN", odd)
    with pytest.raises(
        MissingSetting, match="MURMUR_X_BEARER_TOKEN must hold only the token"
    ) as refused:
        _ = load_settings(None).x_token
    assert TOKEN not in str(refused.value)
    monkeypatch.delenv("MURMUR_X_BEARER_TOKEN")
    file = tmp_path / "token"
    file.write_text(odd, encoding="utf-8")
    monkeypatch.setenv("MURMUR_X_BEARER_TOKEN_FILE", str(file))
    with pytest.raises(MissingSetting, match="MURMUR_X_BEARER_TOKEN_FILE") as refused:
        _ = load_settings(None).x_token
    assert TOKEN not in str(refused.value)
