"""`murmur labels`."""

import getpass
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from schemas.people_labels import LabelOrigin
from schemas.printing import print_json, print_line

if TYPE_CHECKING:
    from retrain.labels.queue.candidates import Choice
    from retrain.labels.queue.draw import Drawn
    from schemas.transport.postgres import Connection

_Command = TypeVar("_Command", bound=Callable[..., Any])
_FORMATS = click.Choice(["csv", "label-studio", "doccano"])
_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
_RUN = click.option("--run", required=True, help="Name of the run; `murmur runs list` shows them.")
_DAY = click.DateTime(["%Y-%m-%d"])
_LABELLER = click.option(
    "--labeller", metavar="NAME", help="Who labels. Default: the name of your account here."
)


def _choice_options(command: _Command) -> _Command:
    for option in (
        click.option(
            "--second-opinion",
            is_flag=True,
            help="Take audits of others that this labeller has not labelled, to measure agreement.",
        ),
        click.option("--audits-only", is_flag=True, help="Take nothing but audits."),
        click.option(
            "--disagreements",
            is_flag=True,
            help="Take tweets to which the challenger of `murmur shadow` gives another label.",
        ),
        click.option(
            "--to", "last_day", type=_DAY, metavar="DATE", help="Last day of the tweets, in UTC."
        ),
        click.option(
            "--from",
            "first_day",
            type=_DAY,
            metavar="DATE",
            help="First day of the tweets, in UTC. Default: all; of `live` the last 14 days.",
        ),
        click.option("--rule", metavar="TAG", help="Only tweets of this rule."),
    ):
        command = option(command)
    return command


@click.group(short_help="What people say of the tweets: import, export, label, agreement.")
def labels() -> None:
    """Bring people's labels in and out, label in the terminal, measure agreement.

    Only audits estimate shares: a random sample, labelled without sight of the model's answer.
    """


@labels.command("import", short_help="Store the labels of a file.")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@_RUN
@click.option(
    "--origin",
    type=click.Choice([origin.value for origin in LabelOrigin]),
    help="Why these tweets were labelled. Rows that `murmur labels export` wrote have their own.",
)
@click.option(
    "--blind/--answer-seen",
    default=None,
    help="Whether the labellers did not see the model's answer. Audits need --blind.",
)
@click.option(
    "--labeller", default="import", show_default=True, help="Who labelled rows that name nobody."
)
@click.option("--format", "form", type=_FORMATS, help="Default: recognised from the content.")
@click.option("--replace", is_flag=True, help="Replace labels that are stored and differ.")
@_JSON
def import_labels(
    file: Path,
    run: str,
    origin: str | None,
    blind: bool | None,
    labeller: str,
    form: str | None,
    replace: bool,
    as_json: bool,
) -> None:
    """Store the labels of a CSV, a TSV, or an export of Label Studio or doccano.

    A CSV needs the columns `id` (or tweet_id, root_id) and `label`; `labeller`, `labelled_at` and
    `version` are read too. In the other formats the tweet's id is a field of its own, as
    `murmur labels export` writes it. Every row is stored or counted with its fault. The same file
    may be imported again.
    """
    from retrain.labels.display import import_view
    from retrain.labels.files.reading import FileFormat, read_labels
    from retrain.labels.import_labels import ImportChoice, import_rows
    from schemas.terminal import print_whole, terminal_console

    if origin == LabelOrigin.AUDIT and not blind:
        raise click.UsageError(
            "audits need --blind: that nobody who labelled them saw the model's answer"
        )
    choice = ImportChoice(
        run=run,
        origin=LabelOrigin(origin) if origin is not None else None,
        answer_seen=None if blind is None else not blind,
        labeller=labeller,
        replace=replace,
    )
    rows = read_labels(file, FileFormat(form) if form else None)
    with _database(run) as connection:
        report = import_rows(connection, rows, choice, _now())
    if as_json:
        print_json(report)
    else:
        print_whole(terminal_console(), import_view(report))


