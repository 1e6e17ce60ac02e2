"""Which model scores: what a scoring process says, what should serve, what scored before."""

import urllib.request
from collections.abc import Callable
from contextlib import closing
from typing import Final

import msgspec
import psycopg2
from prometheus_client.parser import text_string_to_metric_families

from model_server.bundle import default_bundle, identity_of
from retrain.promotion.promotions import promotions
from schemas.escape_for_terminal import shown
from schemas.events import ModelIdentity
from schemas.failures import Failure
from schemas.process.metric_list import SCORE_MODEL_INFO
from schemas.setting_views import ModelChoice, PostgresConnection
from schemas.transport.postgres import Connection, connect_postgres

_SHORT_HASH_CHARS: Final = 12
_TIMEOUT_S: Final = 2.0


def in_short(model: ModelIdentity) -> str:
    """Return a model's name, version and the beginning of its hash, fit for a terminal."""
    return f"{shown(model.name)} {shown(model.version)} ({model.sha256[:_SHORT_HASH_CHARS]})"


def chosen_model(choice: ModelChoice, postgres: Callable[[], Connection]) -> ModelIdentity:
    """Return the model that should serve, by its manifest; raise `RefusedBundle`.

    It is the one that MURMUR_MODEL names, else the one that was promoted last, else the default
    one. Where PostgreSQL is away, or has no tables yet, none is known to be promoted.
    """
    if choice.folder is not None:
        return identity_of(choice.folder)
    return promoted_model(postgres) or identity_of(default_bundle())


def promoted_model(postgres: Callable[[], Connection]) -> ModelIdentity | None:
    """Return the model that was promoted last; None as `chosen_model` says."""
    try:
        with closing(postgres()) as connection:
            return next((each.event.champion.identity for each in promotions(connection)), None)
    except (Failure, psycopg2.Error):
        return None


def served_model(metrics_url: str) -> ModelIdentity | None:
    """Ask a scoring process which model it has loaded; None where it does not say."""
    try:
        with urllib.request.urlopen(metrics_url, timeout=_TIMEOUT_S) as answer:  # noqa: S310  our own loopback URL
            page = answer.read().decode()
    except OSError:
        return None
    for family in text_string_to_metric_families(page):
        if family.name == SCORE_MODEL_INFO.name:
            for sample in family.samples:
                return msgspec.convert(sample.labels, ModelIdentity)
    return None


def newest_model(postgres: PostgresConnection) -> ModelIdentity | None:
    """Return the model that was last seen to score for the first time; None before the first."""
    with closing(connect_postgres(postgres, "up")) as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT name, version, sha256, cleaning FROM models"
            " ORDER BY first_seen_at DESC, model_id DESC LIMIT 1"
        )
        found = cursor.fetchone()
    if found is None:
        return None
    name, version, sha256, cleaning = found
    return ModelIdentity(name=name, version=version, sha256=sha256, cleaning=cleaning)
