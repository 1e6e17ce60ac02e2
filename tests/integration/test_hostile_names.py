"""Names from outside are shown by every command, and no terminal obeys what stands in them."""

import csv
import io
import os
import pty
import subprocess
import tarfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from pydantic import SecretStr

from schemas.events import MatchedRule
from schemas.settings import Settings
from schemas.transport.dead_letters import DeadLetter, SourcePosition
from schemas.transport.postgres import connect_postgres
from tests.integration.storing import store
from tests.keyword_bundle import keyword_bundle
from tests.stack import MURMUR, process_environment
from tests.unit.examples import scored_tweet
from tests.x_server.server import fake_x

ATTACK = "\x1b]0;owned\x07\x1b[2J\x9b31m\u202ename"
SHOWN = "\\x1b]0;owned\\x07\\x1b[2J\\x9b31m\\u202ename"
LINE = b'{"data": {"id": "1590000000000000001", "text": "a rainy day"}}\n'


def run(
    settings: Settings, *arguments: str | Path, answers: Sequence[int] = (0,), **more: str
) -> str:
    """Run a command and return all that it printed, having seen that none of it is obeyed."""
    done = subprocess.run(
        [MURMUR, *arguments],
        env={**process_environment(settings), **more},
        capture_output=True,
        timeout=120,
        check=False,
    )
    printed = (done.stdout + done.stderr).decode()
    assert done.returncode in answers, printed
    assert printed.replace("\n", "").isprintable(), ascii(printed)
    return printed


@pytest.fixture
def archives(tmp_path: Path) -> Path:
    """A folder with archives whose names, members, columns, labels and rules are hostile."""
    folder = tmp_path / "archives"
    folder.mkdir()
    (folder / f"{ATTACK}.jsonl").write_bytes(LINE)
    (folder / f"{ATTACK}.what").write_text("\x1b[2J nothing that is known\n" * 3)
    with tarfile.open(folder / "packed.tar", "w") as tar:
        for name in (f"{ATTACK}.jsonl", f"{ATTACK}.bin"):
            member = tarfile.TarInfo(name)
            content = LINE if name.endswith("jsonl") else b"\x00\x01\x1b[2J" * 9
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    with (folder / "table.csv").open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["id", "text", "label", ATTACK])
        rows.writerow(["1590000000000000009", "a day", ATTACK, "x"])
        rows.writerow([ATTACK, "a day", ATTACK, "x"])
    return folder


def test_archives(settings: Settings, archives: Path, tmp_path: Path) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text(f"- {{value: day, tag: {ascii(ATTACK)[1:-1]!r}}}\n".replace("'", '"'))
    files = sorted(archives.iterdir())
    for file in files:
        run(settings, "replay", file, "--dry-run", answers=(0, 1))
        run(settings, "replay", file, "--run", "each", answers=(0, 1))
    assert SHOWN in run(settings, "replay", archives, "--dry-run", answers=(0, 1))
    assert SHOWN in run(
        settings, "replay", archives, "--dry-run", "--json", answers=(0, 1)
    ).replace("\\u001b", "\\x1b").replace("\\u0007", "\\x07").replace("\\u009b", "\\x9b")
    assert SHOWN in run(settings, "replay", archives, "--run", "hostile", "--rules", rules)
    assert SHOWN in run(settings, "replay", archives / f"{ATTACK}.none", answers=(1, 2))
    run(
        settings, "replay", archives / "table.csv", "--columns", f"text={ATTACK}", answers=(0, 1, 2)
    )
    run(settings, "replay", archives / "table.csv", "--format", ATTACK, answers=(2,))


