"""The Open Inference Protocol, version 2: tensors of texts in, tensors of labels out.

Pure: bytes and documents to texts, answers to bytes and documents. The binary extension is that of
Triton's client: the JSON comes first, as long as `Inference-Header-Content-Length` says, then the
tensors one after the other; each text of a BYTES tensor is a length of four bytes, little-endian,
and so many bytes of UTF-8.
"""

import struct
from collections.abc import Sequence
from typing import Any, Final

import msgspec
from msgspec import Struct

from model_server.http.batching import Answer
from model_server.http.prediction_types import MAX_TEXTS
from model_server.overrides.apply_override import Overridden
from schemas.events import MAX_TEXT_CHARS

INPUT: Final = "text"
LABEL: Final = "label"
PROBABILITIES: Final = "probabilities"
HEADER_LENGTH: Final = "inference-header-content-length"
_LENGTH: Final = struct.Struct("<I")


class ProtocolFault(Exception):
    """A request that breaks the protocol; the message says how, and repeats no text."""


class InputTensor(Struct, frozen=True, kw_only=True):
    """A tensor of texts."""

    name: str
    datatype: str
    shape: list[int]
    data: Any = None
    parameters: dict[str, Any] = {}


class RequestedOutput(Struct, frozen=True, kw_only=True):
    """An output that is asked for."""

    name: str
    parameters: dict[str, Any] = {}


class InferRequest(Struct, frozen=True, kw_only=True):
    """A call of `infer`."""

    inputs: list[InputTensor]
    id: str = ""
    outputs: list[RequestedOutput] | None = None
    parameters: dict[str, Any] = {}


_decoder: Final = msgspec.json.Decoder(InferRequest)


class ParsedInfer(Struct, frozen=True, kw_only=True):
    """What a call asks for: texts, and outputs by name, each in binary or not."""

    id: str
    texts: list[str]
    outputs: list[tuple[str, bool]]


