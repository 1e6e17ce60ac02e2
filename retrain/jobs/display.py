"""Jobs as people read them."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from retrain.jobs.job_store import Job, StageOutput
from retrain.promotion.promotion_gate import GateVerdict
from schemas.escape_for_terminal import shown
from schemas.terminal import plain_table


def jobs_table(jobs: Sequence[Job]) -> Table:
    """Return the jobs as a table."""
    table = plain_table(
        "job", "run", "state", "stage", "begun", "ended", "detail", numbers=("job",)
    )
    for job in jobs:
        table.add_row(
            str(job.number),
            Text(shown(job.run)),
            job.state,
            job.stage or "",
            _moment(job.started_at),
            _moment(job.ended_at),
            Text(shown(job.detail)),
        )
    return table


def job_view(job: Job, stages: Mapping[str, StageOutput]) -> list[RenderableType]:
    """Return a job, its stages, and the rules of the gate if it came so far."""
    parts: list[RenderableType] = [jobs_table([job]), ""]
    evaluated = stages.get("evaluate")
    if evaluated is not None:
        parts.append(verdict_table(msgspec.convert(evaluated.output["verdict"], GateVerdict)))
    else:
        parts.append(Text(f"stages done: {', '.join(stages) or 'none'}"))
    return parts


def verdict_table(verdict: GateVerdict) -> Table:
    """Return the rules of the gate, and how the challenger stands to each."""
    title = "the gate was passed" if verdict.passed else "the gate was not passed"
    table = plain_table("rule", "passed", "figures", title=title)
    for rule in verdict.rules:
        table.add_row(Text(shown(rule.name)), "yes" if rule.passed else "no", rule.sentence)
    if verdict.audits_missing:
        table.add_row("", "", f"about {verdict.audits_missing:,} more audits would decide it")
    return table


def _moment(moment: datetime | None) -> str:
    return "" if moment is None else f"{moment:%Y-%m-%d %H:%M} UTC"
