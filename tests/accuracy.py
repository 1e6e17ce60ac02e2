"""Labelled tweets through the whole stack: how often the model agrees with people, and whether
repeats and killed workers change anything.

`python -m tests.accuracy FILE` (columns id, label, text, separated by tabs) prints one JSON
document; a promise that is not kept is exit 1.
"""

import argparse
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from deploy.embedded import stack
from tests.conditions import wait_until
from tests.murmur import Murmur

KILLS = 5


def macro_recall(rows: Iterable[Mapping[str, Any]]) -> float:
    """Return the mean over the human labels of the share that the model labelled so."""
    rows = list(rows)
    people = Counter(row["human_label"] for row in rows)
    agreed = Counter(row["human_label"] for row in rows if row["human_label"] == row["label"])
    return sum(agreed[label] / people[label] for label in people) / len(people)


def measure(murmur: Murmur, file: Path) -> dict[str, Any]:
    """Replay a file, replay it again, and replay it into another run with killed workers."""
    arguments = ("replay", file, "--format", "semeval", "--json")

    def replay(run: str, kills: int) -> dict[str, Any]:
        slowly = ("--rate", "300") if kills else ()
        process = murmur.start(*arguments, "--run", run, *slowly)
        murmur.kill_workers(kills, process)
        output, errors = process.communicate(timeout=600)
        assert process.returncode == 0, errors
        wait_until(lambda: murmur.lag() == 0, 600, f"run {run} to be stored")
        report: dict[str, Any] = json.loads(output)
        return report

    # First, while the worker remembers no scores and there is something to interrupt.
    replay("killed", kills=KILLS)
    report = replay("accuracy", kills=0)
    first = murmur.run("export", "--run", "accuracy")
    replay("accuracy", kills=0)
    second = murmur.run("export", "--run", "accuracy")
    calm = murmur.export("accuracy")
    return {
        "lines": report["files"][0]["lines"],
        "events": report["events"],
        "dead_letters": report["dead_letters"],
        "rows": len(calm),
        "macro_recall": round(macro_recall(calm), 4),
        "second_replay_same_bytes": first == second,
        "kills_of_each_worker": KILLS,
        "killed_export_same": murmur.export("killed") == calm,
        "killed_totals_same": murmur.totals("killed") == murmur.totals("accuracy"),
    }


def main() -> int:
    """Measure on a stack of its own and print the figures; return the exit code."""
    parser = argparse.ArgumentParser(prog="make accuracy", description="Needs LABELS=FILE.")
    parser.add_argument("file", type=Path, help="id, label, text, separated by tabs")
    file: Path = parser.parse_args().file.resolve()
    if not file.is_file():
        parser.error(f"there is no file {file}")
    home = Path(tempfile.mkdtemp(prefix="murmur-"))
    try:
        figures = measure(Murmur(stack.up(home, env_file=None)), file)
    finally:
        stack.remove(home)
    print(json.dumps(figures, indent=2))  # noqa: T201
    promises = ("second_replay_same_bytes", "killed_export_same", "killed_totals_same")
    return 0 if all(figures[promise] for promise in promises) else 1


if __name__ == "__main__":
    sys.exit(main())