def parse_infer(body: bytes, header_length: str | None) -> ParsedInfer:
    """Return what a call asks for; raise `ProtocolFault`."""
    head, tail = _parted(body, header_length)
    try:
        request = _decoder.decode(head)
    except msgspec.ValidationError as error:
        raise ProtocolFault(str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise ProtocolFault("the request is not JSON") from None
    if len(request.inputs) != 1 or request.inputs[0].name != INPUT:
        raise ProtocolFault(f"exactly one input is asked for, named {INPUT!r}")
    texts = _texts_of(request.inputs[0], tail)
    return ParsedInfer(id=request.id, texts=texts, outputs=_outputs_of(request))


def _parted(body: bytes, header_length: str | None) -> tuple[bytes, bytes]:
    if header_length is None:
        return body, b""
    if not header_length.isascii() or not header_length.isdigit():
        raise ProtocolFault("Inference-Header-Content-Length is not a number")
    length = int(header_length)
    if length > len(body):
        raise ProtocolFault("Inference-Header-Content-Length is larger than the body")
    return body[:length], body[length:]


def _texts_of(tensor: InputTensor, tail: bytes) -> list[str]:
    if tensor.datatype != "BYTES":
        raise ProtocolFault(f"the input {INPUT!r} has the datatype BYTES")
    if any(size < 0 for size in tensor.shape) or not 1 <= len(tensor.shape) <= 2:
        raise ProtocolFault("the shape is [texts] or [texts, 1]")
    count = tensor.shape[0]
    if len(tensor.shape) == 2 and tensor.shape[1] != 1:
        raise ProtocolFault("the shape is [texts] or [texts, 1]")
    if not 1 <= count <= MAX_TEXTS:
        raise ProtocolFault(f"between 1 and {MAX_TEXTS} texts are taken at once")
    binary_bytes = tensor.parameters.get("binary_data_size")
    if binary_bytes is None:
        texts = _flat(tensor.data)
    elif binary_bytes == len(tail):
        texts = _unpacked(tail, count)
    else:
        raise ProtocolFault("binary_data_size is not the size of what follows the JSON")
    if len(texts) != count:
        raise ProtocolFault(f"the shape says {count} texts, the data has {len(texts)}")
    for text in texts:
        if not text.strip() or len(text) > MAX_TEXT_CHARS:
            raise ProtocolFault(
                f"a text has 1 to {MAX_TEXT_CHARS:,} characters, not all of them white"
            )
    return texts


def _flat(data: Any) -> list[str]:
    if not isinstance(data, list):
        raise ProtocolFault("the data is a list of texts")
    texts = [each[0] if isinstance(each, list) and len(each) == 1 else each for each in data]
    if not all(isinstance(text, str) for text in texts):
        raise ProtocolFault("the data is a list of texts")
    return texts


def _unpacked(tail: bytes, count: int) -> list[str]:
    texts, at = [], 0
    try:
        for _ in range(count):
            (length,) = _LENGTH.unpack_from(tail, at)
            at += _LENGTH.size
            if at + length > len(tail):
                raise ProtocolFault("a text is longer than the binary data")
            texts.append(tail[at : at + length].decode())
            at += length
    except struct.error:
        raise ProtocolFault("the binary data ends within a length") from None
    except UnicodeDecodeError:
        raise ProtocolFault("a text is not UTF-8") from None
    if at != len(tail):
        raise ProtocolFault("the binary data has more texts than the shape says")
    return texts


def _outputs_of(request: InferRequest) -> list[tuple[str, bool]]:
    all_binary = bool(request.parameters.get("binary_data_output", False))
    if not request.outputs:
        return [(LABEL, all_binary), (PROBABILITIES, all_binary)]
    outputs = []
    for output in request.outputs:
        if output.name not in (LABEL, PROBABILITIES):
            raise ProtocolFault(f"the outputs are {LABEL!r} and {PROBABILITIES!r}")
        outputs.append((output.name, bool(output.parameters.get("binary_data", all_binary))))
    return outputs


def infer_answer(
    asked: ParsedInfer,
    answer: Answer,
    labels: Sequence[str],
    overridden: Sequence[Overridden] = (),
) -> tuple[bytes, int | None]:
    """Return the body of an answer, and how long its JSON is where tensors follow it.

    Only the outputs that were asked for are in it. `labels` are the columns of the probabilities.
    `overridden` are the answers that count; where an override gave one, the parameter `overrides`
    has its name in the place of the text.
    """
    chosen = [each.label for each in overridden or answer.predictions]
    outputs: list[dict[str, Any]] = []
    binary = b""
    for name, is_binary in asked.outputs:
        tensor = _tensor(name, answer, labels, chosen)
        if is_binary:
            packed = _packed(name, tensor.pop("data"))
            tensor["parameters"] = {"binary_data_size": len(packed)}
            binary += packed
        outputs.append(tensor)
    document: dict[str, Any] = {
        "model_name": answer.model.name,
        "model_version": answer.model.version,
        "outputs": outputs,
        "parameters": {"sha256": answer.model.sha256},
    }
    applied = [each.override.name if each.override else "" for each in overridden]
    if any(applied):
        document["parameters"]["overrides"] = applied
    if asked.id:
        document["id"] = asked.id
    head = msgspec.json.encode(document)
    return head + binary, len(head) if binary else None


def _tensor(name: str, answer: Answer, labels: Sequence[str], chosen: list[str]) -> dict[str, Any]:
    count = len(answer.predictions)
    if name == LABEL:
        return {
            "name": LABEL,
            "datatype": "BYTES",
            "shape": [count],
            "data": chosen,
        }
    return {
        "name": PROBABILITIES,
        "datatype": "FP64",
        "shape": [count, len(labels)],
        "data": [each.probabilities[label] for each in answer.predictions for label in labels],
    }


def _packed(name: str, data: list[Any]) -> bytes:
    if name == LABEL:
        texts = [text.encode() for text in data]
        return b"".join(_LENGTH.pack(len(text)) + text for text in texts)
    return struct.pack(f"<{len(data)}d", *data)
