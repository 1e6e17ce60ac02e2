"""Labelled tweets of many years as the watch would see them: scored, with the time in their ids."""

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

import msgspec
import numpy as np

from model_server.bundle import default_bundle, open_bundle
from model_server.cleaning import CLEANING
from model_server.onnx_engine import OnnxEngine
from retrain.datasets.reading import label_files, read_labelled
from retrain.drift.hashed_words import hashed_words
from schemas.tweet_time import snowflake_time

_TEXTS_AT_ONCE = 1_024
_UNKNOWN = "[UNK]"


class ScoredTweet(msgspec.Struct, frozen=True, array_like=True):
    """What a window counts of a tweet."""

    id: str
    posted_at: datetime
    label: str
    confidence: float
    characters: int
    pieces: int
    unknown_pieces: int
    words: int
    hashed_words: frozenset[int]


def scored_tweets(folder: Path, kept: Path) -> list[ScoredTweet]:
    """Return the tweets of a folder's label files in order of time, each once.

    The default bundle scores them once; the answers are kept in the file `kept`.
    """
    if kept.exists():
        return msgspec.msgpack.decode(kept.read_bytes(), type=list[ScoredTweet])
    tweets = sorted(_score(_texts(folder)), key=lambda tweet: tweet.posted_at)
    kept.write_bytes(msgspec.msgpack.encode(tweets))
    return tweets


def _texts(folder: Path) -> dict[str, str]:
    labels = open_bundle(default_bundle()).manifest.labels
    return {
        row.id: row.text
        for file in label_files(folder)
        for row in read_labelled(file, labels=labels).rows
        if row.id is not None and snowflake_time(row.id) is not None
    }


def _score(texts: dict[str, str]) -> Iterable[ScoredTweet]:
    bundle = open_bundle(default_bundle())
    engine = OnnxEngine(bundle)
    clean = CLEANING[bundle.manifest.cleaning]
    unknown = engine.token_ids(["\U00013000"])[0][1]
    ids = list(texts)
    for start in range(0, len(ids), _TEXTS_AT_ONCE):
        part = ids[start : start + _TEXTS_AT_ONCE]
        cleaned = [clean(texts[one]) for one in part]
        rows = engine.probabilities(cleaned)
        for one, text, tokens, row in zip(
            part, cleaned, engine.token_ids(cleaned), rows, strict=True
        ):
            posted_at = snowflake_time(one)
            assert posted_at is not None
            best = int(np.argmax(row))
            yield ScoredTweet(
                id=one,
                posted_at=posted_at,
                label=engine.labels[best],
                confidence=float(row[best]),
                characters=len(texts[one]),
                pieces=len(tokens) - 2,
                unknown_pieces=sum(token == unknown for token in tokens),
                words=len(text.split()),
                hashed_words=hashed_words(texts[one]),
            )
