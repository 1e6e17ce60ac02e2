"""What is in a backup: one tar with a manifest that names and hashes everything else."""

import hashlib
import tarfile
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Final

import msgspec

from schemas.failures import Failure
from schemas.output_file import opened_output

MANIFEST: Final = "manifest.json"
DUMP: Final = "postgres.dump"
SETTINGS: Final = "settings.env"
BUNDLES: Final = "bundles"
FORMAT: Final = 1
_CHUNK_BYTES: Final = 1024 * 1024


class BackupManifest(msgspec.Struct, frozen=True, kw_only=True):
    """When a backup was made, by which version, after which migrations, and what it holds.

    `files` maps each path in the tar to the hash of its content (SHA-256).
    """

    format: int
    murmur: str
    made_at: datetime
    migrations: list[str]
    files: dict[str, str]


def hash_of(path: Path) -> str:
    """Return a file's SHA-256 as hexadecimal digits."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def files_below(folder: Path) -> dict[str, Path]:
    """Return every file below a folder by its path in a tar, in order."""
    return {
        path.relative_to(folder).as_posix(): path
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.is_symlink()
    }


def write_backup(folder: Path, manifest: BackupManifest, output: Path) -> None:
    """Write a tar with a folder's files, mode 0600; it has its name only when it is whole.

    The manifest comes first. Raises `Failure` where it cannot be written.
    """
    (folder / MANIFEST).write_bytes(msgspec.json.format(msgspec.json.encode(manifest)))
    with opened_output(output) as file, tarfile.open(fileobj=file, mode="w") as tar:
        for name in (MANIFEST, *manifest.files):
            tar.add(folder / name, name, recursive=False)


def unpack_backup(backup: Path, folder: Path) -> BackupManifest:
    """Unpack a backup into an empty folder; raise `Failure` unless it is whole and undamaged."""
    try:
        with tarfile.open(backup) as tar:
            _extract(tar, folder)
    except (OSError, tarfile.TarError) as error:
        raise Failure(f"{backup} is not a backup, or is damaged ({error})") from error
    try:
        manifest = msgspec.json.decode((folder / MANIFEST).read_bytes(), type=BackupManifest)
    except (OSError, msgspec.MsgspecError) as error:
        raise Failure(f"{backup} has no manifest that this version knows") from error
    if manifest.format != FORMAT:
        raise Failure(f"{backup} is of format {manifest.format}: restore it with a newer Murmur")
    present = {name: hash_of(path) for name, path in files_below(folder).items()}
    del present[MANIFEST]
    for name in sorted(manifest.files.keys() | present.keys()):
        if manifest.files.get(name) != present.get(name):
            raise Failure(f"{backup} is damaged: {name} is not what its manifest says")
    return manifest


def _extract(tar: tarfile.TarFile, folder: Path) -> None:
    for member in tar:
        parts = PurePosixPath(member.name).parts
        # Its paths lead nowhere else, whoever made the file.
        if not member.isfile() or ".." in parts or PurePosixPath(member.name).is_absolute():
            raise tarfile.TarError(f"holds {member.name!r}")
        content = tar.extractfile(member)
        target = folder.joinpath(*parts)
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("wb") as file:
            while content is not None and (chunk := content.read(_CHUNK_BYTES)):
                file.write(chunk)
