"""A comparison for people."""

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.text import Text

from retrain.comparison.arms import ArmsComparison
from retrain.comparison.paired import LabelledFlips, PairedComparison
from retrain.evaluation.bootstrap import Figure
from schemas.counted_nouns import number_of
from schemas.escape_for_terminal import shown
from schemas.terminal import plain_table, whole_line


def paired_view(found: PairedComparison) -> Group:
    """Return a paired comparison as lines and a table."""
    return Group(*_paired(found))


def change(figure: Figure) -> str:
    """Return a difference of shares in points, with its interval."""
    if figure.value is None or figure.low is None or figure.high is None:
        return "-"
    return f"{100 * figure.value:+.1f} ({100 * figure.low:+.1f} to {100 * figure.high:+.1f})"


def percent(figure: Figure) -> str:
    """Return a share in percent, with its interval."""
    if figure.value is None or figure.low is None or figure.high is None:
        return "-"
    return f"{100 * figure.value:.1f} % ({100 * figure.low:.1f} to {100 * figure.high:.1f})"


def _paired(found: PairedComparison) -> Iterator[RenderableType]:
    yield whole_line(
        f"{found.challenger} ({found.challenger_sha256[:12]}) beside {found.model_sha256[:12]}, "
        f"which served, on {number_of(found.tweets, 'tweet')} of {found.run}"
    )
    yield whole_line(
        f"another label: {number_of(found.flips, 'tweet')}, {percent(found.flip_share)}"
    )
    yield whole_line(f"confidence: {change(found.confidence_change)} points")
    yield from _of_labels(found.labelled_flips)
    table = plain_table("rule", "label", "tweets", "serves", "challenger", "change in points")
    for each in found.shares:
        table.add_row(
            Text(shown(each.rule or "all")),
            Text(shown(each.label)),
            f"{each.tweets:,}",
            f"{100 * each.share:.1f} %",
            f"{100 * each.challenger_share:.1f} %",
            change(each.change),
        )
    yield table


def _of_labels(labelled: LabelledFlips) -> Iterator[RenderableType]:
    if not labelled.labelled:
        yield whole_line(
            "which is right? nobody labelled a tweet on which they disagree yet: "
            "`murmur labels annotate --disagreements`"
        )
        return
    yield whole_line(
        f"of {labelled.labelled} labelled disagreements the serving model is right in "
        f"{labelled.serving_right}, the challenger in {labelled.challenger_right}, neither in "
        f"{labelled.neither_right}; McNemar's p {labelled.mcnemar_p}"
    )
    if labelled.missing:
        yield whole_line(
            f"accuracy: {labelled.missing} more labelled disagreements are needed to tell"
        )
    else:
        yield whole_line(f"accuracy: {change(labelled.accuracy_change)} points for the challenger")


def arms_view(found: ArmsComparison) -> Group:
    """Return a comparison of arms as tables."""
    models = plain_table("arm", "model", "hash", "tweets", "confidence", "audits", "accuracy")
    for arm in (found.champion, found.challenger):
        models.add_row(
            arm.arm,
            Text(shown(arm.model)),
            arm.sha256[:12],
            f"{arm.tweets:,}",
            percent(arm.confidence),
            f"{arm.audits:,}",
            percent(arm.accuracy),
        )
    shares = plain_table("rule", "label", "champion", "challenger", "change in points")
    for each in found.shares:
        shares.add_row(
            Text(shown(each.rule or "all")),
            Text(shown(each.label)),
            percent(each.champion),
            percent(each.challenger),
            change(each.change),
        )
    return Group(
        models,
        whole_line(f"confidence: {change(found.confidence_change)} points for the challenger"),
        whole_line(f"accuracy: {change(found.accuracy_change)} points for the challenger"),
        shares,
    )
