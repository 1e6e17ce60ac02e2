"""How runs end in MLflow, by which people tell what is worth a look."""

import os
import shutil
from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from pathlib import Path

import pytest
from mlflow.exceptions import MlflowException
from mlflow.store.db import utils
from sqlalchemy import Engine

from retrain.tracking import MlflowRefused, Run, commit_at_start, resumable_run, start_run


def status_of(run: Run) -> str:
    return str(run.client.get_run(run.run_id).info.status)


@pytest.mark.parametrize(
    ("raised", "status"), [(ValueError("no room"), "FAILED"), (KeyboardInterrupt(), "KILLED")]
)
def test_a_run_that_raised_says_so_until_it_goes_on(
    tmp_path: Path, raised: BaseException, status: str
) -> None:
    run = resumable_run(tmp_path, tmp_path / "home", "mine", kind="training")
    assert status_of(run) == "RUNNING"
    with pytest.raises(type(raised)), run.under_way():
        raise raised
    assert status_of(run) == status

    again = resumable_run(tmp_path, tmp_path / "home", "mine", kind="training")
    assert (again.run_id, status_of(again)) == (run.run_id, "RUNNING")
    with again.under_way():
        pass
    assert status_of(again) == "FINISHED"
    assert again.client.get_run(again.run_id).info.end_time is not None


@pytest.mark.parametrize(
    "note",
    [partial(resumable_run, home=Path("home"), name="mine", kind="training"), commit_at_start],
)
def test_a_note_that_a_kill_left_unwritten_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, note: Callable[..., object]
) -> None:
    def killed(_: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "out.checkpoints"
    folder.mkdir()
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", killed)
        with pytest.raises(KeyboardInterrupt):
            note(folder)
    assert not {"mlflow-run", "commit"} & {file.name for file in folder.iterdir()}
    note(folder)
    (noted,) = (file for file in folder.iterdir() if "unfinished" not in file.name)
    assert noted.read_text()


@pytest.mark.parametrize(
    ("hiccup", "raised"),
    [
        (MlflowException("no answer"), MlflowRefused),
        (ConnectionError("no answer"), ConnectionError),
    ],
)
def test_what_was_raised_is_told_where_the_server_does_not_answer_too(
    hiccup: Exception, raised: type[Exception]
) -> None:
    class Client:
        def set_terminated(self, *_: object) -> None:
            raise hiccup

    with pytest.raises(ValueError, match="no room") as told, Run(Client(), "run").under_way():
        raise ValueError("no room")
    assert "no answer" in told.value.__notes__[0]
    with pytest.raises(raised), Run(Client(), "run").under_way():
        pass


def test_a_run_that_a_person_deleted_is_started_anew(tmp_path: Path) -> None:
    run = resumable_run(tmp_path, tmp_path / "home", "mine", kind="training")
    run.client.delete_run(run.run_id)
    again = resumable_run(tmp_path, tmp_path / "home", "mine", kind="training")
    again.parameters({"seed": 1})
    assert again.run_id != run.run_id
    assert start_run(tmp_path / "home", "other", kind="baseline").run_id != again.run_id


def test_a_server_that_does_not_answer_is_no_reason_to_start_another_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    resumable_run(tmp_path, tmp_path / "home", "mine", kind="training")
    before = (tmp_path / "mlflow-run").read_text()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(MlflowRefused, match=r"^MLflow: .*127\.0\.0\.1:9"):
        resumable_run(tmp_path, tmp_path / "home", "mine", kind="training")
    assert (tmp_path / "mlflow-run").read_text() == before


@pytest.mark.parametrize("killed", [True, False], ids=["killed", "another was quicker"])
def test_mlflows_tables_are_there_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, killed: bool
) -> None:
    """A kill or two first trainings at once left a database that nothing could open any more."""
    resumable_run(tmp_path, tmp_path / "another", "first", kind="training")
    home = tmp_path / "home"
    home.mkdir()

    def at_the_migrations(engine: Engine) -> None:
        if killed:
            with engine.begin() as connection:
                # A migration makes it and removes it again.
                connection.exec_driver_sql("CREATE TABLE _alembic_tmp_model_versions (name TEXT)")
            raise KeyboardInterrupt
        shutil.copyfile(tmp_path / "another" / "mlflow.db", home / "mlflow.db")
        migrate(engine)

    migrate = utils._upgrade_db
    with monkeypatch.context() as patch:
        patch.setattr(utils, "_upgrade_db", at_the_migrations)
        with pytest.raises(KeyboardInterrupt) if killed else nullcontext():
            start_run(home, "second", kind="training")
    run = start_run(home, "third", kind="training")
    experiment = run.client.get_run(run.run_id).info.experiment_id
    assert len(run.client.search_runs([experiment])) == (1 if killed else 3)
    assert [file.name for file in home.iterdir()] == ["mlflow.db"]
