"""`murmur predict` without any server."""

from pathlib import Path

from click.testing import CliRunner

from model_server.bundle import default_bundle
from model_server.cli import predict
from schemas.failures import Failure


def test_a_text_that_the_model_refuses_is_said_in_one_line(tmp_path: Path) -> None:
    # What a terminal that sends Latin-1 makes of "café".
    asked = CliRunner(env={"MURMUR_HOME": str(tmp_path)}).invoke(
        predict, ["--model", str(default_bundle()), "caf\udce9"]
    )
    assert isinstance(asked.exception, Failure)
    assert "cannot be scored" in str(asked.exception)
