"""Structured logs on standard error."""

import logging
import sys

from pythonjsonlogger.json import JsonFormatter

from schemas.settings import Settings


def configure_logging(settings: Settings, process: str) -> None:
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
        if settings.log_format == "json"
        else logging.Formatter("%(asctime)s %(levelname)-7s %(name)s: %(message)s")
    )
    logging.basicConfig(level=settings.log_level, handlers=[handler], force=True)
    logging.captureWarnings(capture=True)
    for library in ("faust", "mode", "aiokafka"):
        # What they say of every step of a start is of use only to those who look for a fault.
        logging.getLogger(library).setLevel(max(logging.WARNING, logging.getLogger().level))
