"""A short storm on the live stream: every post is stored once, or in a gap that is refilled."""

from pathlib import Path

from schemas.settings import Settings
from tests.integration.live_stream import TOKEN, settings_for
from tests.torture.live_storm import storm
from tests.torture.secrets_in_files import files_with
from tests.x_server.server import fake_x


def test_after_a_storm_and_kills_every_post_is_accounted_for(
    settings: Settings, tmp_path: Path
) -> None:
    with fake_x(TOKEN, heartbeat_s=0.3) as x:
        account = storm(
            x, settings_for(x, settings, tmp_path), tmp_path, seconds=24, kills=1, seed=6
        )
        assert x.unauthorized == 0
    assert account.ok, account
    assert account.faults > 3
    assert account.gaps > 2
    assert files_with(TOKEN, tmp_path) == []
