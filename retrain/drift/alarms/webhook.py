"""Telling a webhook of the user's what was raised and what ended.

Runs in a thread of its own with a connection of its own: nothing of it can hold the watch up. What
was sent, and when it is tried again, stands in PostgreSQL, so that a restart loses nothing and
repeats nothing that was answered.
"""

import hashlib
import logging
import random
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Final

import msgspec
import psycopg2
import requests
from msgspec import Struct
from psycopg2.extensions import cursor

from retrain.drift.alarms.sentences import MEANINGS, sentence
from retrain.drift.alarms.standard_webhooks import signed_headers, signing_key
from retrain.drift.alarms.stored_alarms import find_alarm
from schemas.failures import Failure
from schemas.setting_views import AlarmWebhook
from schemas.transport.postgres import Connection
from schemas.transport.transactions import Transactions

logger = logging.getLogger(__name__)

MOST_ATTEMPTS: Final = 10
_FIRST_WAIT_S: Final = 5.0
_WAIT_GROWTH: Final = 4.0
_LONGEST_WAIT_S: Final = 6 * 3600.0
"""Ten attempts take 20 hours: after 5 s, 20 s, 80 s, 5 min, 21 min, 85 min, then 6 hours each."""

_TIMEOUT_S: Final = (5.0, 10.0)
_LEASE_S: Final = 120
"""Of one attempt; whoever was killed within it leaves the delivery to the next one."""

_STEP_S: Final = 5.0
_MOST_A_STEP: Final = 5
"""Together at most 60 messages a minute, however many alarms a replay raises."""

_OLDEST: Final = "24 hours"
"""What is older by the database's clock when it is first seen is not news."""

_GONE: Final = 410


class Delivery(Struct, frozen=True):
    """A message that is due: the `attempt`-th try to send this event of this alarm."""

    alarm_id: str
    event: str
    attempt: int


class Answer(Struct, frozen=True):
    """What became of an attempt. `fault` says what was wrong, without the address."""

    delivered: bool
    final: bool
    fault: str = ""


