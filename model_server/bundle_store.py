"""Bundles that are fetched by address and hash, each kept once on this machine."""

import hashlib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import msgspec

from model_server.bundle import (
    CARD,
    MANIFEST,
    REFERENCE,
    Bundle,
    Manifest,
    RefusedBundle,
    open_bundle,
)
from schemas.atomic_folder import PlaceTaken, put_in_place, unfinished_beside
from schemas.failures import Failure

ADDRESS_KINDS: Final = ("file", "http", "https", "s3", "gs", "gcs", "az", "abfs")
MAX_BUNDLE_BYTES: Final = 1024**3
_MAX_MANIFEST_BYTES: Final = 16 * 1024**2
_PIECE_BYTES: Final = 1024**2


class BundleUnavailable(Failure):
    """A bundle that cannot be had now: its place does not answer, or has no such file (yet)."""


class BundleStore:
    """A folder of bundles, each under its hash.

    A bundle that stands there is whole and is what its hash says: it is checked each time that it
    is asked for. Processes may share the folder.
    """

    def __init__(
        self, folder: Path, *, timeout_s: float = 60.0, max_bundle_bytes: int = MAX_BUNDLE_BYTES
    ) -> None:
        self._folder = folder
        self._timeout_s = timeout_s
        self._max_bundle_bytes = max_bundle_bytes

    def fetch(self, address: str, sha256: str) -> Bundle:
        """Return the bundle of this hash; read it from the address if it is not kept yet.

        `address` is a folder, or a URL of one of `ADDRESS_KINDS` below which the bundle's files
        are. Nothing is read but the manifest, the files that it vouches for, the card and the
        figures of the validation texts. Raises `BundleUnavailable` where trying again later may
        help, and `RefusedBundle` where what is there is not the bundle of this hash.
        """
        try:
            return self._fetch(address, sha256)
        except OSError as error:
            raise BundleUnavailable(f"{self._folder}: {error.strerror or error}") from error

    def _fetch(self, address: str, sha256: str) -> Bundle:
        kept = self._folder / sha256
        self._folder.mkdir(parents=True, exist_ok=True)
        while (found := _kept(kept, sha256)) is None:
            try:
                with unfinished_beside(kept) as work:
                    # Another process may have put it there, and a damaged one must make way.
                    if _kept(kept, sha256) is None:
                        shutil.rmtree(kept, ignore_errors=True)
                        whole = work / "bundle"
                        whole.mkdir()
                        with _faults_named(address):
                            self._copy(address, sha256, whole)
                        _of_this_hash(open_bundle(whole), sha256)
                        put_in_place(whole, kept)
            except PlaceTaken as error:
                raise BundleUnavailable(str(error)) from error
        return found

    def keep_only(self, hashes: frozenset[str]) -> None:
        """Remove the bundles of other hashes, as far as no other process does so too."""
        for kept in self._folder.glob("*"):
            if kept.is_dir() and not kept.name.startswith(".") and kept.name not in hashes:
                shutil.rmtree(kept, ignore_errors=True)

    def _copy(self, address: str, sha256: str, to: Path) -> None:
        files, root = _opened(address, self._timeout_s)
        content = _read_bounded(files, f"{root}/{MANIFEST}", _MAX_MANIFEST_BYTES)
        found = hashlib.sha256(content).hexdigest()
        if found != sha256:
            raise RefusedBundle(f"{address}/{MANIFEST} has SHA-256 {found}, {sha256} was promoted")
        try:
            manifest = msgspec.json.decode(content, type=Manifest)
        except msgspec.DecodeError as error:
            raise RefusedBundle(f"{address}/{MANIFEST} is not a manifest: {error}") from error
        (to / MANIFEST).write_bytes(content)
        left_bytes = self._max_bundle_bytes
        for name in manifest.files:
            if Path(name).name != name:
                raise RefusedBundle(f"{address}/{MANIFEST} names a file outside the bundle")
            left_bytes -= _copy_bounded(files, f"{root}/{name}", to / name, left_bytes)
        for name in (CARD, REFERENCE):
            if name not in manifest.files and files.exists(f"{root}/{name}"):
                left_bytes -= _copy_bounded(files, f"{root}/{name}", to / name, left_bytes)


def check_address(address: str) -> None:
    """Raise `RefusedBundle` for an address of another kind than those that are read."""
    kind, separator, _ = address.partition("://")
    if "::" in address or (separator and kind not in ADDRESS_KINDS):
        raise RefusedBundle(
            f"{address} is no address of a bundle: name a folder, or a URL that begins with "
            f"{', '.join(f'{each}://' for each in ADDRESS_KINDS)}"
        )
    if not separator and not Path(address).is_absolute():
        raise RefusedBundle(f"{address} is a relative path: other processes need a whole one")


def _kept(folder: Path, sha256: str) -> Bundle | None:
    try:
        return _of_this_hash(open_bundle(folder), sha256) if folder.is_dir() else None
    except RefusedBundle:
        return None


def _of_this_hash(bundle: Bundle, sha256: str) -> Bundle:
    if bundle.identity.sha256 != sha256:
        raise RefusedBundle(
            f"{bundle.folder} has SHA-256 {bundle.identity.sha256}, {sha256} was promoted"
        )
    return bundle


def _opened(address: str, timeout_s: float) -> tuple[Any, str]:
    check_address(address)
    # fsspec and what it imports are only needed once a model is promoted.
    from fsspec.core import url_to_fs

    options: dict[str, Any] = {}
    if address.startswith(("http://", "https://")):
        from aiohttp import ClientTimeout

        options["client_kwargs"] = {"timeout": ClientTimeout(total=timeout_s)}
    try:
        files, root = url_to_fs(address, use_listings_cache=False, **options)
    except ImportError as error:
        raise RefusedBundle(f"{address} needs a library that is not here: {error}") from error
    return files, root.rstrip("/")


def _read_bounded(files: Any, place: str, most_bytes: int) -> bytes:
    with files.open(place, "rb") as source:
        content: bytes = source.read(most_bytes + 1)
    if len(content) > most_bytes:
        raise RefusedBundle(f"{place} has more than {most_bytes:,} bytes")
    return content


def _copy_bounded(files: Any, place: str, to: Path, most_bytes: int) -> int:
    copied = 0
    with files.open(place, "rb") as source, to.open("wb") as target:
        while piece := source.read(_PIECE_BYTES):
            copied += len(piece)
            if copied > most_bytes:
                raise RefusedBundle(f"{place}: the bundle has more bytes than are read of any")
            target.write(piece)
    return copied


@contextmanager
def _faults_named(address: str) -> Iterator[None]:
    from aiohttp import ClientError

    try:
        yield
    except (OSError, ClientError) as error:
        reason = str(error) or type(error).__name__
        raise BundleUnavailable(f"the bundle at {address} cannot be read: {reason}") from error
