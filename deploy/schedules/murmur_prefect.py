"""Prefect 3: train anew when there is a reason. `python murmur_prefect.py` serves it hourly.

Prefect only triggers. What is decided, and how far a job is, stands in Murmur's PostgreSQL, so a
flow that is killed or run again does nothing twice. Murmur is installed in an environment of its
own; `MURMUR_BIN` names its command.
"""

import os
import subprocess

from prefect import flow, task

MURMUR = os.environ.get("MURMUR_BIN", "murmur")
NOTHING_TO_DO = 99


@task(retries=2, retry_delay_seconds=120)
def murmur(*arguments: str) -> bool:
    """Call Murmur; False where it had nothing to do. A training goes on where it was killed."""
    done = subprocess.run([MURMUR, *arguments], check=False)
    if done.returncode not in (0, NOTHING_TO_DO):
        raise RuntimeError(f"murmur {' '.join(arguments)} ended with {done.returncode}")
    return done.returncode == 0


@flow(name="murmur-renewal", log_prints=True)
def renewal() -> str:
    """Decide whether a training is due, and do it."""
    if not murmur("retrain", "check"):
        # Of an earlier flow that was killed a job may still wait.
        return "trained" if murmur("retrain", "run") else "nothing to do"
    return "trained" if murmur("retrain", "run") else "another process trains"


if __name__ == "__main__":
    renewal.serve(name="hourly", cron="0 * * * *", limit=1)
