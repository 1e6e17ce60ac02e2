"""The one engine: cleaned texts to probabilities, with ONNX Runtime, on the caller's core."""

import copy
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from model_server.bundle import MODEL, TOKENIZER, Bundle, RefusedBundle
from model_server.calibration import calibrated, softmax
from model_server.onnx_runtime import load_onnx_runtime

Probabilities: TypeAlias = npt.NDArray[np.float64]
"""Texts × labels; each row sums to 1."""

BATCH_TEXTS: Final = 32
"""Bigger batches than 32 to 64 lose on one core: their activations leave the cache. Measured by
scoring 2,048 tweets sorted by length with batches of 8 to 256."""

_BATCH_TOKENS: Final = 320
"""Word pieces of a batch, padding included: what the layers make of more leaves a core's cache (2
MiB here), and each piece costs up to 40 % more; fewer than 150 cost more too. `python -m
tests.benchmarks.batch_shapes` measures it: beside no bound a tweet costs .78 in the stream's
windows of 256, and .70 in windows of 32, as requests over HTTP come."""

_READ_CHARS: Final = 8_192
"""Of a longer text this much is read first: the model sees at most some hundred words, and the
names of emoji make a text up to twenty times as long, which the tokenizer reads in a second."""


class UnscorableTexts(Exception):
    """The model or its tokenizer refuses these texts, and always will. Never carries a text."""


class Engine(Protocol):
    """Turns cleaned texts into probabilities; the result for a text depends on nothing else."""

    @property
    def labels(self) -> tuple[str, ...]:
        """The columns of the probabilities."""
        ...

    def probabilities(self, texts: Sequence[str]) -> Probabilities:
        """Return one row for each text, in order; raise `UnscorableTexts` where one has none."""
        ...


