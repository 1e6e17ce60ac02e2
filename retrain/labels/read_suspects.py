"""A run's labels held against what its model says, for `murmur labels suspects`."""

from collections.abc import Mapping, Sequence

from msgspec import Struct
from psycopg2.extensions import cursor

from retrain.labels.suspects import LabelledAnswer, Suspect, find_suspects, thresholds

_ANSWERS = """
SELECT DISTINCT ON (l.root_id) l.root_id, l.label, s.probabilities, l.labeller, l.origin, t.text
FROM labels AS l
JOIN tweets AS t ON t.run = l.run AND t.root_id = l.root_id AND t.version = l.version
JOIN scores AS s ON s.run = t.run AND s.day = t.day AND s.root_id = t.root_id AND s.counts
WHERE l.run = %s AND s.run = %s AND l.label IS NOT NULL AND l.repeat = 0
ORDER BY l.root_id, l.labelled_at DESC, l.labeller, l.origin
"""


class SuspectLabel(Struct, frozen=True, kw_only=True):
    """A label that may be a mistake, with the tweet that it is of."""

    root_id: str
    label: str
    suggested: str
    margin: float
    labeller: str
    origin: str
    text: str


class SuspectLabels(Struct, frozen=True, kw_only=True):
    """Of so many labelled tweets so many are suspected; `suspects` are the first of them.

    `thresholds` are the model's mean probability of each label where people gave it.
    """

    run: str
    labelled: int
    suspected: int
    thresholds: Mapping[str, float]
    suspects: Sequence[SuspectLabel]


def read_suspects(cur: cursor, run: str, *, most: int) -> SuspectLabels:
    """Return the suspected labels of a run, by the model's own probabilities that count now.

    Of several labels of a tweet the newest is looked at.
    """
    cur.execute(_ANSWERS, (run, run))
    rows = {root_id: row for root_id, *row in cur}
    answers = [
        LabelledAnswer(root_id, label, probabilities)
        for root_id, (label, probabilities, *_) in rows.items()
    ]
    found = find_suspects(answers)

    def described(suspect: Suspect) -> SuspectLabel:
        _, _, labeller, origin, text = rows[suspect.root_id]
        return SuspectLabel(**suspect._asdict(), labeller=labeller, origin=origin, text=text)

    return SuspectLabels(
        run=run,
        labelled=len(answers),
        suspected=len(found),
        thresholds=thresholds(answers),
        suspects=[described(suspect) for suspect in found[:most]],
    )
