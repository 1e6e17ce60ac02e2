"""What a model answers to the texts that it was validated on: a stream's first reference.

A bundle brings sums over those texts as `reference.json`, and no text. Where the manifest vouches
for the file, it is of that bundle. A file that was added to a sealed bundle names the bundle's hash
instead, so that the bundle stays the model that it was.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec
from msgspec import Struct

from model_server.bundle import REFERENCE, Bundle, RefusedBundle
from model_server.onnx_engine import Probabilities
from retrain.drift.alarm import ComparedWith, Signal
from retrain.drift.reference import HOUR, Reference, build_reference
from retrain.drift.signals import SignalKey
from retrain.drift.watch.count_tweet import Pieces, Tally, counted_of
from retrain.drift.window import ALL_RULES, Window, WindowCounts, WindowKey

NO_TIME: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""Where the span of such a reference begins: validation texts have no time of their own."""

COMPARED: Final = frozenset(
    {
        Signal.LABEL_SHARE,
        Signal.LABEL_DISTRIBUTION,
        Signal.CONFIDENCE,
        Signal.LOW_CONFIDENCE,
        Signal.PIECES_PER_WORD,
        Signal.UNKNOWN_PIECES,
    }
)
"""What validation texts can say of a stream. They have no hours, no volume and no languages. They
are kept cleaned, so that links and mentions are shorter than in a stream: no lengths. Their words
stay out too: sets of hashed words can be read back, and no deletion reaches a sealed bundle."""


class ValidationCounts(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`reference.json`; `model_sha256` is None where the bundle's manifest vouches for the file."""

    model_sha256: str | None = None
    counts: WindowCounts


def count_validation(
    labels: Sequence[str], answers: Probabilities, pieces: Iterable[Pieces]
) -> WindowCounts:
    """Return the sums over texts: a row of probabilities and the word pieces of each."""
    tally = Tally()
    for row, of_text in zip(answers.tolist(), pieces, strict=True):
        probabilities = dict(zip(labels, row, strict=True))
        tally.add(
            counted_of(
                probabilities=probabilities, retweet=False, text="", language=None, pieces=of_text
            )
        )
    return msgspec.structs.replace(tally.counts(), by_language={})


def encode_validation(counts: WindowCounts, model_sha256: str | None = None) -> bytes:
    """Return the content of `reference.json`, which names the bundle unless that is still open."""
    written = ValidationCounts(model_sha256=model_sha256, counts=counts)
    return msgspec.json.encode(written, order="sorted") + b"\n"


def read_validation_counts(bundle: Bundle) -> WindowCounts | None:
    """Return what a bundle brings of its validation texts, None where it brings nothing.

    A file of another bundle counts as none. Raises `RefusedBundle` for one that cannot be read.
    """
    file = bundle.folder / REFERENCE
    try:
        found = msgspec.json.decode(file.read_bytes(), type=ValidationCounts)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError) as error:
        raise RefusedBundle(f"{file} cannot be read: {error}") from error
    named = None if REFERENCE in bundle.manifest.files else bundle.identity.sha256
    if found.model_sha256 != named or not found.counts.judged:
        return None
    return found.counts


def first_reference(
    counts: WindowCounts, *, run: str, model_sha256: str, window: timedelta = HOUR
) -> Reference:
    """Return the reference of all rules together that validation texts make for a run's windows.

    It has no hours and no measured scales, so that no rate of false alarms can be stated.
    """
    key = WindowKey(run, ALL_RULES, model_sha256, NO_TIME)
    made = build_reference([Window(key, counts)], window=window)
    kept = {
        name: baseline
        for name, baseline in made.baselines.items()
        if SignalKey.named(name).signal in COMPARED
    }
    return msgspec.structs.replace(made, baselines=kept, compared_with=ComparedWith.VALIDATION)
