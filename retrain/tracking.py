"""MLflow, where every training and baseline is written down: one experiment, no texts."""

import logging
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

import msgspec

from schemas.failures import Failure
from schemas.private_files import write_private

EXPERIMENT: Final = "murmur"
_DATABASE: Final = "mlflow.db"
_LONGEST_VALUE: Final = 500
_PARENT: Final = "mlflow.parentRunId"
_GONE: Final = ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE")
"""What MLflow says of a run that is not there, and of one that a person deleted."""


class MlflowRefused(Failure):
    """MLflow does not answer, or does not have or take what was asked for."""


class EndedEarly(Exception):
    """What a run records was ended on purpose, before it was done."""


@contextmanager
def mlflow_explained() -> Iterator[None]:
    """Raise what MLflow raises in the block as `MlflowRefused`."""
    from mlflow.exceptions import MlflowException

    try:
        yield
    except MlflowException as error:
        raise MlflowRefused(f"MLflow: {' '.join(str(error).split())}") from error


@dataclass(frozen=True)
class Run:
    """A run in MLflow. It may be written to again after a resumption."""

    client: Any
    run_id: str

    def parameters(self, values: Mapping[str, object]) -> None:
        """Write down what the run was started with; of one that is resumed that stays."""
        known = self.client.get_run(self.run_id).data.params
        for name, value in values.items():
            if name not in known:
                self.client.log_param(self.run_id, name, str(value)[:_LONGEST_VALUE])

    def figures(self, values: Mapping[str, float], *, step: int | None = None) -> None:
        """Write down figures, as points of curves where a step is named."""
        for name, value in values.items():
            self.client.log_metric(self.run_id, name, value, step=step)

    def file(self, path: Path) -> None:
        """Keep a copy of a file."""
        self.client.log_artifact(self.run_id, str(path))

    def document(self, name: str, content: object) -> None:
        """Keep a JSON document."""
        text = msgspec.json.format(msgspec.json.encode(content), indent=1).decode()
        self.client.log_text(self.run_id, text, name)

    @contextmanager
    def under_way(self) -> Iterator[Self]:
        """Mark it as ended when the block ends: well, failed by what is raised, or interrupted.

        What the block raised is raised also where MLflow cannot be told, which is noted beside it;
        what MLflow raised, as `MlflowRefused`.
        """
        try:
            with mlflow_explained():
                yield self
        except BaseException as error:
            early = isinstance(error, KeyboardInterrupt | EndedEarly)
            status = "KILLED" if early else "FAILED"
            try:
                self._end(status)
            except (MlflowRefused, OSError) as untold:
                error.add_note(f"the end of the run could not be recorded: {untold}")
            raise
        self._end("FINISHED")

    @mlflow_explained()
    def _end(self, status: str) -> None:
        self.client.set_terminated(self.run_id, status)


def open_client(home: Path) -> Any:
    """Return a client of the tracking server: `MLFLOW_TRACKING_URI`, or sqlite under `home`."""
    from mlflow.tracking import MlflowClient

    # It would say on standard error that it makes its tables.
    logging.getLogger("mlflow").setLevel(logging.WARNING)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    home.mkdir(parents=True, exist_ok=True)
    if not os.environ.get("MLFLOW_TRACKING_URI"):
        _make_whole(home / _DATABASE)
    return MlflowClient(tracking_uri=tracking_uri(home))


def _make_whole(database: Path) -> None:
    """Make MLflow's tables aside: its migrations bear neither a kill nor another one at work."""
    from mlflow.tracking import MlflowClient

    if database.exists():
        return
    with tempfile.TemporaryDirectory(dir=database.parent, prefix=f"{database.name}-") as folder:
        made, whole = Path(folder, "made.db"), Path(folder, "whole.db")
        MlflowClient(tracking_uri=_sqlite(made))
        # MLflow keeps the one that it made open.
        shutil.copyfile(made, whole)
        with suppress(FileExistsError):
            os.link(whole, database)


def tracking_uri(home: Path) -> str:
    """Return where runs are written down."""
    return os.environ.get("MLFLOW_TRACKING_URI") or _sqlite(home / _DATABASE)


def _sqlite(database: Path) -> str:
    return f"sqlite:///{database.resolve()}"


def resumable_run(
    folder: Path, home: Path, name: str, *, kind: str, parent_run_id: str | None = None
) -> Run:
    """Start a run, or go on with the one that a note in `folder` names; raise `MlflowRefused`.

    A new one stands under its parent, if it has one.
    """
    noted = folder / "mlflow-run"
    known = noted.read_text(encoding="ascii") if noted.is_file() else None
    run = start_run(home, name, kind=kind, continued=known, parent_run_id=parent_run_id)
    write_private(noted, run.run_id)
    return run


def commit_at_start(folder: Path) -> str:
    """Return the commit at which a training began, which a note in `folder` keeps."""
    noted = folder / "commit"
    if not noted.is_file():
        write_private(noted, commit())
    return noted.read_text(encoding="ascii")


@mlflow_explained()
def start_run(
    home: Path,
    name: str,
    *,
    kind: str,
    continued: str | None = None,
    parent_run_id: str | None = None,
) -> Run:
    """Start a run of the experiment, or go on with the one of this id where it still exists.

    Raises `MlflowRefused` where MLflow cannot be had.
    """
    from mlflow.exceptions import MlflowException

    client = open_client(home)
    if continued is not None:
        try:
            client.update_run(continued, status="RUNNING")
        except MlflowException as error:
            if error.error_code not in _GONE:
                raise
            continued = None
    if continued is None:
        under = {} if parent_run_id is None else {_PARENT: parent_run_id}
        continued = client.create_run(
            _experiment(client, home), run_name=name, tags={"kind": kind, **under}
        ).info.run_id
    return Run(client, continued)


def _experiment(client: Any, home: Path) -> str:
    found = client.get_experiment_by_name(EXPERIMENT)
    if found is not None:
        return str(found.experiment_id)
    of_own = not os.environ.get("MLFLOW_TRACKING_URI")
    location = (home / "mlflow-artifacts").resolve().as_uri() if of_own else None
    return str(client.create_experiment(EXPERIMENT, artifact_location=location))


def commit() -> str:
    """Return the commit of this checkout, marked where files differ from it, else `unknown`."""
    root = Path(__file__).parents[1]
    command = ["git", "describe", "--always", "--dirty", "--abbrev=40", "--match="]
    try:
        said = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return said.stdout.strip() or "unknown"
