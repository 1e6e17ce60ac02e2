"""A misspelt setting is told; what merely shares the prefix is not."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from deploy.cli import murmur
from schemas.misspelt_settings import misspelt
from schemas.settings import Settings


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("MURMUR_KAFKAA", "MURMUR_KAFKA"),
        ("MURMUR_POSTGRESS", "MURMUR_POSTGRES"),
        ("MURMUR_LOGLEVEL", "MURMUR_LOG_LEVEL"),
        ("MURMUR_STALL_AFTER", "MURMUR_STALL_AFTER_S"),
    ],
)
def test_a_slip_is_named_with_what_was_meant(name: str, meant: str) -> None:
    assert misspelt([name]) == {name: meant}


def test_settings_services_of_kubernetes_and_other_programs_are_let_be() -> None:
    settings = [f"MURMUR_{field.upper()}" for field in Settings.model_fields]
    services = ["MURMUR_KAFKA_PORT", "MURMUR_REDIS_SERVICE_HOST", "MURMUR_POSTGRES_PORT_5432_TCP"]
    assert misspelt([*settings, *services, "PATH", "MURMURS"]) == {}


def test_commands_say_so_of_the_environment_and_of_the_env_file_and_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MURMUR_REDDIS", "redis://elsewhere")
    (tmp_path / ".env").write_text("MURMUR_KAFKAA=elsewhere:9092\n")
    found = CliRunner().invoke(murmur, ["rules", "--help"])
    assert found.exit_code == 0
    for name in ("MURMUR_REDDIS", "MURMUR_KAFKAA"):
        assert f"{name} is not a setting and has no effect; did you mean" in found.stderr
    assert "elsewhere" not in found.output
