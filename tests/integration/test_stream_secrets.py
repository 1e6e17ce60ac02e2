"""The token of `murmur stream`: where it may come from, and that it shows nowhere."""

import subprocess
from pathlib import Path

import pytest
from pydantic import SecretStr

from schemas.settings import Settings
from tests.conditions import wait_until
from tests.integration.live_stream import TOKEN, published, streaming
from tests.stack import MURMUR, process_environment
from tests.torture.secrets_in_files import files_with
from tests.x_server.faults import FAULTS
from tests.x_server.server import FakeX


def test_the_token_comes_from_a_file_and_shows_nowhere(
    x: FakeX, to_x: Settings, tmp_path: Path
) -> None:
    x.corpus.add_rule("cats", "about cats")
    secret = tmp_path / "secret" / "token"
    secret.parent.mkdir()
    secret.write_text(f"{TOKEN}\n")
    from_file = to_x.model_copy(
        update={"x_bearer_token": SecretStr(""), "x_bearer_token_file": secret}
    )
    out = tmp_path / "out"
    x.script.extend(
        f for f in FAULTS if f.name in ("reset before any answer", "half a status line")
    )
    with streaming(from_file, out, "--capture", str(out / "captures")) as stream:
        wait_until(lambda: x.connected, 40, "a connection")
        post = x.post("cats")
        wait_until(lambda: post.tweet_id in published(to_x), 60, "a post")
        stream.page("/metrics")
        stream.page("/readyz")
        stream.stop()
    assert x.unauthorized == 0
    assert stream.log.stat().st_size > 1_000
    assert files_with(TOKEN, out) == []
    assert TOKEN not in "".join(stream.seen)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"x_bearer_token": ""}, "MURMUR_X_BEARER_TOKEN"),
        ({"x_api": "http://api.x.com"}, "MURMUR_X_API must be an https address"),
    ],
)
def test_what_is_missing_is_one_line_that_says_what_to_do(
    change: dict[str, str], says: str, to_x: Settings
) -> None:
    environment = process_environment(to_x)
    environment |= {f"MURMUR_{name.upper()}": value for name, value in change.items()}
    ended = subprocess.run(
        [MURMUR, "stream", "--probe-port", "0"], env=environment, capture_output=True, check=False
    )
    assert ended.returncode == 1
    assert says in ended.stderr.decode().splitlines()[-1]
    assert TOKEN not in ended.stderr.decode()
