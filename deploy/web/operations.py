"""What the page lets people do to the installation: each act is that of a command."""

import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from deploy.embedded.lag import TopicLag, topic_lags
from deploy.embedded.status import Status
from deploy.embedded.status import status as ask_status
from model_server.bundle import CARD, bundle_folder, default_bundle
from model_server.bundle_store import BundleStore
from producers.gaps.refilling import Refilled
from producers.gaps.run_refill import refill_gaps
from producers.gaps.table import GapTable, KnownGap
from producers.rules.remote_rules import RulesAtX
from producers.rules.rule_changes import Plan, RuleAtX, plan_rules, require_plan
from producers.rules.rules_file import WantedRule, read_rules
from producers.x_account.client import Ask, XAsksToWait, patient, rules_client, until
from producers.x_account.http_adapter import x_adapter
from retrain.promotion.bundle_shelf import BundleShelf
from retrain.promotion.promote import promote, roll_back
from retrain.promotion.promotions import promotions, publish_waiting
from schemas.failures import Failure
from schemas.model_events import ModelPromoted
from schemas.settings import MissingSetting, Settings
from schemas.topics import MODELS_PROMOTED
from schemas.transport.postgres import Connection, connect_postgres, database_now
from schemas.transport.publisher import ConfirmingPublisher
from stream_processors.circuit_breaker.breaker_topic import Hold
from stream_processors.circuit_breaker.release_hold import read_hold, release
from stream_processors.dead_letters.letters import Selection
from stream_processors.dead_letters.redrive import RedriveReport, redrive

_MOST_CARD_CHARS = 100_000
_MOST_LOG_BYTES = 20_000
_MOST_WAIT_FOR_X_S = 5.0
_REFILL_S = 60.0
_TURN_S = 5.0


class Operations:
    """Reads the state of an installation and changes it; every method may raise `Failure`."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._x = threading.Lock()

    def promote(self, connection: Connection, folder: Path, because: str) -> ModelPromoted:
        """Have a bundle of this machine serve from now on."""
        event = promote(
            connection,
            BundleShelf(self._settings.bundle_shelf),
            folder,
            served_before=lambda: self._settings.model or default_bundle(),
            because=because,
            now=database_now(connection),
        )
        self._tell(connection)
        return event

    def roll_back(self, connection: Connection, to: str | None, because: str) -> ModelPromoted:
        """Have an earlier champion serve again."""
        event = roll_back(connection, to=to, because=because, now=database_now(connection))
        self._tell(connection)
        return event

    def card(self, connection: Connection) -> str:
        """Return the card of the model that was promoted last; empty where there is none."""
        folder = bundle_folder(self._settings.model or default_bundle())
        history = promotions(connection)
        if history and self._settings.model is None:
            champion = history[0].event.champion
            store = BundleStore(self._settings.model_choice.store)
            folder = store.fetch(champion.address, champion.sha256).folder
        try:
            return (folder / CARD).read_text(encoding="utf-8")[:_MOST_CARD_CHARS]
        except OSError:
            return ""

    def job_log(self) -> str:
        """Return the end of what training processes of this machine have written."""
        path = self._settings.job_folders / "log.txt"
        try:
            with path.open("rb") as log:
                log.seek(max(0, path.stat().st_size - _MOST_LOG_BYTES))
                return log.read().decode(errors="replace")
        except OSError:
            return ""

    def status(self) -> Status:
        """Return what the embedded stack's supervisor and the servers say."""
        return ask_status(self._settings.home)

    def lags(self) -> list[TopicLag]:
        """Return how far the workers are behind."""
        return topic_lags(self._settings.cluster)

    def hold(self) -> tuple[Hold | None, str | None]:
        """Return the hold of scoring, or why it is not known."""
        try:
            return read_hold(self._settings.cluster)
        except MissingSetting as missing:
            return None, str(missing)

    def release(self) -> None:
        """Resume scoring that is held."""
        release(self._settings.cluster)

    def redrive(
        self, connection: Connection, selection: Selection, *, dry_run: bool
    ) -> RedriveReport:
        """Publish dead letters again where they came from."""
        publisher = (
            None if dry_run else ConfirmingPublisher(self._settings.kafka_connection, "redrive")
        )
        return redrive(connection, selection, names=self._settings.names, publisher=publisher)

    @property
    def monthly_posts(self) -> int:
        """How many posts of X may be read in a month."""
        return self._settings.x_monthly_posts

    def has_token(self) -> bool:
        """Tell whether X can be asked."""
        try:
            return bool(self._settings.x_token.get_secret_value())
        except MissingSetting:
            return False

    def gaps(self) -> list[KnownGap]:
        """Return the times without a connection to X."""
        table = self._gap_table()
        try:
            return table.all()
        finally:
            table.close()

    def refill(self, gap_id: int) -> list[Refilled]:
        """Fetch what was missed in a gap; X charges for it.

        What takes more than a minute is left for the next time: it goes on where this one ended.
        """
        with self._turn_at_x():
            ask = until(time.monotonic() + _REFILL_S, _ask_x())
            return refill_gaps(self._settings, self._gap_table(), [gap_id], ask)

    def rules_at_x(self) -> list[RuleAtX]:
        """Return the rules that X has."""
        with self._turn_at_x():
            return self._at_x().listed()

    def plan_rules(self, text: str) -> Plan:
        """Return what these rules, written as in rules.yaml, would change; X has tried them."""
        wanted = _read(text)
        with self._turn_at_x():
            at_x = self._at_x()
            planned = plan_rules(wanted, at_x.listed())
            at_x.check(planned.added)
            return planned

    def apply_rules(self, text: str, shown_plan: str) -> None:
        """Give X these rules; raise `PlanChanged` where that is another plan than the one shown."""
        wanted = _read(text)
        with self._turn_at_x():
            at_x = self._at_x()
            planned = plan_rules(wanted, at_x.listed())
            require_plan(planned, shown_plan)
            at_x.apply(wanted, planned)

    @contextmanager
    def _turn_at_x(self) -> Iterator[None]:
        """Let one at a time ask X: whoever waits for it holds a thread of the service."""
        if not self._x.acquire(blocking=False):
            raise XAsksToWait("somebody else asks X at this moment", _TURN_S)
        try:
            yield
        finally:
            self._x.release()

    def _at_x(self) -> RulesAtX:
        return RulesAtX(rules_client(x_adapter(self._settings)), _ask_x())

    def _gap_table(self) -> GapTable:
        return GapTable(partial(connect_postgres, self._settings.postgres_connection, "gaps"))

    def _tell(self, connection: Connection) -> None:
        publisher = ConfirmingPublisher(self._settings.kafka_connection, "murmur-models")
        publish_waiting(connection, publisher, self._settings.names.topic(MODELS_PROMOTED))


def _ask_x() -> Ask:
    return patient(most_wait_s=_MOST_WAIT_FOR_X_S)


def _read(text: str) -> list[WantedRule]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rules.yaml"
        path.write_text(text, encoding="utf-8")
        try:
            return read_rules(path)
        except Failure as fault:
            raise Failure(str(fault).replace(f"{path}", "rules")) from fault
