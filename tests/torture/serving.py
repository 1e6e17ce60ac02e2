"""`python -m tests.torture.serving --minutes 10 --swaps 20`: the service at full load, as JSON.

Two replicas share a Redis, a PostgreSQL and the topic of promoted models. Clients ask them without
a pause, slow ones and such as vanish among them. Meanwhile models are promoted, Redis is killed and
PostgreSQL stopped, in turn. Each answer is compared at once with what the model that it names gives
alone. The models are the default bundle with other temperatures: each gives other probabilities,
and costs what it costs people.
"""

import asyncio
import os
import random
import shutil
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, closing, suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import click
import msgspec
import psutil
import redis
from msgspec import Struct
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr

from deploy.embedded.layout import Layout
from deploy.embedded.stack_state import load_state
from deploy.embedded.supervision import Supervisor
from model_server.bundle import MANIFEST, Bundle, default_bundle, open_bundle
from model_server.scorer import load_scorer
from retrain.promotion.bundle_shelf import BundleShelf
from retrain.promotion.promote import promote
from retrain.promotion.promotions import publish_waiting
from schemas.failures import Failure
from schemas.settings import Settings
from schemas.topics import MODELS_PROMOTED
from schemas.transport.postgres import PostgresUnavailable, connect_postgres
from schemas.transport.publisher import ConfirmingPublisher
from tests.benchmarks.texts import distinct_texts
from tests.conditions import wait_until
from tests.integration.serving import OwnRedis, Service, make_key, own_redis, serving
from tests.stack import isolated, migrated_template, running_servers
from tests.torture.serving_clients import Clients, Replica
from tests.torture.serving_verdict import Expected, growth, uncounted
from tests.torture.verdict import Verdict, verdict

FAULTS: Final = ("", "redis killed", "", "postgres stopped")
"""What happens after a swap, in turn."""
LONGEST_FAULT_S: Final = 20.0
TEMPERATURES: Final = (1.0, 1.04, 0.97)
"""The models' own, times these: within what the self-test allows."""
_LATEST_S: Final = 180.0
_REMEMBERED_TEXTS: Final = 100
_REMEMBERED_S: Final = 5


class Summary(Struct, frozen=True):
    """What a run did and found."""

    seed: int
    ok: bool
    seconds: int
    swaps: int
    faults: dict[str, int]
    requests: dict[str, int]
    texts: dict[str, int]
    vanished: int
    slow: int
    slowest_swap_s: float
    resident_mb: dict[str, list[int]]
    verdicts: dict[str, Verdict]


