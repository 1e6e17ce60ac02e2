"""Bundles are fetched by address and hash: whole and as promised, or not at all."""

import shutil
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from model_server.bundle import CARD, MANIFEST, MODEL, TOKENIZER, Bundle, RefusedBundle
from model_server.bundle_store import BundleStore, BundleUnavailable
from tests.keyword_bundle import keyword_bundle

WORDS = {"good": "positive", "bad": "negative"}


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
        pass


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    return keyword_bundle(tmp_path / "origin", WORDS)


@pytest.fixture
def store(tmp_path: Path) -> BundleStore:
    return BundleStore(tmp_path / "kept", timeout_s=5)


@pytest.fixture
def served(bundle: Bundle) -> Iterator[str]:
    """The bundle's folder over HTTP."""
    with ThreadingHTTPServer(
        ("127.0.0.1", 0), partial(Quiet, directory=str(bundle.folder))
    ) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("kind", ["folder", "file", "http"])
def test_a_bundle_comes_whole_from_each_kind_of_address_and_is_kept(
    kind: str, bundle: Bundle, store: BundleStore, served: str, tmp_path: Path
) -> None:
    addresses = {"folder": str(bundle.folder), "file": bundle.folder.as_uri(), "http": served}
    (bundle.folder / CARD).write_text("# Card")
    (bundle.folder / "notes.txt").write_text("nobody vouches for this")
    fetched = store.fetch(addresses[kind], bundle.identity.sha256)
    assert fetched.identity == bundle.identity
    assert fetched.folder == tmp_path / "kept" / bundle.identity.sha256
    kept = {file.name for file in fetched.folder.iterdir()}
    assert kept == {MANIFEST, MODEL, TOKENIZER, CARD}
    shutil.rmtree(bundle.folder)
    assert store.fetch(addresses[kind], bundle.identity.sha256) == fetched


@pytest.mark.parametrize("kind", ["folder", "http"])
@pytest.mark.parametrize("name", [MANIFEST, MODEL, TOKENIZER])
def test_what_is_not_the_bundle_of_the_hash_is_refused_and_not_kept(
    kind: str, name: str, bundle: Bundle, store: BundleStore, served: str, tmp_path: Path
) -> None:
    file = bundle.folder / name
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(RefusedBundle, match="SHA-256"):
        store.fetch(served if kind == "http" else str(bundle.folder), bundle.identity.sha256)
    assert not (tmp_path / "kept" / bundle.identity.sha256).exists()


@pytest.mark.parametrize("name", [MANIFEST, MODEL])
def test_a_place_that_lacks_the_bundle_may_have_it_later(
    name: str, bundle: Bundle, store: BundleStore, served: str
) -> None:
    content = (bundle.folder / name).read_bytes()
    (bundle.folder / name).unlink()
    for address in (served, str(bundle.folder), "http://127.0.0.1:9/nobody-listens"):
        with pytest.raises(BundleUnavailable, match="cannot be read"):
            store.fetch(address, bundle.identity.sha256)
    (bundle.folder / name).write_bytes(content)
    assert store.fetch(served, bundle.identity.sha256).identity == bundle.identity


@pytest.mark.parametrize(
    "address",
    [
        "relative/folder",
        "memory://somewhere",
        "github://org:repo@main/path",
        "zip://model::http://127.0.0.1/a.zip",
    ],
)
def test_other_kinds_of_addresses_are_refused(
    address: str, bundle: Bundle, store: BundleStore
) -> None:
    with pytest.raises(RefusedBundle):
        store.fetch(address, bundle.identity.sha256)


def test_more_bytes_than_any_bundle_may_have_are_not_read(bundle: Bundle, tmp_path: Path) -> None:
    store = BundleStore(tmp_path / "kept", max_bundle_bytes=100)
    with pytest.raises(RefusedBundle, match="more bytes"):
        store.fetch(str(bundle.folder), bundle.identity.sha256)


def test_a_kept_bundle_that_was_damaged_is_fetched_anew(bundle: Bundle, store: BundleStore) -> None:
    kept = store.fetch(str(bundle.folder), bundle.identity.sha256)
    (kept.folder / MODEL).write_bytes(b"damaged")
    assert store.fetch(str(bundle.folder), bundle.identity.sha256) == kept
    assert (kept.folder / MODEL).read_bytes() == (bundle.folder / MODEL).read_bytes()


def test_two_that_fetch_at_once_do_not_disturb_each_other(
    bundle: Bundle, served: str, tmp_path: Path
) -> None:
    sha256 = bundle.identity.sha256
    found: list[Bundle] = []

    def fetch() -> None:
        store = BundleStore(tmp_path / "kept")
        while True:
            try:
                found.append(store.fetch(served, sha256))
            except BundleUnavailable:
                continue
            return

    threads = [threading.Thread(target=fetch) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert [each.identity.sha256 for each in found] == [sha256] * 4


def test_only_bundles_that_are_in_use_are_kept(
    bundle: Bundle, store: BundleStore, tmp_path: Path
) -> None:
    other = keyword_bundle(tmp_path / "other", {"fine": "positive", "poor": "negative"})
    for each in (bundle, other):
        store.fetch(str(each.folder), each.identity.sha256)
    store.keep_only(frozenset([other.identity.sha256]))
    assert [place.name for place in (tmp_path / "kept").iterdir()] == [other.identity.sha256]


def test_a_folder_that_cannot_be_written_is_tried_again_later(tmp_path: Path) -> None:
    """A full or broken disk may pass: whoever loads models has to go on asking."""
    (tmp_path / "store").write_text("no folder")
    with pytest.raises(BundleUnavailable, match="store"):
        BundleStore(tmp_path / "store").fetch(str(tmp_path), "ab" * 32)
