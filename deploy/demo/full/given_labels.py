"""The labels that people would give: here they are known, since the tweets are made up."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final

from deploy.demo.full.changing_stream import RUN
from retrain.labels.write_labels import LabelKey, PersonsLabel
from schemas.people_labels import LabelOrigin, audit_rank

LABELLER: Final = "sample"
_AUDITS: Final = 1_200
"""Half of them are frozen for the gate, which asks for 500."""


def labels_of(
    tweets: Iterable[str], moods: Mapping[str, str | None], now: datetime
) -> list[PersonsLabel]:
    """Return a label for each tweet whose mood is known.

    The audits are drawn as `murmur labels` draws them: the lowest ranks, uniform over the tweets.
    The others are what a queue would have asked for.
    """
    known = sorted((each for each in tweets if moods[each] is not None), key=audit_rank)
    return [
        PersonsLabel(
            key=LabelKey(
                run=RUN,
                root_id=tweet_id,
                version=0,
                labeller=LABELLER,
                origin=LabelOrigin.AUDIT if place < _AUDITS else LabelOrigin.QUEUE,
            ),
            label=moods[tweet_id],
            answer_seen=False,
            labelled_at=now,
        )
        for place, tweet_id in enumerate(known)
    ]