class ServingTorture:
    """One run."""

    def __init__(self, settings: Settings, folder: Path, seed: int, texts: int) -> None:
        state = load_state(Layout.of(settings.home))
        if state is None:
            raise Failure("the stack has not been started")
        self._supervisor = Supervisor(state)
        self._settings = settings
        self._folder = folder
        self._seed = seed
        self._rng = random.Random(f"serving {seed}")
        self._marker = f"tortured{self._rng.randrange(10**9)}"
        self._texts = [f"{text} {self._marker}" for text in distinct_texts(seed, texts)]
        self._shelf = BundleShelf(str(folder / "shelf"))
        self._bundles = [warmer_bundle(folder, factor) for factor in TEMPERATURES]
        self._champion = self._bundles[0]
        self._publisher = ConfirmingPublisher(settings.kafka_connection, "serving")
        self._resident: dict[str, list[int]] = {}
        self._late: list[str] = []
        self._swapped_after_s: list[float] = []
        self._faults: dict[str, int] = {}

    def summary(self, minutes: float, swaps: int, steady: int, *, mix_up: bool) -> Summary:
        began_s = time.monotonic()
        self._promote(self._champion)
        bearer = make_key(self._settings, "torture", "predict", "read")["Authorization"]
        expected = self._expected()
        unordered: list[str] = []
        with own_redis() as redis_server, ExitStack() as stack:
            services = {
                name: stack.enter_context(self._service(name, redis_server)) for name in "ab"
            }
            replicas = [
                Replica(name, url.hostname or "", url.port or 0)
                for name, url in ((n, urlsplit(s.address)) for n, s in services.items())
            ]
            clients = Clients(
                replicas, self._texts, expected, bearer.removeprefix("Bearer "), self._seed
            )
            finished = threading.Event()
            with ThreadPoolExecutor(2) as pool:
                asking = pool.submit(lambda: asyncio.run(clients.run(steady)))
                beside = pool.submit(self._beside, services, redis_server, finished, mix_up=mix_up)
                try:
                    self._disturb(services, redis_server, bearer, minutes, swaps)
                finally:
                    clients.stop()
                    finished.set()
                asking.result()
                beside.result()
            key = {"Authorization": bearer}
            pages = {
                name: service.get("/metrics", headers=key).text
                for name, service in services.items()
            }
            secrets = {"a key": bearer.rpartition("_")[2], "a text": self._marker}
            leaks = [
                f"{what} in {place}"
                for what, secret in secrets.items()
                for place in self._places_with(secret, services, pages, redis_server)
            ]
            for name, service in services.items():
                try:
                    service.stop()
                except (AssertionError, TimeoutError) as fault:
                    unordered.append(f"{name}: {fault}")
            if unordered:
                # They would be asked to end again, and that would hide the other verdicts.
                stack.pop_all()
        seen = clients.seen
        texts = {
            name: sum(n for (replica, _), n in seen.answered.items() if replica == name)
            for name in services
        }
        verdicts = {
            "every answer is the named model's, to the bit": verdict(
                sum(texts.values()), seen.wrong
            ),
            "every request is answered": verdict(seen.statuses.total(), seen.faults),
            "both replicas answer": verdict(2, [name for name, n in texts.items() if not n]),
            "every promoted model serves in both in time": verdict(2 * swaps, self._late),
            "metrics count what was answered": verdict(
                sum(texts.values()),
                uncounted(
                    sum(map(_predictions, pages.values())),
                    sum(texts.values()),
                    seen.vanished_texts,
                ),
            ),
            "memory is flat": verdict(
                sum(map(len, self._resident.values())),
                [fault for name, found in self._resident.items() for fault in growth(name, found)],
            ),
            "both end in order": verdict(2, unordered),
            "no key and no text in logs, metrics, process lists and Redis": verdict(
                len(secrets), leaks
            ),
        }
        return Summary(
            seed=self._seed,
            ok=all(found.kept for found in verdicts.values()),
            seconds=round(time.monotonic() - began_s),
            swaps=swaps,
            faults=self._faults,
            requests=dict(sorted(seen.statuses.items())),
            texts=texts,
            vanished=seen.vanished,
            slow=seen.slow,
            slowest_swap_s=round(max(self._swapped_after_s, default=0.0), 1),
            resident_mb={
                name: [round(found[place * (len(found) - 1) // 5] / 1e6) for place in range(6)]
                for name, found in self._resident.items()
                if found
            },
            verdicts=verdicts,
        )

    def _service(self, name: str, redis_server: OwnRedis) -> AbstractContextManager[Service]:
        return serving(
            self._settings,
            self._folder / name,
            model=None,
            home=self._folder / name / "home",
            redis=SecretStr(redis_server.uri),
            serve_rate="1000000/minute",
            serve_cache_s=_REMEMBERED_S,
            score_cache_size=_REMEMBERED_TEXTS,
            serve_threads=2,
        )

    def _expected(self) -> Expected:
        """Return what each model gives to each text alone."""
        found = {}
        for bundle in self._bundles:
            scorer = load_scorer(bundle.folder, cache_size=0)
            for text in self._texts:
                (alone,) = scorer.predict([text])
                answer = (alone.label, tuple(alone.probabilities.values()))
                found[bundle.identity.sha256, text] = answer
        return found

    def _disturb(
        self,
        services: dict[str, Service],
        redis_server: OwnRedis,
        bearer: str,
        minutes: float,
        swaps: int,
    ) -> None:
        slot_s = minutes * 60 / swaps
        began_s = time.monotonic()
        for number in range(swaps):
            swapped_s = time.monotonic()
            others = [each for each in self._bundles if each is not self._champion]
            self._champion = self._rng.choice(others)
            self._promote(self._champion)
            for name, service in services.items():
                what = f"{self._champion.identity.sha256[:12]} to serve in {name}"
                try:
                    wait_until(partial(self._serves, service, bearer), _LATEST_S, what)
                except AssertionError as error:
                    self._late.append(str(error))
            self._swapped_after_s.append(time.monotonic() - swapped_s)
            fault = FAULTS[number % len(FAULTS)]
            self._do(fault, redis_server, min(LONGEST_FAULT_S, slot_s / 3))
            took_s = time.monotonic() - swapped_s
            print(f"swap {number + 1} {fault}: {took_s:.1f} s", file=sys.stderr)  # noqa: T201
            threading.Event().wait(max(0.0, began_s + (number + 1) * slot_s - time.monotonic()))

    def _serves(self, service: Service, bearer: str) -> bool:
        answer = service.get("/model/info", headers={"Authorization": bearer})
        sha256 = self._champion.identity.sha256
        return answer.ok and bool(answer.json()["model"]["sha256"] == sha256)

    def _do(self, fault: str, redis_server: OwnRedis, lasts_s: float) -> None:
        if not fault:
            return
        self._faults[fault] = self._faults.get(fault, 0) + 1
        if fault == "redis killed":
            redis_server.stop()
            threading.Event().wait(lasts_s)
            redis_server.start()
            return
        self._supervisor.stop("postgres")
        threading.Event().wait(lasts_s)
        self._supervisor.start("postgres")
        wait_until(self._postgres_answers, _LATEST_S, "PostgreSQL to be back")

    def _postgres_answers(self) -> bool:
        try:
            connect_postgres(self._settings.postgres_connection, "serving").close()
        except PostgresUnavailable:
            return False
        return True

    def _promote(self, bundle: Bundle) -> None:
        with closing(connect_postgres(self._settings.postgres_connection, "serving")) as connection:
            promote(
                connection,
                self._shelf,
                bundle.folder,
                served_before=default_bundle,
                because="torture",
                now=datetime.now(UTC),
            )
            topic = self._settings.names.topic(MODELS_PROMOTED)
            publish_waiting(connection, self._publisher, topic)

    def _beside(
        self,
        services: dict[str, Service],
        redis_server: OwnRedis,
        finished: threading.Event,
        *,
        mix_up: bool,
    ) -> None:
        """Note each second how much memory is used; mix up what Redis remembers if asked to."""
        while not finished.wait(1.0):
            for name, service in services.items():
                with suppress(psutil.NoSuchProcess):
                    resident = psutil.Process(service.pid).memory_info().rss
                    self._resident.setdefault(name, []).append(resident)
            if mix_up:
                with suppress(redis.RedisError), redis.Redis(port=redis_server.port) as client:
                    keys = list(client.scan_iter("*answers*"))
                    values = client.mget(keys) if keys else []
                    for key, value in zip(keys, reversed(values), strict=True):
                        client.set(key, value or b"", ex=_REMEMBERED_S)

    def _places_with(
        self,
        secret: str,
        services: dict[str, Service],
        pages: dict[str, str],
        redis_server: OwnRedis,
    ) -> list[str]:
        raw = secret.encode()
        logs = [*(each.log for each in services.values()), *self._settings.home.rglob("*.log")]
        found = [str(log) for log in logs if raw in log.read_bytes()]
        found += [f"the metrics of {name}" for name, page in pages.items() if secret in page]
        for process in psutil.process_iter(["cmdline"]):
            if secret in " ".join(process.info["cmdline"] or ()):
                found.append(f"the command line of {process.pid}")
        with redis.Redis(port=redis_server.port) as client:
            for key in client.scan_iter():
                value = client.get(key) if client.type(key) == b"string" else b""
                if raw in key or raw in (value or b""):
                    found.append("Redis")
        return found


def warmer_bundle(folder: Path, factor: float) -> Bundle:
    """Return the default bundle with temperatures so many times its own."""
    place = folder / f"times-{factor}"
    shutil.copytree(default_bundle(), place)
    manifest = open_bundle(place).manifest
    own = manifest.temperature
    temperature = tuple(each * factor for each in own) if isinstance(own, tuple) else own * factor
    manifest = msgspec.structs.replace(
        manifest, temperature=temperature, version=f"{manifest.version}-times-{factor}"
    )
    (place / MANIFEST).write_bytes(msgspec.json.encode(manifest))
    return open_bundle(place)


def _predictions(page: str) -> float:
    return sum(
        sample.value
        for family in text_string_to_metric_families(page)
        for sample in family.samples
        if sample.name == "sentiment_predictions_total"
    )


@click.command()
@click.option("--minutes", default=10.0, show_default=True, help="How long it is under load.")
@click.option("--swaps", default=20, show_default=True, help="Promotions meanwhile.")
@click.option("--seed", default=1, show_default=True, help="Repeats an order of models and texts.")
@click.option("--clients", default=24, show_default=True, help="Steady clients of each replica.")
@click.option("--texts", default=600, show_default=True, help="Distinct texts that are asked.")
@click.option(
    "--mix-up", is_flag=True, help="Give remembered answers to other texts: a verdict has to fail."
)
def main(minutes: float, swaps: int, seed: int, clients: int, texts: int, mix_up: bool) -> None:
    """Torture two replicas of the service; exit 1 where something was not kept."""
    for variable in [name for name in os.environ if name.startswith("MURMUR_")]:
        del os.environ[variable]
    with (
        tempfile.TemporaryDirectory() as folder,
        running_servers() as servers,
        migrated_template(servers) as template,
        isolated(servers, template) as settings,
    ):
        torture = ServingTorture(settings, Path(folder), seed, texts)
        summary = torture.summary(minutes, swaps, clients, mix_up=mix_up)
    click.echo(msgspec.json.format(msgspec.json.encode(summary)).decode())
    sys.exit(0 if summary.ok else 1)


if __name__ == "__main__":
    main()
