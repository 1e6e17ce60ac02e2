"""Triton's client against a service: run by an environment that has `tritonclient[http]`.

`python triton_calls.py HOST:PORT` prints how many values were compared; an assertion says what
differs. It imports nothing of Murmur.
"""

import json
import sys
import urllib.request
from itertools import product
from typing import Any

import numpy as np
import tritonclient.http as triton  # type: ignore[import-not-found]

TEXTS = ["What a lovely evening", "a dreadful day", "😀 naïve Ünïcode", "ok"] * 16
OUTPUTS = (None, ["label"], ["probabilities"], ["label", "probabilities"])


def asked(address: str, path: str, body: Any = None) -> Any:
    content = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(f"http://{address}{path}", content, timeout=60) as answer:
        return json.load(answer)


def compare(address: str) -> int:
    name = asked(address, "/model/info")["model"]["name"]
    own = asked(address, "/predict/batch", {"texts": TEXTS})["predictions"]
    client = triton.InferenceServerClient(address)
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready(name)
    assert client.get_model_metadata(name)["name"] == name
    values = 0
    for binary_in, binary_out, outputs in product((True, False), (True, False), OUTPUTS):
        tensor = triton.InferInput("text", [len(TEXTS)], "BYTES")
        texts = np.array([text.encode() for text in TEXTS], dtype=object)
        tensor.set_data_from_numpy(texts, binary_data=binary_in)
        wanted = outputs and [
            triton.InferRequestedOutput(each, binary_data=binary_out) for each in outputs
        ]
        found = client.infer(name, [tensor], outputs=wanted, request_id="7")
        response = found.get_response()
        assert response["id"] == "7"
        names = {each["name"] for each in response["outputs"]}
        assert names == set(outputs or ("label", "probabilities"))
        if "label" in names:
            labels = [
                each.decode() if isinstance(each, bytes) else each
                for each in found.as_numpy("label").tolist()
            ]
            assert labels == [each["label"] for each in own]
            values += len(labels)
        if "probabilities" in names:
            rows = found.as_numpy("probabilities")
            assert rows.tolist() == [list(each["probabilities"].values()) for each in own]
            values += rows.size
    return values


if __name__ == "__main__":
    print(f"{compare(sys.argv[1])} values are equal to the bit")  # noqa: T201
