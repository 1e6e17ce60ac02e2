"""What the servers and the supervisor are told."""

import configparser
import shlex
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from deploy.embedded import stack
from deploy.embedded.kafka_broker import broker_config
from deploy.embedded.kafka_tools import client_properties, tool_arguments
from deploy.embedded.layout import Layout
from deploy.embedded.postgres_server import postgres_config
from deploy.embedded.status_display import duration
from deploy.embedded.supervised_program import Program
from deploy.embedded.supervisor_config import differing_programs, supervisor_config
from deploy.embedded.valkey_server import valkey_config
from deploy.embedded.worker_settings import handed_over
from deploy.installation.topics import TopicFound, compare_topics
from schemas.failures import Failure
from schemas.setting_views import KafkaConnection
from schemas.settings import load_settings
from schemas.topics import TopicSpec


def secured(**fields: object) -> KafkaConnection:
    """Return how a cluster is reached, with some settings of its own."""
    return load_settings(None).model_copy(update={"kafka": "a:1", **fields}).kafka_connection


def supervised(
    home: Path, *programs: Program, fingerprint: str = ""
) -> configparser.RawConfigParser:
    text = supervisor_config(
        Layout.of(home),
        programs,
        port=20_001,
        password="secret",
        as_root=False,
        fingerprint=fingerprint,
    )
    parser = configparser.RawConfigParser(inline_comment_prefixes=(" ;", "\t;"))
    parser.read_string(text)
    return parser


WORDS = st.text(
    # Semicolons and line breaks stand in no home: `Layout.of` refuses them.
    st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs"), exclude_characters=";"),
    min_size=1,
)


@given(st.lists(WORDS, min_size=1))
def test_a_command_line_reaches_the_supervisor_as_it_is(words: list[str]) -> None:
    section = supervised(Path("/home"), Program(name="a", command=tuple(words)))["program:a"]
    assert shlex.split(section["command"].replace("%%", "%")) == words


def test_the_supervisor_listens_on_the_loopback_with_a_password() -> None:
    section = supervised(Path("/home"))["inet_http_server"]
    assert section["port"] == "127.0.0.1:20001"
    assert section["password"] == "secret"


def test_a_home_that_the_supervisor_could_not_read_is_refused() -> None:
    with pytest.raises(Failure, match="MURMUR_HOME"):
        Layout.of(Path("/srv/a ;b"))


