"""`python -m tests.torture.live --seconds N --seed S`: a storm on the live stream, as JSON."""

import argparse
import os
import random
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

import msgspec

from tests.integration.live_stream import TOKEN, settings_for
from tests.stack import isolated, migrated_template, running_servers
from tests.torture.live_storm import VOCABULARIES, storm
from tests.torture.secrets_in_files import files_with
from tests.x_server.server import fake_x


def main() -> int:
    """Run the storm on servers of its own and print the account; 1 where it does not add up."""
    for variable in [name for name in os.environ if name.startswith("MURMUR_")]:
        del os.environ[variable]
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--kills", type=int, default=5)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--vocabulary", choices=VOCABULARIES, default="switching")
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
            x,
            own,
            Path(folder),
            seconds=asked.seconds,
            kills=asked.kills,
            seed=asked.seed,
            vocabulary=asked.vocabulary,
        )
        shown = files_with(TOKEN, Path(folder))
    ok = account.ok and not shown
    summary = {
        "seed": asked.seed,
        "vocabulary": asked.vocabulary,
        **asdict(account),
        "files_with_token": shown,
        "ok": ok,
    }
    print(msgspec.json.format(msgspec.json.encode(summary)).decode())  # noqa: T201
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main())
