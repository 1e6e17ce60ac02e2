"""Do people agree with each other, and each of them with themselves?"""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from msgspec import Struct
from psycopg2.extensions import cursor

from retrain.labels.agreement import Agreement, agreement
from schemas.people_labels import LabelOrigin


class LabellerAgreement(Struct, frozen=True, kw_only=True):
    """How far a person gives the same answer when they see a tweet once more."""

    labeller: str
    labels: int
    with_themselves: Agreement


class RunAgreement(Struct, frozen=True, kw_only=True):
    """Agreement on the tweets of a run: what any model can reach at most."""

    run: str
    between: Agreement
    labellers: list[LabellerAgreement]


_FIRST = """
SELECT DISTINCT ON (root_id, version, labeller) root_id, version, labeller, label
FROM labels
WHERE run = %(run)s AND origin = ANY(%(origins)s) AND repeat = 0 AND label IS NOT NULL
    AND NOT answer_seen
ORDER BY root_id, version, labeller, origin
"""
_TWICE = """
SELECT f.labeller, f.label, again.label
FROM labels AS f
JOIN labels AS again USING (run, root_id, version, labeller, origin)
WHERE f.run = %(run)s AND f.origin = ANY(%(origins)s) AND f.repeat = 0 AND again.repeat = 1
    AND f.label IS NOT NULL AND again.label IS NOT NULL
ORDER BY f.labeller, f.root_id, f.version, f.origin
"""


def measure_agreement(cur: cursor, run: str) -> RunAgreement:
    """Return how far people agree who labelled audits and queue without the model's answer.

    One answer a person and version of a tweet; answers of `unsure` say nothing.
    """
    values = {"run": run, "origins": [LabelOrigin.AUDIT.value, LabelOrigin.QUEUE.value]}
    cur.execute(_FIRST, values)
    units: dict[tuple[str, int], list[str]] = defaultdict(list)
    labels: dict[str, int] = defaultdict(int)
    for root_id, version, labeller, label in cur:
        units[root_id, version].append(label)
        labels[labeller] += 1
    cur.execute(_TWICE, values)
    twice: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for labeller, first, again in cur:
        twice[labeller].append((first, again))
    return RunAgreement(
        run=run, between=agreement(units.values()), labellers=_of_each(labels, twice)
    )


def _of_each(
    labels: Mapping[str, int], twice: Mapping[str, Sequence[tuple[str, str]]]
) -> list[LabellerAgreement]:
    return [
        LabellerAgreement(
            labeller=labeller,
            labels=labels.get(labeller, 0),
            with_themselves=agreement(twice.get(labeller, ())),
        )
        for labeller in sorted({*labels, *twice})
    ]
