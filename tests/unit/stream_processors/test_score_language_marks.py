"""A tweet in a language that the model does not know is scored, and its event says so."""

from collections.abc import Sequence

import numpy as np
import pytest

from model_server.onnx_engine import Probabilities
from model_server.scorer import Scorer
from schemas.codec import decode_scored, encode, headers_of
from schemas.events import TweetScored
from schemas.transport.messages import ConsumedMessage
from stream_processors.scoring.score_batch import score_window
from tests.unit.examples import LABELS, RECEIVED_AT, model, posted


class EvenEngine:
    """An engine that does not know."""

    labels = LABELS

    def probabilities(self, texts: Sequence[str]) -> Probabilities:
        return np.full((len(texts), len(self.labels)), 1 / len(self.labels))


@pytest.mark.parametrize(
    ("said", "found", "mark"),
    [
        ("en", None, True),
        ("pt", "en", False),
        (None, "en", True),
        (None, "pt", False),
        (None, None, None),
    ],
)
def test_the_mark_follows_what_the_tweet_says_or_else_what_its_text_looks_like(
    said: str | None, found: str | None, mark: bool | None
) -> None:
    tweet = posted(language=said)
    message = ConsumedMessage("tweets.raw", 0, 0, 0, b"key", encode(tweet), headers_of(tweet))
    (event,) = score_window(
        [message],
        scorer=Scorer(model(), EvenEngine(), cache_size=0, languages=("en",), clean=str),
        detect_language=lambda _: found,
        now=lambda: RECEIVED_AT,
    )
    assert isinstance(event, TweetScored)
    assert event.score.language_known is mark
    read = decode_scored(encode(event))
    assert isinstance(read, TweetScored)
    assert read.score.language_known is mark
    assert (b"language_known" in encode(event)) == (mark is not None)
