"""How often tests kill a process: once in `make test`, again and again in `make torture`."""

import os
from typing import Final

OFTEN: Final = os.environ.get("KILLS") == "often"
