"""What the READMEs have one make in the checkout is none of git's."""

import subprocess
from pathlib import Path

import pytest


@pytest.mark.parametrize(
    ("path", "ignored"),
    [
        ("models/own/model.safetensors", True),
        ("bundles/own/model.onnx", True),
        ("captures/live-1.jsonl.zst", True),
        ("model_server/bundles/another/model.onnx", False),
    ],
)
def test_models_bundles_and_captures_are_not_tracked(
    repository: Path, path: str, ignored: bool
) -> None:
    command = ["git", "check-ignore", "--quiet", "--no-index", path]
    assert (subprocess.run(command, cwd=repository, check=False).returncode == 0) is ignored
