"""Figures as people like to read them."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Final

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from schemas.escape_for_terminal import shown
from schemas.terminal import plain_table, whole_line
from stream_processors.aggregates.aggregates import (
    Aggregates,
    Audited,
    Grouped,
    Selection,
)
from stream_processors.aggregates.time_windows import FROM_TO
from stream_processors.queries.audit_words import (
    audit_sentences,
    audited_shares,
    give_or_take,
)
from stream_processors.queries.run_list import RunSummary
from stream_processors.queries.totals import Totals

_KNOWN_COLOURS: Final = {"positive": "green", "negative": "red", "neutral": "bright_black"}
_OTHER_COLOURS: Final = ("cyan", "magenta", "yellow", "blue", "bright_cyan", "bright_magenta")
_SPARKS: Final = "▁▂▃▄▅▆▇█"
_BAR_WIDTH: Final = 24
_MOST_GROUPS: Final = 10
_MOST_LABELS: Final = 5
_MOST_SPARKS: Final = 72


def totals_view(totals: Totals) -> RenderableType:
    """Return everything `murmur totals` shows."""
    figures = totals.aggregates
    parts: list[RenderableType] = [Text.from_markup(_headline(figures))]
    if figures.tweets:
        parts += [labels_table(figures), *_audit_lines(figures), ""]
        parts += [groups_table("hashtag", figures.hashtags, figures), ""]
        if figures.rules:
            parts += [rules_table(figures), ""]
        parts += [series_line(figures), _models_line(figures), *unknown_language_lines(figures)]
    parts.append(Text(_caption(totals), style="dim"))
    return Group(*parts)


def labels_table(figures: Aggregates) -> Table:
    """Return the labels with bars, shares and mean confidences.

    Where enough tweets are audited, each has the share that people would count; also a label that
    people gave and the model never did.
    """
    is_audited = figures.audit.audited == Audited.YES
    shares = ("share", "audited") if is_audited else ("share",)
    numbers = ("tweets", *shares, "mean confidence")
    table = plain_table("label", "", *numbers, numbers=numbers)
    colours = _colours(figures)
    counted = {label.label: label for label in figures.labels}
    for label in figures.audit.labels:
        found = counted.get(label.label)
        colour = colours[label.label]
        table.add_row(
            f"[{colour}]{escape(shown(label.label))}[/]",
            Text("█" * max(1 if found else 0, round(label.counted * _BAR_WIDTH)), style=colour),
            f"{found.tweets if found else 0:,}",
            f"{label.counted:.1%}",
            *([give_or_take(label.audited)] if label.audited else []),
            f"{found.mean_confidence:.3f}" if found else "",
        )
    mean = figures.mean_confidence or 0.0
    blanks = [""] * len(shares)
    table.add_row("all", "", f"{figures.tweets:,}", *blanks, f"{mean:.3f}", style="bold")
    return table


def rules_table(figures: Aggregates) -> RenderableType:
    """Return the ten most frequent rules as `groups_table` does, with audited shares if any."""
    if all(rule.audit.audited == Audited.NO for rule in figures.rules[:_MOST_GROUPS]):
        return groups_table("rule", figures.rules, figures)
    audited = [audited_shares(rule.audit) for rule in figures.rules[:_MOST_GROUPS]]
    return groups_table("rule", figures.rules, figures, {"audited": audited})


def groups_table(
    heading: str,
    groups: Sequence[Grouped],
    figures: Aggregates,
    further: Mapping[str, Sequence[str]] = MappingProxyType({}),
) -> RenderableType:
    """Return the ten most frequent groups, each with a bar and the shares of its labels.

    Of many labels the five most frequent ones have a column. `further` are columns of words.
    """
    if not groups:
        return Text(f"no {heading}s", style="dim")
    labels = [label.label for label in figures.labels[:_MOST_LABELS]]
    numbers = ("tweets", *labels)
    table = plain_table(heading, "", *numbers, *further, numbers=numbers)
    most = groups[0].tweets
    colours = _colours(figures)
    for number, group in enumerate(groups[:_MOST_GROUPS]):
        name = f"#{group.name}" if heading == "hashtag" else group.name
        shares = [f"{group.by_label.get(label, 0) / group.tweets:.0%}" for label in labels]
        bar = _shared_bar(group, most, colours)
        words = [escape(column[number]) for column in further.values()]
        table.add_row(escape(name), bar, f"{group.tweets:,}", *shares, *words)
    return table


def series_line(figures: Aggregates) -> Text:
    """Return the series as one line of small bars."""
    totals = _joined([sum(point.by_label.values()) for point in figures.series])
    most = max(totals, default=0)
    # Rounded up: the most is the full bar, and the least that is more than nothing the lowest.
    marks = "".join(" " if not total else _SPARKS[-(-8 * total // most) - 1] for total in totals)
    return Text.assemble(f"tweets over time, {_span(figures)}\n", (marks, "cyan"))


def unknown_language_lines(figures: Aggregates) -> list[Text]:
    """Return a line about tweets in languages that the model does not know, if there are any."""
    if not figures.unknown_language_tweets:
        return []
    share = figures.unknown_language_tweets / figures.tweets
    most = [f"{each.language} {each.tweets:,}" for each in figures.unknown_languages[:_MOST_LABELS]]
    more = "" if len(figures.unknown_languages) <= _MOST_LABELS else ", …"
    return [
        Text(
            f"{figures.unknown_language_tweets:,} of these tweets ({share:.1%}) are in languages "
            f"that the model does not know ({shown(', '.join(most))}{more}); their labels are "
            "guesses, and `murmur export` marks them",
            style="yellow",
        )
    ]


def runs_table(runs: Sequence[RunSummary]) -> Table:
    """Return what `murmur runs list` shows."""
    pruned = any(run.kept_from for run in runs)
    numbers = ("tweets", "dead letters", "deletions")
    times = ("last change", *(["tweets kept from"] if pruned else []))
    whole = ("run", "started", *times)
    table = plain_table("run", "started", *numbers, *times, numbers=numbers, whole=whole)
    for run in runs:
        table.add_row(
            escape(run.run),
            _moment(run.started_at),
            f"{run.tweets:,}",
            f"{run.dead_letters:,}",
            f"{run.deletions:,}",
            _moment(run.changed_at) if run.changed_at else "never",
            *([str(run.kept_from or "its start")] if pruned else []),
        )
    return table


def _audit_lines(figures: Aggregates) -> list[Text]:
    style = "dim" if figures.audit.audited == Audited.YES else "yellow"
    return [Text(sentence, style=style) for sentence in audit_sentences(figures.audit)]


def _headline(figures: Aggregates) -> str:
    where = "" if figures.window == FROM_TO else f", window {figures.window}"
    name = f"[bold]{escape(figures.run)}[/]{where}{escape(shown(_chosen(figures.selection)))}"
    if figures.start is not None and not figures.tweets and figures.window == FROM_TO:
        return f"{name}: no tweets from {_span_of(figures)}"
    if figures.selection and not figures.tweets:
        return f"{name}: no such tweets"
    if figures.start is None or figures.end is None:
        return f"{name}: no tweets; `murmur status` shows how many wait to be scored"
    return f"{name}: {_span_of(figures)}"


def _span_of(figures: Aggregates) -> str:
    if figures.start is None or figures.end is None:
        return "no time"
    return f"{_moment(figures.start)} to {_moment(figures.end)} UTC"


def _chosen(selection: Selection) -> str:
    parts = (
        ("rule", selection.rules),
        ("label", selection.labels),
        ("language", selection.languages),
    )
    return "".join(f", {what} {' or '.join(names)}" for what, names in parts if names)


def _caption(totals: Totals) -> str:
    place = {"redis": "Redis", "postgres": "PostgreSQL"}[totals.source]
    why = f" ({totals.note})" if totals.note else ""
    return f"as of {totals.aggregates.as_of.astimezone(UTC):%H:%M:%S} UTC, from {place}{why}"


def _models_line(figures: Aggregates) -> Text:
    names = [f"{model.name} {model.version} ({model.sha256[:12]})" for model in figures.models]
    return whole_line(f"scored by {', '.join(names)}{_decided(figures)}", "dim")


def _decided(figures: Aggregates) -> str:
    decision = figures.decision
    if decision is None:
        return ""
    if decision.model_sha256 in {model.sha256 for model in figures.models}:
        return f", decided by {decision.id}"
    return f"; decision {decision.id} is of another model and decides none of these"


def _span(figures: Aggregates) -> str:
    step = timedelta(seconds=figures.series_step_s)
    most = max((sum(point.by_label.values()) for point in figures.series), default=0)
    return f"peak: {most:,} per {_step_name(step)}"


def _step_name(step: timedelta) -> str:
    for unit, length in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        count, rest = divmod(int(step.total_seconds()), length)
        if not rest:
            return unit if count == 1 else f"{count} {unit}s"
    return str(step)


def _joined(totals: list[int]) -> list[int]:
    width = -(-len(totals) // _MOST_SPARKS) or 1
    return [sum(totals[start : start + width]) for start in range(0, len(totals), width)]


def _shared_bar(group: Grouped, most: int, colours: dict[str, str]) -> Text:
    bar = Text()
    tweets = 0
    for label, colour in colours.items():
        # Rounding the sums, not the parts: equal groups have bars of equal length.
        tweets += group.by_label.get(label, 0)
        bar.append("█" * (round(tweets / most * _BAR_WIDTH) - len(bar)), style=colour)
    return bar


def _colours(figures: Aggregates) -> dict[str, str]:
    labels = sorted(label.label for label in figures.audit.labels)
    others = [label for label in labels if label not in _KNOWN_COLOURS]
    spare = {label: _OTHER_COLOURS[n % len(_OTHER_COLOURS)] for n, label in enumerate(others)}
    return {label: _KNOWN_COLOURS.get(label) or spare[label] for label in labels}


def _moment(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M}"
