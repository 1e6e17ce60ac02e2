"""The stages of a training job: each takes what the ones before it gave, and gives a document.

A stage whose inputs are the same as when it was done, and whose files are here, is not done again.
Each may be killed at any moment and begun anew: what it makes is there whole or not at all.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec

from model_server.bundle import MANIFEST as BUNDLE_MANIFEST
from model_server.bundle import Bundle, open_bundle
from retrain.datasets.reading import label_files, read_labelled
from retrain.evaluation.predictions import Answers, ask, truth_of
from retrain.jobs.job_spec import JobSpec
from retrain.jobs.stored_labels import (
    StoredLabel,
    counted,
    is_frozen,
    stored_labels,
    write_labels,
)
from retrain.promotion.promotion_gate import GateVerdict, PairedAnswers, judge_challenger
from schemas.counted_nouns import number_of
from schemas.failures import Failure
from schemas.private_files import make_private_folder, write_private
from schemas.transport.postgres import Connection

VERDICT: Final = "verdict.json"
BUNDLE: Final = "bundle-"
"""What the names of a job's bundles begin with."""

_MODEL: Final = "model-"
_MOST_NAMED: Final = 20
_MOST_NAMED_IN_TEXT: Final = 5
_TRAINING: Final = "labels.csv"
_FROZEN: Final = "frozen-audits.csv"


class MeaninglessTraining(Failure):
    """The labels cannot teach or judge a model."""


@dataclass(frozen=True)
class Desk:
    """What the stages of a job have before them. `folder` is the job's own."""

    spec: JobSpec
    number: int
    folder: Path
    connection: Connection
    champion: Bundle
    run_command: Callable[[list[str]], None]
    """Runs a `murmur model` command with these arguments; raises what it raises."""

    register: Callable[[Path, GateVerdict], dict[str, Any]]
    """Keeps a bundle and, where it passed, promotes it; may be called again."""


Outputs = Mapping[str, dict[str, Any]]
"""What the stages before gave, by stage."""


@dataclass(frozen=True)
class Stage:
    """`inputs` names everything that decides what `work` gives, besides the spec.

    `is_here` tells of an output whether the files that it names are on this machine.
    """

    name: str
    inputs: Callable[[Desk, Outputs], Any]
    work: Callable[[Desk, Outputs], dict[str, Any]]
    is_here: Callable[[Desk, dict[str, Any]], bool] = lambda _desk, _output: True


def inputs_sha256(desk: Desk, stage: Stage, before: Outputs) -> str:
    """Return the hash of what a stage is given."""
    given = {"spec": desk.spec, "inputs": stage.inputs(desk, before)}
    return hashlib.sha256(msgspec.json.encode(given, order="sorted")).hexdigest()


def _split(desk: Desk) -> tuple[list[StoredLabel], list[StoredLabel]]:
    """Return what is learned from, and what is frozen; only the champion's labels count."""
    labels = set(desk.champion.manifest.labels)
    known = [each for each in stored_labels(desk.connection, desk.spec.run) if each.label in labels]
    frozen = [each for each in known if is_frozen(each, desk.spec.frozen_share)]
    kept = {each.root_id for each in frozen}
    return [each for each in known if each.root_id not in kept], frozen


def _labels_now(desk: Desk, _before: Outputs) -> Any:
    digest = hashlib.sha256()
    for each in stored_labels(desk.connection, desk.spec.run):
        digest.update(msgspec.json.encode((each.root_id, each.label, each.origin)))
    return {"labels": digest.hexdigest(), "files": _files(desk)}


def _files(desk: Desk) -> dict[str, str]:
    return {
        str(file): hashlib.sha256(file.read_bytes()).hexdigest()
        for path in (*desk.spec.label_files, *desk.spec.standing_files)
        for file in label_files(Path(path))
        if file.is_file()
    }


def _validate(desk: Desk, _before: Outputs) -> dict[str, Any]:
    training, frozen = _split(desk)
    names = desk.champion.manifest.labels
    by_label = dict.fromkeys(names, 0)
    for each in training:
        by_label[each.label] += 1
    for path in desk.spec.label_files:
        for file in label_files(Path(path)):
            for row in read_labelled(file, labels=names).rows:
                by_label[row.label] += 1
    stored = stored_labels(desk.connection, desk.spec.run)
    unknown = Counter(each.label for each in stored if each.label not in by_label)
    few = [name for name, count in by_label.items() if count < desk.spec.least_of_a_label]
    if few:
        raise MeaninglessTraining(
            f"fewer than {desk.spec.least_of_a_label} texts to learn from have the label "
            f"{', '.join(few)}: label more, or name label files{_said_of_unknown(unknown)}"
        )
    if not frozen:
        raise MeaninglessTraining("no audit is frozen for the gate: nothing could be promoted")
    return {
        "stored": counted(training),
        "frozen_audits": counted(frozen).get("audit", {}),
        "texts_by_label": by_label,
        "unknown_labels": dict(unknown.most_common(_MOST_NAMED)),
    }


