"""A process takes in a changed file of overrides while it runs, and never a wrong one."""

import logging
from pathlib import Path

import pytest

from model_server.overrides.followed_overrides import FollowedOverrides
from schemas.failures import Failure

LABELS = ("negative", "neutral", "positive")
OVERRIDE = """
- name: {name}
  pattern: sick
  label: positive
  reason: our skaters say it for great
  tests: {{changes: [this board is SICK], leaves: [{leaves}]}}
"""


def written(path: Path, name: str, leaves: str = "I am homesick") -> None:
    path.write_text(OVERRIDE.format(name=name, leaves=leaves))


def name_in_use(followed: FollowedOverrides) -> str | None:
    used = followed.current()
    found = used.override_for("so sick", None, ()) if used is not None else None
    return found.name if found is not None else None


def look_twice(followed: FollowedOverrides) -> None:
    followed.look()
    followed.look()


def test_a_changed_file_is_taken_in_once_it_rests(tmp_path: Path) -> None:
    path = tmp_path / "overrides.yaml"
    written(path, "first")
    followed = FollowedOverrides(path, lambda: LABELS)
    assert name_in_use(followed) == "first"
    written(path, "second")
    followed.look()
    assert name_in_use(followed) == "first"
    written(path, "third-name")
    followed.look()
    assert name_in_use(followed) == "first"
    followed.look()
    assert name_in_use(followed) == "third-name"


def test_a_loop_without_a_thread_looks_every_two_seconds(tmp_path: Path) -> None:
    path = tmp_path / "overrides.yaml"
    written(path, "first")
    now_s = 100.0
    followed = FollowedOverrides(path, lambda: LABELS)
    current = followed.looked_at_by(lambda: now_s)
    written(path, "second-name")
    seen = []
    for now_s in (100.5, 102.0, 103.0, 104.0, 106.0):  # noqa: B007  the clock reads it
        current()
        seen.append(name_in_use(followed))
    assert seen == ["first", "first", "first", "second-name", "second-name"]
    assert FollowedOverrides(None, lambda: ()).looked_at_by(lambda: 0.0)() is None


def test_a_wrong_file_or_none_changes_nothing_and_is_said_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "overrides.yaml"
    written(path, "first")
    followed = FollowedOverrides(path, lambda: LABELS)
    written(path, "wrong", leaves="so sick")
    with caplog.at_level(logging.WARNING):
        look_twice(followed)
        look_twice(followed)
    assert [record.message for record in caplog.records] == [
        (
            f"the overrides in use stay: {path}: wrong: text 1 of `leaves` has the pattern: "
            f"`murmur overrides check {path}` shows all"
        )
    ]
    path.unlink()
    look_twice(followed)
    assert name_in_use(followed) == "first"
    written(path, "mended")
    look_twice(followed)
    assert name_in_use(followed) == "mended"


def test_a_process_does_not_start_with_a_wrong_file_and_needs_none(tmp_path: Path) -> None:
    path = tmp_path / "overrides.yaml"
    written(path, "wrong", leaves="so sick")
    with pytest.raises(Failure, match="has the pattern"):
        FollowedOverrides(path, lambda: LABELS)
    without = FollowedOverrides(None, lambda: LABELS)
    without.look()
    assert without.current() is None
