"""Events of a running service: told to listeners, to who was away, and by another process."""

import json
import socket
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from deploy.web.events.changes import ChangeKind, grouped, read_changes
from retrain.drift.alarm_store import alarm_key
from schemas.settings import Settings
from schemas.transport.postgres import Connection, connect_postgres
from stream_processors.retention.run_deletion import delete_run
from tests.conditions import wait_until
from tests.integration.reading import some_tweets
from tests.integration.serving import Service, command, make_key, serving
from tests.integration.storing import store
from tests.integration.test_alarms import OF, keep, raised
from tests.integration.test_alarms import START as ALARM_START
from tests.unit.examples import deleted

Told = dict[str, Any]


class Stream:
    """Reads a stream until it ends; `events` are those that came so far."""

    def __init__(self, lines: Iterable[bytes]) -> None:
        self.events: list[tuple[str, Told]] = []
        self.last_id = ""
        self.has_ended = threading.Event()
        self._lines = lines
        threading.Thread(target=self._read, daemon=True).start()

    def wait_for(self, name: str, **what: Any) -> Told:
        """Wait for an event that says at least this much."""

        def found() -> list[Told]:
            return [
                data
                for event, data in list(self.events)
                if event == name and what.items() <= data.items()
            ]

        return wait_until(found, 60, f"{name} {what}")[0]

    def removed(self) -> set[str]:
        """Return the tweets that were told to be gone."""
        return {
            id_
            for event, data in list(self.events)
            if event == "removal"
            for id_ in data["tweet_ids"]
        }

    def _read(self) -> None:
        fields: dict[str, str] = {}
        for line in self._lines:
            name, _, value = line.decode().strip().partition(": ")
            if name:
                fields[name] = value
            elif "event" in fields:
                self.events.append((fields["event"], json.loads(fields["data"])))
                self.last_id = fields["id"]
                fields = {}
        self.has_ended.set()


@contextmanager
def listening(service: Service, headers: dict[str, str], **query: str) -> Iterator[Stream]:
    where = urlsplit(service.address)
    with socket.create_connection((where.hostname, where.port), timeout=120) as connection:
        told = {"Host": where.netloc, "Connection": "close", **headers}
        head = "".join(f"{name}: {value}\r\n" for name, value in told.items())
        connection.sendall(f"GET /events?{urlencode(query)} HTTP/1.1\r\n{head}\r\n".encode())
        # Of the answer's head and its chunks' sizes no line looks like an event's.
        with connection.makefile("rb") as lines:
            stream = Stream(lines)
            try:
                wait_until(lambda: stream.events, 60, "the first event")
                yield stream
            finally:
                connection.shutdown(socket.SHUT_RDWR)
                assert stream.has_ended.wait(20)


def test_changes_are_told_to_listeners_and_to_who_comes_back_to_another_process(
    settings: Settings, tmp_path: Path
) -> None:
    database = connect_postgres(settings.postgres_connection, "test")
    key = make_key(settings, "page", "read")
    passing = make_key(settings, "passing", "read")
    with serving(settings, tmp_path / "first") as service:
        wait_until(lambda: service.get("/runs", headers=passing).ok, 60, "the keys")
        refused = service.get("/events", params={"kind": "tweets"}, headers=key)
        assert refused.status_code == 422
        with (
            listening(service, key) as all_runs,
            listening(service, key, run="other", kind="removal") as other,
            listening(service, passing) as cut_off,
        ):
            assert all_runs.events[0] == ("ready", {})
            store(database, some_tweets(5, run="told"))
            all_runs.wait_for("figures", run="told")
            keep(database, raised())
            all_runs.wait_for("alarm", alarm_id=alarm_key(OF, ALARM_START), ended_at=None)
            store(database, [deleted("10001", run="told"), deleted("10002", run="told")])
            wait_until(lambda: all_runs.removed() == {"10001", "10002"}, 60, "both removals")
            store(database, [deleted("7", run="other")])
            other.wait_for("removal", run="other", tweet_ids=["7"])
            assert [name for name, _ in other.events] == ["ready", "removal"]
            assert "murmur_serve_listeners 3.0" in service.get("/metrics", headers=key).text
            command(settings, "keys", "revoke", "passing", "--json")
            assert cut_off.has_ended.wait(20)
            assert not all_runs.has_ended.is_set()
            last_id = all_runs.last_id
            # Left with two open streams: the service ends all the same, within its 15 s.
            service.stop()
            assert all_runs.has_ended.wait(20)
    store(database, [deleted("10003", run="told")])
    delete_run(database, "other")
    with serving(settings, tmp_path / "second") as service:
        with listening(service, {**key, "Last-Event-ID": last_id}) as again:
            wait_until(lambda: "10003" in again.removed(), 60, "what was missed")
            again.wait_for("removal", run="other", everything=True)
            assert again.events[0] == ("ready", {})
        for unknown in ("1", "yesterday"):
            with listening(service, {**key, "Last-Event-ID": unknown}) as lost:
                assert lost.events[0] == ("reset", {})
    database.close()


def test_no_runs_removals_are_lost_beside_those_of_another_run(connection: Connection) -> None:
    began_at = read_changes(connection, None).until
    insert = (
        "INSERT INTO tombstones (run, kind, id, created_at)"
        " SELECT %s, 'tweet', n::text, now() + %s FROM generate_series(1, %s) AS n"
    )
    with connection, connection.cursor() as cursor:
        cursor.execute(insert, ("small", timedelta(0), 3))
        cursor.execute(insert, ("large", timedelta(seconds=1), 6_000))
    told = {
        change.run: change.data
        for change in grouped(read_changes(connection, began_at).found)
        if change.kind is ChangeKind.REMOVAL
    }
    assert told["small"]["tweet_ids"] == ["1", "2", "3"]
    assert (told["large"]["everything"], told["large"]["tweet_ids"]) == (True, [])
