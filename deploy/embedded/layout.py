"""Where the things of a stack lie under its home."""

from dataclasses import dataclass
from pathlib import Path

from schemas.failures import Failure
from schemas.settings import ADDRESSES_FILE


@dataclass(frozen=True)
class Layout:
    """The paths of one stack; all absolute."""

    home: Path

    @classmethod
    def of(cls, home: Path) -> "Layout":
        """Return the layout of a home; `Failure` for a file or a name that servers cannot read."""
        absolute = home.absolute()
        if any(character in str(absolute) for character in ";%\n\r"):
            raise Failure(
                f"MURMUR_HOME {absolute} holds one of ; % or a line break: choose another"
            )
        if absolute.exists() and not absolute.is_dir():
            raise Failure(f"MURMUR_HOME {absolute} is not a folder: choose another")
        return cls(absolute)

    @property
    def lock(self) -> Path:
        """Held by whoever starts or stops the stack."""
        return self.home / "stack.lock"

    @property
    def state(self) -> Path:
        """Ports and passwords (mode 0600)."""
        return self.home / "stack.json"

    @property
    def addresses(self) -> Path:
        """What `schemas.settings` reads (mode 0600); there only while the stack is up."""
        return self.home / ADDRESSES_FILE

    @property
    def programs(self) -> Path:
        """The command lines that were last started."""
        return self.home / "programs.json"

    @property
    def runs(self) -> Path:
        """The runs that PostgreSQL held at the last orderly stop; absent while the stack is up."""
        return self.home / "runs.json"

    @property
    def supervisor_config(self) -> Path:
        """The supervisor's configuration (mode 0600)."""
        return self.home / "supervisord.conf"

    @property
    def kafka(self) -> Path:
        """The broker's configuration and its log segments."""
        return self.home / "kafka"

    @property
    def postgres(self) -> Path:
        """PostgreSQL's data, unless the stack is run by root (`postgres_server`)."""
        return self.home / "postgres"

    @property
    def valkey(self) -> Path:
        """Valkey's configuration; it keeps nothing."""
        return self.home / "valkey"

    @property
    def logs(self) -> Path:
        """One rotated log for each program."""
        return self.home / "logs"

    def log_of(self, program: str) -> Path:
        """Return the log of a program."""
        return self.logs / f"{program}.log"
