"""`python -m deploy.observability.dashboards.write_dashboards [--check]`: the JSON that is kept."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from deploy.observability.dashboards.model_evaluation import MODEL_EVALUATION
from deploy.observability.dashboards.operations import OPERATIONS
from deploy.observability.dashboards.panels import Dashboard, to_grafana
from deploy.observability.dashboards.performance import PERFORMANCE
from deploy.observability.dashboards.sentiment import SENTIMENT

DASHBOARDS: Final = (SENTIMENT, PERFORMANCE, MODEL_EVALUATION, OPERATIONS)
MADE: Final = Path(__file__).parent / "made"


def text_of(dashboard: Dashboard) -> str:
    """Return the file of a dashboard."""
    return json.dumps(to_grafana(dashboard), indent=1, ensure_ascii=False) + "\n"


def main(arguments: Sequence[str], folder: Path = MADE) -> int:
    """Write or check; return the exit code."""
    wanted = {f"{dashboard.uid}.json": text_of(dashboard) for dashboard in DASHBOARDS}
    if "--check" in arguments:
        kept = {file.name: file.read_text(encoding="utf-8") for file in folder.glob("*.json")}
        if kept != wanted:
            print("the dashboards are out of date: run `make generated`", file=sys.stderr)  # noqa: T201
        return int(kept != wanted)
    folder.mkdir(exist_ok=True)
    for name, text in wanted.items():
        (folder / name).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
