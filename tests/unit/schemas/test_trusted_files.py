"""No home and no `.env` is believed that others may have written."""

import grp
import os
import pwd
import shutil
import subprocess
from pathlib import Path

import pytest

from schemas.failures import Failure
from schemas.settings import Settings, load_settings
from schemas.trusted_files import why_not_ours
from tests.stack import MURMUR

NOBODY = pwd.getpwnam("nobody")
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "home"
    folder.mkdir(mode=0o700)
    (folder / "addresses.json").write_text('{"kafka": "127.0.0.1:9"}')
    monkeypatch.setenv("MURMUR_HOME", str(folder))
    return folder


@pytest.fixture
def env_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / ".env"
    file.write_text("MURMUR_TOPIC_PREFIX=mine.\n")
    file.chmod(0o600)
    return file


@pytest.mark.parametrize("mode", [0o700, 0o750, 0o755, 0o500])
def test_a_home_of_ours_is_read(home: Path, mode: int) -> None:
    home.chmod(mode)
    assert load_settings().kafka == "127.0.0.1:9"


@pytest.mark.parametrize("mode", [0o777, 0o707, 0o702, 0o1777])
def test_a_home_in_which_all_may_write_is_refused(home: Path, mode: int) -> None:
    home.chmod(mode)
    with pytest.raises(Failure, match=r"may be written by others \(mode .*chmod go-w"):
        load_settings()
    answer = subprocess.run([MURMUR, "up"], capture_output=True, text=True, check=False)
    assert answer.returncode == 1
    (line,) = answer.stderr.splitlines()
    assert line.startswith(f"murmur: MURMUR_HOME {home} may be written by others")


def test_a_folder_of_ours_where_all_may_write_is_fine_and_one_is_made_there(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.parent.chmod(0o1777)
    assert load_settings().kafka == "127.0.0.1:9"
    monkeypatch.setenv("MURMUR_HOME", str(home.parent / "new"))
    assert load_settings().kafka == ""


@as_root
def test_a_home_or_a_link_of_somebody_else_is_refused(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = home.parent / "link"
    link.symlink_to(home)
    monkeypatch.setenv("MURMUR_HOME", str(link))
    assert load_settings().kafka == "127.0.0.1:9"
    os.chown(link, NOBODY.pw_uid, NOBODY.pw_gid, follow_symlinks=False)
    with pytest.raises(Failure, match=r"belongs to another user \(nobody\)"):
        load_settings()
    monkeypatch.setenv("MURMUR_HOME", str(home))
    os.chown(home, NOBODY.pw_uid, NOBODY.pw_gid)
    with pytest.raises(Failure, match=r"belongs to another user \(nobody\)"):
        load_settings()


@as_root
def test_a_group_of_its_owner_alone_is_nobody_else(home: Path) -> None:
    home.chmod(0o770)
    private = grp.getgrnam(pwd.getpwuid(0).pw_name)
    os.chown(home, 0, private.gr_gid)
    assert why_not_ours(home, owners={0}) is None
    os.chown(home, 0, NOBODY.pw_gid)
    assert "may be written by others" in str(why_not_ours(home, owners={0}))


def test_an_env_file_of_ours_is_read(env_file: Path) -> None:
    env_file.chmod(0o644)
    assert load_settings().topic_prefix == "mine."


@pytest.mark.parametrize("mode", [0o666, 0o602])
def test_an_env_file_that_all_may_write_is_refused(env_file: Path, mode: int) -> None:
    env_file.chmod(mode)
    with pytest.raises(Failure, match=r"/\.env may be written by others"):
        load_settings()
    assert Settings(_env_file=None).topic_prefix == ""  # type: ignore[call-arg]


@as_root
def test_an_env_file_of_somebody_else_is_refused(env_file: Path) -> None:
    os.chown(env_file, NOBODY.pw_uid, NOBODY.pw_gid)
    with pytest.raises(Failure, match=r"/\.env belongs to another user \(nobody\)"):
        load_settings()
    moved = shutil.move(env_file, env_file.with_name("elsewhere"))
    os.chown(moved, 0, 0)
    env_file.symlink_to(moved)
    assert load_settings().topic_prefix == "mine."
    os.chown(env_file, NOBODY.pw_uid, NOBODY.pw_gid, follow_symlinks=False)
    with pytest.raises(Failure, match="belongs to another user"):
        load_settings()


@pytest.mark.parametrize(
    ("written", "environment", "is_sent"),
    [
        ("X_API=https://evil.example", {}, True),
        ("X_API=https://x.example\nMURMUR_X_BEARER_TOKEN=t", {}, True),
        ("X_BEARER_TOKEN=t", {"X_API": "https://x.example"}, True),
        ("X_API=https://evil.example", {"X_API": "https://x.example", "X_BEARER_TOKEN": "t"}, True),
        ("TOPIC_PREFIX=p", {"X_BEARER_TOKEN": "t"}, True),
        ("X_API=https://evil.example", {"X_BEARER_TOKEN": "t"}, False),
        ("X_API=https://evil.example\nMURMUR_X_BEARER_TOKEN=u", {"X_BEARER_TOKEN": "t"}, False),
        ("X_API=https://evil.example", {"X_BEARER_TOKEN_FILE": "token"}, False),
        # A token's file may be named by a stranger, too.
        ("X_API=https://evil.example\nMURMUR_X_BEARER_TOKEN_FILE=token", {}, False),
    ],
)
def test_an_env_file_sends_no_token_that_does_not_stand_in_it(
    env_file: Path,
    monkeypatch: pytest.MonkeyPatch,
    written: str,
    environment: dict[str, str],
    is_sent: bool,
) -> None:
    env_file.write_text(f"MURMUR_{written}\n")
    for name, value in environment.items():
        monkeypatch.setenv(f"MURMUR_{name}", value)
    if is_sent:
        load_settings()
    else:
        with pytest.raises(Failure, match=r"MURMUR_X_API stands in \.env and the token does not"):
            load_settings()
