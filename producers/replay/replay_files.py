"""All files of a replay, one after the other."""

from collections.abc import Sequence

from producers.replay.file_replay import FileReplay, ReplayContext
from producers.replay.plan import Action, PlannedFile
from producers.replay.report import FileReport, ReplayOutcome, ReplayReport


def replay_files(
    planned: Sequence[PlannedFile], context: ReplayContext, limit: int | None
) -> ReplayReport:
    """Publish the files as planned, at most `limit` events, and report what became of them.

    Raises what `FileReplay.publish` raises.
    """
    beginning = {
        (plan.file.key, plan.file.name): plan.start
        for plan in planned
        if plan.action is Action.BEGIN and plan.file.stream is None
    }
    context.positions.write(beginning)
    report = ReplayReport(context.to.run)
    for plan in planned:
        if plan.action not in {Action.BEGIN, Action.RESUME}:
            report.files.append(FileReport(plan))
            continue
        if limit is not None and report.events >= limit:
            report.ending = ReplayOutcome.LIMIT
            break
        left = None if limit is None else limit - report.events
        if plan.file.stream is not None:
            file_report = FileReplay(plan, None, context, left).publish()
        else:
            with plan.file.path.open("rb") as file:
                file_report = FileReplay(plan, file, context, left).publish()
        report.files.append(file_report)
        file_report.findings.ids.forget()
        if not file_report.finished and context.stopped():
            report.ending = ReplayOutcome.INTERRUPTED
            break
        if not file_report.finished and file_report.damage is None:
            report.ending = ReplayOutcome.LIMIT
            break
    return report