def test_what_is_stored(settings: Settings, tmp_path: Path) -> None:
    connection = connect_postgres(settings.postgres_connection, "test")
    letter = DeadLetter(
        run="hostile",
        stage="replay",
        reason="missing-field",
        detail=f"{ATTACK}:1: {ATTACK}",
        position=SourcePosition(f"file:{ATTACK}", 0, 1, 1),
        key=ATTACK.encode(),
        value=ATTACK.encode(),
        headers=[(ATTACK, ATTACK.encode())],
        value_size_bytes=len(ATTACK.encode()),
        value_sha256="0" * 64,
    )
    tweet = scored_tweet(
        ATTACK,
        by=ATTACK,
        hashtags=(ATTACK,),
        run="hostile",
        text=ATTACK,
        rules=(MatchedRule(tag=ATTACK),),
        language="\x1b[2J",
        language_known=False,
    )
    store(connection, [tweet], [letter])
    connection.close()
    shown = run(settings, "totals", "--run", "hostile")
    assert shown.count(SHOWN) == 6  # label (in three tables), hashtag, rule, model
    assert "(\\x1b[2J 1)" in shown
    assert "\\u009b31m" in run(settings, "totals", "--run", "hostile", "--json")
    run(settings, "runs", "list")
    run(settings, "runs", "delete", ATTACK, "--yes", answers=(1,))
    run(settings, "totals", "--run", ATTACK, answers=(1,))
    assert SHOWN[:20] in run(settings, "dead-letters", "list")
    assert SHOWN in run(settings, "dead-letters", "show", "1")
    run(settings, "dead-letters", "show", "1", "--json")
    run(settings, "dead-letters", "discard", "1", "--note", ATTACK)
    run(settings, "dead-letters", "redrive", "1", answers=(0, 1))
    assert SHOWN in run(settings, "export", "--run", "hostile", "--output", tmp_path / ATTACK)


@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_an_export_is_escaped_on_a_terminal_and_nowhere_else(settings: Settings, form: str) -> None:
    connection = connect_postgres(settings.postgres_connection, "test")
    store(connection, [scored_tweet(run="hostile", text=ATTACK)])
    connection.close()
    command: list[str | Path] = [MURMUR, "export", "--run", "hostile", "--format", form]
    environment = process_environment(settings)
    piped = subprocess.run(command, env=environment, capture_output=True, check=True).stdout
    assert "\x9b".encode() in piped
    ours, theirs = pty.openpty()
    with subprocess.Popen(command, env=environment, stdout=theirs) as process:
        os.close(theirs)
        seen = b""
        while True:
            try:
                read = os.read(ours, 65_536)
            except OSError:
                break
            if not read:
                break
            seen += read
    os.close(ours)
    assert process.returncode == 0
    assert seen.decode().replace("\r", "").replace("\n", "").isprintable()
    assert b"owned" in seen


def test_rules_settings_and_models(settings: Settings, tmp_path: Path) -> None:
    file = tmp_path / "rules.yaml"
    file.write_text('- {value: day, tag: "\\x1b[2Jnew"}\n')
    with fake_x("token") as x:
        at_x = {"x_api": x.address, "x_bearer_token": SecretStr(x.token)}
        own = settings.model_copy(update=at_x)
        x.corpus.add_rule("cats", ATTACK)
        assert SHOWN in run(own, "rules", "list")
        run(own, "rules", "list", "--json")
        assert "\\x1b[2Jnew" in run(own, "rules", "plan", file, answers=(1,))
    misspelt = {f"MURMUR_TOPIC_PREFIX{ATTACK[:4]}": "x"}
    assert "is not a setting" in run(settings, "status", answers=(0, 1), **misspelt)
    run(settings, "status", answers=(2,), MURMUR_LOG_FORMAT=ATTACK)
    run(settings, "totals", answers=(0, 1), MURMUR_POSTGRES=f"postgresql://x@h/{ATTACK}")
    run(settings, "status", answers=(0, 1), MURMUR_HOME=str(tmp_path / ATTACK))
    bundle = tmp_path / ATTACK
    keyword_bundle(bundle, {"rain": "negative", "sun": "positive"}, name=ATTACK)
    home = str(tmp_path / "none")
    shown = run(settings, "status", answers=(0, 1), MURMUR_MODEL=str(bundle), MURMUR_HOME=home)
    assert SHOWN in shown
    (bundle / "bundle.json").write_text('{"name": "\\u001b[2J"}')
    run(settings, "score", answers=(1,), MURMUR_MODEL=str(bundle))