@labels.command(short_help="Write labels, or tweets to be labelled, for another tool.")
@_RUN
@click.option("--format", "form", type=_FORMATS, default="csv", show_default=True)
@click.option(
    "--queue",
    "count",
    type=click.IntRange(1, 10_000),
    metavar="N",
    help="Write the next N tweets to be labelled instead of the labels.",
)
@click.option(
    "--origin",
    "origins",
    multiple=True,
    type=click.Choice([origin.value for origin in LabelOrigin]),
    help="Only labels of this origin. Default: all.",
)
@click.option(
    "--with-predictions",
    is_flag=True,
    help="Add the model's answer. Who sees it cannot audit: such labels train, no more.",
)
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File to write; it appears only when it is complete. Default: standard output.",
)
@click.option(
    "--formula-guard/--no-formula-guard",
    default=True,
    show_default=True,
    help="In CSV, put an apostrophe before a cell that a spreadsheet would run as a formula.",
)
@_LABELLER
@_choice_options
def export(
    run: str,
    form: str,
    count: int | None,
    origins: tuple[str, ...],
    with_predictions: bool,
    output: Path | None,
    formula_guard: bool,
    **choice: Any,
) -> None:
    """Write labels with their tweets, or the next tweets to be labelled, for another tool.

    Label Studio: create a project with the labelling configuration that retrain/labels/README.md
    shows, and import the file. doccano: a project of text classification; format JSONL. The same
    data gives the same bytes.
    """
    from retrain.labels.export_labels import as_file, labelled_tweets, tweets_to_label
    from retrain.labels.files.reading import FileFormat
    from schemas.failures import Failure
    from schemas.output_file import opened_output

    if count is not None and origins:
        raise click.UsageError("--origin is of labels, --queue has none yet: choose one")
    lost = 0
    with _database(run) as connection:
        queue = None if count is None else _drawn(connection, _choice(run, **choice), count, choice)
        with connection, connection.cursor() as cur:
            if queue is None:
                chosen = [LabelOrigin(origin) for origin in origins] or list(LabelOrigin)
                tweets, lost = labelled_tweets(cur, run, chosen)
            else:
                shown = LabelOrigin.QUEUE if with_predictions else None
                wanted = [(each.root_id, shown or each.origin) for each in queue]
                tweets = tweets_to_label(cur, run, wanted)
    if not tweets:
        raise Failure(
            f"run {run!r} has no such labels" if queue is None else "nothing is left to be labelled"
        )
    chunks = as_file(
        tweets, FileFormat(form), with_predictions=with_predictions, guard_csv=formula_guard
    )
    try:
        with opened_output(output) as file:
            for chunk in chunks:
                file.write(chunk if output or not sys.stdout.isatty() else _escaped(chunk, form))
    except BrokenPipeError:
        # The reader has seen enough (`| head`). Python would complain once more when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return
    if lost:
        print_line(f"left out: {lost:,} labels of versions that were edited since", err=True)
    if output is not None:
        print_line(f"{len(tweets):,} in {output}", err=True)
        print_line("later deletions do not reach this file: export again after them", err=True)


@labels.command(short_help="Show which tweets to label next.")
@_RUN
@click.option("-n", "--count", default=50, show_default=True, type=click.IntRange(1, 10_000))
@_LABELLER
@_choice_options
@_JSON
def queue(run: str, count: int, as_json: bool, **choice: Any) -> None:
    """Show which tweets to label next: half audits, 3 tenths uncertain, 2 tenths drifted.

    The same labels and tweets give the same queue, wherever it is drawn. It stores nothing, but
    with --disagreements: then it notes which tweets were drawn, so that their labels count as a
    sample of the disagreements.
    """
    from retrain.labels.display import queue_document, queue_table
    from retrain.labels.export_labels import tweets_to_label
    from schemas.terminal import print_whole, terminal_console

    with _database(run) as connection:
        drawn = _drawn(connection, _choice(run, **choice), count, choice)
        with connection, connection.cursor() as cur:
            tweets = tweets_to_label(cur, run, [(each.root_id, each.origin) for each in drawn])
    if as_json:
        print_json(queue_document(run, drawn, tweets))
    elif drawn:
        print_whole(terminal_console(), queue_table(drawn, tweets))
    else:
        print_line("nothing is left to be labelled", err=True)


@labels.command(short_help="Label in the terminal, one key a tweet.")
@_RUN
@click.option("-n", "--count", default=50, show_default=True, type=click.IntRange(1, 10_000))
@click.option(
    "--tweet",
    "tweet_ids",
    multiple=True,
    metavar="ID",
    help="Correct the label of this tweet: the model's answer is shown, and it is no audit.",
)
@_LABELLER
@_choice_options
def annotate(run: str, count: int, tweet_ids: tuple[str, ...], **choice: Any) -> None:
    """Label tweets in the terminal: 1 to 9 give a label and go on.

    U takes the last answer back, S skips, ? says that you are unsure, Q ends. Every answer is
    stored at once. You do not see what the model says. One tweet of ten comes twice: that shows
    how far you agree with yourself.
    """
    from retrain.labels.annotation.annotate import Annotator
    from retrain.labels.annotation.keys import terminal_keys
    from retrain.labels.annotation.label_keys import keys_of
    from retrain.labels.annotation.screen import Screen
    from retrain.labels.annotation.sitting import Sitting
    from retrain.labels.run_labels import labels_of_run
    from schemas.terminal import terminal_console

    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise click.UsageError(
            "labelling needs a terminal; without one: `murmur labels export --queue 50`, and"
            " `murmur labels import`"
        )
    who = _choice(run, **choice)
    with _database(run) as connection:
        with connection, connection.cursor() as cur:
            keys = keys_of(labels_of_run(cur, run))
        drawn = (
            _named(connection, run, tweet_ids)
            if tweet_ids
            else _drawn(connection, who, count, choice)
        )
        if not drawn:
            print_line("nothing is left to be labelled", err=True)
            return
        screen = Screen(terminal_console(), run, keys)
        sitting = Sitting(drawn, run=run, labeller=who.labeller, correcting=bool(tweet_ids))
        annotator = Annotator(connection, screen, sitting, keys, now=_now)
        with terminal_keys(screen.redraw) as pressed:
            done = annotator.run(pressed)
    copied = f", {done.copied} with the same text" if done.copied else ""
    print_line("")
    print_line(
        f"{done.labelled} labelled{copied}, {done.unsure} unsure, {done.skipped} skipped:"
        f" stored as {who.labeller}'s"
    )


