"""`make ops-check`: what a team gets to run Murmur with, by the tools that will read it.

Each step says `ok`, what is wrong, or which tool is missing here and how to install it. Exits with
1 where something is wrong, with 2 where only tools are missing. Words on the command line choose
the steps whose names have one of them.
"""

import sys
import time
from collections.abc import Sequence
from typing import Final

from tests.ops_check import cluster_steps, contract_steps, deployment_steps, observability_steps
from tests.ops_check.step import MissingTool, Shared, Step, StepFailed

STEPS: Final[tuple[Step, ...]] = (
    *deployment_steps.STEPS,
    *cluster_steps.STEPS,
    *observability_steps.STEPS,
    *contract_steps.STEPS,
)


def main(words: Sequence[str]) -> int:
    """Run the steps; return the exit code."""
    failed = missing = 0
    shared = Shared()
    with shared.stack:
        for step in STEPS:
            if words and not any(word in step.name for word in words):
                continue
            began_s = time.monotonic()
            try:
                said = f"ok       {step.name}: {step.run(shared)}"
            except MissingTool as fault:
                missing += 1
                said = f"MISSING  {step.name}: {fault}"
            except (StepFailed, AssertionError) as fault:
                failed += 1
                said = f"WRONG    {step.name}:\n{fault}"
            print(f"{said} ({time.monotonic() - began_s:.0f} s)", flush=True)  # noqa: T201
    return 1 if failed else 2 if missing else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
