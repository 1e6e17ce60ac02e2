"""A secret may lie in a file that a setting names, as container platforms hand it over."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from schemas.failures import Failure
from schemas.setting_faults import setting_fault
from schemas.settings import SECRETS_IN_FILES, Settings, load_settings, servers_of_the_user

ADDRESS = "postgresql://murmur:secret@db/murmur"


def test_every_secret_has_a_setting_that_names_its_file() -> None:
    secrets = {
        name
        for name, field in Settings.model_fields.items()
        if "SecretStr" in str(field.annotation) and name != "x_bearer_token"
    }
    assert set(SECRETS_IN_FILES) == secrets
    assert {f"{name}_file" for name in SECRETS_IN_FILES} <= Settings.model_fields.keys()


def test_a_file_holds_the_address_without_the_white_space_around_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "postgres"
    file.write_text(f"{ADDRESS}\n")
    monkeypatch.delenv("MURMUR_POSTGRES", raising=False)
    monkeypatch.setenv("MURMUR_POSTGRES_FILE", str(file))
    assert load_settings(None).postgres_uri == ADDRESS
    assert "postgres" in servers_of_the_user(None)
    monkeypatch.setenv("MURMUR_POSTGRES", "postgresql://other/murmur")
    assert load_settings(None).postgres_uri == "postgresql://other/murmur"


@pytest.mark.parametrize("content", [None, "", " \n"])
def test_a_file_without_a_secret_is_named_and_its_content_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str | None
) -> None:
    file = tmp_path / "redis"
    if content is not None:
        file.write_text(content)
    monkeypatch.delenv("MURMUR_REDIS", raising=False)
    monkeypatch.setenv("MURMUR_REDIS_FILE", str(file))
    with pytest.raises(Failure, match="MURMUR_REDIS_FILE"):
        load_settings(None)


def test_a_file_that_holds_another_thing_is_not_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "postgres"
    file.write_text("root:x:0:0")
    monkeypatch.delenv("MURMUR_POSTGRES", raising=False)
    monkeypatch.setenv("MURMUR_POSTGRES_FILE", str(file))
    with pytest.raises(ValidationError) as refused:
        load_settings(None)
    assert setting_fault(refused.value.errors()[0]) == (
        "MURMUR_POSTGRES: must begin with postgresql:// or postgres://"
    )
