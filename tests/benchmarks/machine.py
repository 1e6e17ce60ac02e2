"""The machine that a figure was measured on."""

import os
import platform
from pathlib import Path

import psutil


def machine() -> dict[str, object]:
    """Return processor, cores, memory and load: figures of another machine are not comparable."""
    model = (
        next(
            (
                line.split(":", 1)[1].strip()
                for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
                if line.startswith("model name")
            ),
            platform.processor(),
        )
        if Path("/proc/cpuinfo").exists()
        else platform.processor()
    )
    return {
        "processor": model,
        "cores": os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9),
        "python": platform.python_version(),
        "load_before": os.getloadavg()[0],
    }
