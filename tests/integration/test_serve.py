"""The model over HTTP: the stream's answers, clear refusals, and what its clients need."""

import json
import re
import socket
import struct
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict
from typing import Any, Final
from urllib.parse import urlsplit

import pytest
import requests

from model_server.bundle import default_bundle, open_bundle
from model_server.explaining.explain import Method, explain, probabilities_of
from model_server.http.explanation_types import ExplainResponse, explain_response
from model_server.scorer import Scorer, load_scorer
from schemas.settings import Settings, load_settings
from tests.conditions import wait_until
from tests.integration.serving import Service, serving
from tests.stack import MURMUR, process_environment

TEXTS: Final = [f"What a {word} day, number {n}" for n in range(40) for word in ("fine", "sad")]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The default bundle, served without any server of ours."""
    folder = tmp_path_factory.mktemp("serve")
    settings = load_settings(None)
    with serving(
        settings, folder, home=folder / "home", kafka="127.0.0.1:9", serve_threads=2
    ) as running:
        yield running


@pytest.fixture(scope="module")
def scorer() -> Scorer:
    return load_scorer(None, cache_size=0)


def test_answers_are_those_of_the_stream_to_the_bit_also_side_by_side(
    service: Service, scorer: Scorer
) -> None:
    expected = {
        text: (answer.label, answer.confidence, answer.probabilities)
        for text, answer in zip(TEXTS, scorer.predict(TEXTS), strict=True)
    }

    def one(text: str) -> tuple[str, dict[str, Any]]:
        return text, service.post("/predict", json={"text": text}).json()

    def many(texts: list[str]) -> list[tuple[str, dict[str, Any]]]:
        found = service.post("/predict/batch", json={"texts": texts}).json()
        return list(zip(texts, found["predictions"], strict=True))

    with ThreadPoolExecutor(16) as pool:
        batches = pool.map(many, [TEXTS, TEXTS[::-1], TEXTS[5:25]])
        answers = list(pool.map(one, TEXTS)) + [each for batch in batches for each in batch]
    assert len(answers) == 3 * len(TEXTS) + 20
    for text, found in answers:
        assert (found["label"], found["confidence"], found["probabilities"]) == expected[text]


def test_no_answer_waits_for_its_clients_acknowledgement(service: Service) -> None:
    took_s = []
    with requests.Session() as session:
        for _ in range(40):
            began_s = time.perf_counter()
            session.post(f"{service.address}/predict", json={"text": "fine"}, timeout=60)
            took_s.append(time.perf_counter() - began_s)
    # Such a wait is 40 ms long, for all but the first ones; a busy machine is slow at times.
    assert min(took_s[20:]) < 0.03


@pytest.mark.parametrize(
    "head",
    [
        b"GET /" + b"x" * 200_000,
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Long: " + b"x" * 200_000,
        b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"A: b\r\n" * 30_000,
        b"POST /predict HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"2\r\n{}\r\n0\r\n" + b"A: b\r\n" * 60_000,
    ],
    ids=["line", "header", "headers", "trailers"],
)
def test_more_than_a_head_may_have_is_refused_before_it_is_kept(
    service: Service, head: bytes
) -> None:
    where = urlsplit(service.address)
    with socket.create_connection((where.hostname, where.port), timeout=60) as connection:
        with suppress(ConnectionError):
            connection.sendall(head)
        answer = b""
        with suppress(ConnectionError):
            while part := connection.recv(65_536):
                answer += part
    # What the server closed before it read all of may reach the client as a reset alone.
    assert answer == b"" or answer.startswith((b"HTTP/1.1 431", b"HTTP/1.1 4")), answer[:200]


def test_an_answer_names_its_model(service: Service) -> None:
    found = service.post("/predict", json={"text": "fine"}).json()
    identity = open_bundle(default_bundle()).identity
    assert found["model"]["sha256"] == identity.sha256
    assert found["model"]["version"] == identity.version


REFUSED: Final[dict[str, tuple[int, str, dict[str, Any]]]] = {
    "no JSON": (400, "not-json", {"data": b"{secret"}),
    "no UTF-8": (400, "not-json", {"data": b'{"text":"secret \xff"}'}),
    "a lone surrogate": (400, "not-json", {"data": b'{"text":"secret \\ud800"}'}),
    "nested too deeply": (422, "invalid", {"data": b"[" * 100_000}),
    "a number": (422, "invalid", {"json": {"text": 7}}),
    "no text": (422, "invalid", {"json": {}}),
    "an empty text": (422, "invalid", {"json": {"text": ""}}),
    "white space": (422, "empty-text", {"json": {"text": " \n"}}),
    "a long text": (422, "invalid", {"json": {"text": "secret" * 10_000}}),
    "a large body": (413, "body-too-large", {"data": b"secret" * 2_000_000}),
    "compressed": (415, "compressed", {"data": b"x", "headers": {"Content-Encoding": "gzip"}}),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_scored_is_refused_as_a_problem(case: str, service: Service) -> None:
    status, kind, what = REFUSED[case]
    answer = service.post("/predict", **what)
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    problem = answer.json()
    assert problem["type"] == f"urn:murmur:problem:{kind}"
    assert problem["status"] == status
    assert "secret" not in answer.text
    assert "secret" not in service.log.read_text()


def test_too_many_texts_are_refused(service: Service) -> None:
    assert service.post("/predict/batch", json={"texts": ["a"] * 513}).status_code == 422
    assert service.post("/predict/batch", json={"texts": []}).status_code == 422


def test_unknown_paths_methods_and_hosts_are_refused(service: Service) -> None:
    assert service.get("/nothing").json()["type"] == "urn:murmur:problem:not-found"
    assert service.get("/predict").json()["type"] == "urn:murmur:problem:wrong-method"
    assert service.get("/", headers={"Host": "evil.example"}).status_code == 400
    assert service.get("/").json()["name"] == "Murmur"


def test_the_protocol_is_spoken_by_json_and_in_binary(service: Service, scorer: Scorer) -> None:
    name = open_bundle(default_bundle()).manifest.name
    expected = scorer.predict(TEXTS[:3])
    assert service.get("/v2").json()["name"] == "murmur"
    assert service.get("/v2/health/live").json() == {"live": True}
    assert service.get("/v2/health/ready").json() == {"ready": True, "live": True}
    assert service.get(f"/v2/models/{name}/ready").json()["ready"]
    described = service.get(f"/v2/models/{name}").json()
    assert described["inputs"] == [{"name": "text", "datatype": "BYTES", "shape": [-1]}]
    tensor = {"name": "text", "datatype": "BYTES", "shape": [3], "data": TEXTS[:3]}
    found = service.post(f"/v2/models/{name}/infer", json={"id": "7", "inputs": [tensor]}).json()
    outputs = {output["name"]: output["data"] for output in found["outputs"]}
    assert found["id"] == "7"
    assert outputs["label"] == [answer.label for answer in expected]
    flat = [share for answer in expected for share in answer.probabilities.values()]
    assert outputs["probabilities"] == flat

    texts = b"".join(struct.pack("<I", len(text)) + text.encode() for text in TEXTS[:3])
    head = json.dumps(
        {
            "inputs": [
                {
                    "name": "text",
                    "datatype": "BYTES",
                    "shape": [3],
                    "parameters": {"binary_data_size": len(texts)},
                }
            ],
            "outputs": [{"name": "probabilities", "parameters": {"binary_data": True}}],
        }
    ).encode()
    answer = service.post(
        f"/v2/models/{name}/infer",
        data=head + texts,
        headers={"Inference-Header-Content-Length": str(len(head))},
    )
    json_bytes = int(answer.headers["Inference-Header-Content-Length"])
    assert list(struct.unpack(f"<{len(flat)}d", answer.content[json_bytes:])) == flat
    assert "error" in service.post(f"/v2/models/{name}/infer", json={"inputs": []}).json()
    assert "error" in service.get("/v2/models/other").json()


def test_the_calls_describe_themselves(service: Service) -> None:
    document = service.get("/openapi.json").json()
    body = document["paths"]["/predict"]["post"]["requestBody"]
    reference = body["content"]["application/json"]["schema"]["$ref"]
    schema = document["components"]["schemas"][reference.rpartition("/")[2]]
    assert schema["properties"]["text"]["maxLength"] == 50_000


def test_metrics_have_the_names_that_dashboards_know(service: Service) -> None:
    service.post("/predict", json={"text": "fine"})
    page = service.get("/metrics").text
    for name in (
        "sentiment_predictions_total{",
        "sentiment_prediction_latency_seconds_bucket{",
        "sentiment_text_length_bucket{",
        "sentiment_confidence_bucket{",
    ):
        assert name in page


def test_an_explanation_over_http_is_the_one_without_a_server(
    service: Service, scorer: Scorer
) -> None:
    text = "Not a good day at all :( but the 😂😂 @team was #brave, see https://t.co/x1"
    for method in Method:
        expected = explain(
            text, lambda texts: probabilities_of(scorer.predict(texts)), scorer.labels, method
        )
        found = service.post("/explain", json={"text": text, "method": method}).json()
        answer = ExplainResponse(**{**found, "words": expected.words, "model": scorer.identity})
        assert answer == explain_response(expected, scorer.identity)
        assert found["words"] == [asdict(word) for word in expected.words]
        assert found["model"]["sha256"] == scorer.identity.sha256
    done = subprocess.run(
        [MURMUR, "explain", "--method", "lime", "--json", text],
        env=process_environment(load_settings(None)),
        capture_output=True,
        timeout=60,
        check=True,
    )
    assert json.loads(done.stdout) == found


def test_an_explanation_of_another_label_says_what_speaks_for_that_one(service: Service) -> None:
    text = "an awful evening, lovely food"
    weights = {}
    for label in ("positive", "negative"):
        found = service.post("/explain", json={"text": text, "label": label}).json()
        assert found["label"] == label
        weights[label] = {word["text"]: word["weight"] for word in found["words"]}
    assert weights["positive"]["lovely"] > 0 > weights["positive"]["awful"]
    assert weights["negative"]["awful"] > 0 > weights["negative"]["lovely"]


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("unknown-label", {"text": "fine", "label": "secret"}),
        ("invalid", {"text": "fine", "method": "secret"}),
        ("invalid", {"text": "secret" * 2_000}),
        ("empty-text", {"text": " \u001f"}),
    ],
)
def test_what_cannot_be_explained_is_refused_as_a_problem(
    kind: str, body: dict[str, str], service: Service
) -> None:
    answer = service.post("/explain", json=body)
    assert answer.status_code == 422
    assert answer.json()["type"] == f"urn:murmur:problem:{kind}"
    assert "secret" not in answer.text
    assert "secret" not in service.log.read_text()


def test_predictions_go_on_while_texts_are_explained_which_count_as_none(
    service: Service, scorer: Scorer
) -> None:
    def counted() -> float:
        page = service.get("/metrics").text
        return sum(map(float, re.findall(r"(?m)^sentiment_predictions_total{.*} (\S+)$", page)))

    long = " ".join(f"{word}{number}" for number in range(60) for word in ("good", "bad"))
    before = counted()
    with ThreadPoolExecutor(8) as pool:
        explained = [
            pool.submit(
                service.post, "/explain", json={"text": f"{long} {number}", "method": "shap"}
            )
            for number in range(4)
        ]
        predicted = list(
            pool.map(lambda text: service.post("/predict", json={"text": text}), TEXTS[:20])
        )
        answers = [each.result() for each in explained]
    for answer, expected in zip(predicted, scorer.predict(TEXTS[:20]), strict=True):
        assert answer.json()["probabilities"] == expected.probabilities
    for answer in answers:
        found = answer.json()
        assert len(found["words"]) == 64
        assert found["unexplained_words"] == 57
        weights = sum(word["weight"] for word in found["words"])
        assert weights == pytest.approx(found["probability"] - found["base_value"], abs=64e-6)
    assert counted() - before == 20
    assert 'sentiment_explanations_total{method="shap"}' in service.get("/metrics").text


def test_what_clients_that_went_away_have_asked_is_not_scored(service: Service) -> None:
    def read(name: str) -> float:
        page = service.get("/metrics").text
        return sum(map(float, re.findall(rf"(?m)^{name}(?:{{.*}})? (\S+)$", page)))

    where = urlsplit(service.address)
    before = read("sentiment_predictions_total")
    for client in range(7):
        texts = [f"gone {client} {number} " + "words " * 40 for number in range(512)]
        body = json.dumps({"texts": texts}).encode()
        head = f"POST /predict/batch HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n"
        with socket.create_connection((where.hostname, where.port), timeout=60) as connection:
            connection.sendall(f"{head}\r\n".encode() + body)
            # It is read once the texts wait.
            wait_until(lambda: read("murmur_serve_waiting_texts") > 0, 60, "the texts to wait")
    wait_until(lambda: read("murmur_serve_waiting_texts") == 0, 120, "nothing to wait")
    assert read("sentiment_predictions_total") == before
    assert "CancelledError" not in service.log.read_text()
    assert service.post("/predict", json={"text": "fine"}).ok


def test_another_interface_than_the_loopback_is_refused(settings: Settings) -> None:
    done = subprocess.run(
        [MURMUR, "serve", "--host", "0.0.0.0"],  # noqa: S104  it is what is refused
        env=process_environment(settings),
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert b"no loopback interface" in done.stderr
