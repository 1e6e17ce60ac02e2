"""What shares rest on, in words: how many people labelled, and what that says of the model."""

from typing import Final

from schemas.counted_nouns import number_of
from schemas.escape_for_terminal import shown
from stream_processors.aggregates.aggregates import Audited, AuditFigures, Interval

_MOST_LABELS: Final = 5


def audit_sentences(audit: AuditFigures) -> list[str]:
    """Return what the shares of all tweets rest on; each sentence is a line."""
    if audit.audited == Audited.NO:
        return ["not audited on this stream: people may count other shares (`murmur labels`)"]
    if audit.audited == Audited.TOO_FEW:
        missing, of_3_points = audit.audits_missing, audit.audits_missing_for_3_points
        first = f"uncorrected: {_more_labels(missing)} until shares have an interval"
        return [f"{first}, about {of_3_points:,} until it is ± 3 points"]
    days = f"days with audits: {audit.audited_days:,} of {audit.days or 0:,}"
    audits = f"from {audit.audits:,} tweets that they labelled; {days}"
    sentences = [f"audited: the share that people would count, with its 95 % interval, {audits}"]
    if audit.audits_missing_for_3_points:
        more = _more_labels(audit.audits_missing_for_3_points)
        sentences.append(f"about {more} until it is ± 3 points")
    if audit.accuracy:
        agreed = give_or_take(audit.accuracy)
        sentences.append(f"the model agrees with people on {agreed} of tweets{_recalls(audit)}")
    if audit.agreement:
        sentences.append(
            f"people agree with each other on {give_or_take(audit.agreement)}, over "
            f"{audit.agreement.audits:,} tweets that several labelled"
        )
    return sentences


def audited_shares(audit: AuditFigures) -> str:
    """Return the audited shares of one rule, or why there are none, for a cell of a table."""
    if audit.audited == Audited.NO:
        return "not audited"
    if audit.audited == Audited.TOO_FEW:
        return f"uncorrected: {_more_labels(audit.audits_missing)}"
    return ", ".join(
        f"{shown(label.label)} {label.audited.share:.0%} ± {_points(label.audited):.0f}"
        for label in audit.labels[:_MOST_LABELS]
        if label.audited
    )


def give_or_take(found: Interval) -> str:
    """Return a share in percent, and half the length of its interval in points."""
    return f"{found.share:.1%} ± {_points(found):.1f}"


def _points(found: Interval) -> float:
    return 100 * (found.high - found.low) / 2


def _recalls(audit: AuditFigures) -> str:
    recalls = [
        f"{shown(label.label)} {label.recall.share:.0%} of {label.recall.audits:,}"
        for label in audit.labels[:_MOST_LABELS]
        if label.recall
    ]
    return f"; by people's label: {', '.join(recalls)}" if recalls else ""


def _more_labels(count: int) -> str:
    return number_of(count, "more label")