class OnnxEngine:
    """The engine of a bundle. A call uses its own thread's core alone; any number may call at once.

    A statically quantised model gives the same row for a text whatever its neighbours are, so
    texts are sorted by length and scored in small batches with little padding.
    """

    def __init__(self, bundle: Bundle) -> None:
        # The tokenizer's own threads would compete with the other processes of the machine. The
        # library offers no other switch, and reads this one at its first batch.
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
        onnxruntime = load_onnx_runtime()
        from onnxruntime.capi import onnxruntime_pybind11_state as faults
        from tokenizers import Tokenizer

        # A RuntimeException may also be a want of memory: it is passed on, and ends the process.
        self._refusals = (faults.Fail, faults.InvalidArgument, faults.NotImplemented)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        # Plans memory for shapes that come again; those of batches hardly ever do. Saves 20 MB.
        options.enable_mem_pattern = False
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        # A graph may name further files for its weights. The manifest vouches for none of them, so
        # they are looked for where there is nothing.
        options.add_session_config_entry(
            "session.model_external_initializers_file_folder_path",
            str(bundle.folder / "nothing-outside-the-manifest"),
        )
        self._labels = bundle.manifest.labels
        self._temperature = bundle.manifest.temperature
        self._lead_power = bundle.manifest.lead_power
        try:
            self._tokenizer = Tokenizer.from_file(str(bundle.folder / TOKENIZER))
            self._session: Any = onnxruntime.InferenceSession(
                (bundle.folder / MODEL).read_bytes(),
                options,
                providers=["CPUExecutionProvider"],
                # Its CPU kernel is slow: without the fusion a tweet costs a quarter less.
                disabled_optimizers=["SkipLayerNormFusion"],
            )
        except Exception as error:
            # Both libraries raise bare Exceptions for a file that they cannot read.
            raise RefusedBundle(f"{bundle.folder} does not load: {error}") from error
        self._tokenizer.no_padding()
        self._max_tokens = bundle.manifest.max_tokens
        self._tokenizer.enable_truncation(max_length=self._max_tokens)
        self._check_interface(bundle.folder)

    @property
    def labels(self) -> tuple[str, ...]:
        """The columns of the probabilities."""
        return self._labels

    def calibrated_with(
        self, temperature: float | tuple[float, ...], lead_power: float | tuple[float, ...]
    ) -> "OnnxEngine":
        """Return an engine on the same session whose logits are calibrated by other figures."""
        engine = copy.copy(self)
        engine._temperature = temperature  # noqa: SLF001  of this very class
        engine._lead_power = lead_power  # noqa: SLF001
        return engine

    def logits(self, padded: Mapping[str, npt.NDArray[np.int64]]) -> npt.NDArray[np.float32]:
        """Return what the model itself answers to `input_ids` and `attention_mask`, uncalibrated.

        Both are texts × word pieces. Raises `UnscorableTexts` where the model refuses them.
        """
        try:
            logits: npt.NDArray[np.float32] = self._session.run(None, dict(padded))[0]
        except self._refusals as fault:
            raise UnscorableTexts("the model refuses it") from fault
        return logits

    def probabilities(self, texts: Sequence[str]) -> Probabilities:
        """Return one row for each text, in order; raise `UnscorableTexts` where one has none.

        Whatever else either library raises may be the machine's fault, and is passed on.
        """
        encoded = self.token_ids(texts)
        logits = np.empty((len(texts), len(self._labels)), dtype=np.float64)
        for rows in _batches_by_length([len(ids) for ids in encoded]):
            logits[rows] = self._logits_of_unpadded([encoded[row] for row in rows])
        logits = calibrated(logits, self._temperature, self._lead_power)
        if not np.isfinite(logits).all():
            raise UnscorableTexts("the model's answer is not a number")
        return softmax(logits)

    def token_ids(self, texts: Sequence[str]) -> list[list[int]]:
        """Return the tokens that the model sees of each text; raise `UnscorableTexts`."""
        beginnings = [_beginning_of(text) for text in texts]
        encoded = self._encode_whole(beginnings)
        # Rarely the model sees more than that: spaces and control characters are no words.
        unfilled = [
            row
            for row, (text, beginning) in enumerate(zip(texts, beginnings, strict=True))
            if len(beginning) < len(text) and len(encoded[row]) < self._max_tokens
        ]
        for row, ids in zip(
            unfilled, self._encode_whole([texts[row] for row in unfilled]), strict=True
        ):
            encoded[row] = ids
        return encoded

    def _encode_whole(self, texts: Sequence[str]) -> list[list[int]]:
        try:
            return [encoding.ids for encoding in self._tokenizer.encode_batch_fast(list(texts))]
        except Exception as fault:
            # For what it cannot encode the library raises bare Exceptions, and only for that.
            if type(fault) not in (Exception, TypeError):
                raise
            raise UnscorableTexts("the tokenizer refuses it") from fault

    def _logits_of_unpadded(self, batch: list[list[int]]) -> npt.NDArray[np.float32]:
        longest = max(len(ids) for ids in batch)
        input_ids = np.zeros((len(batch), longest), dtype=np.int64)
        attention_mask = np.zeros((len(batch), longest), dtype=np.int64)
        for row, ids in enumerate(batch):
            input_ids[row, : len(ids)] = ids
            attention_mask[row, : len(ids)] = 1
        return self.logits({"input_ids": input_ids, "attention_mask": attention_mask})

    def _check_interface(self, folder: Path) -> None:
        names = {entry.name for entry in self._session.get_inputs()}
        if names != {"input_ids", "attention_mask"}:
            raise RefusedBundle(f"{folder} has inputs {sorted(names)}")
        width = self._session.get_outputs()[0].shape[-1]
        if width != len(self._labels):
            raise RefusedBundle(f"{folder} has {width} outputs for {len(self._labels)} labels")


def _beginning_of(text: str) -> str:
    """Return the words in the first characters, whole: words are tokenised one by one."""
    if len(text) <= _READ_CHARS:
        return text
    end = text.rfind(" ", 0, _READ_CHARS)
    return text[:end] if end > 0 else text


def _batches_by_length(lengths: Sequence[int]) -> Iterator[list[int]]:
    batch: list[int] = []
    for row in sorted(range(len(lengths)), key=lengths.__getitem__):
        # The longest comes last, and all are padded to its length.
        padded_tokens = (len(batch) + 1) * lengths[row]
        if batch and (padded_tokens > _BATCH_TOKENS or len(batch) == BATCH_TEXTS):
            yield batch
            batch = []
        batch.append(row)
    if batch:
        yield batch