@labels.command(short_help="Show how far people agree.")
@_RUN
@_JSON
def agreement(run: str, as_json: bool) -> None:
    """Show Krippendorff's alpha between labellers, and of each with themselves.

    What people do not agree on, no model can learn from them: it is the ceiling.
    """
    from retrain.labels.display import agreement_table
    from retrain.labels.measure_agreement import measure_agreement
    from schemas.terminal import print_whole, terminal_console

    with _database(run) as connection, connection, connection.cursor() as cur:
        found = measure_agreement(cur, run)
    if as_json:
        print_json(found)
    else:
        print_whole(terminal_console(), agreement_table(found))


@labels.command(short_help="Show labels that may be mistakes.")
@_RUN
@click.option("-n", "--count", default=50, show_default=True, type=click.IntRange(1, 10_000))
@_JSON
def suspects(run: str, count: int, as_json: bool) -> None:
    """Show labels that may be mistakes of people: where the model is confident of another one.

    The surest come first; look at them with `murmur labels annotate --tweet ID`. A model that
    learned from these labels repeats their mistakes: ask before it is trained on them.
    """
    from retrain.labels.display import suspects_table
    from retrain.labels.read_suspects import read_suspects
    from schemas.terminal import print_whole, terminal_console

    with _database(run) as connection, connection, connection.cursor() as cur:
        found = read_suspects(cur, run, most=count)
    if as_json:
        print_json(found)
        return
    print_line(f"{found.suspected:,} of {found.labelled:,} labelled tweets", err=True)
    if found.suspects:
        print_whole(terminal_console(), suspects_table(found))


@contextmanager
def _database(run: str) -> Iterator["Connection"]:
    from schemas.known_runs import require_run
    from schemas.settings import load_settings
    from schemas.transport.postgres import connect_postgres

    connection = connect_postgres(load_settings().postgres_connection, "labels")
    try:
        require_run(connection, run)
        yield connection
    finally:
        connection.close()


def _choice(
    run: str,
    *,
    labeller: str | None,
    rule: str | None,
    first_day: datetime | None,
    last_day: datetime | None,
    second_opinion: bool,
    **_: Any,
) -> "Choice":
    from retrain.labels.queue.candidates import Choice

    first, last = _day_of(first_day), _day_of(last_day)
    if first and last and last < first:
        raise click.BadParameter("must not be before --from", param_hint="--to")
    return Choice(
        run=run,
        labeller=labeller or getpass.getuser(),
        rule=rule,
        first_day=first,
        last_day=last,
        second_opinion=second_opinion,
    )


def _escaped(chunk: bytes, form: str) -> bytes:
    """Return what may be written to a terminal: nothing in it speaks to that."""
    from schemas.escape_for_terminal import printable, printable_json

    return (
        printable(chunk.decode(), keep="\r\n").encode() if form == "csv" else printable_json(chunk)
    )


def _day_of(moment: datetime | None) -> date | None:
    return None if moment is None else moment.date()


def _drawn(
    connection: "Connection", choice: "Choice", count: int, options: dict[str, Any]
) -> list["Drawn"]:
    from retrain.labels.queue.disagreements import draw_disagreements
    from retrain.labels.queue.draw_queue import draw_queue
    from schemas.known_names import rules_without_tweets

    for sentence in rules_without_tweets(connection, choice.run, [choice.rule or ""]):
        print_line(sentence, err=True)
    if options["disagreements"]:
        if options["audits_only"] or choice.second_opinion:
            raise click.UsageError("--disagreements stands alone: leave the other choice out")
        with connection, connection.cursor() as cur:
            return draw_disagreements(
                cur,
                choice.run,
                count,
                rule=choice.rule,
                first_day=choice.first_day or date.min,
                last_day=choice.last_day or date.max,
            )
    with connection, connection.cursor() as cur:
        return draw_queue(cur, choice, count, audits_only=options["audits_only"])


def _named(connection: "Connection", run: str, tweet_ids: tuple[str, ...]) -> list["Drawn"]:
    from retrain.labels.queue.draw import Drawn, Part
    from retrain.labels.stored_tweets import find_versions
    from schemas.failures import Failure

    found = find_versions(connection, run, tweet_ids)
    missing = [tweet_id for tweet_id in tweet_ids if tweet_id not in found]
    if missing:
        raise Failure(f"run {run!r} has no tweet {missing[0]!r}")
    roots = dict.fromkeys(found[tweet_id][0] for tweet_id in tweet_ids)
    return [Drawn(root_id=root_id, part=Part.NAMED) for root_id in roots]


def _now() -> datetime:
    from datetime import UTC

    return datetime.now(UTC)
