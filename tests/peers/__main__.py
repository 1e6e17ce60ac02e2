"""`make peers`: Triton's client, in an environment of its own, against a running service."""

import subprocess
import sys
import tempfile
import venv
from pathlib import Path

from schemas.settings import load_settings
from tests.integration.serving import serving

CLIENT = "tritonclient[http]==2.73.0"
CALLS = Path(__file__).with_name("triton_calls.py")


def main() -> int:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        venv.create(folder / "client", with_pip=True)
        python = folder / "client" / "bin" / "python"
        subprocess.run([python, "-m", "pip", "install", "--quiet", CLIENT], check=True)
        settings = load_settings().model_copy(update={"home": folder / "home"})
        with serving(settings, folder / "serve") as service:
            where = service.address.removeprefix("http://")
            return subprocess.run([python, CALLS, where], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
