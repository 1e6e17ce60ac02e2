"""One search for the token: in what every command that has it says, writes, serves and is called.

The commands run at the most talkative log level, against an X that answers well, then badly, then
not at all, with a token that X takes and with one that it does not.
"""

import subprocess
import threading
from pathlib import Path

import psutil
import pytest
from pydantic import SecretStr

from schemas.settings import Settings
from tests.conditions import wait_until
from tests.integration.live_stream import TOKEN, published, rows, streaming
from tests.stack import MURMUR, process_environment
from tests.torture.secrets_in_files import files_with
from tests.x_server.exchange import Exchange
from tests.x_server.faults import FAULTS
from tests.x_server.server import FakeX

TURNED_AWAY = "BBBBtokenThatXDoesNotTake0123456789"
OF_X = (
    ["rules", "plan"],
    ["rules", "apply"],
    ["rules", "list"],
    ["gaps", "list"],
    ["gaps", "refill"],
    ["compliance", "run", "--wait-minutes", "0"],
)
OTHERS = (["status"], ["totals"], ["runs", "list"], ["dead-letters", "list"], ["init", "--check"])


class ProcessList:
    """Looks at every command line on the machine until it is stopped."""

    def __init__(self) -> None:
        self.seen: set[str] = set()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(10)

    def _look(self) -> None:
        while not self._stop.wait(0.5):
            for process in psutil.process_iter(["cmdline"]):
                self.seen.add(" ".join(process.info["cmdline"] or []))


def test_a_search_of_everything_for_the_token_finds_nothing(
    x: FakeX, to_x: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    monkeypatch.chdir(tmp_path)
    Path("rules.yaml").write_text("- {value: cats, tag: about cats}\n")
    processes = ProcessList()
    said: list[tuple[list[str], int]] = []

    def run(settings: Settings, *arguments: str) -> None:
        ended = subprocess.run(
            [MURMUR, *arguments],
            env=process_environment(settings),
            capture_output=True,
            check=False,
        )
        said.append((list(arguments), ended.returncode))
        (out / f"command-{len(said)}").write_bytes(ended.stdout + ended.stderr)

    def every_command(settings: Settings, *before: str, json: bool) -> None:
        for arguments in OF_X:
            run(settings, *before, *arguments, *(["--json"] if json else []))

    every_command(to_x, json=True)
    x.script.extend(
        fault for fault in FAULTS if "token" in fault.name or "half a line" in fault.name
    )
    x.script.rotate(-1)
    with streaming(to_x, out, "--capture", str(out / "captures")) as stream:
        wait_until(lambda: x.connected, 40, "a connection")
        post = x.post("cats")
        for _ in range(20):
            x.post("cats")
        wait_until(lambda: post.tweet_id in published(to_x), 40, "a post")
        for page in ("/metrics", "/readyz", "/healthz"):
            stream.page(page)
        stream.stop()
    assert rows(to_x, "SELECT count(*) FROM stream_gaps") != [(0,)]
    run(to_x, "gaps", "refill", "--json")
    for arguments in OTHERS:
        run(to_x, *arguments, "--json")
    run(to_x, "replay", "--dry-run", "--json", str(out / "captures"))
    every_command(_with(to_x, x_bearer_token=SecretStr(TURNED_AWAY)), "--debug", json=False)
    for odd in (f"{TOKEN}\nmore", f"{TOKEN}…"):
        run(_with(to_x, x_bearer_token=SecretStr(odd)), "--debug", "rules", "list")
        run(_with(to_x, x_bearer_token=SecretStr(odd)), "stream", "--probe-port", "0")
    x.director = _echo
    with streaming(to_x, out, "--capture", str(out / "captures")) as stream:
        printed, _ = stream.process.communicate(timeout=60)
        stream.seen.append(printed.decode())
    assert stream.process.returncode == 1
    assert "MURMUR_X_BEARER_TOKEN" in stream.log.read_text()
    processes.stop()
    (out / "shown").write_bytes(
        "\n".join([*stream.seen, *processes.seen]).encode(errors="surrogateescape")
    )

    assert {code for _, code in said} == {0, 1}
    assert any("murmur" in line and "stream" in line for line in processes.seen)
    assert len(list(out.rglob("*.zst"))) >= 1
    assert all(size > 0 for size in (file.stat().st_size for file in out.glob("stream-*.log")))
    # What the search does find: it looks into answers, and into compressed captures.
    assert files_with("about cats", out)
    assert files_with('"matching_rules"', out / "captures")
    assert files_with(TOKEN, out) == []
    assert files_with(TURNED_AWAY, out) == []


def _echo(exchange: Exchange) -> None:
    exchange.answer(401, f'{{"title":"Unauthorized {exchange.authorization}"}}'.encode())


def _with(settings: Settings, **changes: object) -> Settings:
    return settings.model_copy(update=changes)
