"""A model as one folder: weights, tokenizer, and the manifest that vouches for them."""

import hashlib
import unicodedata
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from model_server.calibration import MOST_LEAD_POWER
from model_server.cleaning import CLEANING
from schemas.events import ModelIdentity
from schemas.failures import Failure

MANIFEST: Final = "bundle.json"
MODEL: Final = "model.onnx"
TOKENIZER: Final = "tokenizer.json"
CARD: Final = "MODEL_CARD.md"
REFERENCE: Final = "reference.json"
"""Figures of the validation texts; `retrain/drift/first_reference.py` reads and writes them."""

SHIPPED: Final = ("default", "fast")
"""The bundles in `bundles/`, which may be named without their folder."""
LONGEST_LABEL: Final = 100
Name = Annotated[str, Meta(min_length=1, max_length=LONGEST_LABEL)]


class RefusedBundle(Failure):
    """A bundle that must not score: damaged, incomplete, or answering otherwise than it should."""


Temperature = Annotated[float, Meta(gt=0)]
LeadPower = Annotated[float, Meta(gt=0, le=MOST_LEAD_POWER)]


class SelfTestCase(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A text and the probabilities that the bundle gave for it when it was sealed."""

    text: str
    probabilities: tuple[float, ...]


class Manifest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`bundle.json`. `files` has the SHA-256 of each file; probabilities follow `labels`.

    `temperature` and `lead_power` make logits calibrated (`calibration.py`): one number, or one for
    each label.
    """

    name: Name
    version: Name
    labels: Annotated[tuple[Name, ...], Meta(min_length=2, max_length=50)]
    cleaning: str
    languages: tuple[str, ...]
    max_tokens: Annotated[int, Meta(ge=8, le=512)]
    temperature: Temperature | tuple[Temperature, ...] = 1.0
    lead_power: LeadPower | tuple[LeadPower, ...] = 1.0
    files: dict[str, str]
    self_test: Annotated[tuple[SelfTestCase, ...], Meta(min_length=1)]


class Bundle(Struct, frozen=True, kw_only=True):
    """A bundle whose files are the ones that its manifest names."""

    folder: Path
    manifest: Manifest
    identity: ModelIdentity


def default_bundle() -> Path:
    """Return the folder of the bundle that serves where no other is named."""
    return _shipped("default")


def bundle_folder(named: Path) -> Path:
    """Return the folder of a bundle that is named by its folder or as one that Murmur ships.

    A folder that holds a bundle is that one, whatever its name.
    """
    is_name = str(named) in SHIPPED and not (named / MANIFEST).is_file()
    return _shipped(str(named)) if is_name else named


def _shipped(name: str) -> Path:
    return Path(str(files("model_server") / "bundles" / name))


def open_bundle(named: Path) -> Bundle:
    """Read a bundle's manifest and check every file's hash; raise `RefusedBundle` otherwise.

    It is named as for `bundle_folder`.
    """
    folder = bundle_folder(named)
    manifest, identity = _read_manifest(folder)
    _check(folder, manifest)
    return Bundle(folder=folder, manifest=manifest, identity=identity)


def identity_of(named: Path) -> ModelIdentity:
    """Return which model a bundle's manifest speaks of, its files unread; or `RefusedBundle`."""
    return _read_manifest(bundle_folder(named))[1]


def _read_manifest(folder: Path) -> tuple[Manifest, ModelIdentity]:
    try:
        content = (folder / MANIFEST).read_bytes()
    except OSError as error:
        raise RefusedBundle(
            f"{folder} is not a model bundle: {error.strerror}: {MANIFEST} (`murmur model export` "
            f"makes a bundle of what was trained; Murmur ships {' and '.join(SHIPPED)})"
        ) from error
    try:
        manifest = msgspec.json.decode(content, type=Manifest)
    except msgspec.DecodeError as error:
        raise RefusedBundle(f"{folder}/{MANIFEST} is not a manifest: {error}") from error
    return manifest, ModelIdentity(
        name=manifest.name,
        version=manifest.version,
        sha256=hashlib.sha256(content).hexdigest(),
        cleaning=manifest.cleaning,
    )


def _check(folder: Path, manifest: Manifest) -> None:
    if manifest.cleaning not in CLEANING:
        raise RefusedBundle(
            f"{folder} needs cleaning version {manifest.cleaning!r}, which is unknown"
        )
    _check_labels(folder, manifest.labels)
    for figures in (manifest.temperature, manifest.lead_power):
        if isinstance(figures, tuple) and len(figures) != len(manifest.labels):
            raise RefusedBundle(f"{folder} is calibrated for another number of labels")
    if any(len(case.probabilities) != len(manifest.labels) for case in manifest.self_test):
        raise RefusedBundle(f"{folder} has self-test cases of another number of labels")
    for name in (MODEL, TOKENIZER):
        if name not in manifest.files:
            raise RefusedBundle(f"{folder}/{MANIFEST} does not list {name}")
    for name, expected in manifest.files.items():
        if Path(name).name != name:
            raise RefusedBundle(f"{folder}/{MANIFEST} names a file outside the bundle")
        actual = sha256_of(folder / name)
        if actual != expected:
            raise RefusedBundle(
                f"{folder}/{name} has SHA-256 {actual}, its manifest says {expected}"
            )


def _check_labels(folder: Path, labels: tuple[str, ...]) -> None:
    if len(set(labels)) != len(labels):
        raise RefusedBundle(f"{folder} names a label twice")
    for label in labels:
        if not storable_label(label):
            raise RefusedBundle(
                f"{folder} has the label {label!r}: space around it, or a character that controls"
            )


def storable_label(label: str) -> bool:
    """Tell whether rows, cache, tables and exports can hold a label as it is.

    A label stands in every row and rollup: PostgreSQL stores no NUL, a terminal obeys control
    characters, and what people labelled is compared without the space around it.
    """
    controls = any(unicodedata.category(character) in ("Cc", "Cs") for character in label)
    return label == label.strip() != "" and not controls


def sha256_of(file: Path) -> str:
    """Return a file's SHA-256 in hexadecimal; raise `RefusedBundle` where it cannot be read."""
    try:
        with file.open("rb") as content:
            return hashlib.file_digest(content, "sha256").hexdigest()
    except OSError as error:
        raise RefusedBundle(f"{file}: {error.strerror}") from error
