"""Structured logs on standard error."""

import logging
import sys
import time
from collections.abc import Callable

from pythonjsonlogger.json import JsonFormatter

from schemas.escape_for_terminal import printable
from schemas.setting_views import LogSettings

_LIBRARIES = ("faust", "mode", "aiokafka", "librdkafka")
_OF_NO_USE = ("Missing sensor state for rebalance",)
"""Faust says so at each rebalance: it looks for a monitor, which we leave out for its cost."""
_SAME_CHARS = 40
_SAY_AGAIN_AFTER_S = 10.0


class OnceInAWhile(logging.Filter):
    """Lets what Kafka's clients repeat pass once in ten seconds, with how often it was left out.

    While a broker is away they say so many times a second, and what else happened is lost in it.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        super().__init__()
        self._clock = clock
        self._last_s: dict[tuple[str, str], float] = {}
        self._left_out: dict[tuple[str, str], int] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether a line is said; other loggers' always are, what is of no use never is."""
        if record.name.partition(".")[0] not in _LIBRARIES:
            return True
        message = record.getMessage()
        if message.startswith(_OF_NO_USE):
            return False
        same = (record.name, message[:_SAME_CHARS])
        now_s = self._clock()
        if now_s - self._last_s.get(same, -_SAY_AGAIN_AFTER_S) < _SAY_AGAIN_AFTER_S:
            self._left_out[same] = self._left_out.get(same, 0) + 1
            return False
        self._last_s[same] = now_s
        record.left_out = self._left_out.pop(same, 0)
        return True


class TextFormatter(logging.Formatter):
    """Lines of text; what is not printable in them is escaped, line ends of tracebacks stay."""

    def format(self, record: logging.LogRecord) -> str:
        """Return a record's line, and the traceback below it."""
        return printable(super().format(record), keep="\n\t")


def configure_logging(log: LogSettings, process: str) -> None:
    """Send every log line of this process to standard error, as JSON or as text.

    Logs hold ids and counts of tweets, never their texts.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        JsonFormatter(
            "{asctime}{levelname}{name}{message}",
            style="{",
            rename_fields={"asctime": "time", "levelname": "level", "name": "logger"},
            static_fields={"process": process},
        )
        if log.format == "json"
        else TextFormatter("%(asctime)s %(levelname)-7s %(name)s: %(message)s")
    )
    handler.addFilter(OnceInAWhile(time.monotonic))
    logging.basicConfig(level=log.level, handlers=[handler], force=True)
    logging.captureWarnings(capture=True)
    for library in _LIBRARIES:
        # What they say of every step of a start is of use only to those who look for a fault.
        logging.getLogger(library).setLevel(max(logging.WARNING, logging.getLogger().level))


def keep_libraries_quiet() -> None:
    """Have Kafka's clients say nothing until a log is configured, as in commands for people.

    Such a command says in one line of its own what failed.
    """
    for library in _LIBRARIES:
        logging.getLogger(library).setLevel(logging.CRITICAL + 1)
