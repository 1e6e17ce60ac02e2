"""overrides.yaml: a list of overrides, each with its tests."""

from collections.abc import Collection
from pathlib import Path
from typing import Final

import msgspec

from model_server.overrides.override import Override, Overrides, failed_tests
from model_server.overrides.phrase import UnusablePhrase
from schemas.failures import Failure
from schemas.yaml_file import read_yaml

MAX_OVERRIDES: Final = 1_000


def read_overrides(path: Path, labels: Collection[str]) -> Overrides:
    """Return the overrides of a file in their order; raise `Failure` that names what is wrong.

    The file is YAML. Each label is one of `labels`, and no name stands twice. Tests are not run.
    """
    content = read_yaml(path)
    if not isinstance(content, list):
        raise Failure(f"{path}: expected a list of overrides, each with `name` and `pattern`")
    if len(content) > MAX_OVERRIDES:
        raise Failure(f"{path}: {len(content):,} overrides, at most {MAX_OVERRIDES:,} are taken")
    overrides = [_override(path, number, entry) for number, entry in enumerate(content, start=1)]
    names: set[str] = set()
    for number, override in enumerate(overrides, start=1):
        if override.name in names:
            raise Failure(f"{path}: override {number} has the name of an earlier one")
        if override.label not in labels:
            raise Failure(
                f"{path}: {override.name} has the label {override.label!r}; "
                f"the model's are {', '.join(labels)}"
            )
        names.add(override.name)
    try:
        return Overrides.of(overrides)
    except UnusablePhrase as fault:
        raise Failure(f"{path}: {fault}") from fault


def usable_overrides(path: Path | None, labels: Collection[str]) -> Overrides | None:
    """Return the overrides of a file, None where there is no file.

    Raises `Failure` also where a test in it fails: no process begins with such overrides.
    """
    if path is None:
        return None
    read = read_overrides(path, labels)
    for sentence in failed_tests(read):
        raise Failure(f"{path}: {sentence}: `murmur overrides check {path}` shows all")
    return read


def _override(path: Path, number: int, entry: object) -> Override:
    try:
        return msgspec.convert(entry, Override)
    except msgspec.ValidationError as error:
        raise Failure(f"{path}: override {number}: {error}") from None
