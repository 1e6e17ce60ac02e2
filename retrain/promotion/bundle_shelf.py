"""Where promoted bundles are put, for every process that serves to fetch them from."""

from pathlib import Path
from typing import Any, Final

from model_server.bundle import CARD, MANIFEST, Bundle
from model_server.bundle_store import check_address
from schemas.failures import Failure

READ_ONLY: Final = ("http://", "https://")


class BundleShelf:
    """A folder, or a URL of an object store, with one folder for each bundle, named by its hash."""

    def __init__(self, address: str) -> None:
        self._address = address.rstrip("/")

    def address_of(self, sha256: str) -> str:
        """Return where the bundle of this hash is, or would be."""
        return f"{self._address}/{sha256}"

    def put(self, bundle: Bundle) -> str:
        """Copy a bundle to its place and return the address; one that is there stays.

        The manifest is copied last: where it is, all is. Raises `Failure` where the place cannot be
        written.
        """
        address = self.address_of(bundle.identity.sha256)
        files, root = self._opened(address)
        try:
            if not files.exists(f"{root}/{MANIFEST}"):
                files.makedirs(root, exist_ok=True)
                names = [*bundle.manifest.files, MANIFEST]
                if CARD not in names and (bundle.folder / CARD).is_file():
                    names.insert(0, CARD)
                for name in names:
                    files.put_file(str(bundle.folder / name), f"{root}/{name}")
        except OSError as error:
            raise Failure(f"the bundle cannot be put at {address}: {error}") from error
        return address

    def remove(self, sha256: str) -> None:
        """Remove a bundle, its manifest first; one that is not there is removed already."""
        files, root = self._opened(self.address_of(sha256))
        if files.exists(f"{root}/{MANIFEST}"):
            files.rm_file(f"{root}/{MANIFEST}")
        if files.exists(root):
            files.rm(root, recursive=True)

    def hashes(self) -> frozenset[str]:
        """Return the hashes of the bundles that are there."""
        files, root = self._opened(self._address)
        if not files.exists(root):
            return frozenset()
        return frozenset(Path(place).parent.name for place in files.glob(f"{root}/*/{MANIFEST}"))

    def _opened(self, address: str) -> tuple[Any, str]:
        check_address(address)
        if address.startswith(READ_ONLY):
            raise Failure(
                f"MURMUR_BUNDLES is {self._address}, which can only be read: name a folder or an "
                "object store (s3://, gs://, az://)"
            )
        from fsspec.core import url_to_fs

        try:
            files, root = url_to_fs(address, use_listings_cache=False)
        except ImportError as error:
            raise Failure(f"{address} needs a library that is not here: {error}") from error
        return files, root.rstrip("/")
