"""All files of a replay, one after the other."""

from collections.abc import Sequence

from producers.replaying.file_replay import FileReplay, Surroundings
from producers.replaying.plan import Action, PlannedFile
from producers.replaying.report import FileReport, Outcome, ReplayReport


def replay_files(
    planned: Sequence[PlannedFile], around: Surroundings, limit: int | None
) -> ReplayReport:
    """Publish the files as planned, at most `limit` events, and report what became of them.

    Raises what `FileReplay.publish` raises.
    """
    beginning = {
        (plan.file.key, plan.file.name): plan.start
        for plan in planned
        if plan.action is Action.BEGIN and plan.file.stream is None
    }
    around.positions.write(beginning)
    report = ReplayReport(around.to.run)
    for plan in planned:
        if plan.action not in {Action.BEGIN, Action.RESUME}:
            report.files.append(FileReport(plan))
            continue
        if limit is not None and report.events >= limit:
            report.ending = Outcome.LIMIT
            break
        left = None if limit is None else limit - report.events
        if plan.file.stream is not None:
            file_report = FileReplay(plan, None, around, left).publish()
        else:
            with plan.file.path.open("rb") as file:
                file_report = FileReplay(plan, file, around, left).publish()
        report.files.append(file_report)
        if not file_report.finished and around.stopped():
            report.ending = Outcome.INTERRUPTED
            break
        if not file_report.finished and file_report.damage is None:
            report.ending = Outcome.LIMIT
            break
    return report
