"""The valid keys in memory, so that no request waits for PostgreSQL."""

import hmac
import logging
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Final

from deploy.web.access.api_key import ApiKey, sha256_of, split_key
from deploy.web.access.key_store import StoredKey, note_use, valid_keys
from schemas.failures import Failure
from schemas.transport.postgres import Connection

logger = logging.getLogger(__name__)

EVERY_S: Final = 2.0
"""So long after it was made or revoked, every process knows it of a key."""

_NO_SECRET: Final = sha256_of("")


class KeyRing:
    """Knows the valid keys as PostgreSQL had them at most some seconds ago.

    While PostgreSQL does not answer, those that were last known stay valid. `lend` None: there is
    no PostgreSQL, and no key.
    """

    def __init__(self, lend: Callable[[], AbstractContextManager[Connection]] | None) -> None:
        self._lend = lend
        self._keys: dict[str, StoredKey] | None = {} if lend is None else None
        self._used: set[str] = set()

    @property
    def is_known(self) -> bool:
        """Whether the keys could be read once."""
        return self._keys is not None

    @property
    def is_empty(self) -> bool:
        """Whether there is no valid key; False where that is not known."""
        return self._keys == {}

    def refresh(self) -> None:
        """Read the keys, and note which were used; raise `Failure` where PostgreSQL is away."""
        if self._lend is None:
            return
        used, self._used = self._used, set()
        try:
            with self._lend() as connection:
                if used:
                    note_use(connection, used)
                self._keys = {each.key.key_id: each for each in valid_keys(connection)}
        except Failure:
            self._used |= used
            raise

    def follow(self, finished: threading.Event) -> None:
        """Refresh again and again until `finished` is set."""
        away = False
        while not finished.wait(EVERY_S):
            try:
                self.refresh()
            except Failure:
                if not away:
                    logger.warning("the keys cannot be read now: those last known stay valid")
                away = True
            else:
                away = False

    def holds(self, key_id: str) -> bool:
        """Tell whether a key is valid, by its id."""
        return key_id in (self._keys or {})

    def owner_of(self, presented: str) -> ApiKey | None:
        """Return the valid key that was presented, or None; the time tells nothing of secrets."""
        parts = split_key(presented)
        if parts is None:
            return None
        key_id, secret = parts
        stored = (self._keys or {}).get(key_id)
        expected = stored.secret_sha256 if stored else _NO_SECRET
        if not hmac.compare_digest(sha256_of(secret), expected) or stored is None:
            return None
        self._used.add(key_id)
        return stored.key