class WebhookSender:
    """Sends what is due to one address; every call of `step` is short of a minute.

    At least once: `webhook-id` is the same for each attempt of a message, and says what to ignore.
    An alarm's end is sent after its raising, and only if that was. A message is given up after
    `MOST_ATTEMPTS`, or when the receiver answers 410. Redirects are not followed.
    Raises `Failure` for an address or a secret that cannot be.
    """

    def __init__(
        self,
        webhook: AlarmWebhook,
        connect: Callable[[], Connection],
        *,
        clock: Callable[[], float] = time.time,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._url = webhook.url.get_secret_value()
        self._key = signing_key(webhook.secret)
        self._url_sha256 = hashlib.sha256(self._url.encode()).hexdigest()
        self._transactions = Transactions(connect)
        self._clock = clock
        self._jitter = jitter

    def step(self) -> int:
        """Send at most a few messages that are due; return how many were tried.

        Raises `PostgresUnavailable` where PostgreSQL does not answer.
        """
        self._transactions.run(self._find_news)
        for tried in range(_MOST_A_STEP):
            delivery = self._transactions.run(self._claim)
            if delivery is None:
                return tried
            answer = self._attempt(delivery)
            if not answer.delivered:
                logger.warning(
                    "the alarm webhook was not reached",
                    extra={
                        "fault": answer.fault,
                        "attempt": delivery.attempt,
                        "alarm_id": delivery.alarm_id,
                        "given_up": answer.final,
                    },
                )
            self._transactions.run(partial(self._note, delivery=delivery, answer=answer))
        return _MOST_A_STEP

    def run(self, stop: threading.Event) -> None:
        """Send what is due until `stop` is set, in a thread of its own; then close.

        What fails is tried again. It is at work for at most a minute after `stop`; whatever it was
        then about stands in PostgreSQL, so nobody needs to wait for it.
        """
        while not stop.is_set():
            try:
                self.step()
            except (Failure, psycopg2.IntegrityError) as fault:
                # The second: a run was deleted between two statements.
                logger.warning("alarms wait to be sent", extra={"fault": str(fault)})
            stop.wait(_STEP_S)
        self.close()

    def close(self) -> None:
        """Close the connection to PostgreSQL."""
        self._transactions.close()

    def _find_news(self, cur: cursor) -> None:
        cur.execute(
            "INSERT INTO alarm_webhooks (url_sha256) VALUES (%s) ON CONFLICT DO NOTHING",
            (self._url_sha256,),
        )
        cur.execute(
            "INSERT INTO alarm_deliveries (url_sha256, alarm_id, event)"
            " SELECT w.url_sha256, a.alarm_id, 'raised' FROM alarm_webhooks AS w, alarms AS a"
            " WHERE w.url_sha256 = %s AND a.raised_at >= w.first_used_at"
            " AND a.raised_at > now() - %s::interval ON CONFLICT DO NOTHING",
            (self._url_sha256, _OLDEST),
        )
        cur.execute(
            "INSERT INTO alarm_deliveries (url_sha256, alarm_id, event)"
            " SELECT d.url_sha256, a.alarm_id, 'ended' FROM alarm_deliveries AS d"
            " JOIN alarms AS a USING (alarm_id)"
            " WHERE d.url_sha256 = %s AND d.event = 'raised'"
            " AND a.ended_at > now() - %s::interval ON CONFLICT DO NOTHING",
            (self._url_sha256, _OLDEST),
        )

    def _claim(self, cur: cursor) -> Delivery | None:
        cur.execute(
            "UPDATE alarm_deliveries SET attempts = attempts + 1,"
            " next_attempt_at = now() + make_interval(secs => %s)"
            " WHERE (alarm_id, event, url_sha256) = ("
            "  SELECT d.alarm_id, d.event, d.url_sha256 FROM alarm_deliveries AS d"
            "  JOIN alarms AS a USING (alarm_id)"
            "  WHERE d.url_sha256 = %s AND d.finished_at IS NULL AND d.next_attempt_at <= now()"
            "  AND (d.event = 'raised' OR NOT EXISTS ("
            "   SELECT FROM alarm_deliveries AS r WHERE r.alarm_id = d.alarm_id"
            "   AND r.url_sha256 = d.url_sha256 AND r.event = 'raised' AND r.finished_at IS NULL))"
            "  ORDER BY d.next_attempt_at, a.window_start, d.alarm_id, d.event DESC"
            "  LIMIT 1 FOR UPDATE OF d SKIP LOCKED)"
            " RETURNING alarm_id, event, attempts",
            (_LEASE_S, self._url_sha256),
        )
        row = cur.fetchone()
        return Delivery(*row) if row else None

    def _attempt(self, delivery: Delivery) -> Answer:
        body = self._transactions.run(partial(message_body, delivery=delivery))
        message_id = f"{delivery.alarm_id}-{delivery.event}"
        headers = signed_headers(message_id, int(self._clock()), body, self._key)
        last = delivery.attempt >= MOST_ATTEMPTS
        try:
            # The body of the answer is not read: it may be of any length.
            with requests.post(
                self._url,
                data=body,
                headers={**headers, "content-type": "application/json", "user-agent": "murmur"},
                timeout=_TIMEOUT_S,
                allow_redirects=False,
                stream=True,
                auth=_no_password_of_a_netrc,
            ) as answer:
                status = answer.status_code
        except requests.RequestException as error:
            # Its text repeats the address, which may hold a secret.
            return Answer(delivered=False, final=last, fault=type(error).__name__)
        if 200 <= status < 300:
            return Answer(delivered=True, final=True)
        return Answer(delivered=False, final=last or status == _GONE, fault=f"HTTP {status}")

    def _note(self, cur: cursor, delivery: Delivery, answer: Answer) -> None:
        cur.execute(
            "UPDATE alarm_deliveries SET delivered = %s, fault = %s,"
            " finished_at = CASE WHEN %s THEN now() END,"
            " next_attempt_at = now() + make_interval(secs => %s)"
            " WHERE (alarm_id, event, url_sha256) = (%s, %s, %s)",
            (
                answer.delivered,
                answer.fault,
                answer.final,
                wait_s(delivery.attempt, self._jitter()),
                delivery.alarm_id,
                delivery.event,
                self._url_sha256,
            ),
        )


def wait_s(attempt: int, jitter: float) -> float:
    """Return the wait after the n-th attempt: exponential up to 6 hours, and up to a fifth more.

    `jitter` is from 0 to 1.
    """
    wait = min(_FIRST_WAIT_S * _WAIT_GROWTH ** (attempt - 1), _LONGEST_WAIT_S)
    return wait * (1 + jitter / 5)


def message_body(cur: cursor, delivery: Delivery) -> bytes:
    """Return the JSON of a message: its type, its time, and the alarm with a plain sentence."""
    alarm = find_alarm(cur, delivery.alarm_id)
    moment = alarm.raised_at if delivery.event == "raised" else alarm.ended_at
    return msgspec.json.encode(
        {
            "type": f"alarm.{delivery.event}",
            "timestamp": moment,
            "data": {
                "sentence": sentence(alarm),
                "meaning": MEANINGS[alarm.kind],
                **msgspec.to_builtins(alarm),
            },
        }
    )


def _no_password_of_a_netrc(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request
