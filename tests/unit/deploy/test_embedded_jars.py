"""Kafka's jars come from a lock: nothing else is ever put on the class path."""

import hashlib
from pathlib import Path

import pytest

from deploy.embedded import kafka_jars
from deploy.embedded.kafka_jars import complete_jars, ensure_kafka_jars, jar_name, parse_lock
from schemas.failures import Failure

CONTENT = {"org.a:one:1.0": b"first", "org.b:two:2.0": b"second"}
LOCKED = {name: hashlib.sha256(content).hexdigest() for name, content in CONTENT.items()}


class Repository:
    """Hands out artifacts and remembers which."""

    def __init__(self, content: dict[str, bytes]) -> None:
        self.content = content
        self.asked: list[str] = []

    def fetch(self, coordinate: str, folder: Path) -> Path:
        self.asked.append(coordinate)
        file = folder / coordinate.replace(":", "-")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(self.content[coordinate])
        return file


def test_jars_are_fetched_once(tmp_path: Path) -> None:
    repository = Repository(CONTENT)
    for _ in range(2):
        complete_jars(tmp_path, LOCKED, repository.fetch)
    assert sorted(repository.asked) == sorted(CONTENT)
    assert {jar.name: jar.read_bytes() for jar in tmp_path.glob("*.jar")} == {
        jar_name(coordinate): content for coordinate, content in CONTENT.items()
    }


def test_a_jar_that_lies_beside_the_locked_ones_is_not_on_the_class_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = Repository(CONTENT)
    monkeypatch.setattr(kafka_jars, "parse_lock", lambda _: LOCKED)
    ensure_kafka_jars(repository.fetch, tmp_path)
    (folder,) = tmp_path.iterdir()
    (folder / "aaa.jar").write_bytes(b"malicious")
    class_path = ensure_kafka_jars(repository.fetch, tmp_path).split(":")
    assert class_path == [str(folder / jar_name(coordinate)) for coordinate in LOCKED]


def test_a_damaged_jar_is_fetched_anew(tmp_path: Path) -> None:
    complete_jars(tmp_path, LOCKED, Repository(CONTENT).fetch)
    (tmp_path / "one-1.0.jar").write_bytes(b"fir")
    repository = Repository(CONTENT)
    complete_jars(tmp_path, LOCKED, repository.fetch)
    assert repository.asked == ["org.a:one:1.0"]
    assert (tmp_path / "one-1.0.jar").read_bytes() == b"first"


def test_other_content_than_the_locked_one_is_refused(tmp_path: Path) -> None:
    repository = Repository({**CONTENT, "org.b:two:2.0": b"malicious"})
    with pytest.raises(Failure, match=r"org\.b:two"):
        complete_jars(tmp_path, LOCKED, repository.fetch)
    assert not (tmp_path / "two-2.0.jar").exists()


def test_the_lock_names_the_broker_its_tools_and_its_log_and_no_host() -> None:
    text = Path(kafka_jars.__file__).with_name("kafka-jars.sha256").read_text()
    names = {coordinate.split(":")[1] for coordinate in parse_lock(text)}
    assert names >= {"kafka_2.13", "kafka-tools", "kafka-clients", "log4j-slf4j-impl"}
    assert "//" not in text
