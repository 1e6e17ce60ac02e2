"""How right the model is by what people say: what it mistakes for what, and whether its
confidence can be believed."""

from typing import Final

from msgspec import Struct
from psycopg2.extensions import cursor

from retrain.span_report.audits import AuditedSpan, Interval, wilson

_BINS: Final = 10


class ConfidenceBin(Struct, frozen=True, kw_only=True):
    """Audits whose confidence lies within a tenth: a model that can be believed is right as often
    as its mean confidence says."""

    low: float
    high: float
    audits: int
    mean_confidence: float
    right: Interval


class AuditedModel(Struct, frozen=True, kw_only=True):
    """All audits of a run beside the scores that count; bins without audits are left out."""

    span: AuditedSpan
    bins: list[ConfidenceBin]


def read_audited_model(cur: cursor, run: str) -> AuditedModel:
    """Return how right the scores of a run are, by its audits."""
    cur.execute(
        "SELECT s.label, a.label, least(floor(s.confidence * %(bins)s)::int, %(bins)s - 1),"
        " count(*), sum(s.confidence)"
        " FROM audits AS a"
        " JOIN tweets AS t ON t.root_id = a.root_id AND t.run = a.run AND t.version = a.version"
        " JOIN scores AS s"
        "  ON s.root_id = t.root_id AND s.run = t.run AND s.day = t.day AND s.counts"
        "  AND s.version = t.version"
        " WHERE a.run = %(run)s GROUP BY 1, 2, 3",
        {"run": run, "bins": _BINS},
    )
    counts: dict[tuple[str, str], int] = {}
    audits = [0] * _BINS
    agreed = [0] * _BINS
    confidence = [0.0] * _BINS
    for model, people, place, count, total in cur:
        counts[model, people] = counts.get((model, people), 0) + count
        audits[place] += count
        agreed[place] += count if model == people else 0
        confidence[place] += total
    bins = []
    for place in range(_BINS):
        right = wilson(agreed[place], audits[place])
        if right is not None:
            bins.append(
                ConfidenceBin(
                    low=place / _BINS,
                    high=(place + 1) / _BINS,
                    audits=audits[place],
                    mean_confidence=confidence[place] / audits[place],
                    right=right,
                )
            )
    return AuditedModel(span=AuditedSpan(counts), bins=bins)
