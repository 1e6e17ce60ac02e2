"""The pipeline that one would write first, as something to compare with. Not part of Murmur.

Faust reads a tweet, transformers' pipeline scores it on PyTorch, an INSERT stores it, the next one.
One thread of PyTorch: more of them take more CPU for each tweet. The weights are those of the
bundle that Murmur serves, read back from int8.
"""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import faust
import torch
from transformers import PreTrainedTokenizerFast, pipeline

from model_server.bundle import default_bundle, open_bundle
from model_server.cleaning import CLEANING
from retrain.base_models.loading import load_base
from schemas.settings import Settings, load_settings
from schemas.topics import RAW
from schemas.transport.postgres import Connection, connect_postgres

GROUP = "pipeline"
Classify = Callable[[str], Mapping[str, Any]]

TABLE = """CREATE TABLE IF NOT EXISTS obvious_scores (
    run text, tweet_id text, text text, label text, score double precision,
    PRIMARY KEY (run, tweet_id)
)"""
_INSERT = "INSERT INTO obvious_scores VALUES (%s, %s, %s, %s, %s) ON CONFLICT DO NOTHING"


def classifier(settings: Settings) -> Classify:
    """Return what gives a text its label and that label's score."""
    bundle = open_bundle(settings.model or default_bundle())
    manifest = bundle.manifest
    base = load_base(
        str(bundle.folder), manifest.labels, max_tokens=manifest.max_tokens, cache=Path()
    )
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=base.tokenizer, pad_token="[PAD]")
    classify = pipeline("text-classification", model=base.model, tokenizer=tokenizer, device="cpu")
    clean = CLEANING[manifest.cleaning]

    def answer(text: str) -> Mapping[str, Any]:
        found: Mapping[str, Any] = classify(
            clean(text), truncation=True, max_length=manifest.max_tokens
        )[0]
        return found

    return answer


def obvious_app(settings: Settings, classify: Classify, connection: Connection) -> faust.App:
    """Return the Faust application."""
    app = faust.App(
        settings.names.group(GROUP),
        broker=[f"kafka://{server}" for server in settings.kafka_servers.split(",")],
        broker_commit_interval=1,
        consumer_auto_offset_reset="earliest",
        datadir=settings.home / "obvious",
        store="memory://",
        topic_allow_declare=False,
        topic_disable_leader=True,
        web_enabled=False,
    )

    async def score(tweets: Any) -> None:
        async for tweet in tweets:
            answer = classify(tweet["text"])
            row = [tweet["run"], tweet["tweet_id"], tweet["text"], answer["label"], answer["score"]]
            with connection, connection.cursor() as cursor:
                cursor.execute(_INSERT, row)

    app.agent(app.topic(settings.names.topic(RAW), value_serializer="json"))(score)
    return app


def main() -> int:
    """Run it until it is stopped."""
    settings = load_settings(None)
    torch.set_num_threads(1)
    connection = connect_postgres(settings.postgres_connection, "obvious")
    app = obvious_app(settings, classifier(settings), connection)
    faust.Worker(app, loglevel="WARNING").execute_from_commandline()
    return 0


if __name__ == "__main__":
    sys.exit(main())
