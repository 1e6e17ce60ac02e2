"""Labels as people like to read them."""

from collections.abc import Iterable, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from retrain.labels.agreement import Agreement
from retrain.labels.export_labels import LabelledTweet
from retrain.labels.import_labels import ImportReport, accepted_labels
from retrain.labels.measure_agreement import RunAgreement
from retrain.labels.queue.draw import Drawn
from retrain.labels.read_suspects import SuspectLabels
from schemas.counted_nouns import number_of
from schemas.escape_for_terminal import shown
from schemas.terminal import plain_table

_MOST_CHARS = 80
_MOST_EXAMPLES = 3
_MOST_SENTENCE_CHARS = 1_000


def import_view(report: ImportReport) -> RenderableType:
    """Return what became of a file's rows."""
    table = plain_table("rows", "", "for example", numbers=["rows"])
    for count, what in (
        (report.stored, "stored"),
        (report.replaced, "replaced"),
        (report.unchanged, "stored already"),
    ):
        if count:
            table.add_row(f"{count:,}", what, "")
    for fault, faulty in report.faults.items():
        examples = [
            shown(" ".join(filter(None, [each.place, each.tweet_id, each.label])), _MOST_CHARS)
            for each in faulty.examples[:_MOST_EXAMPLES]
        ]
        table.add_row(f"{faulty.rows:,}", Text(f"left out: {fault}"), Text("; ".join(examples)))
    origins = ", ".join(f"{count:,} {origin}" for origin, count in report.by_origin.items())
    said = [Text(f"origin: {origins}", style="dim")]
    if report.unknown_labels:
        said.append(Text(shown(accepted_labels(report), _MOST_SENTENCE_CHARS), style="yellow"))
    if report.audits_as_queue:
        said.append(Text(_became_queue(report.audits_as_queue), style="yellow"))
    return Group(table, *said)


def _became_queue(audits: int) -> str:
    return (
        f"{number_of(audits, 'audit')} of the file {'is' if audits == 1 else 'are'} stored as "
        "queue labels: they train, and estimate nothing. If their labellers did not see the "
        "model's answer, import the file again with --blind"
    )


def queue_table(drawn: Iterable[Drawn], tweets: Iterable[LabelledTweet]) -> Table:
    """Return the tweets to be labelled, in their order; without the model's answers."""
    texts = {tweet.root_id: tweet.text for tweet in tweets}
    table = plain_table("tweet", "why", "text", whole=["tweet"])
    for each in drawn:
        why = f"{each.part} of {each.rule}" if each.rule else str(each.part)
        why += f", same text as {each.copy_of}" if each.copy_of else ""
        text = shown(texts.get(each.root_id, ""), _MOST_CHARS)
        table.add_row(Text(each.root_id), Text(shown(why)), Text(text))
    return table


def queue_document(
    run: str, drawn: Sequence[Drawn], tweets: Iterable[LabelledTweet]
) -> dict[str, Any]:
    """Return the same for programs."""
    found = {tweet.root_id: tweet for tweet in tweets}
    return {
        "run": run,
        "queue": [
            {
                "root_id": each.root_id,
                "version": found[each.root_id].version,
                "origin": each.origin,
                "part": each.part,
                "rule": each.rule,
                "copy_of": each.copy_of,
                "text": found[each.root_id].text,
            }
            for each in drawn
            if each.root_id in found
        ],
    }


def agreement_table(found: RunAgreement) -> RenderableType:
    """Return alpha between people and of each with themselves."""
    numbers = ("tweets", "alpha", "95 %", "same")
    table = plain_table("agreement", *numbers, numbers=numbers)
    table.add_row("between labellers", *_cells(found.between))
    for labeller in found.labellers:
        name = f"{shown(labeller.labeller)} with themselves"
        table.add_row(Text(name), *_cells(labeller.with_themselves))
    labels = ", ".join(f"{shown(each.labeller)} {each.labels:,}" for each in found.labellers)
    rest = f"labels: {labels or 'none'}; 1 is full agreement, 0 what chance gives"
    return Group(table, Text(rest, style="dim"))


def _cells(found: Agreement) -> list[str]:
    if found.alpha is None or found.low is None or found.high is None:
        same = "–" if found.same is None else f"{found.same:.0%}"
        return [f"{found.units:,}", "not defined" if found.units else "–", "–", same]
    interval = f"{found.low:.2f} to {found.high:.2f}"
    return [f"{found.units:,}", f"{found.alpha:.3f}", interval, f"{found.same or 0:.0%}"]


def suspects_table(found: SuspectLabels) -> Table:
    """Return the suspected labels as people see them."""
    table = plain_table("tweet", "label", "suggested", "margin", "by", "text", numbers={"margin"})
    for each in found.suspects:
        table.add_row(
            each.root_id,
            Text(shown(each.label)),
            Text(shown(each.suggested)),
            f"{each.margin:+.3f}",
            Text(shown(each.labeller)),
            Text(shown(each.text, _MOST_CHARS)),
        )
    return table
