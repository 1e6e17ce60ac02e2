"""Nothing that runs here is reported to the makers of its libraries."""

import os
import subprocess
import sys
from pathlib import Path

SCORING = """
from model_server.bundle import default_bundle, open_bundle
from model_server.onnx_engine import OnnxEngine
assert OnnxEngine(open_bundle(default_bundle())).probabilities(["good"]).shape == (1, 3)
"""


def test_scoring_leaves_no_identifier_and_no_queue_of_events(tmp_path: Path) -> None:
    # In continuous integration the library is silent of itself.
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("CI", "ORT"))}
    home = {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    subprocess.run([sys.executable, "-c", SCORING], check=True, env=kept | home)
    assert list(tmp_path.rglob("*")) == []
