"""Kafka with SASL over TLS and ACLs, PostgreSQL with verify-full, Redis by rediss://: all works,
with the rights of the README's list and no more, and what is wrong is said instead of retried."""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

import psycopg2
import pytest

from deploy.embedded import stack
from deploy.installation.acls import acls_of
from schemas.process.process_list import SCORE, SINK
from schemas.setting_views import Names
from tests.conditions import wait_until
from tests.secured.certificates import Authority
from tests.secured.secured_kafka import ADMIN, PASSWORD, SecuredKafka, secured_kafka
from tests.secured.tls_front import tls_front
from tests.stack import MURMUR

LINES = "".join(f"{number},so happy today {number}\n" for number in range(1, 21))


@dataclass(frozen=True)
class Secured:
    """Secured servers, the environment that reaches them, and an authority that nobody trusts."""

    kafka: SecuredKafka
    environment: dict[str, str]
    stranger: Authority
    folder: Path

    def run(self, *command: str, **changed: str) -> subprocess.CompletedProcess[str]:
        """Run `murmur` with some settings changed; in at most 60 s."""
        return subprocess.run(
            [MURMUR, *command],
            env={**os.environ, **self.environment, **changed},
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )

    @contextmanager
    def running(self, *command: str, **changed: str) -> Iterator[None]:
        """Run `murmur` beside the block and stop it afterwards."""
        process = subprocess.Popen(
            [MURMUR, *command, "--probe-port", "0"],
            env={**os.environ, **self.environment, **changed},
            cwd=self.folder,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            yield
        finally:
            process.terminate()
            _, told = process.communicate(timeout=30)
            assert process.returncode == 0, told


@pytest.fixture(scope="module")
def secured() -> Iterator[Secured]:
    with ExitStack() as cleanup:
        folder = Path(cleanup.enter_context(TemporaryDirectory(prefix="murmur-tls-")))
        # PostgreSQL runs as another user where root runs the tests.
        folder.chmod(0o755)
        authority, stranger = Authority(folder, "ours"), Authority(folder, "theirs")
        authority.issue("client")
        kafka = cleanup.enter_context(secured_kafka(folder, authority))
        environment = {
            "MURMUR_HOME": str(folder / "home"),
            "MURMUR_KAFKA": kafka.scram,
            "MURMUR_KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
            "MURMUR_KAFKA_SASL_MECHANISM": "SCRAM-SHA-512",
            "MURMUR_KAFKA_SASL_USERNAME": ADMIN,
            "MURMUR_KAFKA_SASL_PASSWORD": PASSWORD,
            "MURMUR_KAFKA_SSL_CA_FILE": str(authority.ca),
            "MURMUR_TOPIC_PARTITIONS": "1",
        }
        patch = cleanup.enter_context(pytest.MonkeyPatch.context())
        for name, value in environment.items():
            patch.setenv(name, value)
        home = folder / "home"
        cleanup.callback(stack.remove, home)
        # `murmur init` is part of it: topics are made by the admin client, over SASL_SSL.
        plain = stack.up(home, env_file=None, servers_only=True)
        there = urlsplit(plain.postgres_uri)
        front = tls_front(there.port or 0, authority.issue("postgres"), postgres=True)
        postgres = (
            f"postgresql://{there.username}:{there.password}@127.0.0.1:"
            f"{cleanup.enter_context(front)}{there.path}?sslmode=verify-full"
            f"&sslrootcert={authority.ca}"
        )
        there = urlsplit(plain.redis_uri)
        front = tls_front(there.port or 0, authority.issue("redis"))
        redis = (
            f"rediss://:{there.password}@127.0.0.1:{cleanup.enter_context(front)}/0"
            f"?ssl_ca_certs={authority.ca}"
        )
        reached = {**environment, "MURMUR_POSTGRES": postgres, "MURMUR_REDIS": redis}
        yield Secured(kafka, reached, stranger, folder)


def test_tweets_are_scored_and_stored_with_the_rights_of_the_list_alone(secured: Secured) -> None:
    for process in (SCORE, SINK):
        secured.kafka.allow(process.name, *acls_of(process, Names("")))
    archive = secured.folder / "own.csv"
    archive.write_text("id,text\n" + LINES)
    as_score = {"MURMUR_KAFKA_SASL_USERNAME": "score"}
    as_sink = {"MURMUR_KAFKA_SASL_USERNAME": "sink", "MURMUR_KAFKA_SASL_MECHANISM": "PLAIN"}
    with secured.running("score", **as_score), secured.running("sink", **as_sink):
        replayed = secured.run("replay", str(archive), "--run", "tls")
        assert replayed.returncode == 0, replayed.stderr
        wait_until(
            lambda: _tweets(secured) == 20, timeout_s=120, what="20 tweets are scored and stored"
        )


def _tweets(secured: Secured) -> int:
    with (
        closing(psycopg2.connect(secured.environment["MURMUR_POSTGRES"])) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute("SELECT count(*) FROM scores WHERE run = 'tls' AND counts")
        (count,) = cursor.fetchall()[0]
        return int(count)


def test_the_doctor_finds_nothing_wrong_and_names_the_rights_of_a_stranger(
    secured: Secured,
) -> None:
    asked = secured.run("doctor", "--json")
    assert asked.returncode == 0, asked.stdout
    stranger = secured.run("doctor", "--json", MURMUR_KAFKA_SASL_USERNAME="stranger")
    found = [f["subject"] for f in json.loads(stranger.stdout)["findings"] if f["state"] == "wrong"]
    assert stranger.returncode == 1
    assert set(found) == {"permissions"}


def test_the_doctor_judges_a_user_by_the_process_that_it_is_for(secured: Secured) -> None:
    secured.kafka.allow("score", *acls_of(SCORE, Names("")))
    as_score = {"MURMUR_KAFKA_SASL_USERNAME": "score"}
    for asked in ([], ["--process", "score"]):
        well = secured.run("doctor", "--json", *asked, **as_score)
        assert well.returncode == 0, well.stdout
    lacking = secured.run("doctor", "--json", "--process", "sink", **as_score)
    assert lacking.returncode == 1
    (found,) = [f for f in json.loads(lacking.stdout)["findings"] if f["state"] == "wrong"]
    assert "not enough for sink" in found["found"]
    assert "READ group murmur-sink" in found["found"]


def test_a_client_certificate_is_enough(secured: Secured) -> None:
    authority = Path(secured.environment["MURMUR_KAFKA_SSL_CA_FILE"])
    client = authority.with_name("client.crt")
    asked = secured.run(
        "init",
        "--check",
        MURMUR_KAFKA=secured.kafka.mutual,
        MURMUR_KAFKA_SECURITY_PROTOCOL="SSL",
        MURMUR_KAFKA_SSL_CERTIFICATE_FILE=str(client),
        MURMUR_KAFKA_SSL_KEY_FILE=str(client.with_suffix(".key")),
    )
    assert asked.returncode == 0, asked.stderr


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"MURMUR_KAFKA_SASL_PASSWORD": "wrong"}, "Authentication failed"),
        ({"MURMUR_KAFKA_SSL_CA_FILE": "stranger"}, "not trusted: unable to get local issuer"),
        (
            {"MURMUR_KAFKA": "expired", "MURMUR_KAFKA_SECURITY_PROTOCOL": "SSL"},
            "not trusted: certificate has expired",
        ),
        (
            {"MURMUR_KAFKA": "mutual", "MURMUR_KAFKA_SECURITY_PROTOCOL": "SSL"},
            "refuses this client's certificate",
        ),
        ({"MURMUR_POSTGRES": "stranger"}, "certificate verify failed"),
    ],
    ids=["password", "authority", "expired", "no client certificate", "postgres"],
)
def test_a_process_says_what_is_wrong_and_ends(
    secured: Secured, changed: dict[str, str], told: str
) -> None:
    ours = Path(secured.environment["MURMUR_KAFKA_SSL_CA_FILE"])
    theirs = str(secured.stranger.ca)
    meant = {
        "expired": secured.kafka.expired,
        "mutual": secured.kafka.mutual,
        "stranger": theirs
        if "MURMUR_POSTGRES" not in changed
        else secured.environment["MURMUR_POSTGRES"].replace(str(ours), theirs),
    }
    settings = {name: meant.get(value, value) for name, value in changed.items()}
    ended = secured.run("sink", "--probe-port", "0", **settings)
    assert ended.returncode == 1
    assert told in ended.stderr
    assert PASSWORD not in ended.stderr


def test_redis_is_named_where_its_certificate_is_not_trusted(secured: Secured) -> None:
    ours = secured.environment["MURMUR_KAFKA_SSL_CA_FILE"]
    changed = secured.environment["MURMUR_REDIS"].replace(ours, str(secured.stranger.ca))
    asked = secured.run("doctor", "--json", MURMUR_REDIS=changed)
    (found,) = [f for f in json.loads(asked.stdout)["findings"] if f["state"] == "wrong"]
    assert found["subject"] == "redis"
    assert "certificate is not trusted" in found["found"]
