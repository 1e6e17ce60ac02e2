"""A backup is whole or refused, and holds no secret and no address."""

import os
import signal
import tarfile
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import pytest
from pydantic import SecretStr

from deploy.backup import backing_up
from deploy.backup.backing_up import settings_without_secrets
from deploy.backup.contents import (
    BackupManifest,
    files_below,
    hash_of,
    unpack_backup,
    write_backup,
)
from schemas.atomic_folder import unfinished_beside
from schemas.failures import Failure
from schemas.process.stop_signals import exit_on_termination
from schemas.settings import Settings

POSTGRES = SecretStr("postgresql://nobody@127.0.0.1:1/nothing")


@pytest.fixture
def backup(tmp_path: Path) -> Path:
    folder = tmp_path / "made"
    (folder / "bundles/abc").mkdir(parents=True)
    (folder / "postgres.dump").write_bytes(b"PGDMP")
    (folder / "bundles/abc/model.onnx").write_bytes(b"model")
    manifest = BackupManifest(
        format=1,
        murmur="0.1.0",
        made_at=datetime(2026, 11, 28, tzinfo=UTC),
        migrations=["0001.tables"],
        files={name: hash_of(path) for name, path in files_below(folder).items()},
    )
    output = tmp_path / "backup.tar"
    write_backup(folder, manifest, output)
    return output


def test_what_was_backed_up_comes_back_and_only_its_owner_may_read_it(
    backup: Path, tmp_path: Path
) -> None:
    assert backup.stat().st_mode & 0o777 == 0o600
    folder = tmp_path / "restored"
    folder.mkdir()
    manifest = unpack_backup(backup, folder)
    assert manifest.migrations == ["0001.tables"]
    assert (folder / "bundles/abc/model.onnx").read_bytes() == b"model"


def test_a_damaged_backup_is_refused(backup: Path, tmp_path: Path) -> None:
    backup.write_bytes(backup.read_bytes().replace(b"PGDMP", b"PGDMQ"))
    folder = tmp_path / "restored"
    folder.mkdir()
    with pytest.raises(Failure, match=r"damaged: postgres\.dump"):
        unpack_backup(backup, folder)


@pytest.mark.parametrize("name", ["../outside", "/outside", "a/../../outside"])
def test_a_path_that_leads_elsewhere_is_refused(tmp_path: Path, name: str) -> None:
    backup = tmp_path / "evil.tar"
    with tarfile.open(backup, "w") as tar:
        member = tarfile.TarInfo(name)
        member.size = 1
        tar.addfile(member, BytesIO(b"x"))
    folder = tmp_path / "restored"
    folder.mkdir()
    with pytest.raises(Failure, match="not a backup"):
        unpack_backup(backup, folder)
    assert not (tmp_path / "outside").exists()


def test_settings_are_written_without_secrets_and_addresses() -> None:
    settings = Settings.model_validate(
        {
            "sink_batch": 77,
            "kafka": "broker:9092",
            "kafka_sasl_password": SecretStr("hidden"),
            "postgres": SecretStr("postgresql://murmur:hidden@db/murmur"),
            "postgres_file": "/run/secrets/postgres",
        }
    )
    written = settings_without_secrets(settings)
    assert "MURMUR_SINK_BATCH=77\n" in written
    assert "hidden" not in written
    assert "broker" not in written
    assert "secrets" not in written


def test_a_backup_that_is_terminated_leaves_no_tweets_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def terminated(_postgres: object, into: Path) -> None:
        into.write_text("tweets")
        os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(backing_up, "missing_migrations", lambda _postgres: [])
    monkeypatch.setattr(backing_up, "dump_database", terminated)
    settings = Settings(_env_file=None, home=tmp_path / "home", postgres=POSTGRES)  # type: ignore[call-arg]
    before = signal.getsignal(signal.SIGTERM)
    exit_on_termination()
    try:
        with pytest.raises(SystemExit):
            backing_up.make_backup(settings, tmp_path / "backup.tar")
    finally:
        signal.signal(signal.SIGTERM, before)
    assert list(settings.home.iterdir()) == []
    assert not (tmp_path / "backup.tar").exists()


def test_a_second_backup_at_once_is_told_to_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backing_up, "missing_migrations", lambda _postgres: [])
    settings = Settings(_env_file=None, home=tmp_path / "home", postgres=POSTGRES)  # type: ignore[call-arg]
    settings.home.mkdir()
    with (
        unfinished_beside(settings.home / "backup"),
        pytest.raises(Failure, match="another `murmur backup` runs"),
    ):
        backing_up.make_backup(settings, tmp_path / "backup.tar")
