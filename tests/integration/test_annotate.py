"""`murmur labels annotate` in a real terminal."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from schemas.settings import Settings
from schemas.transport.postgres import Connection
from tests.integration.storing import store
from tests.integration.test_labels import rows, tweets
from tests.stack import MURMUR, process_environment
from tests.terminal import TerminalProcess, in_terminal
from tests.unit.examples import deleted

_FIRST: Final = "SELECT root_id, label FROM labels WHERE repeat = 0 ORDER BY labelled_at"


@contextmanager
def annotating(settings: Settings, *options: str, columns: int = 100) -> Iterator[TerminalProcess]:
    command: list[str | Path] = [
        MURMUR,
        "labels",
        "annotate",
        "--run",
        "spring",
        "--labeller",
        "ann",
        *options,
    ]
    with in_terminal(command, process_environment(settings), columns=columns) as terminal:
        yield terminal


def shown_number(screen: str) -> str:
    """Return which tweet the last screen shows."""
    *_, last = re.findall(r"number(\d+)", screen)
    return str(last)


def test_fifty_labels_with_undo_skip_unsure_and_another_size(
    settings: Settings, connection: Connection
) -> None:
    store(connection, tweets(300))
    with annotating(settings) as terminal:
        first = shown_number(terminal.wait_for("0 labelled, 0 unsure, 50 left"))
        terminal.press("1")
        second = shown_number(terminal.wait_for("1 labelled, 0 unsure, 49 left"))
        assert rows(connection, _FIRST) == [(f"800000000000000{first:0>3}", "negative")]

        terminal.press("u")
        assert shown_number(terminal.wait_for("0 labelled, 0 unsure, 50 left")) == first
        assert rows(connection, _FIRST) == []
        terminal.press("u")
        terminal.wait_for("There is nothing to take back.")

        terminal.press("s")
        assert shown_number(terminal.wait_for("0 labelled, 0 unsure, 49 left")) == second
        terminal.press("\x1b[A?")
        terminal.wait_for("0 labelled, 1 unsure, 48 left")
        assert [label for _, label in rows(connection, _FIRST)] == [None]

        terminal.resize(rows=20, columns=40)
        narrow = terminal.wait_for("48 left").rpartition("\x1b[2J")[2]
        assert max(map(len, narrow.splitlines())) <= 60

        # Typed ahead, as people do who know the keys.
        terminal.press("123" * 7)
        terminal.wait_for("19 labelled, 1 unsure")
        terminal.press("1" * 32)
        terminal.wait_for("The queue is done.")
        terminal.press("u1")
        terminal.wait_for("The queue is done.")
        terminal.press("q")
        assert terminal.wait() == 0
        terminal.wait_for("48 labelled, 1 unsure, 1 skipped: stored as ann's")
    stored = rows(connection, "SELECT repeat, count(*), count(label) FROM labels GROUP BY 1")
    assert sorted(stored) == [(0, 49, 48), (1, 5, 5)]
    seen = rows(connection, "SELECT DISTINCT origin, answer_seen FROM labels ORDER BY 1")
    assert seen == [("audit", False), ("queue", False)]


def test_a_killed_session_loses_nothing_and_the_next_one_goes_on(
    settings: Settings, connection: Connection
) -> None:
    store(connection, tweets(40))
    with annotating(settings, "--audits-only") as terminal:
        terminal.wait_for("0 labelled")
        terminal.press("111")
        terminal.wait_for("3 labelled")
        terminal.kill()
    labelled = {root for root, _ in rows(connection, _FIRST)}
    assert len(labelled) == 3
    with annotating(settings, "--audits-only") as terminal:
        shown = shown_number(terminal.wait_for("0 labelled, 0 unsure, 37 left"))
        assert f"800000000000000{shown:0>3}" not in labelled
        assert not terminal.echoes()
        terminal.press("\x04")
        assert terminal.wait() == 0
        assert terminal.echoes()


def test_a_tweet_that_is_deleted_meanwhile_is_neither_stored_nor_shown(
    settings: Settings, connection: Connection
) -> None:
    store(connection, tweets(3))
    with annotating(settings) as terminal:
        shown = shown_number(terminal.wait_for("0 labelled, 0 unsure, 3 left"))
        others = [tweet.tweet_id for tweet in tweets(3) if not tweet.text.endswith(shown)]
        store(connection, [deleted(f"80000000000000000{shown}", run="spring")])
        store(connection, [deleted(others[0], run="spring")])
        terminal.press("1")
        last = terminal.wait_for("0 labelled, 0 unsure, 1 left")
        assert "was deleted meanwhile" in last
        assert shown_number(last) == others[1][-1]
        terminal.press("1q")
        assert terminal.wait() == 0
    assert rows(connection, _FIRST) == [(others[1], "negative")]


def test_one_answer_is_stored_for_every_audit_with_the_same_text(
    settings: Settings, connection: Connection
) -> None:
    store(connection, [replace(tweet, text="over and over number0") for tweet in tweets(6)])
    with annotating(settings, "--audits-only") as terminal:
        terminal.wait_for("0 labelled, 0 unsure, 6 left")
        terminal.press("3")
        terminal.wait_for("The queue is done.")
        assert len(rows(connection, "SELECT FROM audits WHERE label = 'positive'")) == 6
        terminal.press("u")
        terminal.wait_for("0 labelled, 0 unsure, 6 left")
        assert rows(connection, _FIRST) == []
        terminal.press("2q")
        assert terminal.wait() == 0
        terminal.wait_for("1 labelled, 5 with the same text")


def test_a_correction_shows_the_models_answer_and_audits_nothing(
    settings: Settings, connection: Connection
) -> None:
    store(connection, tweets(2))
    with annotating(settings, "--tweet", tweets(2)[1].tweet_id) as terminal:
        assert "model: negative (0.51)" in terminal.wait_for("0 labelled, 0 unsure, 1 left")
        terminal.press("3q")
        assert terminal.wait() == 0
    assert rows(connection, "SELECT root_id, origin, label, answer_seen FROM labels") == [
        (tweets(2)[1].root_id, "correction", "positive", True)
    ]
    assert rows(connection, "SELECT FROM audits") == []