def test_a_home_that_is_no_folder_or_cannot_be_used_is_named(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    taken = tmp_path / "taken"
    (taken / "stack.lock").mkdir(parents=True)
    for home in (file, file / "below", taken):
        with pytest.raises(Failure, match="MURMUR_HOME"):
            stack.up(home, env_file=None)
    with pytest.raises(Failure, match="MURMUR_HOME"):
        stack.settings_at(Path("long" * 100), None)


def test_every_server_is_told_to_listen_on_the_loopback_only() -> None:
    assert (
        "\nlisteners=PLAINTEXT://127.0.0.1:20001,CONTROLLER://127.0.0.1:20002\n"
        in broker_config(20_001, 20_002)
    )
    assert "listen_addresses = '127.0.0.1'\n" in postgres_config(20_003)
    assert valkey_config(20_004, "secret").startswith("bind 127.0.0.1\n")


def test_tools_are_given_the_cluster_unless_a_person_names_one() -> None:
    properties = Path("/p")
    assert tool_arguments("a:1", None, ["--list"]) == ["--list", "--bootstrap-server", "a:1"]
    assert tool_arguments("a:1", properties, []) == [
        "--bootstrap-server",
        "a:1",
        "--command-config",
        "/p",
    ]
    own = ["--bootstrap-server", "b:2"]
    assert tool_arguments("a:1", properties, own) == own


def test_credentials_reach_java_clients_as_they_are() -> None:
    kafka = secured(
        kafka_security_protocol="SASL_SSL",
        kafka_sasl_username='a"b',
        kafka_sasl_password=SecretStr("c\\dé"),
    )
    protocol, mechanism, login = client_properties(kafka).splitlines()
    assert protocol == "security.protocol=SASL_SSL"
    assert mechanism == "sasl.mechanism=SCRAM-SHA-512"
    # Escaped twice: for the login module's own syntax, and for the properties file around it.
    assert login.endswith(r"""Module required username="a\\"b" password="c\\\\d\u00e9";""")


def test_certificates_are_put_into_the_properties(tmp_path: Path) -> None:
    authority = tmp_path / "ca.pem"
    authority.write_text("-----BEGIN-----\nabc\n")
    kafka = secured(kafka_security_protocol="SSL", kafka_ssl_ca_file=authority)
    assert "ssl.truststore.certificates=-----BEGIN-----\\nabc\\n\n" in client_properties(kafka)


def test_a_plain_cluster_needs_no_properties() -> None:
    assert client_properties(secured()) == ""


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(5.9, "5 s"), (65, "1 min 5 s"), (3_720, "1 h 2 min"), (90_000, "1 d 1 h")],
)
def test_durations_are_said_in_their_two_largest_units(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_topics_are_told_apart_by_what_they_need() -> None:
    def spec(name: str) -> TopicSpec:
        return TopicSpec(name, 4, 1, "delete", 1000)

    def found(name: str, partitions: int, cleanup: str, retention_ms: int) -> TopicFound:
        config = {"cleanup.policy": cleanup, "retention.ms": str(retention_ms)}
        return TopicFound(name, partitions, config)

    names = ["absent", "fine", "more", "fewer", "shorter", "compacted"]
    standing = [
        found("fine", 4, "delete", 1000),
        found("more", 8, "delete", 1000),
        found("fewer", 2, "delete", 1000),
        found("shorter", 4, "delete", 500),
        found("compacted", 4, "compact", 1000),
    ]
    report = compare_topics(map(spec, names), {topic.name: topic for topic in standing})
    assert report.missing == (spec("absent"),)
    assert report.differing == (
        "fewer has 2 partitions, the settings say 4",
        "shorter has retention.ms=500, the settings say 1000",
    )
    assert report.wrong == ("compacted has cleanup.policy=compact, the settings say delete",)


def test_a_change_of_a_worker_is_told_from_one_that_needs_another_supervisor() -> None:
    def config(*programs: Program, fingerprint: str = "a") -> str:
        return supervisor_config(
            Layout.of(Path("/home")),
            programs,
            port=20_001,
            password="secret",
            as_root=False,
            fingerprint=fingerprint,
        )

    kafka = Program(name="kafka", command=("java",))
    score = Program(name="score", command=("murmur",), environment={"MURMUR_MODEL": "default"})
    other = replace(score, environment={"MURMUR_MODEL": "fast"})
    before = config(kafka, score)
    assert differing_programs(before, before) == frozenset()
    assert differing_programs(before, config(kafka, other)) == frozenset({"score"})
    assert differing_programs(before, config(kafka)) == frozenset({"score"})
    assert differing_programs(before, config(kafka, other, fingerprint="b")) is None


def test_settings_reach_workers_by_name_and_secrets_never_stand_in_the_configuration(
    tmp_path: Path,
) -> None:
    env_file = tmp_path / ".env"
    env_file.write_text("MURMUR_MODEL=default\nMURMUR_SINK_BATCH=7\nMURMUR_X_BEARER_TOKEN=hidden\n")
    environment = {
        "PATH": "/bin",
        "MURMUR_MODEL": "fast",
        "MURMUR_HOME": "/elsewhere",
        "MURMUR_OVERRIDES": "it's; odd",
        "MURMUR_POSTGRES": "postgresql://murmur:hidden@db/murmur",
    }
    handed = handed_over(env_file, environment)
    assert handed.by_configuration == {"MURMUR_MODEL": "fast", "MURMUR_SINK_BATCH": "7"}
    assert handed.by_supervisor == {
        name: value for name, value in environment.items() if name != "MURMUR_MODEL"
    }
    same = handed_over(env_file, environment | {"MURMUR_MODEL": "default"}).fingerprint
    assert same == handed.fingerprint
    env_file.write_text(env_file.read_text().replace("hidden", "another"))
    assert handed_over(env_file, environment).fingerprint != handed.fingerprint
