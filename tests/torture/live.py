"""`python -m tests.torture.live [--seconds N] [--kills N] [--seed N]`: a storm on the stream."""

import argparse
import random
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from tests.integration.live_stream import TOKEN, settings_for
from tests.stack import isolated, migrated_template, running_servers
from tests.torture.live_storm import storm
from tests.torture.secrets_in_files import files_with
from tests.x_server.server import fake_x


def main() -> int:
    """Run the storm on servers of its own; print the account; 1 where a post is unaccounted for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--kills", type=int, default=5)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    asked = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        running_servers() as servers,
        migrated_template(servers) as template,
        isolated(servers, template) as settings,
        fake_x(TOKEN, heartbeat_s=0.3) as x,
    ):
        own = settings_for(x, settings, Path(folder))
        account = storm(
            x, own, Path(folder), seconds=asked.seconds, kills=asked.kills, seed=asked.seed
        )
        shown = files_with(TOKEN, Path(folder))
    print({"seed": asked.seed, **asdict(account), "files_with_token": shown})  # noqa: T201
    return int(bool(account.lost or account.doubled or account.missing_after_refill or shown))


if __name__ == "__main__":
    sys.exit(main())