def _said_of_unknown(unknown: Counter[str]) -> str:
    if not unknown:
        return ""
    named = ", ".join(f"{label[:40]!r}" for label, _ in unknown.most_common(_MOST_NAMED_IN_TEXT))
    stored = number_of(unknown.total(), "stored label")
    return f"; {stored} that the model does not have cannot be learned: {named}"


def _prepare(desk: Desk, _before: Outputs) -> dict[str, Any]:
    make_private_folder(desk.folder)
    training, frozen = _split(desk)
    return {
        "training_sha256": write_labels(desk.folder / _TRAINING, training),
        "frozen_sha256": write_labels(desk.folder / _FROZEN, frozen),
        "training": len(training),
        "frozen": len(frozen),
    }


def _prepared_here(desk: Desk, _output: dict[str, Any]) -> bool:
    return all((desk.folder / name).is_file() for name in (_TRAINING, _FROZEN))


def _train(desk: Desk, before: Outputs) -> dict[str, Any]:
    spec = desk.spec
    out = desk.folder / f"{_MODEL}{before['prepare']['training_sha256'][:12]}"
    names = ",".join(desk.champion.manifest.labels)
    arguments = ["train", "--base", str(desk.champion.folder), "--out", str(out)]
    arguments += ["--label-names", names, "--cleaning", desk.champion.manifest.cleaning]
    arguments += ["--languages", ",".join(desk.champion.manifest.languages)]
    arguments += ["--seed", str(spec.seed), *(["--quick"] if spec.quick else [])]
    learned = [desk.folder / _TRAINING] if before["prepare"]["training"] else []
    for path in (*learned, *spec.label_files):
        arguments += ["--labels", str(path)]
    for path in (desk.folder / _FROZEN, *spec.standing_files):
        arguments += ["--test", str(path)]
    desk.run_command([*arguments, *spec.train_options])
    return {"folder": str(out)}


def _export(desk: Desk, before: Outputs) -> dict[str, Any]:
    trained = Path(before["train"]["folder"])
    out = desk.folder / trained.name.replace(_MODEL, BUNDLE)
    if not (out / BUNDLE_MANIFEST).is_file():
        name, version = desk.champion.manifest.name, f"{desk.spec.run}-job-{desk.number}"
        arguments = ["export", str(trained), "--out", str(out), "--name", name]
        desk.run_command([*arguments, "--version", version, "--against", str(desk.champion.folder)])
    return {"folder": str(out), "sha256": open_bundle(out).identity.sha256}


def _evaluate(desk: Desk, before: Outputs) -> dict[str, Any]:
    challenger = open_bundle(Path(before["export"]["folder"]))
    audits = _answers(desk.champion, challenger, [desk.folder / _FROZEN])
    standing_files = [file for path in desk.spec.standing_files for file in label_files(Path(path))]
    standing = _answers(desk.champion, challenger, standing_files) if standing_files else None
    verdict = judge_challenger(audits, standing, limits=desk.spec.limits, seed=desk.spec.seed)
    write_private(desk.folder / VERDICT, msgspec.json.format(msgspec.json.encode(verdict)).decode())
    return {"verdict": msgspec.to_builtins(verdict)}


def _answers(champion: Bundle, challenger: Bundle, files: list[Path]) -> PairedAnswers:
    names = champion.manifest.labels
    rows = [row for file in files for row in read_labelled(file, labels=names).rows]
    texts = [row.text for row in rows]
    truth = [row.label for row in rows]
    answered = []
    for bundle in (champion, challenger):
        own = bundle.manifest.labels
        answers = Answers.of(own, truth_of(own, truth), ask(bundle, texts))
        answered.append(answers.in_order_of(names))
    ids = [row.id or str(place) for place, row in enumerate(rows)]
    return PairedAnswers(ids, *answered)


def _register(desk: Desk, before: Outputs) -> dict[str, Any]:
    verdict = msgspec.convert(before["evaluate"]["verdict"], GateVerdict)
    return desk.register(Path(before["export"]["folder"]), verdict)


def _folder_here(_desk: Desk, output: dict[str, Any]) -> bool:
    return Path(output["folder"]).is_dir()


def _of(*stages: str) -> Callable[[Desk, Outputs], Any]:
    def outputs(desk: Desk, before: Outputs) -> Any:
        champion = desk.champion.identity.sha256
        return {"champion": champion, **{stage: before[stage] for stage in stages}}

    return outputs


STAGES: Final = (
    Stage("validate", _labels_now, _validate),
    Stage("prepare", _labels_now, _prepare, _prepared_here),
    Stage("train", _of("prepare"), _train, _folder_here),
    Stage("export", _of("train"), _export, _folder_here),
    Stage("evaluate", _of("prepare", "export"), _evaluate),
    Stage("register", _of("evaluate"), _register),
)
"""In their order. The gate is part of `evaluate`, which writes its verdict."""
