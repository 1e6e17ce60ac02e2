"""Whose files are believed: Murmur obeys none that somebody else could have written."""

import grp
import os
import pwd
import stat
from collections.abc import Collection
from pathlib import Path
from typing import Final

from schemas.failures import Failure

_ROOT: Final = 0


def require_own_home(home: Path) -> None:
    """Raise `Failure` for a home that belongs to somebody else, or in which others may write.

    It holds addresses and passwords that commands believe, and programs that `murmur up` starts. A
    home that is not there yet is fine: it is made for its owner alone. `OSError` where it cannot be
    looked at.
    """
    if not home.is_dir():
        return
    why = why_not_ours(home, owners={os.geteuid()})
    if why is not None:
        raise Failure(f"MURMUR_HOME {home.absolute()} {why}, or set MURMUR_HOME to another folder")


def require_own_env_file(file: Path) -> None:
    """Raise `Failure` for a `.env` that somebody else than this user or root may have written."""
    try:
        why = why_not_ours(file, owners={os.geteuid(), _ROOT})
    except FileNotFoundError:
        return
    except OSError as error:
        raise Failure(f"{file.absolute()} cannot be read: {error.strerror}") from error
    if why is not None:
        raise Failure(f"{file.absolute()} {why}, or call murmur from another folder")


def why_not_ours(path: Path, *, owners: Collection[int]) -> str | None:
    """Return what is wrong with a path and what to do about it; None where nothing is.

    It has to belong to one of the `owners` (so does a link that it is), and nobody else may write
    to it. A group of its owner alone, which many systems give to each user, is nobody else.
    """
    for found in (path.lstat(), path.stat()):
        if found.st_uid not in owners:
            return f"belongs to {_name_of(found.st_uid)}: take it over (chown)"
    if found.st_mode & stat.S_IWOTH or (
        found.st_mode & stat.S_IWGRP and not _is_private(found.st_gid, found.st_uid)
    ):
        mode = f"{stat.S_IMODE(found.st_mode):o}"
        return f"may be written by others (mode {mode}): take that away (chmod go-w)"
    return None


def _is_private(gid: int, uid: int) -> bool:
    try:
        group, owner = grp.getgrgid(gid), pwd.getpwuid(uid)
    except KeyError:
        return False
    return group.gr_name == owner.pw_name and set(group.gr_mem) <= {owner.pw_name}


def _name_of(uid: int) -> str:
    try:
        return f"another user ({pwd.getpwuid(uid).pw_name})"
    except KeyError:
        return f"another user ({uid})"
