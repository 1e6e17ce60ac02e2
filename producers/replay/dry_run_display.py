"""What people see of a dry run: some lines for each file, and for all of them together."""

from collections import Counter
from collections.abc import Iterator, Mapping

from producers.formats.table_columns import listed
from producers.replay.dry_run import DryRun, Survey
from producers.replay.inspect_files import passed_over_by_kind
from producers.replay.plan import PACKED
from schemas.counted_nouns import number_of

_MOST_FILES = 20
_MOST_NAMES = 6
_MOST_PASSED_OVER = 5


def dry_run_lines(dry_run: DryRun) -> Iterator[str]:
    """Yield what the files hold, those that something is wrong with first."""
    surveys = sorted(dry_run.surveys, key=_has_nothing_to_say)
    for survey in surveys[:_MOST_FILES]:
        yield f"{survey.file.shown}: {_format(survey)}"
        yield from _about([survey])
        yield from _of_columns_and_ids(survey)
        yield from _not_read(survey)
    if len(surveys) > _MOST_FILES:
        others = surveys[_MOST_FILES:]
        yield f"{number_of(len(others), 'other file')}: {_formats(others)}"
        yield from _about(others)
    if len(surveys) > 1:
        yield f"all {len(surveys):,} files: {_formats(surveys)}"
        yield from _about(surveys)
    passed = passed_over_by_kind(dry_run.passed_over)
    yield from (f"passed over: {each}" for each in passed[:_MOST_PASSED_OVER])
    if len(passed) > _MOST_PASSED_OVER:
        others_passed = number_of(len(passed) - _MOST_PASSED_OVER, "more reason")
        yield f"passed over: others, for {others_passed}"


def _has_nothing_to_say(survey: Survey) -> bool:
    return survey.damage is None and not survey.refused and not survey.unknown


def _format(survey: Survey) -> str:
    if survey.file.format_name not in PACKED:
        return survey.file.format_name
    within = f": {_counted(survey.formats)}" if survey.formats else ""
    return f"{survey.file.format_name} of {_files(sum(survey.formats.values()))}{within}"


def _formats(surveys: list[Survey]) -> str:
    """Count what lies in tars and zips by itself: they are files too."""
    formats = _counted(Counter(survey.file.format_name for survey in surveys))
    within = _sum(survey.formats for survey in surveys if survey.file.format_name in PACKED)
    if not within:
        return formats
    return f"{formats}; {_files(within.total())} in tars and zips: {_counted(within)}"


def _files(count: int) -> str:
    return number_of(count, "file")


def _about(surveys: list[Survey]) -> Iterator[str]:
    yield f"  {sum(survey.lines for survey in surveys):,} lines"
    for title, counts in (
        ("events", _sum(survey.events for survey in surveys)),
        ("skipped", _sum(survey.skipped for survey in surveys)),
        ("not read", _sum(survey.refused for survey in surveys)),
        ("languages", _sum(survey.languages for survey in surveys)),
        ("labels", _sum(survey.labels for survey in surveys)),
    ):
        if counts:
            yield f"  {title}: {_counted(counts)}"
    timed = [survey.span for survey in surveys if survey.span.first is not None]
    if timed:
        oldest, newest = min(s.oldest for s in timed), max(s.newest for s in timed)
        yield f"  posted: {oldest:%Y-%m-%d %H:%M:%S} to {newest:%Y-%m-%d %H:%M:%S} UTC"
    untimed = sum(survey.findings.untimed for survey in surveys)
    if untimed:
        yield f"  without a time of their own: {untimed:,} (a replay uses the start of its run)"
    overruled = sum(survey.overruled_times for survey in surveys)
    if overruled:
        yield f"  created_at differs from the time in the id: {overruled:,} (the id's time is used)"
    dropped = _sum(survey.findings.dropped for survey in surveys)
    if dropped:
        yield f"  fields that could not be read and were left out: {_counted(dropped)}"


def _of_columns_and_ids(survey: Survey) -> Iterator[str]:
    findings = survey.findings
    if findings.taken_for:
        taken = (f"{column} as {known}" for column, known in findings.taken_for.items())
        yield f"  columns read under another name: {', '.join(taken)}"
    if findings.passed_over:
        yield f"  columns that were not read: {listed(tuple(findings.passed_over))}"
    yield from (f"  {sentence}" for sentence in findings.sentences())
    if survey.nothing_usable is not None:
        yield f"  nothing usable: {survey.nothing_usable}"


def _not_read(survey: Survey) -> Iterator[str]:
    for reason, examples in sorted(survey.examples.items()):
        yield from (f"  {reason}: {example}" for example in examples)
        more = survey.refused[reason] - len(examples)
        if more:
            yield f"  {reason}: {more:,} more"
    yield from (f"  of unknown format: {each}" for each in survey.unknown)
    if survey.damage is not None:
        yield f"  could not be read to its end: {survey.damage}"


def _sum(counters: "Iterator[Counter[str]] | Iterator[dict[str, int]]") -> Counter[str]:
    total: Counter[str] = Counter()
    for counter in counters:
        total.update(counter)
    return total


def _counted(counts: Mapping[str, int]) -> str:
    listed = [f"{count:,} {name}" for name, count in Counter(counts).most_common(_MOST_NAMES)]
    if len(counts) > _MOST_NAMES:
        listed.append(f"{len(counts) - _MOST_NAMES:,} others")
    return ", ".join(listed)
